"""Core and a bolt-on are migrated apart from each other, on both databases."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    NullPool,
    String,
    Table,
    inspect,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from classbolt import tables
from classbolt.columns import Instant, Key
from classbolt.migrate import (
    Component,
    MigrationError,
    downgrade,
    drift,
    pending,
    upgrade,
    write_revision,
)
from classbolt.testing.postgres import PostgresServer

HEADS = ["core 0001", "waitlist 0001"]

SESSION = (
    "INSERT INTO sessions (account_id, id, title, starts_at, seats_taken)"
    " VALUES (1, {key}, 'Yoga', '2026-01-01T00:00:00.000000Z', 0)"
)
PLACE = "INSERT INTO waitlist_places_of_customers_who_wait VALUES (1, {key}, {key}, true)"


def core_tables(*more: Column[Any]) -> MetaData:
    metadata = MetaData(naming_convention=tables.NAMING)
    sessions = Table(
        "sessions",
        metadata,
        Column("account_id", Integer, primary_key=True, autoincrement=False),
        Column("id", Key, primary_key=True),
        Column("title", String(200), nullable=False),
        Column("starts_at", Instant, nullable=False),
        Column("seats_taken", Integer, nullable=False),
        Column("facts", JSON),
        *more,
        CheckConstraint("seats_taken >= 0", name="seats_taken"),
    )
    Index(None, sessions.c.account_id, sessions.c.starts_at, sessions.c.id)
    return metadata


def waitlist_tables(core: MetaData, *more: Column[Any]) -> MetaData:
    metadata = MetaData(naming_convention=tables.NAMING)
    sessions = core.tables["sessions"].c
    places = Table(
        "waitlist_places_of_customers_who_wait",
        metadata,
        Column("account_id", Integer, primary_key=True, autoincrement=False),
        Column("id", Key, primary_key=True),
        Column("session_of_which_a_seat_is_wanted_id", Key, nullable=False),
        Column("active", Boolean, nullable=False),
        *more,
        # Its name is longer than PostgreSQL keeps.
        ForeignKeyConstraint(
            ["account_id", "session_of_which_a_seat_is_wanted_id"],
            [sessions.account_id, sessions.id],
        ),
    )
    Index(
        "uq_waitlist_one_active_place",
        places.c.account_id,
        places.c.session_of_which_a_seat_is_wanted_id,
        unique=True,
        sqlite_where=text("active"),
        postgresql_where=text("active"),
    )
    return metadata


@dataclass
class Installation:
    """A core, a bolt-on called waitlist, and the database that they are installed in."""

    url: str
    scratch: str
    core: Component
    waitlist: Component

    @property
    def both(self) -> tuple[Component, Component]:
        return self.core, self.waitlist

    async def core_with(self, *more: Column[Any]) -> None:
        self.core = replace(self.core, metadata=core_tables(*more))
        await self.release(self.core)

    async def waitlist_with(self, *more: Column[Any]) -> None:
        metadata = waitlist_tables(self.core.metadata, *more)
        self.waitlist = replace(self.waitlist, metadata=metadata)
        await self.release(self.waitlist)

    async def release(self, component: Component) -> None:
        """Do as a developer does: compare with a database that has run all scripts so far."""
        await upgrade(self.scratch, self.both)
        await write_revision(self.scratch, component, self.both, "a change")

    async def run(self, *statements: str) -> None:
        key = "'00000000-0000-0000-0000-000000000001'"
        if self.url.startswith("sqlite"):
            key = "x'00000000000000000000000000000001'"
        async with self.connect() as connection:
            for statement in statements:
                await connection.execute(text(statement.replace("{key}", key)))

    async def count(self, table: str) -> object:
        async with self.connect() as connection:
            return await connection.scalar(text(f"SELECT count(*) FROM {table}"))  # noqa: S608

    async def tables(self) -> set[str]:
        async with self.connect() as connection:
            return await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[AsyncConnection]:
        engine = create_async_engine(self.url, poolclass=NullPool)
        try:
            async with engine.begin() as connection:
                yield connection
        finally:
            await engine.dispose()


def add_to_upgrade(component: Component, revision: str, statement: str) -> None:
    """Add a line by hand to a script, before all others."""
    script = next(component.versions.glob(f"{revision}_*"))
    begin = "def upgrade() -> None:\n"
    script.write_text(script.read_text().replace(begin, f"{begin}    {statement}\n"))


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/not/there/yet/studio.db"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = f"migrate_{secrets.token_hex(8)}"
    await server.create_database(name)
    yield server.url(name)
    await server.drop_database(name)


@pytest.fixture
async def installation(url: str, tmp_path: Path) -> Installation:
    core = Component("core", core_tables(), tmp_path / "core" / "migrations", "")
    waitlist = Component(
        "waitlist",
        waitlist_tables(core.metadata),
        tmp_path / "waitlist" / "migrations",
        "waitlist_",
    )
    scratch = f"sqlite+aiosqlite:///{tmp_path}/scratch.db"
    await write_revision(scratch, core, [core, waitlist], "sessions")
    await write_revision(scratch, waitlist, [core, waitlist], "places on a waiting list")
    return Installation(url, scratch, core, waitlist)


async def test_an_empty_database_gets_all_tables_and_drifts_from_nothing(
    installation: Installation,
) -> None:
    assert await pending(installation.url, installation.both) == HEADS

    assert await upgrade(installation.url, installation.both) == HEADS

    assert await upgrade(installation.url, installation.both) == []
    assert await pending(installation.url, installation.both) == []
    assert await drift(installation.url, installation.both) == []
    assert await installation.tables() == {
        "sessions",
        "core_schema_version",
        "waitlist_places_of_customers_who_wait",
        "waitlist_schema_version",
    }


async def test_looking_at_a_database_does_not_create_it(
    tmp_path: Path, installation: Installation
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/nowhere/studio.db"

    assert await pending(url, installation.both) == HEADS
    assert (await drift(url, installation.both))[0] == "core: add table sessions"
    assert not (tmp_path / "nowhere").exists()


async def test_a_bolt_on_is_migrated_without_touching_core(installation: Installation) -> None:
    await upgrade(installation.url, installation.both)

    await installation.waitlist_with(Column("note", String(20)))

    assert await drift(installation.url, installation.both) == [
        "waitlist: add column waitlist_places_of_customers_who_wait.note"
    ]
    assert await upgrade(installation.url, installation.both) == ["waitlist 0002"]
    assert await drift(installation.url, installation.both) == []


async def test_core_migrates_on_when_a_bolt_on_is_gone(installation: Installation) -> None:
    """I8."""
    await upgrade(installation.url, installation.both)
    await installation.run(SESSION, PLACE)

    await installation.core_with(Column("room", String(20)))

    assert await upgrade(installation.url, [installation.core]) == ["core 0002"]
    assert await drift(installation.url, [installation.core]) == []
    assert await installation.count("waitlist_places_of_customers_who_wait") == 1


async def test_a_bolt_on_without_its_scripts_keeps_core_not_back(
    installation: Installation, tmp_path: Path
) -> None:
    """I8."""
    broken = replace(installation.waitlist, versions=tmp_path / "missing")

    with pytest.raises(MigrationError, match="waitlist: Path doesn't exist"):
        await upgrade(installation.url, [installation.core, broken])

    assert await pending(installation.url, installation.both) == ["waitlist 0001"]


async def test_a_bolt_on_goes_without_a_trace(installation: Installation) -> None:
    await upgrade(installation.url, installation.both)

    await downgrade(installation.url, installation.waitlist, "base")

    assert await installation.tables() == {"sessions", "core_schema_version"}
    assert await drift(installation.url, [installation.core]) == []
    assert await upgrade(installation.url, installation.both) == ["waitlist 0001"]
    assert await drift(installation.url, installation.both) == []


async def test_a_component_goes_back_by_one_script(installation: Installation) -> None:
    await installation.core_with(Column("room", String(20)))
    await upgrade(installation.url, installation.both)

    await downgrade(installation.url, installation.core, "0001")

    assert await pending(installation.url, installation.both) == ["core 0002"]
    found = await drift(installation.url, installation.both)
    assert found == ["core: add column sessions.room"]


async def test_a_dropped_column_comes_back_with_the_type_it_had(
    installation: Installation,
) -> None:
    await installation.core_with(Column("room_id", Key), Column("opens_at", Instant))
    before = installation.core
    await installation.core_with()
    await upgrade(installation.url, installation.both)

    await downgrade(installation.url, installation.core, "0002")

    assert await drift(installation.url, [before]) == []


async def test_differences_are_told_in_words(installation: Installation) -> None:
    await upgrade(installation.url, installation.both)
    sessions = installation.core.metadata.tables["sessions"]
    sessions.append_column(Column("room", String(20)))
    sessions.append_constraint(CheckConstraint("seats_taken < 1000", name="few"))
    sessions.c.title.nullable = True
    Index(None, sessions.c.account_id, sessions.c.title)
    Table("rooms", installation.core.metadata, Column("id", Key, primary_key=True))

    found = await drift(installation.url, installation.both)

    assert sorted(found) == [
        "core: add column sessions.room",
        "core: add constraint sessions.ck_sessions_few",
        "core: add index sessions.ix_sessions_account_id_title",
        "core: add table rooms",
        "core: modify nullable sessions.title: False -> True",
    ]


async def test_a_column_of_another_type_is_reported(installation: Installation) -> None:
    await upgrade(installation.url, installation.both)
    await installation.run(
        "ALTER TABLE sessions DROP COLUMN facts",
        "ALTER TABLE sessions ADD COLUMN facts INTEGER",
    )

    found = await drift(installation.url, installation.both)

    assert found == ["core: modify type sessions.facts: INTEGER() -> JSON()"]


async def test_a_table_that_is_not_wanted_is_reported_for_its_owner(
    installation: Installation,
) -> None:
    await upgrade(installation.url, installation.both)
    await installation.run(
        "CREATE TABLE old (id INTEGER)", "CREATE TABLE waitlist_old (id INTEGER)"
    )

    found = await drift(installation.url, installation.both)

    assert found == ["core: remove table old", "waitlist: remove table waitlist_old"]


async def test_a_script_that_fails_leaves_everything_as_it_was(
    installation: Installation,
) -> None:
    await installation.core_with(Column("room", String(20)))
    add_to_upgrade(installation.core, "0002", "raise ValueError('on purpose')")

    with pytest.raises(ValueError, match="on purpose"):
        await upgrade(installation.url, installation.both)

    assert await installation.tables() == set()
    assert await pending(installation.url, [installation.core]) == ["core 0001", "core 0002"]


async def test_rows_that_would_point_nowhere_are_refused(installation: Installation) -> None:
    await upgrade(installation.url, installation.both)
    await installation.run(SESSION, PLACE)
    await installation.core_with(Column("room", String(20)))
    add_to_upgrade(installation.core, "0002", "op.execute('DELETE FROM sessions')")

    with pytest.raises(Exception, match=r"would point nowhere|violates foreign key constraint"):
        await upgrade(installation.url, installation.both)

    assert await pending(installation.url, installation.both) == ["core 0002"]
    assert await installation.count("sessions") == 1


async def test_rows_survive_when_the_table_they_point_to_is_copied(
    installation: Installation,
) -> None:
    await upgrade(installation.url, installation.both)
    await installation.run(SESSION, PLACE)
    installation.core.metadata.tables["sessions"].c.facts.nullable = False
    await installation.release(installation.core)
    facts = """op.execute("UPDATE sessions SET facts = '[]'")"""
    add_to_upgrade(installation.core, "0002", facts)

    await upgrade(installation.url, installation.both)

    assert await drift(installation.url, installation.both) == []
    assert await installation.count("waitlist_places_of_customers_who_wait") == 1


async def test_of_those_that_migrate_at_once_one_does_and_the_others_find_nothing_to_do(
    installation: Installation,
) -> None:
    outcomes = await asyncio.gather(
        *(upgrade(installation.url, installation.both) for _ in range(4))
    )

    assert sorted(label for labels in outcomes for label in labels) == HEADS
    assert await drift(installation.url, installation.both) == []


async def test_a_database_of_a_newer_release_is_refused(installation: Installation) -> None:
    await upgrade(installation.url, installation.both)
    await installation.run("UPDATE core_schema_version SET version_num = '0007'")

    for look in (upgrade, pending):
        with pytest.raises(MigrationError, match=r"core: .*0007"):
            await look(installation.url, installation.both)
    with pytest.raises(MigrationError, match=r"core: .*0007"):
        await downgrade(installation.url, installation.core, "0001")
