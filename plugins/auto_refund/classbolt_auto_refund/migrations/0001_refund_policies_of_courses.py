"""Refund policies of courses."""

import sqlalchemy as sa
from alembic import op

from classbolt import columns

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "auto_refund_policies",
        sa.Column(
            "account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("course_id", columns.Key(), nullable=False),
        sa.Column("notice_value", sa.Integer(), nullable=False),
        sa.Column("notice_unit", sa.String(length=10), nullable=False),
        sa.CheckConstraint("notice_value >= 0", name=op.f("ck_auto_refund_policies_notice")),
        sa.ForeignKeyConstraint(
            ["account_id", "course_id"],
            ["courses.account_id", "courses.id"],
            name=op.f("fk_auto_refund_policies_account_id_course_id_courses"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_auto_refund_policies_account_id_accounts"),
        ),
        sa.PrimaryKeyConstraint(
            "account_id", "course_id", name=op.f("pk_auto_refund_policies")
        ),
    )
    op.create_table(
        "auto_refund_rules",
        sa.Column(
            "account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("course_id", columns.Key(), nullable=False),
        sa.Column("option", sa.String(length=40), nullable=False),
        sa.Column("method", sa.String(length=20), nullable=False),
        sa.Column("bundle_id", columns.Key(), nullable=True),
        sa.CheckConstraint(
            "method = 'ORIGINAL' OR bundle_id IS NOT NULL",
            name=op.f("ck_auto_refund_rules_bundle"),
        ),
        sa.CheckConstraint(
            "method IN ('ORIGINAL', 'NEW_BUNDLE')", name=op.f("ck_auto_refund_rules_method")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "bundle_id"],
            ["bundles.account_id", "bundles.id"],
            name=op.f("fk_auto_refund_rules_account_id_bundle_id_bundles"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "course_id"],
            ["auto_refund_policies.account_id", "auto_refund_policies.course_id"],
            name=op.f("fk_auto_refund_rules_account_id_course_id_auto_refund_policies"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_auto_refund_rules_account_id_accounts"),
        ),
        sa.PrimaryKeyConstraint(
            "account_id", "course_id", "option", name=op.f("pk_auto_refund_rules")
        ),
    )


def downgrade() -> None:
    op.drop_table("auto_refund_rules")
    op.drop_table("auto_refund_policies")
