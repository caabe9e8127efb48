"""What the database refuses though the rules let it pass: two who decided at the same moment.

Requests meet these guards only in a race; here they are asked directly.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from classbolt import bookings, credits
from classbolt.db import Caller, Tx
from classbolt.errors import AlreadyBooked, InsufficientCredits, NotFound, Refusal, TryAgain
from classbolt.values import (
    SYSTEM,
    BookingId,
    BundleId,
    CourseBookingId,
    CustomerBundleId,
    CustomerId,
    new_id,
)
from classbolt_schema.ids import decode
from studio import Studio


async def refused(
    studio: Studio, work: Callable[[Tx], Awaitable[Any]], refusal: type[Refusal]
) -> None:
    """Do work in one transaction, which is refused as a whole."""
    with pytest.raises(refusal):
        await studio.database.write(Caller(studio.slug), work)


def customer(studio: Studio, name: str) -> CustomerId:
    return CustomerId(decode("Customer", studio.ids.customers[name]))


async def test_a_second_place_in_a_session_is_not_written(northside: Studio) -> None:
    """J5: the unique index is the last to say so."""
    booking_id = BookingId(decode("Booking", await northside.booking("Ana", "MON", 3)))

    async def write_again(tx: Tx) -> None:
        there = (await bookings.find_bookings(tx, [booking_id]))[booking_id]
        await bookings.write_bookings(tx, [replace(there, id=BookingId(new_id()))])

    await refused(northside, write_again, AlreadyBooked)


async def test_a_second_booking_of_a_course_is_not_written(northside: Studio) -> None:
    """G4: one that is active and has places does not make room."""
    course_booking = await northside.course_booking("Ana")
    key = CourseBookingId(decode("CourseBooking", course_booking))

    async def write_again(tx: Tx) -> None:
        there = (await bookings.find_course_bookings(tx, [key]))[key]
        another = replace(there, id=CourseBookingId(new_id()))
        await bookings.write_course_booking(tx, another)

    await refused(northside, write_again, AlreadyBooked)


async def test_a_bundle_that_is_not_there_is_not_issued(northside: Studio) -> None:
    """J6: nor is one of another account, which is as unknown."""
    now = northside.clock.now
    wanted = credits.Issue(
        customer(northside, "Ana"), BundleId(new_id()), now + timedelta(days=1)
    )

    await refused(northside, lambda tx: credits.issue(tx, SYSTEM, [wanted], now=now), NotFound)


@pytest.mark.parametrize(
    ("holder", "after_days", "starts_after_days"),
    [("Ben", 0, 1), ("Ana", 90, 91), ("Ana", 0, 90)],
)
async def test_a_credit_is_not_spent_by_others_nor_beyond_its_validity(
    northside: Studio, holder: str, after_days: int, starts_after_days: int
) -> None:
    """D4, D5: the UPDATE that takes it says so, whatever was decided before."""
    held = CustomerBundleId(decode("CustomerBundle", await northside.give("Ana", "TEN")))
    now = northside.clock.now

    await refused(
        northside,
        lambda tx: credits.spend(
            tx,
            held,
            customer_id=customer(northside, holder),
            session_starts_at=now + timedelta(days=starts_after_days),
            now=now + timedelta(days=after_days),
        ),
        InsufficientCredits,
    )


async def test_a_credit_does_not_go_back_onto_a_bundle_that_is_full(northside: Studio) -> None:
    """J3: a balance is never above what was issued."""
    held = CustomerBundleId(decode("CustomerBundle", await northside.give("Ana", "TEN")))
    booking = BookingId(decode("Booking", await northside.booking("Ana", "MON", 3)))
    now = northside.clock.now

    await refused(
        northside,
        lambda tx: credits.credit_back(tx, SYSTEM, [credits.Back(held, booking)], now=now),
        TryAgain,
    )
