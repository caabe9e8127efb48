"""Drop-in offers of sessions."""

import sqlalchemy as sa
from alembic import op

from classbolt import columns

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "drop_in_offers",
        sa.Column(
            "account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("session_id", columns.Key(), nullable=False),
        sa.Column("price_minor", sa.Integer(), nullable=False),
        sa.Column("opens_before_value", sa.Integer(), nullable=False),
        sa.Column("opens_before_unit", sa.String(length=10), nullable=False),
        sa.Column("payment_methods", sa.JSON(), nullable=False),
        sa.Column("opens_at", columns.Instant(), nullable=False),
        sa.Column("for_start", columns.Instant(), nullable=False),
        sa.CheckConstraint(
            "opens_before_value >= 0", name=op.f("ck_drop_in_offers_opens_before")
        ),
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_drop_in_offers_price")),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id"],
            ["sessions.account_id", "sessions.id"],
            name=op.f("fk_drop_in_offers_account_id_session_id_sessions"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_drop_in_offers_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("account_id", "session_id", name=op.f("pk_drop_in_offers")),
    )
    with op.batch_alter_table("drop_in_offers") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_drop_in_offers_account_id_opens_at"),
            ["account_id", "opens_at"],
            unique=False,
        )


def downgrade() -> None:
    with op.batch_alter_table("drop_in_offers") as batch_op:
        batch_op.drop_index(batch_op.f("ix_drop_in_offers_account_id_opens_at"))

    op.drop_table("drop_in_offers")
