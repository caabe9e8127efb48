"""What Stripe does with requests: keys, lists and accounts. As `test_contract`, of both."""

from __future__ import annotations

import time
from uuid import uuid4

import pytest
import stripe
from stripe import StripeClient

from paid_by_card import asked

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


# Asking again


async def test_asking_again_under_the_same_key_does_it_once(either: StripeClient) -> None:
    key = str(uuid4())

    first, again = [
        await either.v1.payment_intents.create_async(
            {"amount": 1500, "currency": "gbp"}, {"idempotency_key": key}
        )
        for _ in range(2)
    ]

    assert again.to_dict() == first.to_dict()
    assert first.last_response is not None
    assert again.last_response is not None
    assert "Idempotent-Replayed" not in first.last_response.headers
    assert again.last_response.headers["Idempotent-Replayed"] == "true"


async def test_a_key_is_for_one_thing(either: StripeClient) -> None:
    key = str(uuid4())
    await either.v1.payment_intents.create_async(
        {"amount": 1500, "currency": "gbp"}, {"idempotency_key": key}
    )

    with pytest.raises(stripe.IdempotencyError) as refused:
        await either.v1.payment_intents.create_async(
            {"amount": 1600, "currency": "gbp"}, {"idempotency_key": key}
        )

    assert refused.value.http_status == 400


async def test_what_never_began_is_not_remembered(either: StripeClient) -> None:
    key = str(uuid4())
    with pytest.raises(stripe.InvalidRequestError):
        await either.v1.payment_intents.create_async(
            {"amount": 0, "currency": "gbp"}, {"idempotency_key": key}
        )

    intent = await either.v1.payment_intents.create_async(
        {"amount": 1500, "currency": "gbp"}, {"idempotency_key": key}
    )

    assert intent.amount == 1500


async def test_a_declined_card_is_remembered(either: StripeClient) -> None:
    intent = await asked(either)
    key = str(uuid4())

    async def pay() -> None:
        await either.v1.payment_intents.confirm_async(
            intent.id, {"payment_method": "pm_card_chargeDeclined"}, {"idempotency_key": key}
        )

    with pytest.raises(stripe.CardError):
        await pay()
    with pytest.raises(stripe.CardError) as declined:
        await pay()

    assert declined.value.headers is not None
    assert declined.value.headers["Idempotent-Replayed"] == "true"


# Lists, accounts, endpoints


async def test_a_list_comes_in_pages_the_newest_first(either: StripeClient) -> None:
    began = int(time.time()) - 60
    made = [(await asked(either)).id for _ in range(3)]

    page = await either.v1.payment_intents.list_async({"limit": 2, "created": {"gte": began}})
    listed = [each.id async for each in page.auto_paging_iter()]

    assert (len(page.data), page.has_more) == (2, True)
    assert [each for each in listed if each in made] == made[::-1]


async def test_a_list_can_be_of_a_time_when_nothing_was(either: StripeClient) -> None:
    await asked(either)

    page = await either.v1.payment_intents.list_async({"created": {"gt": 1, "lt": 1000}})

    assert (page.data, page.has_more) == ([], False)


async def test_an_account_knows_whether_it_may_be_paid(either: StripeClient) -> None:
    account = await either.v1.accounts.retrieve_current_async()

    assert account.id.startswith("acct_")
    assert isinstance(account.charges_enabled, bool)


async def test_an_endpoint_tells_its_secret_once(either: StripeClient) -> None:
    endpoint = await either.v1.webhook_endpoints.create_async(
        {"url": "https://example.com/webhooks", "enabled_events": ["refund.failed"]}
    )

    listed = await either.v1.webhook_endpoints.list_async({"limit": 100})
    deleted = await either.v1.webhook_endpoints.delete_async(endpoint.id)

    (found,) = [each for each in listed.data if each.id == endpoint.id]
    assert endpoint.secret is not None
    assert endpoint.secret.startswith("whsec_")
    assert (found.enabled_events, "secret" in found.to_dict()) == (["refund.failed"], False)
    assert deleted.deleted


async def test_an_endpoint_listens_only_to_what_there_is(either: StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        await either.v1.webhook_endpoints.create_async(
            {"url": "https://example.com/", "enabled_events": ["refund.lost"]}  # type: ignore[list-item]
        )


async def test_a_key_that_nobody_has_opens_nothing(either: StripeClient) -> None:
    with pytest.raises(stripe.AuthenticationError) as refused:
        await either.v1.payment_intents.list_async(options={"api_key": "sk_test_nobody"})

    assert refused.value.http_status == 401


async def test_nobody_acts_for_an_account_that_is_not_connected(either: StripeClient) -> None:
    with pytest.raises(stripe.PermissionError) as refused:
        await either.v1.payment_intents.list_async(options={"stripe_account": "acct_nobody"})

    assert refused.value.http_status == 403
