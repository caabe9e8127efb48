"""The scripts of our bolt-ons on a database that is in use."""

from __future__ import annotations

import pytest
from sqlalchemy import NullPool, select
from sqlalchemy.ext.asyncio import create_async_engine

from classbolt.bolt_ons import BoltOns
from classbolt.migrate import Component, components, downgrade, upgrade
from studio import Studio

BOLT_ONS = [
    pytest.param(each, id=each.name)
    for each in components(BoltOns.discover().installed.values())[1:]
]


async def rows_of(url: str, component: Component) -> dict[str, list[str]]:
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        found = {
            table.name: sorted(map(repr, await connection.execute(select(table))))
            for table in component.metadata.sorted_tables
        }
    await engine.dispose()
    return found


@pytest.mark.parametrize("bolt_on", BOLT_ONS)
async def test_rows_of_an_older_release_mean_what_they_meant(
    northside: Studio, bolt_on: Component
) -> None:
    """They are given what the options that are new say by default."""
    url = northside.database.url
    before = await rows_of(url, bolt_on)
    assert all(before.values())

    await downgrade(url, bolt_on, "0001")
    await upgrade(url, [bolt_on])

    assert await rows_of(url, bolt_on) == before
