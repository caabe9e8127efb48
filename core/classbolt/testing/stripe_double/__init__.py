"""A small Stripe of our own: tests and the demo pay with it, through Stripe's official SDK.

It keeps to what Stripe documents: states and their refusals, idempotency keys, accounts that do
not see each other, signed events. It knows no more of the API than we use. For tests and
development only; it holds no money and keeps no secrets.
"""

from __future__ import annotations

from classbolt.testing.stripe_double.client import async_client, stripe_client
from classbolt.testing.stripe_double.double import Double
from classbolt.testing.stripe_double.errors import Refused
from classbolt.testing.stripe_double.server import app_of
from classbolt.testing.stripe_double.webhooks import Delivery, sign

__all__ = [
    "Delivery",
    "Double",
    "Refused",
    "app_of",
    "async_client",
    "sign",
    "stripe_client",
]
