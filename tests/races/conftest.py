"""What races ask for: servers that protect, in processes of their own, and some that do not."""

from __future__ import annotations

import os
import secrets
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from classbolt.bolt_ons import BoltOns
from classbolt.db import Database
from classbolt.testing.databases import Kind, Templates
from doors import Doors, open_doors
from races import Arena, Hosting, Scale, open_arena
from serve_doors import note_contention
from stress_table import Table, table_of
from studio import Clock, open_studio, serving
from unprotected import Unprotected, drop_constraints

ROUNDS = os.environ.get("ROUNDS")
MakeDatabase = Callable[[str, BoltOns], Database]


@pytest.fixture(scope="session")
def scale() -> Scale:
    """A few rounds, or what the environment says: as many as `make stress` wants.

    Then twins do not end with their first break, and the table says how often they broke.
    """
    if ROUNDS is None:
        return Scale()
    rounds, contenders = int(ROUNDS), int(os.environ.get("CONTENDERS", "50"))
    twin_rounds = min(rounds, Scale.twin_rounds)
    return Scale(rounds, contenders, twin_rounds, sightings=twin_rounds)


@pytest.fixture(scope="session")
def table(pytestconfig: pytest.Config) -> Table:
    """Where races note what came of them."""
    return table_of(pytestconfig)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sqlite_doors(
    templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Doors]:
    async with templates.database("sqlite") as url:
        with open_doors(url, tmp_path_factory.mktemp("doors")) as doors:
            yield doors


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgresql_doors(
    templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Doors]:
    async with templates.database("postgresql") as url:
        with open_doors(url, tmp_path_factory.mktemp("doors")) as doors:
            yield doors


@pytest.fixture
def doors(kind: Kind, request: pytest.FixtureRequest) -> Doors:
    """Server processes on one database: started once, for all races on this kind."""
    found: Doors = request.getfixturevalue(f"{kind}_doors")
    return found


@pytest.fixture
async def arena(
    kind: Kind, doors: Doors, bolt_ons: BoltOns, scale: Scale, table: Table
) -> AsyncIterator[Arena]:
    """An account of its own behind servers that protect."""
    database = Database(doors.settings.database_url, bolt_ons)
    host, port = doors.addresses[0]
    no_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # as in `serving`
    async with httpx.AsyncClient(
        base_url=f"http://{host}:{port}", timeout=60, verify=no_tls
    ) as client:
        slug = f"races-{secrets.token_hex(4)}"
        studio = await open_studio(slug, client, doors.settings, database, Clock())
        async with open_arena(studio, doors, kind, scale, table) as found:
            yield found
    await database.close()


@pytest.fixture
def hosting(
    kind: Kind,
    templates: Templates,
    tmp_path: Path,
    bolt_ons: BoltOns,
    scale: Scale,
    table: Table,
) -> Hosting:
    """Serve a new database in this process, in a way that does not protect."""

    @asynccontextmanager
    async def host(make: MakeDatabase, servers: int = 1) -> AsyncIterator[Arena]:
        clock = Clock()
        addresses = []
        contention: list[str] = []
        async with templates.database(kind) as url, AsyncExitStack() as stack:
            # What a race needs is set up in the usual way.
            database = Database(url, bolt_ons)
            usual = serving(database, tmp_path, bolt_ons, clock)
            client, settings = await stack.enter_async_context(usual)
            studio = await open_studio("races", client, settings, database, clock)
            for _ in range(servers):
                weak = make(url, bolt_ons)
                note_contention(weak, contention.append)
                door = serving(weak, tmp_path, bolt_ons, clock)
                base_url = (await stack.enter_async_context(door))[0].base_url
                addresses.append((base_url.host, base_url.port or 0))
            doors = Doors(settings, addresses, contention.copy)
            # Requests trip over what others have done by halves. Nobody reads the log of it.
            with capture_logs():
                async with open_arena(studio, doors, kind, scale, table) as found:
                    yield found

    return host


@pytest.fixture
async def unprotected(hosting: Hosting) -> AsyncIterator[Arena]:
    """A server where nothing protects seats and credits: it is expected to be wrong."""
    async with hosting(Unprotected) as arena:
        await drop_constraints(arena.doors.settings.database_url)
        yield arena


def pytest_unconfigure(config: pytest.Config) -> None:
    """Print the table of `make stress` after all that pytest has to say."""
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if ROUNDS is not None and terminal is not None:
        terminal.write_line(f"\n{table_of(config)}")
