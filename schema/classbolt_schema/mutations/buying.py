"""Buying bundles: customers do it for themselves, staff for them."""

import strawberry

from classbolt import buy, payments
from classbolt.values import BundleId, CustomerId
from classbolt_schema.compose.mutation import After, Ask, Payload, mutation
from classbolt_schema.compose.once import Keyed
from classbolt_schema.ids import decode, decode_optional
from classbolt_schema.mutations.paying import card_payment
from classbolt_schema.relations import EXTENSION
from classbolt_schema.types.booking import Payment
from classbolt_schema.types.card_payment import CardPayment
from classbolt_schema.types.pay_with import PayWithInput, to_pay_with


@strawberry.input(description="A bundle to buy.")
class BuyBundleInput(Keyed):
    """A bundle to buy."""

    bundle: strawberry.ID = strawberry.field(description="A copy of which bundle.")
    pay_with: PayWithInput = strawberry.field(description="How to pay.")
    customer: strawberry.ID | None = strawberry.field(
        default=None, description="For whom. Staff say so; customers buy for themselves."
    )


@strawberry.type(description="What became of a request to buy a bundle.")
class BuyBundlePayload(Payload):
    """The payment, and through it the copy."""

    payment: Payment | None = strawberry.field(
        default=None,
        description="What is to be paid. Its `customerBundle` is the copy that was issued.",
    )
    card_payment: CardPayment | None = strawberry.field(
        default=None,
        description="What is needed to pay by card; null if a card is not to pay, or has.",
    )


async def _pay(after: After, payload: BuyBundlePayload) -> None:
    """Let the customer pay by card, if they chose to."""
    if payload.payment is not None:
        bought = payload.payment.payment
        payload.card_payment = await card_payment(after, bought.card_state, bought.id)


@EXTENSION.mutation
@mutation(
    description="Buy a bundle that is on sale. Its credits are there at once, and valid from"
    " this moment on; by card, once it is paid. `bundlesOnSale` lists what can be bought.",
    then=_pay,
)
async def buy_bundle(ask: Ask, asked: BuyBundleInput) -> BuyBundlePayload:
    """Buy a bundle."""
    bought = await buy.buy_bundle(
        ask.tx,
        ask.actor,
        BundleId(decode("Bundle", asked.bundle)),
        decode_optional(CustomerId, "Customer", asked.customer),
        to_pay_with(asked.pay_with, "payWith"),
        now=ask.now,
    )
    found = await payments.find_payments(ask.tx, [bought.payment_id])
    return BuyBundlePayload(payment=Payment.of(found[bought.payment_id]))
