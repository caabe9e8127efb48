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
from classbolt.stripe_gateway import StripeGateway
from classbolt.testing.databases import Kind, Seed
from studio import Clock, Studio, open_studio, serving

SLUG = "northside"


class FixtureF:
    """Northside with both bolt-ons on, two levels, four courses, three buyers and an owner."""

    NAME = "fixture F"

    def __init__(self, bolt_ons: BoltOns, data: Path) -> None:
        self.bolt_ons = bolt_ons
        self.data = data
        self._made: dict[Kind, Studio] = {}

    def seed(self, kind: Kind) -> Seed:
        """Say what fills a database of this kind."""
        return Seed(self.NAME, partial(self._fill, kind))

    def studio(
        self,
        kind: Kind,
        client: httpx.AsyncClient,
        settings: Settings,
        database: Database,
        clock: Clock,
    ) -> Studio:
        """Give the studio that is in a copy, at the moment at which it was ready."""
        made = self._made[kind]
        clock.now = made.clock.now
        studio = Studio(SLUG, client, clock, settings, database, deepcopy(made.ids))
        studio.admitted = set(made.admitted)
        return studio

    async def furnish(self, kind: Kind, studio: Studio) -> None:
        """Set it up in an account without anything in it."""
        del kind  # it is the same on each
        await studio.set_up(bolt_ons=["auto_refund", "drop_in"])
        for name in studio.ids.customers:
            await studio.admit(name)

    def gateway(self, kind: Kind) -> StripeGateway | None:
        """Give the way to Stripe, for what is linked with it: fixture F is not."""
        del kind
        return None

    async def _fill(self, kind: Kind, url: str) -> None:
        database, clock = Database(url, self.bolt_ons), Clock()
        async with serving(
            database, self.data, self.bolt_ons, clock, gateway=self.gateway(kind)
        ) as (client, settings):
            studio = await open_studio(SLUG, client, settings, database, clock)
            await self.furnish(kind, studio)
        self._made[kind] = studio
