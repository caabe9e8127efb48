"""What every test may ask for. Whatever needs a database runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from classbolt.bolt_ons import BoltOns
from classbolt.db import Database
from classbolt.migrate import components
from classbolt.testing.databases import Kind, Templates
from classbolt.testing.postgres import PostgresServer
from invariants import broken
from studio import Clock, Studio, open_studio, serving


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def bolt_ons() -> BoltOns:
    """What is installed: our two, found as a stranger's are."""
    return BoltOns.discover()


@pytest.fixture(scope="session")
def templates(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, bolt_ons: BoltOns
) -> Templates:
    return Templates(
        components(bolt_ons.installed.values()),
        folder=tmp_path_factory.mktemp("databases"),
        postgres=lambda: request.getfixturevalue("postgres"),
    )


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """The database under test; each test that asks for it runs on both."""
    found: Kind = request.param
    return found


@pytest.fixture
async def database_url(kind: Kind, templates: Templates) -> AsyncIterator[str]:
    """A migrated database without rows; whatever was done to it, the invariants must hold."""
    async with templates.database(kind) as url:
        yield url
        assert await broken(url) == {}


@pytest.fixture
async def studio(database_url: str, tmp_path: Path, bolt_ons: BoltOns) -> AsyncIterator[Studio]:
    """An account called northside with nothing in it, served over HTTP."""
    clock = Clock()
    database = Database(database_url, bolt_ons)
    async with serving(database, tmp_path, bolt_ons, clock) as (client, settings):
        yield await open_studio("northside", client, settings, database, clock)


@pytest.fixture
async def northside(studio: Studio) -> Studio:
    """Fixture F: both bolt-ons on, two levels, four courses, three buyers."""
    await studio.set_up(bolt_ons=["auto_refund", "drop_in"])
    return studio


@pytest.fixture
async def southside(northside: Studio) -> Studio:
    """Another account on the same server, its bolt-ons off."""
    return await open_studio(
        "southside", northside.client, northside.settings, northside.database, northside.clock
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests passed on which database."""
    passed = [report.nodeid for report in terminalreporter.stats.get("passed", [])]
    for database in ("sqlite", "postgresql"):
        count = sum(database in nodeid.partition("[")[2] for nodeid in passed)
        terminalreporter.write_line(f"{database}: {count} passed")
