"""Disputes about payments."""

import sqlalchemy as sa
from alembic import op

from classbolt import columns

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "disputes",
        sa.Column(
            "account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("id", columns.Key(), nullable=False),
        sa.Column("payment_id", columns.Key(), nullable=False),
        sa.Column("stripe_dispute_id", sa.String(length=255), nullable=False),
        sa.Column("amount_minor", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("opened_at", columns.Instant(), nullable=False),
        sa.Column("closed_at", columns.Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id", "payment_id"],
            ["card_payments.account_id", "card_payments.payment_id"],
            name=op.f("fk_disputes_account_id_payment_id_card_payments"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_disputes_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_disputes")),
    )
    with op.batch_alter_table("disputes") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_disputes_account_id_opened_at_id"),
            ["account_id", "opened_at", "id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_disputes_account_id_payment_id"),
            ["account_id", "payment_id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_disputes_account_id_stripe_dispute_id"),
            ["account_id", "stripe_dispute_id"],
            unique=True,
        )


def downgrade() -> None:
    with op.batch_alter_table("disputes") as batch_op:
        batch_op.drop_index(batch_op.f("ix_disputes_account_id_stripe_dispute_id"))
        batch_op.drop_index(batch_op.f("ix_disputes_account_id_payment_id"))
        batch_op.drop_index(batch_op.f("ix_disputes_account_id_opened_at_id"))

    op.drop_table("disputes")
