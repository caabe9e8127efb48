"""Accounts: nobody sees, pays or changes what is another's."""

from __future__ import annotations

import base64

import httpx
import pytest
import stripe
from stripe import StripeClient

from classbolt.testing.stripe_double import Double, app_of, stripe_client
from paid_by_card import asked, paid

ADDRESS = "http://stripe.invalid"


@pytest.fixture
def north(double: Double) -> str:
    """An account that is connected to the platform."""
    return double.add_account(connected=True)


async def test_what_is_anothers_is_not_there(client: StripeClient, double: Double) -> None:
    double.add_account(keys=["sk_test_other"])
    other = stripe_client(double, "sk_test_other")
    intent = await paid(client)

    with pytest.raises(stripe.InvalidRequestError) as refused:
        await other.v1.payment_intents.retrieve_async(intent.id)
    with pytest.raises(stripe.InvalidRequestError) as not_refunded:
        await other.v1.refunds.create_async({"payment_intent": intent.id})

    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")
    assert not_refunded.value.code == "resource_missing"
    assert (await other.v1.payment_intents.list_async()).data == []


async def test_the_platform_acts_for_connected_accounts_in_their_books(
    client: StripeClient, double: Double, north: str
) -> None:
    for_north = stripe_client(double, stripe_account=north)

    intent = await paid(for_north)

    with pytest.raises(stripe.InvalidRequestError):
        await client.v1.payment_intents.retrieve_async(intent.id)
    assert (await for_north.v1.payment_intents.retrieve_async(intent.id)).id == intent.id
    assert [each["id"] for each in double.objects("payment_intent", north)] == [intent.id]


async def test_a_connected_accounts_own_key_opens_the_same_books(double: Double) -> None:
    north = double.add_account(keys=["rk_test_north"], connected=True)
    intent = await asked(stripe_client(double, stripe_account=north))

    found = await stripe_client(double, "rk_test_north").v1.payment_intents.retrieve_async(
        intent.id
    )

    assert found.id == intent.id


async def test_only_the_platform_acts_for_others(double: Double, north: str) -> None:
    double.add_account(keys=["sk_test_other"])

    with pytest.raises(stripe.PermissionError) as refused:
        await asked(stripe_client(double, "sk_test_other", stripe_account=north))

    assert refused.value.http_status == 403
    assert refused.value.error is not None
    assert refused.value.error.code == "account_invalid"


async def test_the_platform_looks_up_connected_accounts_and_no_others(
    client: StripeClient, double: Double, north: str
) -> None:
    other = double.add_account()
    double.set_charges_enabled(north, enabled=False)

    found = await client.v1.accounts.retrieve_async(north)
    own = await client.v1.accounts.retrieve_current_async()
    with pytest.raises(stripe.PermissionError):
        await client.v1.accounts.retrieve_async(other)
    with pytest.raises(stripe.PermissionError):
        await client.v1.accounts.retrieve_async("acct_nothing")

    assert (found.id, found.charges_enabled) == (north, False)
    assert (own.id, own.charges_enabled) == (double.platform, True)


async def test_an_account_that_takes_its_permission_back_is_closed_to_the_platform(
    client: StripeClient, double: Double, north: str
) -> None:
    for_north = stripe_client(double, stripe_account=north)
    await asked(for_north)

    double.deauthorize(north)

    with pytest.raises(stripe.PermissionError):
        await asked(for_north)
    with pytest.raises(stripe.PermissionError):
        await client.v1.accounts.retrieve_async(north)


async def test_opening_an_account_again_only_hands_out_keys(double: Double, north: str) -> None:
    double.set_charges_enabled(north, enabled=False)

    double.add_account(north, keys=["sk_test_north"])

    own = await stripe_client(double, "sk_test_north").v1.accounts.retrieve_current_async()
    assert (own.id, own.charges_enabled) == (north, False)


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("Basic " + base64.b64encode(b"sk_test_double:").decode(), 200),
        ("bearer sk_test_double", 200),
        ("Basic %%%", 401),
        ("Digest sk_test_double", 401),
        ("", 401),
    ],
)
async def test_a_key_comes_as_a_token_or_as_a_user(
    double: Double, authorization: str, status: int
) -> None:
    transport = httpx.ASGITransport(app_of(double))
    async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as http:
        answer = await http.get("/v1/account", headers={"Authorization": authorization})

    assert answer.status_code == status
