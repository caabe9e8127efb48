"""Every row belongs to an account, and the scripts make the tables that are declared."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import (
    ForeignKeyConstraint,
    NullPool,
    Table,
    UniqueConstraint,
    insert,
    inspect,
    select,
)
from sqlalchemy.ext.asyncio import create_async_engine

import healthy as h
from classbolt import tables
from classbolt.bolt_ons import BoltOns
from classbolt.columns import AnyRow
from classbolt.migrate import Component, components, downgrade, drift, pending, upgrade
from classbolt.testing.databases import Kind
from classbolt.testing.postgres import PostgresServer
from classbolt.values import new_id
from studio import SOLD_ON

ALL = components(BoltOns.discover().installed.values())
OWNED = [
    pytest.param(table, id=table.name)
    for component in ALL
    for table in component.metadata.sorted_tables
    if table is not tables.accounts
]
ACROSS_ACCOUNTS = {
    "ix_jobs_due",
    "ix_schedules_next",
    "ix_idempotency_keys_old",
    "ix_stripe_events_old",
    "ix_card_payments_intent_of_all",
}
"""What looks through all accounts at once: a worker works for every one of them, and Stripe
names a payment without its account."""
SCRIPTS = {"auto_refund": 3, "drop_in": 3}
BOLT_ONS = [pytest.param(each, id=each.name) for each in ALL[1:]]


def account_comes_first(names: Sequence[str]) -> bool:
    return next(iter(names)) == "account_id"


def test_core_and_both_bolt_ons_have_tables() -> None:
    assert [component.name for component in ALL] == ["core", "auto_refund", "drop_in"]
    assert len(OWNED) > 15


@pytest.mark.parametrize("table", OWNED)
def test_the_account_comes_first_in_every_key_and_index(table: Table) -> None:
    """J6."""
    unique = [each for each in table.constraints if isinstance(each, UniqueConstraint)]
    for key in (table.primary_key, *unique):
        assert account_comes_first(key.columns.keys()), key.name
    for index in table.indexes:
        if index.name in ACROSS_ACCOUNTS:
            continue
        assert account_comes_first(index.columns.keys()), index.name


@pytest.mark.parametrize("table", OWNED)
def test_a_row_points_only_at_rows_of_its_own_account(table: Table) -> None:
    """J6."""
    for key in table.constraints:
        if not isinstance(key, ForeignKeyConstraint):
            continue
        assert account_comes_first(key.column_keys), key.name
        target = next(iter(key.elements)).column
        if target.table.name == "accounts":
            assert key.column_keys == ["account_id"]
        else:
            assert target.name == "account_id", key.name


@pytest.mark.parametrize("table", OWNED)
def test_every_table_points_at_its_account(table: Table) -> None:
    assert any(
        key.column_keys == ["account_id"] and key.referred_table.name == "accounts"
        for key in table.foreign_key_constraints
    )


@pytest.mark.parametrize("table", OWNED)
def test_nothing_is_deleted_because_something_else_was(table: Table) -> None:
    assert {key.ondelete for key in table.foreign_key_constraints} == {None}


@pytest.mark.parametrize("component", BOLT_ONS)
def test_a_bolt_on_keeps_to_tables_of_its_own(component: Component) -> None:
    for name in component.metadata.tables:
        assert name.startswith(component.prefix)


@pytest.fixture
async def empty_url(
    kind: Kind, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[str]:
    """A database without tables."""
    if kind == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/empty.db"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = f"metadata_{secrets.token_hex(8)}"
    await server.create_database(name)
    yield server.url(name)
    await server.drop_database(name)


async def table_names(url: str) -> set[str]:
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        found = await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))
    await engine.dispose()
    return found


async def test_the_scripts_take_an_empty_database_to_the_tables_that_are_declared(
    empty_url: str,
) -> None:
    waiting = await pending(empty_url, ALL)

    assert await upgrade(empty_url, ALL) == waiting

    assert await drift(empty_url, ALL) == []
    assert await pending(empty_url, ALL) == []
    declared = {name for component in ALL for name in component.metadata.tables}
    assert await table_names(empty_url) == declared | {each.version_table for each in ALL}


async def test_each_bolt_on_can_be_taken_out_and_put_back(empty_url: str) -> None:
    """I8."""
    await upgrade(empty_url, ALL)
    everything = await table_names(empty_url)

    for bolt_on in ALL[1:]:
        await downgrade(empty_url, bolt_on, "base")

        gone = everything - await table_names(empty_url)
        assert gone == {*bolt_on.metadata.tables, bolt_on.version_table}
        assert await drift(empty_url, [each for each in ALL if each is not bolt_on]) == []
        assert await upgrade(empty_url, ALL) == [
            f"{bolt_on.name} {number:04}" for number in range(1, SCRIPTS[bolt_on.name] + 1)
        ]
    assert await drift(empty_url, ALL) == []


async def test_who_was_a_customer_before_searches_came_is_found_too(empty_url: str) -> None:
    core = ALL[0]
    await upgrade(empty_url, [core])
    await downgrade(empty_url, core, "0002")
    account = {"id": 1, "slug": "a", "name": "A", "time_zone": "UTC", "currency": "GBP"}
    zoe = {"id": new_id(), "name": "Zoë Łukasz", "email": "ZOE@example.com"}
    engine = create_async_engine(empty_url, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(insert(tables.accounts), {**account, "created_at": SOLD_ON})
        made = {**zoe, "account_id": 1, "created_at": SOLD_ON}
        await connection.execute(insert(tables.customers), made)

    await upgrade(empty_url, [core])

    async with engine.connect() as connection:
        kept = (await connection.execute(select(tables.customers.c.search_text))).scalar_one()
    await engine.dispose()
    assert kept == "zoe lukasz\nzoe@example.com"


def core_scripts(*, since: int) -> list[str]:
    """List core's scripts from a number on."""
    numbers = sorted(each.name[:4] for each in ALL[0].versions.glob("[0-9]*.py"))
    return [f"core {number}" for number in numbers if int(number) >= since]


