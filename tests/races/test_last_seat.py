"""The last seat of a session goes to one customer, however many ask at the same moment (F5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import bindparam, update

from classbolt import sessions
from classbolt.bolt_ons import BoltOns
from classbolt.checks import mine
from classbolt.db import Database
from classbolt.tables import sessions as session_rows
from invariants import broken
from races import PATIENCE, ROUNDS, add_course, add_crowd, at_once, is_seen, outcome
from studio import Studio, serving

TAKE_SEATS_UNGUARDED = (
    update(session_rows)
    .where(
        mine(session_rows),
        session_rows.c.id.in_(bindparam("session_ids", expanding=True)),
    )
    .values(seats_taken=session_rows.c.seats_taken + 1)
    .returning(session_rows.c.id)
)


async def race_for_one_seat(doors: list[Studio], crowd: list[str], number: int) -> Counter[str]:
    """Let everybody book a session with one seat at once, spread over the servers there are."""
    asks = [
        doors[turn % len(doors)].book(name, "ONE SEAT", number)
        for turn, name in enumerate(crowd)
    ]
    return Counter(outcome(payload) for payload in await at_once(asks))


@pytest.fixture
async def second_door(
    northside: Studio, tmp_path: Path, bolt_ons: BoltOns
) -> AsyncIterator[Studio]:
    """The same studio through another server, with connections of its own."""
    database = Database(northside.database.url, bolt_ons)
    async with serving(database, tmp_path, bolt_ons, northside.clock) as (client, _):
        yield replace(northside, client=client)


async def test_the_last_seat_goes_to_exactly_one_customer(northside: Studio) -> None:
    crowd = await add_crowd(northside, 20, bundle="TEN")
    await add_course(northside, "ONE SEAT", sessions=len(ROUNDS), seats=1)

    for number in ROUNDS:
        outcomes = await race_for_one_seat([northside], crowd, number)

        assert outcomes == {"DONE": 1, "SESSION_FULL": 19}
        assert await northside.seats_left("ONE SEAT", number) == 0


async def test_two_servers_sell_the_last_seat_once(
    northside: Studio, second_door: Studio
) -> None:
    crowd = await add_crowd(northside, 10, bundle="TEN")
    await add_course(northside, "ONE SEAT", sessions=len(ROUNDS), seats=1)

    for number in ROUNDS:
        outcomes = await race_for_one_seat([northside, second_door], crowd, number)

        assert outcomes == {"DONE": 1, "SESSION_FULL": 9}
        assert await second_door.seats_left("ONE SEAT", number) == 0


async def test_a_course_and_a_drop_in_do_not_both_get_the_last_seat(northside: Studio) -> None:
    """Ten want the course of three sessions, ten only the seat in its second one (G1)."""
    crowd = await add_crowd(northside, 20)

    for number in ROUNDS:
        course = f"COURSE {number}"
        await add_course(northside, course, sessions=3, seats=1)
        offline = {"offline": True}
        asked = {"course": northside.ids.courses[course], "payWith": offline}
        payloads = await at_once(
            [
                northside.mutate("bookCourse", asked, as_=name)
                if turn % 2
                else northside.book(name, course, 2, offline)
                for turn, name in enumerate(crowd)
            ]
        )

        drop_ins = Counter(outcome(payload) for payload in payloads[::2])
        members = Counter(outcome(payload) for payload in payloads[1::2])
        winners = (members["DONE"], drop_ins["DONE"])
        assert winners in {(1, 0), (0, 1)}
        assert members == Counter(DONE=winners[0], COURSE_FULL=10 - winners[0])
        assert drop_ins == Counter(DONE=winners[1], SESSION_FULL=10 - winners[1])
        left = [await northside.seats_left(course, each) for each in (1, 2, 3)]
        assert left == ([0, 0, 0] if winners == (1, 0) else [1, 0, 1])


async def test_the_last_seat_is_sold_twice_where_nothing_protects_it(
    unprotected: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = await add_crowd(unprotected, 20, bundle="TEN")
    await add_course(unprotected, "ONE SEAT", sessions=len(PATIENCE), seats=1)
    monkeypatch.setattr(sessions, "TAKE_SEATS", TAKE_SEATS_UNGUARDED)

    async def is_sold_twice(number: int) -> bool:
        return (await race_for_one_seat([unprotected], crowd, number))["DONE"] > 1

    assert await is_seen(is_sold_twice)
    assert "J1 no session is over its capacity" in await broken(unprotected.database.url)
