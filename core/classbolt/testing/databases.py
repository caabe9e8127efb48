"""A database of its own for each test, copied from one that each test process migrates once."""

from __future__ import annotations

import secrets
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Literal

from classbolt.migrate import Component, upgrade
from classbolt.testing.postgres import PostgresServer

Kind = Literal["sqlite", "postgresql"]


class Templates:
    """Migrated databases to copy from, each made when it is first needed."""

    def __init__(
        self,
        components: Sequence[Component],
        *,
        folder: Path,
        postgres: Callable[[], PostgresServer],
    ) -> None:
        """Take note of what to migrate to, and of where.

        Args:
            components: What the databases have tables for.
            folder: Where SQLite's files go.
            postgres: Gives the server; called only if a test asks for PostgreSQL.
        """
        self._components = components
        self._folder = folder
        self._postgres = postgres
        self._template: dict[Kind, str] = {}

    @asynccontextmanager
    async def database(self, kind: Kind) -> AsyncIterator[str]:
        """Lend the address of a migrated database without rows, which is gone afterwards."""
        lend = self._sqlite if kind == "sqlite" else self._postgresql
        async with lend() as url:
            yield url

    async def close(self) -> None:
        """Drop what was copied from; the server may be used by others after us."""
        for kind, name in self._template.items():
            if kind == "postgresql":
                await self._postgres().drop_database(name)
            else:
                _remove(Path(name))
        self._template.clear()

    @asynccontextmanager
    async def _sqlite(self) -> AsyncIterator[str]:
        if "sqlite" not in self._template:
            template = self._folder / f"{_new_name()}.db"
            await upgrade(_sqlite_url(template), self._components)
            # Each copy would be switched to it anyway, at a cost.
            with closing(sqlite3.connect(template)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
            self._template["sqlite"] = str(template)
        copy = self._folder / f"{_new_name()}.db"
        shutil.copyfile(self._template["sqlite"], copy)
        try:
            yield _sqlite_url(copy)
        finally:
            _remove(copy)

    @asynccontextmanager
    async def _postgresql(self) -> AsyncIterator[str]:
        server = self._postgres()
        if "postgresql" not in self._template:
            template = _new_name()
            await server.create_database(template)
            await upgrade(server.url(template), self._components)
            self._template["postgresql"] = template
        copy = _new_name()
        await server.create_database(copy, self._template["postgresql"])
        try:
            yield server.url(copy)
        finally:
            await server.drop_database(copy)


def _new_name() -> str:
    """Make up a name that no other test process uses on the same server."""
    return f"classbolt_{secrets.token_hex(8)}"


def _sqlite_url(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


def _remove(file: Path) -> None:
    for each in (file, Path(f"{file}-wal"), Path(f"{file}-shm")):
        each.unlink(missing_ok=True)
