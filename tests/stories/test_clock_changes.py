"""Cut-offs across the changes of the clocks: exact to the second, wherever anything runs.

What people are held to is what the clock on the wall of their studio shows (A7, X1).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from classbolt.bolt_ons import BoltOns
from classbolt.db import Database
from classbolt.testing.databases import Kind
from clock_changes import SPANS, ZONES, Span, period
from elsewhere import Elsewhere, serving_in
from studio import SOLD_ON, Studio, at, codes_of, open_studio

pytestmark = pytest.mark.unmeasured  # they come by nothing new, but often

INSTANT = timedelta(microseconds=1)
A_SECOND = timedelta(seconds=1)
AT_ANY_TIME = {"value": 60, "unit": "MONTHS"}
ELSEWHERE = {"UTC": "+0000", "Pacific/Kiritimati": "+1400", "America/St_Johns": "-0330"}
"""Where servers stand, and what that adds to UTC in January."""


def sample(forward: str, back: str) -> list[Span]:
    """Choose spans by their unit: where clocks go forward in between, and where they go back.

    The rules themselves are held to all of them, without a database.
    """

    def unit(span: Span) -> str:
        earlier, later = at(span.earlier), at(span.later)
        shown = later.replace(tzinfo=None) - earlier.replace(tzinfo=None)
        return forward if shown > later - earlier else back

    return [span for span in SPANS if unit(span) == period(span.period).unit]


@pytest.mark.parametrize("zone", ZONES)
async def test_cut_offs_are_exact_to_the_second(studio: Studio, zone: str) -> None:
    """A7, B2, F4, C1, D4, X1: where clocks go forward and where they go back."""
    here = await open_studio(
        "here", studio.client, studio.settings, studio.database, studio.clock, zone=zone
    )
    await furnish(here)

    for span in sample("HOURS", "WEEKS"):
        if span.zone == zone:
            assert await play(here, span) == promised(span)


@pytest.mark.parametrize("server_zone", ELSEWHERE)
async def test_the_answers_are_the_same_wherever_the_server_runs(
    database_url: str, kind: Kind, bolt_ons: BoltOns, tmp_path: Path, server_zone: str
) -> None:
    """A7, X1: its process stands in one zone, its database in another, the studios in three."""
    if kind == "postgresql":
        await move_database(database_url, "Asia/Kathmandu")
    async with (
        serving_in(server_zone, database_url, tmp_path) as server,
        opened(database_url, bolt_ons) as database,
    ):
        assert server.offset == ELSEWHERE[server_zone]
        studios = {zone: await open_abroad(server, database, zone) for zone in ZONES}

        for span in sample("DAYS", ""):
            assert await play(studios[span.zone], span) == promised(span)


def promised(span: Span) -> dict[str, object]:
    """Say what must happen around the cut-off of a session that starts where the span ends."""
    return {
        "opens at": at(span.earlier),
        "deadline": at(span.earlier),
        "a second before": (["DROP_IN_NOT_OPEN"], "NEW_BUNDLE"),
        "on the second": ([], ("NEW_BUNDLE", None)),
        "an instant after": "NONE",
        "a second after": ("NONE", "NOTICE_TOO_SHORT"),
        "the credit ends": at(span.later),
        "it pays for the second before": [],
        "it pays for the second itself": ["CREDIT_EXPIRES_BEFORE_SESSION"],
    }


async def play(studio: Studio, span: Span) -> dict[str, object]:
    """Cancel and book around the cut-off of a session, and spend the credit that this gives."""
    cut_off = at(span.earlier)
    ana, ben, dan = await cast(studio, span)
    shown = await studio.look_at("COURSE", 1, "dropIn { opensAt }")

    set_clock(studio, cut_off - A_SECOND)
    early = codes_of(await studio.book(dan, "COURSE", 1))
    ahead = await studio.preview(ana, "COURSE", 1)
    set_clock(studio, cut_off)
    booked = codes_of(await studio.book(dan, "COURSE", 1))
    given = await studio.cancel(ana, "COURSE", 1)
    (credit,) = await studio.bundles(ana)
    with_it = {"credit": {"customerBundle": credit["id"]}}
    at_its_end = codes_of(await studio.book(ana, "AROUND", 2, with_it))
    before_its_end = codes_of(await studio.book(ana, "AROUND", 1, with_it))
    set_clock(studio, cut_off + INSTANT)
    behind = await studio.preview(ben, "COURSE", 1)
    set_clock(studio, cut_off + A_SECOND)
    denied = await studio.cancel(ben, "COURSE", 1)

    return {
        "opens at": at(shown["dropIn"]["opensAt"]),
        "deadline": at(ahead["deadline"]),
        "a second before": (early, ahead["outcome"]),
        "on the second": (booked, refund_of(given)),
        "an instant after": behind["outcome"],
        "a second after": refund_of(denied),
        "the credit ends": at(credit["expiresAt"]),
        "it pays for the second before": before_its_end,
        "it pays for the second itself": at_its_end,
    }


async def cast(studio: Studio, span: Span) -> list[str]:
    """Set up what is played: two who bought the course, and one who holds a credit.

    One period says everything: the notice, the opening, and how long a credit is valid.
    """
    set_clock(studio, SOLD_ON)
    asked = period(span.period)
    length = {"value": asked.value, "unit": asked.unit.value}
    bundle = {
        "name": "Swap",
        "credits": 1,
        "validity": length,
        "tags": [studio.ids.tags["BEG"]],
    }
    made = await studio.do("createBundle", bundle, "bundle { id }", as_="owner")
    swap = {"option": "COURSE", "method": "NEW_BUNDLE", "bundle": made["bundle"]["id"]}
    await studio.add_course(
        "COURSE",
        span.later,
        dropIn={"priceMinor": 1200, "opensBefore": length},
        autoRefund={"notice": length, "refunds": [swap]},
    )
    end = at(span.later)
    await studio.add_course(
        "AROUND",
        *((end - A_SECOND).isoformat(), end.isoformat()),
        dropIn={"priceMinor": 1200, "opensBefore": AT_ANY_TIME},
    )
    names = [f"{name}, {span.period} to {span.later}" for name in ("Ana", "Ben", "Dan")]
    for name in names[:2]:
        await studio.add_buyer(name, "COURSE")
    await studio.add_customer(names[2])
    await studio.give(names[2], "LONG")
    return names


async def furnish(studio: Studio) -> Studio:
    """Give an account what its courses need."""
    for bolt_on in ("auto_refund", "drop_in"):
        await studio.switch(bolt_on, on=True)
    made = await studio.do("createTag", {"name": "Beginners"}, "tag { id }", as_="owner")
    studio.ids.tags["BEG"] = made["tag"]["id"]
    await studio.add_bundle("LONG", 1000, "BEG")
    return studio


@asynccontextmanager
async def opened(url: str, bolt_ons: BoltOns) -> AsyncIterator[Database]:
    """Open a database that a server in another process has open too."""
    database = Database(url, bolt_ons)
    try:
        yield database
    finally:
        await database.close()


async def open_abroad(server: Elsewhere, database: Database, zone: str) -> Studio:
    """Open a studio in a zone on a server that may stand in another."""
    slug = zone.rpartition("/")[2].lower().replace("_", "-")
    return await furnish(
        await open_studio(
            slug, server.client, server.settings, database, server.clock, zone=zone
        )
    )


async def move_database(url: str, zone: str) -> None:
    """Set a PostgreSQL database to another time zone, for whoever connects from now on."""
    name = make_url(url).database
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.exec_driver_sql(f"ALTER DATABASE {name} SET timezone TO '{zone}'")
    await engine.dispose()
    async with engine.connect() as connection:
        assert (await connection.exec_driver_sql("SHOW timezone")).scalar_one() == zone
    await engine.dispose()


def set_clock(studio: Studio, now: datetime) -> None:
    studio.clock.set(now.isoformat())


def refund_of(payload: dict[str, Any]) -> tuple[str, str | None]:
    """Give the outcome of a cancellation, and the reason if it gave nothing."""
    refund = payload["cancellation"]["refund"]
    return refund["outcome"], refund["reason"] and refund["reason"]["code"]
