"""Refunds that staff make, and those that failed and wait for them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, exists, update

from classbolt import cancellations, checks, customers
from classbolt.cards import find_card_payments
from classbolt.checks import mine
from classbolt.db import Tx
from classbolt.disputes import GONE_MINOR
from classbolt.errors import NotFound, NotPaidByCard, RefundTooLarge
from classbolt.ledger import LONGEST_NOTE
from classbolt.pages import Page, PageOf, fetch_page
from classbolt.payments import find_payments
from classbolt.refunds import (
    FAILED,
    REFUNDED_AT,
    REFUNDS,
    STAFF,
    NewRefund,
    Refund,
    find_refund,
    refund_of,
    request,
)
from classbolt.tables import card_payments, refunds
from classbolt.values import Actor, PaymentId, Permission, RefundId

# Where all has gone in other ways, or staff noted that it did, nothing is left to do.
FAILED_ONES = REFUNDS.where(
    refunds.c.state == FAILED,
    REFUNDED_AT.is_(None),
    exists().where(
        mine(card_payments),
        card_payments.c.payment_id == refunds.c.payment_id,
        card_payments.c.captured_minor > GONE_MINOR,
    ),
)
KEYS = (refunds.c.settled_at, refunds.c.id)
# What has failed stays so: nobody else moves the row any more.
MARK_REFUNDED = (
    update(refunds)
    .where(
        mine(refunds),
        refunds.c.id == bindparam("refund"),
        refunds.c.state == FAILED,
        refunds.c.refunded_at.is_(None),
    )
    .values(
        refunded_at=bindparam("now"),
        refunded_by_id=bindparam("staff"),
        refund_note=bindparam("how"),
    )
)


async def list_failed_refunds(tx: Tx, actor: Actor, page: Page) -> PageOf[Refund]:
    """List the refunds that did not reach their card, the latest first.

    Raises:
        Forbidden: The actor does not serve customers.
    """
    actor.require(Permission.SERVE_CUSTOMERS)
    found = await fetch_page(tx, FAILED_ONES, KEYS, page, descending=True)
    return found.map(lambda row: refund_of(tx, row))


async def refund_payment(
    tx: Tx,
    actor: Actor,
    payment_id: PaymentId,
    amount_minor: int | None,
    *,
    note: str | None,
    now: datetime,
) -> RefundId:
    """Give money back to a card; what it paid for stays as it is.

    Args:
        amount_minor: How much; None for all that is left.
        note: Why, in the words of staff.

    Raises:
        Forbidden: The actor does not serve customers.
        NotFound: The payment is unknown.
        NotPaidByCard: No card has paid it.
        RefundTooLarge: There is not as much left of it.
        InvalidInput: The amount is nothing, or the note cannot be stored.
    """
    actor.require(Permission.SERVE_CUSTOMERS)
    if note is not None:
        note = checks.text(note, "note", most=LONGEST_NOTE)
    paid = (await find_payments(tx, [payment_id])).get(payment_id)
    if paid is None:
        raise NotFound().at("payment")
    if not await customers.hold(tx, paid.customer_id):
        note = None  # of who was erased nothing is written any more
    card = (await find_card_payments(tx, [payment_id])).get(payment_id)
    if card is None or card.captured_minor == 0:
        raise NotPaidByCard().at("payment")
    amount = card.refundable_minor if amount_minor is None else amount_minor
    if amount_minor is not None:
        checks.number(amount_minor, "amountMinor", least=1, most=checks.MOST_MINOR)
    if not 0 < amount <= card.refundable_minor:
        raise RefundTooLarge().at("amountMinor")
    wanted = NewRefund(payment_id, amount, STAFF, staff_id=actor.staff_id, note=note)
    try:
        return await request(tx, wanted, now=now)
    except RefundTooLarge as too_large:
        raise too_large.at("amountMinor") from None


async def mark_refunded(
    tx: Tx, actor: Actor, refund_id: RefundId, *, note: str | None, now: datetime
) -> Refund:
    """Note that staff gave back in another way what did not reach its card.

    What a cancellation gave is noted there, as if its booking had been named. Noting it again
    changes nothing.

    Raises:
        Forbidden: The actor does not serve customers.
        NotFound: No refund of this id has failed.
        InvalidInput: The note cannot be stored.
    """
    actor.require(Permission.SERVE_CUSTOMERS)
    if note is not None:
        note = checks.text(note, "note", most=LONGEST_NOTE)
    failed = await find_refund(tx, refund_id)
    if failed is None or failed.state != FAILED:
        raise NotFound().at("refund")
    paid = (await find_payments(tx, [failed.payment_id]))[failed.payment_id]
    if not await customers.hold(tx, paid.customer_id):
        note = None  # of who was erased nothing is written any more
    if failed.booking_id is None:
        by = {"refund": refund_id, "now": now, "staff": actor.staff_id, "how": note}
        await tx.execute(MARK_REFUNDED, by)
    else:
        await cancellations.mark_refunded(tx, actor, failed.booking_id, note=note, now=now)
    marked = await find_refund(tx, refund_id)
    assert marked is not None
    return marked
