"""Money that goes back for cancellations."""

import sqlalchemy as sa
from alembic import op

from classbolt import columns

revision = "0008"
down_revision = "0007"

BEFORE = {
    ("cancellations", "outcome"): "outcome IN ('NONE', 'CREDIT_BACK', 'NEW_BUNDLE')",
    ("cancellations", "gave_something"): "(outcome = 'NONE') = (customer_bundle_id IS NULL)",
    ("cancellations", "choice"): "choice IN ('POLICY', 'NONE', 'GOODWILL', 'CREDITS')",
    ("refunds", "cause"): "cause IN ('LATE', 'ELSEWHERE')",
}
AFTER = {
    ("cancellations", "outcome"): (
        "outcome IN ('NONE', 'CREDIT_BACK', 'NEW_BUNDLE', 'PAID_BACK')"
    ),
    ("cancellations", "gave_something"): (
        "(outcome IN ('CREDIT_BACK', 'NEW_BUNDLE')) = (customer_bundle_id IS NOT NULL)"
    ),
    ("cancellations", "choice"): "choice IN ('POLICY', 'NONE', 'GOODWILL', 'CREDITS', 'CASH')",
    ("refunds", "cause"): "cause IN ('LATE', 'CANCELLATION', 'STAFF', 'ELSEWHERE')",
}
# What the release before knows no word for is told in the nearest that it has.
FORGET = (
    "UPDATE cancellations SET outcome = 'NONE', reason = 'PAID_BACK' WHERE outcome = 'PAID_BACK'",
    "UPDATE cancellations SET choice = 'NONE' WHERE choice = 'CASH'",
    "UPDATE refunds SET cause = 'LATE' WHERE cause IN ('CANCELLATION', 'STAFF')",
)


def replace_checks(checks: dict[tuple[str, str], str]) -> None:
    """Put these conditions in place of those that have the same names."""
    for (table, name), condition in checks.items():
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_constraint(batch_op.f(f"ck_{table}_{name}"), type_="check")
            batch_op.create_check_constraint(batch_op.f(f"ck_{table}_{name}"), condition)


def upgrade() -> None:
    replace_checks(AFTER)
    # Beside the index of all cancellations, SQLite would take either of two with these columns.
    with op.batch_alter_table("cancellations") as batch_op:
        batch_op.drop_index("ix_cancellations_refund_due")
        batch_op.create_index(
            "ix_cancellations_refund_due",
            ["account_id", "refund_due", "cancelled_at", "id"],
            unique=False,
            sqlite_where=sa.text("refund_due = 1 AND refunded_at IS NULL"),
            postgresql_where=sa.text("refund_due AND refunded_at IS NULL"),
        )
    with op.batch_alter_table("refunds") as batch_op:
        batch_op.add_column(sa.Column("cancellation_id", columns.Key(), nullable=True))
        batch_op.add_column(sa.Column("staff_id", columns.Key(), nullable=True))
        batch_op.add_column(sa.Column("note", sa.String(length=500), nullable=True))
        batch_op.create_index(
            batch_op.f("ix_refunds_account_id_cancellation_id"),
            ["account_id", "cancellation_id"],
            unique=True,
        )
        batch_op.create_index(
            "ix_refunds_failed",
            ["account_id", "settled_at", "id"],
            unique=False,
            sqlite_where=sa.text("state = 'FAILED'"),
            postgresql_where=sa.text("state = 'FAILED'"),
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_refunds_account_id_staff_id_staff"),
            "staff",
            ["account_id", "staff_id"],
            ["account_id", "id"],
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_refunds_account_id_cancellation_id_cancellations"),
            "cancellations",
            ["account_id", "cancellation_id"],
            ["account_id", "id"],
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_refunds_cancellation"),
            "(cause = 'CANCELLATION') = (cancellation_id IS NOT NULL)",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_refunds_staff"), "(cause = 'STAFF') = (staff_id IS NOT NULL)"
        )


def downgrade() -> None:
    with op.batch_alter_table("refunds") as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_refunds_staff"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_refunds_cancellation"), type_="check")
        batch_op.drop_constraint(
            batch_op.f("fk_refunds_account_id_cancellation_id_cancellations"),
            type_="foreignkey",
        )
        batch_op.drop_constraint(
            batch_op.f("fk_refunds_account_id_staff_id_staff"), type_="foreignkey"
        )
        batch_op.drop_index(
            "ix_refunds_failed",
            sqlite_where=sa.text("state = 'FAILED'"),
            postgresql_where=sa.text("state = 'FAILED'"),
        )
        batch_op.drop_index(batch_op.f("ix_refunds_account_id_cancellation_id"))
        batch_op.drop_column("note")
        batch_op.drop_column("staff_id")
        batch_op.drop_column("cancellation_id")
    for statement in FORGET:
        op.execute(statement)
    with op.batch_alter_table("cancellations") as batch_op:
        batch_op.drop_index("ix_cancellations_refund_due")
        batch_op.create_index(
            "ix_cancellations_refund_due",
            ["account_id", "cancelled_at", "id"],
            unique=False,
            sqlite_where=sa.text("refund_due"),
            postgresql_where=sa.text("refund_due"),
        )
    replace_checks(BEFORE)
