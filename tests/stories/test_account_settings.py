"""Owners rename their account and move it to another time zone; it counts from then on (A7)."""

from __future__ import annotations

from typing import Any

import pytest

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


@pytest.mark.parametrize(
    ("before", "after", "is_open"),
    [
        ("Europe/London", "America/New_York", True),
        ("America/New_York", "Europe/London", False),
    ],
)
async def test_what_is_listed_as_open_is_open_by_the_new_zone(
    northside: Studio, before: str, after: str, *, is_open: bool
) -> None:
    """A7, F4: London's clocks change between opening and start, New York's have changed."""
    offer = {"priceMinor": 1200, "opensBefore": {"value": 7, "unit": "DAYS"}}
    await update(northside, timeZone=before)
    await northside.add_course("SPRING", "2027-03-29T19:00Z", dropIn=offer)
    northside.clock.set("2027-03-22T19:30:00")

    was_open = await northside.query("{ openDropIns(first: 9) { edges { node { id } } } }")
    await update(northside, timeZone=after)
    now_open = await northside.query("{ openDropIns(first: 9) { edges { node { id } } } }")

    assert listed(was_open) == ([] if is_open else [northside.session("SPRING", 1)])
    assert listed(now_open) == ([northside.session("SPRING", 1)] if is_open else [])


def listed(found: Any) -> list[str]:
    return [edge["node"]["id"] for edge in found["openDropIns"]["edges"]]
