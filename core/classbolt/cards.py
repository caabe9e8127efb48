"""Payments by card as they stand here, and the seats that they hold.

Whatever moves one locks the customer, then the sessions, then the payment itself, and asks the
pure rule what is to be done: who comes second finds it done. Stripe is never spoken to here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, or_, select, update

from classbolt import customers, late, sessions, sold
from classbolt.bookings import BOOKED, BOOKINGS, EXPIRED, HELD, Booking, make_room_for
from classbolt.card_rules import Because, Fate, Standing, State, fate
from classbolt.checks import mine
from classbolt.columns import AnyRow
from classbolt.db import Tx
from classbolt.disputes import LOST_MINOR
from classbolt.errors import CardUnavailable, NotFound, TryAgain
from classbolt.facts import SessionFacts
from classbolt.jobs import NewJob, enqueue
from classbolt.outbox import tell_placed
from classbolt.sold import Purchase
from classbolt.stripe_facts import Intent
from classbolt.stripe_links import link_in_force
from classbolt.tables import bookings, card_payments, course_bookings, payments
from classbolt.values import (
    SYSTEM,
    CustomerId,
    Money,
    PaymentId,
    SessionId,
    StripeLinkId,
)

EXPIRE: Final = "payments.expire"
"""The kind of the job that gives seats up when their hold has run out."""


@dataclass(frozen=True, slots=True)
class CardPayment:
    """A payment by card.

    Attributes:
        hold_until: Until when its seats are held, while it is pending.
        because: Why no place came of it.
        intent_id: Stripe's name for it, once we have heard of it.
        lost_minor: What banks took of it: disputes that were lost.
    """

    id: PaymentId
    customer_id: CustomerId
    amount: Money
    link_id: StripeLinkId
    state: State
    hold_until: datetime
    because: Because | None
    intent_id: str | None
    captured_minor: int
    refunded_minor: int
    refunded_elsewhere_minor: int
    lost_minor: int

    @property
    def refundable_minor(self) -> int:
        """Say how much of it has not gone back."""
        gone = self.refunded_minor + self.refunded_elsewhere_minor + self.lost_minor
        return max(0, self.captured_minor - gone)


CARD_PAYMENTS = (
    select(
        card_payments.c.payment_id,
        payments.c.customer_id,
        payments.c.amount_minor,
        card_payments.c.link_id,
        card_payments.c.state,
        card_payments.c.hold_until,
        card_payments.c.ended_because,
        card_payments.c.intent_id,
        card_payments.c.captured_minor,
        card_payments.c.refunded_minor,
        card_payments.c.refunded_elsewhere_minor,
        LOST_MINOR.label("lost_minor"),
    )
    .join(
        payments,
        (payments.c.account_id == card_payments.c.account_id)
        & (payments.c.id == card_payments.c.payment_id),
    )
    .where(mine(card_payments))
)
BY_ID = CARD_PAYMENTS.where(card_payments.c.payment_id.in_(bindparam("ids", expanding=True)))
BY_INTENT = CARD_PAYMENTS.where(
    card_payments.c.intent_id.in_(bindparam("intents", expanding=True))
)
LOCK = BY_ID.with_for_update(of=card_payments)
THAT_ONE = (mine(card_payments), card_payments.c.payment_id == bindparam("payment"))
NOTE_INTENT = (
    update(card_payments)
    .where(
        *THAT_ONE,
        or_(
            card_payments.c.intent_id.is_(None),
            card_payments.c.intent_id == bindparam("intent"),
        ),
    )
    .values(intent_id=bindparam("intent"))
    .returning(card_payments.c.state)
)
MOVE = (
    update(card_payments)
    .where(*THAT_ONE)
    .values(
        state=bindparam("to"),
        ended_because=bindparam("because"),
        captured_minor=bindparam("captured"),
    )
)
NOTE_PAID = (
    update(payments)
    .where(mine(payments), payments.c.id == bindparam("payment"))
    .values(paid_at=bindparam("now"))
)
PLACES_PAID_BY = BOOKINGS.where(bookings.c.payment_id == bindparam("payment")).order_by(
    bookings.c.session_id
)
MOVE_PLACES = (
    update(bookings)
    .where(
        mine(bookings),
        bookings.c.payment_id == bindparam("payment"),
        bookings.c.status == bindparam("was"),
    )
    .values(status=bindparam("becomes"))
    .returning(bookings.c.session_id)
)
MOVE_COURSE = (
    update(course_bookings)
    .where(
        mine(course_bookings),
        course_bookings.c.payment_id == bindparam("payment"),
        course_bookings.c.status == bindparam("was"),
    )
    .values(status=bindparam("becomes"))
)
GIVE_UP_PLACES = (
    update(bookings)
    .where(
        mine(bookings),
        bookings.c.session_id.in_(bindparam("session_ids", expanding=True)),
        bookings.c.status == HELD,
    )
    .values(status=EXPIRED)
    .returning(bookings.c.session_id, bookings.c.payment_id)
)
OVERDUE = select(card_payments.c.payment_id).where(
    mine(card_payments),
    card_payments.c.state == State.PENDING.value,
    card_payments.c.hold_until <= bindparam("now"),
)


async def hold(
    tx: Tx, payment_id: PaymentId, *, seats_in: Sequence[SessionFacts] = (), now: datetime
) -> None:
    """Begin a payment: its seats are held until it is paid, or for a while.

    Args:
        seats_in: Where it holds seats: for no longer than until the last of them is over.

    Raises:
        CardUnavailable: The account was unlinked from Stripe at this very moment.
    """
    link = await link_in_force(tx)
    if link is None:
        raise CardUnavailable().at("payWith")
    ends = now + link.hold
    hold_until = min(ends, max((each.ends_at for each in seats_in), default=ends))
    await tx.insert(
        card_payments,
        {
            "payment_id": payment_id,
            "link_id": link.id,
            "state": State.PENDING.value,
            "hold_until": hold_until,
        },
    )
    job = NewJob(EXPIRE, {"payment": str(payment_id)}, run_at=hold_until)
    await enqueue(tx, [job], now=now)


async def find_card_payments(
    tx: Tx, ids: Collection[PaymentId]
) -> Mapping[PaymentId, CardPayment]:
    """Find payments by card; others are left out."""
    return {row.payment_id: _card(tx, row) for row in await tx.all(BY_ID, {"ids": list(ids)})}


async def of_intents(tx: Tx, intents: Collection[str]) -> list[PaymentId]:
    """Find the payments of these PaymentIntents; those of others are left out."""
    return [row.payment_id for row in await tx.all(BY_INTENT, {"intents": list(intents)})]


async def overdue(tx: Tx, *, now: datetime) -> list[PaymentId]:
    """Find the payments whose hold has run out."""
    return [PaymentId(row.payment_id) for row in await tx.all(OVERDUE, {"now": now})]


async def note_intent(tx: Tx, payment_id: PaymentId, intent_id: str) -> bool:
    """Note what Stripe calls a payment; False if it is over, or called otherwise.

    What is over is noted too: if it was paid all the same, the money can only be found by it.
    """
    told = {"payment": payment_id, "intent": intent_id}
    return bool(await tx.scalar(NOTE_INTENT, told) == State.PENDING)


async def settle(
    tx: Tx,
    payment_id: PaymentId,
    seen: Intent | None,
    *,
    because: Because = Because.CANCELLED,
    now: datetime,
) -> Fate:
    """Bring a payment to where Stripe says that it is. Doing it again changes nothing.

    The money of one that is RETURNED is still to be promised, once it is noted what others gave
    back of it: `refunds.return_rest`.

    Args:
        seen: What Stripe says; None if it was never told of the payment, and nobody can pay.
        because: Why its seats are given up, if they are.

    Raises:
        NotFound: There is no such payment.
        TryAgain: Stripe was told of it meanwhile, or the customer was merged.
    """
    card, places, by_id, is_there = await _lock(tx, payment_id)
    if seen is None and card.intent_id is not None:
        raise TryAgain
    captured = seen.captured_minor if seen else 0
    # Nothing is booked for less than it costs, whoever changed the amount at Stripe.
    is_enough = captured >= card.amount.amount_minor
    is_held = all(each.status == HELD for each in places)
    # Who holds places is not erased. A bundle holds none, and nobody would get its credits.
    has_holder = is_there or bool(places)
    standing = Standing(
        card.state,
        card.because,
        is_held and is_enough and has_holder,
        is_enough and is_there and await _can_be_had_again(tx, card, places, by_id, now),
    )
    found = fate(
        standing,
        is_paid=seen is not None and seen.is_paid,
        is_cancelled=seen is None or seen.is_cancelled,
    )
    why = because if is_held else Because.CALLED_OFF
    match found:
        case Fate.BOOK:
            await _book(tx, card, HELD, captured, now)
        case Fate.BOOK_AGAIN:
            await sessions.take_seats(tx, [each.session_id for each in places])
            if places and places[0].course_booking_id is not None:
                await make_room_for(tx, places[0].course_booking_id)
            await _book(tx, card, EXPIRED, captured, now)
        case Fate.GIVE_UP:
            await _give_up(tx, payment_id)
            await _move(tx, payment_id, State.EXPIRED, why, 0)
        case Fate.RETURN:
            await _give_up(tx, payment_id)
            await _move(tx, payment_id, State.RETURNED, card.because or why, captured)
    return found


async def give_up_places_in(
    tx: Tx, session_ids: Collection[SessionId], *, now: datetime
) -> None:
    """Give up the places that are held in sessions which are called off, and are locked.

    What else their payments hold is given up, and the money goes back if it came, as soon as
    Stripe has been told.
    """
    gone = await tx.all(GIVE_UP_PLACES, {"session_ids": list(session_ids)})
    await sessions.free_seats(tx, Counter(SessionId(row.session_id) for row in gone))
    jobs = [
        NewJob(EXPIRE, {"payment": str(each)})
        for each in dict.fromkeys(row.payment_id for row in gone)
    ]
    await enqueue(tx, jobs, now=now)


async def _lock(
    tx: Tx, payment_id: PaymentId
) -> tuple[CardPayment, list[Booking], dict[SessionId, SessionFacts], bool]:
    """Lock who pays, what a payment holds, and itself, in the order in which everybody does.

    Returns:
        Last, whether the customer is still there.
    """
    before = (await find_card_payments(tx, [payment_id])).get(payment_id)
    if before is None:
        raise NotFound().at("payment")
    is_there = await customers.hold(tx, before.customer_id)
    held = [Booking(*row) for row in await tx.all(PLACES_PAID_BY, {"payment": payment_id})]
    by_id = await sessions.lock_sessions(tx, [each.session_id for each in held])
    (row,) = await tx.all(LOCK, {"ids": [payment_id]})
    if row.customer_id != before.customer_id:
        raise TryAgain
    # Read again: until the sessions were locked, somebody might have called one off.
    places = [Booking(*row) for row in await tx.all(PLACES_PAID_BY, {"payment": payment_id})]
    return _card(tx, row), places, by_id, is_there


async def _can_be_had_again(
    tx: Tx,
    card: CardPayment,
    places: Sequence[Booking],
    by_id: Mapping[SessionId, SessionFacts],
    now: datetime,
) -> bool:
    """Ask whether what ran out of time could be had at this moment."""
    if card.state is not State.EXPIRED or card.because is not Because.TIMEOUT:
        return False
    if not places:
        return await sold.can_still_be_bought(tx, await _bought(tx, card.id))
    return await late.can_be_booked_again(tx, places, by_id, card.amount, now=now)


async def _book(tx: Tx, card: CardPayment, was: str, captured: int, now: datetime) -> None:
    """Make places of what was held, or given up, and tell of them."""
    moved = {"payment": card.id, "was": was, "becomes": BOOKED}
    await tx.execute(MOVE_COURSE, moved)
    await tx.execute(MOVE_PLACES, moved)
    await _move(tx, card.id, State.PAID, None, captured)
    await tx.execute(NOTE_PAID, {"payment": card.id, "now": now})
    written = [Booking(*row) for row in await tx.all(PLACES_PAID_BY, {"payment": card.id})]
    if not written:
        await sold.issue_paid(tx, SYSTEM, await _bought(tx, card.id), now=now)
        return
    await tx.bolt_ons.bookings_written(tx, written, now)
    await tell_placed(tx, written, now=now)


async def _give_up(tx: Tx, payment_id: PaymentId) -> None:
    """Give up what a payment still holds, and free the seats."""
    moved = {"payment": payment_id, "was": HELD, "becomes": EXPIRED}
    await tx.execute(MOVE_COURSE, moved)
    gone = await tx.all(MOVE_PLACES, moved)
    await sessions.free_seats(tx, Counter(SessionId(row.session_id) for row in gone))
    for bought in (await sold.find_purchases(tx, [payment_id])).values():
        await sold.forget(tx, bought)


async def _bought(tx: Tx, payment_id: PaymentId) -> Purchase:
    return (await sold.find_purchases(tx, [payment_id]))[payment_id]


async def _move(
    tx: Tx, payment_id: PaymentId, to: State, because: Because | None, captured: int
) -> None:
    await tx.execute(
        MOVE,
        {
            "payment": payment_id,
            "to": to.value,
            "because": because.value if because else None,
            "captured": captured,
        },
    )


def _card(tx: Tx, row: AnyRow) -> CardPayment:
    return CardPayment(
        id=row.payment_id,
        customer_id=row.customer_id,
        amount=Money(row.amount_minor, tx.account.currency),
        link_id=row.link_id,
        state=State(row.state),
        hold_until=row.hold_until,
        because=Because(row.ended_because) if row.ended_because else None,
        intent_id=row.intent_id,
        captured_minor=row.captured_minor,
        refunded_minor=row.refunded_minor,
        refunded_elsewhere_minor=row.refunded_elsewhere_minor,
        lost_minor=row.lost_minor,
    )
