"""A Stripe for who has no keys yet: the double, served beside the demo on this machine.

It keeps what it knows in a file, so that a demo that is started again goes on where it was.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Mapping
from pathlib import Path
from queue import Queue
from typing import TYPE_CHECKING, Final

import httpx
import uvicorn

if TYPE_CHECKING:
    from classbolt.testing.stripe_double import Double

KEY: Final = "sk_test_double"
PUBLISHABLE_KEY: Final = "pk_test_double"
TELLS_EVERY: Final = 0.3
"""After how many seconds it looks again for what there is to tell."""


def start(data: Path, port: int) -> Mapping[str, str]:
    """Serve the double for as long as this process lives, and give the settings for it.

    Args:
        data: The folder of what the installation keeps.
        port: Where the server will be that it tells what happened.
    """
    ready: Queue[str] = Queue()
    listener = socket.create_server(("127.0.0.1", 0))
    arguments = (data / "stripe-double.db", listener, port, ready)
    threading.Thread(target=lambda: asyncio.run(_serve(*arguments)), daemon=True).start()
    return {
        "STRIPE_API_KEY": KEY,
        "STRIPE_PUBLISHABLE_KEY": PUBLISHABLE_KEY,
        "STRIPE_WEBHOOK_SECRET": ready.get(timeout=30),
        "CLASSBOLT_STRIPE_URL": f"http://127.0.0.1:{listener.getsockname()[1]}",
    }


async def _serve(kept: Path, listener: socket.socket, port: int, ready: Queue[str]) -> None:
    # Here and not above: whoever has keys has no use for it.
    from classbolt.testing.stripe_double import Double, app_of  # noqa: PLC0415

    kept.parent.mkdir(parents=True, exist_ok=True)
    double = Double(KEY, publishable_key=PUBLISHABLE_KEY, keep_in=kept)
    config = uvicorn.Config(app_of(double), log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    ready.put(double.listen(f"http://127.0.0.1:{port}/webhooks/stripe"))
    async with httpx.AsyncClient(timeout=10) as client:
        telling = asyncio.create_task(_tell(double, client))
        try:
            await server.serve(sockets=[listener])
        finally:
            telling.cancel()


async def _tell(double: Double, client: httpx.AsyncClient) -> None:
    """Tell the server what happened, again until it has heard it."""
    while True:
        await double.deliver_due(client)
        await asyncio.sleep(TELLS_EVERY)
