"""What the server does with clients that are slow, silent, or sly."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from typing import ClassVar

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from classbolt_schema.server.protocol import DeadlineH11

SECONDS = 0.5
PATIENCE_SECONDS = 30
"""How long to wait for a cut: much longer than it takes, much shorter than a pause may be."""
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n"


class Hasty(DeadlineH11):
    receipt_seconds: ClassVar[float] = SECONDS


async def answer(request: Request) -> Response:
    """Answer with the body, as late as the client likes."""
    body = await request.body()
    await asyncio.sleep(float(request.headers.get("wait", 0)))
    return PlainTextResponse(body)


class Connection:
    """A client that sends what it is told to, as slowly as it is told to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def trickle(self, data: Iterator[int]) -> None:
        """Send one byte after the other, for ever or until the server has had enough."""
        for byte in data:
            self.send(bytes([byte]))
            await asyncio.sleep(SECONDS / 10)
            if self._writer.is_closing() or self._reader.at_eof():
                return

    async def status(self) -> bytes:
        """Read one answer and give its status."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = next(
            line for line in head.split(b"\r\n") if line.startswith(b"content-length")
        )
        await self._reader.readexactly(int(length.split(b":")[1]))
        return head.split(b" ")[1]

    async def rest(self) -> bytes:
        """Read until the server closes."""
        try:
            return await asyncio.wait_for(self._reader.read(), PATIENCE_SECONDS)
        except ConnectionResetError:
            return b""

    def close(self) -> None:
        self._writer.close()


@asynccontextmanager
async def serving() -> AsyncIterator[int]:
    app = Starlette(routes=[Route("/", answer, methods=["GET", "POST"])])
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, http=Hasty, log_config=None, timeout_keep_alive=60)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve([listening]))
    try:
        yield int(listening.getsockname()[1])
    finally:
        server.should_exit = True
        await running


@pytest.fixture
async def connection() -> AsyncIterator[Connection]:
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with closing(Connection(reader, writer)) as made:
            yield made


def slowly(data: bytes) -> Iterator[int]:
    yield from data
    while True:
        yield from b"x"


async def cut(connection: Connection, started: float) -> None:
    assert await connection.rest() == b""
    assert time.monotonic() - started > SECONDS / 2


async def test_a_client_that_says_nothing_is_cut(connection: Connection) -> None:
    await cut(connection, time.monotonic())


async def test_a_header_that_comes_byte_by_byte_is_cut(connection: Connection) -> None:
    started = time.monotonic()

    await connection.trickle(slowly(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "))

    await cut(connection, started)


async def test_a_body_that_comes_byte_by_byte_is_cut(connection: Connection) -> None:
    started = time.monotonic()

    await connection.trickle(slowly(POST.replace(b"4", b"1000")))

    await cut(connection, started)


async def test_a_body_that_never_ends_is_cut_also_after_a_pause(connection: Connection) -> None:
    connection.send(GET)
    assert await connection.status() == b"200"
    started = time.monotonic()

    connection.send(POST + b"ab")

    await cut(connection, started)


async def test_a_request_sent_ahead_and_left_unfinished_is_cut(connection: Connection) -> None:
    connection.send(GET + POST + b"ab")

    assert await connection.status() == b"200"
    await cut(connection, time.monotonic())


async def test_a_header_sent_ahead_and_left_unfinished_is_cut(connection: Connection) -> None:
    connection.send(GET + POST[:20])

    assert await connection.status() == b"200"
    await cut(connection, time.monotonic())


async def test_an_answer_may_take_longer_than_its_request(connection: Connection) -> None:
    wait = f"wait: {SECONDS * 2}\r\n\r\n".encode()

    connection.send(POST.replace(b"\r\n\r\n", b"\r\n" + wait) + b"abcd")

    assert await connection.status() == b"200"


async def test_a_pause_between_requests_is_none_within_one(connection: Connection) -> None:
    for _ in range(2):
        connection.send(POST + b"abcd")
        assert await connection.status() == b"200"
        await asyncio.sleep(SECONDS * 2)

    connection.send(GET + GET)

    assert await connection.status() == b"200"
    assert await connection.status() == b"200"


@pytest.mark.parametrize(
    "encoding", [b"Transfer-Encoding: chunked", b"transfer-encoding:chunked"]
)
async def test_a_request_with_two_lengths_is_refused_with_all_that_follows(
    connection: Connection, encoding: bytes
) -> None:
    smuggling = POST.replace(b"\r\n\r\n", b"\r\n" + encoding + b"\r\n\r\n")

    connection.send(smuggling + b"0\r\n\r\n" + GET)

    rest = await connection.rest()
    assert rest.startswith(b"HTTP/1.1 400")
    assert rest.count(b"HTTP/1.1") == 1


async def test_a_second_request_with_two_lengths_is_refused_too(connection: Connection) -> None:
    smuggling = POST.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n")

    connection.send(GET + smuggling + b"0\r\n\r\n" + GET)

    assert await connection.status() == b"200"
    rest = await connection.rest()
    assert rest.startswith(b"HTTP/1.1 400")
    assert rest.count(b"HTTP/1.1") == 1


async def test_chunks_alone_are_taken(connection: Connection) -> None:
    chunked = POST.replace(b"Content-Length: 4", b"Transfer-Encoding: chunked")

    connection.send(chunked + b"4\r\nabcd\r\n0\r\n\r\n")

    assert await connection.status() == b"200"
