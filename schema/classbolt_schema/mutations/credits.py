"""What staff do with the bundles that customers hold: give, revoke, extend."""

from datetime import datetime

import strawberry

from classbolt import amend, credits
from classbolt.values import BundleId, CustomerBundleId, CustomerId, PaymentId
from classbolt_schema.compose.mutation import Ask, Payload, mutation
from classbolt_schema.compose.once import Keyed
from classbolt_schema.ids import decode
from classbolt_schema.relations import EXTENSION
from classbolt_schema.types.bundle import CustomerBundle

NOTE = "Why, up to 500 characters. It is kept in the ledger, for staff to read."


@strawberry.input(description="A bundle to give to a customer.")
class GiveBundleInput(Keyed):
    """A bundle to give."""

    customer: strawberry.ID = strawberry.field(description="To whom.")
    bundle: strawberry.ID = strawberry.field(description="A copy of which bundle.")
    note: str | None = strawberry.field(default=None, description=NOTE)


@strawberry.type(description="What became of a request to give a bundle.")
class GiveBundlePayload(Payload):
    """The copy."""

    customer_bundle: CustomerBundle | None = strawberry.field(
        default=None, description="The customer's new copy."
    )


@EXTENSION.mutation
@mutation(
    description="Give a customer a copy of a bundle without payment, valid from this moment on."
    " For staff."
)
async def give_bundle(ask: Ask, asked: GiveBundleInput) -> GiveBundlePayload:
    """Give a bundle."""
    held = await credits.give_bundle(
        ask.tx,
        ask.actor,
        CustomerId(decode("Customer", asked.customer)),
        BundleId(decode("Bundle", asked.bundle)),
        note=asked.note,
        now=ask.now,
    )
    return GiveBundlePayload(customer_bundle=CustomerBundle.of(held))


@strawberry.input(description="A customer bundle to take away.")
class RevokeBundleInput(Keyed):
    """A customer bundle to take away."""

    customer_bundle: strawberry.ID = strawberry.field(description="Which copy.")
    note: str | None = strawberry.field(default=None, description=NOTE)


@strawberry.type(description="What became of a request to revoke a customer bundle.")
class RevokeBundlePayload(Payload):
    """The copy."""

    customer_bundle: CustomerBundle | None = strawberry.field(
        default=None, description="The copy, empty."
    )


@EXTENSION.mutation
@mutation(
    description="Take away all credits that are left on a customer bundle. What they have paid"
    " for stays booked. Revoking it again changes nothing. For staff."
)
async def revoke_bundle(ask: Ask, asked: RevokeBundleInput) -> RevokeBundlePayload:
    """Revoke a customer bundle."""
    held = await amend.revoke_bundle(
        ask.tx,
        ask.actor,
        CustomerBundleId(decode("CustomerBundle", asked.customer_bundle)),
        note=asked.note,
        now=ask.now,
    )
    return RevokeBundlePayload(customer_bundle=CustomerBundle.of(held))


@strawberry.input(description="A payment whose credits are to be taken away.")
class RevokeCreditsInput(Keyed):
    """A payment whose credits to revoke."""

    payment: strawberry.ID = strawberry.field(description="Which payment.")
    note: str | None = strawberry.field(default=None, description=NOTE)


@strawberry.type(description="What became of a request to revoke the credits of a payment.")
class RevokeCreditsPayload(Payload):
    """The copies."""

    customer_bundles: list[CustomerBundle] | None = strawberry.field(
        default=None,
        description="All bundles that the customer holds because of the payment, now empty."
        " What was spent of them before is in their `entries`, and stays booked.",
    )


@EXTENSION.mutation
@mutation(
    description="Take away all credits that are left of what a payment has bought or earned,"
    " such as after a dispute. For staff."
)
async def revoke_credits(ask: Ask, asked: RevokeCreditsInput) -> RevokeCreditsPayload:
    """Revoke the credits of a payment."""
    payment_id = PaymentId(decode("Payment", asked.payment))
    held = await amend.revoke_credits(
        ask.tx, ask.actor, payment_id, note=asked.note, now=ask.now
    )
    return RevokeCreditsPayload(customer_bundles=[CustomerBundle.of(each) for each in held])


@strawberry.input(description="A customer bundle that is to be valid for longer.")
class ExtendBundleInput(Keyed):
    """A customer bundle to extend."""

    customer_bundle: strawberry.ID = strawberry.field(description="Which copy.")
    expires_at: datetime = strawberry.field(
        description="When it is to expire: in the future, and no sooner than it does already."
    )


@strawberry.type(description="What became of a request to extend a customer bundle.")
class ExtendBundlePayload(Payload):
    """The copy."""

    customer_bundle: CustomerBundle | None = strawberry.field(
        default=None, description="The copy with its new expiry."
    )


@EXTENSION.mutation
@mutation(
    description="Let a customer bundle be valid until a later moment, also if it has expired."
    " One that was revoked cannot be. For staff."
)
async def extend_bundle(ask: Ask, asked: ExtendBundleInput) -> ExtendBundlePayload:
    """Extend a customer bundle."""
    held = await amend.extend_bundle(
        ask.tx,
        ask.actor,
        CustomerBundleId(decode("CustomerBundle", asked.customer_bundle)),
        asked.expires_at,
        now=ask.now,
    )
    return ExtendBundlePayload(customer_bundle=CustomerBundle.of(held))
