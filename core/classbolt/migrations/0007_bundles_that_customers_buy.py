"""Bundles that customers buy."""

import sqlalchemy as sa
from alembic import op

from classbolt import columns

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "purchases",
        sa.Column(
            "account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("id", columns.Key(), nullable=False),
        sa.Column("customer_id", columns.Key(), nullable=False),
        sa.Column("bundle_id", columns.Key(), nullable=False),
        sa.Column("payment_id", columns.Key(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("customer_bundle_id", columns.Key(), nullable=True),
        sa.Column("bought_at", columns.Instant(), nullable=False),
        sa.CheckConstraint(
            "(status = 'ISSUED') = (customer_bundle_id IS NOT NULL)",
            name=op.f("ck_purchases_issued"),
        ),
        sa.CheckConstraint(
            "status IN ('PENDING', 'ISSUED', 'EXPIRED')", name=op.f("ck_purchases_status")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "bundle_id"],
            ["bundles.account_id", "bundles.id"],
            name=op.f("fk_purchases_account_id_bundle_id_bundles"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "customer_bundle_id"],
            ["customer_bundles.account_id", "customer_bundles.id"],
            name=op.f("fk_purchases_account_id_customer_bundle_id_customer_bundles"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "customer_id"],
            ["customers.account_id", "customers.id"],
            name=op.f("fk_purchases_account_id_customer_id_customers"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "payment_id"],
            ["payments.account_id", "payments.id"],
            name=op.f("fk_purchases_account_id_payment_id_payments"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_purchases_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_purchases")),
    )
    with op.batch_alter_table("purchases") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_purchases_account_id_customer_bundle_id"),
            ["account_id", "customer_bundle_id"],
            unique=True,
        )
        batch_op.create_index(
            batch_op.f("ix_purchases_account_id_customer_id"),
            ["account_id", "customer_id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_purchases_account_id_payment_id"),
            ["account_id", "payment_id"],
            unique=True,
        )

    with op.batch_alter_table("bundles") as batch_op:
        batch_op.add_column(
            sa.Column(
                "payment_methods",
                sa.JSON(),
                server_default=sa.text("'[\"offline\"]'"),
                nullable=False,
            )
        )
    # What is there already accepts what it accepted so far; what is new says so itself.
    with op.batch_alter_table("bundles") as batch_op:
        batch_op.alter_column("payment_methods", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("bundles") as batch_op:
        batch_op.drop_column("payment_methods")

    with op.batch_alter_table("purchases") as batch_op:
        batch_op.drop_index(batch_op.f("ix_purchases_account_id_payment_id"))
        batch_op.drop_index(batch_op.f("ix_purchases_account_id_customer_id"))
        batch_op.drop_index(batch_op.f("ix_purchases_account_id_customer_bundle_id"))

    op.drop_table("purchases")
