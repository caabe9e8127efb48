"""A booking is cancelled once, however often that is asked at the same moment (B9, X10)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import bindparam, update

from classbolt import cancel
from classbolt.bookings import CANCELLED
from classbolt.checks import mine
from classbolt.tables import bookings
from invariants import broken
from races import PATIENCE, ROUNDS, add_course, add_crowd, at_once, is_seen
from studio import Studio

CANCEL_UNGUARDED = (
    update(bookings)
    .where(mine(bookings), bookings.c.id.in_(bindparam("booking_ids", expanding=True)))
    .values(status=CANCELLED)
    .returning(bookings.c.id)
)
CANCEL_BOOKING = """mutation ($input: CancelBookingInput!) {
  cancelBooking(input: $input) {
    alreadyCancelled
    cancellation { refund { outcome customerBundle { id } } }
    userErrors { code }
  }
}"""

Buy = Callable[[Studio, int], Awaitable[str]]


async def with_credits(studio: Studio, sessions: int) -> str:
    """Let a customer book every session with credits, so that the bundle has room for more."""
    (name,) = await add_crowd(studio, 1, bundle="TEN")
    for number in range(1, sessions + 1):
        booked = await studio.book(name, "COURSE", number)
        assert booked["userErrors"] == []
    return name


async def as_a_course(studio: Studio, _: int) -> str:
    """Let a customer buy the whole course."""
    await studio.add_buyer("Buyer", "COURSE")
    return "Buyer"


async def race_to_cancel(studio: Studio, name: str, number: int) -> list[dict[str, Any]]:
    """Cancel a customer's booking twenty times at once, and give all that is answered."""
    asked = {"input": {"booking": await studio.booking(name, "COURSE", number)}}
    answers = await at_once([studio.ask(CANCEL_BOOKING, asked, as_=name) for _ in range(20)])
    return [answer.body for answer in answers]


def payloads_of(bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the payloads. An answer has none if it failed half-way, as only the twin's may."""
    return [body["data"]["cancelBooking"] for body in bodies if "errors" not in body]


def done(bodies: list[dict[str, Any]]) -> Counter[bool]:
    """Count the answers by whether the booking was cancelled already."""
    return Counter(payload["alreadyCancelled"] for payload in payloads_of(bodies))


async def credits_of(studio: Studio, name: str) -> int:
    """Add up what a customer has to spend."""
    return sum(held["balance"] for held in await studio.bundles(name))


@pytest.mark.parametrize("buy", [with_credits, as_a_course])
async def test_a_booking_cancelled_twenty_times_at_once_gives_one_credit(
    northside: Studio, buy: Buy
) -> None:
    await add_course(northside, "COURSE", sessions=len(ROUNDS), seats=3)
    name = await buy(northside, len(ROUNDS))

    for number in ROUNDS:
        before = await credits_of(northside, name)
        bodies = await race_to_cancel(northside, name, number)

        assert done(bodies) == {False: 1, True: 19}
        assert len({str(payload["cancellation"]) for payload in payloads_of(bodies)}) == 1
        assert await credits_of(northside, name) == before + 1
        assert await northside.seats_left("COURSE", number) == 3


@pytest.mark.parametrize("buy", [with_credits, as_a_course])
async def test_a_booking_is_cancelled_twice_where_nothing_protects_it(
    unprotected: Studio, buy: Buy, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_course(unprotected, "COURSE", sessions=len(PATIENCE), seats=3)
    name = await buy(unprotected, len(PATIENCE))
    monkeypatch.setattr(cancel, "CANCEL", CANCEL_UNGUARDED)

    async def is_cancelled_twice(number: int) -> bool:
        return done(await race_to_cancel(unprotected, name, number))[False] > 1

    assert await is_seen(is_cancelled_twice)
    found = await broken(unprotected.database.url)
    assert "J1 seats taken are the active bookings" in found
    assert "J3 at most one credit comes back for a booking" in found
    assert "J4 a cancelled booking has one cancellation, an active one none" in found
