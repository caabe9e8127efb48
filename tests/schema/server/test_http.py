"""How the endpoint answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from classbolt.errors import InvalidCursor

if TYPE_CHECKING:
    from tests.schema.server.conftest import Server

pytestmark = pytest.mark.asyncio(loop_scope="module")

GRAPHQL = "application/graphql-response+json"
BOTH_MEDIA = pytest.mark.parametrize("accept", [GRAPHQL, "application/json"])


@BOTH_MEDIA
async def test_a_query_is_answered_in_the_media_type_asked_for(
    server: Server, accept: str
) -> None:
    response = await server.ask("{hello}", accept=accept)

    assert response.status_code == 200
    assert response.headers["content-type"] == f"{accept}; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert "accept" in response.headers["vary"].lower()
    assert response.json() == {"data": {"hello": "hello you"}}


async def test_variables_and_the_operation_name_are_taken(server: Server) -> None:
    document = "query A($n: String!) {hello(name: $n)} query B {numbers(upTo: 2)}"

    first = await server.ask(document, variables={"n": "Anna"}, operationName="A")
    second = await server.ask(document, operationName="B", extensions={"any": 1}, id=5)

    assert first.json() == {"data": {"hello": "hello Anna"}}
    assert second.json() == {"data": {"numbers": [0, 1]}}


async def test_null_stands_for_what_is_left_out(server: Server) -> None:
    response = await server.ask(variables=None, operationName=None, extensions=None)

    assert response.json() == {"data": {"hello": "hello you"}}


@BOTH_MEDIA
@pytest.mark.parametrize(
    ("query", "more", "code"),
    [
        ("{hello", {}, "GRAPHQL_PARSE_FAILED"),
        ("{nobody}", {}, "GRAPHQL_VALIDATION_FAILED"),
        ('{numbers(upTo: "2")}', {}, "GRAPHQL_VALIDATION_FAILED"),
        ("{" * 400, {}, "GRAPHQL_PARSE_FAILED"),
        ("{" + "hello " * 501 + "}", {}, "QUERY_TOO_COMPLEX"),
        ("{" + "hello " * 2001 + "}", {}, "QUERY_TOO_COMPLEX"),
        ("query ($n: Int!) {numbers(upTo: $n)}", {"variables": {"n": "x"}}, "BAD_USER_INPUT"),
        ("query ($n: Int!) {numbers(upTo: $n)}", {}, "BAD_USER_INPUT"),
        ("query A {hello} query B {hello}", {}, "BAD_REQUEST"),
        ("query A {hello}", {"operationName": "B"}, "BAD_REQUEST"),
        ("query A {hello}", {"operationName": ""}, "BAD_REQUEST"),
        ("fragment F on Query {hello}", {}, "BAD_REQUEST"),
        ("subscription {hello}", {}, "BAD_REQUEST"),
    ],
)
async def test_a_request_error_has_a_code_and_no_data(
    server: Server, accept: str, query: str, more: dict[str, Any], code: str
) -> None:
    response = await server.ask(query, accept=accept, **more)

    assert server.code_of(response) == code
    assert response.status_code == (400 if accept == GRAPHQL else 200)


@BOTH_MEDIA
async def test_an_argument_that_does_not_fit_is_the_clients_mistake(
    server: Server, accept: str
) -> None:
    response = await server.ask(
        'query ($n: String = "x") {hello(name: $n)}', variables={"n": None}, accept=accept
    )

    assert response.status_code == 200
    assert response.json()["data"] is None
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert response.json()["errors"][0]["path"] == ["hello"]


async def test_a_refusal_in_a_query_keeps_its_code_and_message(server: Server) -> None:
    with capture_logs() as lines:
        response = await server.ask("{hello refusal}")

    body = response.json()
    assert body["data"] == {"hello": "hello you", "refusal": None}
    (error,) = body["errors"]
    assert error["message"] == InvalidCursor().message
    assert error["extensions"]["code"] == "INVALID_CURSOR"
    assert error["path"] == ["refusal"]
    assert [line["event"] for line in lines] == ["request"]


async def test_each_of_several_refusals_is_an_error_of_its_own(server: Server) -> None:
    errors = (await server.ask("{refusals}")).json()["errors"]

    assert [each["extensions"]["code"] for each in errors] == [
        "INVALID_CURSOR",
        "INVALID_INPUT",
    ]
    assert [each["path"] for each in errors] == [["refusals"], ["refusals"]]


# What goes wrong inside


async def test_a_bug_is_masked_for_the_client_and_logged_with_its_traceback(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    with capture_logs([merge_contextvars]) as lines:
        response = await server.ask("{hello bug}")

    (error,) = response.json()["errors"]
    assert response.status_code == 200
    assert response.json()["data"] == {"hello": "hello you", "bug": None}
    assert error["message"] == "Something went wrong."
    assert error["extensions"]["code"] == "INTERNAL"
    assert "secret" not in response.text
    (line,) = [line for line in lines if line["log_level"] == "error"]
    assert line["request_id"] == error["extensions"]["requestId"]
    assert line["field"] == "bug"
    assert type(line["exc_info"]).__name__ == "Bug"
    assert line["exc_info"].__traceback__ is not None
    assert not caplog.records, "Strawberry logs documents"


async def test_a_bug_that_fails_many_fields_is_logged_once(server: Server) -> None:
    with capture_logs() as lines:
        response = await server.ask("{a: sameBug b: sameBug c: sameBug}")

    assert [each["path"] for each in response.json()["errors"]] == [["a"], ["b"], ["c"]]
    assert len([line for line in lines if line["log_level"] == "error"]) == 1


async def test_a_bug_that_leaves_nothing_is_still_an_answer(server: Server) -> None:
    response = await server.ask("{essentialBug}", accept=GRAPHQL)

    assert response.status_code == 200
    assert response.json()["data"] is None
    assert response.json()["errors"][0]["extensions"]["code"] == "INTERNAL"


@BOTH_MEDIA
async def test_a_database_that_does_not_answer_is_an_internal_error(
    server: Server, accept: str
) -> None:
    server.accounts.breaks = True

    with capture_logs() as lines:
        response = await server.ask(accept=accept)

    assert response.status_code == 500
    assert server.code_of(response) == "INTERNAL"
    assert "connection" not in response.text
    assert len([line for line in lines if line["log_level"] == "error"]) == 1


async def test_no_log_line_shows_documents_variables_or_tokens(server: Server) -> None:
    token = server.token()
    server.client.headers["authorization"] = token

    with capture_logs() as lines:
        for document in ("query ($n: String!) {hello(name: $n) bug}", "{marker", "{marker}"):
            await server.ask(document, variables={"n": "marker"})
        await server.client.get("/graphql/studio?query={marker}")

    text = str(lines)
    assert len(lines) == 5
    assert "marker" not in text
    assert token.removeprefix("Bearer ") not in text