async def test_core_can_be_taken_back_script_by_script(empty_url: str) -> None:
    core = ALL[0]
    await upgrade(empty_url, [core])

    await downgrade(empty_url, core, "0001")
    assert await upgrade(empty_url, [core]) == core_scripts(since=2)
    await downgrade(empty_url, core, "base")

    assert await table_names(empty_url) == set()


# With rows in every table


async def rows_in(url: str, *these: Table) -> list[list[AnyRow]]:
    """Give all rows of some tables."""
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        found = [
            list((await connection.execute(select(each).order_by(*each.primary_key))).all())
            for each in these
        ]
    await engine.dispose()
    return found


async def test_all_rows_survive_when_payments_by_card_go_and_come_back(url: str) -> None:
    of_cards = (
        tables.purchases,
        tables.disputes,
        tables.refunds,
        tables.card_payments,
        tables.stripe_links,
        tables.stripe_events,
        tables.schedules,
    )
    others = [each for each in h.BY_NAME.values() if each not in of_cards]
    before = await rows_in(url, *others)
    assert all([*before, *await rows_in(url, *of_cards)])

    await downgrade(url, ALL[0], "0005")
    assert await upgrade(url, ALL) == core_scripts(since=6)

    assert await rows_in(url, *others) == before
    assert await rows_in(url, *of_cards) == [[]] * len(of_cards)
    assert await drift(url, ALL) == []


async def test_what_was_made_good_is_a_refund_that_failed_where_nobody_can_note_it(
    url: str,
) -> None:
    (before,) = await rows_in(url, tables.refunds)
    assert any(each.refunded_at and each.refunded_by_id for each in before)

    await downgrade(url, ALL[0], "0009")
    assert await upgrade(url, ALL) == core_scripts(since=10)

    (after,) = await rows_in(url, tables.refunds)
    unmarked = {"refunded_at": None, "refunded_by_id": None, "refund_note": None}
    assert [each._asdict() for each in after] == [
        {**each._asdict(), **unmarked} for each in before
    ]
    assert await drift(url, ALL) == []


async def test_seats_that_are_held_are_free_where_there_are_no_cards(url: str) -> None:
    places = (tables.sessions, tables.course_bookings, tables.bookings)
    before = await rows_in(url, *places)
    course_booking, by_card = h.key(), {"payment_id": h.OF_BEN, "status": "HELD"}
    of_course = {"course_booking_id": course_booking, **by_card}
    row = {"id": course_booking, "course_id": h.SAT, "customer_id": h.BEN, **by_card}
    await h.do(
        url,
        h.add(tables.course_bookings, {**row, "booked_at": h.BEFORE}),
        h.add(tables.bookings, h.booking(h.key(), h.SAT_1, h.BEN, **of_course)),
        h.change(tables.sessions, h.SAT_1, seats_taken=2),
        h.add(tables.bookings, h.booking(h.key(), h.MON_1, h.ANA, **by_card)),
        h.change(tables.sessions, h.MON_1, seats_taken=3, over_capacity=2),
        h.add(
            tables.bookings,
            h.booking(h.key(), h.MON_2, h.BEN, **{**by_card, "status": "EXPIRED"}),
        ),
    )

    await downgrade(url, ALL[0], "0005")

    assert await rows_in(url, *places) == before
