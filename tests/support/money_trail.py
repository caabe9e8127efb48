"""What became of all money: what Stripe took and gave back, held against our rows.

Each charge belongs to a place, or has gone back, once. Nothing is left to be decided.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import select

from classbolt import cards, refunds
from classbolt.bookings import BOOKED, CANCELLED, HELD
from classbolt.card_rules import State
from classbolt.checks import mine
from classbolt.columns import AnyRow
from classbolt.db import Caller, Database
from classbolt.paying import LOOKS_BACK
from classbolt.stripe_facts import PAYMENT, REFUND
from classbolt.tables import bookings, card_payments, course_bookings, jobs
from classbolt.tables import refunds as refund_rows

PROMISED = (cards.EXPIRE, refunds.SEND)
IS_OVER = ("succeeded", "canceled")
A_MOMENT = timedelta(minutes=1)

Object = dict[str, Any]


class Stripe(Protocol):
    """Whoever knows what Stripe has."""

    def objects(self, kind: str) -> Sequence[Object]:
        """List what it has of a kind, the oldest first."""


@dataclass(frozen=True)
class Books:
    """Our rows about one account's payments by card.

    Attributes:
        cards: By payment.
        statuses: How the places that each payment is for stand.
        course_statuses: How course bookings stand.
        late: What is to go back because it was paid too late, by the refund's id.
        jobs: What is promised.
    """

    cards: Mapping[UUID, AnyRow]
    statuses: Mapping[UUID, set[str]]
    course_statuses: set[str]
    late: Mapping[str, AnyRow]
    jobs: Sequence[AnyRow]


async def books_of(database: Database, slug: str) -> Books:
    """Read our rows, in one snapshot."""
    async with database.read(Caller(slug)) as tx:
        found = await tx.all(select(card_payments).where(mine(card_payments)))
        statuses = defaultdict(set)
        for row in await tx.all(select(bookings).where(mine(bookings))):
            statuses[row.payment_id].add(row.status)
        courses = await tx.all(select(course_bookings.c.status).where(mine(course_bookings)))
        late = await tx.all(
            select(refund_rows).where(mine(refund_rows), refund_rows.c.cause == refunds.LATE)
        )
        promised = await tx.all(select(jobs).where(mine(jobs), jobs.c.kind.in_(PROMISED)))
    return Books(
        {row.payment_id: row for row in found},
        statuses,
        {row.status for row in courses},
        {str(row.id): row for row in late},
        promised,
    )


def complaints(
    books: Books,
    double: Stripe,
    *,
    now: datetime,
    looked_at: datetime,
    handed_out: Collection[str],
) -> list[str]:
    """Say all that is wrong, in words; the rows themselves are for the doctor.

    Args:
        books: Our rows.
        double: Stripe.
        now: What is promised for later may wait.
        looked_at: When the latest payments were looked at in the end.
        handed_out: Which PaymentIntents somebody was given the means to pay.
    """
    return [
        *_undecided(books, now),
        *_charges(books, double),
        *_refunds(double),
        *_unpaid(books, double),
        *_payable(double, looked_at, handed_out),
    ]


def _undecided(books: Books, now: datetime) -> Iterator[str]:
    """Complain of what is held, or promised and not done."""
    for payment, card in books.cards.items():
        if card.state == State.PENDING or HELD in books.statuses[payment]:
            yield f"payment {payment} is not decided"
    if HELD in books.course_statuses:
        yield "a course is held"
    for job in books.jobs:
        if job.died_at is not None or job.run_at <= now:
            yield f"the job {job.kind} is not done: {job.last_failure}"


def _charges(books: Books, double: Stripe) -> Iterator[str]:
    """Complain of money that was taken and is neither for a place nor given back once."""
    given = _by(double.objects("refund"), "charge")
    seen = set()
    for charge in double.objects("charge"):
        if charge["status"] != "succeeded":
            continue
        payment = UUID(charge["metadata"][PAYMENT])
        card = books.cards[payment]
        name = f"payment {payment} ({card.state}, {card.ended_because})"
        if payment in seen:
            yield f"{name} was charged twice"
        seen.add(payment)
        ours, before = _late(books, given[charge["id"]])
        gone = sum(each["amount"] for each in ours)
        if card.state == State.PAID:
            if gone:
                yield f"{name} has its places, and {gone} went back"
            if not books.statuses[payment] <= {BOOKED, CANCELLED}:
                yield f"{name} is paid, its places are {books.statuses[payment]}"
        elif card.state != State.RETURNED:
            yield f"{name} was charged {charge['amount']} for nothing"
        elif (gone != charge["amount"] - before or len(ours) > 1) and not (
            before and _is_left_to_staff(books, payment)
        ):
            yield f"{name} was charged {charge['amount']}: {before} + {gone} went back"


def _is_left_to_staff(books: Books, payment: UUID) -> bool:
    """Say whether Stripe refused to give all back, since somebody had given back a part.

    What is left is then owed by staff, who are told: such a refund has failed.
    """
    return any(
        row.state == refunds.FAILED for row in books.late.values() if row.payment_id == payment
    )


def _refunds(double: Stripe) -> Iterator[str]:
    """Complain of what was given back twice, or more than was taken."""
    asked = [each["metadata"].get(REFUND) for each in double.objects("refund")]
    ours = [each for each in asked if each]
    if len(ours) != len(set(ours)):
        yield "one refund of ours was given twice"
    for charge, found in _by(double.objects("refund"), "charge").items():
        gone = sum(
            each["amount"] for each in found if each["status"] not in {"failed", "canceled"}
        )
        taken = next(
            each["amount"] for each in double.objects("charge") if each["id"] == charge
        )
        if gone > taken:
            yield f"of {charge} more went back than was taken: {gone} of {taken}"


def _unpaid(books: Books, double: Stripe) -> Iterator[str]:
    """Complain of places that nobody has paid for."""
    paid = {
        each["metadata"][PAYMENT]
        for each in double.objects("payment_intent")
        if each["status"] == "succeeded"
    }
    for payment, card in books.cards.items():
        if card.state in {State.PAID, State.RETURNED} and str(payment) not in paid:
            yield f"payment {payment} is {card.state}, and nobody paid"


def _payable(double: Stripe, looked_at: datetime, handed_out: Collection[str]) -> Iterator[str]:
    """Complain of what can still be paid at Stripe.

    What was begun by who died before it was noted was handed to nobody. It is cancelled when
    the latest payments are looked at; only what was not looked at for a day stays.
    """
    since = (looked_at - LOOKS_BACK + A_MOMENT).timestamp()
    for intent in double.objects("payment_intent"):
        is_out_of_sight = intent["created"] < since and intent["id"] not in handed_out
        if intent["status"] not in IS_OVER and not is_out_of_sight:
            yield f"payment {intent['metadata'][PAYMENT]} is open: {intent['status']}"


def _late(books: Books, found: Sequence[Object]) -> tuple[list[Object], int]:
    """Tell what went back because it was too late, and how much others gave back before."""
    ours = [each for each in found if each["metadata"].get(REFUND) in books.late]
    before = 0
    for each in found:
        if each in ours:
            break
        before += each["amount"]
    return ours, before


def _by(objects: Sequence[Object], name: str) -> defaultdict[str, list[Object]]:
    grouped = defaultdict(list)
    for each in objects:
        grouped[each[name]].append(each)
    return grouped
