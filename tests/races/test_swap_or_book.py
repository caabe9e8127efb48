"""A swap and a booking do not both get the last seat; who swapped in vain stays (X4, J1)."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from classbolt import sessions
from invariants import broken
from races import DONE, TRY_AGAIN, Arena, book, outcome, swap
from unprotected import TAKE_SEATS_UNGUARDED

RACE = "swaps against bookings"


@dataclass
class Crowd:
    """Half have a place at home and want to swap it; the others want to book."""

    home: str
    targets: list[str]
    swappers: list[str]
    bookers: list[str]


async def gather(arena: Arena) -> Crowd:
    """Let half of the contenders have a place at home; a target has one seat."""
    (home,) = await arena.add_sessions(1, seats=arena.scale.contenders)
    targets = await arena.add_sessions(arena.most_rounds, seats=1)
    names = await arena.add_crowd(arena.scale.contenders, credits_each=arena.most_rounds + 1)
    return Crowd(home, targets, names[::2], names[1::2])


async def go_home(arena: Arena, crowd: Crowd) -> dict[str, str]:
    """Let every swapper without a place at home book one, and give the bookings of all."""
    there = await arena.places(crowd.home)
    for name in crowd.swappers:
        if (name, crowd.home) not in there:
            assert outcome(await arena.ask(book(name, crowd.home))) == DONE
    return {name: key for (name, _), key in (await arena.places(crowd.home)).items()}


async def race_for_the_seat(
    arena: Arena, crowd: Crowd, places: dict[str, str], target: str
) -> dict[str, str]:
    """Let all ask for the seat at once, and give everybody's outcome."""
    asks = [
        *(swap(name, places[name], target) for name in crowd.swappers),
        *(book(name, target) for name in crowd.bookers),
    ]
    answers = await arena.race(asks)
    return {ask.as_: outcome(answer) for ask, answer in zip(asks, answers, strict=True)}


async def test_a_swap_and_a_booking_do_not_both_get_the_last_seat(arena: Arena) -> None:
    """A swap that is refused has changed nothing: the place and its booking stay (X4, J1)."""
    crowd = await gather(arena)

    async def is_fair(number: int) -> None:
        target = crowd.targets[number]
        places = await go_home(arena, crowd)
        outcomes = await race_for_the_seat(arena, crowd, places, target)

        winners = [name for name, said in outcomes.items() if said == DONE]
        assert len(winners) == 1
        assert set(outcomes.values()) <= {DONE, "SESSION_FULL", TRY_AGAIN}
        assert [name for name, _ in await arena.places(target)] == winners
        places.pop(winners[0], None)
        there = await arena.places(crowd.home)
        assert {name: key for (name, _), key in there.items()} == places
        assert (await arena.seats(crowd.home)).seats_taken == len(places)

    await arena.holds(RACE, is_fair)


async def test_both_get_the_last_seat_where_nothing_protects_it(
    unprotected: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Take the guard off the statement that takes seats, with the transaction and the CHECK."""
    crowd = await gather(unprotected)
    monkeypatch.setattr(sessions, "TAKE_SEATS", TAKE_SEATS_UNGUARDED)

    async def is_sold_twice(number: int) -> bool:
        places = await go_home(unprotected, crowd)
        target = crowd.targets[number]
        outcomes = await race_for_the_seat(unprotected, crowd, places, target)
        return list(outcomes.values()).count(DONE) > 1

    await unprotected.breaks(RACE, is_sold_twice)
    found = await broken(unprotected.doors.settings.database_url)
    assert "J1 no session is over its capacity" in found
