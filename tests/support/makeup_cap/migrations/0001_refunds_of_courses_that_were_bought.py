"""Refunds of courses that were bought."""

import sqlalchemy as sa
from alembic import op

from classbolt import columns

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "makeup_cap_counts",
        sa.Column(
            "account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("course_booking_id", columns.Key(), nullable=False),
        sa.Column("refunds", sa.Integer(), nullable=False),
        sa.CheckConstraint("refunds >= 0", name=op.f("ck_makeup_cap_counts_refunds")),
        sa.ForeignKeyConstraint(
            ["account_id", "course_booking_id"],
            ["course_bookings.account_id", "course_bookings.id"],
            name=op.f("fk_makeup_cap_counts_account_id_course_booking_id_course_bookings"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_makeup_cap_counts_account_id_accounts"),
        ),
        sa.PrimaryKeyConstraint(
            "account_id", "course_booking_id", name=op.f("pk_makeup_cap_counts")
        ),
    )


def downgrade() -> None:
    op.drop_table("makeup_cap_counts")
