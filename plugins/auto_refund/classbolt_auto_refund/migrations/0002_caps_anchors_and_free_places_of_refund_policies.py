"""Caps, anchors and free places of refund policies."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.batch_alter_table("auto_refund_policies") as batch_op:
        batch_op.add_column(
            sa.Column(
                "validity_anchor",
                sa.String(length=30),
                server_default="ISSUED_AT",
                nullable=False,
            )
        )
        batch_op.add_column(sa.Column("max_refunds", sa.Integer(), nullable=True))
        batch_op.add_column(
            sa.Column(
                "min_days_after_credit_back", sa.Integer(), server_default="0", nullable=False
            )
        )
        batch_op.add_column(
            sa.Column(
                "refund_free_bookings", sa.Boolean(), server_default=sa.false(), nullable=False
            )
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_auto_refund_policies_min_days_after_credit_back"),
            "min_days_after_credit_back >= 0",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_auto_refund_policies_max_refunds"),
            "max_refunds >= 1",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_auto_refund_policies_validity_anchor"),
            "validity_anchor IN ('ISSUED_AT', 'CANCELLED_SESSION_START', 'COURSE_END')",
        )


def downgrade() -> None:
    with op.batch_alter_table("auto_refund_policies") as batch_op:
        batch_op.drop_constraint(
            batch_op.f("ck_auto_refund_policies_validity_anchor"), type_="check"
        )
        batch_op.drop_constraint(
            batch_op.f("ck_auto_refund_policies_max_refunds"), type_="check"
        )
        batch_op.drop_constraint(
            batch_op.f("ck_auto_refund_policies_min_days_after_credit_back"), type_="check"
        )
        batch_op.drop_column("refund_free_bookings")
        batch_op.drop_column("min_days_after_credit_back")
        batch_op.drop_column("max_refunds")
        batch_op.drop_column("validity_anchor")
