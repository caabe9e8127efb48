"""What Stripe does with payments and refunds: asked of the double, and of Stripe itself.

Everything here goes through the official SDK, and nothing is done behind its back, so that the
same tests say of both that they are alike: `STRIPE_TEST_KEY=sk_test_… pytest tests/stripe`.
"""

from __future__ import annotations

import pytest
import stripe
from stripe import StripeClient

from paid_by_card import asked, paid

# The SDK passes its forms to httpx under a name that httpx would rather not hear any more.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


# Asking for a payment


async def test_a_payment_waits_for_a_card(either: StripeClient) -> None:
    intent = await asked(either, metadata={"booking": "7"})

    assert intent.status == "requires_payment_method"
    assert intent.client_secret is not None
    assert intent.client_secret.startswith(f"{intent.id}_secret_")
    assert (intent.amount, intent.currency, intent.amount_received) == (1500, "gbp", 0)
    assert (intent.latest_charge, intent.last_payment_error) == (None, None)
    assert intent.metadata.to_dict() == {"booking": "7"}


async def test_a_payment_is_found_again(either: StripeClient) -> None:
    intent = await asked(either)

    found = await either.v1.payment_intents.retrieve_async(intent.id)

    assert found.to_dict() == intent.to_dict()


async def test_what_is_not_there_is_missing(either: StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await either.v1.payment_intents.retrieve_async("pi_nothing")

    assert (refused.value.code, refused.value.http_status) == ("resource_missing", 404)


async def test_a_misspelt_parameter_is_refused(either: StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await asked(either, descripton="Yoga")

    assert (refused.value.code, refused.value.param) == ("parameter_unknown", "descripton")


async def test_a_misspelt_parameter_inside_another_is_refused(either: StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await asked(either, automatic_payment_methods={"enabled": True, "redirects": "never"})

    assert refused.value.code == "parameter_unknown"
    assert refused.value.param == "automatic_payment_methods[redirects]"


async def test_a_parameter_that_is_needed_is_missed(either: StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await either.v1.payment_intents.create_async({"currency": "gbp"})  # type: ignore[typeddict-item]

    assert (refused.value.code, refused.value.param) == ("parameter_missing", "amount")


@pytest.mark.parametrize(
    ("amount", "code"),
    [(0, "parameter_invalid_integer"), (29, "amount_too_small"), (10**9, "amount_too_large")],
)
async def test_an_amount_must_be_one_that_can_be_paid(
    either: StripeClient, amount: int, code: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await asked(either, amount=amount)

    assert (refused.value.code, refused.value.param) == (code, "amount")


async def test_metadata_is_merged_and_an_empty_value_takes_a_key_away(
    either: StripeClient,
) -> None:
    intent = await asked(either, metadata={"account": "northside", "booking": "7"})

    changed = await either.v1.payment_intents.update_async(
        intent.id, {"metadata": {"booking": "", "payment": "9"}}
    )

    assert changed.metadata.to_dict() == {"account": "northside", "payment": "9"}


# Paying


async def test_a_good_card_pays(either: StripeClient) -> None:
    intent = await asked(either)

    done = await either.v1.payment_intents.confirm_async(
        intent.id, {"payment_method": "pm_card_visa", "expand": ["latest_charge"]}
    )

    assert (done.status, done.amount_received) == ("succeeded", 1500)
    assert isinstance(done.latest_charge, stripe.Charge)
    assert (done.latest_charge.paid, done.latest_charge.captured) == (True, True)
    assert (done.latest_charge.amount, done.latest_charge.amount_refunded) == (1500, 0)


async def test_what_is_paid_cannot_be_paid_again(either: StripeClient) -> None:
    intent = await paid(either)

    with pytest.raises(stripe.InvalidRequestError) as refused:
        await either.v1.payment_intents.confirm_async(intent.id)

    assert refused.value.code == "payment_intent_unexpected_state"
    assert refused.value.error is not None
    assert refused.value.error.payment_intent is not None
    assert refused.value.error.payment_intent.status == "succeeded"


async def test_nothing_is_paid_without_a_card(either: StripeClient) -> None:
    intent = await asked(either)

    with pytest.raises(stripe.InvalidRequestError) as refused:
        await either.v1.payment_intents.confirm_async(intent.id)

    assert refused.value.code == "payment_intent_unexpected_state"


@pytest.mark.parametrize(
    ("card", "code", "decline_code"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
    ],
)
async def test_a_declined_card_says_why_and_leaves_the_payment_to_another_card(
    either: StripeClient, card: str, code: str, decline_code: str
) -> None:
    intent = await asked(either)

    with pytest.raises(stripe.CardError) as declined:
        await either.v1.payment_intents.confirm_async(intent.id, {"payment_method": card})
    left = await either.v1.payment_intents.retrieve_async(intent.id)
    done = await either.v1.payment_intents.confirm_async(
        intent.id, {"payment_method": "pm_card_visa"}
    )

    assert (declined.value.http_status, declined.value.code) == (402, code)
    assert declined.value.error is not None
    assert declined.value.error.decline_code == decline_code
    assert left.status == "requires_payment_method"
    assert left.last_payment_error is not None
    assert left.last_payment_error.code == code
    assert (done.status, done.last_payment_error) == ("succeeded", None)


@pytest.mark.parametrize(
    "card", ["pm_card_authenticationRequired", "pm_card_threeDSecure2Required"]
)
async def test_some_cards_ask_their_owner_first(either: StripeClient, card: str) -> None:
    intent = await paid(either, card)

    assert intent.status == "requires_action"
    assert intent.next_action is not None
    assert intent.next_action.type == "use_stripe_sdk"
    assert (intent.amount_received, intent.latest_charge) == (0, None)


async def test_a_payment_that_may_redirect_needs_an_address_to_come_back_to(
    either: StripeClient,
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="return_url"):
        await paid(either, automatic_payment_methods={"enabled": True})


# Capturing and giving up


async def test_what_is_authorised_can_be_captured_in_part(either: StripeClient) -> None:
    held = await paid(either, capture_method="manual")

    done = await either.v1.payment_intents.capture_async(held.id, {"amount_to_capture": 1000})

    assert (held.status, held.amount_capturable, held.amount_received) == (
        "requires_capture",
        1500,
        0,
    )
    assert (done.status, done.amount_capturable, done.amount_received) == ("succeeded", 0, 1000)


async def test_no_more_is_captured_than_was_authorised(either: StripeClient) -> None:
    held = await paid(either, capture_method="manual")

    with pytest.raises(stripe.InvalidRequestError) as refused:
        await either.v1.payment_intents.capture_async(held.id, {"amount_to_capture": 1501})

    assert refused.value.param == "amount_to_capture"


async def test_what_was_captured_cannot_be_captured_again(either: StripeClient) -> None:
    intent = await paid(either)

    with pytest.raises(stripe.InvalidRequestError) as refused:
        await either.v1.payment_intents.capture_async(intent.id)

    assert refused.value.code == "payment_intent_unexpected_state"


@pytest.mark.parametrize("card", [None, "pm_card_visa", "pm_card_authenticationRequired"])
async def test_what_is_not_paid_can_be_given_up(either: StripeClient, card: str | None) -> None:
    ask = paid(either, card, capture_method="manual") if card else asked(either)
    intent = await ask

    canceled = await either.v1.payment_intents.cancel_async(
        intent.id, {"cancellation_reason": "abandoned"}
    )

    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "abandoned")
    assert canceled.canceled_at is not None
    assert (canceled.amount_capturable, canceled.next_action) == (0, None)


async def test_what_is_paid_cannot_be_given_up(either: StripeClient) -> None:
    intent = await paid(either)

    with pytest.raises(stripe.InvalidRequestError) as refused:
        await either.v1.payment_intents.cancel_async(intent.id)

    assert refused.value.code == "payment_intent_unexpected_state"


async def test_what_was_given_up_cannot_be_paid(either: StripeClient) -> None:
    intent = await asked(either)
    await either.v1.payment_intents.cancel_async(intent.id)

    with pytest.raises(stripe.InvalidRequestError) as refused:
        await either.v1.payment_intents.confirm_async(
            intent.id, {"payment_method": "pm_card_visa"}
        )

    assert refused.value.code == "payment_intent_unexpected_state"


# Refunds


async def test_a_payment_is_refunded_in_parts_until_nothing_is_left(
    either: StripeClient,
) -> None:
    intent = await paid(either)
    part = await either.v1.refunds.create_async(
        {
            "payment_intent": intent.id,
            "amount": 500,
            "reason": "requested_by_customer",
            "metadata": {"refund": "3"},
        }
    )

    rest = await either.v1.refunds.create_async({"charge": str(intent.latest_charge)})
    charge = await either.v1.charges.retrieve_async(str(intent.latest_charge))
    listed = await either.v1.refunds.list_async({"payment_intent": intent.id})

    assert (part.status, part.amount, part.reason) == (
        "succeeded",
        500,
        "requested_by_customer",
    )
    assert (rest.amount, rest.payment_intent) == (1000, intent.id)
    assert (charge.amount_refunded, charge.refunded) == (1500, True)
    assert [each.id for each in listed.data] == [rest.id, part.id]


async def test_no_more_is_refunded_than_was_paid(either: StripeClient) -> None:
    intent = await paid(either)
    await either.v1.refunds.create_async({"payment_intent": intent.id, "amount": 501})

    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount"):
        await either.v1.refunds.create_async({"payment_intent": intent.id, "amount": 1000})


async def test_what_is_refunded_cannot_be_refunded_again(either: StripeClient) -> None:
    intent = await paid(either)
    await either.v1.refunds.create_async({"payment_intent": intent.id})

    with pytest.raises(stripe.InvalidRequestError) as refused:
        await either.v1.refunds.create_async({"payment_intent": intent.id})

    assert refused.value.code == "charge_already_refunded"


async def test_what_is_not_paid_cannot_be_refunded(either: StripeClient) -> None:
    intent = await asked(either)

    with pytest.raises(stripe.InvalidRequestError):
        await either.v1.refunds.create_async({"payment_intent": intent.id})


async def test_a_refund_is_of_something(either: StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await either.v1.refunds.create_async({"amount": 500})

    assert refused.value.code == "parameter_missing"
