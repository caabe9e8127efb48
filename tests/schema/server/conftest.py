"""A server that runs: uvicorn, the endpoint with all that surrounds it, and a small schema."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import httpx
import pytest
import pytest_asyncio
import strawberry
import uvicorn
from starlette.types import ASGIApp

from classbolt.bolt_ons import BoltOns
from classbolt.config import Settings
from classbolt.db import Caller, Database, Tx
from classbolt.errors import InvalidCursor, InvalidInput, NotFound, Refusals, Unauthenticated
from classbolt.sealed import Seal
from classbolt.stripe_gateway import StripeGateway
from classbolt_schema.server.app import assemble
from classbolt_schema.server.auth import TokenVerifier
from classbolt_schema.server.context import Application, Context
from classbolt_schema.server.documents import Documents
from classbolt_schema.server.keys import issue_token, trusted_issuer
from classbolt_schema.server.protocol import DeadlineH11

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
JSON = "application/json"


class Bug(Exception):
    pass


@strawberry.type
class Query:
    @strawberry.field
    def hello(self, name: str = "you") -> str:
        return f"hello {name}"

    @strawberry.field
    def numbers(self, up_to: int) -> list[int]:
        return list(range(up_to))

    @strawberry.field
    async def caller(self, info: strawberry.Info[Context, None]) -> str:
        first, second = await asyncio.gather(info.context.reading(), info.context.reading())
        assert first is second
        return f"{info.context.caller.subject} at {info.context.now.isoformat()}"

    @strawberry.field
    def refusal(self) -> str | None:
        raise InvalidCursor

    @strawberry.field
    def refusals(self) -> str | None:
        raise Refusals([InvalidCursor(), InvalidInput("too long", "name")])

    @strawberry.field
    def bug(self) -> str | None:
        raise Bug("the password is secret")

    @strawberry.field
    def same_bug(self, info: strawberry.Info[Context, None]) -> str | None:
        raise cast("Bug", info.context.loaders.setdefault("bug", cast("Any", Bug("once"))))

    @strawberry.field
    def essential_bug(self) -> str:
        raise Bug("nothing is left")


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def rename(self, info: strawberry.Info[Context, None]) -> str:
        before = await info.context.reading()
        await info.context.renew()
        after = await info.context.reading()
        return "another snapshot" if before is not after else "the same snapshot"


class Accounts:
    """Stands in for the database: one account, one person, and a count of open snapshots."""

    def __init__(self) -> None:
        self.opened = 0
        self.open = 0
        self.breaks = False

    @asynccontextmanager
    async def read(self, caller: Caller) -> AsyncIterator[Tx]:
        await asyncio.sleep(0)
        if self.breaks:
            raise Bug("no connection")
        if caller.account != "studio":
            raise NotFound("There is no such account.")
        if caller.subject not in {None, "anna"}:
            raise Unauthenticated
        self.opened += 1
        self.open += 1
        try:
            yield cast("Tx", object())
        finally:
            self.open -= 1

    async def close(self) -> None:
        pass


class Server:
    """A running server and how to ask it."""

    def __init__(self, client: httpx.AsyncClient, app: Application, accounts: Accounts) -> None:
        self.client = client
        self.app = app
        self.accounts = accounts

    async def ask(
        self,
        query: str = "{hello}",
        *,
        account: str = "studio",
        accept: str = JSON,
        **more: object,
    ) -> httpx.Response:
        return await self.client.post(
            f"/graphql/{account}", json={"query": query, **more}, headers={"accept": accept}
        )

    async def send(self, content: Any, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.post(
            "/graphql/studio", content=content, headers={"content-type": JSON, **named}
        )

    def token(self, account: str = "studio", subject: str = "anna") -> str:
        lifetime = timedelta(hours=1)
        return f"Bearer {issue_token(self.app.settings, account, subject, NOW, lifetime)}"

    def error_of(self, response: httpx.Response) -> dict[str, Any]:
        """Give the only error of an answer that has nothing else."""
        body = response.json()
        assert set(body) == {"errors"}
        (error,) = body["errors"]
        assert error["extensions"]["requestId"] == response.headers["x-request-id"]
        assert response.headers["content-type"].split(";")[0].endswith("json")
        return cast("dict[str, Any]", error)

    def code_of(self, response: httpx.Response) -> str:
        return cast("str", self.error_of(response)["extensions"]["code"])


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    listening = socket.create_server(("127.0.0.1", 0))  # who connects early waits in its queue
    server = uvicorn.Server(uvicorn.Config(app, http=DeadlineH11, log_config=None))
    running = asyncio.create_task(server.serve([listening]))
    try:
        yield "http://{}:{}".format(*listening.getsockname())
    finally:
        server.should_exit = True
        await running


@asynccontextmanager
async def a_server(settings: Settings) -> AsyncIterator[Server]:
    accounts = Accounts()
    app = Application(
        settings=settings,
        database=cast("Database", accounts),
        schema=strawberry.Schema(Query, Mutation, extensions=[Documents]),
        verifier=TokenVerifier(*trusted_issuer(settings)),
        clock=lambda: NOW,
        bolt_ons=BoltOns(),
        seal=Seal(),
        gateway=StripeGateway(seal=Seal()),
    )
    async with serving(assemble(app)) as url, httpx.AsyncClient(base_url=url) as client:
        yield Server(client, app, accounts)
    assert accounts.open == 0, "a snapshot was not given back"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def development(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    async with a_server(Settings(data=tmp_path_factory.mktemp("data"))) as running:
        yield running


@pytest.fixture
def server(development: Server) -> Server:
    """Give the server as it was in the beginning: one for each test would take long."""
    assert development.accounts.open == 0, "a snapshot was not given back"
    vars(development.accounts).update(vars(Accounts()))
    development.client.headers.pop("authorization", None)
    return development


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def production(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    folder = tmp_path_factory.mktemp("data")
    _, keys = trusted_issuer(Settings(data=folder))
    (folder / "jwks.json").write_text(json.dumps(keys.as_dict()))
    settings = Settings(
        env="production",
        data=folder,
        issuer="https://id.example",
        jwks_file=folder / "jwks.json",
        cors_origins=("https://book.example",),
    )
    async with a_server(settings) as running:
        yield running
