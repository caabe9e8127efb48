"""Conformance: nothing that the double says or takes was made up."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import stripe
import stripe.params
from stripe import StripeClient

import classbolt
from classbolt.testing.stripe_double import Double, async_client
from classbolt.testing.stripe_double.routes import ROUTES
from paid_by_card import ENDPOINT, asked, paid

SHAPES: dict[str, type] = {
    "account": stripe.Account,
    "charge": stripe.Charge,
    "dispute": stripe.Dispute,
    "event": stripe.Event,
    "payment_intent": stripe.PaymentIntent,
    "payment_method": stripe.PaymentMethod,
    "refund": stripe.Refund,
    "webhook_endpoint": stripe.WebhookEndpoint,
}


@pytest.fixture
async def busy(client: StripeClient, double: Double) -> Double:
    """A double in which everything has happened once."""
    double.listen(ENDPOINT)
    with pytest.raises(stripe.CardError):
        await paid(client, "pm_card_chargeDeclined")
    await paid(client, "pm_card_createDispute")
    await paid(client, "pm_card_authenticationRequired")
    double.start_processing((await asked(client)).id)
    pending = await paid(client, "pm_card_pendingRefund")
    refund = await client.v1.refunds.create_async({"payment_intent": pending.id})
    double.move_refund(refund.id, "failed")
    return double


@pytest.mark.parametrize("kind", SHAPES)
def test_an_object_has_no_key_that_stripes_have_not(busy: Double, kind: str) -> None:
    found = busy.objects(kind)

    assert found
    for each in found:
        assert each.keys() - SHAPES[kind].__annotations__.keys() == set()


def test_an_event_is_of_a_kind_that_stripe_has(busy: Double) -> None:
    known = set(re.findall(r"'([\w.]+)'", str(stripe.Event.__annotations__["type"])))

    assert {each["type"] for each in busy.objects("event")} - known == set()


def test_the_error_of_a_payment_has_no_key_that_stripes_have_not(busy: Double) -> None:
    errors = [each["last_payment_error"] for each in busy.objects("payment_intent")]

    (error,) = filter(None, errors)
    assert error.keys() - stripe.PaymentIntent.LastPaymentError.__annotations__.keys() == set()


@pytest.mark.parametrize("route", ROUTES, ids=lambda each: f"{each.method} {each.path.pattern}")
def test_the_sdk_knows_the_parameters_of_every_endpoint(route: object) -> None:
    assert hasattr(stripe.params, getattr(route, "params", ""))


async def test_the_sdk_can_be_given_a_transport(double: Double) -> None:
    # It takes the place of httpx by a private parameter: this fails if that goes away.
    http = async_client(double)

    body, status, _ = await http.request_async(
        "GET", "http://stripe.invalid/v1/account", {"Authorization": "Bearer sk_test_double"}
    )
    await http.close_async()  # type: ignore[no-untyped-call]

    assert (status, double.platform in body.decode()) == (200, True)


def test_the_core_does_without_the_double() -> None:
    core = Path(classbolt.__file__).parent
    apart = core / "testing"

    users = [
        path.name
        for path in core.rglob("*.py")
        if apart not in path.parents and "stripe_double" in path.read_text("utf-8")
    ]

    assert users == []
