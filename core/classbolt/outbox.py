"""The outbox: bolt-ons are told of what has happened, after its commit and until they heard it.

Each bolt-on that wants to hear of an event gets a delivery of its own, so that one which fails
neither holds up nor repeats another's. Who gets one is decided when it happens; one that has
been switched off meanwhile gets it when it is on again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter

from classbolt.bolt_ons import BoltOns
from classbolt.bookings import Booking
from classbolt.db import Caller, Database, Tx
from classbolt.events import BookingCancelled, BookingPlaced
from classbolt.facts import BookingFacts
from classbolt.jobs import Job, NewJob, enqueue
from classbolt.values import JobId

T = TypeVar("T")
Event = BookingPlaced | BookingCancelled

WRITE_SECONDS: Final = 10
"""How long a bolt-on may keep a transaction open: others wait for it."""
EVENTS: Final[Mapping[str, TypeAdapter[Any]]] = {
    "booking_placed": TypeAdapter(BookingPlaced),
    "booking_cancelled": TypeAdapter(BookingCancelled),
}
"""What a hook tells of, kept as JSON until it is told."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a bolt-on can do when it is told of an event, outside of any transaction.

    Attributes:
        id: The same each time that this event is told to this bolt-on: what it asks of others
            under this key, they do once.
        attempt: How often it was told, this time included.
        now: The moment; do not read the clock.
    """

    id: JobId
    attempt: int
    now: datetime
    _database: Database
    _caller: Caller

    async def write(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        """Do the work in one write transaction of the account and commit it.

        It may be done again from its beginning, so all that it does goes through its `tx`.

        Raises:
            TryAgain: The rows stayed contended.
            TimeoutError: It took too long, and was rolled back.
        """

        async def in_time(tx: Tx) -> T:
            async with asyncio.timeout(WRITE_SECONDS):
                return await work(tx)

        return await self._database.write(self._caller, in_time)

    def read(self) -> AbstractAsyncContextManager[Tx]:
        """Open one snapshot of the account to read from."""
        return self._database.read(self._caller)


async def tell_placed(tx: Tx, places: Sequence[Booking], *, now: datetime) -> None:
    """Promise to tell the account's bolt-ons of places that were booked."""
    events = [
        BookingPlaced(
            each.id, each.session_id, each.customer_id, each.course_booking_id, each.booked_at
        )
        for each in places
    ]
    await _tell_later(tx, "booking_placed", events, now)


async def tell_cancelled(tx: Tx, places: Sequence[BookingFacts], *, now: datetime) -> None:
    """Promise to tell the account's bolt-ons of places that were given up."""
    events = [
        BookingCancelled(each.id, each.session.id, each.customer_id, each.by_business, now)
        for each in places
    ]
    await _tell_later(tx, "booking_cancelled", events, now)


async def _tell_later(tx: Tx, hook: str, events: Sequence[Event], now: datetime) -> None:
    """Promise a delivery of each event to each bolt-on that is on and wants to hear of it."""
    dump = EVENTS[hook].dump_python
    deliveries = [
        NewJob(_kind(bolt_on, hook), dump(event, mode="json"), bolt_on)
        for event in events
        for bolt_on in tx.bolt_ons.answering(hook)
    ]
    await enqueue(tx, deliveries, now=now)


def kinds(bolt_ons: BoltOns) -> list[str]:
    """List what can be told here: the hooks that the installed bolt-ons answer."""
    return [_kind(code, hook) for hook in EVENTS for code in bolt_ons.answering(hook)]


async def deliver(database: Database, bolt_ons: BoltOns, job: Job, *, now: datetime) -> None:
    """Tell one bolt-on of one event.

    Raises:
        Refusal: The bolt-on failed, or says no: it is told again.
    """
    bolt_on, _, hook = job.kind.partition(".")
    event = EVENTS[hook].validate_python(job.payload)
    delivery = Delivery(job.id, job.attempts, now, database, Caller(job.account))
    await bolt_ons.enabled(frozenset({bolt_on})).deliver(hook, delivery, event)


def _kind(bolt_on: str, hook: str) -> str:
    return f"{bolt_on}.{hook}"
