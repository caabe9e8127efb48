"""Refunds that take their time or fail later, and charges that somebody disputes."""

from __future__ import annotations

from typing import Any

import pytest
import stripe
from stripe import PaymentIntent, StripeClient

from classbolt.testing.stripe_double import Double, Refused
from paid_by_card import HandClock, asked, paid


async def refunded(client: StripeClient, intent: PaymentIntent, **more: int) -> stripe.Refund:
    params: Any = {"payment_intent": intent.id, **more}
    return await client.v1.refunds.create_async(params)


async def charge_of(client: StripeClient, intent: PaymentIntent) -> stripe.Charge:
    return await client.v1.charges.retrieve_async(str(intent.latest_charge))


async def test_a_refund_that_fails_later_puts_its_amount_back(
    client: StripeClient, double: Double
) -> None:
    intent = await paid(client)
    await refunded(client, intent, amount=500)
    refund = await refunded(client, intent)

    double.move_refund(refund.id, "failed", failure_reason="lost_or_stolen_card")

    failed = await client.v1.refunds.retrieve_async(refund.id)
    charge = await charge_of(client, intent)
    assert (failed.status, failed.failure_reason) == ("failed", "lost_or_stolen_card")
    assert (charge.amount_refunded, charge.refunded) == (500, False)


async def test_what_a_failed_refund_put_back_can_be_refunded_again(
    client: StripeClient, double: Double
) -> None:
    intent = await paid(client)
    refund = await refunded(client, intent)
    double.move_refund(refund.id, "failed")

    again = await refunded(client, intent)

    assert (again.amount, again.status) == (1500, "succeeded")


async def test_a_refund_to_a_closed_card_fails_with_time(
    client: StripeClient, clock: HandClock
) -> None:
    intent = await paid(client, "pm_card_refundFail")
    refund = await refunded(client, intent)

    clock.pass_by(minutes=2)

    later = await client.v1.refunds.retrieve_async(refund.id)
    assert (refund.status, later.status) == ("succeeded", "failed")


async def test_a_refund_can_be_pending_and_settle_with_time(
    client: StripeClient, clock: HandClock
) -> None:
    intent = await paid(client, "pm_card_pendingRefund")
    refund = await refunded(client, intent)
    before = await charge_of(client, intent)

    clock.pass_by(minutes=2)

    later = await client.v1.refunds.retrieve_async(refund.id)
    assert (refund.status, later.status) == ("pending", "succeeded")
    assert before.refunded


async def test_what_was_decided_by_hand_is_not_decided_again_by_time(
    client: StripeClient, double: Double, clock: HandClock
) -> None:
    intent = await paid(client, "pm_card_pendingRefund")
    refund = await refunded(client, intent)
    double.move_refund(refund.id, "canceled")

    clock.pass_by(minutes=2)

    later = await client.v1.refunds.retrieve_async(refund.id)
    assert later.status == "canceled"
    assert not (await charge_of(client, intent)).amount_refunded


async def test_a_refund_that_was_good_can_be_made_to_wait_and_settle(
    client: StripeClient, double: Double
) -> None:
    refund = await refunded(client, await paid(client))

    waiting = double.move_refund(refund.id, "pending")
    settled = double.move_refund(refund.id, "succeeded")

    assert (waiting["status"], settled["status"]) == ("pending", "succeeded")


async def test_a_refund_that_failed_stays_so(client: StripeClient, double: Double) -> None:
    refund = await refunded(client, await paid(client))
    double.move_refund(refund.id, "failed")

    with pytest.raises(Refused, match="cannot become"):
        double.move_refund(refund.id, "succeeded")


async def test_a_refund_can_be_written_upon(client: StripeClient) -> None:
    refund = await refunded(client, await paid(client))

    changed = await client.v1.refunds.update_async(refund.id, {"metadata": {"refund": "3"}})

    assert changed.metadata is not None
    assert changed.metadata.to_dict() == {"refund": "3"}


