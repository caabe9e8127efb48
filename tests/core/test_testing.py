"""Tests stand on databases of their own, and leave nothing behind however they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import Column, Integer, MetaData, NullPool, Table, insert, select
from sqlalchemy.ext.asyncio import create_async_engine

from classbolt.migrate import Component, pending, write_revision
from classbolt.testing.databases import Kind, Templates
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


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_each_test_gets_a_migrated_database_of_its_own(
    kind: Kind, tmp_path: Path, postgres: PostgresServer
) -> None:
    core = Component("core", metadata, tmp_path / "migrations", "")
    await write_revision(f"sqlite+aiosqlite:///{tmp_path}/scratch.db", core, [core], "sessions")
    templates = Templates([core], folder=tmp_path, postgres=lambda: postgres)

    async with templates.database(kind) as one, templates.database(kind) as other:
        await add_a_session(one)
        assert await count_sessions(one) == 1
        assert await count_sessions(other) == 0
        assert await pending(other, [core]) == []
    await templates.close()

    left = {path.name for path in tmp_path.iterdir()}  # noqa: ASYNC240
    assert left == {"migrations"}


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

    deadline = time.monotonic() + 10
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
