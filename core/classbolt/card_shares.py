"""What part of a card's payment each place has: what cancelling it can give back in money.

A course is paid for as a whole. Its price is split over all its places so that the parts add up
to it: each gets the same, and the first ones a minor unit more where it does not divide. A part
stays what it is, whatever becomes of the other places; but no more goes back than is left.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select

from classbolt.cards import find_card_payments
from classbolt.checks import mine
from classbolt.db import Tx
from classbolt.tables import bookings
from classbolt.values import BookingId, PaymentId

PLACES = (
    select(bookings.c.id, bookings.c.payment_id)
    .where(mine(bookings), bookings.c.payment_id.in_(bindparam("payments", expanding=True)))
    .order_by(bookings.c.id)
)


@dataclass(frozen=True, slots=True)
class Share:
    """A place's part of what a card paid.

    Attributes:
        left_minor: How much of it can still go back, together with the other places' parts.
        is_refunded: Whether nothing is left of the whole payment.
    """

    left_minor: int
    is_refunded: bool


def part_of(amount_minor: int, number: int, position: int) -> int:
    """Say what part of an amount one of several places has.

    Args:
        number: How many places there are.
        position: Which one it is, from 0.
    """
    each, over = divmod(amount_minor, number)
    return each + (1 if position < over else 0)


async def card_shares(
    tx: Tx, wanted: Sequence[tuple[PaymentId, BookingId]]
) -> dict[BookingId, Share]:
    """Say what each of these places can get back of the card's payment for it, together."""
    if not wanted:
        return {}
    payment_ids = list({payment_id for payment_id, _ in wanted})
    cards = await find_card_payments(tx, payment_ids)
    places: dict[PaymentId, list[BookingId]] = defaultdict(list)
    for row in await tx.all(PLACES, {"payments": payment_ids}):
        places[row.payment_id].append(row.id)
    left = {key: each.refundable_minor for key, each in cards.items()}
    shares: dict[BookingId, Share] = {}
    for payment_id, booking_id in wanted:
        card, of_all = cards[payment_id], places[payment_id]
        part = part_of(card.amount.amount_minor, len(of_all), of_all.index(booking_id))
        part = min(part, left[payment_id])
        left[payment_id] -= part
        is_refunded = card.captured_minor > 0 and card.refundable_minor == 0
        shares[booking_id] = Share(part, is_refunded)
    return shares
