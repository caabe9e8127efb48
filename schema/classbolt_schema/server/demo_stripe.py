"""A Stripe for who has no keys yet: the double, served beside the demo on this machine.

It keeps what it knows in a file, so that a demo that is started again goes on where it was.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

import httpx
import uvicorn

from classbolt.config import Settings

if TYPE_CHECKING:
    from classbolt.testing.stripe_double import Double

KEY: Final = "sk_test_double"
PUBLISHABLE_KEY: Final = "pk_test_double"
KEPT: Final = "stripe-double.db"
TELLS_EVERY: Final = 0.3
"""After how many seconds it looks again for what there is to tell."""
START_SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class DemoStripe:
    """A double that is being served, for as long as this process lives.

    Attributes:
        url: Where it is.
        secret: What it signs its webhooks with.
    """

    url: str
    secret: str

    @property
    def settings(self) -> Mapping[str, str]:
        """Give the variables of a server that is to use it."""
        return {
            "STRIPE_API_KEY": KEY,
            "STRIPE_PUBLISHABLE_KEY": PUBLISHABLE_KEY,
            "STRIPE_WEBHOOK_SECRET": self.secret,
            "CLASSBOLT_STRIPE_URL": self.url,
        }

    def tell(self, port: int) -> None:
        """Let it tell what happens to the server that listens on a port of this machine."""
        url = f"http://127.0.0.1:{port}/webhooks/stripe"
        self.control("listen", {"url": url, "secret": self.secret})

    def control(self, deed: str, asked: Mapping[str, Any]) -> None:
        """Let something happen at Stripe that nobody asks for over its API."""
        httpx.post(f"{self.url}/_double/{deed}", json=dict(asked)).raise_for_status()

    def pay(self, client_secret: str, card: str) -> httpx.Response:
        """Pay as Stripe.js does in a browser."""
        intent = client_secret.partition("_secret_")[0]
        return httpx.post(
            f"{self.url}/v1/payment_intents/{intent}/confirm",
            headers={"Authorization": f"Bearer {PUBLISHABLE_KEY}"},
            data={"client_secret": client_secret, "payment_method": card},
        )


def lends_key(settings: Settings) -> bool:
    """Say whether a demo was served here, whose double is its Stripe and has a key for it."""
    has_key = settings.stripe_api_key is not None
    return not has_key and not settings.is_production and (settings.data / KEPT).exists()


def start(data: Path) -> DemoStripe:
    """Serve a double that keeps what it knows in this folder."""
    ready = Queue[None]()
    listener = socket.create_server(("127.0.0.1", 0))
    serve = _serve(data / KEPT, listener, ready)
    threading.Thread(target=lambda: asyncio.run(serve), daemon=True).start()
    ready.get(timeout=START_SECONDS)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    return DemoStripe(url, f"whsec_{token_hex(16)}")


async def _serve(kept: Path, listener: socket.socket, ready: Queue[None]) -> None:
    # Here and not above: whoever has keys has no use for it.
    from classbolt.testing.stripe_double import Double, app_of  # noqa: PLC0415

    kept.parent.mkdir(parents=True, exist_ok=True)
    double = Double(KEY, publishable_key=PUBLISHABLE_KEY, keep_in=kept)
    config = uvicorn.Config(app_of(double), log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    async with httpx.AsyncClient(timeout=10) as client:
        telling = asyncio.create_task(_tell(double, client))
        ready.put(None)
        try:
            await server.serve(sockets=[listener])
        finally:
            telling.cancel()


async def _tell(double: Double, client: httpx.AsyncClient) -> None:
    """Tell the server what happened, again until it has heard it."""
    while True:
        await double.deliver_due(client)
        await asyncio.sleep(TELLS_EVERY)
