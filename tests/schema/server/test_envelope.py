"""What the endpoint takes for a GraphQL request, and what it does not."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

import pytest

from classbolt_schema.server.http import MAX_BODY_BYTES, negotiate

if TYPE_CHECKING:
    from tests.schema.server.conftest import Server

pytestmark = pytest.mark.asyncio(loop_scope="module")

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"5",
        b"null",
        b"[]",
        b'[{"query": "{hello}"}]',
        b"{}",
        b'{"query": null}',
        b'{"query": ""}',
        b'{"query": 5}',
        b'{"query": ["{hello}"]}',
        b'{"query": "{hello}", "variables": []}',
        b'{"query": "{hello}", "variables": "{}"}',
        b'{"query": "{hello}", "operationName": 5}',
        b'{"query": "{hello}", "extensions": 5}',
        b'{"query": "{hello}", "extensions": []}',
        b'{"query": "{hello}", "variables": {"n": NaN}}',
        b'{"query": "{hello}", "variables": {"n": ' + b"9" * 5000 + b"}}",
        b'{"query": "{hello}", "variables": {"n": "\\ud800"}}',
        b'{"query": "{hello}", "variables": {"n": "\xff"}}',
        b'{"query": "{hello}", "variables": {"n": ' + b"[" * 40000 + b"]" * 40000 + b"}}",
        json.dumps(
            {"query": "{hello}", "variables": dict.fromkeys(map(str, range(51)))}
        ).encode(),
        '{"query": "{hello}"}'.encode("utf-16"),
        b'\xef\xbb\xbf{"query": "{hello}"}',
    ],
)
async def test_a_body_that_is_no_graphql_request_is_refused(
    server: Server, body: bytes
) -> None:
    response = await server.send(body)

    assert response.status_code == 400
    assert server.code_of(response) == "BAD_REQUEST"


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/jsonp",
        "application/json; charset=latin-1",
        "application/json; charset=utf-16",
    ],
)
async def test_another_content_type_is_refused(server: Server, content_type: str) -> None:
    response = await server.send(b'{"query": "{hello}"}', content_type=content_type)

    assert response.status_code == 415
    assert server.code_of(response) == "UNSUPPORTED_MEDIA_TYPE"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=UTF-8",
        'APPLICATION/JSON;charset="utf-8"',
        "application/json;a=b",
    ],
)
async def test_the_content_type_may_say_more(server: Server, content_type: str) -> None:
    response = await server.send(b'{"query": "{hello}"}', content_type=content_type)

    assert response.status_code == 200


async def test_a_compressed_body_is_refused(server: Server) -> None:
    response = await server.send(b'{"query": "{hello}"}', content_encoding="gzip")

    assert response.status_code == 415


async def pieces(size: int) -> AsyncIterator[bytes]:
    for _ in range(0, size, 1000):
        yield b" " * 1000


@pytest.mark.parametrize("make", [lambda size: b" " * size, pieces])
async def test_a_body_that_is_too_large_is_refused(
    server: Server, make: Callable[[int], Any]
) -> None:
    response = await server.send(make(2 * MAX_BODY_BYTES))

    assert response.status_code == 413
    assert server.code_of(response) == "CONTENT_TOO_LARGE"


async def test_a_body_of_just_the_limit_is_taken(server: Server) -> None:
    body = b'{"query": "{hello}"}'

    response = await server.send(body.ljust(MAX_BODY_BYTES))
    beyond = await server.send(body.ljust(MAX_BODY_BYTES + 1))

    assert response.status_code == 200
    assert beyond.status_code == 413


async def test_a_refused_body_leaves_the_connection_usable(server: Server) -> None:
    assert (await server.send(b" " * 2 * MAX_BODY_BYTES)).status_code == 413

    assert (await server.ask()).json() == {"data": {"hello": "hello you"}}


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"])
async def test_only_post_runs_anything(server: Server, method: str) -> None:
    response = await server.client.request(method, "/graphql/studio?query={hello}")

    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert server.accounts.opened == 0


async def test_an_accept_that_nothing_meets_is_refused(server: Server) -> None:
    response = await server.ask(accept="text/csv")

    assert response.status_code == 406
    assert server.code_of(response) == "NOT_ACCEPTABLE"


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}, {JSON}", GRAPHQL),
        (f"{JSON}, {GRAPHQL}", GRAPHQL),
        (f"{GRAPHQL}; charset=utf-8, {JSON}; charset=utf-8", GRAPHQL),
        (f"{GRAPHQL};q=0.8, {JSON};q=0.9", JSON),
        (f"{JSON};q=0.8, {GRAPHQL};q=0.9", GRAPHQL),
        (f"{GRAPHQL};q=0, */*", JSON),
        (f"{JSON};q=0, */*", GRAPHQL),
        (f"{JSON};q=0, {GRAPHQL};q=0", None),
        ("*/*;q=0", None),
        ("text/html", None),
        ("text/html, */*;q=0.1", JSON),
        (f"{JSON};q=many", JSON),
        (f"{GRAPHQL}, text/event-stream, multipart/mixed", GRAPHQL),
        (",;,=", None),
    ],
)
async def test_the_media_type_is_the_one_the_client_likes_best(
    accept: str | None, media: str | None
) -> None:
    assert negotiate(accept) == media
