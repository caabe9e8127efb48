"""A double of Stripe with a clock that the test sets, and the official SDK on top of it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest
import stripe
from stripe import StripeClient

from classbolt.testing.stripe_double import Double, stripe_client
from paid_by_card import HandClock

STRIPE_TEST_KEY = os.environ.get("STRIPE_TEST_KEY", "")


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def double(clock: HandClock) -> Double:
    return Double(clock=clock)


@pytest.fixture
def client(double: Double) -> StripeClient:
    """The SDK, with the platform's secret key."""
    return stripe_client(double)


@pytest.fixture(params=["double", "stripe"] if STRIPE_TEST_KEY else ["double"])
async def either(request: pytest.FixtureRequest) -> AsyncIterator[StripeClient]:
    """The SDK with the double, and with Stripe's test mode too if there is a key to it."""
    if request.param == "double":
        yield stripe_client(Double())
        return
    http = stripe.HTTPXClient()
    yield StripeClient(STRIPE_TEST_KEY, http_client=http, max_network_retries=0)
    await http.close_async()  # type: ignore[no-untyped-call]
