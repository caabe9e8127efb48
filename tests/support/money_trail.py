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
from classbolt.comparing import LOOKS_BACK
from classbolt.db import Caller, Database
from classbolt.refund_news import STATES
from classbolt.stripe_facts import PAYMENT, REFUND
from classbolt.tables import bookings, card_payments, course_bookings, jobs
from classbolt.tables import refunds as refund_rows

PROMISED = (cards.EXPIRE, refunds.SEND)
IS_OVER = ("succeeded", "canceled")
FAILED = ("failed", "canceled")
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
        refunds: What goes back, by the refund's id.
        jobs: What is promised.
    """

    cards: Mapping[UUID, AnyRow]
    statuses: Mapping[UUID, set[str]]
    course_statuses: set[str]
    refunds: Mapping[str, AnyRow]
    jobs: Sequence[AnyRow]


async def books_of(database: Database, slug: str) -> Books:
    """Read our rows, in one snapshot."""
    async with database.read(Caller(slug)) as tx:
        found = await tx.all(select(card_payments).where(mine(card_payments)))
        statuses = defaultdict(set)
        for row in await tx.all(select(bookings).where(mine(bookings))):
            statuses[row.payment_id].add(row.status)
        courses = await tx.all(select(course_bookings.c.status).where(mine(course_bookings)))
        gone = await tx.all(select(refund_rows).where(mine(refund_rows)))
        promised = await tx.all(select(jobs).where(mine(jobs), jobs.c.kind.in_(PROMISED)))
    return Books(
        {row.payment_id: row for row in found},
        statuses,
        {row.status for row in courses},
        {str(row.id): row for row in gone},
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
        *_unheard(books, double),
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
        late, others = _shares(books, given[charge["id"]])
        if card.state == State.PAID:
            if late:
                yield f"{name} has its places, and {late} went back"
            if not books.statuses[payment] <= {BOOKED, CANCELLED}:
                yield f"{name} is paid, its places are {books.statuses[payment]}"
        elif card.state != State.RETURNED:
            yield f"{name} was charged {charge['amount']} for nothing"
        elif late > charge["amount"]:
            yield f"{name} was charged {charge['amount']}: {late} went back"
        elif late + others < charge["amount"]:
            yield f"{name} was charged {charge['amount']}: only {late} + {others} went back"


def _refunds(double: Stripe) -> Iterator[str]:
    """Complain of what was given back twice, or more than was taken."""
    asked = [each["metadata"].get(REFUND) for each in double.objects("refund")]
    ours = [each for each in asked if each]
    if len(ours) != len(set(ours)):
        yield "one refund of ours was given twice"
    for charge, found in _by(double.objects("refund"), "charge").items():
        gone = sum(each["amount"] for each in found if each["status"] not in FAILED)
        taken = next(
            each["amount"] for each in double.objects("charge") if each["id"] == charge
        )
        if gone > taken:
            yield f"of {charge} more went back than was taken: {gone} of {taken}"


def _unheard(books: Books, double: Stripe) -> Iterator[str]:
    """Complain of refunds that are not noted as they are."""
    noted = {row.stripe_refund_id: row.state for row in books.refunds.values()}
    for each in double.objects("refund"):
        seen = STATES.get(each["status"], refunds.SUBMITTED)
        if noted.get(each["id"]) != seen:
            yield f"refund {each['id']} is {seen}, and noted as {noted.get(each['id'])}"


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


def _shares(books: Books, found: Sequence[Object]) -> tuple[int, int]:
    """Tell what we gave back because it was too late from what others did.

    What comes back from the bank is asked for once only: staff see to it. What others gave and
    did not arrive is as if it had not been given.
    """
    ids = {id_ for id_, row in books.refunds.items() if row.cause == refunds.LATE}
    late = [each for each in found if each["metadata"].get(REFUND) in ids]
    others = [each for each in found if each not in late and each["status"] not in FAILED]
    return sum(each["amount"] for each in late), sum(each["amount"] for each in others)


def _by(objects: Sequence[Object], name: str) -> defaultdict[str, list[Object]]:
    grouped = defaultdict(list)
    for each in objects:
        grouped[each[name]].append(each)
    return grouped
