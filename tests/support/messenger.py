"""A stranger's bolt-on that sends messages: it is told after the commit, and may fail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from sqlalchemy import func, select

from classbolt import BoltOn, BoltOnInfo, BookingCancelled, BookingPlaced, Delivery, Tx, mine
from classbolt.tables import bookings
from classbolt.values import BookingId, JobId


class PostIsDown(Exception):
    """The message cannot be sent just now."""


@dataclass(frozen=True)
class Message:
    """What was sent.

    Attributes:
        places: How many bookings the account had when it was sent.
    """

    key: JobId
    attempt: int
    what: str
    booking: BookingId
    by_business: bool
    places: int
    at: datetime


async def _places(tx: Tx) -> int:
    return int(await tx.scalar(select(func.count(bookings.c.id)).where(mine(bookings))))


class _Sends(BoltOn):
    """Remembers what it was told, unless it is down."""

    sent: list[Message]
    tried: int
    is_down: bool
    meanwhile: Callable[[], Awaitable[object]] | None
    writes: Callable[[Tx], Awaitable[object]]

    def __init__(self) -> None:
        _begin(self)

    async def booking_placed(self, delivery: Delivery, event: BookingPlaced) -> None:
        """Say that a place is booked."""
        await self._send(delivery, "placed", event.booking_id)

    async def booking_cancelled(self, delivery: Delivery, event: BookingCancelled) -> None:
        """Say that a place was given up."""
        await self._send(delivery, "cancelled", event.booking_id, by_business=event.by_business)

    async def _send(
        self, delivery: Delivery, what: str, booking: BookingId, *, by_business: bool = False
    ) -> None:
        self.tried += 1
        if self.is_down:
            raise PostIsDown(f"no message about {booking}")
        if self.meanwhile:
            await self.meanwhile()
        async with delivery.read() as tx:
            places = await _places(tx)
        await delivery.write(self.writes)
        self.sent.append(
            Message(
                delivery.id, delivery.attempt, what, booking, by_business, places, delivery.now
            )
        )


def _begin(post: _Sends) -> None:
    """Let it be as new: nothing was sent, and it is up."""
    post.sent = []
    post.tried = 0
    post.is_down = False
    post.meanwhile = None
    post.writes = _places


class Messenger(_Sends):
    """Sends messages."""

    info: ClassVar[BoltOnInfo] = BoltOnInfo(
        "messenger", "Messenger", "It tells customers what became of their places.", "1.0.0"
    )


class Herald(_Sends):
    """Sends other messages."""

    info: ClassVar[BoltOnInfo] = BoltOnInfo("herald", "Herald", "It tells others.", "1.0.0")


@dataclass
class Post:
    """Both of them."""

    messenger: Messenger = field(default_factory=Messenger)
    herald: Herald = field(default_factory=Herald)

    def begin(self) -> None:
        """Let both begin anew."""
        _begin(self.messenger)
        _begin(self.herald)
