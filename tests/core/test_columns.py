"""An instant and a key are the same in both databases: in value, in order, in comparison."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import (
    Column,
    Integer,
    MetaData,
    NullPool,
    Table,
    bindparam,
    func,
    insert,
    make_url,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import StatementError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from classbolt.columns import INSTANT_WIDTH, Instant, Key

metadata = MetaData()
moments = Table(
    "moments",
    metadata,
    Column("account_id", Integer, primary_key=True),
    Column("id", Key, primary_key=True),
    Column("starts_at", Instant),
    Column("other_id", Key),
)

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
KEYS = [UUID(int=0), UUID(int=0x7F << 120), UUID(int=0x80 << 120), UUID(int=2**128 - 1)]
MOMENTS = [
    datetime(2, 1, 1, tzinfo=UTC),
    NOON - timedelta(microseconds=1),
    NOON,
    NOON.replace(microsecond=10),
    NOON.replace(microsecond=100000),
    datetime(9999, 12, 30, 23, 59, 59, 999999, tzinfo=UTC),
]


@pytest.fixture(params=["sqlite", "postgresql"])
async def connection(request: pytest.FixtureRequest) -> AsyncIterator[AsyncConnection]:
    url = "sqlite+aiosqlite://"
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        url = server.url("postgres")
    engine = create_async_engine(url, poolclass=NullPool)
    schema = f"columns_{secrets.token_hex(4)}"
    try:
        async with engine.connect() as connection:
            if request.param == "postgresql":
                await connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
                await connection.exec_driver_sql(f"SET search_path TO {schema}")
            await connection.run_sync(metadata.create_all)
            yield connection
            await connection.rollback()
    finally:
        await engine.dispose()


async def fill(connection: AsyncConnection) -> None:
    await connection.execute(
        insert(moments),
        [
            {"account_id": 1, "id": key, "starts_at": NOON, "other_id": None}
            for key in reversed(KEYS)
        ],
    )
    await connection.execute(
        insert(moments),
        [
            {"account_id": 2, "id": UUID(int=number), "starts_at": moment, "other_id": None}
            for number, moment in enumerate(reversed(MOMENTS))
        ],
    )


async def test_what_goes_in_comes_out_in_utc(connection: AsyncConnection) -> None:
    half_past_one_in_tokyo = datetime(2026, 1, 1, 1, 30, 0, 7, timezone(timedelta(hours=9)))
    row = {
        "account_id": 1,
        "id": KEYS[2],
        "starts_at": half_past_one_in_tokyo,
        "other_id": KEYS[1],
    }

    await connection.execute(insert(moments), row)
    found = (await connection.execute(select(moments))).one()

    assert found._asdict() == row
    assert found.starts_at.tzinfo is UTC
    assert found.starts_at.hour == 16
    assert isinstance(found.id, UUID)


async def test_nothing_stays_nothing(connection: AsyncConnection) -> None:
    row = {"account_id": 1, "id": KEYS[0], "starts_at": None, "other_id": None}

    await connection.execute(insert(moments), row)

    assert (await connection.execute(select(moments))).one()._asdict() == row


async def test_the_database_sorts_as_we_do(connection: AsyncConnection) -> None:
    await fill(connection)

    keys = select(moments.c.id).where(moments.c.account_id == 1).order_by(moments.c.id)
    starts = select(moments.c.starts_at).where(moments.c.account_id == 2)

    assert list(await connection.scalars(keys)) == KEYS == sorted(KEYS)
    assert list(await connection.scalars(starts.order_by(moments.c.starts_at))) == MOMENTS
    assert await connection.scalar(select(func.max(moments.c.starts_at))) == MOMENTS[-1]


async def test_parameters_are_compared_as_their_column(connection: AsyncConnection) -> None:
    await fill(connection)
    count = select(func.count()).select_from(moments).where(moments.c.account_id == 2)

    before = count.where(moments.c.starts_at < bindparam("moment"))
    between = count.where(moments.c.starts_at.between(MOMENTS[1], MOMENTS[2]))
    among = count.where(moments.c.id.in_(bindparam("ids", expanding=True)))

    assert await connection.scalar(before, {"moment": NOON}) == 2
    assert await connection.scalar(between) == 2
    assert await connection.scalar(among, {"ids": [UUID(int=0), UUID(int=5)]}) == 2


async def test_pages_continue_after_a_pair(connection: AsyncConnection) -> None:
    await fill(connection)
    pair = tuple_(moments.c.starts_at, moments.c.id)
    page = select(moments.c.id).where(moments.c.account_id == 1).order_by(moments.c.id)

    after = page.where(
        pair > tuple_(bindparam("starts_at", type_=Instant), bindparam("id", type_=Key))
    )
    plain = page.where(pair > (NOON, KEYS[1]))
    among = page.where(pair.in_([(NOON, KEYS[0]), (NOON, KEYS[3])]))

    given = {"starts_at": NOON, "id": KEYS[1]}
    assert list(await connection.scalars(after, given)) == KEYS[2:]
    assert list(await connection.scalars(plain)) == KEYS[2:]
    assert list(await connection.scalars(among)) == [KEYS[0], KEYS[3]]


async def test_an_update_gives_back_what_it_wrote(connection: AsyncConnection) -> None:
    await fill(connection)

    moved = await connection.execute(
        update(moments)
        .where(moments.c.account_id == 1, moments.c.id == bindparam("key"))
        .values(starts_at=bindparam("to"))
        .returning(moments.c.id, moments.c.starts_at),
        {"key": KEYS[1], "to": MOMENTS[3]},
    )

    assert moved.one() == (KEYS[1], MOMENTS[3])


async def test_many_rows_come_back_in_the_order_given(connection: AsyncConnection) -> None:
    rows = [{"account_id": 3, "id": key, "starts_at": NOON} for key in reversed(KEYS)]

    inserted = await connection.execute(
        insert(moments).returning(moments.c.id, sort_by_parameter_order=True), rows
    )

    assert list(inserted.scalars()) == KEYS[::-1]


@pytest.mark.parametrize(
    "value",
    [datetime(2026, 1, 1), date(2026, 1, 1), "2026-01-01T00:00:00Z", timedelta(1), 0],  # noqa: DTZ001
)
async def test_a_value_that_is_no_moment_is_refused(
    connection: AsyncConnection, value: object
) -> None:
    with pytest.raises(StatementError, match="an Instant needs a datetime with a time zone"):
        await connection.execute(
            insert(moments), {"account_id": 1, "id": KEYS[0], "starts_at": value}
        )


@pytest.mark.parametrize("value", [str(KEYS[1]), KEYS[1].bytes, 7])
async def test_a_value_that_is_no_uuid_is_refused(
    connection: AsyncConnection, value: object
) -> None:
    with pytest.raises(StatementError, match="a Key needs a UUID"):
        await connection.execute(select(moments).where(moments.c.id == value))


@given(one=st.datetimes(timezones=st.timezones()), other=st.datetimes(timezones=st.timezones()))
def test_the_text_of_sqlite_is_of_one_width_and_sorts_as_moments_do(
    one: datetime, other: datetime
) -> None:
    def written(moment: datetime) -> str:
        text = Instant().process_bind_param(moment, sqlite.dialect())
        assert isinstance(text, str)
        return text

    try:
        one, other = one.astimezone(UTC), other.astimezone(UTC)
    except OverflowError:  # no UTC moment in Python's years
        return

    assert len(written(one)) == INSTANT_WIDTH
    assert (written(one) < written(other)) == (one < other)
    assert Instant().process_result_value(written(one), sqlite.dialect()) == one


def test_postgresql_has_types_of_its_own() -> None:
    dialect = make_url("postgresql+asyncpg://").get_dialect()()

    assert Instant().compile(dialect=dialect) == "TIMESTAMP WITH TIME ZONE"
    assert Key().compile(dialect=dialect) == "UUID"
