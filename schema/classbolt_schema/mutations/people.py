"""What staff do for customers: add them, give them bundles, note their payments."""

import strawberry

from classbolt import credits, customers, payments
from classbolt.values import BundleId, CustomerId, PaymentId
from classbolt_schema.compose.mutation import Ask, Payload, mutation
from classbolt_schema.mutations.inputs import key
from classbolt_schema.relations import EXTENSION
from classbolt_schema.types.booking import Payment
from classbolt_schema.types.bundle import CustomerBundle
from classbolt_schema.types.customer import Customer


@strawberry.input(description="A customer to add.")
class CreateCustomerInput:
    """A customer to add."""

    name: str = strawberry.field(description="What the person is called, up to 200 characters.")
    email: str | None = strawberry.field(
        default=None, description="Where the person can be written to."
    )


@strawberry.type(description="What became of a request to add a customer.")
class CreateCustomerPayload(Payload):
    """The customer."""

    customer: Customer | None = strawberry.field(default=None, description="The customer.")


@EXTENSION.mutation
@mutation(description="Add a customer. For staff.")
async def create_customer(ask: Ask, asked: CreateCustomerInput) -> CreateCustomerPayload:
    """Add a customer."""
    customer = await customers.create_customer(
        ask.tx, ask.actor, asked.name, asked.email, now=ask.now
    )
    return CreateCustomerPayload(customer=Customer.of(customer))


@strawberry.input(description="A bundle to give to a customer.")
class GiveBundleInput:
    """A bundle to give."""

    customer: strawberry.ID = strawberry.field(description="To whom.")
    bundle: strawberry.ID = strawberry.field(description="A copy of which bundle.")


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
        CustomerId(key("Customer", asked.customer, "customer")),
        BundleId(key("Bundle", asked.bundle, "bundle")),
        now=ask.now,
    )
    return GiveBundlePayload(customer_bundle=CustomerBundle.of(held))


@strawberry.input(description="A payment that has come.")
class MarkPaidInput:
    """A payment that has come."""

    payment: strawberry.ID = strawberry.field(description="Which payment.")


@strawberry.type(description="What became of a request to mark a payment as paid.")
class MarkPaidPayload(Payload):
    """The payment."""

    payment: Payment | None = strawberry.field(default=None, description="The payment.")


@EXTENSION.mutation
@mutation(
    description="Note that the money of an offline payment has come. Noting it again changes"
    " nothing. For staff."
)
async def mark_paid(ask: Ask, asked: MarkPaidInput) -> MarkPaidPayload:
    """Note that money has come."""
    payment_id = PaymentId(key("Payment", asked.payment, "payment"))
    payment = await payments.mark_paid(ask.tx, ask.actor, payment_id, now=ask.now)
    return MarkPaidPayload(payment=Payment.of(payment))
