"""Bookings, what was paid for them, and how they end."""

from datetime import datetime
from typing import Self

import strawberry

from classbolt import bookings, cancellations, payments
from classbolt.card_rules import State
from classbolt_schema.ids import encode
from classbolt_schema.scalars import Money
from classbolt_schema.types.node import Node
from classbolt_schema.types.staff import Actor


@strawberry.type(description="What a customer owes or has paid.")
class Payment(Node):
    """A payment."""

    method: str = strawberry.field(description="How: card, offline, or free.")
    amount: Money = strawberry.field(description="How much.")
    state: str = strawberry.field(
        description="OWED until staff note that the money came, then PAID. By card: PENDING"
        " while its places are held and the customer pays, then PAID; EXPIRED if nobody paid in"
        " time; RETURNED if it was paid too late, so that the money goes back."
    )
    hold_until: datetime | None = strawberry.field(
        description="Until when its places are held, or its bundle can be paid for, of a"
        " payment by card that is PENDING; null otherwise."
    )
    paid_at: datetime | None = strawberry.field(
        description="When staff noted that the money had come, when the card was charged, or"
        " when something free was taken; null while it is owed."
    )
    payment: strawberry.Private[payments.Payment]

    @classmethod
    def of(cls, payment: payments.Payment) -> Self:
        """Show core's payment."""
        return cls(
            id=strawberry.ID(encode("Payment", payment.id)),
            method=payment.method,
            amount=Money.of(payment.amount),
            state=payment.state,
            hold_until=payment.hold_until if payment.card_state is State.PENDING else None,
            paid_at=payment.paid_at,
            payment=payment,
        )


@strawberry.type(description="A customer's place in one session.")
class Booking(Node):
    """A booking."""

    status: str = strawberry.field(
        description="BOOKED or CANCELLED; HELD while it is paid for by card, EXPIRED if nothing"
        " came of that."
    )
    way: str = strawberry.field(
        description="The way it was booked: course for a place that came with a course, or"
        " what a bolt-on calls its way, such as drop_in."
    )
    booked_at: datetime = strawberry.field(description="When.")
    booking: strawberry.Private[bookings.Booking]

    @classmethod
    def of(cls, booking: bookings.Booking) -> Self:
        """Show core's booking."""
        return cls(
            id=strawberry.ID(encode("Booking", booking.id)),
            status=booking.status,
            way=booking.way,
            booked_at=booking.booked_at,
            booking=booking,
        )


@strawberry.type(
    description="A customer's place in a whole course: one booking for each session."
)
class CourseBooking(Node):
    """A course booking."""

    status: str = strawberry.field(
        description="BOOKED, or CANCELLED once the business has cancelled it as a whole; HELD"
        " while it is paid for by card, EXPIRED if nothing came of that."
    )
    booked_at: datetime = strawberry.field(description="When.")
    booking: strawberry.Private[bookings.CourseBooking]

    @classmethod
    def of(cls, booking: bookings.CourseBooking) -> Self:
        """Show core's course booking."""
        return cls(
            id=strawberry.ID(encode("CourseBooking", booking.id)),
            status=booking.status,
            booked_at=booking.booked_at,
            booking=booking,
        )


@strawberry.type(
    description="Why a cancellation gives nothing back. It is no error: it still happens."
)
class NoRefundReason:
    """Why nothing was given back."""

    code: str = strawberry.field(
        description="Names the reason, in capitals, such as NOTICE_TOO_SHORT or UNPAID."
    )
    message: str = strawberry.field(description="Explains the reason to a person, in English.")


@strawberry.type(description="What a cancellation gave back.")
class Refund:
    """The outcome of a cancellation."""

    outcome: str = strawberry.field(
        description="NEW_BUNDLE if a bundle was issued, CREDIT_BACK if a credit went back"
        " to the bundle that had paid, PAID_BACK if money goes back to the card, NONE if"
        " nothing was given."
    )
    reason: NoRefundReason | None = strawberry.field(
        description="Why nothing was given; null if something was."
    )
    cancellation: strawberry.Private[cancellations.Cancellation]


@strawberry.type(description="How a booking ended.")
class Cancellation:
    """A cancellation."""

    cancelled_at: datetime = strawberry.field(description="When.")
    by: str = strawberry.field(description="Who cancelled: CUSTOMER, STAFF or SYSTEM.")
    actor: Actor = strawberry.field(description="Who cancelled, with a name where it is due.")
    choice: str = strawberry.field(
        description="What was wished for: POLICY for what the rules say, NONE for nothing,"
        " GOODWILL for more than they say, CREDITS for a credit for each place of a course,"
        " CASH for the price of each."
    )
    session_called_off: bool = strawberry.field(
        description="Whether it was cancelled because the business called the session off."
    )
    refund: Refund = strawberry.field(description="What it gave back.")
    refund_due: bool = strawberry.field(
        description="Whether a refund by hand is due: the business called off what was paid"
        " for, or wants the money to go back, and nothing was given. It stays true when that"
        " was made: see refundedAt."
    )
    refunded_at: datetime | None = strawberry.field(
        description="When staff noted that it was refunded in another way; null if they have"
        " not."
    )
    cancellation: strawberry.Private[cancellations.Cancellation]

    @classmethod
    def of(cls, found: cancellations.Cancellation) -> Self:
        """Show core's cancellation."""
        reason = None
        if found.reason is not None:
            reason = NoRefundReason(code=found.reason, message=found.reason_text or "")
        return cls(
            cancelled_at=found.cancelled_at,
            by=found.actor_kind,
            actor=Actor(kind=found.actor_kind, person=found.actor_id),
            choice=found.choice,
            session_called_off=found.by_business,
            refund=Refund(outcome=found.outcome, reason=reason, cancellation=found),
            refund_due=found.refund_due,
            refunded_at=found.refunded_at,
            cancellation=found,
        )
