"""Bookings and course bookings as they stand: written once, found and listed here."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import bindparam, exists, select, update

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
HELD = "HELD"
"""A seat is taken while its customer pays by card; the place is not theirs yet (H4)."""
EXPIRED = "EXPIRED"
"""It was held, and nothing came of it."""
TAKES_A_SEAT = (BOOKED, HELD)


@dataclass(frozen=True, slots=True)
class Booking:
    """A customer's place in one session.

    Attributes:
        origin_id: The course booking that it comes from: its own, or the one that earned the
            credit which paid (X11).
    """

    id: BookingId
    session_id: SessionId
    customer_id: CustomerId
    course_booking_id: CourseBookingId | None
    way: str
    payment_id: PaymentId | None
    customer_bundle_id: CustomerBundleId | None
    origin_id: CourseBookingId | None
    status: str
    booked_at: datetime


@dataclass(frozen=True, slots=True)
class CourseBooking:
    """A customer's place in a whole course; it owns one booking per session.

    Attributes:
        status: HELD while it is paid for by card, EXPIRED if nothing came of that; CANCELLED
            once staff have cancelled it as a whole.
    """

    id: CourseBookingId
    course_id: CourseId
    customer_id: CustomerId
    payment_id: PaymentId
    status: str
    booked_at: datetime


BOOKINGS = select(
    bookings.c.id,
    bookings.c.session_id,
    bookings.c.customer_id,
    bookings.c.course_booking_id,
    bookings.c.way,
    bookings.c.payment_id,
    bookings.c.customer_bundle_id,
    bookings.c.origin_id,
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
    bookings.c.status.in_(TAKES_A_SEAT),
)
HAS_A_PLACE = exists().where(
    bookings.c.account_id == course_bookings.c.account_id,
    bookings.c.course_booking_id == course_bookings.c.id,
    bookings.c.status.in_(TAKES_A_SEAT),
)
COURSE_BOOKINGS = select(
    course_bookings.c.id,
    course_bookings.c.course_id,
    course_bookings.c.customer_id,
    course_bookings.c.payment_id,
    course_bookings.c.status,
    course_bookings.c.booked_at,
).where(mine(course_bookings))
COURSE_BOOKINGS_BY_ID = COURSE_BOOKINGS.where(
    course_bookings.c.id.in_(bindparam("ids", expanding=True))
)
COURSE_BOOKING_OF = COURSE_BOOKINGS.where(
    course_bookings.c.course_id == bindparam("course_id"),
    course_bookings.c.customer_id == bindparam("customer_id"),
    course_bookings.c.status.in_(TAKES_A_SEAT),
    HAS_A_PLACE,
)
LOCK_COURSE_BOOKINGS = (
    select(course_bookings.c.id)
    .where(mine(course_bookings), course_bookings.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(course_bookings.c.id)
    .with_for_update()
)
ENDING = (
    update(course_bookings)
    .where(mine(course_bookings), course_bookings.c.status == BOOKED)
    .values(status=CANCELLED)
)
END = ENDING.where(course_bookings.c.id == bindparam("course_booking")).returning(
    course_bookings.c.id
)
END_ALL = ENDING.where(course_bookings.c.course_id == bindparam("course"))
END_EMPTY = END_ALL.where(course_bookings.c.customer_id == bindparam("customer"), ~HAS_A_PLACE)


async def write_bookings(tx: Tx, new: Sequence[Booking]) -> None:
    """Write bookings whose seats were taken.

    Raises:
        AlreadyBooked: A request that ran at the same time was first; the unique index says so.
    """
    if await tx.insert_new(bookings, *(asdict(each) for each in new)) != len(new):
        raise AlreadyBooked


async def write_course_booking(tx: Tx, new: CourseBooking) -> None:
    """Write a course booking; one that has no place left makes room for it.

    The sessions of the course must be locked: no place can then be cancelled meanwhile.

    Raises:
        AlreadyBooked: A request that ran at the same time was first; the unique index says so.
    """
    if await tx.insert_new(course_bookings, asdict(new)):
        return
    await tx.execute(END_EMPTY, {"course": new.course_id, "customer": new.customer_id})
    if not await tx.insert_new(course_bookings, asdict(new)):
        raise AlreadyBooked


async def make_room_for(tx: Tx, course_booking_id: CourseBookingId) -> None:
    """End the booking of the same course that has no place left, which would be in the way.

    The sessions of the course must be locked.
    """
    (wanted,) = (await find_course_bookings(tx, [course_booking_id])).values()
    await tx.execute(END_EMPTY, {"course": wanted.course_id, "customer": wanted.customer_id})


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
    """Find a customer's booking of a course, unless it was cancelled or has no place left."""
    row = await tx.one(COURSE_BOOKING_OF, {"course_id": course_id, "customer_id": customer_id})
    return None if row is None else CourseBooking(*row)


async def lock_course_bookings(tx: Tx, ids: Collection[CourseBookingId]) -> None:
    """Lock course bookings in the order of their ids: what caps of refunds are counted by."""
    if found := sorted(set(ids)):
        await tx.lock(LOCK_COURSE_BOOKINGS, {"ids": found})


async def end_course_booking(tx: Tx, course_booking_id: CourseBookingId) -> bool:
    """Note that a course booking was cancelled, and say whether that is news."""
    return await tx.scalar(END, {"course_booking": course_booking_id}) is not None


async def end_course_bookings_of(tx: Tx, course_id: CourseId) -> None:
    """Note that all bookings of a course were cancelled."""
    await tx.execute(END_ALL, {"course": course_id})


async def places_of(
    tx: Tx,
    customer_id: CustomerId,
    session_ids: Collection[SessionId],
) -> set[SessionId]:
    """Say in which of these sessions a customer has a place, or one that is held."""
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
        CourseBookingId(owner): rows.map(lambda row: Booking(*row[:10]))
        for owner, rows in pages.items()
    }


async def bookings_of_customers(
    tx: Tx,
    ids: Sequence[CustomerId],
    page: Page,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Mapping[CustomerId, PageOf[Booking]]:
    """List customers' bookings, cancelled ones too, in the order of their sessions.

    Args:
        since: Only of sessions that start at this or later.
        until: Only of sessions that start before this.
    """
    statement = BY_START
    if since is not None:
        statement = statement.where(sessions.c.starts_at >= since)
    if until is not None:
        statement = statement.where(sessions.c.starts_at < until)
    pages = await fetch_pages(
        tx, statement, bookings.c.customer_id, ids, keys=START_KEYS, page=page
    )
    return {
        CustomerId(owner): rows.map(lambda row: Booking(*row[:10]))
        for owner, rows in pages.items()
    }


async def course_bookings_of_customers(
    tx: Tx,
    ids: Sequence[CustomerId],
    page: Page,
) -> Mapping[CustomerId, PageOf[CourseBooking]]:
    """List customers' course bookings, cancelled ones too, in the order they were made."""
    keys = (course_bookings.c.booked_at, course_bookings.c.id)
    pages = await fetch_pages(
        tx, COURSE_BOOKINGS, course_bookings.c.customer_id, ids, keys=keys, page=page
    )
    return {
        CustomerId(owner): rows.map(lambda row: CourseBooking(*row[:6]))
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
        SessionId(owner): rows.map(lambda row: Booking(*row[:10]))
        for owner, rows in pages.items()
    }
