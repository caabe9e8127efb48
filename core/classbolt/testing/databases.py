"""A database of its own for each test, copied from one that each test process fills once."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from classbolt.migrate import Component, upgrade
from classbolt.testing.postgres import PostgresServer

Kind = Literal["sqlite", "postgresql"]


@dataclass(frozen=True, slots=True)
class Seed:
    """What a database has in it when a test gets it.

    Attributes:
        name: Tells seeds apart; of two with the same name only the first is filled in.
        fill: Fills a migrated database, once for each kind, and lets go of it.
    """

    name: str
    fill: Callable[[str], Awaitable[None]]


class Templates:
    """Databases to copy from, each made when it is first needed."""

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
        self._files = _Files(folder)
        self._postgres = postgres
        self._made: dict[tuple[Kind, str | None], str] = {}

    @asynccontextmanager
    async def database(self, kind: Kind, seed: Seed | None = None) -> AsyncIterator[str]:
        """Lend the address of a migrated database, which is gone afterwards.

        It has the rows of the seed in it, or none.
        """
        template = await self._template(kind, seed)
        server = self._server(kind)
        copy = _new_name()
        await server.create_database(copy, template)
        try:
            yield server.url(copy)
        finally:
            await server.drop_database(copy)

    async def close(self) -> None:
        """Drop what was copied from; the server may be used by others after us."""
        for (kind, _), template in self._made.items():
            await self._server(kind).drop_database(template)
        self._made.clear()

    def _server(self, kind: Kind) -> _Server:
        return self._files if kind == "sqlite" else self._postgres()

    async def _template(self, kind: Kind, seed: Seed | None) -> str:
        """Name the database to copy from, made if it is not there yet."""
        key = kind, seed.name if seed else None
        if key not in self._made:
            migrated = await self._template(kind, None) if seed else None
            server, name = self._server(kind), _new_name()
            await server.create_database(name, migrated)
            try:
                if seed:
                    await seed.fill(server.url(name))
                else:
                    await upgrade(server.url(name), self._components)
            except BaseException:  # also an interrupt leaves nothing half made
                await server.drop_database(name)
                raise
            self._made[key] = name
        return self._made[key]


class _Server(Protocol):
    """What has databases."""

    def url(self, database: str) -> str: ...

    async def create_database(self, name: str, template: str | None = None) -> None: ...

    async def drop_database(self, name: str) -> None: ...


@dataclass(frozen=True, slots=True)
class _Files:
    """SQLite's files in a folder, seen as the databases of a server."""

    folder: Path

    def url(self, database: str) -> str:
        return f"sqlite+aiosqlite:///{self._file(database)}"

    async def create_database(self, name: str, template: str | None = None) -> None:
        with closing(sqlite3.connect(self._file(name))) as new:
            new.execute("PRAGMA synchronous = OFF")
            if template is None:
                # Each copy would be switched to it anyway, at a cost.
                new.execute("PRAGMA journal_mode = WAL")
                return
            # To copy the file would leave out what is still in its write-ahead log.
            with closing(sqlite3.connect(self._file(template))) as old:
                old.backup(new)

    async def drop_database(self, name: str) -> None:
        file = self._file(name)
        for each in (file, Path(f"{file}-wal"), Path(f"{file}-shm")):
            each.unlink(missing_ok=True)

    def _file(self, database: str) -> Path:
        return self.folder / f"{database}.db"


def _new_name() -> str:
    """Make up a name that no other test process uses on the same server."""
    return f"classbolt_{secrets.token_hex(8)}"
