"""Fixture F for stories: set up through the API once per database and process, then copied.

Setting it up takes two dozen mutations, which is more than most stories do themselves.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Table, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from classbolt.bolt_ons import BoltOns
from classbolt.tables import metadata
from classbolt.testing.databases import Kind
from classbolt_schema.server import demo
from studio import Studio


@dataclass(frozen=True)
class Copy:
    """All rows of fixture F, table by table, and the ids by their short names."""

    ids: demo.Studio
    rows: list[tuple[Table, list[dict[str, Any]]]]


@pytest.fixture(scope="session")
def copies() -> dict[Kind, Copy]:
    return {}


@pytest.fixture
async def northside(
    studio: Studio, kind: Kind, bolt_ons: BoltOns, copies: dict[Kind, Copy]
) -> Studio:
    """Fixture F: both bolt-ons on, two levels, four courses, three buyers."""
    if kind not in copies:
        await studio.set_up(bolt_ons=["auto_refund", "drop_in"])
        copies[kind] = await _copy(studio, bolt_ons)
    else:
        studio.ids = deepcopy(copies[kind].ids)
        await studio.database.run(lambda connection: _paste(connection, copies[kind]))
    return studio


async def _copy(studio: Studio, bolt_ons: BoltOns) -> Copy:
    added = [bolt_on.tables() for bolt_on in bolt_ons.installed.values()]
    tables = [
        table for each in (metadata, *added) if each is not None for table in each.sorted_tables
    ]

    async def read(connection: AsyncConnection) -> list[tuple[Table, list[dict[str, Any]]]]:
        found = [
            (table, (await connection.execute(select(table))).mappings().all())
            for table in tables
            if table.name != "accounts"  # every studio opens its own, the first of its database
        ]
        return [(table, [dict(row) for row in rows]) for table, rows in found if rows]

    return Copy(deepcopy(studio.ids), await studio.database.run(read))


async def _paste(connection: AsyncConnection, copy: Copy) -> None:
    for table, rows in copy.rows:
        await connection.execute(insert(table), rows)
