"""Core's tables and the constraints that must hold whatever the code above them does.

Every table but `accounts` belongs to an account: `account_id` comes first in its primary key,
its unique constraints, its indexes and its foreign keys. A row can therefore not point into
another account, and the database can be spread by account. Seats and credits are guarded by
CHECKs as the last line of defence; the statements that move them ask first.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

from classbolt.columns import Instant, Key

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(naming_convention=NAMING)

# SQLite gives a table its own row ids only when the key is spelt INTEGER.
AccountKey = BigInteger().with_variant(Integer, "sqlite")


def account_column() -> Column[int]:
    """Make the column that every table of an account begins with, also a bolt-on's."""
    return Column(
        "account_id",
        AccountKey,
        ForeignKey(accounts.c.id),
        primary_key=True,
        autoincrement=False,
    )


def id_column() -> Column[object]:
    """Make the second half of a key: the row's own id."""
    return Column("id", Key, primary_key=True)


def refers_to(table: Table, *columns: str) -> ForeignKeyConstraint:
    """Point at a row of the same account."""
    return ForeignKeyConstraint(
        ["account_id", *columns], [table.c.account_id, *_other_keys(table)]
    )


def _other_keys(table: Table) -> list[Column[object]]:
    return [column for column in table.primary_key.columns if column.name != "account_id"]


