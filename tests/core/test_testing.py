"""Tests stand on databases of their own, and leave nothing behind however they end."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import Column, Integer, MetaData, NullPool, Table, insert, select
from sqlalchemy.ext.asyncio import create_async_engine

from classbolt.migrate import Component, pending, write_revision
from classbolt.testing import scratch
from classbolt.testing.databases import Kind, Seed, Templates
from classbolt.testing.postgres import PostgresServer

metadata = MetaData()
sessions = Table("sessions", metadata, Column("id", Integer, primary_key=True))

START = """
import sys, time
from classbolt.testing.postgres import PostgresServer

server = PostgresServer()
print(server.url("postgres"), flush=True)
if sys.argv[1] == "wait":
    time.sleep(60)
"""


@pytest.fixture
def readable_folder() -> Iterator[Path]:
    """Make a temporary folder that `nobody` can look into, as pytest's own are not."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
async def core(tmp_path: Path) -> Component:
    """Something to migrate to: a table called sessions."""
    made = Component("core", metadata, tmp_path / "migrations", "")
    await write_revision(f"sqlite+aiosqlite:///{tmp_path}/scratch.db", made, [made], "sessions")
    return made


@pytest.fixture
async def templates(
    core: Component, tmp_path: Path, postgres: PostgresServer
) -> AsyncIterator[Templates]:
    made = Templates([core], folder=tmp_path, postgres=lambda: postgres)
    yield made
    await made.close()
    left = {path.name for path in tmp_path.iterdir()}  # noqa: ASYNC240
    assert left == {"migrations"}


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_each_test_gets_a_migrated_database_of_its_own(
    kind: Kind, core: Component, templates: Templates
) -> None:
    async with templates.database(kind) as one, templates.database(kind) as other:
        await add_a_session(one)

        assert await count_sessions(one) == 1
        assert await count_sessions(other) == 0
        assert await pending(other, [core]) == []


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_seed_is_filled_in_once_and_copied(kind: Kind, templates: Templates) -> None:
    filled: list[str] = []

    async def fill(url: str) -> None:
        filled.append(url)
        await add_a_session(url)

    seed = Seed("a session", fill)
    async with templates.database(kind, seed) as one, templates.database(kind, seed) as other:
        await add_a_session(one)

        assert await count_sessions(one) == 2
        assert await count_sessions(other) == 1
    assert len(filled) == 1


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_seeds_do_not_mix(kind: Kind, templates: Templates) -> None:
    async def add_two(url: str) -> None:
        await add_a_session(url)
        await add_a_session(url)

    async with (
        templates.database(kind, Seed("two sessions", add_two)) as two,
        templates.database(kind, Seed("a session", add_a_session)) as one,
        templates.database(kind) as none,
    ):
        assert [await count_sessions(url) for url in (two, one, none)] == [2, 1, 0]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_seed_that_failed_leaves_nothing_and_is_tried_again(
    kind: Kind, templates: Templates
) -> None:
    async def fail(url: str) -> None:
        await add_a_session(url)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        async with templates.database(kind, Seed("a session", fail)):
            pass

    async with templates.database(kind, Seed("a session", add_a_session)) as url:
        assert await count_sessions(url) == 1


async def test_a_copy_has_what_is_still_in_the_log_of_sqlite(templates: Templates) -> None:
    with ExitStack() as stack:

        async def fill(url: str) -> None:
            file = url.removeprefix("sqlite+aiosqlite:///")
            still_open = stack.enter_context(closing(sqlite3.connect(file)))
            still_open.execute("INSERT INTO sessions DEFAULT VALUES")
            still_open.commit()

        async with templates.database("sqlite", Seed("a session", fill)) as url:
            assert await count_sessions(url) == 1


@pytest.mark.parametrize(("name", "value"), [("MEMORY", Path("/nowhere")), ("ROOM", 2**63)])
def test_databases_lie_in_memory_only_where_there_is_room(
    name: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr(scratch, name, value)

    assert scratch.scratch_folder() is None


def test_databases_lie_where_somebody_wants_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scratch, "MEMORY", tmp_path)
    monkeypatch.setattr(scratch, "ROOM", 0)
    monkeypatch.delenv("TMPDIR", raising=False)
    assert scratch.scratch_folder() == tmp_path

    monkeypatch.setenv("TMPDIR", str(tmp_path))

    assert scratch.scratch_folder() is None


async def test_a_server_speaks_utc(postgres: PostgresServer) -> None:
    engine = create_async_engine(postgres.url("postgres"), poolclass=NullPool)
    async with engine.connect() as connection:
        assert (await connection.exec_driver_sql("SHOW timezone")).scalar_one() == "UTC"


@pytest.mark.parametrize("ending", ["by itself", "terminated", "killed"])
def test_no_server_outlives_its_test_process(ending: str, readable_folder: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", START, "go" if ending == "by itself" else "wait"],
        env={**os.environ, "TEST_POSTGRES_DSN": "", "TMPDIR": str(readable_folder)},
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"postgresql+asyncpg://")
        if ending == "terminated":
            process.send_signal(signal.SIGTERM)
        elif ending == "killed":
            process.kill()

    deadline = time.monotonic() + 60
    while any(readable_folder.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert list(readable_folder.iterdir()) == []


async def add_a_session(url: str) -> None:
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(insert(sessions))


async def count_sessions(url: str) -> int:
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        return len((await connection.execute(select(sessions))).all())
