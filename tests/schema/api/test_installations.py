"""Whatever is installed, the studio runs: with both bolt-ons, with one of them, with none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema as parse_sdl
from graphql import validate_schema

from classbolt.bolt_ons import BoltOns
from classbolt.db import Database
from classbolt.migrate import components
from classbolt.testing.databases import Kind, Templates
from classbolt.testing.postgres import PostgresServer
from classbolt_schema.compose.schema import build_schema, export_sdl
from invariants import broken
from studio import Clock, Studio, open_studio, serving

pytestmark = pytest.mark.unmeasured  # they come by nothing new, but often

SETS = [(), ("auto_refund",), ("drop_in",), ("auto_refund", "drop_in")]


@cache
def only(bolt_ons: BoltOns, codes: tuple[str, ...]) -> BoltOns:
    return BoltOns(bolt_ons.installed[code] for code in codes)


@pytest.mark.parametrize("codes", SETS, ids=lambda codes: " and ".join(codes) or "none")
def test_the_schema_has_what_is_installed_and_no_word_of_the_rest(
    bolt_ons: BoltOns, codes: tuple[str, ...]
) -> None:
    words = {
        "auto_refund": ("autoRefund", "refundPolicy", "RefundMethod", "NoticeTooShortError"),
        "drop_in": ("dropIn", "openDropIns", "CreditInput", "TagMismatchError"),
    }

    sdl = export_sdl(build_schema(only(bolt_ons, codes).installed.values()))

    assert validate_schema(parse_sdl(sdl)) == []
    for code, its in words.items():
        assert [word for word in its if word in sdl] == (list(its) if code in codes else [])


@pytest.fixture(params=SETS[:3], ids=lambda codes: " and ".join(codes) or "none")
def installed(request: pytest.FixtureRequest, bolt_ons: BoltOns) -> BoltOns:
    return only(bolt_ons, request.param)


@pytest.fixture(scope="module")
def lent(
    start_postgres: Callable[[], PostgresServer], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[BoltOns], Templates]]:
    """Give databases of installations, each of which is migrated once only."""
    made: dict[tuple[str, ...], Templates] = {}

    def templates(installed: BoltOns) -> Templates:
        codes = tuple(installed.installed)
        if codes not in made:
            made[codes] = Templates(
                components(installed.installed.values()),
                folder=tmp_path_factory.mktemp("installation"),
                postgres=start_postgres,
            )
        return made[codes]

    yield templates
    for each in made.values():
        asyncio.run(each.close())


@pytest.fixture
async def small(
    lent: Callable[[BoltOns], Templates], kind: Kind, installed: BoltOns, tmp_path: Path
) -> AsyncIterator[Studio]:
    """A studio on a server, and in a database, that never knew of more bolt-ons."""
    clock = Clock()
    async with lent(installed).database(kind) as url:
        database = Database(url, installed)
        async with serving(database, tmp_path, installed, clock) as (client, settings):
            studio = await open_studio("northside", client, settings, database, clock)
            await studio.set_up(bolt_ons=list(installed.installed))
            yield studio
        assert await broken(url) == {}


async def do(studio: Studio, mutation: str, asked: dict[str, Any], fields: str) -> Any:
    """Run a mutation, in words that every installation understands."""
    kind = mutation[0].upper() + mutation[1:]
    document = f"mutation ($input: {kind}Input!) {{ {mutation}(input: $input) {{ {fields}"
    document += " userErrors { code } } }"
    return (await studio.query(document, as_="owner", input=asked))[mutation]


async def test_a_course_is_booked_and_a_session_of_it_cancelled(
    small: Studio, installed: BoltOns
) -> None:
    ready = await small.client.get("/readyz")
    asked = {"course": small.ids.courses["MON"], "customer": small.ids.customers["Ben"]}
    fields = "courseBooking { payment { id } bookings { edges { node { id } } } }"
    booked = await do(small, "bookCourse", {**asked, "payWith": {"offline": True}}, fields)
    payment = booked["courseBooking"]["payment"]["id"]
    paid = await do(small, "markPaid", {"payment": payment}, "payment { paidAt }")
    first, *_ = booked["courseBooking"]["bookings"]["edges"]
    fields = "booking { status } cancellation { refund { outcome reason { code } } }"

    cancelled = await do(small, "cancelBooking", {"booking": first["node"]["id"]}, fields)

    gives = "auto_refund" in installed.installed
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})
    assert booked["userErrors"] == paid["userErrors"] == []
    assert cancelled == {
        "booking": {"status": "CANCELLED"},
        "cancellation": {
            "refund": {"outcome": "NEW_BUNDLE", "reason": None}
            if gives
            else {"outcome": "NONE", "reason": {"code": "BOLT_ON_OFF"}}
        },
        "userErrors": [],
    }
    assert await small.seats_left("MON", 1) == 9  # Ana's place stands


async def test_a_session_is_booked_on_its_own_only_where_a_bolt_on_lets_it(
    small: Studio, installed: BoltOns
) -> None:
    small.clock.set("2027-01-10T12:00")
    asked = {"session": small.session("SAT", 1), "customer": small.ids.customers["Ana"]}

    booked = await do(
        small, "bookSession", {**asked, "payWith": {"offline": True}}, "booking { way }"
    )
    switches = await small.query("{ boltOns { code enabled } }")
    unknown = await do(small, "enableBoltOn", {"boltOn": "waitlist"}, "boltOn { code }")

    if "drop_in" in installed.installed:
        assert booked == {"booking": {"way": "drop_in"}, "userErrors": []}
    else:
        assert booked == {"booking": None, "userErrors": [{"code": "NO_WAY_TO_BOOK"}]}
    assert switches["boltOns"] == [
        {"code": code, "enabled": True} for code in installed.installed
    ]
    assert unknown == {"boltOn": None, "userErrors": [{"code": "NOT_FOUND"}]}


HOLDS = "{ me { bookings(first: 100) { edges { node { status } } } bundles { edges { node {"
HOLDS += " id balance } } } } }"


async def test_a_bolt_on_that_is_taken_out_leaves_what_it_did(
    northside: Studio, bolt_ons: BoltOns, database_url: str, tmp_path: Path
) -> None:
    """I8: bookings and credits are there without it, and its own rows when it comes back."""
    northside.clock.set("2027-01-20T10:00")
    await northside.cancel("Ana", "MON", 3)
    held = await northside.query(HOLDS, as_="Ana")
    northside.clock.set("2027-01-22T09:00")

    for codes in ((), ("drop_in",)):
        fewer = only(bolt_ons, codes)
        database = Database(database_url, fewer)
        async with serving(database, tmp_path, fewer, northside.clock) as (client, _):
            without = replace(northside, client=client, database=database)
            assert (await client.get("/readyz")).status_code == 200
            assert await without.query(HOLDS, as_="Ana") == held
            if codes:  # the credit that auto-refund issued is spent where it is gone
                asked = {
                    "session": without.session("THU", 3),
                    "customer": without.ids.customers["Ana"],
                    "payWith": {"credit": {}},
                }
                booked = await do(without, "bookSession", asked, "booking { way }")
                assert booked == {"booking": {"way": "drop_in"}, "userErrors": []}

    cancelled = await northside.cancel("Ana", "MON", 4)
    assert cancelled["cancellation"]["refund"]["outcome"] == "NEW_BUNDLE"
    assert await northside.attendees("THU", 3) == ["Ben", "Ana"]
