"""What every test may ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from classbolt.testing.postgres import PostgresServer


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server
