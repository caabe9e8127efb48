"""The bolt-on that `docs/writing-a-bolt-on.md` builds works as it stands on the page."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate

from classbolt.bolt_ons import BoltOns
from classbolt.db import Database
from classbolt.migrate import components, drift, upgrade, write_revision
from classbolt_schema.compose import schema as composed
from pages import blocks, read
from studio import Clock, open_studio, serving

PAGE = "docs/writing-a-bolt-on.md"


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import the page's code as the module of an installed package."""
    file = tmp_path / "closing_time" / "bolt_on.py"
    file.parent.mkdir()
    file.write_text("\n\n".join(blocks(read(PAGE), "python")), "utf-8")
    spec = importlib.util.spec_from_file_location("closing_time_of_the_page", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def installed(example: ModuleType, bolt_ons: BoltOns) -> BoltOns:
    return BoltOns([*bolt_ons.installed.values(), example.ClosingTime()])


def sdl(installed: BoltOns) -> GraphQLSchema:
    return build_schema(
        composed.export_sdl(composed.build_schema(installed.installed.values()))
    )


def test_its_own_test_passes(example: ModuleType) -> None:
    example.test_it_fits_in()


def test_its_documents_fit_the_schema_that_it_adds_to(installed: BoltOns) -> None:
    schema = sdl(installed)

    for document in blocks(read(PAGE), "graphql"):
        assert validate(schema, parse(document)) == []


async def test_it_does_what_the_page_says(
    database_url: str, installed: BoltOns, tmp_path: Path
) -> None:
    parts = components(installed.installed.values())
    mine = next(each for each in parts if each.name == "closing_time")
    assert await write_revision(database_url, mine, parts, "closing times of courses")
    assert len(await upgrade(database_url, parts)) == 1
    assert await drift(database_url, parts) == []

    clock = Clock()
    database = Database(database_url, installed)
    async with serving(database, tmp_path, installed, clock) as (client, settings):
        studio = await open_studio("northside", client, settings, database, clock)
        await studio.set_up(bolt_ons=["auto_refund", "drop_in", "closing_time"])
        (document,) = blocks(read(PAGE), "graphql")
        course = studio.ids.courses["WED"]

        set_ = (await studio.query(document, as_="owner", course=course))["updateCourse"]

        assert set_["userErrors"] == []
        assert set_["course"]["closesBefore"] == {"value": 2, "unit": "HOURS"}
        clock.set("2027-01-13T18:00:00")
        in_time = await studio.book("Ana", "WED", 1, {"offline": True})
        clock.set("2027-01-20T18:00:00.000001")
        too_late = await studio.book("Ana", "WED", 2, {"offline": True})
        assert in_time["userErrors"] == []
        assert [each["code"] for each in too_late["userErrors"]] == ["CLOSING_TIME_PASSED"]
