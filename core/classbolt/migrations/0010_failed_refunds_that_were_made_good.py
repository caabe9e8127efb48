"""Failed refunds that were made good."""

import sqlalchemy as sa
from alembic import op

from classbolt import columns

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    with op.batch_alter_table("refunds") as batch_op:
        batch_op.add_column(sa.Column("refunded_at", columns.Instant(), nullable=True))
        batch_op.add_column(sa.Column("refunded_by_id", columns.Key(), nullable=True))
        batch_op.add_column(sa.Column("refund_note", sa.String(length=500), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_refunds_account_id_refunded_by_id_staff"),
            "staff",
            ["account_id", "refunded_by_id"],
            ["account_id", "id"],
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_refunds_refunded"),
            "refunded_at IS NULL OR (state = 'FAILED' AND cancellation_id IS NULL)",
        )


def downgrade() -> None:
    with op.batch_alter_table("refunds") as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_refunds_refunded"), type_="check")
        batch_op.drop_constraint(
            batch_op.f("fk_refunds_account_id_refunded_by_id_staff"), type_="foreignkey"
        )
        batch_op.drop_column("refund_note")
        batch_op.drop_column("refunded_by_id")
        batch_op.drop_column("refunded_at")
