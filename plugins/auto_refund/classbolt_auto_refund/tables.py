"""Where refund policies are kept: one per course, a rule for each kind of booking."""

from sqlalchemy import Boolean, CheckConstraint, Column, Integer, MetaData, String, Table, false

from classbolt.columns import Key
from classbolt.tables import NAMING, account_column, bundles, courses, refers_to

metadata = MetaData(naming_convention=NAMING)

policies = Table(
    "auto_refund_policies",
    metadata,
    account_column(),
    Column("course_id", Key, primary_key=True),
    Column("notice_value", Integer, nullable=False),
    Column("notice_unit", String(10), nullable=False),
    Column("validity_anchor", String(30), nullable=False, server_default="ISSUED_AT"),
    Column("max_refunds", Integer),
    Column("min_days_after_credit_back", Integer, nullable=False, server_default="0"),
    Column("refund_free_bookings", Boolean, nullable=False, server_default=false()),
    refers_to(courses, "course_id"),
    CheckConstraint("notice_value >= 0", name="notice"),
    CheckConstraint(
        "validity_anchor IN ('ISSUED_AT', 'CANCELLED_SESSION_START', 'COURSE_END')",
        name="validity_anchor",
    ),
    CheckConstraint("max_refunds >= 1", name="max_refunds"),
    CheckConstraint("min_days_after_credit_back >= 0", name="min_days_after_credit_back"),
)

rules = Table(
    "auto_refund_rules",
    metadata,
    account_column(),
    Column("course_id", Key, primary_key=True),
    Column("option", String(40), primary_key=True),
    Column("method", String(20), nullable=False),
    Column("bundle_id", Key),
    refers_to(policies, "course_id"),
    refers_to(bundles, "bundle_id"),
    CheckConstraint("method IN ('ORIGINAL', 'ORIGINAL_PAYMENT', 'NEW_BUNDLE')", name="method"),
    CheckConstraint("method <> 'NEW_BUNDLE' OR bundle_id IS NOT NULL", name="bundle"),
)
