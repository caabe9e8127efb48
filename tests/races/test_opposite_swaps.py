"""Opposite swaps end in a place or a refusal, and never in a deadlock (X4, S22)."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from classbolt import sessions, swap
from classbolt.db import Database, Tx
from classbolt.facts import SessionFacts
from classbolt.values import CustomerId, SessionId
from races import DEADLOCK, DONE, TRY_AGAIN, Arena, Hosting, book, outcome
from races import swap as ask_to_swap

OPPOSITE = "opposite swaps"
ONE_CUSTOMER = "two swaps of each customer"

Pair = tuple[str, str]
Places = dict[tuple[str, str], str]


async def with_room(arena: Arena, crowd: list[str]) -> Pair:
    """Let half of the crowd book one session and half another, with seats for all in each."""
    one, other = await arena.add_sessions(2, seats=len(crowd))
    for turn, name in enumerate(crowd):
        assert outcome(await arena.ask(book(name, (one, other)[turn % 2]))) == DONE
    return one, other


async def with_a_free_seat(arena: Arena, crowd: list[str]) -> Pair:
    """Let a few book a session that then has one free seat, and all others a roomy one."""
    few = crowd[::4]
    (one,) = await arena.add_sessions(1, seats=len(few) + 1)
    (other,) = await arena.add_sessions(1, seats=len(crowd))
    for name in crowd:
        assert outcome(await arena.ask(book(name, one if name in few else other))) == DONE
    return one, other


async def places_in(arena: Arena, pair: Pair) -> Places:
    """Find the bookings in both sessions, by customer and session."""
    return {**await arena.places(pair[0]), **await arena.places(pair[1])}


async def race_to_swap(
    arena: Arena, places: Places, to: dict[str, str]
) -> dict[tuple[str, str], str]:
    """Let everybody swap to the other session at once, and give what came of each place."""
    asks = [
        ask_to_swap(name, booking, to[session]) for (name, session), booking in places.items()
    ]
    answers = await arena.race(asks)
    return dict(zip(places, map(outcome, answers), strict=True))


async def test_opposite_swaps_end_in_a_place_or_a_refusal(arena: Arena) -> None:
    """In turns with room for all, so that nobody is refused, and for the last seats (X4)."""
    size = arena.scale.contenders
    crowd = await arena.add_crowd(size, credits_each=arena.most_rounds)
    roomy = await with_room(arena, crowd)
    tight = await with_a_free_seat(arena, crowd)

    async def is_fair(number: int) -> None:
        one, other = (roomy, tight)[number % 2]
        to = {one: other, other: one}
        outcomes = await race_to_swap(arena, await places_in(arena, (one, other)), to)

        refused = set(outcomes.values()) - {DONE, TRY_AGAIN}
        assert DONE in outcomes.values()
        assert refused <= (set() if one in roomy else {"SESSION_FULL"})
        there = [
            (name, to[session] if said == DONE else session)
            for (name, session), said in outcomes.items()
        ]
        assert set(await places_in(arena, (one, other))) == set(there)
        for session in (one, other):
            taken = sum(where == session for _, where in there)
            assert (await arena.seats(session)).seats_taken == taken

    await arena.holds(OPPOSITE, is_fair)


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_opposite_swaps_deadlock_if_each_locks_the_place_it_has_first(
    hosting: Hosting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Take away the order in which sessions are locked.

    On PostgreSQL: SQLite's writer has nobody to wait for.
    """
    in_order = sessions.lock_sessions

    async def one_by_one(
        tx: Tx, session_ids: list[SessionId], *path: str | int
    ) -> dict[SessionId, SessionFacts]:
        found: dict[SessionId, SessionFacts] = {}
        for session_id in session_ids:
            found |= await in_order(tx, [session_id], *path)
        return found

    async with hosting(Database) as arena:
        size = arena.scale.contenders
        crowd = await arena.add_crowd(size, credits_each=arena.most_rounds)
        one, other = await with_room(arena, crowd)
        monkeypatch.setattr(sessions, "lock_sessions", one_by_one)

        async def is_deadlocked(_: int) -> bool:
            before = len(arena.doors.contention())
            places = await places_in(arena, (one, other))
            await race_to_swap(arena, places, {one: other, other: one})
            return DEADLOCK in arena.doors.contention()[before:]

        await arena.breaks(OPPOSITE, is_deadlocked)


@pytest.mark.parametrize("kind", ["sqlite"])
async def test_who_swaps_in_vain_loses_their_place_where_nothing_protects_it(
    unprotected: Arena,
) -> None:
    """Take away the transaction: the place is given up before the other one is refused.

    On SQLite, where the twin above has nothing to show.
    """
    size = unprotected.scale.contenders
    crowd = await unprotected.add_crowd(size, credits_each=unprotected.most_rounds)

    async def somebody_is_out(_: int) -> bool:
        one, other = await with_a_free_seat(unprotected, crowd)
        places = await places_in(unprotected, (one, other))
        await race_to_swap(unprotected, places, {one: other, other: one})
        return len(await places_in(unprotected, (one, other))) < size

    await unprotected.breaks(OPPOSITE, somebody_is_out)


async def with_two_places(arena: Arena) -> dict[str, str]:
    """Let half as many customers as contenders book two of four sessions of their own.

    Each place is paid from a bundle of its own. Give whence to where the places can be swapped.
    """
    to: dict[str, str] = {}
    for _ in range(arena.scale.contenders // 2):
        (name,) = await arena.add_crowd(1)
        home = await arena.add_sessions(4, seats=1)
        for session, target in zip(home[:2], home[2:], strict=True):
            bundle = await arena.studio.give(name, "OF 1000")
            paid = {"credit": {"customerBundle": bundle}}
            assert outcome(await arena.ask(book(name, session, paid))) == DONE
            to |= {session: target, target: session}
    return to


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_a_customers_swaps_do_not_wait_for_each_others_credits(arena: Arena) -> None:
    """A swap needs what paid for the old place and all that could pay for the new one.

    On PostgreSQL: SQLite's writer has nobody to wait for.
    """
    to = await with_two_places(arena)

    async def is_fair(_: int) -> None:
        outcomes = await race_to_swap(arena, await arena.places(), to)

        assert set(outcomes.values()) <= {DONE, TRY_AGAIN}

    await arena.holds(ONE_CUSTOMER, is_fair)


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_a_customers_swaps_deadlock_if_each_locks_what_paid_for_its_place_first(
    hosting: Hosting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Take away that a swap locks all that the customer holds before it cancels."""

    async def lock_nothing(_tx: Tx, _customer_id: CustomerId) -> None:
        pass

    async with hosting(Database) as arena:
        to = await with_two_places(arena)
        monkeypatch.setattr(swap, "holdings", SimpleNamespace(lock_bundles_of=lock_nothing))

        async def is_deadlocked(_: int) -> bool:
            before = len(arena.doors.contention())
            await race_to_swap(arena, await arena.places(), to)
            return DEADLOCK in arena.doors.contention()[before:]

        await arena.breaks(ONE_CUSTOMER, is_deadlocked)
