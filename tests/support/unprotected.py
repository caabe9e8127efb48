"""Databases that do not protect: what the twins of races run on.

A race test is worth something only if it can fail. Its twin runs the same race where all that
protects is off: every statement is a transaction of its own on one of many connections, so that
no lock outlives its statement and SQLite's writers are many; the constraints of the last
resort are dropped; and the twin itself takes the guard off the statement it is about.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import bindparam, event, make_url, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from structlog.contextvars import get_contextvars

from classbolt.bolt_ons import BoltOns
from classbolt.checks import mine
from classbolt.db import Caller, Database, Tx
from classbolt.tables import sessions

CONNECTIONS = 30
UNPROTECTED_SQLITE = (
    "synchronous=OFF",
    "foreign_keys=ON",
    "busy_timeout=10000",
    "ignore_check_constraints=ON",
)
CHECKS = {"sessions": "ck_sessions_seats", "customer_bundles": "ck_customer_bundles_balance"}
UNIQUE = (
    "ix_cancellations_account_id_booking_id",
    "uq_credit_entries_once_per_booking",
)
TAKE_SEATS_UNGUARDED = (
    update(sessions)
    .where(mine(sessions), sessions.c.id.in_(bindparam("session_ids", expanding=True)))
    .values(seats_taken=sessions.c.seats_taken + 1)
    .returning(sessions.c.id)
)


class Unprotected(Database):
    """A database whose every write commits by itself, on one of many connections."""

    def __init__(self, url: str, bolt_ons: BoltOns) -> None:
        super().__init__(url, bolt_ons)
        self._writer = create_async_engine(
            url, pool_size=CONNECTIONS, isolation_level="AUTOCOMMIT"
        )
        if make_url(url).get_backend_name() == "sqlite":
            event.listen(self._writer.sync_engine, "connect", _set_up)


class ReadAhead(Database):
    """A database that decides with the switches that the request read before it began."""

    def __init__(self, url: str, bolt_ons: BoltOns) -> None:
        super().__init__(url, bolt_ons)
        self._read: dict[object, frozenset[str]] = {}

    def reader(self) -> object:
        """Say who remembers what was read first."""
        return get_contextvars().get("request_id")

    async def _open(self, connection: AsyncConnection, caller: Caller, *, writes: bool) -> Tx:
        tx = await super()._open(connection, caller, writes=writes)
        enabled = self._read.setdefault(self.reader(), tx.account.enabled)
        tx.account = replace(tx.account, enabled=enabled)
        tx.bolt_ons = self._bolt_ons.enabled(enabled)
        return tx


class Remembering(ReadAhead):
    """A database that decides with the switches that its process read once."""

    def reader(self) -> object:
        """Say that the process remembers."""
        return self


def _set_up(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in UNPROTECTED_SQLITE:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


async def drop_constraints(url: str) -> None:
    """Drop what would stop a race at the last moment; SQLite's CHECKs are ignored instead."""
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        for name in UNIQUE:
            await connection.execute(text(f"DROP INDEX {name}"))
        if connection.dialect.name == "postgresql":
            for table, name in CHECKS.items():
                await connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))
    await engine.dispose()
