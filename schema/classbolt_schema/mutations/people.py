"""What staff do for customers: add, change, merge and erase them, note what they paid."""

import strawberry

from classbolt import cancellations, customers, departures, payments
from classbolt.customers import CustomerChanges
from classbolt.values import BookingId, CustomerId, PaymentId
from classbolt_schema.compose.mutation import Ask, Payload, mutation
from classbolt_schema.compose.once import Keyed
from classbolt_schema.ids import decode
from classbolt_schema.mutations.inputs import is_given, required
from classbolt_schema.relations import EXTENSION
from classbolt_schema.types.booking import Cancellation, Payment
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


@strawberry.input(description="Changes to a customer; what is left out stays as it is.")
class UpdateCustomerInput:
    """Changes to a customer."""

    customer: strawberry.ID = strawberry.field(description="Which customer.")
    name: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="What the person is called, up to 200 characters.",
    )
    email: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Where the person can be written to; null for nowhere.",
    )


@strawberry.type(description="What became of a request to change a customer.")
class UpdateCustomerPayload(Payload):
    """The customer."""

    customer: Customer | None = strawberry.field(
        default=None, description="The changed customer."
    )


@EXTENSION.mutation
@mutation(description="Change a customer's name or address. For staff.")
async def update_customer(ask: Ask, asked: UpdateCustomerInput) -> UpdateCustomerPayload:
    """Change a customer."""
    changes: CustomerChanges = {}
    if is_given(asked.name):
        changes["name"] = required(asked.name, "name")
    if is_given(asked.email):
        changes["email"] = asked.email
    customer_id = CustomerId(decode("Customer", asked.customer))
    customer = await customers.update_customer(ask.tx, ask.actor, customer_id, changes)
    return UpdateCustomerPayload(customer=Customer.of(customer))


@strawberry.input(description="Two customers who are one person.")
class MergeCustomersInput(Keyed):
    """Two customers who are one person."""

    from_: strawberry.ID = strawberry.field(
        name="from", description="The customer who goes. Their name and address are forgotten."
    )
    into: strawberry.ID = strawberry.field(description="The customer who stays.")


@strawberry.type(description="What became of a request to merge customers.")
class MergeCustomersPayload(Payload):
    """The customer who stays."""

    customer: Customer | None = strawberry.field(
        default=None, description="The customer who stays."
    )


@EXTENSION.mutation
@mutation(
    description="Make one customer of two: bookings, payments, bundles and access of the first"
    " become the second's. It is refused if both have a place in the same session or course,"
    " and cannot be undone. For managers and owners."
)
async def merge_customers(ask: Ask, asked: MergeCustomersInput) -> MergeCustomersPayload:
    """Merge two customers."""
    gone = CustomerId(decode("Customer", asked.from_))
    kept = CustomerId(decode("Customer", asked.into))
    customer = await departures.merge_customers(ask.tx, ask.actor, gone, kept)
    return MergeCustomersPayload(customer=Customer.of(customer))


@strawberry.input(description="A customer to forget.")
class EraseCustomerInput(Keyed):
    """A customer to forget."""

    customer: strawberry.ID = strawberry.field(description="Which customer.")


@strawberry.type(description="What became of a request to erase a customer.")
class EraseCustomerPayload(Payload):
    """What is left."""

    customer: Customer | None = strawberry.field(
        default=None, description="What is left of the customer: nothing that names them."
    )


@EXTENSION.mutation
@mutation(
    description="Forget who a customer was. Name, address, access and the notes of staff are"
    " erased, what they hold is revoked; past bookings and the ledger stay, without a name. It"
    " is refused while they have a place in a session to come, and cannot be undone. For"
    " owners."
)
async def erase_customer(ask: Ask, asked: EraseCustomerInput) -> EraseCustomerPayload:
    """Erase a customer."""
    customer_id = CustomerId(decode("Customer", asked.customer))
    customer = await departures.erase_customer(ask.tx, ask.actor, customer_id, now=ask.now)
    return EraseCustomerPayload(customer=Customer.of(customer))


@strawberry.input(description="A payment that has come.")
class MarkPaidInput(Keyed):
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
    payment_id = PaymentId(decode("Payment", asked.payment))
    payment = await payments.mark_paid(ask.tx, ask.actor, payment_id, now=ask.now)
    return MarkPaidPayload(payment=Payment.of(payment))


@strawberry.input(description="A cancelled booking that was refunded in another way.")
class MarkRefundedInput(Keyed):
    """A cancelled booking that was refunded in another way."""

    booking: strawberry.ID = strawberry.field(description="Which booking.")
    note: str | None = strawberry.field(
        default=None, description="How it was refunded, up to 500 characters."
    )


@strawberry.type(description="What became of a request to mark a booking as refunded.")
class MarkRefundedPayload(Payload):
    """The cancellation."""

    cancellation: Cancellation | None = strawberry.field(
        default=None, description="How the booking ended."
    )


@EXTENSION.mutation
@mutation(
    description="Note that a cancelled booking was refunded in another way, such as in cash."
    " Any can be, also one that `manualRefundsDue` does not list. Noting it again changes"
    " nothing. For staff."
)
async def mark_refunded(ask: Ask, asked: MarkRefundedInput) -> MarkRefundedPayload:
    """Note that a refund was made by hand."""
    booking_id = BookingId(decode("Booking", asked.booking))
    found = await cancellations.mark_refunded(
        ask.tx, ask.actor, booking_id, note=asked.note, now=ask.now
    )
    return MarkRefundedPayload(cancellation=Cancellation.of(found))
