"""Rules that follow from how the tables are declared: where references lead (J6), and dates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ForeignKeyConstraint,
    MetaData,
    Select,
    String,
    Table,
    and_,
    bindparam,
    cast,
    literal,
    null,
    or_,
    select,
    union_all,
)

from classbolt.columns import Instant, Key
from classbolt.doctor.invariant import Invariant
from classbolt.tables import accounts, metadata

MAY_LIE_AHEAD = frozenset(
    {"starts_at", "ends_at", "expires_at", "deadline", "run_at", "next_at", "hold_until"}
)
"""The moments that are planned. Every other one is of something that happened."""

NO_ID: ColumnElement[Any] = cast(null(), Key)


def references(components: Iterable[MetaData]) -> Invariant:
    """Make the rule J6 of all foreign keys in these tables, core's and bolt-ons'.

    A database keeps them by itself, unless rows were loaded while that was switched off.
    """
    astray = (
        _astray(table, key)
        for component in components
        for table in component.sorted_tables
        for key in _worth_following(table)
    )
    return Invariant(
        "REFERENCE_ASTRAY",
        "J6 every reference leads to a row of the same account",
        union_all(*astray),
    )


def _worth_following(table: Table) -> list[ForeignKeyConstraint]:
    """Leave out the reference to the account where another one, never NULL, says as much.

    It leads to a row of the same account, whose own reference is followed.
    """
    keys = sorted(table.foreign_key_constraints, key=lambda key: str(key.name))
    others = [key for key in keys if key.referred_table is not accounts]
    if any(not column.nullable for key in others for column in list(key.columns)[1:]):
        return others
    return keys


def _astray(table: Table, key: ForeignKeyConstraint) -> Select[Any]:
    """Select the rows whose reference leads nowhere. One that is NULL leads nowhere on purpose.

    A row without an id of its own is known by the reference.
    """
    there = key.referred_table.alias("there")
    pairs = [(each.parent, there.c[each.column.name]) for each in key.elements]
    last, _ = pairs[-1]
    return (
        _names(table, last if isinstance(last.type, Key) else NO_ID)
        .select_from(table.outerjoin(there, and_(*(here == other for here, other in pairs))))
        .where(*(here.is_not(None) for here, _ in pairs), pairs[0][1].is_(None))
    )


def _ahead() -> Iterator[Select[Any]]:
    for table in metadata.sorted_tables:
        happened = [
            column
            for column in table.c
            if isinstance(column.type, Instant) and column.name not in MAY_LIE_AHEAD
        ]
        latest = bindparam("latest", type_=Instant())
        if happened:
            yield _names(table).where(or_(*(column > latest for column in happened)))


def _names(table: Table, otherwise: ColumnElement[Any] = NO_ID) -> Select[Any]:
    """Select what a row is known by."""
    account = table.c.id if table is accounts else table.c.account_id
    has_id = "id" in table.c and table is not accounts
    return select(
        literal(table.name, String()).label("source"),
        account.label("account_id"),
        (table.c.id if has_id else otherwise).label("id"),
    )


WRITTEN_AHEAD = Invariant(
    "WRITTEN_AHEAD",
    "nothing has happened later than now",
    union_all(*_ahead()),
)
"""Asks for `latest`: the last moment at which something can have happened."""
