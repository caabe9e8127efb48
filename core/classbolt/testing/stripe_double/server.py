"""The double as an ASGI application, which any server can serve and any client can call."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from classbolt.testing.stripe_double.api import Request, Response, answer
from classbolt.testing.stripe_double.control import PREFIX, control
from classbolt.testing.stripe_double.double import Double
from classbolt.testing.stripe_double.errors import malformed
from classbolt.testing.stripe_double.faults import ConnectionLost

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

MOST_BYTES: Final = 64 * 1024
NO_CONTENT: Final = 204
FOR_BROWSERS: Final = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET, POST, DELETE",
    "access-control-allow-headers": "authorization, content-type, idempotency-key, "
    "stripe-account, stripe-version",
    "access-control-expose-headers": "request-id, idempotent-replayed",
    "access-control-max-age": "300",
}


def app_of(double: Double) -> App:
    """Make the ASGI application of a double.

    Serve it on the loopback address only: `/_double/` asks nobody who they are.
    """

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            await _serve(double, scope, receive, send)
        else:
            await send({"type": "websocket.close"})

    return app


async def _serve(double: Double, scope: Message, receive: Receive, send: Send) -> None:
    try:
        response = await _respond(double, scope, receive)
    except ConnectionLost:
        # A server closes the connection of a response that was begun and never came; if none
        # was begun it would answer for us.
        headers = [(b"content-length", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        raise
    is_empty = response.status == NO_CONTENT
    body = b"" if is_empty else json.dumps(response.body, indent=2).encode()
    headers = [
        (name.encode(), value.encode())
        for name, value in {
            "content-type": "application/json",
            "content-length": str(len(body)),
            **response.headers,
        }.items()
    ]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _respond(double: Double, scope: Message, receive: Receive) -> Response:
    is_control = scope["path"].startswith(PREFIX)
    if scope["method"] == "OPTIONS" and not is_control:
        return Response(NO_CONTENT, None, FOR_BROWSERS)
    body = await _read(receive)
    if body is None:
        return Response(400, malformed(f"A body can have up to {MOST_BYTES} bytes.").body)
    request = Request(
        scope["method"],
        scope["path"],
        {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in scope["headers"]
        },
        scope["query_string"],
        body,
    )
    if is_control:
        return await control(double, request)
    response = await answer(double, request)
    return Response(response.status, response.body, {**FOR_BROWSERS, **response.headers})


async def _read(receive: Receive) -> bytes | None:
    """Read the body, unless it is too long."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > MOST_BYTES:
            return None
        if not message.get("more_body", False):
            return bytes(body)


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
