"""The official SDK, talking to the double without a network."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

import httpx
import stripe

from classbolt.testing.stripe_double.double import Double
from classbolt.testing.stripe_double.server import app_of

ADDRESS = "http://stripe.invalid"
"""Where it seems to be; nothing is resolved or connected to."""


def async_client(double: Double) -> stripe.HTTPXClient:
    """Make the SDK's HTTP client, whose requests the double answers in this process.

    The SDK lets nobody choose httpx's transport; but it lets itself be given another httpx.
    """
    transport = httpx.ASGITransport(app_of(double))
    lib = SimpleNamespace(AsyncClient=partial(_AsyncClient, transport=transport))
    return stripe.HTTPXClient(verify_ssl_certs=False, _lib=lib)


def stripe_client(
    double: Double, key: str = "sk_test_double", *, stripe_account: str | None = None
) -> stripe.StripeClient:
    """Make the SDK's client with a key of the double, which does not ask twice by itself."""
    return stripe.StripeClient(
        key,
        stripe_account=stripe_account,
        base_addresses={"api": ADDRESS},
        max_network_retries=0,
        http_client=async_client(double),
    )


class _AsyncClient(httpx.AsyncClient):
    """An httpx that takes the SDK's forms without a warning about how they are passed."""

    async def request(
        self, method: str, url: Any, *, data: Any = None, **more: Any
    ) -> httpx.Response:
        return await super().request(method, url, content=data or None, **more)
