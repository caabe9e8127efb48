"""Book a whole course: a place in each session that is to come, or nothing at all (G1).

As with a single session the rules decide first, with all sessions locked and nothing written,
and the preview asks the very same rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from classbolt import cards, payments, sessions
from classbolt.booking_rules import (
    PayWith,
    against_course,
    amount_of,
    choose,
    course_price,
    money_options,
    running,
    to_come,
)
from classbolt.bookings import (
    BOOKED,
    HELD,
    Booking,
    CourseBooking,
    course_booking_of,
    places_of,
    write_bookings,
    write_course_booking,
)
from classbolt.courses import get_course
from classbolt.customers import whom
from classbolt.db import Tx
from classbolt.errors import CourseFull, Refusal, SessionFull, refuse_if
from classbolt.facts import (
    COURSE,
    BookingDraft,
    CourseFacts,
    PaymentOption,
    SessionFacts,
    TakeCard,
    WayToBook,
)
from classbolt.outbox import tell_placed
from classbolt.values import (
    Actor,
    BookingId,
    CourseBookingId,
    CourseId,
    CustomerId,
    Money,
    SessionId,
    new_id,
)


@dataclass(frozen=True, slots=True)
class CourseDecision:
    """What the rules say about booking a course at a moment.

    Attributes:
        price: What it costs now; late joiners may pay for the rest only (G5).
        sessions: The sessions in which there would be a place.
        total: How many sessions the course has in all, without those that were called off.
    """

    price: Money
    sessions: tuple[SessionFacts, ...]
    total: int
    refusals: tuple[Refusal, ...]
    options: tuple[PaymentOption, ...]


async def course_booking_options(
    tx: Tx,
    actor: Actor,
    course_id: CourseId,
    customer_id: CustomerId | None,
    *,
    now: datetime,
) -> CourseDecision:
    """Say how a course could be booked at this moment, and what stands against it.

    Raises:
        NotFound: The course is unknown, or the customer is not for the actor to see.
    """
    course = await get_course(tx, course_id, "course")
    if customer_id is not None or actor.customer_id is not None:
        customer_id = await whom(tx, actor, customer_id)
    found = await sessions.all_sessions_of(tx, course_id)
    return await _decide(tx, actor, course, found, customer_id, now)


async def book_course(
    tx: Tx,
    actor: Actor,
    course_id: CourseId,
    customer_id: CustomerId | None,
    pay_with: PayWith,
    *,
    now: datetime,
) -> CourseBooking:
    """Book a whole course.

    Raises:
        Refusals: All reasons against it.
        Refusal: It cannot be asked for in this way.
    """
    holder = await whom(tx, actor, customer_id)
    course = await get_course(tx, course_id, "course")
    found = await sessions.lock_sessions_of(tx, course_id)
    decision = await _decide(tx, actor, course, found, holder, now)
    option = choose(decision.options, pay_with)
    refuse_if([*decision.refusals, *option.refusals])
    return await _write(tx, course_id, holder, decision, option, now=now)


async def _decide(
    tx: Tx,
    actor: Actor,
    course: CourseFacts,
    found: Sequence[SessionFacts],
    customer_id: CustomerId | None,
    now: datetime,
) -> CourseDecision:
    """Ask every rule about a course; nothing is written."""
    coming = to_come(found, now)
    price = course_price(course, found, now)
    held: set[SessionId] = set()
    has_course = False
    if customer_id is not None:
        held = await places_of(tx, customer_id, [each.id for each in coming])
        has_course = await course_booking_of(tx, course.id, customer_id) is not None
    way = WayToBook(COURSE, price)
    drafts = [
        BookingDraft(each, customer_id, actor, each.id in held, way=way) for each in coming
    ]
    vetoes = await tx.bolt_ons.check_booking(tx, drafts, now)
    reasons = against_course(course, found, now, held=held, has_course=has_course)
    return CourseDecision(
        price=price,
        sessions=tuple(sorted(coming, key=lambda each: (each.starts_at, each.id))),
        total=len(running(found)),
        refusals=(*reasons, *_first_of_each_kind(each for some in vetoes for each in some)),
        options=tuple(
            money_options(
                course.payment_methods, price, actor, takes_cards=tx.account.takes_cards
            )
        ),
    )


async def _write(
    tx: Tx,
    course_id: CourseId,
    customer_id: CustomerId,
    decision: CourseDecision,
    option: PaymentOption,
    *,
    now: datetime,
) -> CourseBooking:
    """Take a seat in every session, write the places and what is owed for them."""
    amount = amount_of(option, tx.account.currency)
    is_held = isinstance(option.action, TakeCard)
    status = HELD if is_held else BOOKED
    course_booking = CourseBooking(
        id=CourseBookingId(new_id()),
        course_id=course_id,
        customer_id=customer_id,
        payment_id=await payments.record(tx, customer_id, option.method, amount, now=now),
        status=status,
        booked_at=now,
    )
    if is_held:
        await cards.hold(tx, course_booking.payment_id, seats_in=decision.sessions, now=now)
    try:
        await sessions.take_seats(tx, [each.id for each in decision.sessions])
    except SessionFull as gone:
        raise CourseFull from gone
    await write_course_booking(tx, course_booking)
    written = [
        Booking(
            id=BookingId(new_id()),
            session_id=each.id,
            customer_id=customer_id,
            course_booking_id=course_booking.id,
            way=COURSE,
            payment_id=course_booking.payment_id,
            customer_bundle_id=None,
            origin_id=course_booking.id,
            status=status,
            booked_at=now,
        )
        for each in decision.sessions
    ]
    await write_bookings(tx, written)
    if is_held:
        return course_booking  # it is told of once it is paid
    await tx.bolt_ons.bookings_written(tx, written, now)
    await tell_placed(tx, written, now=now)
    return course_booking


def _first_of_each_kind(reasons: Iterable[Refusal]) -> list[Refusal]:
    """Say a reason once that speaks against several sessions of a course."""
    return list({type(reason): reason for reason in reasons}.values())
