"""Two studios on one server, strangers to each other, and all that tells their rows apart."""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64decode
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

import httpx
from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from classbolt_schema.ids import encode
from studio import Studio

Row = Mapping[str, Any]
Rows = Mapping[Table, list[Row]]
Ids = Mapping[str, str]
Telltales = frozenset[UUID | str]

NOBODYS = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
"""A key as we make them, which no row has."""

STRINGS = re.compile(r'"((?:[^"\\]|\\.)*)"')
UUIDS = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
TABLES = {"CardRefund": "refunds"}
"""Tables that are not named after the type of what is in them."""
LONG_ENOUGH = 6
"""A shorter text is found in others by chance."""


class Answer(NamedTuple):
    """An answer to the byte; two of them are the same or they are not."""

    status: int
    body: bytes


class Person(NamedTuple):
    """Who asks: somebody of a studio, or nobody."""

    name: str | None
    studio: Studio

    def __str__(self) -> str:
        """Name the person and where they belong."""
        return f"{self.name} of {self.studio.slug}" if self.name else "nobody"


@dataclass(frozen=True)
class Neighbours:
    """The studio that is asked, the one next door, and what Ben and Kim hold in each.

    Attributes:
        bens: An object of each type, Ben's own where it can be somebody's: by type, or by the
            place in the schema that wants another one than that.
        kims: The same of Kim's. What is nobody's own is the same for both.
        bens_in_south: As Ben's, of the Ben next door.
        kims_in_south: As Kim's, of the Kim next door.
        client: Asks the server.
        forgetful: Asks a second server of the same rows, which keeps nothing.
    """

    north: Studio
    south: Studio
    bens: Ids
    kims: Ids
    bens_in_south: Ids
    kims_in_south: Ids
    client: httpx.AsyncClient
    forgetful: httpx.AsyncClient
    tables: tuple[Table, ...]

    def people(self) -> list[Person]:
        """List who may ask: nobody, a customer, each role, and the owner next door."""
        names = (None, "Ben", "staff", "manager", "owner")
        return [*(Person(name, self.north) for name in names), Person("owner", self.south)]

    async def ask(
        self, person: Person, document: str, variables: Mapping[str, Any], *, keep: bool = True
    ) -> Answer:
        """Ask the studio something; unless it is kept, it is as if it had never been asked."""
        headers = {"X-Request-Id": "probe"}
        if person.name:
            headers["Authorization"] = f"Bearer {await person.studio.token(person.name)}"
        response = await (self.client if keep else self.forgetful).post(
            f"/graphql/{self.north.slug}",
            json={"query": document, "variables": variables},
            headers=headers,
        )
        return Answer(response.status_code, response.content)

    async def rows(self) -> Rows:
        """Read every row of every table."""

        return await self.north.database.run(
            lambda connection: read_rows(connection, self.tables)
        )

    async def digests(self) -> dict[int, str]:
        """Sum up the rows of each account; what has not changed has the same digest."""
        lines: dict[int, list[str]] = defaultdict(list)
        for table, rows in (await self.rows()).items():
            for row in rows:
                lines[account_of(table, row)].append(f"{table.name} {sorted(row.items())}")
        return {
            account: hashlib.sha256("\n".join(sorted(each)).encode()).hexdigest()
            for account, each in lines.items()
        }


# What tells their rows apart


async def read_rows(connection: AsyncConnection, tables: Iterable[Table]) -> Rows:
    """Read every row of these tables."""
    return {
        table: [dict(row) for row in (await connection.execute(select(table))).mappings()]
        for table in tables
    }


def account_of(table: Table, row: Row) -> int:
    """Say to which account a row belongs."""
    return int(row["id" if table.name == "accounts" else "account_id"])


def ids_of(kind: str, rows: Rows) -> list[str]:
    """Give the ids of all objects of a type, whose table is named after it, or above."""
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", kind).lower()
    return [
        encode(kind, row["id"])
        for table, found in rows.items()
        if table.name in {name, f"{name}s", TABLES.get(kind)}
        for row in found
    ]


def rows_of_account(rows: Rows, account: int) -> tuple[Rows, Rows]:
    """Part what belongs to an account from what does not."""
    return _part(rows, lambda table, row: account_of(table, row) == account)


def rows_of_customer(rows: Rows, customer: UUID) -> tuple[Rows, Rows]:
    """Part what belongs to a customer, by however many steps, from what does not."""
    theirs = {customer}
    before = 0

    def is_theirs(table: Table, row: Row) -> bool:
        return any(row[name] in theirs for name in _names_of_keys(table))

    while before != len(theirs):
        before = len(theirs)
        mine, _ = _part(rows, is_theirs)
        theirs |= {row["id"] for found in mine.values() for row in found if "id" in row}
    return _part(rows, is_theirs)


@cache
def _names_of_keys(table: Table) -> tuple[str, ...]:
    """Name the columns that say which row it is, or which others it is about."""
    refers = {
        column.name
        for foreign_key in table.foreign_key_constraints
        for column in foreign_key.columns
    }
    return tuple(sorted(refers - {"account_id"} | ({"id"} & set(table.c.keys()))))


def _part(rows: Rows, belongs: Callable[[Table, Row], bool]) -> tuple[Rows, Rows]:
    kept = {
        table: [row for row in found if belongs(table, row)] for table, found in rows.items()
    }
    others = {
        table: [row for row in found if not belongs(table, row)]
        for table, found in rows.items()
    }
    return kept, others


def telltales(rows: Rows, others: Rows) -> Telltales:
    """Give the keys and the words that these rows have and no others."""
    return _said(rows) - _said(others)


def _said(rows: Rows) -> Telltales:
    return frozenset(
        value
        for found in rows.values()
        for row in found
        for value in row.values()
        if isinstance(value, UUID) or (isinstance(value, str) and len(value) >= LONG_ENOUGH)
    )


def told(answer: Answer, telltales: Telltales) -> Telltales:
    """Give what of it an answer tells, also inside of ids and cursors."""
    text = answer.body.decode()
    keys = {UUID(each) for part in _read(text) for each in UUIDS.findall(part)}
    return frozenset(
        each for each in telltales if (each in keys if isinstance(each, UUID) else each in text)
    )


def _read(text: str) -> Iterator[str]:
    """Give every text of an answer, and what it says if it is an id or a cursor."""
    for each in STRINGS.findall(text):
        yield each
        with suppress(ValueError):
            yield urlsafe_b64decode(each + "=" * (-len(each) % 4)).decode()
