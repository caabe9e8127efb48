"""What surrounds the endpoint: browsers, request ids, probes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from structlog.contextvars import clear_contextvars, merge_contextvars
from structlog.testing import capture_logs

from classbolt.migrate import components, upgrade

if TYPE_CHECKING:
    from tests.schema.server.conftest import Server

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_developers_browser_is_shown_graphiql(server: Server) -> None:
    response = await server.client.get("/graphql/studio", headers={"accept": "text/html,*/*"})

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "GraphiQL" in response.text


async def test_production_shows_no_graphiql(production: Server) -> None:
    response = await production.client.get("/graphql/studio", headers={"accept": "text/html"})

    assert response.status_code == 405


async def preflight(server: Server, origin: str) -> str | None:
    response = await server.client.options(
        "/graphql/studio",
        headers={
            "origin": origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,content-type,x-request-id",
        },
    )
    assert "access-control-allow-credentials" not in response.headers
    origins = response.headers.get_list("access-control-allow-origin")
    return origins[0] if origins else None


async def test_in_development_every_local_frontend_may_ask(server: Server) -> None:
    for origin in ("http://localhost:5173", "http://127.0.0.1:3000", "http://localhost"):
        assert await preflight(server, origin) == origin
    for origin in ("https://stranger.example", "http://localhost.stranger.example", "null"):
        assert await preflight(server, origin) is None


async def test_in_production_the_listed_frontends_may_ask(production: Server) -> None:
    assert await preflight(production, "https://book.example") == "https://book.example"
    assert await preflight(production, "http://localhost:5173") is None
    assert await preflight(production, "https://stranger.example") is None


async def test_a_frontend_may_read_the_request_id(server: Server) -> None:
    response = await server.client.post(
        "/graphql/studio", json={"query": "{hello}"}, headers={"origin": "http://localhost:1"}
    )

    assert response.headers["access-control-allow-origin"] == "http://localhost:1"
    assert response.headers["access-control-expose-headers"] == "X-Request-Id"


async def test_a_usable_request_id_is_kept(server: Server) -> None:
    response = await server.send(b"", x_request_id="My.id-7_")

    assert response.headers["x-request-id"] == "My.id-7_"
    assert server.error_of(response)["extensions"]["requestId"] == "My.id-7_"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "<script>", "é"])
async def test_another_request_id_is_replaced(server: Server, given: str) -> None:
    response = await server.client.get("/livez", headers={b"x-request-id": given.encode()})

    assert len(response.headers["x-request-id"]) == 32


async def test_every_answer_has_a_request_id_of_its_own(server: Server) -> None:
    answers = [
        await server.ask(),
        await server.ask("{"),
        await server.client.get("/livez"),
        await server.client.get("/nowhere"),
        await server.client.options("/graphql/studio"),
    ]

    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)


async def test_an_unknown_path_is_not_found(server: Server) -> None:
    for path in ("/", "/graphql", "/graphql/studio/x", "/livez/x"):
        response = await server.client.get(path)

        assert response.status_code == 404
        assert server.code_of(response) == "NOT_FOUND"


async def test_a_running_process_is_alive(server: Server) -> None:
    response = await server.client.get("/livez")

    assert response.status_code == 200


def spoil(file: str) -> None:
    Path(file).write_text("no database " * 100)


@pytest.mark.unmeasured  # migrating is measured elsewhere
async def test_a_server_is_ready_once_its_database_is(server: Server) -> None:
    url = server.app.settings.database_url
    without_tables = await server.client.get("/readyz")
    await upgrade(url, components([]))
    with_tables = await server.client.get("/readyz")
    spoil(url.removeprefix("sqlite+aiosqlite:///"))
    broken = await server.client.get("/readyz")

    assert without_tables.status_code == 503
    assert without_tables.json()["pending"]
    assert with_tables.status_code == 200
    assert broken.status_code == 503


async def test_log_lines_of_a_request_carry_its_id(server: Server) -> None:
    clear_contextvars()

    with capture_logs([merge_contextvars]) as lines:
        response = await server.ask()

    (line,) = lines
    assert line["event"] == "request"
    assert (line["method"], line["path"], line["status"]) == ("POST", "/graphql/studio", 200)
    assert line["request_id"] == response.headers["x-request-id"]
