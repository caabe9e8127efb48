"""Refunds in money."""

from alembic import op

revision = "0003"
down_revision = "0002"

BEFORE = {
    "method": "method IN ('ORIGINAL', 'NEW_BUNDLE')",
    "bundle": "method = 'ORIGINAL' OR bundle_id IS NOT NULL",
}
AFTER = {
    "method": "method IN ('ORIGINAL', 'ORIGINAL_PAYMENT', 'NEW_BUNDLE')",
    "bundle": "method <> 'NEW_BUNDLE' OR bundle_id IS NOT NULL",
}


def replace_checks(checks: dict[str, str]) -> None:
    """Put these conditions in place of those that have the same names."""
    with op.batch_alter_table("auto_refund_rules") as batch_op:
        for name, condition in checks.items():
            constraint = batch_op.f(f"ck_auto_refund_rules_{name}")
            batch_op.drop_constraint(constraint, type_="check")
            batch_op.create_check_constraint(constraint, condition)


def upgrade() -> None:
    replace_checks(AFTER)


def downgrade() -> None:
    # The release before cannot give money back, and refunds such bookings with nothing.
    op.execute("DELETE FROM auto_refund_rules WHERE method = 'ORIGINAL_PAYMENT'")
    replace_checks(BEFORE)
