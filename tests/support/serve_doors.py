"""Serve one database from several processes: run by path, with a moment and listening sockets.

The application is made once and then forked, a process for each socket: to import it takes
longer than most tests. Each process has connections of its own to the database and shares
nothing with the others, as the workers of `classbolt serve` do. Only two things differ: the
clock stands at the given moment, and what the database says of contention is noted on standard
output, for it is retried and no answer tells of it. All end when standard input does, so that
they outlive nobody who needs them.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable
from datetime import datetime

import uvicorn
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext

from classbolt.bolt_ons import BoltOns
from classbolt.config import load_settings
from classbolt.db import Database
from classbolt.sealed import Seal
from classbolt.stripe_gateway import StripeGateway
from classbolt_schema.compose.schema import build_schema
from classbolt_schema.server import logs
from classbolt_schema.server.app import assemble
from classbolt_schema.server.auth import TokenVerifier
from classbolt_schema.server.context import Application
from classbolt_schema.server.keys import trusted_issuer

KEEP_ALIVE_SECONDS = 3600
"""A race that waits for its turn finds its connections open."""


def main(moment: str, *listeners: str) -> int:
    """Fork a server for each listening socket, and wait for them."""
    now = datetime.fromisoformat(moment)
    settings = load_settings()
    seal = Seal.of(settings)
    gateway = StripeGateway.of(settings, seal)
    logs.set_up(settings)
    bolt_ons = BoltOns.discover()
    schema = build_schema(bolt_ons.installed.values())
    verifier = TokenVerifier(*trusted_issuer(settings))
    servers = []
    for listener in map(int, listeners):
        server = os.fork()
        if server:
            servers.append(server)
            continue
        database = Database(settings.database_url, bolt_ons)
        note_contention(database, report)
        serve(
            Application(
                settings, database, schema, verifier, lambda: now, bolt_ons, seal, gateway
            ),
            socket.socket(fileno=listener),
        )
        os._exit(0)  # what it shares with its siblings is not its to tidy up
    return max(abs(os.waitstatus_to_exitcode(os.waitpid(each, 0)[1])) for each in servers)


def note_contention(database: Database, note: Callable[[str], object]) -> None:
    """Note whenever a writer is sent away: PostgreSQL's code, or the error's name."""

    def heard(context: ExceptionContext) -> None:
        cause = context.original_exception
        note(getattr(cause, "sqlstate", None) or type(cause).__name__)

    writer, _ = database.engines
    event.listen(writer.sync_engine, "handle_error", heard)


def report(reason: str) -> None:
    """Tell the test."""
    sys.stdout.write(f"{reason}\n")
    sys.stdout.flush()


def serve(application: Application, listener: socket.socket) -> None:
    """Serve until standard input ends."""
    server = uvicorn.Server(
        uvicorn.Config(
            assemble(application),
            http="classbolt_schema.server.protocol:DeadlineH11",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )
    )

    def wait_until_left() -> None:
        sys.stdin.buffer.read()
        server.should_exit = True

    threading.Thread(target=wait_until_left, daemon=True).start()
    server.run(sockets=[listener])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
