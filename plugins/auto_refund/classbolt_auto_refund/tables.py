"""Where refund policies are kept: one per course, a rule for each kind of booking."""

from sqlalchemy import CheckConstraint, Column, Integer, MetaData, String, Table

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
    refers_to(courses, "course_id"),
    CheckConstraint("notice_value >= 0", name="notice"),
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
    CheckConstraint("method IN ('ORIGINAL', 'NEW_BUNDLE')", name="method"),
    CheckConstraint("method = 'ORIGINAL' OR bundle_id IS NOT NULL", name="bundle"),
)
