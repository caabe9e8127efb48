"""The double as a server: over a real connection, under control, killed, and started again."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe
import uvicorn
from stripe import StripeClient

from classbolt.testing.stripe_double import Double, app_of
from paid_by_card import PAYMENT, HandClock, Listener, asked, paid

SERVE = """
import socket, sys
from pathlib import Path
import uvicorn
from classbolt.testing.stripe_double import Double, app_of
listener = socket.socket(fileno=int(sys.argv[1]))
config = uvicorn.Config(app_of(Double(keep_in=Path(sys.argv[2]))), log_level="warning")
uvicorn.Server(config).run(sockets=[listener])
"""

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


@asynccontextmanager
async def served(double: Double) -> AsyncIterator[str]:
    """Serve the double on a port of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app_of(double), log_level="critical", lifespan="on")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


@asynccontextmanager
async def calling(address: str) -> AsyncIterator[tuple[StripeClient, httpx.AsyncClient]]:
    """Call it with the SDK, and without."""
    http = stripe.HTTPXClient(verify_ssl_certs=False)
    no_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client = StripeClient(
        "sk_test_double",
        base_addresses={"api": address},
        http_client=http,
        max_network_retries=0,
    )
    async with httpx.AsyncClient(base_url=f"{address}/_double", verify=no_tls) as control:
        yield client, control
    await http.close_async()  # type: ignore[no-untyped-call]


@pytest.fixture
async def both(double: Double) -> AsyncIterator[tuple[StripeClient, httpx.AsyncClient]]:
    async with served(double) as address, calling(address) as both:
        yield both


async def told(control: httpx.AsyncClient, deed: str, **arguments: Any) -> Any:
    """Have something done to the double, and give what came of it."""
    answer = await control.post(f"/{deed}", json=arguments)
    assert answer.status_code == 200, answer.text
    return answer.json()


# Over a connection


async def test_the_sdk_pays_over_a_connection(
    both: tuple[StripeClient, httpx.AsyncClient],
) -> None:
    client, _ = both

    assert (await paid(client)).status == "succeeded"


async def test_an_answer_that_is_lost_closes_the_connection(
    both: tuple[StripeClient, httpx.AsyncClient], double: Double
) -> None:
    client, control = both
    await told(control, "fail_next", is_lost=True, after_effect=True)

    with pytest.raises(stripe.APIConnectionError):
        await asked(client)

    assert len(double.objects("payment_intent")) == 1


@pytest.mark.parametrize(
    "body",
    [b"%ff", b"a[b][c][d][e][f]=g", b"a=1&a[b]=2", b"]=1", b"&".join([b"a=1"] * 1000), b"{}"],
    ids=["bytes", "deep", "twice", "nameless", "many", "json"],
)
async def test_a_form_that_is_none_is_refused(double: Double, body: bytes) -> None:
    transport = httpx.ASGITransport(app_of(double))
    key = {"Authorization": "Bearer sk_test_double"}
    async with httpx.AsyncClient(transport=transport, headers=key) as http:
        answer = await http.post("http://stripe.invalid/v1/refunds", content=body)

    assert (answer.status_code, "error" in answer.json()) == (400, True)


async def test_a_body_has_an_end(double: Double) -> None:
    transport = httpx.ASGITransport(app_of(double))
    async with httpx.AsyncClient(transport=transport) as http:
        answer = await http.post("http://stripe.invalid/v1/refunds", content=b"a" * 70_000)

    assert answer.status_code == 400


# Under control


async def test_whatever_happens_on_its_own_can_be_made_to_happen_from_elsewhere(
    both: tuple[StripeClient, httpx.AsyncClient],
) -> None:
    client, control = both
    intent = await paid(client, "pm_card_authenticationRequired")
    other = await asked(client)

    authenticated = await told(control, "authenticate", payment_intent=intent.id)
    await told(control, "pay", payment_intent=other.id)
    refund = await client.v1.refunds.create_async({"payment_intent": other.id})
    moved = await told(control, "move_refund", refund=refund.id, to="failed")
    dispute = await told(control, "open_dispute", charge=str(authenticated["latest_charge"]))
    closed = await told(control, "close_dispute", dispute=dispute["id"], won=False)

    listed = await told(control, "objects", kind="payment_intent")
    assert [each["status"] for each in listed] == ["succeeded", "succeeded"]
    assert (moved["status"], closed["status"]) == ("failed", "lost")


