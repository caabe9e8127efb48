"""A capacity lowered while people book: who was first stays, nobody comes after (X21, J1)."""

from __future__ import annotations

from collections import Counter

import pytest

from classbolt import sessions
from invariants import broken
from races import DONE, TRY_AGAIN, Arena, Ask, book, outcome
from unprotected import TAKE_SEATS_UNGUARDED

RACE = "a capacity lowered against bookings"


def lowered(arena: Arena) -> int:
    """Say how many seats the owner leaves."""
    return arena.scale.contenders // 4


async def race_against_the_owner(
    arena: Arena, crowd: list[str], session: str
) -> tuple[str, Counter[str]]:
    """Let all book while the owner lowers the capacity: give the owner's outcome and theirs."""
    asked = {"session": session, "capacity": lowered(arena)}
    asks = [Ask("owner", "updateSession", asked), *(book(name, session) for name in crowd)]
    owner, *others = (outcome(answer) for answer in await arena.race(asks))
    return owner, Counter(others)


async def test_a_lowered_capacity_keeps_who_was_first_and_takes_nobody_after(
    arena: Arena,
) -> None:
    """Whoever was there when it was lowered is over it, and nobody else (X21, J1)."""
    size = arena.scale.contenders - 1
    crowd = await arena.add_crowd(size, credits_each=arena.most_rounds)
    targets = await arena.add_sessions(arena.most_rounds, seats=size)

    async def is_fair(number: int) -> None:
        owner, outcomes = await race_against_the_owner(arena, crowd, targets[number])

        assert owner in {DONE, TRY_AGAIN}
        assert set(outcomes) <= {DONE, "SESSION_FULL", TRY_AGAIN}
        seats = lowered(arena) if owner == DONE else size
        assert outcomes[DONE] >= seats or not outcomes["SESSION_FULL"]
        found = await arena.seats(targets[number])
        assert found.seats_taken == outcomes[DONE]
        assert found.capacity == seats
        assert found.over_capacity == max(0, outcomes[DONE] - seats)

    await arena.holds(RACE, is_fair)


async def test_seats_over_a_lowered_capacity_are_sold_where_nothing_protects_it(
    unprotected: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Take the guard off the statement that takes seats, with the transaction and the CHECK."""
    size = unprotected.scale.contenders - 1
    crowd = await unprotected.add_crowd(size, credits_each=unprotected.most_rounds)
    targets = await unprotected.add_sessions(unprotected.most_rounds, seats=size)
    monkeypatch.setattr(sessions, "TAKE_SEATS", TAKE_SEATS_UNGUARDED)

    async def is_oversold(number: int) -> bool:
        await race_against_the_owner(unprotected, crowd, targets[number])
        found = await unprotected.seats(targets[number])
        return bool(found.seats_taken > found.capacity + found.over_capacity)

    await unprotected.breaks(RACE, is_oversold)
    found = await broken(unprotected.doors.settings.database_url)
    assert "J1 no session is over its capacity" in found
