"""A database with accounts in it and no server: what tests of core stand on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from classbolt import opening
from classbolt.bolt_ons import BoltOns
from classbolt.db import Database
from studio import SOLD_ON, ZONE


@asynccontextmanager
async def database_with(
    url: str, *slugs: str, bolt_ons: BoltOns | None = None
) -> AsyncIterator[Database]:
    """Open a database and these accounts in it; all writes under way end with it."""
    database = Database(url, bolt_ons or BoltOns())
    try:
        for slug in slugs:
            await database.run(
                partial(
                    opening.create_account,
                    slug=slug,
                    name=slug.title(),
                    time_zone=ZONE,
                    currency="GBP",
                    now=SOLD_ON,
                )
            )
        yield database
    finally:
        await database.close()
