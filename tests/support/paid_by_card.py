"""What tests of the Stripe double share: a clock, payments, and whoever listens to webhooks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from stripe import PaymentIntent, StripeClient

PAYMENT: Any = {
    "amount": 1500,
    "currency": "gbp",
    "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
}
"""A payment that can be confirmed without an address to come back to."""
ENDPOINT = "https://classbolt.invalid/webhooks/stripe"


async def asked(client: StripeClient, **more: Any) -> PaymentIntent:
    """Ask for a payment."""
    params: Any = {**PAYMENT, **more}
    return await client.v1.payment_intents.create_async(params)


async def paid(client: StripeClient, card: str = "pm_card_visa", **more: Any) -> PaymentIntent:
    """Ask for a payment and pay it at once."""
    return await asked(client, payment_method=card, confirm=True, **more)


@dataclass
class HandClock:
    """A clock that stands still until it is moved."""

    now: datetime = datetime(2026, 3, 2, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **time: float) -> None:
        self.now += timedelta(**time)


@dataclass
class Listener:
    """A webhook endpoint, which keeps what it is told and answers what it is told to."""

    heard: list[httpx.Request] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    @property
    def client(self) -> httpx.AsyncClient:
        """Give what delivers to it, whatever the address."""
        return httpx.AsyncClient(transport=httpx.MockTransport(self._hear))

    def _hear(self, request: httpx.Request) -> httpx.Response:
        self.heard.append(request)
        return httpx.Response(self.answers.pop(0) if self.answers else 200)
