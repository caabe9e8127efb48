"""The GraphQL endpoint: one JSON request in, one JSON answer out, every "no" in the same shape.

What is no GraphQL request never reaches the schema: bodies are bounded before they are read,
and only JSON is taken, so that no foreign page's form can act for somebody. No message repeats
what was sent: frontends report messages, and a value may be a key. What goes wrong inside is
logged under the request's id and shown to the client as that id alone: exception texts tell
strangers about our insides. Documents, variables and tokens are never logged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus
from typing import Any, Final
from uuid import uuid4

import orjson
import structlog
from graphql import GraphQLError, GraphQLSyntaxError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from strawberry.http.ides import get_graphql_ide_html
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from classbolt.errors import NotFound, Refusal, Refusals, Unauthenticated
from classbolt_schema.server.auth import caller_of
from classbolt_schema.server.context import Application, Context
from classbolt_schema.server.limits import TOO_COMPLEX

JSON: Final = "application/json"
GRAPHQL: Final = "application/graphql-response+json"
MAX_BODY_BYTES: Final = 100_000
MAX_VARIABLES: Final = 50
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
QUALITY = re.compile(r"q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")
WHAT_WAS_SENT = re.compile(r"(?:, found|(cannot represent [^:]*)): .*", re.DOTALL)
"""What graphql-core adds to the end of a message."""

CODES: Final = {
    HTTPStatus.NOT_FOUND: "NOT_FOUND",
    HTTPStatus.METHOD_NOT_ALLOWED: "METHOD_NOT_ALLOWED",
    HTTPStatus.NOT_ACCEPTABLE: "NOT_ACCEPTABLE",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "CONTENT_TOO_LARGE",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "UNSUPPORTED_MEDIA_TYPE",
}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Operation:
    """What a client asks to run."""

    query: str
    variables: dict[str, Any] | None
    name: str | None


def graphql_endpoint(app: Application) -> ASGIApp:
    """Make the endpoint that serves the schema at `/graphql/{account}`."""
    return _Endpoint(app)


class _Endpoint:
    """An ASGI application, for Starlette would answer 405 itself for a function."""

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        request_id = request_id_of(request.scope)
        media = negotiate(request.headers.get("accept")) or JSON
        try:
            if request.method != "POST":
                return self._page(request)
            operation = await read_operation(request)
            result = await self._run(request, operation, request_id)
            return _result_answer(result, request_id, media)
        except ClientDisconnect:
            raise
        except HTTPException as error:
            return http_error_answer(error, request_id, media)
        except Refusal as refusal:
            return _refusal_answer(refusal, request_id, media)
        except Exception as error:  # noqa: BLE001 the last place where a bug can be answered
            return error_answer(500, [_mask(error, request_id)], media)

    def _page(self, request: Request) -> Response:
        """Show GraphiQL to a developer's browser; nothing else is answered to a GET."""
        wants_page = "text/html" in request.headers.get("accept", "")
        if request.method == "GET" and wants_page and not self._app.settings.is_production:
            return HTMLResponse(get_graphql_ide_html())
        raise HTTPException(405, "Use POST.", headers={"Allow": "POST"})

    async def _run(
        self, request: Request, operation: Operation, request_id: str
    ) -> ExecutionResult:
        now = self._app.clock()
        account = request.path_params["account"]
        if not account.isprintable():
            raise NotFound("There is no such account.")  # PostgreSQL would choke on a NUL
        caller = caller_of(request.headers, account, self._app.verifier, now)
        context = Context(self._app, caller, request_id=request_id, now=now)
        try:
            # Opened before anything runs: an unknown account or caller is an answer of its own.
            await context.reading()
            return await self._app.schema.execute(
                operation.query,
                variable_values=operation.variables,
                context_value=context,
                operation_name=operation.name,
                allowed_operation_types=(OperationType.QUERY, OperationType.MUTATION),
            )
        except CannotGetOperationTypeError as error:
            return _request_error(error.as_http_error_reason())
        except InvalidOperationTypeError:
            return _request_error("Subscriptions are not served here.")
        finally:
            await context.close()


