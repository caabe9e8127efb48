"""Seats are sold once, however many ask for the last ones at the same moment (F5, J1)."""

from __future__ import annotations

from collections import Counter

import pytest

from classbolt import sessions
from invariants import broken
from races import DONE, TRY_AGAIN, Arena, book, outcome
from unprotected import TAKE_SEATS_UNGUARDED

SEATS = {"the last seat": 1, "the last three seats": 3}


async def race_for_seats(arena: Arena, crowd: list[str], session: str) -> Counter[str]:
    """Let everybody book a session at once."""
    answers = await arena.race([book(name, session) for name in crowd])
    return Counter(outcome(answer) for answer in answers)


@pytest.mark.parametrize("race", SEATS)
async def test_the_last_seats_go_to_as_many_customers(arena: Arena, race: str) -> None:
    """One counter of seats for everybody: no more are sold than there are (F5, J1)."""
    crowd = await arena.add_crowd(arena.scale.contenders, credits_each=arena.most_rounds)
    targets = await arena.add_sessions(arena.most_rounds, seats=SEATS[race])

    async def is_fair(number: int) -> None:
        outcomes = await race_for_seats(arena, crowd, targets[number])

        assert outcomes[DONE] == SEATS[race]
        assert set(outcomes) <= {DONE, "SESSION_FULL", TRY_AGAIN}
        assert (await arena.seats(targets[number])).seats_taken == SEATS[race]

    await arena.holds(race, is_fair)


@pytest.mark.parametrize("race", SEATS)
async def test_the_last_seats_are_sold_twice_where_nothing_protects_them(
    unprotected: Arena, race: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Take the guard off the statement that takes seats, with the transaction and the CHECK."""
    crowd = await unprotected.add_crowd(unprotected.scale.contenders, credits_each=100)
    targets = await unprotected.add_sessions(unprotected.most_rounds, seats=SEATS[race])
    monkeypatch.setattr(sessions, "TAKE_SEATS", TAKE_SEATS_UNGUARDED)

    async def is_sold_twice(number: int) -> bool:
        return (await race_for_seats(unprotected, crowd, targets[number]))[DONE] > SEATS[race]

    await unprotected.breaks(race, is_sold_twice)
    found = await broken(unprotected.doors.settings.database_url)
    assert "J1 no session is over its capacity" in found
