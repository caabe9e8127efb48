"""Cancel a whole course booking: staff do it, with one outcome for all its places (G4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from classbolt import checks, sessions
from classbolt.bookings import (
    EXPIRED,
    HELD,
    CourseBooking,
    end_course_booking,
    find_course_bookings,
)
from classbolt.cancel import LONGEST_NOTE
from classbolt.cancellations import Cancellation
from classbolt.db import Tx
from classbolt.errors import NotBooked, NotFound, PlaceHeld
from classbolt.release import lock_for_release, release
from classbolt.terms import PLACES_OF_COURSE_BOOKING, Wish, facts_of, terms_of
from classbolt.values import Actor, CourseBookingId, Permission


@dataclass(frozen=True, slots=True)
class CourseCancelled:
    """What became of a request to cancel a course booking.

    Attributes:
        cancellations: How the places that were still to come ended.
        already: Whether it had been cancelled before, so that this request changed nothing.
    """

    course_booking: CourseBooking
    cancellations: list[Cancellation]
    already: bool


async def cancel_course_booking(
    tx: Tx,
    actor: Actor,
    course_booking_id: CourseBookingId,
    *,
    wish: Wish,
    now: datetime,
) -> CourseCancelled:
    """Cancel a course booking and all its places that are still to come.

    Places in sessions that have started stay as they are. Cancelling it again changes nothing.

    Args:
        wish: NONE; CREDITS with the bundle of which a copy is issued for each place; or CASH
            for the places' parts of what a card paid.

    Raises:
        Forbidden: The actor does not serve customers.
        NotFound: The course booking or the bundle is unknown.
        PlaceHeld: It is being paid for.
        NotBooked: Nothing came of it.
        InvalidInput: The bundle is archived, or the note cannot be stored.
    """
    actor.require(Permission.SERVE_CUSTOMERS)
    found = await find_course_bookings(tx, [course_booking_id])
    if course_booking_id not in found:
        raise NotFound().at("courseBooking")
    if wish.note is not None:
        checks.text(wish.note, "reason", most=LONGEST_NOTE)
    locked = await sessions.lock_sessions_of(tx, found[course_booking_id].course_id)
    coming = {each.id: each for each in locked if each.starts_at > now}
    rows = await tx.all(PLACES_OF_COURSE_BOOKING, {"course_booking_id": course_booking_id})
    facts = await facts_of(
        tx, [row for row in rows if row.session_id in coming], coming, now=now
    )
    await lock_for_release(tx, facts)
    if not await end_course_booking(tx, course_booking_id):
        found = await find_course_bookings(tx, [course_booking_id])
        if found[course_booking_id].status == HELD:
            raise PlaceHeld().at("courseBooking")
        if found[course_booking_id].status == EXPIRED:
            raise NotBooked().at("courseBooking")
        return CourseCancelled(found[course_booking_id], [], already=True)
    terms = await terms_of(tx, facts, wish, now=now)
    ended = await release(tx, actor, facts, terms, wish, now=now)
    after = await find_course_bookings(tx, [course_booking_id])
    return CourseCancelled(after[course_booking_id], ended, already=False)
