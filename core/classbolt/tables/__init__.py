"""Core's tables and the constraints that must hold whatever the code above them does.

Every table but `accounts` belongs to an account: `account_id` comes first in its primary key,
its unique constraints, its indexes and its foreign keys. A row can therefore not point into
another account, and the database can be spread by account. (A few indexes begin otherwise:
workers look for what is due, and what is old, in all accounts, and Stripe names a payment
without its account.) Seats and credits are guarded
by CHECKs as the last line of defence; the statements that move them ask first.
"""

from classbolt.tables.asked import idempotency_keys
from classbolt.tables.base import (
    NAMING,
    AccountKey,
    account_column,
    accounts,
    id_column,
    metadata,
    refers_to,
)
from classbolt.tables.booked import (
    bookings,
    cancellations,
    course_bookings,
    credit_entries,
    customer_bundles,
    payments,
)
from classbolt.tables.catalogue import (
    bolt_on_changes,
    bolt_on_switches,
    bundle_tags,
    bundles,
    courses,
    customers,
    memberships,
    sessions,
    staff,
    tags,
)
from classbolt.tables.charged import (
    card_payments,
    disputes,
    purchases,
    refunds,
    stripe_events,
    stripe_links,
)
from classbolt.tables.promised import jobs, schedules

__all__ = [
    "NAMING",
    "AccountKey",
    "account_column",
    "accounts",
    "bolt_on_changes",
    "bolt_on_switches",
    "bookings",
    "bundle_tags",
    "bundles",
    "cancellations",
    "card_payments",
    "course_bookings",
    "courses",
    "credit_entries",
    "customer_bundles",
    "customers",
    "disputes",
    "id_column",
    "idempotency_keys",
    "jobs",
    "memberships",
    "metadata",
    "payments",
    "purchases",
    "refers_to",
    "refunds",
    "schedules",
    "sessions",
    "staff",
    "stripe_events",
    "stripe_links",
    "tags",
]
