"""What was booked, paid, cancelled and credited: where seats and money are kept."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    String,
    Table,
    and_,
    false,
    text,
)

from classbolt.columns import Instant, Key
from classbolt.tables.base import account_column, id_column, metadata, refers_to
from classbolt.tables.catalogue import bundles, courses, customers, sessions, staff

# Held while it is being paid for, or booked: both take a seat.
TAKES_SEATS = text("status IN ('BOOKED', 'HELD')")

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
    Column("status", String(10), nullable=False, server_default="BOOKED"),
    Column("booked_at", Instant, nullable=False),
    refers_to(courses, "course_id"),
    refers_to(customers, "customer_id"),
    refers_to(payments, "payment_id"),
    CheckConstraint("status IN ('HELD', 'BOOKED', 'CANCELLED', 'EXPIRED')", name="status"),
)
Index(
    "uq_course_bookings_one_per_customer",
    course_bookings.c.account_id,
    course_bookings.c.course_id,
    course_bookings.c.customer_id,
    unique=True,
    sqlite_where=TAKES_SEATS,
    postgresql_where=TAKES_SEATS,
)
Index(None, course_bookings.c.account_id, course_bookings.c.customer_id)
Index(None, course_bookings.c.account_id, course_bookings.c.payment_id)

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
    Column("revoked_at", Instant),
    # The course booking that earned it, also through other credits: what a cap counts by (X11).
    Column("origin_id", Key),
    refers_to(customers, "customer_id"),
    refers_to(bundles, "bundle_id"),
    refers_to(course_bookings, "origin_id"),
    CheckConstraint("revoked_at IS NULL OR balance = 0", name="revoked"),
    CheckConstraint("balance BETWEEN 0 AND credits", name="balance"),
    CheckConstraint("expires_at > issued_at", name="validity"),
)
Index(
    None,
    customer_bundles.c.account_id,
    customer_bundles.c.customer_id,
    customer_bundles.c.expires_at,
)
Index(
    None,
    customer_bundles.c.account_id,
    customer_bundles.c.bundle_id,
    customer_bundles.c.expires_at,
    customer_bundles.c.id,
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
    # Its own course booking, or the one that earned the credit which paid.
    Column("origin_id", Key),
    Column("status", String(10), nullable=False),
    Column("booked_at", Instant, nullable=False),
    refers_to(sessions, "session_id"),
    refers_to(customers, "customer_id"),
    refers_to(course_bookings, "course_booking_id"),
    refers_to(course_bookings, "origin_id"),
    refers_to(payments, "payment_id"),
    refers_to(customer_bundles, "customer_bundle_id"),
    CheckConstraint("status IN ('HELD', 'BOOKED', 'CANCELLED', 'EXPIRED')", name="status"),
    CheckConstraint("status <> 'HELD' OR payment_id IS NOT NULL", name="held"),
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
    sqlite_where=TAKES_SEATS,
    postgresql_where=TAKES_SEATS,
)
Index(None, bookings.c.account_id, bookings.c.customer_id, bookings.c.booked_at, bookings.c.id)
Index(None, bookings.c.account_id, bookings.c.session_id, bookings.c.booked_at, bookings.c.id)
Index(None, bookings.c.account_id, bookings.c.course_booking_id)
Index(None, bookings.c.account_id, bookings.c.payment_id)
Index(None, bookings.c.account_id, bookings.c.origin_id)

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
    Column("choice", String(10), nullable=False, server_default="POLICY"),
    # Why staff chose as they did, in their words.
    Column("note", String(500)),
    Column("outcome", String(20), nullable=False),
    Column("reason", String(60)),
    Column("reason_text", String(500)),
    Column("option", String(60)),
    Column("deadline", Instant),
    Column("decided_by", String(40)),
    Column("policy", JSON),
    Column("customer_bundle_id", Key),
    # The business cancelled what was paid for, or wants the money to go back, and nothing was
    # given: staff owe a refund by hand until they say that it was made (X13, B8).
    Column("refund_due", Boolean, nullable=False, server_default=false()),
    Column("refunded_at", Instant),
    Column("refunded_by_id", Key),
    Column("refund_note", String(500)),
    refers_to(bookings, "booking_id"),
    refers_to(customer_bundles, "customer_bundle_id"),
    refers_to(staff, "refunded_by_id"),
    CheckConstraint(
        "choice IN ('POLICY', 'NONE', 'GOODWILL', 'CREDITS', 'CASH')", name="choice"
    ),
    CheckConstraint("choice <> 'GOODWILL' OR note IS NOT NULL", name="goodwill"),
    CheckConstraint(
        "outcome IN ('NONE', 'CREDIT_BACK', 'NEW_BUNDLE', 'PAID_BACK')", name="outcome"
    ),
    CheckConstraint(
        "(outcome IN ('CREDIT_BACK', 'NEW_BUNDLE')) = (customer_bundle_id IS NOT NULL)",
        name="gave_something",
    ),
    CheckConstraint("(outcome = 'NONE') = (reason IS NOT NULL)", name="reason"),
)
Index(None, cancellations.c.account_id, cancellations.c.booking_id, unique=True)
Index(None, cancellations.c.account_id, cancellations.c.cancelled_at, cancellations.c.id)
IS_DUE = and_(cancellations.c.refund_due, cancellations.c.refunded_at.is_(None))
# With one column more than the index before it, or SQLite would take either of them.
Index(
    "ix_cancellations_refund_due",
    cancellations.c.account_id,
    cancellations.c.refund_due,
    cancellations.c.cancelled_at,
    cancellations.c.id,
    sqlite_where=IS_DUE,
    postgresql_where=IS_DUE,
)

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
    Column("note", String(500)),
    Column("entered_at", Instant, nullable=False),
    refers_to(customer_bundles, "customer_bundle_id"),
    refers_to(bookings, "booking_id"),
    CheckConstraint(
        "(kind = 'ISSUE' AND amount >= 1)"
        " OR (kind = 'SPEND' AND amount = -1 AND booking_id IS NOT NULL)"
        " OR (kind = 'CREDIT_BACK' AND amount = 1 AND booking_id IS NOT NULL)"
        " OR (kind = 'REVOKE' AND amount <= -1 AND booking_id IS NULL)",
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
