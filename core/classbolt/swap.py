"""Swap one session for another in a single step: cancel and book, or nothing at all.

Both sessions are locked first, in the order of their ids, then what the customer holds, so that
opposite swaps cannot deadlock. Then the cancellation and the booking run as they always do; by
default the credit that the one gives pays for the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from classbolt import holdings, sessions
from classbolt.book import place
from classbolt.booking_rules import PayWith
from classbolt.bookings import Booking
from classbolt.cancel import cancel_locked, place_of
from classbolt.cancellations import Cancellation
from classbolt.customers import hold
from classbolt.db import Tx
from classbolt.errors import AlreadyBooked, NoCreditGiven, NotBooked, TryAgain
from classbolt.facts import CREDIT
from classbolt.terms import Wish
from classbolt.values import Actor, BookingId, SessionId


@dataclass(frozen=True, slots=True)
class Swapped:
    """The booking that was given up and the one that was made."""

    cancellation: Cancellation
    booking: Booking


async def swap_booking(
    tx: Tx,
    actor: Actor,
    booking_id: BookingId,
    to_session: SessionId,
    pay_with: PayWith | None,
    *,
    expected: str | None = None,
    now: datetime,
) -> Swapped:
    """Give up a booking for a place in another session.

    Args:
        pay_with: How to pay for the new place; None: with the credit that the cancellation
            gives.
        expected: The quote of a preview of the cancellation.

    Raises:
        NotFound: The booking or the session is unknown, or not the actor's.
        NotBooked: The booking was cancelled already.
        AlreadyBooked: The booking is for that very session.
        QuoteChanged: Giving up the booking would give something else than was expected.
        Refusals: All reasons against the new place.
        Refusal: It is too late to cancel, or cancelling gives no credit and nothing else pays.
    """
    from_session, holder = await place_of(tx, actor, booking_id)
    if not await hold(tx, holder):
        raise TryAgain  # merged into another customer at this very moment
    if from_session == to_session:
        raise AlreadyBooked("The customer has a place in this very session.").at("toSession")
    locked = await sessions.lock_sessions(tx, [from_session, to_session], "toSession")
    await holdings.lock_bundles_of(tx, holder)
    given_up = await cancel_locked(
        tx, actor, booking_id, locked[from_session], wish=Wish(expected=expected), now=now
    )
    if given_up.already:
        raise NotBooked
    if pay_with is None:
        if given_up.refusal is not None:
            raise given_up.refusal
        if given_up.cancellation.customer_bundle_id is None:
            raise NoCreditGiven().at("payWith")
        pay_with = PayWith(CREDIT, given_up.cancellation.customer_bundle_id)
    target = (await sessions.find_sessions(tx, [to_session]))[to_session]
    booking = await place(tx, actor, target, holder, pay_with, is_swap=True, now=now)
    return Swapped(given_up.cancellation, booking)
