"""What staff do for customers: add, change, merge and erase them, note what they paid."""

import strawberry

from classbolt import cancellations, customers, departures, payments, staff_refunds
from classbolt.customers import CustomerChanges
from classbolt.errors import InvalidInput
from classbolt.values import BookingId, CustomerId, PaymentId, RefundId
from classbolt_schema.compose.mutation import Ask, Payload, mutation
from classbolt_schema.compose.once import Keyed
from classbolt_schema.ids import decode
from classbolt_schema.mutations.inputs import is_given, required
from classbolt_schema.relations import EXTENSION
from classbolt_schema.types.booking import Cancellation, Payment
from classbolt_schema.types.card_payment import CardRefund
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


@strawberry.input(
    description="What was refunded in another way: a cancelled booking, or a refund to a card"
    " that failed. Exactly one of them is named."
)
class MarkRefundedInput(Keyed):
    """A cancelled booking, or a refund that failed, that was refunded in another way."""

    booking: strawberry.ID | None = strawberry.field(
        default=None, description="Which booking; null if a refund is named."
    )
    refund: strawberry.ID | None = strawberry.field(
        default=None,
        description="Which refund, of those that are FAILED; null if a booking is named.",
    )
    note: str | None = strawberry.field(
        default=None, description="How it was refunded, up to 500 characters."
    )


@strawberry.type(
    description="What became of a request to mark a booking, or what failed, as refunded."
)
class MarkRefundedPayload(Payload):
    """The cancellation, or the refund."""

    cancellation: Cancellation | None = strawberry.field(
        default=None, description="How the booking ended that was named; null for a refund."
    )
    refund: CardRefund | None = strawberry.field(
        default=None, description="The refund that was named; null for a booking."
    )


@EXTENSION.mutation
@mutation(
    description="Note that a cancelled booking, or a refund that did not reach its card, was"
    " refunded in another way, such as in cash. Any cancelled booking can be, also one that"
    " `manualRefundsDue` does not list; of refunds only one that is FAILED, any other is"
    " NOT_FOUND. What is noted of a booking counts for the refund that its cancellation gave,"
    " and the other way round. Noting it again changes nothing. For staff."
)
async def mark_refunded(ask: Ask, asked: MarkRefundedInput) -> MarkRefundedPayload:
    """Note that a refund was made by hand."""
    match asked.booking, asked.refund:
        case str() as booking, None:
            booking_id = BookingId(decode("Booking", booking))
            cancelled = await cancellations.mark_refunded(
                ask.tx, ask.actor, booking_id, note=asked.note, now=ask.now
            )
            return MarkRefundedPayload(cancellation=Cancellation.of(cancelled))
        case None, str() as refund:
            refund_id = RefundId(decode("CardRefund", refund))
            failed = await staff_refunds.mark_refunded(
                ask.tx, ask.actor, refund_id, note=asked.note, now=ask.now
            )
            return MarkRefundedPayload(refund=CardRefund.of(failed))
    raise InvalidInput("Name a booking or a refund, and not both.", "booking")
