"""Cancel a booking or call a session off: one pipeline, whose reading half is also the preview.

A customer may always cancel a session that has not started; notice only decides what comes
back. The session is locked first, then the bundle that paid. The UPDATE that cancels says
whether this request was the one that did it: whoever comes second is told of the first
cancellation and moves neither seat nor credit (B9, X10).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import bindparam, select, update

from classbolt import credits, sessions
from classbolt.bookings import BOOKED, CANCELLED
from classbolt.cancellations import (
    CREDIT_BACK,
    NEW_BUNDLE,
    NONE,
    Cancellation,
    find_cancellations,
    write_cancellations,
)
from classbolt.checks import mine
from classbolt.columns import AnyRow
from classbolt.db import Tx
from classbolt.errors import (
    BoltOnOff,
    Forbidden,
    NotBooked,
    NotFound,
    RefundDeclined,
    Refusal,
    SessionCalledOff,
    SessionStarted,
    TryAgain,
)
from classbolt.facts import CREDIT, BookingFacts, CreditBack, IssueBundle, SessionFacts, Terms
from classbolt.tables import bookings, payments
from classbolt.values import (
    Actor,
    BookingId,
    CancellationId,
    CustomerBundleId,
    CustomerId,
    Permission,
    SessionId,
    new_id,
)

LONGEST_REASON = 500
STAFF_MAY_LOOK_BACK = timedelta(days=30)


class RefundChoice(StrEnum):
    """What staff may choose when they cancel: what the policy gives, or nothing (B6, B7)."""

    POLICY = "POLICY"
    NONE = "NONE"


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


@dataclass(frozen=True, slots=True)
class CalledOff:
    """A session that was called off, and how its bookings ended."""

    session: SessionFacts
    cancellations: list[Cancellation]


PLACES = (
    select(
        bookings.c.id,
        bookings.c.session_id,
        bookings.c.customer_id,
        bookings.c.course_booking_id,
        bookings.c.way,
        bookings.c.status,
        bookings.c.customer_bundle_id,
        payments.c.method,
        payments.c.amount_minor,
        payments.c.paid_at,
    )
    .outerjoin(
        payments,
        (payments.c.account_id == bookings.c.account_id)
        & (payments.c.id == bookings.c.payment_id),
    )
    .where(mine(bookings))
)
PLACE = PLACES.where(bookings.c.id == bindparam("booking_id"))
PLACES_OF_SESSION = PLACES.where(
    bookings.c.session_id == bindparam("session_id"), bookings.c.status == BOOKED
).order_by(bookings.c.id)
PLACE_OF = select(bookings.c.session_id, bookings.c.customer_id).where(
    mine(bookings), bookings.c.id == bindparam("booking_id")
)
CANCEL = (
    update(bookings)
    .where(
        mine(bookings),
        bookings.c.id.in_(bindparam("booking_ids", expanding=True)),
        bookings.c.status == BOOKED,
    )
    .values(status=CANCELLED)
    .returning(bookings.c.id)
)


async def cancellation_preview(
    tx: Tx,
    actor: Actor,
    booking_id: BookingId,
    *,
    now: datetime,
) -> Terms:
    """Say what cancelling at this moment would give back, by the rules that cancelling uses.

    Raises:
        NotFound: The booking is unknown, or not for the actor to see.
        NotBooked: It was cancelled already.
        SessionStarted: It is too late to cancel at all.
    """
    session_id, _ = await place_of(tx, actor, booking_id)
    found = await sessions.find_sessions(tx, [session_id])
    facts = await _facts(tx, booking_id, found[session_id])
    if facts is None:
        raise NotBooked
    _require_time_to_cancel(facts.session, actor, now)
    return (await _decide(tx, [facts], now))[0]


async def cancel_booking(
    tx: Tx,
    actor: Actor,
    booking_id: BookingId,
    *,
    refund: RefundChoice = RefundChoice.POLICY,
    now: datetime,
) -> Cancelled:
    """Cancel one booking. Cancelling it again gives the first cancellation once more.

    Raises:
        NotFound: The booking is unknown, or not the actor's to cancel.
        Forbidden: A customer wants to choose the refund.
        SessionStarted: It is too late.
    """
    session_id, _ = await place_of(tx, actor, booking_id)
    if refund is not RefundChoice.POLICY and not actor.may(Permission.SERVE_CUSTOMERS):
        raise Forbidden
    locked = await sessions.lock_sessions(tx, [session_id])
    return await release(tx, actor, booking_id, locked[session_id], refund=refund, now=now)


async def release(
    tx: Tx,
    actor: Actor,
    booking_id: BookingId,
    session: SessionFacts,
    *,
    refund: RefundChoice,
    now: datetime,
) -> Cancelled:
    """Cancel a booking whose session is locked already.

    Raises:
        SessionStarted: It is too late.
    """
    facts = await _facts(tx, booking_id, session)
    if facts is None:
        return Cancelled((await find_cancellations(tx, [booking_id]))[booking_id], already=True)
    _require_time_to_cancel(session, actor, now)
    await credits.lock_bundles(tx, _paid_by([facts]))
    terms = await _terms(tx, [facts], refund, now)
    (cancellation,) = await _write(tx, actor, session, [facts], terms, now=now)
    return Cancelled(cancellation, already=False, refusal=terms[0].refusal)


async def call_off_session(
    tx: Tx,
    actor: Actor,
    session_id: SessionId,
    *,
    refund: RefundChoice = RefundChoice.POLICY,
    now: datetime,
) -> CalledOff:
    """Call a session off: everybody's booking is cancelled, and notice is waived for all (B7).

    Raises:
        Forbidden: The actor does not set up the account.
        NotFound: The session is unknown.
        SessionCalledOff: It was called off before.
        SessionStarted: It has started.
    """
    actor.require(Permission.SET_UP)
    session = (await sessions.lock_sessions(tx, [session_id], "session"))[session_id]
    if session.called_off_at is not None:
        raise SessionCalledOff
    if session.starts_at <= now:
        raise SessionStarted
    rows = await tx.all(PLACES_OF_SESSION, {"session_id": session_id})
    facts = await _with_bundles(tx, rows, session, by_business=True)
    await credits.lock_bundles(tx, _paid_by(facts))
    terms = await _terms(tx, facts, refund, now)
    await tx.execute(sessions.CALL_OFF, {"session": session_id, "now": now})
    ended = await _write(tx, actor, session, facts, terms, now=now)
    after = await sessions.find_sessions(tx, [session_id])
    return CalledOff(after[session_id], ended)


async def place_of(tx: Tx, actor: Actor, booking_id: BookingId) -> tuple[SessionId, CustomerId]:
    """Find the session that a booking of the actor's is for, and who holds it.

    Raises:
        NotFound: The booking is unknown, or not for the actor to see.
    """
    row = await tx.one(PLACE_OF, {"booking_id": booking_id})
    if row is None or not actor.sees(row.customer_id):
        raise NotFound().at("booking")
    return SessionId(row.session_id), CustomerId(row.customer_id)


async def _facts(tx: Tx, booking_id: BookingId, session: SessionFacts) -> BookingFacts | None:
    """Gather what the rules need to know of a booking; None if it is no longer active."""
    rows = await tx.all(PLACE, {"booking_id": booking_id})
    active = [row for row in rows if row.status == BOOKED]
    return next(iter(await _with_bundles(tx, active, session, by_business=False)), None)


async def _with_bundles(
    tx: Tx,
    rows: Sequence[AnyRow],
    session: SessionFacts,
    *,
    by_business: bool,
) -> list[BookingFacts]:
    held = await credits.find_held(
        tx, [row.customer_bundle_id for row in rows if row.customer_bundle_id]
    )
    return [
        BookingFacts(
            id=row.id,
            session=session,
            customer_id=row.customer_id,
            course_booking_id=row.course_booking_id,
            way=row.way,
            method=row.method or CREDIT,
            amount_minor=row.amount_minor or 0,
            is_settled=row.customer_bundle_id is not None or row.paid_at is not None,
            customer_bundle=held.get(row.customer_bundle_id),
            by_business=by_business,
        )
        for row in rows
    ]


async def _terms(
    tx: Tx,
    facts: Sequence[BookingFacts],
    refund: RefundChoice,
    now: datetime,
) -> list[Terms]:
    if refund is RefundChoice.NONE:
        return [Terms(refusal=RefundDeclined()) for _ in facts]
    return await _decide(tx, facts, now)


async def _decide(tx: Tx, facts: Sequence[BookingFacts], now: datetime) -> list[Terms]:
    """Ask what each cancellation gives back, then whether anybody objects.

    Nothing is written.
    """
    answers = await tx.bolt_ons.cancellation_terms(tx, facts, now)
    terms = [answer or Terms(refusal=BoltOnOff()) for answer in answers]
    vetoes = await tx.bolt_ons.check_refund(tx, facts, terms, now)
    return [
        replace(each, give_back=None, refusal=veto) if veto and each.give_back else each
        for each, veto in zip(terms, vetoes, strict=True)
    ]


async def _write(
    tx: Tx,
    actor: Actor,
    session: SessionFacts,
    facts: Sequence[BookingFacts],
    terms: Sequence[Terms],
    *,
    now: datetime,
) -> list[Cancellation]:
    """Cancel, free the seats, give back what the terms say, and keep what was decided.

    Raises:
        TryAgain: One of the bookings was cancelled by a request that ran at the same time.
    """
    if not facts:
        return []
    cancelled = await tx.all(CANCEL, {"booking_ids": [each.id for each in facts]})
    if len(cancelled) != len(facts):
        raise TryAgain
    await sessions.free_seats(tx, session.id, len(facts))
    received = await _give_back(tx, actor, facts, terms, now=now)
    written = [
        _cancellation(actor, each, agreed, received.get(each.id), now)
        for each, agreed in zip(facts, terms, strict=True)
    ]
    await write_cancellations(tx, written)
    await tx.bolt_ons.cancellations_written(tx, written, now)
    return written


async def _give_back(
    tx: Tx,
    actor: Actor,
    facts: Sequence[BookingFacts],
    terms: Sequence[Terms],
    *,
    now: datetime,
) -> dict[BookingId, CustomerBundleId]:
    """Issue and credit back what the terms say, and tell which bundle received the credit."""
    agreed = list(zip(facts, terms, strict=True))
    issues = [
        credits.Issue(each.customer_id, back.bundle_id, back.expires_at, each.id)
        for each, found in agreed
        if isinstance(back := found.give_back, IssueBundle)
    ]
    backs = [
        (back.customer_bundle_id, each.id)
        for each, found in agreed
        if isinstance(back := found.give_back, CreditBack)
    ]
    issued = await credits.issue(tx, actor, issues, now=now)
    await credits.credit_back(tx, actor, backs, now=now)
    received = {booking_id: held for held, booking_id in backs}
    for each, held in zip(issues, issued, strict=True):
        if each.booking_id is not None:
            received[each.booking_id] = held
    return received


def _cancellation(
    actor: Actor,
    facts: BookingFacts,
    terms: Terms,
    received: CustomerBundleId | None,
    now: datetime,
) -> Cancellation:
    outcome = NONE
    if terms.give_back is not None:
        outcome = NEW_BUNDLE if isinstance(terms.give_back, IssueBundle) else CREDIT_BACK
    return Cancellation(
        id=CancellationId(new_id()),
        booking_id=facts.id,
        cancelled_at=now,
        actor_kind=actor.kind,
        actor_id=actor.id,
        by_business=facts.by_business,
        outcome=outcome,
        reason=terms.refusal.code if terms.refusal else None,
        reason_text=terms.refusal.message[:LONGEST_REASON] if terms.refusal else None,
        option=terms.option,
        deadline=terms.deadline,
        decided_by=terms.decided_by,
        policy=dict(terms.policy),
        customer_bundle_id=received,
    )


def _paid_by(facts: Sequence[BookingFacts]) -> list[CustomerBundleId]:
    return [each.customer_bundle.id for each in facts if each.customer_bundle]


def _require_time_to_cancel(session: SessionFacts, actor: Actor, now: datetime) -> None:
    """Refuse a customer once the session has started, and staff a month later (X6)."""
    latest = session.starts_at + (STAFF_MAY_LOOK_BACK if actor.is_staff else timedelta())
    if now >= latest:
        raise SessionStarted
