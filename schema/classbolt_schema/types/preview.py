"""What would happen: answers that change nothing, from the very rules that act."""

from datetime import datetime
from typing import Self

import strawberry

from classbolt import book, facts
from classbolt.values import BundleId, CustomerBundleId
from classbolt_schema.scalars import Money
from classbolt_schema.types.booking import NoRefundReason
from classbolt_schema.user_errors import UserError, to_user_error


@strawberry.type(description="One way to pay for a session.")
class PaymentOption:
    """A payment option."""

    method: str = strawberry.field(description="The member of `payWith` to use.")
    user_errors: list[UserError] = strawberry.field(
        description="Why this option cannot be used; empty if it can."
    )
    customer_bundle_id: strawberry.Private[CustomerBundleId | None]

    @classmethod
    def of(cls, option: facts.PaymentOption) -> Self:
        """Show core's option."""
        return cls(
            method=option.method,
            user_errors=[to_user_error(reason) for reason in option.refusals],
            customer_bundle_id=None
            if option.source is None
            else CustomerBundleId(option.source),
        )


@strawberry.type(description="How a session could be booked on its own at this moment.")
class BookingOptions:
    """What the rules say about booking a session."""

    way: str | None = strawberry.field(
        description="The way it would be booked, such as drop_in; null if there is none."
    )
    price: Money | None = strawberry.field(
        description="What a place costs, shown also where only credits are accepted."
    )
    opens_at: datetime | None = strawberry.field(
        description="From when on it can be booked this way; null if there is no such moment."
    )
    payment_options: list[PaymentOption] = strawberry.field(
        description="The ways to pay. A credit stands here once for each bundle held, and once"
        " without a bundle, which means: the one that fits best."
    )
    user_errors: list[UserError] = strawberry.field(
        description="All that stands against booking it, however it is paid; empty if"
        " nothing does."
    )

    @classmethod
    def of(cls, decision: book.Decision) -> Self:
        """Show core's decision."""
        way = decision.draft.way
        return cls(
            way=None if way is None else way.code,
            price=None if way is None else Money.of(way.price),
            opens_at=None if way is None else way.opens_at,
            payment_options=[PaymentOption.of(option) for option in decision.options],
            user_errors=[to_user_error(reason) for reason in decision.refusals],
        )


@strawberry.type(description="What cancelling a booking would give back at this moment.")
class CancellationPreview:
    """What the rules say about cancelling a booking."""

    outcome: str | None = strawberry.field(
        description="NEW_BUNDLE, CREDIT_BACK or NONE; null if it cannot be cancelled."
    )
    reason: NoRefundReason | None = strawberry.field(
        description="Why nothing would be given; null if something would."
    )
    deadline: datetime | None = strawberry.field(
        description="Until when cancelling gives something back; null if no moment does."
    )
    expires_at: datetime | None = strawberry.field(
        description="When the bundle that would be issued would expire."
    )
    user_errors: list[UserError] = strawberry.field(
        description="Why it cannot be cancelled at all; empty if it can."
    )
    bundle_id: strawberry.Private[BundleId | None] = None
    customer_bundle_id: strawberry.Private[CustomerBundleId | None] = None

    @classmethod
    def of(cls, terms: facts.Terms) -> Self:
        """Show core's terms."""
        reason = None
        if terms.refusal is not None:
            reason = NoRefundReason(code=terms.refusal.code, message=terms.refusal.message)
        preview = cls(
            outcome="NONE",
            reason=reason,
            deadline=terms.deadline,
            expires_at=None,
            user_errors=[],
        )
        match terms.give_back:
            case facts.IssueBundle(bundle_id, expires_at):
                preview.outcome = "NEW_BUNDLE"
                preview.bundle_id = bundle_id
                preview.expires_at = expires_at
            case facts.CreditBack(customer_bundle_id):
                preview.outcome = "CREDIT_BACK"
                preview.customer_bundle_id = customer_bundle_id
        return preview
