"""Races: requests that start at the same moment, and a studio that nothing protects.

A race test is worth something only if it can fail. Its twin runs the same race where all that
protects is off: every statement is a transaction of its own on one of many connections, so that
no lock outlives its statement and SQLite's writers are many; the constraints of the last
resort are dropped; and the twin itself takes the guard off the statement it is about.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import event, make_url, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import create_async_engine

from classbolt.bolt_ons import BoltOns
from classbolt.db import Database
from studio import Studio

T = TypeVar("T")

ROUNDS = range(1, 6)
"""How often a race is run where exactly one may win."""
PATIENCE = range(1, 11)
"""How often a race is run, at most, until it is seen where nothing protects."""
FIRST = datetime.fromisoformat("2027-01-18T09:00:00Z")
TWO_MONTHS = {"value": 60, "unit": "DAYS"}

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


# Running a race


async def at_once(asks: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Let all ask at the same moment, and give their answers in the order of the asking."""
    barrier = asyncio.Barrier(len(asks))

    async def start(ask: Coroutine[Any, Any, T]) -> T:
        await barrier.wait()
        return await ask

    # Everybody is waited for, also when one fails: nobody runs on into the next test.
    tasks = [asyncio.create_task(start(ask)) for ask in asks]
    await asyncio.wait(tasks)
    return [task.result() for task in tasks]


def outcome(payload: dict[str, Any]) -> str:
    """Put an answer into a word: DONE, or the reasons why not."""
    return " ".join(error["code"] for error in payload["userErrors"]) or "DONE"


async def is_seen(race: Callable[[int], Awaitable[bool]]) -> bool:
    """Run a race until it says that it went wrong; False if it never does."""
    for number in PATIENCE:
        if await race(number):
            return True
    return False


@contextmanager
def noting_contention(studio: Studio) -> Iterator[list[str]]:
    """Collect PostgreSQL's codes for deadlocks and the like; they are retried and not seen."""
    codes: list[str] = []

    def note(context: ExceptionContext) -> None:
        codes.append(str(getattr(context.original_exception, "sqlstate", "SQLite")))

    writer, _ = studio.database.engines
    event.listen(writer.sync_engine, "handle_error", note)
    try:
        yield codes
    finally:
        event.remove(writer.sync_engine, "handle_error", note)


# Whom and what it takes


async def add_crowd(studio: Studio, size: int, *, bundle: str | None = None) -> list[str]:
    """Add customers who are ready to ask, each with a copy of a bundle if one is named."""
    there = len(studio.ids.customers)
    names = [f"Customer {there + number}" for number in range(size)]
    for name in names:
        await studio.add_customer(name)
        await studio.token(name)
        if bundle is not None:
            await studio.give(name, bundle)
    return names


async def add_course(studio: Studio, short: str, *, sessions: int, seats: int) -> None:
    """Add a course for beginners that drop-ins may book at once and that gives refunds."""
    beginners = {"method": "NEW_BUNDLE", "bundle": studio.ids.bundles["RB-BEG"]}
    asked = {
        "title": short,
        "priceMinor": 6000,
        "tag": studio.ids.tags["BEG"],
        "sessions": [
            {
                "startsAt": (FIRST + timedelta(hours=number)).isoformat(),
                "capacity": seats,
                "dropIn": {
                    "priceMinor": 1200,
                    "opensBefore": TWO_MONTHS,
                    "paymentMethods": ["credit", "offline"],
                },
            }
            for number in range(sessions)
        ],
        "autoRefund": {
            "notice": {"value": 24, "unit": "HOURS"},
            "refunds": [
                {"option": "COURSE", **beginners},
                {"option": "DROP_IN_CREDIT", "method": "ORIGINAL"},
            ],
        },
    }
    fields = "course { id sessions(first: 100) { edges { node { id } } } }"
    course = (await studio.do("createCourse", asked, fields, as_="owner"))["course"]
    studio.ids.courses[short] = course["id"]
    edges = course["sessions"]["edges"]
    studio.ids.sessions[short] = [edge["node"]["id"] for edge in edges]


# Taking the protection off


class Unprotected(Database):
    """A database whose every write commits by itself, on one of many connections."""

    def __init__(self, url: str, bolt_ons: BoltOns) -> None:
        super().__init__(url, bolt_ons)
        self._writer = create_async_engine(
            url, pool_size=CONNECTIONS, isolation_level="AUTOCOMMIT"
        )
        if make_url(url).get_backend_name() == "sqlite":
            event.listen(self._writer.sync_engine, "connect", _set_up)


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
