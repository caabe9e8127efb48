"""Whether a course is set up so that its customers can move by themselves: a checklist.

Core asks, bolt-ons contribute: each says what it needs. Core then follows a credit on its way:
what cancelling a place of the course would give, and where that could be spent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from classbolt import sessions
from classbolt.bolt_ons import BoltOns
from classbolt.booking_rules import to_come
from classbolt.cancel import Preview
from classbolt.courses import get_course
from classbolt.db import Tx
from classbolt.errors import CreditExpiresBeforeSession
from classbolt.facts import (
    COURSE,
    OFFLINE,
    BookingFacts,
    CourseFacts,
    HeldBundle,
    SessionFacts,
    SetupCheck,
)
from classbolt.suggest import Destination, credit_of, destinations
from classbolt.values import (
    Actor,
    BookingId,
    CourseBookingId,
    CourseId,
    CustomerId,
    Permission,
    new_id,
)


async def course_setup_check(
    tx: Tx, actor: Actor, course_id: CourseId, bolt_ons: BoltOns, *, now: datetime
) -> list[SetupCheck]:
    """List what an admin should look at, in the order in which it is set up.

    Raises:
        Forbidden: The actor does not set up the account.
        NotFound: The course is unknown.
    """
    actor.require(Permission.SET_UP)
    course = await get_course(tx, course_id, "course")
    coming = to_come(await sessions.all_sessions_of(tx, course_id), now)
    checks = list(_switches(tx, bolt_ons))
    checks.append(_sessions(coming))
    (contributed,) = await tx.bolt_ons.setup_checks(tx, [course], now)
    checks += contributed
    if coming:
        first = min(coming, key=lambda session: session.starts_at)
        checks += await _journey_of_a_credit(tx, actor, course, first, now)
    return checks


def _switches(tx: Tx, bolt_ons: BoltOns) -> Iterator[SetupCheck]:
    """Say of each bolt-on that takes part in setting up a course whether it is on."""
    for code in bolt_ons.answering("setup_checks"):
        title = bolt_ons.installed[code].info.title
        is_on = code in tx.account.enabled
        yield SetupCheck(
            "BOLT_ON_ON",
            is_on,
            f"{title} is switched {'on' if is_on else 'off'}.",
            None if is_on else f"Switch the bolt-on {code} on.",
        )


def _sessions(coming: Sequence[SessionFacts]) -> SetupCheck:
    return SetupCheck(
        "COURSE_HAS_SESSIONS",
        bool(coming),
        f"{len(coming)} sessions of the course are still to come.",
        None if coming else "Add sessions to the course.",
    )


async def _journey_of_a_credit(
    tx: Tx, actor: Actor, course: CourseFacts, session: SessionFacts, now: datetime
) -> list[SetupCheck]:
    """Follow the credit that a buyer of the course would be given; none if none would be."""
    place = _paid_place(course, session)
    (terms,) = await tx.bolt_ons.cancellation_terms(tx, [place], now)
    if terms is None:
        return []
    preview = Preview(place.id, place.customer_id, session, terms)
    credit = await credit_of(tx, preview, now=now)
    if credit is None:
        return []
    found = await destinations(tx, actor, credit, None, now=now)
    elsewhere = [each for each in found if each.session.course_id != course.id]
    return _until_one_fails(elsewhere, credit)


def _paid_place(course: CourseFacts, session: SessionFacts) -> BookingFacts:
    """Make up a place of the course that was paid for and is cancelled in time."""
    course_booking_id = CourseBookingId(new_id())
    return BookingFacts(
        id=BookingId(new_id()),
        session=session,
        customer_id=CustomerId(new_id()),
        course_booking_id=course_booking_id,
        way=COURSE,
        method=OFFLINE,
        amount_minor=course.price.amount_minor,
        is_settled=True,
        customer_bundle=None,
        is_goodwill=True,
        origin_id=course_booking_id,
    )


def _until_one_fails(found: Sequence[Destination], credit: HeldBundle) -> list[SetupCheck]:
    """Narrow the sessions of other courses down to those where the credit can be spent."""
    by_credit = [each for each in found if each.takes_credit]
    fitting = [
        each
        for each in by_credit
        if all(isinstance(reason, CreditExpiresBeforeSession) for reason in each.misfits)
    ]
    in_time = [each for each in fitting if not each.misfits]
    opening = [
        each for each in in_time if each.opens_at is None or each.opens_at < credit.expires_at
    ]
    steps = (
        (
            "OTHER_COURSES_TAKE_DROP_INS",
            found,
            "sessions of other courses can be booked on their own",
            "Let sessions of other courses take drop-ins.",
        ),
        (
            "CREDITS_ACCEPTED_ELSEWHERE",
            by_credit,
            "of them accept credits",
            "Accept credits as a payment for drop-ins in other courses.",
        ),
        (
            "CREDIT_FITS_ELSEWHERE",
            fitting,
            "of them take the credit that this course gives",
            "Give the refund bundle and sessions of another course a tag in common.",
        ),
        (
            "CREDIT_LIVES_LONG_ENOUGH",
            in_time,
            "of them start before that credit would expire",
            "Make the refund bundle valid for longer.",
        ),
        (
            "OPEN_BEFORE_CREDIT_EXPIRES",
            opening,
            "of them open to drop-ins before that credit would expire",
            "Open these sessions to drop-ins earlier, or make the refund bundle valid longer.",
        ),
    )
    checks = []
    for code, left, message, fix in steps:
        checks.append(SetupCheck(code, bool(left), f"{len(left)} {message}.", _fix(left, fix)))
        if not left:
            break
    return checks


def _fix(left: Sequence[Destination], fix: str) -> str | None:
    return None if left else fix
