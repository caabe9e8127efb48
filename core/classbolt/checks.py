"""Check what people send before it is stored: a typed refusal with its place in the input."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Table, bindparam, select

from classbolt.db import Tx
from classbolt.errors import InvalidInput, NotFound
from classbolt.values import Period, Unit

MOST_MINOR = 100_000_000
"""The largest price, in minor units: a million of most currencies, and far from overflow."""

MOST_PERIOD = {Unit.HOURS: 24 * 366, Unit.DAYS: 366 * 5, Unit.WEEKS: 52 * 5, Unit.MONTHS: 60}


def mine(table: Table) -> ColumnElement[bool]:
    """Keep to the rows of the transaction's account.

    Every statement on a table of an account says so.
    """
    return table.c.account_id == bindparam("account")


async def must_exist(tx: Tx, table: Table, ids: Iterable[UUID], *path: str | int) -> None:
    """Refuse ids that the account does not have, one answer for unknown and foreign ones.

    Raises:
        NotFound: At least one of the ids is not there.
    """
    wanted = set(ids)
    if not wanted:
        return
    found = await tx.all(select(table.c.id).where(mine(table), table.c.id.in_(wanted)))
    if len(found) != len(wanted):
        raise NotFound().at(*path)


def text(value: str, *path: str | int, most: int = 200, least: int = 1) -> str:
    """Trim a text and refuse one that is empty, too long or not made of characters one can see.

    Raises:
        InvalidInput: The text cannot be stored.
    """
    trimmed = value.strip().replace("\r\n", "\n")
    if len(trimmed) < least:
        raise InvalidInput("This must not be empty.", *path)
    if len(trimmed) > most:
        raise InvalidInput(f"This must not be longer than {most} characters.", *path)
    # Control characters and lone surrogates: databases refuse them in their own ways.
    if any(
        unicodedata.category(each) in {"Cc", "Cs"} and each not in "\n\t" for each in trimmed
    ):
        raise InvalidInput("This contains characters that cannot be stored.", *path)
    return trimmed


def number(value: int, *path: str | int, least: int, most: int) -> int:
    """Refuse a number outside its range.

    Raises:
        InvalidInput: The number is too small or too large.
    """
    if not least <= value <= most:
        raise InvalidInput(f"This must be between {least} and {most}.", *path)
    return value


def price(value: int, *path: str | int) -> int:
    """Refuse a price that is negative or absurd; minor units.

    Raises:
        InvalidInput: It is.
    """
    return number(value, *path, least=0, most=MOST_MINOR)


def period(value: Period, *path: str | int, least: int = 0) -> Period:
    """Refuse a period that is negative or longer than anybody plans.

    Raises:
        InvalidInput: It is.
    """
    number(value.value, *path, "value", least=least, most=MOST_PERIOD[value.unit])
    return value


def methods(values: Iterable[str], known: Iterable[str], *path: str | int) -> list[str]:
    """Refuse payment methods that nobody knows, and a list without any.

    Raises:
        InvalidInput: The list is empty or names something else.
    """
    chosen, allowed = sorted(set(values)), sorted(known)
    if not chosen or not set(chosen) <= set(allowed):
        raise InvalidInput(f"Name at least one of: {', '.join(allowed)}.", *path)
    return chosen


def future(value: datetime, now: datetime, *path: str | int) -> datetime:
    """Refuse an instant that has passed.

    Raises:
        InvalidInput: It has.
    """
    if value <= now:
        raise InvalidInput("This must lie in the future.", *path)
    return value
