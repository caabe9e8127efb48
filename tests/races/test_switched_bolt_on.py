"""A bolt-on that is switched counts for whatever begins after the switch (I6).

The owner's own request goes on to act in a second mutation: it begins after the switch is
committed, and others ask at all servers as soon as the owner has been answered. What runs while
the bolt-on is switched goes either way, but never by halves.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from races import CREDIT, DONE, TRY_AGAIN, Arena, Ask, Hosting, input_of, outcome
from unprotected import ReadAhead, Remembering

Outcomes = list[str]


@dataclass(frozen=True)
class Act:
    """What customers do that depends on a bolt-on.

    Attributes:
        prepare: Gives the customers and a session for each round.
        asks: What they ask for in a session, each once.
        comes_of: What an answer says.
        when: What it says when the bolt-on is off, and when it is on.
        check: Checks what is there in the end.
    """

    bolt_on: str
    prepare: Callable[[Arena], Awaitable[tuple[list[str], list[str]]]]
    asks: Callable[[Arena, list[str], str], Awaitable[list[Ask]]]
    comes_of: Callable[[Mapping[str, Any]], str]
    when: tuple[str, str]
    check: Callable[[Arena, list[str], str, Outcomes], Awaitable[None]]


# Booking a drop-in


async def people_with_credits(arena: Arena) -> tuple[list[str], list[str]]:
    size = arena.scale.contenders
    crowd = await arena.add_crowd(size, credits_each=arena.most_rounds)
    return crowd, await arena.add_sessions(arena.most_rounds, seats=size)


async def to_book(arena: Arena, crowd: list[str], session: str) -> list[Ask]:
    return [
        Ask(
            name,
            "bookSession",
            {
                "session": session,
                "payWith": CREDIT,
                "customer": arena.studio.ids.customers[name],
            },
        )
        for name in crowd
    ]


async def whoever_booked_has_a_place(
    arena: Arena, crowd: list[str], session: str, outcomes: Outcomes
) -> None:
    there = {name for name, _ in await arena.places(session)}
    assert there == {name for name, said in zip(crowd, outcomes, strict=True) if said == DONE}
    assert (await arena.seats(session)).seats_taken == len(there)


# Cancelling a course's session


async def people_with_courses(arena: Arena) -> tuple[list[str], list[str]]:
    crowd = await arena.add_crowd(arena.scale.contenders)
    return crowd, await arena.buy_courses(crowd, arena.most_rounds)


async def to_cancel(arena: Arena, crowd: list[str], session: str) -> list[Ask]:
    places = await arena.places(session)
    fields = "cancellation { refund { outcome reason { code } } }"
    return [
        Ask(name, "cancelBooking", {"booking": places[name, session]}, fields) for name in crowd
    ]


def given_back(answer: Mapping[str, Any]) -> str:
    if (said := outcome(answer)) != DONE:
        return said
    *_, payload = answer["data"].values()
    refund = payload["cancellation"]["refund"]
    return str(refund["reason"]["code"] if refund["reason"] else refund["outcome"])


async def whoever_cancelled_is_out(
    arena: Arena, crowd: list[str], session: str, outcomes: Outcomes
) -> None:
    left = {name for name, said in zip(crowd, outcomes, strict=True) if said == TRY_AGAIN}
    assert {name for name, _ in await arena.places(session)} == left
    assert (await arena.seats(session)).seats_taken == len(left)


ACTS = {
    "drop_in switched against bookings": Act(
        "drop_in",
        people_with_credits,
        to_book,
        outcome,
        ("BOLT_ON_DISABLED", DONE),
        whoever_booked_has_a_place,
    ),
    "auto_refund switched against cancelling": Act(
        "auto_refund",
        people_with_courses,
        to_cancel,
        given_back,
        ("BOLT_ON_OFF", "NEW_BUNDLE"),
        whoever_cancelled_is_out,
    ),
}


# The race


def switch_and(ask: Ask, bolt_on: str, *, on: bool) -> Ask:
    """Let the owner switch a bolt-on and then, in the same request, act for a customer."""
    switch = "enableBoltOn" if on else "disableBoltOn"
    document = (
        f"mutation ($switch: {input_of(switch)}!, $act: {input_of(ask.mutation)}!) {{"
        f" {switch}(input: $switch) {{ userErrors {{ code }} }}"
        f" {ask.mutation}(input: $act) {{ {ask.fields} userErrors {{ code }} }} }}"
    )
    variables = {"switch": {"boltOn": bolt_on}, "act": ask.asked}
    return replace(ask, as_="owner", document=document, asked=variables)


async def race_against_the_switch(
    arena: Arena, act: Act, asks: Sequence[Ask], *, on: bool
) -> tuple[Outcomes, Outcomes]:
    """Give what came of those who acted beside the switch, and of those who acted after it.

    The first of them is served by the owner, after the switch.
    """
    first, *others = asks
    beside, after = others[: len(others) // 2], others[len(others) // 2 :]
    answers = await arena.race([switch_and(first, act.bolt_on, on=on), *beside], after)
    owner, *rest = [act.comes_of(answer) for answer in answers]
    return rest[: len(beside)], [owner, *rest[len(beside) :]]


@pytest.mark.parametrize("race", ACTS)
async def test_whatever_begins_after_a_switch_goes_by_it(arena: Arena, race: str) -> None:
    """In turns off, and on again with all as it was (I6, I3)."""
    act = ACTS[race]
    crowd, targets = await act.prepare(arena)

    async def is_fair(number: int) -> None:
        on = bool(number % 2)
        asks = await act.asks(arena, crowd, targets[number])
        before = await arena.balance(*crowd)
        beside, after = await race_against_the_switch(arena, act, asks, on=on)

        assert set(after) <= {act.when[on], TRY_AGAIN}
        assert set(beside) <= {*act.when, TRY_AGAIN}
        outcomes = [after[0], *beside, *after[1:]]
        await act.check(arena, crowd, targets[number], outcomes)
        moved = outcomes.count("NEW_BUNDLE") - outcomes.count(DONE)
        assert await arena.balance(*crowd) == before + moved

    await arena.holds(race, is_fair)


@pytest.mark.parametrize("make", [ReadAhead, Remembering])
@pytest.mark.parametrize("race", ACTS)
async def test_what_was_switched_is_missed_if_the_switches_are_read_before_the_transaction(
    hosting: Hosting, race: str, make: type[ReadAhead]
) -> None:
    """Take away that each transaction reads the switches itself.

    They are read by the request before it, or once by each of two servers.
    """
    act = ACTS[race]
    async with hosting(make, servers=2) as arena:
        crowd, targets = await act.prepare(arena)

        async def is_missed(number: int) -> bool:
            on = bool(number % 2)
            asks = await act.asks(arena, crowd, targets[number])
            _beside, after = await race_against_the_switch(arena, act, asks, on=on)
            return act.when[not on] in after

        await arena.breaks(race, is_missed)
