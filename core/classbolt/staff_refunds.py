"""Refunds that staff make, and those that failed and wait for them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import exists

from classbolt import checks, customers
from classbolt.cards import find_card_payments
from classbolt.checks import mine
from classbolt.db import Tx
from classbolt.errors import NotFound, NotPaidByCard, RefundTooLarge
from classbolt.ledger import LONGEST_NOTE
from classbolt.pages import Page, PageOf, fetch_page
from classbolt.payments import find_payments
from classbolt.refunds import FAILED, REFUNDS, STAFF, NewRefund, Refund, refund_of, request
from classbolt.tables import cancellations, card_payments, refunds
from classbolt.values import Actor, PaymentId, Permission, RefundId

# Where all has gone back by other ways, or staff noted that it did, nothing is left to do.
FAILED_ONES = REFUNDS.where(
    refunds.c.state == FAILED,
    exists().where(
        mine(card_payments),
        card_payments.c.payment_id == refunds.c.payment_id,
        card_payments.c.refunded_minor + card_payments.c.refunded_elsewhere_minor
        < card_payments.c.captured_minor,
    ),
    ~exists().where(
        mine(cancellations),
        cancellations.c.id == refunds.c.cancellation_id,
        cancellations.c.refunded_at.is_not(None),
    ),
)
KEYS = (refunds.c.settled_at, refunds.c.id)


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
    if amount == 0:
        raise RefundTooLarge().at("amountMinor")
    wanted = NewRefund(payment_id, amount, STAFF, staff_id=actor.staff_id, note=note)
    try:
        return await request(tx, wanted, now=now)
    except RefundTooLarge as too_large:
        raise too_large.at("amountMinor") from None
