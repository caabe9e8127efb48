"""A course and a drop-in do not both get the last seat of a session (F5, G1, G2)."""

from __future__ import annotations

from collections import Counter

import pytest

from classbolt import sessions
from invariants import broken
from races import DONE, OFFLINE, TRY_AGAIN, Arena, Ask, book, outcome
from unprotected import TAKE_SEATS_UNGUARDED

RACE = "a course against drop-ins"


async def race_for_the_middle(
    arena: Arena, crowd: list[str]
) -> tuple[Counter[str], Counter[str], list[str]]:
    """Add a course of three sessions with a seat each, which half of the crowd want.

    The others want the second session only. Give the outcomes of both, and the sessions.
    """
    course, there = await arena.add_course(3, seats=1)
    asked = {"course": course, "payWith": OFFLINE}
    members, drop_ins = crowd[::2], crowd[1::2]
    asks = [
        *(Ask(name, "bookCourse", asked, "courseBooking { id }") for name in members),
        *(book(name, there[1], OFFLINE) for name in drop_ins),
    ]
    outcomes = [outcome(answer) for answer in await arena.race(asks)]
    return Counter(outcomes[: len(members)]), Counter(outcomes[len(members) :]), there


async def test_a_course_and_a_drop_in_do_not_both_get_the_last_seat(arena: Arena) -> None:
    """Who buys the course gets a place in each session, or none at all (F5, G1, G2)."""
    crowd = await arena.add_crowd(arena.scale.contenders)

    async def is_fair(_: int) -> None:
        members, drop_ins, there = await race_for_the_middle(arena, crowd)

        winners = (members[DONE], drop_ins[DONE])
        assert winners in {(1, 0), (0, 1)}
        assert set(members) <= {DONE, "COURSE_FULL", TRY_AGAIN}
        assert set(drop_ins) <= {DONE, "SESSION_FULL", TRY_AGAIN}
        taken = [(await arena.seats(session)).seats_taken for session in there]
        assert taken == ([1, 1, 1] if winners == (1, 0) else [0, 1, 0])

    await arena.holds(RACE, is_fair)


async def test_both_get_the_last_seat_where_nothing_protects_it(
    unprotected: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Take the guard off the statement that takes seats, with the transaction and the CHECK."""
    crowd = await unprotected.add_crowd(unprotected.scale.contenders)
    monkeypatch.setattr(sessions, "TAKE_SEATS", TAKE_SEATS_UNGUARDED)

    async def both_win(_: int) -> bool:
        members, drop_ins, _there = await race_for_the_middle(unprotected, crowd)
        return members[DONE] > 0 and drop_ins[DONE] > 0

    await unprotected.breaks(RACE, both_win)
    found = await broken(unprotected.doors.settings.database_url)
    assert "J1 no session is over its capacity" in found
