"""What the README shows works as it stands there, on the demo that it starts."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from classbolt.bolt_ons import BoltOns
from classbolt.config import Settings
from classbolt.db import Database
from classbolt.testing.databases import Templates
from classbolt_schema.server.demo import SLUG, open_demo
from pages import ROOT, blocks, read
from studio import Clock, Studio, serving

TODAY = datetime(2026, 11, 20, 9, tzinfo=UTC)
EVERY_DAY_OF_A_WEEK = [TODAY + timedelta(days=days) for days in range(7)]


@asynccontextmanager
async def opened(
    now: datetime, folder: Path, templates: Templates, bolt_ons: BoltOns
) -> AsyncIterator[Studio]:
    """Open and serve the demo as `classbolt serve --demo` does, at a moment of ours."""
    async with templates.database("sqlite") as url:
        database = Database(url, bolt_ons)
        clock = Clock(now)
        async with serving(database, folder, bolt_ons, clock) as (client, settings):
            assert isinstance(settings, Settings)
            tokens = await open_demo(settings, database, bolt_ons, now=now)
            people = {"Ana": tokens.customer_token, "owner": tokens.owner_token}
            yield Studio(SLUG, client, clock, settings, database, tokens=people)


def document(name: str) -> str:
    """Find the README's document of this name."""
    (found,) = [each for each in blocks(read("README.md"), "graphql") if f" {name}" in each]
    return found


def nodes(connection: dict[str, Any]) -> list[dict[str, Any]]:
    return [edge["node"] for edge in connection["edges"]]


async def test_the_first_question_is_answered(
    tmp_path: Path, templates: Templates, bolt_ons: BoltOns
) -> None:
    asked = re.search(r"-d '(.*)'", read("README.md"))
    assert asked is not None

    async with opened(TODAY, tmp_path, templates, bolt_ons) as demo:
        first = await demo.query(json.loads(asked[1])["query"])
        second = await demo.query(document("Catalogue"))

    assert len(nodes(first["courses"])) == 3
    assert len(nodes(second["courses"])) == 4


@pytest.mark.parametrize("now", EVERY_DAY_OF_A_WEEK, ids=lambda now: f"{now:%A}")
async def test_on_any_day_ana_moves_a_session_as_the_readme_says(
    now: datetime, tmp_path: Path, templates: Templates, bolt_ons: BoltOns
) -> None:
    async with opened(now, tmp_path, templates, bolt_ons) as demo:
        places = await demo.query(document("Places"), as_="Ana")
        booking = nodes(places["me"]["bookings"])[0]["id"]
        to_session = next(
            each["id"]
            for each in nodes(places["openDropIns"])
            if each["tag"]["name"] == "Beginners"
        )
        preview = await demo.query(document("Preview"), as_="Ana", booking=booking)
        swapped = await demo.query(
            document("Swap"), as_="Ana", booking=booking, toSession=to_session
        )

    assert preview["cancellationPreview"]["outcome"] == "NEW_BUNDLE"
    assert swapped["swapBooking"]["userErrors"] == []
    assert swapped["swapBooking"]["booking"]["customerBundle"] == {"balance": 0}


def test_the_bolt_on_is_one(bolt_ons: BoltOns) -> None:
    (code,) = blocks(read("README.md"), "python")
    names: dict[str, Any] = {"__name__": "closing_time_of_the_readme"}

    exec(code, names)  # noqa: S102  (our own page)

    closing_time = names["ClosingTime"]()
    assert "closing_time" in BoltOns([*bolt_ons.installed.values(), closing_time]).installed
    (entry_point,) = blocks(read("README.md"), "toml")
    assert 'entry-points."classbolt.bolt_ons"' in entry_point


def test_what_the_readme_makes_is_there_to_be_made() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")

    for target in re.findall(r"`?make ([a-z]+)", read("README.md") + read("CONTRIBUTING.md")):
        assert f"\n{target}:" in makefile
