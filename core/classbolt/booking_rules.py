"""Who may book what, and how they may pay: pure rules, the same for previews and for acts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from classbolt.errors import (
    AlreadyBooked,
    CardUnavailable,
    CourseFull,
    CourseStarted,
    CourseWithoutSessions,
    NotFound,
    PaymentOptionNotAllowed,
    Refusal,
    SessionCalledOff,
    SessionFull,
    SessionStarted,
)
from classbolt.facts import (
    CARD,
    FREE,
    OFFLINE,
    BookingDraft,
    CourseFacts,
    Free,
    PaymentOption,
    RecordOffline,
    SessionFacts,
    TakeCard,
)
from classbolt.values import Actor, LateJoining, Money, SessionId


@dataclass(frozen=True, slots=True)
class PayWith:
    """How somebody chose to pay.

    Attributes:
        method: A payment method's code.
        source: What of theirs pays, where they named it: a customer bundle.
    """

    method: str
    source: UUID | None = None


def against_session(draft: BookingDraft, now: datetime) -> Iterator[Refusal]:
    """Give core's reasons against a place in a session (F4)."""
    if draft.session.called_off_at is not None:
        yield SessionCalledOff()
    if draft.session.starts_at <= now:
        yield SessionStarted()
    if draft.session.is_full:
        yield SessionFull()
    if draft.has_place:
        yield AlreadyBooked()


def running(sessions: Iterable[SessionFacts]) -> list[SessionFacts]:
    """Leave out the sessions that were called off: they count for nothing."""
    return [session for session in sessions if session.called_off_at is None]


def to_come(sessions: Iterable[SessionFacts], now: datetime) -> list[SessionFacts]:
    """Give the sessions in which who books the course now has a place (G1)."""
    return [session for session in running(sessions) if session.starts_at > now]


def course_price(course: CourseFacts, sessions: Sequence[SessionFacts], now: datetime) -> Money:
    """Say what a course costs at a moment: late joiners may pay for the rest only (G5).

    The part is rounded to the minor unit, a half up.
    """
    total, left = len(running(sessions)), len(to_come(sessions, now))
    if course.late_joining is not LateJoining.PRO_RATA or left in {0, total}:
        return course.price
    amount = (2 * course.price.amount_minor * left + total) // (2 * total)
    return Money(amount, course.price.currency)


def against_course(
    course: CourseFacts,
    sessions: Sequence[SessionFacts],
    now: datetime,
    *,
    held: Collection[SessionId],
    has_course: bool,
) -> Iterator[Refusal]:
    """Give core's reasons against booking a course (G1, G2, G5).

    Args:
        course: The course, which says whether it takes late joiners.
        sessions: All its sessions; called off ones count for nothing.
        now: The moment of booking.
        held: In which of the sessions the customer holds a place.
        has_course: Whether the customer has booked the course before.
    """
    taking_place, coming = running(sessions), to_come(sessions, now)
    is_late = len(coming) < len(taking_place)
    if not taking_place:
        yield CourseWithoutSessions()
    elif not coming or (is_late and course.late_joining is LateJoining.NO):
        yield CourseStarted()
    elif any(session.is_full for session in coming):
        yield CourseFull()
    if has_course:
        yield AlreadyBooked("This customer has booked this course already.")
    for session in coming:
        if session.id in held and not has_course:
            yield AlreadyBooked(
                "This customer already has a place in the session that starts at"
                f" {session.starts_at:%Y-%m-%d %H:%M} UTC."
            )


def money_options(
    accepted: Collection[str], price: Money, actor: Actor, *, takes_cards: bool
) -> list[PaymentOption]:
    """Give the ways to pay for a course or a bundle; staff may also give it away.

    Args:
        accepted: What is accepted for it.
        price: What it costs at this moment.
        actor: Who books or buys.
        takes_cards: Whether the account is linked with Stripe.
    """
    if price.amount_minor == 0:
        return [PaymentOption(FREE, action=Free())]
    options = []
    if CARD in accepted:
        options.append(PaymentOption(CARD, action=TakeCard(price)))
    if OFFLINE in accepted:
        options.append(PaymentOption(OFFLINE, action=RecordOffline(price)))
    if actor.is_staff:
        options.append(PaymentOption(FREE, action=Free()))
    return with_cards(options, takes_cards=takes_cards)


def with_cards(options: Iterable[PaymentOption], *, takes_cards: bool) -> list[PaymentOption]:
    """Say of cards that they cannot be used where the business has no link with Stripe (H3)."""
    if takes_cards:
        return list(options)
    return [
        PaymentOption(CARD, refusals=(CardUnavailable(), *each.refusals))
        if each.method == CARD
        else each
        for each in options
    ]


def with_staff_options(
    draft: BookingDraft, options: Iterable[PaymentOption]
) -> list[PaymentOption]:
    """Add to the bolt-ons' ways to pay that staff may note a place as free (F8)."""
    found = list(options)
    if draft.actor.is_staff and all(option.method != FREE for option in found):
        found.append(PaymentOption(FREE, action=Free()))
    return found


def choose(options: Sequence[PaymentOption], pay_with: PayWith) -> PaymentOption:
    """Find the option that was chosen.

    Raises:
        PaymentOptionNotAllowed: This method is not accepted.
        NotFound: The method is accepted, but what was named to pay with is not there.
    """
    of_method = [option for option in options if option.method == pay_with.method]
    if not of_method:
        raise PaymentOptionNotAllowed(option.method for option in options).at("payWith")
    for option in of_method:
        if option.source == pay_with.source:
            return option
    raise NotFound().at("payWith")


def amount_of(option: PaymentOption, currency: str) -> Money:
    """Say what an option that is not a credit leaves to be paid."""
    if isinstance(option.action, RecordOffline | TakeCard):
        return option.action.amount
    return Money(0, currency)
