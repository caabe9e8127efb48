"""Cut lists into pages by key: a page begins after the last row seen, whatever was added since.

The key of a row is what the list is ordered by and must be unique and never null, such as
(starts_at, id). Rows carry their key beside the statement's own columns, so that any expression
can be a key. They are read by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, TypeDecorator, func, literal, select, tuple_

from classbolt.columns import AnyRow
from classbolt.errors import InvalidCursor

if TYPE_CHECKING:
    from classbolt.db import Tx

R = TypeVar("R")
S = TypeVar("S")
Keys = Sequence[ColumnElement[Any]]


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted.

    Attributes:
        first: How many rows at most.
        after: The key of the row before them; None for the beginning.
    """

    first: int
    after: tuple[object, ...] | None = None


@dataclass(frozen=True)
class PageOf(Generic[R]):
    """A part of a list.

    Attributes:
        rows: The rows in their order.
        keys: The key of each row.
        has_next: Whether more rows follow.
        end: The key after which the next page begins; None if nothing was read.
    """

    rows: Sequence[R]
    keys: Sequence[tuple[Any, ...]]
    has_next: bool
    end: tuple[Any, ...] | None

    def map(self, change: Callable[[R], S]) -> PageOf[S]:
        """Give the same page with every row changed into something else."""
        return PageOf([change(row) for row in self.rows], self.keys, self.has_next, self.end)

    def only(self, keep: Callable[[R], bool]) -> PageOf[R]:
        """Give the same page without some rows; it may then be short, or even empty.

        The next page still begins where this one ended, or nobody could ask for it.
        """
        kept = [pair for pair in zip(self.rows, self.keys, strict=True) if keep(pair[0])]
        rows, keys = [row for row, _ in kept], [key for _, key in kept]
        return PageOf(rows, keys, self.has_next, self.end)


async def fetch_page(
    tx: Tx,
    statement: Select[Any],
    keys: Keys,
    page: Page,
    params: Mapping[str, Any] | None = None,
    *,
    descending: bool = False,
) -> PageOf[AnyRow]:
    """Read one page of what a statement selects; the statement brings no order of its own.

    Raises:
        InvalidCursor: The page begins after a key of another list.
    """
    wanted = _after(statement, keys, page, descending=descending)
    wanted = wanted.order_by(*_order(keys, descending=descending)).limit(page.first + 1)
    return _cut(await tx.all(wanted, params), keys, page)


async def fetch_pages(
    tx: Tx,
    statement: Select[Any],
    parent: ColumnElement[Any],
    parents: Sequence[UUID],
    *,
    keys: Keys,
    page: Page,
    params: Mapping[str, Any] | None = None,
    descending: bool = False,
) -> dict[UUID, PageOf[AnyRow]]:
    """Read the same page of many parents' lists in one statement.

    A parent without rows has an empty page.

    Raises:
        InvalidCursor: The page begins after a key of another list.
    """
    rank = func.row_number().over(
        partition_by=parent, order_by=_order(keys, descending=descending)
    )
    ranked = (
        _after(statement, keys, page, descending=descending)
        .where(parent.in_(set(parents)))
        .add_columns(parent.label("page_parent"), rank.label("page_rank"))
        .subquery()
    )
    wanted = (
        select(ranked).where(ranked.c.page_rank <= page.first + 1).order_by(ranked.c.page_rank)
    )
    found: dict[UUID, list[AnyRow]] = {each: [] for each in parents}
    if found:
        for row in await tx.all(wanted, params):
            found[row.page_parent].append(row)
    return {each: _cut(rows, keys, page) for each, rows in found.items()}


def _after(statement: Select[Any], keys: Keys, page: Page, *, descending: bool) -> Select[Any]:
    """Select the keys too, and only rows that come after the page's beginning."""
    statement = statement.add_columns(
        *(key.label(f"page_key_{n}") for n, key in enumerate(keys))
    )
    if page.after is None:
        return statement
    # A cursor says by itself what it holds. One made by another list may hold something else,
    # and the database would refuse to compare it.
    kinds = [_python_type(key) for key in keys]
    if len(page.after) != len(kinds) or not all(map(isinstance, page.after, kinds)):
        raise InvalidCursor().at("after")
    here = tuple_(*keys)
    there = tuple_(*map(_literal, page.after, keys))
    return statement.where(here < there if descending else here > there)


def _python_type(key: ColumnElement[Any]) -> type:
    kind = key.type
    return (kind.impl_instance if isinstance(kind, TypeDecorator) else kind).python_type


def _literal(value: object, key: ColumnElement[Any]) -> ColumnElement[Any]:
    return literal(value, key.type)


def _order(keys: Keys, *, descending: bool) -> list[ColumnElement[Any]]:
    return [key.desc() if descending else key.asc() for key in keys]


def _cut(rows: Sequence[AnyRow], keys: Keys, page: Page) -> PageOf[AnyRow]:
    """Keep a page of rows; the one row more that was read says that others follow."""
    kept = rows[: page.first]
    names = [f"page_key_{n}" for n in range(len(keys))]
    found = [tuple(getattr(row, name) for name in names) for row in kept]
    return PageOf(
        rows=kept,
        keys=found,
        has_next=len(rows) > page.first,
        end=found[-1] if found else None,
    )
