"""Webhooks: what is told to whom, how it is signed, and what becomes of what is not heard."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
import stripe
from stripe import StripeClient

from classbolt.testing.stripe_double import Double, sign, stripe_client
from paid_by_card import ENDPOINT, HandClock, Listener, asked, paid

SECRET = "whsec_test"
FOREVER = 10**10
"""Seconds: signatures here are made at the time of a clock that stands still."""


@pytest.fixture
def listener() -> Listener:
    return Listener()


def told(double: Double) -> list[str]:
    return [each["type"] for each in double.objects("event")]


# What is told


async def test_all_that_happens_is_told(client: StripeClient, double: Double) -> None:
    intent = await asked(client)
    with pytest.raises(stripe.CardError):
        await client.v1.payment_intents.confirm_async(
            intent.id, {"payment_method": "pm_card_chargeDeclined"}
        )
    await client.v1.payment_intents.confirm_async(
        intent.id, {"payment_method": "pm_card_authenticationRequired"}
    )
    double.authenticate(intent.id)
    refund = await client.v1.refunds.create_async({"payment_intent": intent.id, "amount": 1})
    double.move_refund(refund.id, "failed")

    assert told(double) == [
        "payment_intent.created",
        "charge.failed",
        "payment_intent.payment_failed",
        "payment_intent.requires_action",
        "charge.succeeded",
        "payment_intent.succeeded",
        "refund.created",
        "charge.refunded",
        "refund.updated",
        "refund.failed",
    ]


async def test_what_is_held_captured_released_disputed_or_slow_is_told(
    client: StripeClient, double: Double
) -> None:
    held = await paid(client, capture_method="manual")
    await client.v1.payment_intents.capture_async(held.id, {"amount_to_capture": 1000})
    slow = await asked(client)
    double.start_processing(slow.id)
    double.finish_processing(slow.id, succeeds=False)
    await client.v1.payment_intents.cancel_async(slow.id)
    dispute = double.open_dispute(str(held.latest_charge))
    double.close_dispute(dispute["id"], won=True)
    double.set_charges_enabled(double.platform, enabled=False)

    assert told(double) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.amount_capturable_updated",
        "charge.captured",
        "refund.created",
        "charge.refunded",
        "payment_intent.succeeded",
        "payment_intent.created",
        "charge.pending",
        "payment_intent.processing",
        "charge.failed",
        "payment_intent.payment_failed",
        "payment_intent.canceled",
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.closed",
        "charge.dispute.funds_reinstated",
        "account.updated",
    ]


async def test_an_event_shows_what_was_true_then(client: StripeClient, double: Double) -> None:
    intent = await asked(client)
    double.pay(intent.id)

    listed = await client.v1.events.list_async({"type": "payment_intent.created"})
    (event,) = listed.data

    found = await client.v1.events.retrieve_async(event.id)
    assert found.data.object["status"] == "requires_payment_method"
    assert (found.data.object["id"], found.api_version) == (intent.id, stripe.api_version)
    assert "account" not in found.to_dict()


async def test_an_event_shows_what_changed(client: StripeClient, double: Double) -> None:
    intent = await paid(client)
    await client.v1.refunds.create_async({"payment_intent": intent.id, "amount": 500})

    event = next(each for each in double.objects("event") if each["type"] == "charge.refunded")

    assert event["data"]["previous_attributes"] == {"amount_refunded": 0}


async def test_an_event_names_the_request_that_it_is_of(
    client: StripeClient, double: Double
) -> None:
    await client.v1.payment_intents.create_async(
        {"amount": 1500, "currency": "gbp"}, {"idempotency_key": "booking:7"}
    )

    (event,) = double.objects("event")

    assert event["request"]["idempotency_key"] == "booking:7"


async def test_what_was_refused_is_not_told(client: StripeClient, double: Double) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        await paid(client, automatic_payment_methods={"enabled": True})

    assert told(double) == []


async def test_events_can_be_listed_by_kind_and_by_what_was_heard(
    client: StripeClient, double: Double
) -> None:
    await paid(client)
    double.listen(ENDPOINT)
    await asked(client)

    kinds = [
        [each.type for each in (await client.v1.events.list_async(params)).data]  # type: ignore[arg-type]
        for params in (
            {"type": "payment_intent.*", "limit": 2},
            {"types": ["charge.succeeded", "charge.failed"]},
            {"delivery_success": False},
        )
    ]

    assert kinds == [
        ["payment_intent.created", "payment_intent.succeeded"],
        ["charge.succeeded"],
        ["payment_intent.created"],
    ]


async def test_events_are_listed_for_30_days(client: StripeClient, clock: HandClock) -> None:
    await asked(client)

    clock.pass_by(days=29)
    before = await client.v1.events.list_async()
    clock.pass_by(days=2)
    after = await client.v1.events.list_async()

    assert (len(before.data), len(after.data)) == (1, 0)


# How it is signed


async def test_the_sdk_believes_what_is_delivered(client: StripeClient, double: Double) -> None:
    secret = double.listen(ENDPOINT)
    intent = await asked(client)

    (delivery,) = double.take_deliveries()
    headers = delivery.headers(at=double.now)
    event = stripe.Webhook.construct_event(
        delivery.body, headers["Stripe-Signature"], secret, tolerance=FOREVER
    )

    assert (delivery.url, event.type) == (ENDPOINT, "payment_intent.created")
    assert event.data.object["id"] == intent.id


@pytest.mark.parametrize(
    "signature",
    [
        sign(b"{}", "whsec_wrong", at=1_772_442_000),
        sign(b"{ }", SECRET, at=1_772_442_000),
        sign(b"{}", SECRET, at=1_772_442_000).replace("t=1772442000", "t=1772442001"),
    ],
    ids=["secret", "body", "time"],
)
def test_the_sdk_does_not_believe_a_wrong_signature(signature: str) -> None:
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(b"{}", signature, SECRET, tolerance=FOREVER)


async def test_a_delivery_can_be_signed_with_another_secret(
    client: StripeClient, double: Double
) -> None:
    secret = double.listen(ENDPOINT)
    await asked(client)

    (delivery,) = double.take_deliveries()
    wrong = delivery.headers(at=double.now, secret="whsec_wrong")["Stripe-Signature"]

    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(delivery.body, wrong, secret, tolerance=FOREVER)


# Who is told


async def test_an_endpoint_hears_only_what_it_listens_to(
    client: StripeClient, double: Double
) -> None:
    await client.v1.webhook_endpoints.create_async(
        {
            "url": ENDPOINT,
            "enabled_events": ["charge.succeeded"],
            "api_version": "2025-03-31.basil",
        }
    )

    await paid(client)

    (delivery,) = double.take_deliveries()
    assert delivery.event["type"] == "charge.succeeded"
    assert delivery.event["api_version"] == "2025-03-31.basil"


async def test_what_happens_in_a_connected_account_is_told_to_endpoints_for_that(
    double: Double,
) -> None:
    north = double.add_account(keys=["sk_test_north"], connected=True)
    double.listen(ENDPOINT)
    double.listen(f"{ENDPOINT}/connect", connect=True)
    double.listen(f"{ENDPOINT}/north", account=north)

    await asked(stripe_client(double, stripe_account=north))
    await asked(stripe_client(double))

    deliveries = double.take_deliveries()
    assert [(each.url, each.event.get("account")) for each in deliveries] == [
        (f"{ENDPOINT}/connect", north),
        (f"{ENDPOINT}/north", None),
        (ENDPOINT, None),
    ]


async def test_the_platform_is_told_that_an_account_has_left(double: Double) -> None:
    north = double.add_account(connected=True)
    double.listen(ENDPOINT, connect=True)

    double.deauthorize(north)

    (delivery,) = double.take_deliveries()
    assert delivery.event["type"] == "account.application.deauthorized"
    assert delivery.event["account"] == north
    assert delivery.event["data"]["object"]["object"] == "application"


async def test_only_the_platform_listens_to_connected_accounts(double: Double) -> None:
    double.add_account(keys=["sk_test_other"])

    with pytest.raises(stripe.InvalidRequestError):
        await stripe_client(double, "sk_test_other").v1.webhook_endpoints.create_async(
            {"url": ENDPOINT, "enabled_events": ["*"], "connect": True}
        )


async def test_one_endpoint_listens_at_an_address(client: StripeClient, double: Double) -> None:
    first = double.listen(ENDPOINT)
    await asked(client)

    secrets = [double.listen(ENDPOINT), double.listen(ENDPOINT, secret=SECRET)]

    (delivery,) = double.take_deliveries()
    assert secrets == [first, SECRET]
    assert delivery.secret == SECRET


async def test_an_endpoint_that_is_gone_hears_nothing_more(
    client: StripeClient, double: Double
) -> None:
    endpoint = await client.v1.webhook_endpoints.create_async(
        {"url": ENDPOINT, "enabled_events": ["*"]}
    )
    await asked(client)

    await client.v1.webhook_endpoints.delete_async(endpoint.id)

    assert double.take_deliveries() == []


async def test_an_endpoint_has_an_address(client: StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        await client.v1.webhook_endpoints.create_async(
            {"url": "classbolt.invalid", "enabled_events": ["*"]}
        )


# When it is told


async def test_what_was_answered_well_is_not_told_again(
    client: StripeClient, double: Double, listener: Listener
) -> None:
    secret = double.listen(ENDPOINT)
    await paid(client)

    delivered = [await double.deliver_due(listener.client) for _ in range(2)]

    assert delivered == [3, 0]
    for request in listener.heard:
        stripe.Webhook.construct_event(
            request.content, request.headers["Stripe-Signature"], secret, tolerance=FOREVER
        )
    assert {each["pending_webhooks"] for each in double.objects("event")} == {0}


async def test_what_was_not_answered_well_is_told_again_later_and_later(
    client: StripeClient, double: Double, listener: Listener, clock: HandClock
) -> None:
    double.listen(ENDPOINT)
    await asked(client)
    listener.answers = [500, 302, 404]
    delivered, waits = 0, []

    while not delivered:
        before, began = len(listener.heard), clock.now
        while len(listener.heard) == before:
            delivered = await double.deliver_due(listener.client)
            clock.pass_by(seconds=5)
        waits.append(clock.now - began)

    assert len(listener.heard) == 4
    assert waits == sorted(waits)
    assert waits[-1] > timedelta(minutes=4)


async def test_after_three_days_stripe_gives_up(
    client: StripeClient, double: Double, listener: Listener, clock: HandClock
) -> None:
    double.listen(ENDPOINT)
    await asked(client)
    listener.answers = [500] * 100

    for _ in range(100):
        await double.deliver_due(listener.client)
        clock.pass_by(hours=1)

    assert len(listener.heard) == 12
    assert [each["pending_webhooks"] for each in double.objects("event")] == [1]


async def test_what_was_taken_is_not_delivered(
    client: StripeClient, double: Double, listener: Listener
) -> None:
    double.listen(ENDPOINT)
    await paid(client)

    taken = double.take_deliveries()

    assert len(taken) == 3
    assert (double.take_deliveries(), await double.deliver_due(listener.client)) == ([], 0)


async def test_who_cannot_be_reached_is_told_later(
    client: StripeClient, double: Double, clock: HandClock, listener: Listener
) -> None:
    double.listen("http://127.0.0.1:9/nobody")
    await asked(client)

    async with httpx.AsyncClient() as nobody:
        first = await double.deliver_due(nobody)
    clock.pass_by(seconds=5)
    second = await double.deliver_due(listener.client)

    assert (first, second) == (0, 1)
