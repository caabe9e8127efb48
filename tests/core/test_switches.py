"""Owners switch bolt-ons per account; every change leaves a line of history (I1-I7)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts_of import database_with
from classbolt import switches
from classbolt.bolt_ons import BoltOns
from classbolt.db import Caller, Database, Tx
from classbolt.errors import BoltOnConflict, Forbidden, NotFound, Unauthenticated
from classbolt.facts import BookingFacts, Terms
from classbolt.hooks import BoltOn, BoltOnInfo
from classbolt.switches import Change, Switch
from classbolt.values import ANONYMOUS, Actor, CustomerId, Role, StaffId, new_id
from studio import at

NOW = at("2027-01-20T10:00")
STUDIO = Caller("northside")
OWNER = Actor(staff_id=StaffId(new_id()), role=Role.OWNER)
ROUNDS = 10


def about(
    code: str, *, requires: Sequence[str] = (), conflicts: Sequence[str] = ()
) -> BoltOnInfo:
    return BoltOnInfo(
        code,
        code.title(),
        "It is for tests.",
        "1.0.0",
        "1.0",
        tuple(requires),
        tuple(conflicts),
    )


class Plain(BoltOn):
    info = about("plain")


class NeedsPlain(BoltOn):
    info = about("needs_plain", requires=["plain"])


class AgainstPlain(BoltOn):
    info = about("against_plain", conflicts=["plain"])


class Decides(BoltOn):
    info = about("decides")

    async def cancellation_terms(
        self, tx: Tx, bookings: Sequence[BookingFacts], now: datetime
    ) -> Sequence[Terms | None]:
        del tx, now
        return [None for _ in bookings]


class DecidesToo(Decides):
    info = about("decides_too")


INSTALLED = BoltOns([Plain(), NeedsPlain(), AgainstPlain(), Decides(), DecidesToo()])


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with database_with(
        database_url, "northside", "southside", bolt_ons=INSTALLED
    ) as database:
        yield database


Move = Callable[..., Awaitable[Switch]]


async def move(
    database: Database,
    code: str,
    how: Move = switches.enable,
    *,
    actor: Actor = OWNER,
    installed: BoltOns = INSTALLED,
    now: datetime = NOW,
) -> Switch:
    """Move a switch of northside in a transaction of its own."""
    return await database.write(STUDIO, lambda tx: how(tx, actor, code, installed, now=now))


async def enable(database: Database, *codes: str) -> None:
    for code in codes:
        await move(database, code)


async def enabled(database: Database, account: str = "northside") -> set[str]:
    async with database.read(Caller(account)) as tx:
        return set(tx.account.enabled)


async def history(database: Database) -> list[Change]:
    async with database.read(STUDIO) as tx:
        return list(await switches.list_changes(tx, OWNER))


async def conflict(made: Awaitable[Any]) -> str:
    """Give the bolt-on that is in the way, as the refusal names it."""
    with pytest.raises(BoltOnConflict) as no:
        await made
    assert no.value.bolt_on in no.value.message
    return no.value.bolt_on


async def test_an_account_begins_with_everything_off(database: Database) -> None:
    """A1: a bolt-on that is installed does nothing for anybody yet."""
    async with database.read(STUDIO) as tx:
        found = switches.list_switches(tx, INSTALLED)

    assert [each.info.code for each in found] == sorted(INSTALLED.installed)
    assert not any(each.enabled for each in found)
    assert await history(database) == []


async def test_a_switch_counts_for_whatever_begins_after_it(database: Database) -> None:
    """I1, I6."""

    async def work(tx: Tx) -> set[str]:
        await switches.enable(tx, OWNER, "plain", INSTALLED, now=NOW)
        return set(tx.account.enabled)

    meanwhile = await database.write(STUDIO, work)

    assert meanwhile == set()
    assert await enabled(database) == {"plain"}


async def test_a_switch_is_of_one_account(database: Database) -> None:
    """I2."""
    await enable(database, "plain")

    assert await enabled(database, "southside") == set()


async def test_every_change_leaves_a_line_of_history(database: Database) -> None:
    """I1."""
    later = NOW + timedelta(days=1)

    await move(database, "plain")
    await move(database, "plain", switches.disable, now=later)

    by_the_owner: Any = {"actor_kind": "STAFF", "actor_id": OWNER.id}
    assert await history(database) == [
        Change("plain", enabled=False, **by_the_owner, changed_at=later),
        Change("plain", enabled=True, **by_the_owner, changed_at=NOW),
    ]


async def test_what_is_as_it_should_be_is_left_alone(database: Database) -> None:
    off = await move(database, "plain", switches.disable)
    first = await move(database, "plain")
    again = await move(database, "plain", now=NOW + timedelta(days=1))

    assert not off.enabled
    assert first.enabled
    assert again.enabled
    assert len(await history(database)) == 1


async def test_on_again_is_on(database: Database) -> None:
    """I3."""
    await move(database, "plain")
    await move(database, "plain", switches.disable)
    await move(database, "plain")

    assert await enabled(database) == {"plain"}


async def test_what_a_bolt_on_needs_must_be_on_before_it_and_stay_on(
    database: Database,
) -> None:
    assert await conflict(move(database, "needs_plain")) == "plain"

    await enable(database, "plain", "needs_plain")

    assert await conflict(move(database, "plain", switches.disable)) == "needs_plain"
    await move(database, "needs_plain", switches.disable)
    await move(database, "plain", switches.disable)
    assert await enabled(database) == set()


async def test_those_that_cannot_be_together_are_not_whichever_says_so(
    database: Database,
) -> None:
    for first, second in (("plain", "against_plain"), ("against_plain", "plain")):
        await enable(database, first)

        assert await conflict(move(database, second)) == first
        assert await enabled(database) == {first}
        await move(database, first, switches.disable)


async def test_two_that_decide_the_same_are_never_on_together(database: Database) -> None:
    await enable(database, "plain", "decides")

    assert await conflict(move(database, "decides_too")) == "decides"

    await move(database, "decides", switches.disable)
    await enable(database, "decides_too")
    assert await enabled(database) == {"plain", "decides_too"}


async def test_of_two_rivals_that_are_switched_on_at_once_one_is_on(database: Database) -> None:
    for _ in range(ROUNDS):
        outcomes = await asyncio.gather(
            move(database, "decides"), move(database, "decides_too"), return_exceptions=True
        )

        on = await enabled(database)
        assert len(on) == 1
        (refusal,) = [each for each in outcomes if isinstance(each, BoltOnConflict)]
        assert refusal.bolt_on in on
        await move(database, on.pop(), switches.disable)


async def test_switching_on_from_many_places_at_once_leaves_one_line(
    database: Database,
) -> None:
    await asyncio.gather(*(move(database, "plain") for _ in range(ROUNDS)))

    assert len(await history(database)) == 1


async def test_only_owners_switch_and_see_who_did(database: Database) -> None:
    await enable(database, "plain")

    for actor, refusal in (
        (Actor(staff_id=StaffId(new_id()), role=Role.MANAGER), Forbidden),
        (Actor(staff_id=StaffId(new_id()), role=Role.STAFF), Forbidden),
        (Actor(customer_id=CustomerId(new_id())), Forbidden),
        (ANONYMOUS, Unauthenticated),
    ):
        for how in (switches.enable, switches.disable):
            with pytest.raises(refusal):
                await move(database, "plain", how, actor=actor)
        async with database.read(STUDIO) as tx:
            with pytest.raises(refusal):
                await switches.list_changes(tx, actor)

    assert await enabled(database) == {"plain"}


async def test_what_is_not_installed_cannot_be_switched(database: Database) -> None:
    for how in (switches.enable, switches.disable):
        with pytest.raises(NotFound) as no:
            await move(database, "waitlist", how)
        assert no.value.path == ("boltOn",)


async def test_what_is_no_longer_installed_is_in_nobodys_way(
    database: Database, database_url: str
) -> None:
    """I8."""
    await enable(database, "decides", "against_plain")
    without = BoltOns([Plain(), DecidesToo()])

    async with database_with(database_url, bolt_ons=without) as other:
        for code in without.installed:
            await move(other, code, installed=without)
        async with other.read(STUDIO) as tx:
            found = switches.list_switches(tx, without)

    assert {each.info.code: each.enabled for each in found} == {
        "decides_too": True,
        "plain": True,
    }
