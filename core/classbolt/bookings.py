"""Bookings and course bookings as they stand: written once, found and listed here."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import bindparam, select

from classbolt.checks import mine
from classbolt.db import Tx
from classbolt.errors import AlreadyBooked
from classbolt.pages import Page, PageOf, fetch_pages
from classbolt.tables import bookings, course_bookings, sessions
from classbolt.values import (
    BookingId,
    CourseBookingId,
    CourseId,
    CustomerBundleId,
    CustomerId,
    PaymentId,
    SessionId,
)

BOOKED = "BOOKED"
CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class Booking:
    """A customer's place in one session."""

    id: BookingId
    session_id: SessionId
    customer_id: CustomerId
    course_booking_id: CourseBookingId | None
    way: str
    payment_id: PaymentId | None
    customer_bundle_id: CustomerBundleId | None
    status: str
    booked_at: datetime


@dataclass(frozen=True, slots=True)
class CourseBooking:
    """A customer's place in a whole course; it owns one booking per session."""

    id: CourseBookingId
    course_id: CourseId
    customer_id: CustomerId
    payment_id: PaymentId
    booked_at: datetime


BOOKINGS = select(
    bookings.c.id,
    bookings.c.session_id,
    bookings.c.customer_id,
    bookings.c.course_booking_id,
    bookings.c.way,
    bookings.c.payment_id,
    bookings.c.customer_bundle_id,
    bookings.c.status,
    bookings.c.booked_at,
).where(mine(bookings))
BOOKINGS_BY_ID = BOOKINGS.where(bookings.c.id.in_(bindparam("ids", expanding=True)))
BY_START = BOOKINGS.join(
    sessions,
    (sessions.c.account_id == bookings.c.account_id) & (sessions.c.id == bookings.c.session_id),
)
START_KEYS = (sessions.c.starts_at, bookings.c.id)
PLACES = select(bookings.c.session_id).where(
    mine(bookings),
    bookings.c.customer_id == bindparam("customer_id"),
    bookings.c.session_id.in_(bindparam("session_ids", expanding=True)),
    bookings.c.status == BOOKED,
)
COURSE_BOOKINGS = select(
    course_bookings.c.id,
    course_bookings.c.course_id,
    course_bookings.c.customer_id,
    course_bookings.c.payment_id,
    course_bookings.c.booked_at,
).where(mine(course_bookings))
COURSE_BOOKINGS_BY_ID = COURSE_BOOKINGS.where(
    course_bookings.c.id.in_(bindparam("ids", expanding=True))
)
COURSE_BOOKING_OF = COURSE_BOOKINGS.where(
    course_bookings.c.course_id == bindparam("course_id"),
    course_bookings.c.customer_id == bindparam("customer_id"),
)


async def write_bookings(tx: Tx, new: Sequence[Booking]) -> None:
    """Write bookings whose seats were taken.

    Raises:
        AlreadyBooked: A request that ran at the same time was first; the unique index says so.
    """
    if await tx.insert_new(bookings, *(asdict(each) for each in new)) != len(new):
        raise AlreadyBooked


async def write_course_booking(tx: Tx, new: CourseBooking) -> None:
    """Write a course booking.

    Raises:
        AlreadyBooked: A request that ran at the same time was first; the unique index says so.
    """
    if not await tx.insert_new(course_bookings, asdict(new)):
        raise AlreadyBooked


async def find_bookings(tx: Tx, ids: Collection[BookingId]) -> Mapping[BookingId, Booking]:
    """Find bookings by id."""
    return {row.id: Booking(*row) for row in await tx.all(BOOKINGS_BY_ID, {"ids": list(ids)})}


async def find_course_bookings(
    tx: Tx,
    ids: Collection[CourseBookingId],
) -> Mapping[CourseBookingId, CourseBooking]:
    """Find course bookings by id."""
    rows = await tx.all(COURSE_BOOKINGS_BY_ID, {"ids": list(ids)})
    return {row.id: CourseBooking(*row) for row in rows}


async def course_booking_of(
    tx: Tx,
    course_id: CourseId,
    customer_id: CustomerId,
) -> CourseBooking | None:
    """Find a customer's booking of a course."""
    row = await tx.one(COURSE_BOOKING_OF, {"course_id": course_id, "customer_id": customer_id})
    return None if row is None else CourseBooking(*row)


async def places_of(
    tx: Tx,
    customer_id: CustomerId,
    session_ids: Collection[SessionId],
) -> set[SessionId]:
    """Say in which of these sessions a customer holds an active place."""
    ids = list(session_ids)
    rows = await tx.all(PLACES, {"customer_id": customer_id, "session_ids": ids})
    return {SessionId(row.session_id) for row in rows}


async def bookings_of_course_bookings(
    tx: Tx,
    ids: Sequence[CourseBookingId],
    page: Page,
) -> Mapping[CourseBookingId, PageOf[Booking]]:
    """List the places of course bookings in the order of their sessions, a page for each."""
    pages = await fetch_pages(
        tx, BY_START, bookings.c.course_booking_id, ids, keys=START_KEYS, page=page
    )
    return {
        CourseBookingId(owner): rows.map(lambda row: Booking(*row[:9]))
        for owner, rows in pages.items()
    }


async def bookings_of_customers(
    tx: Tx,
    ids: Sequence[CustomerId],
    page: Page,
) -> Mapping[CustomerId, PageOf[Booking]]:
    """List customers' bookings, cancelled ones too, in the order of their sessions."""
    pages = await fetch_pages(
        tx, BY_START, bookings.c.customer_id, ids, keys=START_KEYS, page=page
    )
    return {
        CustomerId(owner): rows.map(lambda row: Booking(*row[:9]))
        for owner, rows in pages.items()
    }


async def attendees_of(
    tx: Tx,
    ids: Sequence[SessionId],
    page: Page,
) -> Mapping[SessionId, PageOf[Booking]]:
    """List the active bookings of sessions in the order they were made, a page for each."""
    statement = BOOKINGS.where(bookings.c.status == BOOKED)
    keys = (bookings.c.booked_at, bookings.c.id)
    pages = await fetch_pages(tx, statement, bookings.c.session_id, ids, keys=keys, page=page)
    return {
        SessionId(owner): rows.map(lambda row: Booking(*row[:9]))
        for owner, rows in pages.items()
    }
