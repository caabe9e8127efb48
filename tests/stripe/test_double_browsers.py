"""Browsers: a frontend pays with `fetch`, by a publishable key and a client secret."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from stripe import PaymentIntent, StripeClient

from classbolt.testing.stripe_double import Double, app_of, stripe_client
from paid_by_card import asked

PUBLISHABLE = {"Authorization": "Bearer pk_test_double"}
VISA = {"payment_method": "pm_card_visa", "use_stripe_sdk": "true"}


@pytest.fixture
async def browser(double: Double) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app_of(double))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://stripe.invalid/v1", headers=PUBLISHABLE
    ) as browser:
        yield browser


@pytest.fixture
async def intent(client: StripeClient) -> PaymentIntent:
    return await asked(client, automatic_payment_methods={"enabled": True}, metadata={"a": "b"})


async def test_a_browser_pays_with_the_client_secret(
    browser: httpx.AsyncClient, intent: PaymentIntent
) -> None:
    secret = {"client_secret": intent.client_secret}

    answer = await browser.post(
        f"/payment_intents/{intent.id}/confirm", data={**secret, **VISA}
    )
    seen = await browser.get(f"/payment_intents/{intent.id}", params=secret)

    assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")
    assert seen.json() == answer.json()


async def test_stripes_own_script_sends_the_key_in_the_form(
    browser: httpx.AsyncClient, intent: PaymentIntent
) -> None:
    sent = {"key": "pk_test_double", "client_secret": intent.client_secret, **VISA}

    answer = await browser.post(
        f"/payment_intents/{intent.id}/confirm", data=sent, headers={"Authorization": ""}
    )

    assert answer.json()["status"] == "succeeded"


async def test_a_browser_pays_a_connected_account(
    browser: httpx.AsyncClient, double: Double
) -> None:
    north = double.add_account(connected=True)
    intent = await asked(stripe_client(double, stripe_account=north))
    sent = {"client_secret": intent.client_secret, "_stripe_account": north, **VISA}

    answer = await browser.post(f"/payment_intents/{intent.id}/confirm", data=sent)

    assert answer.json()["status"] == "succeeded"


async def test_a_browser_is_not_shown_what_is_the_accounts_business(
    browser: httpx.AsyncClient, intent: PaymentIntent
) -> None:
    seen = await browser.get(
        f"/payment_intents/{intent.id}", params={"client_secret": intent.client_secret}
    )
    declined = await browser.post(
        f"/payment_intents/{intent.id}/confirm",
        data={
            "client_secret": intent.client_secret,
            **VISA,
            "payment_method": "pm_card_chargeDeclined",
        },
    )

    assert declined.status_code == 402
    hidden = {"metadata", "customer", "latest_charge", "application_fee_amount"}
    assert not hidden & seen.json().keys()
    assert not hidden & declined.json()["error"]["payment_intent"].keys()


@pytest.mark.parametrize("secret", [{}, {"client_secret": "pi_1_secret_2"}])
async def test_a_browser_without_the_secret_sees_and_pays_nothing(
    browser: httpx.AsyncClient,
    client: StripeClient,
    intent: PaymentIntent,
    secret: dict[str, str],
) -> None:
    seen = await browser.get(f"/payment_intents/{intent.id}", params=secret)
    answer = await browser.post(
        f"/payment_intents/{intent.id}/confirm", data={**secret, **VISA}
    )

    left = await client.v1.payment_intents.retrieve_async(intent.id)
    assert (seen.status_code, answer.status_code) == (400, 400)
    assert answer.json()["error"]["param"] == "client_secret"
    assert left.status == "requires_payment_method"


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/payment_intents"), ("GET", "/charges"), ("POST", "/refunds")],
)
async def test_a_browser_does_nothing_else(
    browser: httpx.AsyncClient, method: str, path: str
) -> None:
    answer = await browser.request(method, path)

    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "secret_key_required"


async def test_a_browser_may_ask_from_everywhere(
    browser: httpx.AsyncClient, intent: PaymentIntent
) -> None:
    path = f"/payment_intents/{intent.id}/confirm"

    before = await browser.options(path)
    refused = await browser.post(path)

    assert (before.status_code, before.content) == (204, b"")
    assert "authorization" in before.headers["Access-Control-Allow-Headers"]
    for answer in (before, refused):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
