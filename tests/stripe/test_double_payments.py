"""What happens to payments behind the backs of those who ask for them."""

from __future__ import annotations

import pytest
import stripe
from stripe import StripeClient

from classbolt.testing.stripe_double import Double, Refused, stripe_client
from paid_by_card import asked, paid

AUTOMATIC = {"enabled": True}


async def test_who_authenticates_pays(client: StripeClient, double: Double) -> None:
    intent = await paid(client, "pm_card_authenticationRequired")

    double.authenticate(intent.id)

    done = await client.v1.payment_intents.retrieve_async(intent.id)
    assert (done.status, done.amount_received, done.next_action) == ("succeeded", 1500, None)


async def test_who_does_not_authenticate_does_not_pay(
    client: StripeClient, double: Double
) -> None:
    intent = await paid(client, "pm_card_threeDSecure2Required")

    double.authenticate(intent.id, succeeds=False)

    left = await client.v1.payment_intents.retrieve_async(intent.id)
    assert (left.status, left.latest_charge) == ("requires_payment_method", None)
    assert left.last_payment_error is not None
    assert left.last_payment_error.code == "payment_intent_authentication_failure"


async def test_nobody_is_asked_to_authenticate_twice(
    client: StripeClient, double: Double
) -> None:
    intent = await paid(client, "pm_card_authenticationRequired")
    double.authenticate(intent.id)

    with pytest.raises(Refused, match="succeeded"):
        double.authenticate(intent.id)


async def test_a_browser_is_sent_to_the_bank_if_there_is_an_address_to_come_back_to(
    client: StripeClient,
) -> None:
    intent = await paid(
        client,
        "pm_card_authenticationRequired",
        automatic_payment_methods=AUTOMATIC,
        return_url="https://northside.example/paid",
    )

    assert intent.next_action is not None
    assert intent.next_action.type == "redirect_to_url"
    assert intent.next_action.redirect_to_url is not None
    assert intent.next_action.redirect_to_url.return_url == "https://northside.example/paid"


async def test_a_payment_that_must_not_ask_is_declined_instead(client: StripeClient) -> None:
    with pytest.raises(stripe.CardError) as declined:
        await paid(client, "pm_card_authenticationRequired", error_on_requires_action=True)

    assert declined.value.code == "authentication_required"


async def test_a_customer_pays_in_their_browser(client: StripeClient, double: Double) -> None:
    intent = await asked(client, automatic_payment_methods=AUTOMATIC)

    double.pay(intent.id)

    done = await client.v1.payment_intents.retrieve_async(intent.id)
    assert done.status == "succeeded"


async def test_what_is_known_of_a_declined_card_stays(
    client: StripeClient, double: Double
) -> None:
    intent = await asked(client)

    with pytest.raises(Refused, match="declined"):
        double.pay(intent.id, "pm_card_chargeDeclined")

    left = await client.v1.payment_intents.retrieve_async(
        intent.id, {"expand": ["latest_charge"]}
    )
    assert isinstance(left.latest_charge, stripe.Charge)
    assert (left.latest_charge.status, left.latest_charge.paid) == ("failed", False)


async def test_a_payment_can_take_its_time_and_be_made(
    client: StripeClient, double: Double
) -> None:
    intent = await asked(client)
    double.start_processing(intent.id)

    with pytest.raises(stripe.InvalidRequestError) as refused:
        await client.v1.payment_intents.cancel_async(intent.id)
    double.finish_processing(intent.id)

    done = await client.v1.payment_intents.retrieve_async(
        intent.id, {"expand": ["latest_charge"]}
    )
    assert refused.value.code == "payment_intent_unexpected_state"
    assert (done.status, done.amount_received) == ("succeeded", 1500)
    assert isinstance(done.latest_charge, stripe.Charge)
    assert done.latest_charge.amount_captured == 1500


async def test_a_payment_can_take_its_time_and_fail(
    client: StripeClient, double: Double
) -> None:
    intent = await asked(client)
    double.start_processing(intent.id)

    double.finish_processing(intent.id, succeeds=False)

    left = await client.v1.payment_intents.retrieve_async(intent.id)
    assert (left.status, left.amount_received) == ("requires_payment_method", 0)
    assert left.last_payment_error is not None


