"""A rule about rows, and the statement that finds the rows that break it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import CompoundSelect, Select, literal, select, text

from classbolt.columns import Key
from classbolt.tables import AccountKey


@dataclass(frozen=True, slots=True)
class Invariant:
    """A rule about rows.

    Attributes:
        code: Its name in a report.
        rule: What is true of the rows as long as it holds.
        wrong: Selects the rows that break it, as `source` (their table), `account_id` and `id`.
    """

    code: str
    rule: str
    wrong: Select[Any] | CompoundSelect[Any]


def invariant(code: str, rule: str, table: str, wrong: str) -> Invariant:
    """Make a rule of a statement that selects `account_id` and `id` of rows of one table."""
    found = text(wrong).columns(account_id=AccountKey, id=Key).subquery("found")
    source = literal(table).label("source")
    return Invariant(code, rule, select(source, found.c.account_id, found.c.id))
