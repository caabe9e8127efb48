"""Opposite swaps end in a place or a refusal, and never in a deadlock (X4, S22)."""

from __future__ import annotations

from typing import Any

import pytest

from classbolt import sessions
from classbolt.db import Tx
from classbolt.facts import SessionFacts
from classbolt.values import SessionId
from races import (
    ROUNDS,
    add_course,
    add_crowd,
    at_once,
    is_seen,
    noting_contention,
    outcome,
)
from studio import Studio

DEADLOCK = "40P01"


async def fill(studio: Studio, *, seats: int) -> dict[str, tuple[str, int]]:
    """Let eight customers book two sessions, four each: their bookings and where they are."""
    await add_course(studio, "TWO", sessions=2, seats=seats)
    places = {}
    for turn, name in enumerate(await add_crowd(studio, 8, bundle="TEN")):
        number = turn % 2 + 1
        booked = await studio.book(name, "TWO", number)
        places[name] = (booked["booking"]["id"], number)
    return places


async def race_to_swap(
    studio: Studio, places: dict[str, tuple[str, int]]
) -> dict[str, dict[str, Any]]:
    """Let everybody swap to the other session at once, and note where they are then."""
    asks = [
        studio.mutate(
            "swapBooking",
            {"booking": booking, "toSession": studio.session("TWO", 3 - number)},
            "booking { id }",
            as_=name,
        )
        for name, (booking, number) in places.items()
    ]
    answers = dict(zip(places, await at_once(asks), strict=True))
    for name, payload in answers.items():
        if payload["booking"]:
            places[name] = (payload["booking"]["id"], 3 - places[name][1])
    return answers


async def test_opposite_swaps_all_find_their_place(northside: Studio) -> None:
    places = await fill(northside, seats=8)

    with noting_contention(northside) as contention:
        for _ in ROUNDS:
            answers = await race_to_swap(northside, places)

            assert {outcome(payload) for payload in answers.values()} == {"DONE"}
            assert await northside.seats_left("TWO", 1) == 4
            assert await northside.seats_left("TWO", 2) == 4
    assert DEADLOCK not in contention


async def test_opposite_swaps_for_the_last_seats_end_in_a_place_or_a_refusal(
    northside: Studio,
) -> None:
    places = await fill(northside, seats=5)

    with noting_contention(northside) as contention:
        for _ in ROUNDS:
            answers = await race_to_swap(northside, places)

            outcomes = {outcome(payload) for payload in answers.values()}
            assert "DONE" in outcomes
            assert outcomes <= {"DONE", "SESSION_FULL"}
            for number in (1, 2):
                there = [name for name, place in places.items() if place[1] == number]
                assert await northside.seats_left("TWO", number) == 5 - len(there)
    assert DEADLOCK not in contention


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_opposite_swaps_deadlock_if_each_locks_the_place_it_has_first(
    northside: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Say why the order matters, on PostgreSQL: SQLite's writer has nobody to wait for."""
    in_order = sessions.lock_sessions

    async def one_by_one(
        tx: Tx, session_ids: list[SessionId], *path: str | int
    ) -> dict[SessionId, SessionFacts]:
        found: dict[SessionId, SessionFacts] = {}
        for session_id in session_ids:
            found |= await in_order(tx, [session_id], *path)
        return found

    places = await fill(northside, seats=8)
    monkeypatch.setattr(sessions, "lock_sessions", one_by_one)

    async def is_deadlocked(_: int) -> bool:
        with noting_contention(northside) as contention:
            await race_to_swap(northside, places)
        return DEADLOCK in contention

    assert await is_seen(is_deadlocked)


async def test_a_customers_swaps_do_not_wait_for_each_others_credits(northside: Studio) -> None:
    """A swap needs what paid for the old place and all that could pay for the new one.

    Locked one after the other, two swaps of one customer would each hold what the other needs.
    """
    await add_course(northside, "FOUR", sessions=4, seats=8)
    (name,) = await add_crowd(northside, 1)
    bookings = []
    for number in (1, 2):
        bundle = await northside.give(name, "TEN")
        booked = await northside.book(
            name, "FOUR", number, {"credit": {"customerBundle": bundle}}
        )
        bookings.append(booked["booking"]["id"])
    away, home = (3, 4), (1, 2)

    with noting_contention(northside) as contention:
        for _ in ROUNDS:
            payloads = await at_once(
                [
                    northside.do(
                        "swapBooking",
                        {"booking": booking, "toSession": northside.session("FOUR", number)},
                        "booking { id }",
                        as_=name,
                    )
                    for booking, number in zip(bookings, away, strict=True)
                ]
            )
            bookings = [payload["booking"]["id"] for payload in payloads]
            away, home = home, away
    assert DEADLOCK not in contention
