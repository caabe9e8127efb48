"""Cancel one booking, and say beforehand what that gives back.

A customer may always cancel a session that has not started; notice only decides what comes
back. The session is locked first. Whoever comes second is told of the first cancellation and
moves neither seat nor credit (B9, X10).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select

from classbolt import checks, sessions
from classbolt.bookings import BOOKED, EXPIRED, HELD
from classbolt.cancellations import Cancellation, find_cancellations
from classbolt.checks import mine
from classbolt.db import Tx
from classbolt.errors import (
    Forbidden,
    InvalidInput,
    NotBooked,
    NotFound,
    PlaceHeld,
    Refusal,
    SessionStarted,
)
from classbolt.facts import BookingFacts, SessionFacts, Terms
from classbolt.quotes import hold_to
from classbolt.release import lock_for_release, release
from classbolt.tables import bookings
from classbolt.terms import BY_THE_RULES, PLACE, Choice, Wish, facts_of, terms_of
from classbolt.values import Actor, BookingId, CustomerId, Permission, SessionId

LONGEST_NOTE = 500
STAFF_MAY_LOOK_BACK = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Preview:
    """What cancelling would give back, and to whom."""

    booking_id: BookingId
    customer_id: CustomerId
    session: SessionFacts
    terms: Terms


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What became of a request to cancel.

    Attributes:
        already: Whether it had been cancelled before, so that this request changed nothing.
        refusal: Why this request gave nothing back, if it did not.
    """

    cancellation: Cancellation
    already: bool
    refusal: Refusal | None = None


PLACE_OF = select(bookings.c.session_id, bookings.c.customer_id).where(
    mine(bookings), bookings.c.id == bindparam("booking_id")
)


async def cancellation_preview(
    tx: Tx,
    actor: Actor,
    booking_id: BookingId,
    *,
    now: datetime,
) -> Preview:
    """Say what cancelling at this moment would give back, by the rules that cancelling uses.

    Raises:
        NotFound: The booking is unknown, or not for the actor to see.
        NotBooked: It was cancelled already, or never came to be.
        PlaceHeld: It is being paid for.
        SessionStarted: It is too late to cancel at all.
    """
    session_id, customer_id = await place_of(tx, actor, booking_id)
    session = (await sessions.find_sessions(tx, [session_id]))[session_id]
    facts = await _facts(tx, booking_id, session, BY_THE_RULES, now)
    if facts is None:
        raise NotBooked
    _require_time_to_cancel(session, actor, now)
    (terms,) = await terms_of(tx, [facts], BY_THE_RULES, now=now)
    return Preview(booking_id, customer_id, session, terms)


async def cancel_booking(
    tx: Tx,
    actor: Actor,
    booking_id: BookingId,
    *,
    wish: Wish = BY_THE_RULES,
    now: datetime,
) -> Cancelled:
    """Cancel one booking. Cancelling it again gives the first cancellation once more.

    Raises:
        NotFound: The booking or the bundle is unknown, or not the actor's to cancel.
        NotBooked: It never came to be a place.
        PlaceHeld: It is being paid for.
        Forbidden: A customer wants to choose the refund.
        InvalidInput: Goodwill without a reason, or a bundle without goodwill.
        SessionStarted: It is too late.
        QuoteChanged: It would give something else than was expected.
        Refusal: Goodwill was wanted, without a bundle where the rules name none.
    """
    session_id, _ = await place_of(tx, actor, booking_id)
    _require_right_to_wish(actor, wish)
    locked = await sessions.lock_sessions(tx, [session_id])
    return await cancel_locked(tx, actor, booking_id, locked[session_id], wish=wish, now=now)


async def cancel_locked(
    tx: Tx,
    actor: Actor,
    booking_id: BookingId,
    session: SessionFacts,
    *,
    wish: Wish,
    now: datetime,
) -> Cancelled:
    """Cancel a booking whose session is locked already.

    Raises:
        SessionStarted: It is too late.
        QuoteChanged: It would give something else than was expected.
        Refusal: Goodwill was wanted, without a bundle where the rules name none.
    """
    facts = await _facts(tx, booking_id, session, wish, now)
    if facts is None:
        return Cancelled((await find_cancellations(tx, [booking_id]))[booking_id], already=True)
    _require_time_to_cancel(session, actor, now)
    await lock_for_release(tx, [facts])
    terms = await terms_of(tx, [facts], wish, now=now)
    if wish.expected is not None:
        hold_to(wish.expected, terms[0])
    (cancellation,) = await release(tx, actor, [facts], terms, wish, now=now)
    return Cancelled(cancellation, already=False, refusal=terms[0].refusal)


async def place_of(tx: Tx, actor: Actor, booking_id: BookingId) -> tuple[SessionId, CustomerId]:
    """Find the session that a booking of the actor's is for, and who holds it.

    Raises:
        NotFound: The booking is unknown, or not for the actor to see.
    """
    row = await tx.one(PLACE_OF, {"booking_id": booking_id})
    if row is None or not actor.sees(row.customer_id):
        raise NotFound().at("booking")
    return SessionId(row.session_id), CustomerId(row.customer_id)


async def _facts(
    tx: Tx, booking_id: BookingId, session: SessionFacts, wish: Wish, now: datetime
) -> BookingFacts | None:
    """Gather what the rules need to know of a booking; None if it was cancelled.

    Raises:
        PlaceHeld: It is being paid for.
        NotBooked: Nothing came of it.
    """
    rows = await tx.all(PLACE, {"booking_id": booking_id})
    if any(row.status == HELD for row in rows):
        raise PlaceHeld().at("booking")
    if any(row.status == EXPIRED for row in rows):
        raise NotBooked().at("booking")
    active = [row for row in rows if row.status == BOOKED]
    is_goodwill = wish.choice is Choice.GOODWILL
    found = await facts_of(tx, active, {session.id: session}, now=now, is_goodwill=is_goodwill)
    return next(iter(found), None)


def _require_right_to_wish(actor: Actor, wish: Wish) -> None:
    """Refuse a customer who wants to choose the refund, and goodwill without a reason (B6)."""
    if wish.choice is not Choice.POLICY and not actor.may(Permission.SERVE_CUSTOMERS):
        raise Forbidden
    if wish.choice is not Choice.GOODWILL:
        if wish.bundle_id is not None:
            raise InvalidInput("A bundle can be named for GOODWILL only.", "bundle")
    elif wish.note is None:
        raise InvalidInput("Goodwill needs a reason.", "reason")
    if wish.note is not None:
        checks.text(wish.note, "reason", most=LONGEST_NOTE)


def _require_time_to_cancel(session: SessionFacts, actor: Actor, now: datetime) -> None:
    """Refuse a customer once the session has started, and staff a month later (X6)."""
    latest = session.starts_at + (STAFF_MAY_LOOK_BACK if actor.is_staff else timedelta())
    if now >= latest:
        raise SessionStarted
