"""Owners rename their account and move it to another time zone; it counts from then on (A7)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

import pytest

from classbolt import switches
from classbolt.account_settings import update_account
from classbolt.bolt_ons import BoltOns
from classbolt.db import Caller, Database, Tx
from classbolt.errors import Refusal
from classbolt.hooks import BoltOn, BoltOnInfo
from classbolt.values import SYSTEM
from studio import Studio

ACCOUNT = "account { slug name timeZone currency }"


async def update(studio: Studio, **changes: Any) -> Any:
    """Change the account as its owner."""
    return (await studio.do("updateAccount", changes, ACCOUNT, as_="owner"))["account"]


async def read(studio: Studio) -> Any:
    return (await studio.query(f"{{ {ACCOUNT} }}"))["account"]


async def test_an_owner_changes_name_and_zone_and_nothing_else(northside: Studio) -> None:
    before = await read(northside)

    renamed = await update(northside, name="  Northside Studios ")
    moved = await update(northside, timeZone="America/New_York")
    same = await update(northside)

    assert renamed == {**before, "name": "Northside Studios"}
    assert moved == {**renamed, "timeZone": "America/New_York"}
    assert same == moved == await read(northside)
    assert (before["slug"], before["currency"]) == (moved["slug"], moved["currency"])


async def test_another_account_stays_as_it_is(northside: Studio, southside: Studio) -> None:
    """J6."""
    before = await read(southside)

    await update(northside, name="Eastside", timeZone="Asia/Tokyo")

    assert await read(southside) == before


NO_ZONES = ["Mars/Base", "europe/london", "Europe", "GMT+25", "+01:00", "Europe/London "]
NO_ZONES += ["../UTC", "right/UTC", "posixrules", "localtime", "Factory", "UTC\0", "x" * 300]


async def test_what_is_no_time_zone_everywhere_is_refused(northside: Studio) -> None:
    """A7: also what only this server would take for one."""
    for zone in (*NO_ZONES, ""):
        refused = await northside.mutate("updateAccount", {"timeZone": zone}, as_="owner")

        assert [(each["code"], each["path"]) for each in refused["userErrors"]] == [
            ("INVALID_INPUT", ["input", "timeZone"])
        ], zone
    assert (await read(northside))["timeZone"] == "Europe/London"


async def test_neither_name_nor_zone_can_be_taken_away(northside: Studio) -> None:
    before = await read(northside)

    for change in ({"name": None}, {"name": " "}, {"timeZone": None}):
        assert await northside.codes("updateAccount", change, as_="owner") == ["INVALID_INPUT"]
    assert await read(northside) == before


async def test_notice_in_days_is_read_in_the_new_zone_from_then_on(northside: Studio) -> None:
    """A7, X1: the clocks of London and New York do not change on the same day."""
    bundle = {"method": "NEW_BUNDLE", "bundle": northside.ids.bundles["RB-BEG"]}
    refunds = [{"option": "COURSE", **bundle}]
    policy = {"notice": {"value": 1, "unit": "DAYS"}, "refunds": refunds}
    await northside.add_course("SPRING", "2027-03-28T19:00Z", autoRefund=policy)
    await northside.add_buyer("Ida", "SPRING")
    northside.clock.set("2027-03-01T12:00")

    in_london = (await northside.preview("Ida", "SPRING", 1))["deadline"]
    await update(northside, timeZone="America/New_York")
    in_new_york = (await northside.preview("Ida", "SPRING", 1))["deadline"]

    assert in_london == "2027-03-27T20:00:00Z"  # clocks go forward that night
    assert in_new_york == "2027-03-27T19:00:00Z"


async def test_what_is_issued_later_is_valid_by_the_new_zone_and_what_was_keeps_its_expiry(
    northside: Studio,
) -> None:
    """A7, D2, E6."""
    northside.clock.set("2027-02-20T12:00")
    await northside.give("Ana", "RB-BEG")
    before = await northside.holdings("Ana")

    await update(northside, timeZone="America/New_York")
    await northside.give("Ben", "RB-BEG")

    assert before == [("RB-BEG", 1, "2027-03-22T12:00:00Z", "ISSUE")]
    assert await northside.holdings("Ana") == before
    assert await northside.holdings("Ben") == [("RB-BEG", 1, "2027-03-22T11:00:00Z", "ISSUE")]


async def test_drop_ins_open_by_the_new_zone(northside: Studio) -> None:
    """A7, F4: the rule is asked anew, whatever was worked out before."""
    week = {"value": 7, "unit": "DAYS"}
    offer = {"priceMinor": 1200, "opensBefore": week}
    await northside.add_course("SPRING", "2027-03-29T19:00Z", dropIn=offer)

    in_london = await northside.look_at("SPRING", 1, "dropIn { opensAt }")
    await update(northside, timeZone="America/New_York")
    in_new_york = await northside.look_at("SPRING", 1, "dropIn { opensAt }")

    assert in_london == {"dropIn": {"opensAt": "2027-03-22T20:00:00Z"}}
    assert in_new_york == {"dropIn": {"opensAt": "2027-03-22T19:00:00Z"}}
    await northside.give("Ana", "TEN")
    northside.clock.set("2027-03-22T18:59:59")
    assert (await northside.book("Ana", "SPRING", 1))["userErrors"][0]["opensAt"] == (
        "2027-03-22T19:00:00Z"
    )
    northside.clock.set("2027-03-22T19:00")
    assert (await northside.book("Ana", "SPRING", 1))["userErrors"] == []


# Bolt-ons are told


class Watcher(BoltOn):
    """Remembers what it is told of accounts."""

    info: ClassVar[BoltOnInfo] = BoltOnInfo("watcher", "Watcher", "It watches.", "1.0.0")

    def __init__(self) -> None:
        self.told: list[tuple[str, str, datetime]] = []
        self.objects = False

    async def account_written(self, tx: Tx, now: datetime) -> None:
        """Note the account, or object to the change."""
        if self.objects:
            raise Objection
        self.told.append((tx.account.name, tx.account.time_zone.key, now))


class Objection(Refusal):
    """It does not want that."""

    code = "WATCHER_OBJECTION"

    def __init__(self) -> None:
        super().__init__("No.")


async def test_a_bolt_on_that_is_on_is_told_and_reads_the_changed_account(
    northside: Studio,
) -> None:
    """A7: it works out anew what it keeps; while it is off it is not asked."""
    watcher = Watcher()
    bolt_ons = BoltOns([watcher])
    database = Database(northside.database.url, bolt_ons)
    now = northside.clock.now

    async def move(tx: Tx) -> None:
        await update_account(tx, SYSTEM, {"time_zone": "Asia/Tokyo"}, now=now)

    async def rename(tx: Tx) -> None:
        await update_account(tx, SYSTEM, {"name": "Eastside"}, now=now)

    async def leave(tx: Tx) -> None:
        await update_account(tx, SYSTEM, {}, now=now)

    async def switch_on(tx: Tx) -> None:
        await switches.enable(tx, SYSTEM, "watcher", bolt_ons, now=now)

    caller = Caller(northside.slug)
    try:
        await database.write(caller, rename)
        await database.write(caller, switch_on)
        await database.write(caller, move)
        await database.write(caller, leave)
        watcher.objects = True
        with pytest.raises(Objection):
            await database.write(caller, rename)
    finally:
        await database.close()

    assert watcher.told == [("Eastside", "Asia/Tokyo", now)]
    assert (await read(northside))["timeZone"] == "Asia/Tokyo"