async def test_the_clock_can_be_set_from_elsewhere(
    both: tuple[StripeClient, httpx.AsyncClient], clock: HandClock
) -> None:
    client, control = both

    await told(control, "set_offset", seconds=3600)

    assert (await asked(client)).created == int(clock.now.timestamp()) + 3600


async def test_deliveries_can_be_taken_from_elsewhere(
    both: tuple[StripeClient, httpx.AsyncClient],
) -> None:
    client, control = both
    secret = await told(control, "listen", url="https://classbolt.invalid/webhooks")
    await asked(client)

    (delivery,) = await told(control, "take_deliveries")

    event = stripe.Webhook.construct_event(
        delivery["body"],
        delivery["headers"]["Stripe-Signature"],
        secret,
        tolerance=10**10,
    )
    assert event.type == "payment_intent.created"


async def test_deliveries_can_be_sent_from_elsewhere(
    both: tuple[StripeClient, httpx.AsyncClient],
) -> None:
    client, control = both
    await told(control, "listen", url="http://127.0.0.1:9/nobody")
    await asked(client)

    assert await told(control, "deliver_due") == 0


@pytest.mark.parametrize(
    ("deed", "body", "status"),
    [
        ("pay", b"{}", 400),
        ("pay", b'{"payment_intent": 5}', 400),
        ("pay", b'{"payment_intent": "pi_1", "self": 5}', 400),
        ("pay", b'{"payment_intent": "pi_1"}', 404),
        ("pay", b'{"payment_intent": "\\ud800"}', 400),
        ("pay", b"[]", 400),
        ("pay", b"{", 400),
        ("pay", b"[" * 60_000, 400),
        ("fail_next", b'{"delay": NaN}', 400),
        ("fail_next", b'{"status": 200}', 400),
        ("set_offset", b'{"seconds": 1e30}', 400),
        ("set_offset", b'{"seconds": 100000000000000000000000}', 400),
        ("close", b"{}", 404),
        ("objects", b'{"kind": "x", "account": "' + b"a" * 70_000 + b'"}', 400),
    ],
)
async def test_control_says_what_it_does_not_understand(
    both: tuple[StripeClient, httpx.AsyncClient], deed: str, body: bytes, status: int
) -> None:
    _, control = both

    answer = await control.post(f"/{deed}", content=body)

    assert (answer.status_code, "error" in answer.json()) == (status, True)


async def test_control_is_not_for_links(
    both: tuple[StripeClient, httpx.AsyncClient],
) -> None:
    _, control = both

    assert (await control.get("/take_deliveries")).status_code == 405


# Killed and started again


async def test_a_double_that_is_opened_again_knows_what_it_knew(tmp_path: Path) -> None:
    first = Double(keep_in=tmp_path / "stripe.db")
    first.set_offset(86_400)
    first.listen("https://classbolt.invalid/")
    async with served(first) as address, calling(address) as (client, _):
        intent = await asked(client, metadata={"booking": "7"})
    first.close()

    again = Double(keep_in=tmp_path / "stripe.db")

    assert [each["metadata"] for each in again.objects("payment_intent")] == [{"booking": "7"}]
    assert again.now - intent.created < 60
    assert await again.deliver_due(Listener().client) == 1


async def test_a_double_that_is_killed_forgets_nothing_that_it_answered(
    tmp_path: Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with calling(address) as (client, _):
            with process(listener, tmp_path):
                first = await client.v1.payment_intents.create_async(
                    PAYMENT, {"idempotency_key": "booking:7"}
                )

            with process(listener, tmp_path):
                again = await client.v1.payment_intents.create_async(
                    PAYMENT, {"idempotency_key": "booking:7"}
                )

    assert again.to_dict() == first.to_dict()


@contextmanager
def process(listener: socket.socket, folder: Path) -> Iterator[None]:
    """Serve a double from a process of its own, and kill it."""
    serving = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(listener.fileno()), str(folder / "stripe.db")],
        pass_fds=[listener.fileno()],
    )
    try:
        yield
    finally:
        serving.kill()
        serving.wait()
