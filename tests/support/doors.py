"""Doors: several server processes on one database, and connections that wait at each."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Self

from classbolt.config import PREFIX, Settings
from studio import SOLD_ON

PROCESSES = 2
ANSWER_SECONDS = 120
STOP_SECONDS = 120
LAST_LINES = 20

Address = tuple[str, int]


@dataclass(frozen=True)
class Doors:
    """Servers that share a database.

    Attributes:
        contention: Lists why the database sent writers away so far.
        processes: How many of them are processes of their own; 0 if they run in the test's.
    """

    settings: Settings
    addresses: Sequence[Address]
    contention: Callable[[], list[str]]
    processes: int = 0


@contextmanager
def open_doors(url: str, folder: Path, processes: int = PROCESSES) -> Iterator[Doors]:
    """Start server processes on a database, each listening on a port of its own.

    Raises:
        RuntimeError: They did not end as they should; the message is what they logged.
    """
    settings = Settings(env="development", data=folder, database_url=url)
    noted, log = folder / "contention", folder / "log"
    # Whoever connects before a server is up waits in the queue of its socket.
    listeners = [_listener() for _ in range(processes)]
    script = Path(__file__).with_name("serve_doors.py")
    handles = [listener.fileno() for listener in listeners]
    with noted.open("ab") as out, log.open("ab") as err:
        servers = subprocess.Popen(
            [sys.executable, str(script), SOLD_ON.isoformat(), *map(str, handles)],
            env=_environment(settings),
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=err,
            pass_fds=handles,
            start_new_session=True,  # an interrupt from the keyboard is for the tests
        )
    addresses = [listener.getsockname() for listener in listeners]
    for listener in listeners:
        listener.close()  # the servers hold it now
    try:
        yield Doors(settings, addresses, lambda: noted.read_text("utf-8").split(), processes)
    finally:
        assert servers.stdin is not None
        servers.stdin.close()
        if servers.wait(STOP_SECONDS):
            said = log.read_text("utf-8").splitlines()[-LAST_LINES:]
            raise RuntimeError("\n".join(["a server failed; the last it said:", *said]))


def _listener() -> socket.socket:
    listener = socket.create_server(("127.0.0.1", 0), backlog=1000)
    # As in `serving`: without it each answer waits 40 ms for an acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _environment(settings: Settings) -> dict[str, str]:
    """Give the servers their settings, and no measuring of coverage, which would slow them."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith((PREFIX, "COVERAGE_"))
    }
    return kept | {
        "DATABASE_URL": settings.database_url,
        f"{PREFIX}DATA": str(settings.data),
        f"{PREFIX}LOG": "json",
    }


@dataclass(frozen=True)
class Line:
    """A connection to a server that is kept open for one request after the other.

    A client library would spend more time on a request than the server does, and the requests
    of a race would not start together.
    """

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def open(cls, address: Address) -> Self:
        """Connect, and see that the server answers."""
        line = cls(*await asyncio.open_connection(*address))
        await line.ask(b"GET /livez HTTP/1.1\r\nHost: test\r\n\r\n")
        return line

    async def ask(self, request: bytes) -> Any:
        """Send a request and give the JSON of its answer."""
        async with asyncio.timeout(ANSWER_SECONDS):
            self.writer.write(request)
            head = await self.reader.readuntil(b"\r\n\r\n")
            lengths = [
                int(value)
                for name, _, value in (each.partition(b":") for each in head.split(b"\r\n"))
                if name.lower() == b"content-length"
            ]
            return json.loads(await self.reader.readexactly(*lengths))

    async def close(self) -> None:
        """Hang up."""
        self.writer.close()
        await self.writer.wait_closed()


def request(slug: str, token: str, document: str, variables: Mapping[str, Any]) -> bytes:
    """Write a GraphQL request down, so that nothing is left to do when the race starts."""
    body = json.dumps({"query": document, "variables": variables}).encode()
    head = (
        f"POST /graphql/{slug} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def open_lines(addresses: Sequence[Address], number: int) -> list[Line]:
    """Connect to each server in turn until there are so many connections."""
    turns = (each for _ in range(number) for each in addresses)
    return list(await asyncio.gather(*map(Line.open, islice(turns, number))))
