from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
from sqlalchemy import (
    Column,
    Executable,
    Integer,
    MetaData,
    NullPool,
    Row,
    String,
    Table,
    bindparam,
    insert,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from classbolt.columns import Instant, Key
from classbolt.db import Tx
from classbolt.errors import InvalidCursor, InvalidInput
from classbolt.pages import Page, PageOf, fetch_page, fetch_pages
from classbolt_schema.pagination import Connection, decode_cursor, encode_cursor, page

metadata = MetaData()
sessions = Table(
    "sessions",
    metadata,
    Column("id", Key, primary_key=True),
    Column("course_id", Key, nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("title", String, nullable=False),
    Column("seats", Integer, nullable=False),
)
STARTS = (sessions.c.starts_at, sessions.c.id)
NINE = datetime(2027, 1, 25, 9, tzinfo=UTC)
MONDAYS, TUESDAYS, EMPTY = (UUID(int=n) for n in (1, 2, 3))


@dataclass
class Reading:
    """What pages need of a transaction."""

    connection: AsyncConnection
    statements: int = 0

    async def all(
        self, statement: Executable, params: dict[str, Any] | None = None
    ) -> list[Row[Any]]:
        self.statements += 1
        return list((await self.connection.execute(statement, params)).all())


@pytest.fixture(params=["sqlite", "postgresql"])
async def reading(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Reading]:
    """Nine sessions on Mondays and three on Tuesdays; of each three, all start at once."""
    url = f"sqlite+aiosqlite:///{tmp_path}/pages.sqlite"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").url("postgres")
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            if request.param == "postgresql":
                await connection.exec_driver_sql("SET search_path TO pg_temp")
            await connection.run_sync(metadata.create_all)
            rows = [_session(n, MONDAYS if n < 9 else TUESDAYS) for n in range(12)]
            await connection.execute(insert(sessions), rows)
            yield Reading(connection)
            await connection.rollback()
    finally:
        await engine.dispose()


def _session(n: int, course: UUID) -> dict[str, object]:
    starts_at = NINE + timedelta(hours=n // 3)
    return {
        "id": UUID(int=100 + n),
        "course_id": course,
        "starts_at": starts_at,
        "title": f"S{n}",
        "seats": n,
    }


def _tx(reading: Reading) -> Tx:
    return cast("Tx", reading)


def _titles(part: PageOf[Row[Any]]) -> list[str]:
    return [row.title for row in part.rows]


@pytest.mark.parametrize("descending", [False, True])
async def test_pages_give_every_row_once_and_in_order_although_many_start_at_the_same_moment(
    reading: Reading, *, descending: bool
) -> None:
    seen: list[str] = []
    after = None
    has_next = True
    while has_next:
        part = await fetch_page(
            _tx(reading), select(sessions), STARTS, Page(5, after), descending=descending
        )
        seen += _titles(part)
        after, has_next = part.keys[-1], part.has_next

    assert seen == [f"S{n}" for n in (reversed(range(12)) if descending else range(12))]
    assert reading.statements == 3


async def test_a_page_that_ends_with_the_list_has_no_next(reading: Reading) -> None:
    whole = await fetch_page(_tx(reading), select(sessions), STARTS, Page(12))
    short = await fetch_page(_tx(reading), select(sessions), STARTS, Page(11))

    assert (whole.has_next, short.has_next) == (False, True)
    assert len(short.rows) == len(short.keys) == 11


async def test_a_row_that_is_added_before_the_cursor_does_not_move_the_next_page(
    reading: Reading,
) -> None:
    first = await fetch_page(_tx(reading), select(sessions), STARTS, Page(4))
    await reading.connection.execute(
        insert(sessions), [{**_session(0, MONDAYS), "id": UUID(int=1), "title": "new"}]
    )

    second = await fetch_page(_tx(reading), select(sessions), STARTS, Page(4, first.keys[-1]))

    assert _titles(second) == ["S4", "S5", "S6", "S7"]


async def test_the_statement_keeps_its_parameters(reading: Reading) -> None:
    of_course = select(sessions).where(sessions.c.course_id == bindparam("course"))

    part = await fetch_page(_tx(reading), of_course, STARTS, Page(9), {"course": TUESDAYS})

    assert _titles(part) == ["S9", "S10", "S11"]


async def test_lists_can_be_ordered_by_text_and_numbers(reading: Reading) -> None:
    keys = (sessions.c.title, sessions.c.seats)
    first = await fetch_page(_tx(reading), select(sessions), keys, Page(3))
    cursor = encode_cursor(first.keys[-1])

    second = await fetch_page(
        _tx(reading), select(sessions), keys, Page(3, decode_cursor(cursor))
    )

    assert _titles(first) + _titles(second) == ["S0", "S1", "S10", "S11", "S2", "S3"]


@pytest.mark.parametrize("descending", [False, True])
async def test_the_lists_of_many_parents_are_one_statement(
    reading: Reading, *, descending: bool
) -> None:
    parts = await fetch_pages(
        _tx(reading),
        select(sessions),
        sessions.c.course_id,
        [MONDAYS, TUESDAYS, EMPTY, MONDAYS],
        keys=STARTS,
        page=Page(3),
        descending=descending,
    )

    assert reading.statements == 1
    mondays, tuesdays = ["S0", "S1", "S2"], ["S9", "S10", "S11"]
    if descending:
        mondays, tuesdays = ["S8", "S7", "S6"], tuesdays[::-1]
    assert {each: _titles(part) for each, part in parts.items()} == {
        MONDAYS: mondays,
        TUESDAYS: tuesdays,
        EMPTY: [],
    }
    assert [part.has_next for part in parts.values()] == [True, False, False]


async def test_the_next_page_of_a_parent_begins_after_its_cursor(reading: Reading) -> None:
    first = await fetch_pages(
        _tx(reading),
        select(sessions),
        sessions.c.course_id,
        [MONDAYS],
        keys=STARTS,
        page=Page(4),
    )
    second = await fetch_pages(
        _tx(reading),
        select(sessions),
        sessions.c.course_id,
        [MONDAYS],
        keys=STARTS,
        page=Page(9, first[MONDAYS].keys[-1]),
    )

    assert _titles(second[MONDAYS]) == ["S4", "S5", "S6", "S7", "S8"]


async def test_no_parents_need_no_statement(reading: Reading) -> None:
    parts = await fetch_pages(
        _tx(reading), select(sessions), sessions.c.course_id, [], keys=STARTS, page=Page(4)
    )

    assert (parts, reading.statements) == ({}, 0)


@pytest.mark.parametrize(
    "key", [(NINE,), (NINE, "S1"), (UUID(int=1), NINE), (NINE, UUID(int=1), 1), ()]
)
async def test_a_cursor_of_another_list_is_refused(
    reading: Reading, key: tuple[object, ...]
) -> None:
    cursor = encode_cursor(key)

    with pytest.raises(InvalidCursor) as refused:
        await fetch_page(_tx(reading), select(sessions), STARTS, page(5, cursor))

    assert refused.value.path == ("after",)
    assert reading.statements == 0


def test_a_cursor_can_be_read_back() -> None:
    key = (NINE, UUID(int=7), "a title", 5)

    assert decode_cursor(encode_cursor(key)) == key


def _raw(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "x",
        "ü",
        "not a cursor",
        "A" * 100_000,
        _raw({"a": 1}),
        _raw(5),
        _raw(None),
        _raw([None]),
        _raw([1.5]),
        _raw([True]),
        _raw([2**31]),
        _raw([""]),
        _raw(["x"]),
        _raw(["tyesterday"]),
        _raw(["t2027-01-25T09:00:00"]),
        _raw(["t0001-01-01T00:00:00+14:00"]),
        _raw(["u123"]),
        _raw(["s\0"]),
        _raw(["s\ud800"]),
        _raw([["s"]]),
        base64.urlsafe_b64encode(b"[" * 700).decode(),
    ],
)
def test_a_made_up_cursor_is_refused(raw: str) -> None:
    with pytest.raises(InvalidCursor):
        page(5, raw)


@pytest.mark.parametrize("first", [0, -1, 101, 2**31 - 1])
def test_a_list_gives_from_one_to_a_hundred_at_once(first: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        page(first, None)

    assert refused.value.path == ("first",)


async def test_a_connection_shows_a_page_of_nodes_each_with_its_cursor(
    reading: Reading,
) -> None:
    part = await fetch_page(_tx(reading), select(sessions), STARTS, page(2, None))

    shown = Connection[str].of(part, lambda row: str(row.title))

    assert [edge.node for edge in shown.edges] == ["S0", "S1"]
    assert shown.page_info.has_next_page
    assert shown.page_info.end_cursor == shown.edges[-1].cursor
    following = await fetch_page(
        _tx(reading), select(sessions), STARTS, page(1, shown.page_info.end_cursor)
    )
    assert _titles(following) == ["S2"]


def test_an_empty_connection_ends_nowhere() -> None:
    shown = Connection[str].of(PageOf[str](rows=[], keys=[], has_next=False, end=None), str)

    assert (shown.edges, shown.page_info.end_cursor) == ([], None)
