"""What would happen: answers that change nothing, from the very rules that act."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

import strawberry

from classbolt import book, book_course, cancel, facts
from classbolt.errors import Refusal
from classbolt.quotes import quote_of
from classbolt.values import BundleId, CustomerBundleId
from classbolt_schema.scalars import Money
from classbolt_schema.types.booking import NoRefundReason
from classbolt_schema.types.course import Session
from classbolt_schema.user_errors import UserError, to_user_error


@strawberry.type(description="One way to pay for a session or a course.")
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


@strawberry.type(description="How a whole course could be booked at this moment.")
class CourseBookingOptions:
    """What the rules say about booking a course."""

    price: Money = strawberry.field(
        description="What it costs now. Who joins late may pay for the rest only."
    )
    sessions_left: int = strawberry.field(
        description="In how many sessions there would be a place: those that are to come."
    )
    sessions_total: int = strawberry.field(
        description="How many sessions it has in all, without those that were called off."
    )
    payment_options: list[PaymentOption] = strawberry.field(description="The ways to pay.")
    user_errors: list[UserError] = strawberry.field(
        description="All that stands against booking it, however it is paid; empty if"
        " nothing does."
    )

    @classmethod
    def of(cls, decision: book_course.CourseDecision) -> Self:
        """Show core's decision."""
        return cls(
            price=Money.of(decision.price),
            sessions_left=len(decision.sessions),
            sessions_total=decision.total,
            payment_options=[PaymentOption.of(option) for option in decision.options],
            user_errors=[to_user_error(reason) for reason in decision.refusals],
        )


@strawberry.type(description="What cancelling a booking would give back at this moment.")
class CancellationPreview:
    """What the rules say about cancelling a booking."""

    outcome: str | None = strawberry.field(
        description="NEW_BUNDLE, CREDIT_BACK, PAID_BACK or NONE; null if it cannot be"
        " cancelled."
    )
    amount: Money | None = strawberry.field(
        description="What would go back to the card; null if nothing would."
    )
    reason: NoRefundReason | None = strawberry.field(
        description="Why nothing would be given; null if something would."
    )
    deadline: datetime | None = strawberry.field(
        description="Until when cancelling gives something back; null if no moment does."
    )
    expires_at: datetime | None = strawberry.field(
        description="When the bundle that would be issued would expire, or to when the"
        " validity of the one that gets its credit back would be extended."
    )
    quote: str | None = strawberry.field(
        description="Opaque. Given as `expected` when cancelling or swapping, it holds us to"
        " this answer; null if it cannot be cancelled."
    )
    user_errors: list[UserError] = strawberry.field(
        description="Why it cannot be cancelled at all; empty if it can."
    )
    bundle_id: strawberry.Private[BundleId | None] = None
    customer_bundle_id: strawberry.Private[CustomerBundleId | None] = None
    preview: strawberry.Private[cancel.Preview | None] = None

    @classmethod
    def impossible(cls, reason: Refusal) -> Self:
        """Show why a booking cannot be cancelled."""
        return cls(
            outcome=None,
            amount=None,
            reason=None,
            deadline=None,
            expires_at=None,
            quote=None,
            user_errors=[to_user_error(reason)],
        )

    @classmethod
    def of(cls, found: cancel.Preview, currency: str) -> Self:
        """Show core's preview."""
        terms, reason = found.terms, None
        if terms.refusal is not None:
            reason = NoRefundReason(code=terms.refusal.code, message=terms.refusal.message)
        preview = cls(
            outcome="NONE",
            amount=None,
            reason=reason,
            deadline=terms.deadline,
            expires_at=None,
            quote=quote_of(terms),
            user_errors=[],
            preview=found,
        )
        match terms.give_back:
            case facts.IssueBundle(bundle_id, expires_at):
                preview.outcome = "NEW_BUNDLE"
                preview.bundle_id = bundle_id
                preview.expires_at = expires_at
            case facts.CreditBack(customer_bundle_id, expires_at):
                preview.outcome = "CREDIT_BACK"
                preview.customer_bundle_id = customer_bundle_id
                preview.expires_at = expires_at
            case facts.PayBack(amount_minor):
                preview.outcome = "PAID_BACK"
                preview.amount = Money(amount_minor=amount_minor, currency=currency)
        return preview


@strawberry.type(description="What a booking could be swapped for at this moment.")
class SwapTargets:
    """Sessions to swap to."""

    sessions: list[Session] = strawberry.field(
        description="Sessions with a free seat that the credit for the booking pays for, the"
        " nearest to the one that would be given up first."
    )
    user_errors: list[UserError] = strawberry.field(
        description="Why giving up the booking gives no credit to swap with; empty if it does."
    )

    @classmethod
    def of(cls, found: Sequence[facts.SessionFacts]) -> Self:
        """Show core's sessions."""
        return cls(sessions=[Session.of(each) for each in found], user_errors=[])

    @classmethod
    def impossible(cls, reason: Refusal) -> Self:
        """Show why there is nothing to swap with."""
        return cls(sessions=[], user_errors=[to_user_error(reason)])


@strawberry.type(description="One line of the list that says how a course is set up.")
class SetupCheck:
    """A check."""

    code: str = strawberry.field(
        description="Names the check, in capitals, whether it passed or not."
    )
    passed: bool = strawberry.field(description="Whether it is as it should be.")
    message: str = strawberry.field(description="What was found, in English.")
    fix: str | None = strawberry.field(
        description="What to do about it; null exactly if the check passed."
    )

    @classmethod
    def of(cls, check: facts.SetupCheck) -> Self:
        """Show core's check."""
        return cls(code=check.code, passed=check.passed, message=check.message, fix=check.fix)
