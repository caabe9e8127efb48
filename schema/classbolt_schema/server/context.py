"""What resolvers share: the application, and a context per request with snapshot and loaders.

A query reads from one snapshot, so that all parts of an answer belong to the same moment.
Resolvers of one level run concurrently: whoever asks first opens the snapshot, the others wait
for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import strawberry
from strawberry.dataloader import DataLoader

from classbolt.bolt_ons import BoltOns
from classbolt.config import Settings
from classbolt.db import Caller, Database, Tx
from classbolt.sealed import Seal
from classbolt.stripe_gateway import StripeGateway
from classbolt_schema.server.auth import TokenVerifier

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Read the wall clock; the application's clock unless it is given another."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Application:
    """What lives as long as the server."""

    settings: Settings
    database: Database
    schema: strawberry.Schema
    verifier: TokenVerifier
    clock: Clock
    bolt_ons: BoltOns
    seal: Seal
    gateway: StripeGateway


class Context:
    """What lives as long as one request.

    Attributes:
        app: The application.
        caller: Who asks, and of which account.
        request_id: Names the request in answers and log lines.
        now: The moment of the request: every rule that it touches sees the same one.
        loaders: One per batch resolver and arguments; they remember what the snapshot said.
    """

    def __init__(
        self, app: Application, caller: Caller, *, request_id: str, now: datetime
    ) -> None:
        self.app = app
        self.caller = caller
        self.request_id = request_id
        self.now = now
        self.loaders: dict[Any, DataLoader[Any, Any]] = {}
        self._turn = asyncio.Lock()
        self._snapshot: AbstractAsyncContextManager[Tx] | None = None
        self._tx: Tx | None = None
        self._is_closed = False

    async def reading(self) -> Tx:
        """Give the request's snapshot, opened on first use.

        Raises:
            NotFound: There is no such account.
            Unauthenticated: The account does not know the caller.
        """
        async with self._turn:
            if self._is_closed:
                # A resolver may outlive the answer when its sibling failed. Nobody would close
                # what it opens.
                raise RuntimeError("the request has been answered; nothing is read for it")
            if self._tx is None:
                snapshot = self.app.database.read(self.caller)
                self._tx = await snapshot.__aenter__()
                self._snapshot = snapshot
            return self._tx

    async def renew(self) -> None:
        """Forget what was read, so that the next read sees what was written since."""
        async with self._turn:
            await self._forget()

    async def close(self) -> None:
        """Give the snapshot back; the request is over."""
        async with self._turn:
            self._is_closed = True
            await self._forget()

    async def _forget(self) -> None:
        snapshot, self._snapshot, self._tx = self._snapshot, None, None
        self.loaders.clear()
        if snapshot is not None:
            await snapshot.__aexit__(None, None, None)
