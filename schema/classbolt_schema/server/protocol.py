"""uvicorn's HTTP/1.1 protocol with two rules it lacks: requests come in time, with one length.

uvicorn only times the pause between requests. A client that says nothing, or sends its request
byte by byte, holds its connection for as long as it likes; a few thousand of them hold them
all.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState


class OneLengthConnection(h11.Connection):
    """Refuses a request that states its length twice.

    h11 believes the chunks and passes over Content-Length. A proxy in front that believes
    Content-Length would see where the next request begins differently, and a client could slip
    a request past it (RFC 9112, 6.1).
    """

    def next_event(self) -> Any:
        """Give the next event of the client.

        Raises:
            h11.RemoteProtocolError: A request with both lengths; uvicorn answers 400 and
            closes.
        """
        event = super().next_event()
        if isinstance(event, h11.Request):
            names = {name for name, _ in event.headers}
            if {b"content-length", b"transfer-encoding"} <= names:
                raise h11.RemoteProtocolError("both Content-Length and Transfer-Encoding")
        return event


class DeadlineH11(H11Protocol):
    """Cuts a connection whose request is not here in time: `uvicorn.Config(http=DeadlineH11)`.

    The deadline runs from the connection or from a request's first byte to its last, however
    many bytes come in between. Pauses between requests remain uvicorn's, by
    `timeout_keep_alive`.
    """

    receipt_seconds: ClassVar[float] = 5.0

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        limit = config.h11_max_incomplete_event_size
        self.conn = (
            OneLengthConnection(h11.SERVER)
            if limit is None
            else OneLengthConnection(h11.SERVER, limit)
        )
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give a new connection its time to say something."""
        super().connection_made(transport)
        self._start_deadline()

    def data_received(self, data: bytes) -> None:
        """Take what has come in; the last byte of a request ends the deadline."""
        self._start_deadline()
        super().data_received(data)
        if not self._is_receiving():
            self._stop_deadline()

    def on_response_complete(self) -> None:
        """Go on to a request that was sent ahead of the answer; its rest has a deadline too."""
        super().on_response_complete()
        if self._is_receiving():
            self._start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_deadline()
        super().connection_lost(exc)

    def _is_receiving(self) -> bool:
        """Say whether a request has begun to come in and has not ended."""
        begun, _ = self.conn.trailing_data
        state = self.conn.their_state
        return state is h11.SEND_BODY or (state is h11.IDLE and bool(begun))

    def _start_deadline(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.receipt_seconds, self.transport.abort)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
