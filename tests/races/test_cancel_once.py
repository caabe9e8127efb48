"""A booking is cancelled once, however often that is asked at the same moment (B9, X10, J3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import bindparam, update

from classbolt import credits, release
from classbolt.bookings import CANCELLED
from classbolt.checks import mine
from classbolt.tables import bookings, customer_bundles
from invariants import broken
from races import DONE, TRY_AGAIN, Arena, Ask, book, outcome

CANCEL_UNGUARDED = (
    update(bookings)
    .where(mine(bookings), bookings.c.id.in_(bindparam("booking_ids", expanding=True)))
    .values(status=CANCELLED)
    .returning(bookings.c.id)
)
PUT_BACK_UNGUARDED = (
    update(customer_bundles)
    .where(
        mine(customer_bundles),
        customer_bundles.c.id.in_(bindparam("customer_bundle_ids", expanding=True)),
    )
    .values(balance=customer_bundles.c.balance + bindparam("number"))
    .returning(customer_bundles.c.id)
)
CANCELLATION = "alreadyCancelled cancellation { refund { outcome customerBundle { id } } }"


async def with_credits(arena: Arena) -> tuple[str, list[str]]:
    """Let a customer book a session for each round with credits, which go back there."""
    (name,) = await arena.add_crowd(1, credits_each=arena.most_rounds)
    there = await arena.add_sessions(arena.most_rounds, seats=1)
    for session in there:
        assert outcome(await arena.ask(book(name, session))) == DONE
    return name, there


async def as_a_course(arena: Arena) -> tuple[str, list[str]]:
    """Let a customer buy a course with a session for each round: each gives a new bundle."""
    (name,) = await arena.add_crowd(1)
    return name, await arena.buy_courses([name], arena.most_rounds)


Buy = Callable[[Arena], Awaitable[tuple[str, list[str]]]]
BOUGHT: dict[str, Buy] = {
    "cancelling a drop-in many times": with_credits,
    "cancelling a course's session many times": as_a_course,
}


async def race_to_cancel(arena: Arena, name: str, booking: str) -> list[dict[str, Any]]:
    """Let everybody's device cancel the same booking at once."""
    asked = {"booking": booking}
    ask = Ask(name, "cancelBooking", asked, CANCELLATION)
    return await arena.race([ask] * arena.scale.contenders)


def told(answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the payloads of those who were told of the cancellation."""
    return [answer["data"]["cancelBooking"] for answer in answers if outcome(answer) == DONE]


@pytest.mark.parametrize("race", BOUGHT)
async def test_a_booking_cancelled_many_times_at_once_gives_one_credit(
    arena: Arena, race: str
) -> None:
    """All are told of the first cancellation, which alone moved a seat and a credit.

    See B9, X10, J3 and J4.
    """
    name, there = await BOUGHT[race](arena)
    places = await arena.places()

    async def is_fair(number: int) -> None:
        before = await arena.balance(name)
        answers = await race_to_cancel(arena, name, places[name, there[number]])

        assert {outcome(answer) for answer in answers} <= {DONE, TRY_AGAIN}
        first = [payload for payload in told(answers) if not payload["alreadyCancelled"]]
        assert len(first) == 1
        assert len({str(payload["cancellation"]) for payload in told(answers)}) == 1
        assert await arena.balance(name) == before + 1
        assert (await arena.seats(there[number])).seats_taken == 0

    await arena.holds(race, is_fair)


@pytest.mark.parametrize("race", BOUGHT)
async def test_a_booking_is_cancelled_twice_where_nothing_protects_it(
    unprotected: Arena, race: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Take the guards off the statements that cancel and that give back.

    With them go the transaction and what is unique of a cancellation and a credit.
    """
    name, there = await BOUGHT[race](unprotected)
    places = await unprotected.places()
    monkeypatch.setattr(release, "CANCEL", CANCEL_UNGUARDED)
    monkeypatch.setattr(credits, "PUT_BACK", PUT_BACK_UNGUARDED)

    async def is_cancelled_twice(number: int) -> bool:
        answers = await race_to_cancel(unprotected, name, places[name, there[number]])
        return Counter(each["alreadyCancelled"] for each in told(answers))[False] > 1

    await unprotected.breaks(race, is_cancelled_twice)
    found = await broken(unprotected.doors.settings.database_url)
    assert "J1 seats taken are the active bookings and those that are held" in found
    assert "J3 at most one credit comes back for a booking" in found
    assert "J4 a cancelled booking has one cancellation, an active one none" in found
