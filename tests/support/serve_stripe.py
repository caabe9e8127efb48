"""Serve the double of Stripe as a process of its own: run by path, with a listening socket.

It keeps what it knows in the given file, and ends when standard input does, so that it outlives
nobody who needs it.
"""

from __future__ import annotations

import socket
import sys
import threading
from pathlib import Path

import uvicorn

from classbolt.testing.stripe_double import Double, app_of


def main(listener: str, keep_in: str) -> None:
    """Serve until standard input ends."""
    double = Double(keep_in=Path(keep_in))
    config = uvicorn.Config(app_of(double), log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)

    def wait_until_left() -> None:
        sys.stdin.buffer.read()
        server.should_exit = True

    threading.Thread(target=wait_until_left, daemon=True).start()
    server.run(sockets=[socket.socket(fileno=int(listener))])
    double.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
