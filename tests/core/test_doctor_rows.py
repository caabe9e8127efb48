"""Each rule about rows finds the rows that break it, and no others, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import CheckConstraint, NullPool, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

import healthy as h
from breakages import BREAKAGES
from classbolt.columns import Instant, Key
from classbolt.doctor.invariant import Invariant
from classbolt.doctor.references import MAY_LIE_AHEAD, WRITTEN_AHEAD, references
from classbolt.tables import (
    cancellations,
    customer_bundles,
    metadata,
    sessions,
)
from healthy import BY_NAME
from invariants import RULES, counts
from under_way import write_payments_under_way

pytestmark = pytest.mark.unmeasured  # they come by nothing new, but often

J6 = references(dict.fromkeys(table.metadata for table in BY_NAME.values()))
KEYS = [
    (table, list(constraint.columns)[-1])
    for table in BY_NAME.values()
    for constraint in table.foreign_key_constraints
]
HAPPENED = [
    column
    for table in metadata.sorted_tables
    for column in table.c
    if isinstance(column.type, Instant) and column.name not in MAY_LIE_AHEAD
]


@pytest.fixture
async def studio(database_url: str) -> AsyncIterator[AsyncConnection]:
    """A healthy studio, in a database that lets anybody write anything."""
    engine = create_async_engine(database_url, poolclass=NullPool)
    async with engine.connect() as connection:
        await h.write_healthy_rows(connection)
        await write_payments_under_way(connection)
        for statement in guards_off(connection.dialect.name):
            await connection.execute(text(statement))
        await connection.commit()
        yield connection
    await engine.dispose()


def guards_off(dialect: str) -> Iterator[str]:
    """Take off what would refuse the rows that the rules are there to find."""
    for table in BY_NAME.values():
        yield from (f"DROP INDEX {index.name}" for index in table.indexes if index.unique)
    if dialect == "sqlite":
        yield "PRAGMA ignore_check_constraints = ON"  # its foreign keys are off anyway
        return
    yield "SET session_replication_role = replica"
    for table in BY_NAME.values():
        for each in table.constraints:
            if isinstance(each, CheckConstraint):
                yield f"ALTER TABLE {table.name} DROP CONSTRAINT {each.name}"


async def broken_in(connection: AsyncConnection) -> set[str]:
    """Give the codes of the rules that do not hold."""
    statement = text(counts(connection.engine.url.drivername))
    code = {each.rule: each.code for each in RULES}
    return {code[row.rule] for row in await connection.execute(statement)}


async def rows_of(
    connection: AsyncConnection, rule: Invariant, **asked: Any
) -> list[tuple[str, int, UUID | None]]:
    """Give the rows that break a rule."""
    wrong = rule.wrong.subquery()
    found = await connection.execute(select(wrong), asked)
    return [(row.source, row.account_id, row.id) for row in found]


async def test_healthy_rows_break_no_rule(studio: AsyncConnection) -> None:
    assert h.ROWS.keys() == BY_NAME.keys() - {"accounts"}
    assert await broken_in(studio) == set()
    assert await rows_of(studio, J6) == []
    assert await rows_of(studio, WRITTEN_AHEAD, latest=h.NOW) == []


def test_every_rule_is_broken_below() -> None:
    found = {code for codes, _ in BREAKAGES.values() for code in codes}

    assert found == {each.code for each in RULES}


async def test_each_rule_finds_what_breaks_it_and_nothing_else(studio: AsyncConnection) -> None:
    """J1-J5, J7, and what a booking, its course, its customer and its payment share."""
    found = {}
    for name, (_, statements) in BREAKAGES.items():
        for statement in statements:
            await studio.execute(statement)
        found[name] = await broken_in(studio)
        await studio.rollback()

    assert found == {name: codes for name, (codes, _) in BREAKAGES.items()}


async def test_every_reference_is_followed(studio: AsyncConnection) -> None:
    """J6: also a bolt-on's references, and also to a row that only another account has."""
    assert len(KEYS) > 40
    for table, column in KEYS:
        for elsewhere in (h.NOBODY, h.STRANGER) if isinstance(column.type, Key) else (99,):
            one = await studio.scalar(select(column).where(column.is_not(None)).limit(1))
            astray = update(table).where(column == one).values({column: elsewhere})
            await studio.execute(astray)
            found = await rows_of(studio, J6)
            await studio.rollback()

            assert table.name in {source for source, _, _ in found}, (column, elsewhere)


async def test_a_row_without_an_id_is_known_by_its_reference(studio: AsyncConnection) -> None:
    await studio.execute(update(BY_NAME["bundle_tags"]).values(tag_id=h.NOBODY))

    assert await rows_of(studio, J6) == [("bundle_tags", h.NORTH, h.NOBODY)]


async def test_a_reference_that_is_null_leads_nowhere_on_purpose(
    studio: AsyncConnection,
) -> None:
    await studio.execute(update(sessions).values(tag_id=None))

    assert await rows_of(studio, J6) == []


async def test_whatever_has_happened_has_happened_by_now(studio: AsyncConnection) -> None:
    assert len(HAPPENED) > 15
    for column in HAPPENED:
        later = update(column.table).values({column: h.NOW + timedelta(seconds=1)})
        await studio.execute(later)
        now = await rows_of(studio, WRITTEN_AHEAD, latest=h.NOW)
        then = await rows_of(studio, WRITTEN_AHEAD, latest=h.NOW + timedelta(seconds=1))
        await studio.rollback()

        assert ({source for source, _, _ in now}, then) == ({column.table.name}, []), column


async def test_what_is_planned_may_lie_ahead(studio: AsyncConnection) -> None:
    far = h.NOW + timedelta(days=999)
    await studio.execute(update(sessions).values(starts_at=far, ends_at=far))
    await studio.execute(update(customer_bundles).values(expires_at=far))
    await studio.execute(update(cancellations).values(deadline=far))

    assert await rows_of(studio, WRITTEN_AHEAD, latest=h.NOW) == []
