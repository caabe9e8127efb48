"""Bring a database to the tables of this release; take it back; say what differs.

Three things can go wrong, and each has an answer here. Two processes may start at once: whoever
comes second waits and finds nothing to do. A script may fail half-way: what it did is undone.
SQLite changes a table by copying it, which with foreign keys on deletes the rows that point to
it: they are off during a migration, and all of them are checked before the commit.

Developers write the script for tables they have changed with
`python -m classbolt.migrate revision core "what it changes"`.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, NullPool, event, func, make_url, select
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from classbolt.bolt_ons import BoltOns
from classbolt.components import (
    CORE,
    Component,
    MigrationError,
    apply,
    components,
    label,
    missing,
    revert,
)
from classbolt.revisions import differences, next_revision, render_script

__all__ = [
    "Component",
    "MigrationError",
    "components",
    "downgrade",
    "drift",
    "pending",
    "upgrade",
    "write_revision",
]

LOCK = 0xC1A55B01
"""Names our lock among the advisory locks of a PostgreSQL database."""
LOCK_WAIT_SECONDS = 60


async def upgrade(url: str, components: Iterable[Component]) -> list[str]:
    """Bring each component to the newest of its scripts and say which were run.

    Each component commits on its own: a bolt-on that cannot be migrated does not keep back the
    components before it, of which core is the first.

    Raises:
        MigrationError: The database is newer than this release; or, on SQLite, rows would
            point nowhere (PostgreSQL refuses those by itself).
    """
    applied: list[str] = []
    async with _engine(url, writes=True) as engine:
        for component in components:
            async with engine.begin() as connection:
                applied += await connection.run_sync(_upgrade, component)
    return applied


async def downgrade(url: str, component: Component, target: str) -> None:
    """Take one component back to a revision, or to 'base', where it has no tables.

    Raises:
        MigrationError: The component never was at that revision; or, on SQLite, rows would
            point nowhere.
    """
    async with _engine(url, writes=True) as engine, engine.begin() as connection:
        await connection.run_sync(_downgrade, component, target)


async def pending(url: str, components: Iterable[Component]) -> list[str]:
    """List the scripts that `upgrade` would run. A database that is not there is not created.

    Raises:
        MigrationError: The database is newer than this release.
    """
    async with _engine(url, writes=False) as engine, engine.connect() as connection:
        return [
            label(component, script)
            for component in components
            for script in await connection.run_sync(missing, component)
        ]


async def drift(url: str, components: Sequence[Component]) -> list[str]:
    """List what a migration would still have to do to make the tables what we want."""
    async with _engine(url, writes=False) as engine, engine.connect() as connection:
        return [
            f"{component.name}: {difference}"
            for component in components
            for difference in await connection.run_sync(differences, component, components)
        ]


async def write_revision(
    url: str, component: Component, components: Sequence[Component], message: str
) -> Path | None:
    """Write the script that takes a database to the component's tables; None if it is there.

    Read it before you commit it: a renamed column looks like one dropped and one added.

    Raises:
        MigrationError: The database has yet to run a script that exists.
    """
    component.versions.mkdir(parents=True, exist_ok=True)
    async with _engine(url, writes=False) as engine, engine.connect() as connection:
        if behind := await connection.run_sync(missing, component):
            raise MigrationError(f"this database has yet to run {label(component, behind[0])}")
        script = await connection.run_sync(render_script, component, components, message)
    if script is None:
        return None
    slug = re.sub(r"\W+", "_", message.lower()).strip("_")
    path = component.versions / f"{next_revision(component)}_{slug}.py"
    path.write_text(script, encoding="utf-8")
    return path


def main() -> None:
    """Write a migration script for tables that have changed."""
    parser = argparse.ArgumentParser(prog="python -m classbolt.migrate")
    commands = parser.add_subparsers(required=True)
    revision = commands.add_parser("revision", help="write the script for changed tables")
    revision.add_argument("component", help="core, or the code of a bolt-on")
    revision.add_argument("message", help="the first line of the script")
    given = parser.parse_args()
    path = asyncio.run(_revise(given.component, given.message))
    sys.stdout.write(f"{path or 'nothing has changed'}\n")


async def _revise(name: str, message: str) -> Path | None:
    """Compare with a throw-away database that has run all scripts so far."""
    known = {each.name: each for each in components(BoltOns.discover().installed.values())}
    if name not in known:
        raise SystemExit(f"no component is called {name!r}; there are {', '.join(known)}")
    component = known[name]
    component.versions.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{folder}/scratch.db"
        await upgrade(url, {CORE: known[CORE], name: component}.values())
        return await write_revision(url, component, tuple(known.values()), message)


def _upgrade(connection: Connection, component: Component) -> list[str]:
    _wait_for_others(connection)
    scripts = missing(connection, component)
    if scripts:
        apply(connection, component, scripts)
        _check_foreign_keys(connection, component)
    return [label(component, script) for script in scripts]


def _downgrade(connection: Connection, component: Component, target: str) -> None:
    _wait_for_others(connection)
    revert(connection, component, target)
    _check_foreign_keys(connection, component)


def _wait_for_others(connection: Connection) -> None:
    """Let nobody else migrate until the commit. SQLite's BEGIN IMMEDIATE did so already."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(LOCK)))


def _check_foreign_keys(connection: Connection, component: Component) -> None:
    """Refuse what SQLite did not look at while its foreign keys were off."""
    if connection.dialect.name != "sqlite":
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        child, _, parent, _ = broken[0]
        raise MigrationError(
            f"{component.name}: {len(broken)} rows would point nowhere,"
            f" such as one of {child} to {parent}"
        )


@asynccontextmanager
async def _engine(url: str, *, writes: bool) -> AsyncIterator[AsyncEngine]:
    """Open a database for one of the functions above."""
    if make_url(url).get_backend_name() == "sqlite":
        engine = _sqlite(url, writes=writes)
    else:
        # Tables change under these connections, and a kept plan would be about the old ones.
        kept = {"statement_cache_size": 0, "prepared_statement_cache_size": 0}
        engine = create_async_engine(url, poolclass=NullPool, connect_args=kept)
    try:
        yield engine
    finally:
        await engine.dispose()


def _sqlite(url: str, *, writes: bool) -> AsyncEngine:
    file = Path(make_url(url).database or "")
    if writes:
        file.parent.mkdir(parents=True, exist_ok=True)
    elif not file.is_file():
        url = "sqlite+aiosqlite://"
    engine = create_async_engine(
        url, poolclass=NullPool, connect_args={"timeout": LOCK_WAIT_SECONDS}
    )

    @event.listens_for(engine.sync_engine, "connect")
    def set_up(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver must not begin transactions by itself
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys = OFF")  # inside a transaction it does nothing
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


if __name__ == "__main__":
    main()
