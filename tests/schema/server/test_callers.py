"""Who asks, of which account, and what they read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from classbolt.db import Caller
from classbolt_schema.server.context import Context

if TYPE_CHECKING:
    from tests.schema.server.conftest import Server

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_caller_without_token_is_anonymous(server: Server) -> None:
    response = await server.ask("{caller}")

    assert response.json() == {"data": {"caller": "None at 2026-03-01T12:00:00+00:00"}}


async def test_a_token_names_the_caller(server: Server) -> None:
    server.client.headers["authorization"] = server.token()

    response = await server.ask("{caller}")

    assert response.json() == {"data": {"caller": "anna at 2026-03-01T12:00:00+00:00"}}


async def test_a_bad_token_is_answered_before_anything_runs(server: Server) -> None:
    for header in (
        "Bearer x.y.z",
        "Basic x",
        server.token("gym"),
        server.token(subject="otto"),
    ):
        server.client.headers["authorization"] = header

        response = await server.ask("{hello}")

        assert response.status_code == 401
        assert response.headers["www-authenticate"] == "Bearer"
        assert server.code_of(response) == "UNAUTHENTICATED"


@pytest.mark.parametrize("account", ["gym", "%00", "%0a", "a%20b", "%ff"])
async def test_an_account_that_does_not_exist_is_not_found(
    server: Server, account: str
) -> None:
    response = await server.ask(account=account)

    assert response.status_code == 404
    assert server.code_of(response) == "NOT_FOUND"


async def test_a_request_reads_from_one_snapshot(server: Server) -> None:
    await server.ask("{a: caller b: caller c: caller}")

    assert server.accounts.opened == 1


async def test_after_a_write_reads_are_from_another_snapshot(server: Server) -> None:
    response = await server.ask("mutation {rename}")

    assert response.json() == {"data": {"rename": "another snapshot"}}
    assert server.accounts.opened == 2


async def test_a_resolver_that_outlives_its_request_reads_nothing(server: Server) -> None:
    context = Context(
        server.app, Caller("studio"), request_id="x", now=datetime(2026, 3, 1, tzinfo=UTC)
    )
    await context.close()

    with pytest.raises(RuntimeError):
        await context.reading()
    assert server.accounts.opened == 0
