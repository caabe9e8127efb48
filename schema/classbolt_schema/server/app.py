"""The application: routes, probes, and what every request passes through."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, clear_contextvars

from classbolt.bolt_ons import BoltOns
from classbolt.config import Settings, load_settings
from classbolt.db import Database
from classbolt.duties import duties
from classbolt.migrate import MigrationError, components, pending
from classbolt.paying import Till
from classbolt.sealed import Seal
from classbolt.stripe_gateway import StripeGateway
from classbolt.worker import Worker
from classbolt_schema.compose.schema import build_schema
from classbolt_schema.server import logs
from classbolt_schema.server.auth import TokenVerifier
from classbolt_schema.server.context import Application, Clock, utc_now
from classbolt_schema.server.http import graphql_endpoint, http_error_answer, request_id_of
from classbolt_schema.server.keys import trusted_issuer
from classbolt_schema.server.webhooks import stripe_webhook, stripe_webhook_of_account

PROBE_SECONDS = 3
ANY_LOCAL_ORIGIN = r"https?://(localhost|127\.0\.0\.1)(:\d+)?"

log = structlog.get_logger(__name__)


def from_environment() -> Starlette:
    """Make the application that a server process runs, for `uvicorn --factory`."""
    settings = load_settings()
    logs.set_up(settings)
    return create_app(settings, works=settings.worker)


def create_app(
    settings: Settings,
    *,
    clock: Clock = utc_now,
    bolt_ons: BoltOns | None = None,
    database: Database | None = None,
    works: bool = False,
) -> Starlette:
    """Make the application. When it ends it closes its database, also one it was given.

    Args:
        works: Whether it also does what was promised after commits.
    """
    bolt_ons = BoltOns.discover() if bolt_ons is None else bolt_ons
    seal = Seal.of(settings)
    return assemble(
        Application(
            settings=settings,
            database=database or Database(settings.database_url, bolt_ons),
            schema=build_schema(bolt_ons.installed.values()),
            verifier=TokenVerifier(*trusted_issuer(settings)),
            clock=clock,
            bolt_ons=bolt_ons,
            seal=seal,
            gateway=StripeGateway.of(settings, seal),
        ),
        works=works,
    )


def assemble(app: Application, *, works: bool = False) -> Starlette:
    """Put routes and middleware around an application, and a worker beside it if it works."""
    logs.silence_strawberry()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        own = duties(Till(app.database, app.gateway))
        worker = Worker(app.database, app.bolt_ons, app.clock, own)
        try:
            async with worker.running() if works else nullcontext():
                yield
        finally:
            await app.gateway.close()
            await app.database.close()

    return Starlette(
        routes=[
            Route("/graphql/{account}", graphql_endpoint(app)),
            Route("/webhooks/stripe", stripe_webhook(app), methods=["POST"]),
            Route(
                "/webhooks/stripe/{account}", stripe_webhook_of_account(app), methods=["POST"]
            ),
            Route("/livez", _livez),
            Route("/readyz", _readyz(app)),
        ],
        middleware=[Middleware(RequestIds), _cors(app.settings)],
        exception_handlers={HTTPException: _http_error},
        lifespan=lifespan,
    )


class RequestIds:
    """Tie together what belongs to one request: its id is on the log lines and the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = request_id_of(scope)
        clear_contextvars()
        bind_contextvars(request_id=request_id)
        started = time.perf_counter()
        status = None

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            log.info(
                "request",
                method=scope["method"],
                # Still percent-encoded, so that it cannot forge a line; without the query,
                # where documents hide.
                path=scope.get("raw_path", b"").decode("ascii", "replace"),
                status=status,
                milliseconds=round((time.perf_counter() - started) * 1000, 1),
            )


def _cors(settings: Settings) -> Middleware:
    """Let frontends of other origins in. There are no cookies, so an origin may do nothing."""
    return Middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_origin_regex=None if settings.is_production else ANY_LOCAL_ORIGIN,
        allow_methods=["POST"],
        allow_headers=["Authorization", "Content-Type", "X-Request-Id"],
        expose_headers=["X-Request-Id"],
    )


async def _livez(_: Request) -> Response:
    """Say that the process runs."""
    return JSONResponse({"status": "alive"})


def _readyz(app: Application) -> Callable[[Request], Awaitable[Response]]:
    """Say whether requests can be served: the database answers and has all migrations."""

    async def readyz(_: Request) -> Response:
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                missing = await pending(
                    app.settings.database_url, components(app.bolt_ons.installed.values())
                )
        except (SQLAlchemyError, MigrationError, OSError):  # a timeout is an OSError
            log.warning("not_ready", exc_info=True)
            return JSONResponse({"status": "the database is not ready"}, 503)
        if missing:
            return JSONResponse({"status": "migrations are pending", "pending": missing}, 503)
        return JSONResponse({"status": "ready"})

    return readyz


async def _http_error(request: Request, error: Exception) -> Response:
    """Answer for what no route takes."""
    assert isinstance(error, HTTPException)
    return http_error_answer(error, request_id_of(request.scope))
