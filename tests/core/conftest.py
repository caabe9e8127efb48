"""What tests of the doctor ask for: a healthy studio, to be broken."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from classbolt.testing.databases import Kind, Templates
from healthy import HEALTHY


@pytest.fixture
async def url(kind: Kind, templates: Templates) -> AsyncIterator[str]:
    """A database with healthy rows; nobody looks at the state in which a test leaves it."""
    async with templates.database(kind, HEALTHY) as url:
        yield url