async def test_a_payment_can_be_changed_until_it_is_made(client: StripeClient) -> None:
    intent = await asked(client)

    changed = await client.v1.payment_intents.update_async(
        intent.id, {"amount": 2000, "description": "Yoga", "payment_method": "pm_card_visa"}
    )
    await client.v1.payment_intents.confirm_async(intent.id)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await client.v1.payment_intents.update_async(intent.id, {"amount": 1500})

    assert (changed.amount, changed.description) == (2000, "Yoga")
    assert changed.status == "requires_confirmation"
    assert refused.value.code == "payment_intent_unexpected_state"


async def test_a_charge_says_what_its_payment_says(client: StripeClient) -> None:
    intent = await paid(client, metadata={"booking": "7"}, receipt_email="ada@example.com")

    charges = await client.v1.charges.list_async({"payment_intent": intent.id})

    (charge,) = charges.data
    assert (charge.id, charge.metadata.to_dict()) == (intent.latest_charge, {"booking": "7"})
    assert charge.receipt_email == "ada@example.com"
    assert charge.payment_method_details is not None
    assert charge.payment_method_details.card is not None
    assert charge.payment_method_details.card.last4 == "4242"


async def test_a_list_of_a_customers_payments_has_nobody_elses(client: StripeClient) -> None:
    intent = await asked(client, customer="cus_ada")
    await asked(client, customer="cus_bea")

    listed = await client.v1.payment_intents.list_async({"customer": "cus_ada"})

    assert [each.id for each in listed.data] == [intent.id]


async def test_a_list_can_be_read_backwards(client: StripeClient) -> None:
    made = [(await asked(client)).id for _ in range(4)]

    page = await client.v1.payment_intents.list_async({"limit": 2, "ending_before": made[0]})

    assert ([each.id for each in page.data], page.has_more) == ([made[2], made[1]], True)


@pytest.mark.parametrize(
    "params",
    [
        {"limit": 0},
        {"limit": "many"},
        {"starting_after": "pi_nothing"},
        {"created": {"since": 5}},
        {"expand": ["latest_charge"]},
        {"expand": ["data.amount"]},
        {"expand": "data.latest_charge"},
    ],
    ids=str,
)
async def test_a_list_that_makes_no_sense_is_refused(
    client: StripeClient, params: dict[str, object]
) -> None:
    await asked(client)

    with pytest.raises(stripe.InvalidRequestError):
        await client.v1.payment_intents.list_async(params)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "more",
    [
        {"currency": "pounds"},
        {"capture_method": "later"},
        {"confirm": "perhaps"},
        {"payment_method": "pm_card_lost"},
        {"description": ""},
        {"metadata": "none"},
        {"metadata": {"a": {"b": "c"}}},
        {"metadata": {"k" * 41: "v"}},
        {"metadata": {"k": "v" * 501}},
        {"metadata": {str(each): "v" for each in range(51)}},
        {"automatic_payment_methods": "yes"},
        {"application_fee_amount": 100},
    ],
    ids=lambda more: str(more)[:50],
)
async def test_a_payment_that_makes_no_sense_is_refused(
    client: StripeClient, double: Double, more: dict[str, object]
) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        await asked(client, **more)

    assert double.objects("payment_intent") == []


async def test_a_platform_takes_its_fee_from_a_connected_account_only(
    double: Double,
) -> None:
    account = double.add_account(connected=True)
    client = stripe_client(double, stripe_account=account)

    intent = await asked(client, application_fee_amount=100)
    with pytest.raises(stripe.InvalidRequestError):
        await asked(client, application_fee_amount=1501)

    assert intent.application_fee_amount == 100


async def test_what_stripe_does_not_know_or_the_double_does_not_is_not_there(
    client: StripeClient,
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await client.v1.customers.create_async({"name": "Ada"})

    assert refused.value.http_status == 404