async def test_what_was_only_authorised_is_released_and_not_refunded(
    client: StripeClient,
) -> None:
    intent = await paid(client, capture_method="manual")

    with pytest.raises(stripe.InvalidRequestError):
        await refunded(client, intent)
    await client.v1.payment_intents.cancel_async(intent.id)

    charge = await charge_of(client, intent)
    assert (charge.captured, charge.refunded, charge.amount_refunded) == (False, True, 1500)


async def test_what_was_captured_in_part_is_refunded_up_to_that(client: StripeClient) -> None:
    intent = await paid(client, capture_method="manual")
    await client.v1.payment_intents.capture_async(intent.id, {"amount_to_capture": 1000})

    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount"):
        await refunded(client, intent, amount=1001)
    refund = await refunded(client, intent)

    assert refund.amount == 1000


@pytest.mark.parametrize("amount", [0, -5])
async def test_nothing_cannot_be_refunded(client: StripeClient, amount: int) -> None:
    intent = await paid(client)

    with pytest.raises(stripe.InvalidRequestError) as refused:
        await refunded(client, intent, amount=amount)

    assert refused.value.code == "parameter_invalid_integer"


# Disputes


async def test_what_is_disputed_cannot_be_refunded(
    client: StripeClient, double: Double
) -> None:
    intent = await paid(client)
    dispute = double.open_dispute(str(intent.latest_charge), reason="product_not_received")

    with pytest.raises(stripe.InvalidRequestError) as refused:
        await refunded(client, intent)

    found = await client.v1.disputes.retrieve_async(dispute["id"])
    assert refused.value.code == "charge_disputed"
    assert (found.status, found.amount, found.reason) == (
        "needs_response",
        1500,
        "product_not_received",
    )
    assert (await charge_of(client, intent)).disputed


@pytest.mark.parametrize(("won", "status"), [(True, "won"), (False, "lost")])
async def test_only_a_dispute_that_was_won_leaves_something_to_refund(
    client: StripeClient, double: Double, *, won: bool, status: str
) -> None:
    intent = await paid(client)
    dispute = double.open_dispute(str(intent.latest_charge))
    double.close_dispute(dispute["id"], won=won)

    try:
        await refunded(client, intent)
    except stripe.InvalidRequestError as refused:
        outcome = str(refused.code)
    else:
        outcome = "refunded"

    listed = await client.v1.disputes.list_async({"payment_intent": intent.id})
    assert [each.status for each in listed.data] == [status]
    assert outcome == ("refunded" if won else "charge_disputed")


async def test_a_card_can_dispute_by_itself(client: StripeClient) -> None:
    intent = await paid(client, "pm_card_createDispute")

    listed = await client.v1.disputes.list_async({"charge": str(intent.latest_charge)})

    assert intent.status == "succeeded"
    assert [each.reason for each in listed.data] == ["fraudulent"]


async def test_a_charge_is_disputed_once_and_a_dispute_decided_once(
    client: StripeClient, double: Double
) -> None:
    charge = str((await paid(client)).latest_charge)
    dispute = double.open_dispute(charge)
    double.close_dispute(dispute["id"], won=False)

    with pytest.raises(Refused):
        double.open_dispute(charge)
    with pytest.raises(Refused):
        double.close_dispute(dispute["id"], won=True)


async def test_a_dispute_that_was_decided_can_go_on_and_be_decided_again(
    client: StripeClient, double: Double
) -> None:
    dispute = double.open_dispute(str((await paid(client)).latest_charge))
    with pytest.raises(Refused):
        double.appeal_dispute(dispute["id"])
    double.close_dispute(dispute["id"], won=False)

    appealed = double.appeal_dispute(dispute["id"])
    decided = double.close_dispute(dispute["id"], won=True)

    assert [appealed["status"], decided["status"]] == ["appeal_under_review", "won"]


async def test_nothing_happens_to_what_is_not_there(
    client: StripeClient, double: Double
) -> None:
    intent = await asked(client)

    with pytest.raises(Refused, match="No such charge"):
        double.open_dispute(intent.id)
