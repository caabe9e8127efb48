"""What the twins of race tests ask for: fixture F where nothing protects seats and credits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from classbolt.bolt_ons import BoltOns
from classbolt.testing.databases import Kind, Templates
from races import Unprotected, drop_constraints
from studio import Clock, Studio, open_studio, serving


@pytest.fixture
async def unprotected(
    kind: Kind, templates: Templates, tmp_path: Path, bolt_ons: BoltOns
) -> AsyncIterator[Studio]:
    """Fixture F, served from a database that is expected to be wrong in the end.

    Requests trip over what others have done by halves. Nobody reads the log of it.
    """
    clock = Clock()
    async with templates.database(kind) as url:
        await drop_constraints(url)
        database = Unprotected(url, bolt_ons)
        async with serving(database, tmp_path, bolt_ons, clock) as (client, settings):
            studio = await open_studio("northside", client, settings, database, clock)
            await studio.set_up(bolt_ons=["auto_refund", "drop_in"])
            with capture_logs():
                yield studio
