"""Idempotency keys, when answers are late, lost, or failures."""

from __future__ import annotations

import asyncio

import pytest
import stripe
from stripe import PaymentIntent, StripeClient

from classbolt.testing.stripe_double import Double, Refused, stripe_client
from paid_by_card import PAYMENT, HandClock, asked

KEY = "booking:7"


async def ask(client: StripeClient) -> PaymentIntent:
    """Ask for a payment, always under the same key."""
    return await client.v1.payment_intents.create_async(PAYMENT, {"idempotency_key": KEY})


def made(double: Double) -> int:
    return len(double.objects("payment_intent"))


async def test_a_failure_before_anything_was_done_is_given_again(
    client: StripeClient, double: Double
) -> None:
    double.fail_next(500)

    with pytest.raises(stripe.APIError):
        await ask(client)
    with pytest.raises(stripe.APIError) as failed:
        await ask(client)

    assert failed.value.headers is not None
    assert failed.value.headers["Idempotent-Replayed"] == "true"
    assert made(double) == 0


async def test_a_failure_after_all_was_done_is_given_again(
    client: StripeClient, double: Double
) -> None:
    double.fail_next(500, after_effect=True)

    with pytest.raises(stripe.APIError):
        await ask(client)
    with pytest.raises(stripe.APIError) as failed:
        await ask(client)

    assert failed.value.http_status == 500
    assert made(double) == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [(429, stripe.RateLimitError), (503, stripe.APIError), (409, stripe.APIError)],
)
async def test_what_stands_in_front_of_stripe_knows_nothing_of_keys(
    client: StripeClient, double: Double, status: int, error: type[stripe.StripeError]
) -> None:
    double.fail_next(status)

    with pytest.raises(error) as failed:
        await ask(client)
    intent = await ask(client)

    assert failed.value.http_status == status
    assert [each["id"] for each in double.objects("payment_intent")] == [intent.id]


@pytest.mark.parametrize("after_effect", [True, False])
async def test_an_answer_that_was_lost_is_given_to_who_asks_again(
    client: StripeClient, double: Double, *, after_effect: bool
) -> None:
    double.fail_next(is_lost=True, after_effect=after_effect)

    with pytest.raises(stripe.APIConnectionError):
        await ask(client)
    before = made(double)
    intent = await ask(client)

    assert before == after_effect
    assert [each["id"] for each in double.objects("payment_intent")] == [intent.id]


async def test_a_gateway_that_fails_after_all_was_done_hides_a_good_answer(
    client: StripeClient, double: Double
) -> None:
    double.fail_next(504, after_effect=True)

    with pytest.raises(stripe.APIError):
        await ask(client)
    intent = await ask(client)

    assert [each["id"] for each in double.objects("payment_intent")] == [intent.id]


async def test_the_sdk_asks_again_by_itself(double: Double) -> None:
    client = stripe_client(double)
    double.fail_next(503)
    double.fail_next(is_lost=True, after_effect=True)

    await client.v1.payment_intents.create_async(PAYMENT, {"max_network_retries": 2})

    assert made(double) == 1


async def test_failures_come_as_often_as_they_are_wanted_and_where(
    client: StripeClient, double: Double
) -> None:
    double.fail_next(503, 2, path_prefix="/v1/payment_intents", method="GET")

    intent = await asked(client)
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            await client.v1.payment_intents.retrieve_async(intent.id)

    assert (await client.v1.payment_intents.retrieve_async(intent.id)).id == intent.id


@pytest.mark.parametrize(("status", "n"), [(200, 1), (700, 1), (503, 0)])
async def test_a_failure_must_be_one(double: Double, status: int, n: int) -> None:
    with pytest.raises(Refused):
        double.fail_next(status, n)


@pytest.mark.parametrize("after_effect", [True, False])
async def test_a_key_that_is_in_use_waits_for_nobody(
    client: StripeClient, double: Double, *, after_effect: bool
) -> None:
    double.fail_next(delay=1, after_effect=after_effect)

    first = asyncio.create_task(ask(client))
    await until_it_is_asked(double)
    with pytest.raises(stripe.StripeError) as refused:
        await ask(client)

    assert refused.value.http_status == 409
    assert refused.value.error is not None
    assert refused.value.error.code == "idempotency_key_in_use"
    assert (await ask_after(first, client)).id == (await first).id


async def until_it_is_asked(double: Double) -> None:
    while not double.in_flight:  # noqa: ASYNC110 it tells nobody
        await asyncio.sleep(0.01)


async def ask_after(first: asyncio.Task[PaymentIntent], client: StripeClient) -> PaymentIntent:
    await first
    return await ask(client)


async def test_who_goes_away_leaves_the_key_to_the_next(
    client: StripeClient, double: Double
) -> None:
    double.fail_next(delay=60)
    first = asyncio.create_task(ask(client))
    await until_it_is_asked(double)

    first.cancel()
    await asyncio.wait([first])
    intent = await ask(client)

    assert [each["id"] for each in double.objects("payment_intent")] == [intent.id]


async def test_a_key_is_forgotten_after_a_day(
    client: StripeClient, double: Double, clock: HandClock
) -> None:
    first = await ask(client)

    clock.pass_by(hours=23, minutes=59)
    second = await ask(client)
    clock.pass_by(minutes=2)
    third = await ask(client)

    assert second.id == first.id
    assert third.id != first.id
    assert made(double) == 2


async def test_each_account_has_its_own_keys(client: StripeClient, double: Double) -> None:
    double.add_account(keys=["sk_test_other"])
    connected = double.add_account(connected=True)

    intents = [
        await ask(each)
        for each in (
            client,
            stripe_client(double, "sk_test_other"),
            stripe_client(double, stripe_account=connected),
        )
    ]

    assert len({each.id for each in intents}) == 3


async def test_a_refusal_that_was_executed_is_remembered(
    client: StripeClient, double: Double
) -> None:
    intent = await asked(client)

    async def capture() -> None:
        await client.v1.payment_intents.capture_async(
            intent.id, options={"idempotency_key": KEY}
        )

    with pytest.raises(stripe.InvalidRequestError):
        await capture()
    double.pay(intent.id)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await capture()

    assert refused.value.code == "payment_intent_unexpected_state"
    assert refused.value.headers is not None
    assert refused.value.headers["Idempotent-Replayed"] == "true"


async def test_a_key_has_an_end(client: StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="255"):
        await client.v1.payment_intents.create_async(PAYMENT, {"idempotency_key": "k" * 256})


async def test_nothing_that_only_reads_takes_a_key(
    client: StripeClient, double: Double
) -> None:
    intent = await asked(client)
    before = await client.v1.payment_intents.retrieve_async(
        intent.id, options={"idempotency_key": KEY}
    )
    double.pay(intent.id)

    after = await client.v1.payment_intents.retrieve_async(
        intent.id, options={"idempotency_key": KEY}
    )

    assert (before.status, after.status) == ("requires_payment_method", "succeeded")
