"""What a frontend needs to let a customer pay by card, and what goes back to the card."""

from datetime import datetime
from typing import Self

import strawberry

from classbolt import disputes, paying, refunds
from classbolt_schema.ids import encode
from classbolt_schema.scalars import Money
from classbolt_schema.types.node import Node


@strawberry.type(
    description="What Stripe.js needs to let the customer pay. Nothing is charged before that."
)
class CardPayment:
    """A payment that can be made now."""

    client_secret: str = strawberry.field(
        description="Lets whoever has it pay this one payment. Hand it to Stripe.js; do not"
        " store or log it."
    )
    publishable_key: str | None = strawberry.field(
        description="The key to start Stripe.js with; null where the frontend is to know it."
    )
    stripe_account: str | None = strawberry.field(
        description="The `stripeAccount` to start Stripe.js with; null where it needs none."
    )
    hold_until: datetime = strawberry.field(
        description="Until when the places are held, or the bundle can be paid for. Who pays"
        " later gets them if they are still to be had, or else the money back."
    )

    @classmethod
    def of(cls, to_pay: paying.ToPay) -> Self:
        """Show what core found."""
        return cls(
            client_secret=to_pay.client_secret,
            publishable_key=to_pay.publishable_key,
            stripe_account=to_pay.stripe_account,
            hold_until=to_pay.hold_until,
        )


@strawberry.type(description="Money that goes back to a card.")
class CardRefund(Node):
    """A refund to a card."""

    amount: Money = strawberry.field(description="How much.")
    cause: str = strawberry.field(
        description="Why: LATE if it was paid when no place was left, CANCELLATION if"
        " cancelling a place gave it, STAFF if the business said so, ELSEWHERE if it was made"
        " in Stripe's dashboard."
    )
    state: str = strawberry.field(
        description="REQUESTED, then SUBMITTED once Stripe has it, then SUCCEEDED; or"
        " FAILED, so that staff see to it. It stays FAILED when they have: see refundedAt."
    )
    requested_at: datetime = strawberry.field(description="When it was decided.")
    settled_at: datetime | None = strawberry.field(
        description="When it succeeded or failed; null before that."
    )
    failure: str | None = strawberry.field(
        description="Why it failed, in Stripe's word; null if it did not."
    )
    refunded_at: datetime | None = strawberry.field(
        description="When staff noted, here or on the cancelled booking, that they gave it back"
        " in another way; null if they have not."
    )
    refund: strawberry.Private[refunds.Refund]

    @classmethod
    def of(cls, refund: refunds.Refund) -> Self:
        """Show core's refund."""
        return cls(
            id=strawberry.ID(encode("CardRefund", refund.id)),
            amount=Money.of(refund.amount),
            cause=refund.cause,
            state=refund.state,
            requested_at=refund.requested_at,
            settled_at=refund.settled_at,
            failure=refund.failure,
            refunded_at=refund.refunded_at,
            refund=refund,
        )


@strawberry.type(
    description="A dispute: the customer's bank wants the money of a payment back. Stripe and"
    " the bank decide; answer it in Stripe's dashboard."
)
class CardDispute:
    """A dispute about a payment."""

    amount: Money = strawberry.field(description="How much is disputed.")
    reason: str = strawberry.field(
        description="What the bank says, in Stripe's word, such as fraudulent."
    )
    status: str = strawberry.field(
        description="How it stands, in Stripe's word, such as needs_response, won or lost."
    )
    opened_at: datetime = strawberry.field(description="When we heard of it.")
    closed_at: datetime | None = strawberry.field(
        description="When we heard that it was decided; null before that, and while it is "
        "appealed against."
    )
    dispute: strawberry.Private[disputes.Dispute]

    @classmethod
    def of(cls, dispute: disputes.Dispute) -> Self:
        """Show core's dispute."""
        return cls(
            amount=Money.of(dispute.amount),
            reason=dispute.reason,
            status=dispute.status,
            opened_at=dispute.opened_at,
            closed_at=dispute.closed_at,
            dispute=dispute,
        )
