"""Disputes: a bank wants the money of a payment back, after credits were given for it.

Stripe and the bank decide about the money. What is left to the business is what the payment
has earned meanwhile: credits that nobody has spent can be taken away again; what was spent is
shown, and stays (X27). The same holds for what somebody gave back in Stripe's dashboard.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BindParameter, Boolean, bindparam, func, or_, select, union, update

from classbolt import holdings
from classbolt.checks import mine
from classbolt.columns import AnyRow
from classbolt.db import Tx
from classbolt.facts import HeldBundle
from classbolt.pages import Page, PageOf, fetch_page
from classbolt.stripe_facts import TAKEN, StripeDispute
from classbolt.tables import (
    bookings,
    cancellations,
    card_payments,
    course_bookings,
    customer_bundles,
    disputes,
    purchases,
)
from classbolt.values import (
    Actor,
    CustomerBundleId,
    DisputeId,
    Money,
    PaymentId,
    Permission,
    new_id,
)

LONGEST_REASON: Final = 60
LONGEST_STATUS: Final = 40


@dataclass(frozen=True, slots=True)
class Dispute:
    """A dispute about a payment.

    Attributes:
        reason: What the bank says, in Stripe's word.
        status: How it stands, in Stripe's word.
        closed_at: When we heard that it was decided; None while it goes on.
    """

    id: DisputeId
    payment_id: PaymentId
    amount: Money
    reason: str
    status: str
    opened_at: datetime
    closed_at: datetime | None


DISPUTES = select(
    disputes.c.id,
    disputes.c.payment_id,
    disputes.c.amount_minor,
    disputes.c.reason,
    disputes.c.status,
    disputes.c.opened_at,
    disputes.c.closed_at,
).where(mine(disputes))
BY_PAYMENT = DISPUTES.where(
    disputes.c.payment_id.in_(bindparam("payments", expanding=True))
).order_by(disputes.c.opened_at, disputes.c.id)
KEYS = (disputes.c.opened_at, disputes.c.id)
# What was read before a decision and is written after it must not take it back.
MOVE = (
    update(disputes)
    .where(
        mine(disputes),
        disputes.c.stripe_dispute_id == bindparam("at_stripe"),
        or_(disputes.c.closed_at.is_(None), bindparam("follows_decision", type_=Boolean)),
    )
    .values(
        status=bindparam("now_is"),
        amount_minor=bindparam("amount"),
        closed_at=bindparam("closed"),
    )
)
AS_STRIPE_CALLS_THEM = select(disputes.c.stripe_dispute_id, disputes.c.status).where(
    mine(disputes), disputes.c.stripe_dispute_id.in_(bindparam("names", expanding=True))
)
# What banks took of a payment by card, to be read along with it.
LOST_MINOR = (
    select(func.coalesce(func.sum(disputes.c.amount_minor), 0))
    .where(
        mine(disputes),
        disputes.c.payment_id == card_payments.c.payment_id,
        disputes.c.status.in_(TAKEN),
    )
    .correlate(card_payments)
    .scalar_subquery()
)
# What is not there any more of a payment by card, or is promised to go back.
GONE_MINOR = (
    card_payments.c.refunded_minor + card_payments.c.refunded_elsewhere_minor + LOST_MINOR
)
STILL_OPEN = (
    select(disputes.c.payment_id)
    .where(mine(disputes), disputes.c.closed_at.is_(None))
    .distinct()
)
PAYMENTS: BindParameter[Any] = bindparam("payments", expanding=True)
# Through the course that was paid for, also where one credit led to another; through a place
# that was paid for by itself; and what was bought.
GIVEN = union(
    select(course_bookings.c.payment_id, customer_bundles.c.id)
    .join(
        customer_bundles,
        (customer_bundles.c.account_id == course_bookings.c.account_id)
        & (customer_bundles.c.origin_id == course_bookings.c.id),
    )
    .where(mine(course_bookings), course_bookings.c.payment_id.in_(PAYMENTS)),
    select(bookings.c.payment_id, cancellations.c.customer_bundle_id)
    .join(
        cancellations,
        (cancellations.c.account_id == bookings.c.account_id)
        & (cancellations.c.booking_id == bookings.c.id),
    )
    .where(
        mine(bookings),
        bookings.c.payment_id.in_(PAYMENTS),
        cancellations.c.customer_bundle_id.is_not(None),
    ),
    select(purchases.c.payment_id, purchases.c.customer_bundle_id).where(
        mine(purchases),
        purchases.c.payment_id.in_(PAYMENTS),
        purchases.c.customer_bundle_id.is_not(None),
    ),
)


async def note_all(
    tx: Tx, payment_id: PaymentId, seen: Sequence[StripeDispute], *, now: datetime
) -> None:
    """Note the disputes that Stripe knows about a payment."""
    for each in seen:
        told = {
            "status": each.status[:LONGEST_STATUS],
            "amount_minor": each.amount_minor,
            "closed_at": now if each.is_closed else None,
        }
        row = {
            "id": new_id(),
            "payment_id": payment_id,
            "stripe_dispute_id": each.id,
            "reason": each.reason[:LONGEST_REASON],
            "opened_at": now,
            **told,
        }
        if not await tx.insert_new(disputes, row):
            moved = {
                "at_stripe": each.id,
                "now_is": told["status"],
                "amount": each.amount_minor,
                "closed": told["closed_at"],
                "follows_decision": each.follows_decision,
            }
            await tx.execute(MOVE, moved)


async def only_news(tx: Tx, seen: Sequence[StripeDispute]) -> list[StripeDispute]:
    """Pick those of which our rows do not say what Stripe says."""
    rows = await tx.all(AS_STRIPE_CALLS_THEM, {"names": [each.id for each in seen]})
    known = {row.stripe_dispute_id: row.status for row in rows}
    return [each for each in seen if known.get(each.id) != each.status[:LONGEST_STATUS]]


async def still_open(tx: Tx) -> list[PaymentId]:
    """Find the payments about which a bank has yet to decide, however long it takes."""
    return [PaymentId(row.payment_id) for row in await tx.all(STILL_OPEN)]


async def list_disputes(tx: Tx, actor: Actor, page: Page) -> PageOf[Dispute]:
    """List the disputes, the latest first.

    Raises:
        Forbidden: The actor does not serve customers.
    """
    actor.require(Permission.SERVE_CUSTOMERS)
    found = await fetch_page(tx, DISPUTES, KEYS, page, descending=True)
    return found.map(lambda row: _dispute(tx, row))


async def disputes_of(
    tx: Tx, payment_ids: Collection[PaymentId]
) -> Mapping[PaymentId, list[Dispute]]:
    """List the disputes about payments."""
    found: dict[PaymentId, list[Dispute]] = {each: [] for each in payment_ids}
    for row in await tx.all(BY_PAYMENT, {"payments": list(found)}):
        found[row.payment_id].append(_dispute(tx, row))
    return found


async def credits_given(
    tx: Tx, payment_ids: Collection[PaymentId]
) -> Mapping[PaymentId, list[HeldBundle]]:
    """Find the bundles that customers hold because of payments, also empty ones."""
    ids: dict[PaymentId, list[CustomerBundleId]] = defaultdict(list)
    for row in await tx.all(GIVEN, {"payments": list(payment_ids)}):
        ids[PaymentId(row[0])].append(CustomerBundleId(row[1]))
    held = await holdings.find_held(tx, {each for some in ids.values() for each in some})
    return {
        key: sorted(
            (held[each] for each in ids[key]), key=lambda each: (each.issued_at, each.id)
        )
        for key in payment_ids
    }


def _dispute(tx: Tx, row: AnyRow) -> Dispute:
    return Dispute(
        id=row.id,
        payment_id=row.payment_id,
        amount=Money(row.amount_minor, tx.account.currency),
        reason=row.reason,
        status=row.status,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
    )
