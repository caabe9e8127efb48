"""What stories that go wrong on purpose ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from classbolt.bolt_ons import BoltOns
from classbolt.db import Database
from classbolt.testing.databases import Kind, Templates
from fixture_f import FixtureF
from studio import Clock, Studio, serving


@pytest.fixture
async def unwatched(
    kind: Kind, templates: Templates, fixture_f: FixtureF, tmp_path: Path, bolt_ons: BoltOns
) -> AsyncIterator[Studio]:
    """Fixture F in a database that may be wrong in the end."""
    async with templates.database(kind, fixture_f.seed(kind)) as url:
        database, clock = Database(url, bolt_ons), Clock()
        async with serving(database, tmp_path, bolt_ons, clock) as (client, settings):
            yield fixture_f.studio(kind, client, settings, database, clock)
