"""What goes through Stripe: whose account there, what was asked of a card, what went back.

Nothing here is a secret in the clear, and nothing names a card or a person.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Integer, String, Table, Text

from classbolt.columns import Instant, Key
from classbolt.tables.base import account_column, id_column, metadata, refers_to
from classbolt.tables.booked import cancellations, customer_bundles, payments
from classbolt.tables.catalogue import bundles, customers, staff

# An account has at most one link that is in force. Those before it stay: what was paid through
# them can still be looked up and refunded.
stripe_links = Table(
    "stripe_links",
    metadata,
    account_column(),
    id_column(),
    # OWN is the Stripe account of the installation's own key, CONNECTED one that the
    # installation's platform acts for, KEY one that the business gave a restricted key of.
    Column("kind", String(10), nullable=False),
    Column("stripe_account", String(64)),
    Column("publishable_key", String(255)),
    Column("sealed_key", Text),
    Column("sealed_webhook_secret", Text),
    Column("hold_minutes", Integer, nullable=False, server_default="15"),
    Column("linked_at", Instant, nullable=False),
    Column("unlinked_at", Instant),
    CheckConstraint("kind IN ('OWN', 'CONNECTED', 'KEY')", name="kind"),
    CheckConstraint("(kind = 'CONNECTED') = (stripe_account IS NOT NULL)", name="connected"),
    CheckConstraint(
        "(kind = 'KEY') = (publishable_key IS NOT NULL)"
        " AND (kind = 'KEY') = (sealed_key IS NOT NULL)",
        name="has_key",
    ),
    CheckConstraint("hold_minutes BETWEEN 5 AND 120", name="hold_minutes"),
)
Index(
    "uq_stripe_links_one_in_force",
    stripe_links.c.account_id,
    unique=True,
    sqlite_where=stripe_links.c.unlinked_at.is_(None),
    postgresql_where=stripe_links.c.unlinked_at.is_(None),
)

# Bundles that customers buy. By card a copy is issued once it is paid.
purchases = Table(
    "purchases",
    metadata,
    account_column(),
    id_column(),
    Column("customer_id", Key, nullable=False),
    Column("bundle_id", Key, nullable=False),
    Column("payment_id", Key, nullable=False),
    Column("status", String(10), nullable=False),
    Column("customer_bundle_id", Key),
    Column("bought_at", Instant, nullable=False),
    refers_to(customers, "customer_id"),
    refers_to(bundles, "bundle_id"),
    refers_to(payments, "payment_id"),
    refers_to(customer_bundles, "customer_bundle_id"),
    CheckConstraint("status IN ('PENDING', 'ISSUED', 'EXPIRED')", name="status"),
    CheckConstraint("(status = 'ISSUED') = (customer_bundle_id IS NOT NULL)", name="issued"),
)
Index(None, purchases.c.account_id, purchases.c.payment_id, unique=True)
Index(None, purchases.c.account_id, purchases.c.customer_bundle_id, unique=True)
Index(None, purchases.c.account_id, purchases.c.customer_id)

card_payments = Table(
    "card_payments",
    metadata,
    account_column(),
    Column("payment_id", Key, primary_key=True),
    Column("link_id", Key, nullable=False),
    # PENDING holds seats; PAID has them; EXPIRED gave them back; RETURNED was paid too late,
    # so that the money goes back.
    Column("state", String(10), nullable=False),
    Column("hold_until", Instant, nullable=False),
    # Why no place came of it. Only what ran out of time may still become PAID.
    Column("ended_because", String(20)),
    # The PaymentIntent; null until Stripe has told us of it.
    Column("intent_id", String(255)),
    Column("captured_minor", Integer, nullable=False, server_default="0"),
    # What goes back of it by our doing, also what is only promised, and what somebody gave back
    # elsewhere, such as in Stripe's dashboard.
    Column("refunded_minor", Integer, nullable=False, server_default="0"),
    Column("refunded_elsewhere_minor", Integer, nullable=False, server_default="0"),
    refers_to(payments, "payment_id"),
    refers_to(stripe_links, "link_id"),
    CheckConstraint("state IN ('PENDING', 'PAID', 'EXPIRED', 'RETURNED')", name="state"),
    CheckConstraint(
        "(state IN ('EXPIRED', 'RETURNED')) = (ended_because IS NOT NULL)", name="ended"
    ),
    CheckConstraint("(state IN ('PAID', 'RETURNED')) = (captured_minor > 0)", name="captured"),
    CheckConstraint("refunded_minor BETWEEN 0 AND captured_minor", name="refunded"),
    CheckConstraint("refunded_elsewhere_minor >= 0", name="refunded_elsewhere"),
)
Index(
    "uq_card_payments_intent",
    card_payments.c.account_id,
    card_payments.c.intent_id,
    unique=True,
)
# A webhook says which PaymentIntent it is about, and not whose.
Index("ix_card_payments_intent_of_all", card_payments.c.intent_id)
Index(
    "ix_card_payments_pending",
    card_payments.c.account_id,
    card_payments.c.hold_until,
    sqlite_where=card_payments.c.state == "PENDING",
    postgresql_where=card_payments.c.state == "PENDING",
)

refunds = Table(
    "refunds",
    metadata,
    account_column(),
    id_column(),
    Column("payment_id", Key, nullable=False),
    Column("amount_minor", Integer, nullable=False),
    # LATE: it was paid when no seat was left. CANCELLATION: cancelling a place gave it back.
    # STAFF: somebody of the business said so. ELSEWHERE: somebody made it without us.
    Column("cause", String(20), nullable=False),
    # REQUESTED until Stripe has it, SUBMITTED until it says how it ended.
    Column("state", String(10), nullable=False),
    Column("cancellation_id", Key),
    Column("staff_id", Key),
    Column("note", String(500)),
    Column("stripe_refund_id", String(255)),
    Column("failure", String(60)),
    Column("requested_at", Instant, nullable=False),
    Column("settled_at", Instant),
    # It has failed, and staff say that they gave the money back in another way. What a
    # cancellation gave is noted there: it is said in one place, so that nobody pays it twice.
    Column("refunded_at", Instant),
    Column("refunded_by_id", Key),
    Column("refund_note", String(500)),
    refers_to(card_payments, "payment_id"),
    refers_to(cancellations, "cancellation_id"),
    refers_to(staff, "staff_id"),
    refers_to(staff, "refunded_by_id"),
    CheckConstraint("amount_minor >= 1", name="amount"),
    CheckConstraint("cause IN ('LATE', 'CANCELLATION', 'STAFF', 'ELSEWHERE')", name="cause"),
    CheckConstraint(
        "(cause = 'CANCELLATION') = (cancellation_id IS NOT NULL)", name="cancellation"
    ),
    CheckConstraint("(cause = 'STAFF') = (staff_id IS NOT NULL)", name="staff"),
    CheckConstraint("state IN ('REQUESTED', 'SUBMITTED', 'SUCCEEDED', 'FAILED')", name="state"),
    CheckConstraint(
        "(state IN ('SUCCEEDED', 'FAILED')) = (settled_at IS NOT NULL)", name="settled"
    ),
    CheckConstraint("(state = 'FAILED') = (failure IS NOT NULL)", name="failure"),
    CheckConstraint(
        "state IN ('REQUESTED', 'FAILED') OR stripe_refund_id IS NOT NULL", name="submitted"
    ),
    CheckConstraint(
        "refunded_at IS NULL OR (state = 'FAILED' AND cancellation_id IS NULL)",
        name="refunded",
    ),
)
Index(None, refunds.c.account_id, refunds.c.payment_id)
Index(None, refunds.c.account_id, refunds.c.stripe_refund_id, unique=True)
Index(None, refunds.c.account_id, refunds.c.cancellation_id, unique=True)
Index(
    "ix_refunds_failed",
    refunds.c.account_id,
    refunds.c.settled_at,
    refunds.c.id,
    sqlite_where=refunds.c.state == "FAILED",
    postgresql_where=refunds.c.state == "FAILED",
)

# A customer's bank wants the money back. Stripe decides; the business sees to the credits.
disputes = Table(
    "disputes",
    metadata,
    account_column(),
    id_column(),
    Column("payment_id", Key, nullable=False),
    Column("stripe_dispute_id", String(255), nullable=False),
    Column("amount_minor", Integer, nullable=False),
    Column("reason", String(60), nullable=False),
    Column("status", String(40), nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("closed_at", Instant),
    refers_to(card_payments, "payment_id"),
)
Index(None, disputes.c.account_id, disputes.c.stripe_dispute_id, unique=True)
Index(None, disputes.c.account_id, disputes.c.payment_id)
Index(None, disputes.c.account_id, disputes.c.opened_at, disputes.c.id)

# What Stripe told us of and we acted on. It tells the same more than once.
stripe_events = Table(
    "stripe_events",
    metadata,
    account_column(),
    Column("event_id", String(255), primary_key=True),
    Column("received_at", Instant, nullable=False),
)
Index("ix_stripe_events_old", stripe_events.c.received_at)
