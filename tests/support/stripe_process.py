"""A Stripe beside the servers: the double as a process, and what a test does with it.

It goes on while servers are killed: customers pay, and it tells of that until it is heard.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

STOP_SECONDS: Final = 120
TELLS_EVERY: Final = 0.2
"""After how many seconds it looks again for what there is to tell."""

KINDS: Final = ("payment_intent", "charge", "refund")

Object = dict[str, Any]


@dataclass(frozen=True)
class Found:
    """What a Stripe had at some moment, by kind."""

    by_kind: Mapping[str, list[Object]]

    def objects(self, kind: str) -> list[Object]:
        return self.by_kind[kind]


@dataclass(frozen=True)
class StripeProcess:
    """A double that is served by a process of its own."""

    address: str
    client: httpx.AsyncClient

    async def do(self, deed: str, **asked: Any) -> Any:
        """Let it do, or let happen, what `Double` can."""
        answer = await self.client.post(f"/_double/{deed}", json=asked)
        answer.raise_for_status()
        return answer.json()

    async def look(self) -> Found:
        """See what it has."""
        return Found({kind: await self.do("objects", kind=kind) for kind in KINDS})

    async def pay(self, given: Object, card: str) -> bool:
        """Pay in a browser, with nothing but what a frontend was given; say whether it went."""
        secret = given["clientSecret"]
        answer = await self.client.post(
            f"/v1/payment_intents/{secret.partition('_secret_')[0]}/confirm",
            headers={"Authorization": f"Bearer {given['publishableKey']}"},
            data={
                "client_secret": secret,
                "payment_method": card,
                "return_url": "https://studio.invalid/paid",
            },
        )
        return answer.is_success

    async def tell(self) -> None:
        """Tell the server what happened, again and again until it has heard it."""
        while True:
            await self.do("deliver_due")
            await asyncio.sleep(TELLS_EVERY)


@asynccontextmanager
async def stripe_beside(folder: Path) -> AsyncIterator[StripeProcess]:
    """Start a Stripe that keeps what it knows in a folder."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1000)
    # As in `serving`: without it each answer waits 40 ms for an acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    script, kept = Path(__file__).with_name("serve_stripe.py"), folder / "stripe.db"
    handle, log = listener.fileno(), folder / "stripe.log"
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: ASYNC220 whoever connects waits in its queue
            [sys.executable, str(script), str(handle), str(kept)],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=out,
            pass_fds=[handle],
            start_new_session=True,  # an interrupt from the keyboard is for the tests
        )
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.close()  # the process holds it now
    no_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # as in `serving`
    try:
        async with httpx.AsyncClient(base_url=address, timeout=60, verify=no_tls) as client:
            yield StripeProcess(address, client)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(STOP_SECONDS)