accounts = Table(
    "accounts",
    metadata,
    Column("id", AccountKey, primary_key=True),
    Column("slug", String(40), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("created_at", Instant, nullable=False),
)

staff = Table(
    "staff",
    metadata,
    account_column(),
    id_column(),
    Column("name", String(200), nullable=False),
    Column("role", String(20), nullable=False),
    Column("created_at", Instant, nullable=False),
    CheckConstraint("role IN ('OWNER', 'MANAGER', 'STAFF')", name="role"),
)

customers = Table(
    "customers",
    metadata,
    account_column(),
    id_column(),
    Column("name", String(200), nullable=False),
    Column("email", String(254)),
    Column("created_at", Instant, nullable=False),
)
Index(None, customers.c.account_id, customers.c.name, customers.c.id)

memberships = Table(
    "memberships",
    metadata,
    account_column(),
    Column("issuer", String(200), primary_key=True),
    Column("subject", String(200), primary_key=True),
    Column("customer_id", Key),
    Column("staff_id", Key),
    Column("created_at", Instant, nullable=False),
    refers_to(customers, "customer_id"),
    refers_to(staff, "staff_id"),
    CheckConstraint("(customer_id IS NULL) <> (staff_id IS NULL)", name="one_person"),
)

tags = Table(
    "tags",
    metadata,
    account_column(),
    id_column(),
    Column("name", String(100), nullable=False),
    Column("created_at", Instant, nullable=False),
)
Index(None, tags.c.account_id, tags.c.name, unique=True)

bundles = Table(
    "bundles",
    metadata,
    account_column(),
    id_column(),
    Column("name", String(200), nullable=False),
    Column("credits", Integer, nullable=False),
    Column("validity_value", Integer, nullable=False),
    Column("validity_unit", String(10), nullable=False),
    Column("price_minor", Integer),
    Column("on_sale", Boolean, nullable=False),
    Column("archived_at", Instant),
    Column("created_at", Instant, nullable=False),
    CheckConstraint("credits >= 1", name="credits"),
    CheckConstraint("validity_value >= 1", name="validity"),
    CheckConstraint("price_minor >= 0", name="price"),
)
Index(None, bundles.c.account_id, bundles.c.name, bundles.c.id)

bundle_tags = Table(
    "bundle_tags",
    metadata,
    account_column(),
    Column("bundle_id", Key, primary_key=True),
    Column("tag_id", Key, primary_key=True),
    refers_to(bundles, "bundle_id"),
    refers_to(tags, "tag_id"),
)

courses = Table(
    "courses",
    metadata,
    account_column(),
    id_column(),
    Column("title", String(200), nullable=False),
    Column("description", Text, nullable=False),
    Column("tag_id", Key),
    Column("price_minor", Integer, nullable=False),
    Column("payment_methods", JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
    refers_to(tags, "tag_id"),
    CheckConstraint("price_minor >= 0", name="price"),
)
Index(None, courses.c.account_id, courses.c.title, courses.c.id)

sessions = Table(
    "sessions",
    metadata,
    account_column(),
    id_column(),
    Column("course_id", Key, nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("capacity", Integer, nullable=False),
    # Set only when the capacity is lowered below the bookings, and shrinks as seats are freed
    # (X21).
    Column("over_capacity", Integer, nullable=False),
    Column("seats_taken", Integer, nullable=False),
    Column("tag_id", Key),
    Column("called_off_at", Instant),
    Column("created_at", Instant, nullable=False),
    refers_to(courses, "course_id"),
    refers_to(tags, "tag_id"),
    CheckConstraint("seats_taken BETWEEN 0 AND capacity + over_capacity", name="seats"),
    CheckConstraint("capacity >= 1", name="capacity"),
    CheckConstraint("over_capacity >= 0", name="over_capacity"),
    CheckConstraint("ends_at > starts_at", name="duration"),
)
Index(None, sessions.c.account_id, sessions.c.course_id, sessions.c.starts_at, sessions.c.id)
Index(None, sessions.c.account_id, sessions.c.starts_at, sessions.c.id)

payments = Table(
    "payments",
    metadata,
    account_column(),
    id_column(),
    Column("customer_id", Key, nullable=False),
    Column("method", String(20), nullable=False),
    Column("amount_minor", Integer, nullable=False),
    Column("paid_at", Instant),
    Column("marked_by_id", Key),
    Column("created_at", Instant, nullable=False),
    refers_to(customers, "customer_id"),
    refers_to(staff, "marked_by_id"),
    CheckConstraint("amount_minor >= 0", name="amount"),
)

course_bookings = Table(
    "course_bookings",
    metadata,
    account_column(),
    id_column(),
    Column("course_id", Key, nullable=False),
    Column("customer_id", Key, nullable=False),
    Column("payment_id", Key, nullable=False),
    Column("booked_at", Instant, nullable=False),
    refers_to(courses, "course_id"),
    refers_to(customers, "customer_id"),
    refers_to(payments, "payment_id"),
)
Index(
    "uq_course_bookings_one_per_customer",
    course_bookings.c.account_id,
    course_bookings.c.course_id,
    course_bookings.c.customer_id,
    unique=True,
)

customer_bundles = Table(
    "customer_bundles",
    metadata,
    account_column(),
    id_column(),
    Column("customer_id", Key, nullable=False),
    Column("bundle_id", Key, nullable=False),
    Column("credits", Integer, nullable=False),
    Column("balance", Integer, nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    refers_to(customers, "customer_id"),
    refers_to(bundles, "bundle_id"),
    CheckConstraint("balance BETWEEN 0 AND credits", name="balance"),
    CheckConstraint("expires_at > issued_at", name="validity"),
)
Index(
    None,
    customer_bundles.c.account_id,
    customer_bundles.c.customer_id,
    customer_bundles.c.expires_at,
)

bookings = Table(
    "bookings",
    metadata,
    account_column(),
    id_column(),
    Column("session_id", Key, nullable=False),
    Column("customer_id", Key, nullable=False),
    Column("course_booking_id", Key),
    # The way it was booked: 'course', or the way of a bolt-on such as 'drop_in'.
    Column("way", String(40), nullable=False),
    # What pays for it: a payment (for a course booking the course's own) or one credit of a
    # bundle.
    Column("payment_id", Key),
    Column("customer_bundle_id", Key),
    Column("status", String(10), nullable=False),
    Column("booked_at", Instant, nullable=False),
    refers_to(sessions, "session_id"),
    refers_to(customers, "customer_id"),
    refers_to(course_bookings, "course_booking_id"),
    refers_to(payments, "payment_id"),
    refers_to(customer_bundles, "customer_bundle_id"),
    CheckConstraint("status IN ('BOOKED', 'CANCELLED')", name="status"),
    CheckConstraint(
        "(payment_id IS NULL) <> (customer_bundle_id IS NULL)", name="paid_one_way"
    ),
)
Index(
    "uq_bookings_one_active_place",
    bookings.c.account_id,
    bookings.c.session_id,
    bookings.c.customer_id,
    unique=True,
    sqlite_where=bookings.c.status == "BOOKED",
    postgresql_where=bookings.c.status == "BOOKED",
)
Index(None, bookings.c.account_id, bookings.c.customer_id, bookings.c.booked_at, bookings.c.id)
Index(None, bookings.c.account_id, bookings.c.session_id, bookings.c.booked_at, bookings.c.id)
Index(None, bookings.c.account_id, bookings.c.course_booking_id)

cancellations = Table(
    "cancellations",
    metadata,
    account_column(),
    id_column(),
    Column("booking_id", Key, nullable=False),
    Column("cancelled_at", Instant, nullable=False),
    Column("actor_kind", String(10), nullable=False),
    Column("actor_id", Key),
    Column("by_business", Boolean, nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("reason", String(60)),
    Column("reason_text", String(500)),
    Column("option", String(60)),
    Column("deadline", Instant),
    Column("decided_by", String(40)),
    Column("policy", JSON),
    Column("customer_bundle_id", Key),
    refers_to(bookings, "booking_id"),
    refers_to(customer_bundles, "customer_bundle_id"),
    CheckConstraint("outcome IN ('NONE', 'CREDIT_BACK', 'NEW_BUNDLE')", name="outcome"),
    CheckConstraint("(outcome = 'NONE') = (customer_bundle_id IS NULL)", name="gave_something"),
    CheckConstraint("(outcome = 'NONE') = (reason IS NOT NULL)", name="reason"),
)
Index(None, cancellations.c.account_id, cancellations.c.booking_id, unique=True)

credit_entries = Table(
    "credit_entries",
    metadata,
    account_column(),
    id_column(),
    Column("customer_bundle_id", Key, nullable=False),
    Column("kind", String(12), nullable=False),
    Column("amount", Integer, nullable=False),
    Column("booking_id", Key),
    Column("correlation_id", Key, nullable=False),
    Column("actor_kind", String(10), nullable=False),
    Column("actor_id", Key),
    Column("entered_at", Instant, nullable=False),
    refers_to(customer_bundles, "customer_bundle_id"),
    refers_to(bookings, "booking_id"),
    CheckConstraint(
        "(kind = 'ISSUE' AND amount >= 1)"
        " OR (kind = 'SPEND' AND amount = -1 AND booking_id IS NOT NULL)"
        " OR (kind = 'CREDIT_BACK' AND amount = 1 AND booking_id IS NOT NULL)",
        name="kind",
    ),
)
Index(
    None,
    credit_entries.c.account_id,
    credit_entries.c.customer_bundle_id,
    credit_entries.c.entered_at,
)
# A booking is paid with at most one credit, gets at most one back, and is the cause of at most
# one issue (J3, B9).
Index(
    "uq_credit_entries_once_per_booking",
    credit_entries.c.account_id,
    credit_entries.c.booking_id,
    credit_entries.c.kind,
    unique=True,
)

bolt_on_switches = Table(
    "bolt_on_switches",
    metadata,
    account_column(),
    Column("code", String(40), primary_key=True),
    Column("enabled", Boolean, nullable=False),
    Column("changed_at", Instant, nullable=False),
)

bolt_on_changes = Table(
    "bolt_on_changes",
    metadata,
    account_column(),
    id_column(),
    Column("code", String(40), nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("actor_kind", String(10), nullable=False),
    Column("actor_id", Key),
    Column("changed_at", Instant, nullable=False),
)
Index(None, bolt_on_changes.c.account_id, bolt_on_changes.c.changed_at, bolt_on_changes.c.id)