# What comes in


def request_id_of(scope: Scope) -> str:
    """Give the id of a request: the client's own if it is usable, otherwise a new one."""
    state = scope.setdefault("state", {})
    if "request_id" not in state:
        given = Headers(scope=scope).get("x-request-id", "")
        state["request_id"] = given if REQUEST_ID.fullmatch(given) else uuid4().hex
    return str(state["request_id"])


def negotiate(accept: str | None) -> str | None:
    """Choose the media type of the answer, or None when the client takes neither.

    The newer one needs to be asked for: it turns request errors into statuses.
    """
    ranges: dict[str, float] = {}
    for part in (accept or JSON).lower().split(","):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        quality = next((float(q[1]) for q in map(QUALITY.fullmatch, parameters) if q), 1.0)
        ranges[media] = max(quality, ranges.get(media, 0.0))

    def wanted(media: str) -> float:
        named = (each for each in (media, "application/*", "*/*") if each in ranges)
        return next((ranges[each] for each in named), 0.0)

    graphql, json = wanted(GRAPHQL), wanted(JSON)
    if graphql > json or (graphql == json > 0 and GRAPHQL in ranges):
        return GRAPHQL
    return JSON if json > 0 else None


async def read_operation(request: Request) -> Operation:
    """Read the request's body as far as it may go, and check its envelope.

    Raises:
        HTTPException: It is no GraphQL request; the status says in which way.
    """
    _check_headers(request.headers)
    body = await _read_body(request)
    try:
        envelope = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise HTTPException(400, "The body is not JSON in UTF-8.") from None
    if not isinstance(envelope, dict):
        raise HTTPException(400, "The body must be one JSON object; batches are not served.")
    query = envelope.get("query")
    variables = envelope.get("variables")
    name = envelope.get("operationName")
    if not isinstance(query, str) or not query:
        raise HTTPException(400, "query must be a string.")
    if not isinstance(variables, dict | None) or len(variables or ()) > MAX_VARIABLES:
        raise HTTPException(
            400, f"variables must be an object of at most {MAX_VARIABLES} entries."
        )
    if not isinstance(name, str | None):
        raise HTTPException(400, "operationName must be a string.")
    if not isinstance(envelope.get("extensions"), dict | None):
        raise HTTPException(400, "extensions must be an object.")
    return Operation(query, variables, name)


def _check_headers(headers: Headers) -> None:
    if negotiate(headers.get("accept")) is None:
        raise HTTPException(406, f"Accept must allow {GRAPHQL} or {JSON}.")
    content = Message()
    content["content-type"] = headers.get("content-type", "")
    charset = content.get_content_charset("utf-8")
    if content.get_content_type() != JSON or charset not in {"utf-8", "utf8"}:
        raise HTTPException(415, f"Content-Type must be {JSON} in UTF-8.")
    if "content-encoding" in headers:
        raise HTTPException(415, "Content-Encoding is not served.")


