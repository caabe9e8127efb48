"""The doctor looks at clocks, time zones and bolt-ons too."""

from __future__ import annotations

import sys
import zoneinfo
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import ClassVar

import pytest
from sqlalchemy import Executable, update

import healthy as h
from classbolt.bolt_ons import BoltOn, BoltOnInfo, BoltOns
from classbolt.db import Tx
from classbolt.doctor import Example, Finding, Report, Severity, examine
from classbolt.facts import BookingFacts, Terms
from classbolt.tables import accounts, bolt_on_switches
from classbolt_schema.server.context import utc_now
from healthy import KEYS, do


def found(report: Report) -> dict[str, Finding]:
    """Give what was found, by code."""
    return {each.check.code: each.finding for each in report.results if each.finding}


@pytest.mark.parametrize("kind", ["postgresql"])
@pytest.mark.parametrize(
    ("minutes", "side"), [(-2, "120 seconds ahead of"), (2, "120 seconds behind")]
)
async def test_the_clocks_of_the_database_and_of_this_machine_agree(
    minutes: int, side: str, url: str, bolt_ons: BoltOns
) -> None:
    wrong = timedelta(minutes=minutes)

    report = await examine(url, bolt_ons, clock=lambda: utc_now() + wrong, keys=KEYS)

    says = f"The database's clock is {side} this machine's."
    assert found(report) == {"CLOCKS_DIFFER": Finding(says, 1)}
    assert report.is_healthy


@pytest.mark.parametrize("zone", ["Mars/Base", "Europe"])
async def test_every_account_is_in_a_time_zone_that_is_known(
    zone: str, url: str, bolt_ons: BoltOns
) -> None:
    await do(url, update(accounts).where(accounts.c.id == h.SOUTH).values(time_zone=zone))

    report = await examine(url, bolt_ons, clock=utc_now, keys=KEYS)

    assert found(report).keys() == {"TIME_ZONE_UNKNOWN"}
    assert found(report)["TIME_ZONE_UNKNOWN"].examples == (Example("accounts", h.SOUTH, None),)


@pytest.fixture
def without_time_zones(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take the time zones away: the machine's own, and the package."""
    for name in [name for name in sys.modules if name.startswith("tzdata.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tzdata", None)
    zoneinfo.reset_tzpath([])
    zoneinfo.ZoneInfo.clear_cache()
    yield
    zoneinfo.reset_tzpath()


@pytest.mark.usefixtures("without_time_zones")
async def test_a_machine_without_time_zones_is_said_to(url: str, bolt_ons: BoltOns) -> None:
    report = await examine(url, bolt_ons, clock=utc_now, keys=KEYS)

    assert found(report).keys() == {"ZONE_DATA_MISSING", "TIME_ZONE_UNKNOWN"}
    assert "tzdata" in found(report)["ZONE_DATA_MISSING"].message


# Bolt-ons


class Stranger(BoltOn):
    """A bolt-on that decides nothing."""

    info: ClassVar[BoltOnInfo] = BoltOnInfo("stranger", "", "", "1", requires=("auto_refund",))


class Hermit(BoltOn):
    """A bolt-on that stands no other."""

    info: ClassVar[BoltOnInfo] = BoltOnInfo("hermit", "", "", "1", conflicts=("drop_in",))


class Rival(BoltOn):
    """A bolt-on that gives refunds, as auto-refund does."""

    info: ClassVar[BoltOnInfo] = BoltOnInfo("rival", "", "", "1")

    async def cancellation_terms(
        self, tx: Tx, bookings: Sequence[BookingFacts], now: datetime
    ) -> Sequence[Terms | None]:
        del tx, now
        return [None for _ in bookings]


def switch(code: str, account: int = h.NORTH) -> Executable:
    row = {"code": code, "enabled": True, "changed_at": h.BEFORE}
    return bolt_on_switches.insert().values(account_id=account, **row)


def with_strangers(bolt_ons: BoltOns) -> BoltOns:
    return BoltOns([*bolt_ons.installed.values(), Stranger(), Hermit(), Rival()])


def switches(*codes: str, account: int = h.NORTH) -> tuple[Example, ...]:
    return tuple(Example("bolt_on_switches", account, code) for code in codes)


async def test_a_bolt_on_that_is_on_but_not_installed_is_a_warning(
    url: str, bolt_ons: BoltOns
) -> None:
    await do(url, switch("stranger"))

    report = await examine(url, bolt_ons, clock=utc_now, keys=KEYS)

    says = "Switches of bolt-ons that are on but not installed: 1."
    assert found(report) == {"BOLT_ON_NOT_INSTALLED": Finding(says, 1, switches("stranger"))}
    assert report.is_healthy
    assert [each.check.code for each in report.found(Severity.WARNING)] == [
        "BOLT_ON_NOT_INSTALLED"
    ]


@pytest.mark.parametrize(
    ("code", "in_the_way"), [("rival", "auto_refund"), ("hermit", "drop_in")]
)
async def test_bolt_ons_that_exclude_each_other_are_not_on_together(
    code: str, in_the_way: str, url: str, bolt_ons: BoltOns
) -> None:
    await do(url, switch(code), switch(code, account=h.SOUTH))

    report = await examine(url, with_strangers(bolt_ons), clock=utc_now, keys=KEYS)

    both = switches(*sorted((code, in_the_way)))
    says = "Switches of bolt-ons that cannot be on together: 2."
    assert found(report) == {"BOLT_ONS_IN_CONFLICT": Finding(says, 2, both)}


async def test_a_bolt_on_is_not_on_without_what_it_needs(url: str, bolt_ons: BoltOns) -> None:
    await do(url, switch("stranger"), switch("stranger", account=h.SOUTH))

    report = await examine(url, with_strangers(bolt_ons), clock=utc_now, keys=KEYS)

    says = "Switches of bolt-ons that need another one to be on: 1."
    alone = switches("stranger", account=h.SOUTH)
    assert found(report) == {"BOLT_ON_REQUIREMENT_OFF": Finding(says, 1, alone)}
