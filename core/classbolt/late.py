"""What is paid for too late: whether its places can still be had, by everybody's rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from classbolt.booking_rules import against_session
from classbolt.bookings import (
    Booking,
    course_booking_of,
    find_course_bookings,
    places_of,
)
from classbolt.db import Tx
from classbolt.facts import BookingDraft, SessionFacts, WayToBook
from classbolt.values import Actor, Money, SessionId


async def can_be_booked_again(
    tx: Tx,
    places: Sequence[Booking],
    by_id: Mapping[SessionId, SessionFacts],
    price: Money,
    *,
    now: datetime,
) -> bool:
    """Say whether all places that were given up could be booked at this moment.

    Args:
        places: Those of one payment; their sessions are locked.
        by_id: These sessions.
        price: What was paid.
    """
    first = places[0]
    if first.course_booking_id is not None:
        (course,) = (await find_course_bookings(tx, [first.course_booking_id])).values()
        if await course_booking_of(tx, course.course_id, first.customer_id) is not None:
            return False
    there = await places_of(tx, first.customer_id, list(by_id))
    drafts = [
        BookingDraft(
            by_id[each.session_id],
            each.customer_id,
            Actor(customer_id=each.customer_id),
            each.session_id in there,
        )
        for each in places
    ]
    if first.course_booking_id is None and not await _is_offered(tx, drafts, first.way, now):
        return False
    drafts = [
        replace(draft, way=WayToBook(each.way, price))
        for draft, each in zip(drafts, places, strict=True)
    ]
    if any(reason for each in drafts for reason in against_session(each, now)):
        return False
    return not any(await tx.bolt_ons.check_booking(tx, drafts, now))


async def _is_offered(tx: Tx, drafts: Sequence[BookingDraft], code: str, now: datetime) -> bool:
    """Say whether sessions can still be booked on their own, in the way in which they were."""
    offers = await tx.bolt_ons.ways_to_book(tx, drafts, now)
    return all(
        any(isinstance(each, WayToBook) and each.code == code for each in some)
        for some in offers
    )