async def _read_body(request: Request) -> bytes:
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > MAX_BODY_BYTES:
        raise HTTPException(413, f"The body may have {MAX_BODY_BYTES} bytes.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise HTTPException(413, f"The body may have {MAX_BODY_BYTES} bytes.")
    return bytes(body)


# What goes out


def error_answer(
    status: int,
    errors: list[dict[str, Any]],
    media: str = JSON,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer with errors alone."""
    return _json_answer(status, {"errors": errors}, media, headers)


def http_error_answer(error: HTTPException, request_id: str, media: str = JSON) -> Response:
    """Answer a request that never reached the schema."""
    code = CODES.get(HTTPStatus(error.status_code), "BAD_REQUEST")
    shown = _error(error.detail, code, request_id)
    return error_answer(error.status_code, [shown], media, error.headers)


def _refusal_answer(refusal: Refusal, request_id: str, media: str) -> Response:
    """Answer for a refusal to open the account at all."""
    shown = [_error(refusal.message, refusal.code, request_id)]
    match refusal:
        case Unauthenticated():
            return error_answer(401, shown, media, {"WWW-Authenticate": "Bearer"})
        case NotFound():
            return error_answer(404, shown, media)
        case _:
            return error_answer(503, shown, media)


def _result_answer(result: ExecutionResult, request_id: str, media: str) -> Response:
    """Answer with what the schema said. A request error has no data: nothing was run."""
    errors = list(_show(result, request_id))
    if _is_request_error(result):
        internal = any(each["extensions"]["code"] == "INTERNAL" for each in errors)
        status = 500 if internal else 400 if media == GRAPHQL else 200
        return error_answer(status, errors, media)
    body: dict[str, Any] = {"errors": errors} if errors else {}
    body["data"] = result.data
    if result.extensions:
        body["extensions"] = result.extensions
    return _json_answer(200, body, media)


def _json_answer(
    status: int, body: dict[str, Any], media: str, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(
        orjson.dumps(body),
        status,
        {
            "Content-Type": f"{media}; charset=utf-8",
            "Cache-Control": "no-store",
            "Vary": "Accept",
            "X-Content-Type-Options": "nosniff",
            **(headers or {}),
        },
    )


# Which errors are shown, and how


def _error(message: str, code: str, request_id: str) -> dict[str, Any]:
    return {"message": message, "extensions": {"code": code, "requestId": request_id}}


def _request_error(message: str) -> ExecutionResult:
    error = GraphQLError(message, extensions={"code": "BAD_REQUEST"})
    return PreExecutionError(data=None, errors=[error])


def _is_request_error(result: ExecutionResult) -> bool:
    return result.data is None and not any(each.path for each in result.errors or ())


def _show(result: ExecutionResult, request_id: str) -> Iterator[dict[str, Any]]:
    """Write out each error for the client; mask what is a bug of ours."""
    masked: dict[int, dict[str, Any]] = {}
    for error in result.errors or ():
        where = {key: value for key, value in error.formatted.items() if key != "extensions"}
        cause = error.original_error or error
        if isinstance(cause, Refusal | Refusals):
            shown = [_error(each.message, each.code, request_id) for each in cause.reasons]
        elif code := _code(error, result):
            shown = [_error(WHAT_WAS_SENT.sub(r"\1.", error.message), code, request_id)]
        else:
            # One failed loader fails every field that waited for it: the log hears of it once.
            if id(cause) not in masked:
                masked[id(cause)] = _mask(cause, request_id, error.path)
            shown = [masked[id(cause)]]
        yield from ({**where, **each} for each in shown)


def _code(error: GraphQLError, result: ExecutionResult) -> str | None:
    """Name what the client did wrong, or None when it is not the client's doing."""
    cause = error.original_error
    if error.path:
        # When an argument cannot be coerced, the error points into the document; a resolver's
        # own does not.
        is_argument = isinstance(cause, GraphQLError) and cause.nodes
        return "BAD_USER_INPUT" if is_argument else None
    if not isinstance(result, PreExecutionError):
        return "BAD_USER_INPUT"  # nothing was run: the variables did not fit
    if isinstance(error, GraphQLSyntaxError):
        return str((error.extensions or {}).get("code", "GRAPHQL_PARSE_FAILED"))
    if isinstance(cause, RecursionError):
        return TOO_COMPLEX
    if cause is not None and not error.nodes:
        return None
    return str((error.extensions or {}).get("code", "GRAPHQL_VALIDATION_FAILED"))


def _mask(
    cause: Exception, request_id: str, path: Iterable[str | int] | None = None
) -> dict[str, Any]:
    log.error("request_failed", field=".".join(map(str, path or ())), exc_info=cause)
    return _error("Something went wrong.", "INTERNAL", request_id)
