"""A server under test: the real application, on a real socket."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import uvicorn
from cryptography.fernet import Fernet
from pydantic import SecretStr

from classbolt.bolt_ons import BoltOns
from classbolt.config import Settings
from classbolt.db import Database
from classbolt.sealed import Seal
from classbolt.stripe_gateway import StripeGateway
from classbolt_schema.compose.schema import ComposedSchema, build_schema
from classbolt_schema.server.app import assemble
from classbolt_schema.server.auth import TokenVerifier
from classbolt_schema.server.context import Application
from classbolt_schema.server.keys import trusted_issuer
from frontend import Clock

SECRET_KEY = SecretStr(Fernet.generate_key().decode())
"""Seals what accounts entrust to a server under test."""


@asynccontextmanager
async def serving(
    database: Database,
    data: Path,
    bolt_ons: BoltOns,
    clock: Clock,
    *,
    gateway: StripeGateway | None = None,
    stripe: Mapping[str, Any] = MappingProxyType({}),
) -> AsyncIterator[tuple[httpx.AsyncClient, Settings]]:
    """Serve a database over HTTP on a port of its own.

    Args:
        gateway: Leads to a double of Stripe; without it nothing is linked.
        stripe: Settings about Stripe.
    """
    settings = Settings(env="development", data=data, database_url=database.url, **stripe)
    seal = Seal(settings.secret_keys or (SECRET_KEY,))
    app = assemble(
        Application(
            settings=settings,
            database=database,
            schema=_schema(bolt_ons),
            verifier=TokenVerifier(*trusted_issuer(settings)),
            clock=clock,
            bolt_ons=bolt_ons,
            seal=seal,
            gateway=gateway or StripeGateway(seal=seal),
        )
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # Without it each answer waits 40 ms for an acknowledgement: asyncio sees to that only
        # for sockets it opened itself.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        config = uvicorn.Config(
            app, log_config=None, access_log=False, lifespan="on", timeout_keep_alive=3600
        )
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        # As `serve` does, without its loop, which asks only ten times a second whether to end.
        await server.startup(sockets=[listener])
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            # A context of its own: to load the world's certificates takes longer than a test.
            no_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            async with httpx.AsyncClient(base_url=address, timeout=60, verify=no_tls) as client:
                yield client, settings
        finally:
            await _stop(server)


async def _stop(server: uvicorn.Server) -> None:
    """Stop a server whose clients have gone, without uvicorn's 100 ms of waiting for others."""
    for listening in server.servers:
        listening.close()
    for connection in list(server.server_state.connections):
        connection.shutdown()
    await asyncio.gather(*server.server_state.tasks)
    await server.lifespan.shutdown()


@cache
def _schema(bolt_ons: BoltOns) -> ComposedSchema:
    """Build the schema once per process: it takes longer than most tests."""
    return build_schema(bolt_ons.installed.values())
