"""Book a session on its own: one pipeline, whose reading half is also the preview.

Every booking locks its sessions first, in the order of their ids, then what the customer could
pay with. Then the rules decide, core's and the bolt-ons', with nothing written. Only then are
seats taken, the place written and paid for, each by a statement that the database guards: what
two requests decided at the same moment can still not both happen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from classbolt import cards, credits, holdings, payments, sessions
from classbolt.booking_rules import (
    PayWith,
    against_session,
    amount_of,
    choose,
    with_cards,
    with_staff_options,
)
from classbolt.bookings import (
    BOOKED,
    HELD,
    Booking,
    places_of,
    write_bookings,
)
from classbolt.customers import whom
from classbolt.db import Tx
from classbolt.errors import (
    NotFound,
    NoWayToBook,
    Refusal,
    Refusals,
    refuse_if,
)
from classbolt.facts import (
    CARD,
    BookingDraft,
    PaymentOption,
    SessionFacts,
    SpendCredit,
    TakeCard,
    WayToBook,
)
from classbolt.outbox import tell_placed
from classbolt.values import (
    Actor,
    BookingId,
    CourseBookingId,
    CustomerId,
    SessionId,
    new_id,
)


@dataclass(frozen=True, slots=True)
class Decision:
    """What the rules say about a draft: how to book and pay, and all that stands against it."""

    draft: BookingDraft
    refusals: tuple[Refusal, ...]
    options: tuple[PaymentOption, ...]


async def booking_options(
    tx: Tx,
    actor: Actor,
    session_id: SessionId,
    customer_id: CustomerId | None,
    *,
    now: datetime,
) -> Decision:
    """Say how a session could be booked at this moment, by whom, and what stands against it.

    Raises:
        NotFound: The session is unknown, or the customer is not for the actor to see.
    """
    found = await sessions.find_sessions(tx, [session_id])
    if session_id not in found:
        raise NotFound().at("session")
    if customer_id is not None or actor.customer_id is not None:
        customer_id = await whom(tx, actor, customer_id)
    draft = await _draft(tx, actor, found[session_id], customer_id, now)
    return await _decide(tx, draft, now)


async def book_session(
    tx: Tx,
    actor: Actor,
    session_id: SessionId,
    customer_id: CustomerId | None,
    pay_with: PayWith,
    *,
    now: datetime,
) -> Booking:
    """Book one session on its own, in whatever way the account's bolt-ons offer.

    Args:
        customer_id: For whom staff book; customers book for themselves.

    Raises:
        Refusals: All reasons against it.
        Refusal: It cannot be asked for in this way.
    """
    holder = await whom(tx, actor, customer_id)
    locked = await sessions.lock_sessions(tx, [session_id], "session")
    return await place(tx, actor, locked[session_id], holder, pay_with, now=now)


async def place(
    tx: Tx,
    actor: Actor,
    session: SessionFacts,
    customer_id: CustomerId,
    pay_with: PayWith,
    *,
    is_swap: bool = False,
    now: datetime,
) -> Booking:
    """Book a session that is locked already.

    Args:
        is_swap: Whether another place is given up for it, so that it cannot wait for a card.

    Raises:
        Refusals: All reasons against it.
        Refusal: It cannot be asked for in this way.
    """
    await holdings.lock_bundles_of(tx, customer_id)
    draft = await _draft(tx, actor, session, customer_id, now)
    decision = await _decide(tx, draft, now)
    way = decision.draft.way
    if way is None:
        raise Refusals(decision.refusals)
    options = [each for each in decision.options if not (is_swap and each.method == CARD)]
    option = choose(options, pay_with)
    refuse_if([*decision.refusals, *option.refusals])
    booking = await _write(tx, actor, decision, way, option, customer_id=customer_id, now=now)
    if booking.status == HELD:
        return booking  # it is told of once it is paid
    await tx.bolt_ons.bookings_written(tx, [booking], now)
    await tell_placed(tx, [booking], now=now)
    return booking


async def _draft(
    tx: Tx,
    actor: Actor,
    session: SessionFacts,
    customer_id: CustomerId | None,
    now: datetime,
) -> BookingDraft:
    if customer_id is None:
        return BookingDraft(session, None, actor, has_place=False)
    has_place = bool(await places_of(tx, customer_id, [session.id]))
    held = await holdings.held_by(tx, [customer_id], now=now)
    return BookingDraft(session, customer_id, actor, has_place, tuple(held[customer_id]))


async def _decide(tx: Tx, draft: BookingDraft, now: datetime) -> Decision:
    """Ask every rule about a draft; nothing is written."""
    (offers,) = await tx.bolt_ons.ways_to_book(tx, [draft], now)
    way = next((offer for offer in offers if isinstance(offer, WayToBook)), None)
    if way is None:
        noes = [offer for offer in offers if isinstance(offer, Refusal)] or [NoWayToBook()]
        return Decision(draft, (*against_session(draft, now), *noes), ())
    draft = replace(draft, way=way)
    (vetoes,) = await tx.bolt_ons.check_booking(tx, [draft], now)
    (options,) = await tx.bolt_ons.payment_options(tx, [draft], now)
    refusals = (*against_session(draft, now), *vetoes)
    options = with_cards(options, takes_cards=tx.account.takes_cards)
    return Decision(draft, refusals, tuple(with_staff_options(draft, options)))


async def _write(
    tx: Tx,
    actor: Actor,
    decision: Decision,
    way: WayToBook,
    option: PaymentOption,
    *,
    customer_id: CustomerId,
    now: datetime,
) -> Booking:
    """Take the seat, write the place and settle it."""
    session = decision.draft.session
    await sessions.take_seats(tx, [session.id])
    credit = option.action if isinstance(option.action, SpendCredit) else None
    payment_id = None
    if credit is None:
        amount = amount_of(option, tx.account.currency)
        payment_id = await payments.record(tx, customer_id, option.method, amount, now=now)
    is_held = isinstance(option.action, TakeCard)
    if is_held:
        assert payment_id is not None
        await cards.hold(tx, payment_id, seats_in=[session], now=now)
    booking = Booking(
        id=BookingId(new_id()),
        session_id=session.id,
        customer_id=customer_id,
        course_booking_id=None,
        way=way.code,
        payment_id=payment_id,
        customer_bundle_id=credit.customer_bundle_id if credit else None,
        origin_id=_origin(decision.draft, credit),
        status=HELD if is_held else BOOKED,
        booked_at=now,
    )
    if credit is not None:
        await credits.spend(
            tx,
            credit.customer_bundle_id,
            customer_id=customer_id,
            session_starts_at=session.starts_at,
            now=now,
        )
    await write_bookings(tx, [booking])
    if credit is not None:
        await credits.enter_spend(tx, actor, credit.customer_bundle_id, booking.id, now=now)
    return booking


def _origin(draft: BookingDraft, credit: SpendCredit | None) -> CourseBookingId | None:
    """Say which course booking earned the credit that pays, if one did (X11)."""
    paying = (each for each in draft.held if credit and each.id == credit.customer_bundle_id)
    return next((each.origin_id for each in paying), None)
