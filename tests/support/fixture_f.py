"""Fixture F, set up through the API once per process and kind of database, then copied.

Setting it up takes two dozen mutations, which is more than most tests do themselves.
"""

from __future__ import annotations

from copy import deepcopy
from functools import partial
from pathlib import Path

import httpx

from classbolt.bolt_ons import BoltOns
from classbolt.config import Settings
from classbolt.db import Database
from classbolt.testing.databases import Kind, Seed
from classbolt_schema.server import demo
from studio import Clock, Studio, open_studio, serving

SLUG = "northside"


class FixtureF:
    """Northside with both bolt-ons on, two levels, four courses, three buyers and an owner."""

    NAME = "fixture F"

    def __init__(self, bolt_ons: BoltOns, data: Path) -> None:
        self._bolt_ons = bolt_ons
        self._data = data
        self._ids: dict[Kind, demo.Studio] = {}

    def seed(self, kind: Kind) -> Seed:
        """Say what fills a database of this kind."""
        return Seed(self.NAME, partial(self.fill, kind))

    def studio(
        self,
        kind: Kind,
        client: httpx.AsyncClient,
        settings: Settings,
        database: Database,
        clock: Clock,
    ) -> Studio:
        """Give the studio that is in a copy."""
        studio = Studio(SLUG, client, clock, settings, database, deepcopy(self._ids[kind]))
        studio.admitted = {"owner", *studio.ids.customers}
        return studio

    async def fill(self, kind: Kind, url: str) -> None:
        """Set it up in a migrated database."""
        database, clock = Database(url, self._bolt_ons), Clock()
        async with serving(database, self._data, self._bolt_ons, clock) as (client, settings):
            studio = await open_studio(SLUG, client, settings, database, clock)
            await self.furnish(studio)
        self._ids[kind] = studio.ids

    async def furnish(self, studio: Studio) -> None:
        """Set it up in an account without anything in it."""
        await studio.set_up(bolt_ons=["auto_refund", "drop_in"])
        for name in studio.ids.customers:
            await studio.admit(name)
