"""What customers do: book a course or a session, cancel, swap; staff do it for them."""

import strawberry

from classbolt import book, bookings, cancel, swap
from classbolt.cancel import RefundChoice
from classbolt.values import BookingId, CourseId, CustomerId, SessionId
from classbolt_schema.compose.enums import show_enum
from classbolt_schema.compose.mutation import Ask, Payload, mutation
from classbolt_schema.mutations.inputs import key, optional_key
from classbolt_schema.relations import EXTENSION
from classbolt_schema.types.booking import Booking, Cancellation, CourseBooking
from classbolt_schema.types.course import Session
from classbolt_schema.types.pay_with import PayWithInput, to_pay_with

show_enum(
    RefundChoice,
    name="RefundChoice",
    description="What a cancellation is to give back.",
    values={
        RefundChoice.POLICY: "What the rules say.",
        RefundChoice.NONE: "Nothing, which only staff can choose.",
    },
)


@strawberry.input(description="A course to book.")
class BookCourseInput:
    """A course to book."""

    course: strawberry.ID = strawberry.field(description="Which course.")
    pay_with: PayWithInput = strawberry.field(description="How to pay.")
    customer: strawberry.ID | None = strawberry.field(
        default=None, description="For whom. Staff say so; customers book for themselves."
    )


@strawberry.type(description="What became of a request to book a course.")
class BookCoursePayload(Payload):
    """The course booking."""

    course_booking: CourseBooking | None = strawberry.field(
        default=None, description="The customer's place in the course."
    )


@EXTENSION.mutation
@mutation(
    description="Book a whole course: a place in each of its sessions, or nothing at all."
)
async def book_course(ask: Ask, asked: BookCourseInput) -> BookCoursePayload:
    """Book a course."""
    booked = await book.book_course(
        ask.tx,
        ask.actor,
        CourseId(key("Course", asked.course, "course")),
        optional_key(CustomerId, "Customer", asked.customer, "customer"),
        to_pay_with(asked.pay_with, "payWith"),
        now=ask.now,
    )
    return BookCoursePayload(course_booking=CourseBooking.of(booked))


@strawberry.input(description="A session to book on its own.")
class BookSessionInput:
    """A session to book."""

    session: strawberry.ID = strawberry.field(description="Which session.")
    pay_with: PayWithInput = strawberry.field(description="How to pay.")
    customer: strawberry.ID | None = strawberry.field(
        default=None, description="For whom. Staff say so; customers book for themselves."
    )


@strawberry.type(description="What became of a request to book a session.")
class BookSessionPayload(Payload):
    """The booking."""

    booking: Booking | None = strawberry.field(
        default=None, description="The customer's place in the session."
    )


@EXTENSION.mutation
@mutation(
    description="Book one session on its own, in a way that a bolt-on offers. `bookingOptions`"
    " says beforehand whether and how it can be booked."
)
async def book_session(ask: Ask, asked: BookSessionInput) -> BookSessionPayload:
    """Book a session."""
    booked = await book.book_session(
        ask.tx,
        ask.actor,
        SessionId(key("Session", asked.session, "session")),
        optional_key(CustomerId, "Customer", asked.customer, "customer"),
        to_pay_with(asked.pay_with, "payWith"),
        now=ask.now,
    )
    return BookSessionPayload(booking=Booking.of(booked))


@strawberry.input(description="A booking to cancel.")
class CancelBookingInput:
    """A booking to cancel."""

    booking: strawberry.ID = strawberry.field(description="Which booking.")
    refund: RefundChoice = strawberry.field(
        default=RefundChoice.POLICY, description="What it is to give back."
    )


@strawberry.type(description="What became of a request to cancel a booking.")
class CancelBookingPayload(Payload):
    """The cancellation."""

    booking: Booking | None = strawberry.field(
        default=None, description="The cancelled booking."
    )
    cancellation: Cancellation | None = strawberry.field(
        default=None, description="How it ended, with what it gave back."
    )
    already_cancelled: bool | None = strawberry.field(
        default=None,
        description="Whether it had been cancelled before; then nothing was changed, and the"
        " cancellation is the first one.",
    )


@EXTENSION.mutation
@mutation(
    description="Cancel one booking. A customer may always cancel before the session starts;"
    " `cancellationPreview` says beforehand what it gives back."
)
async def cancel_booking(ask: Ask, asked: CancelBookingInput) -> CancelBookingPayload:
    """Cancel a booking."""
    booking_id = BookingId(key("Booking", asked.booking, "booking"))
    done = await cancel.cancel_booking(
        ask.tx, ask.actor, booking_id, refund=asked.refund, now=ask.now
    )
    found = await bookings.find_bookings(ask.tx, [booking_id])
    return CancelBookingPayload(
        booking=Booking.of(found[booking_id]),
        cancellation=Cancellation.of(done.cancellation),
        already_cancelled=done.already,
    )


@strawberry.input(description="A booking to swap for a place in another session.")
class SwapBookingInput:
    """A booking to swap."""

    booking: strawberry.ID = strawberry.field(description="The booking to give up.")
    to_session: strawberry.ID = strawberry.field(description="The session to book instead.")
    pay_with: PayWithInput | None = strawberry.field(
        default=None,
        description="How to pay for it; null: with the credit that giving up the booking"
        " gives.",
    )


@strawberry.type(description="What became of a request to swap a booking.")
class SwapBookingPayload(Payload):
    """Both bookings."""

    cancellation: Cancellation | None = strawberry.field(
        default=None, description="How the old booking ended."
    )
    booking: Booking | None = strawberry.field(default=None, description="The new booking.")


@EXTENSION.mutation
@mutation(
    description="Swap a booking for a place in another session in one step: both change, or"
    " neither does."
)
async def swap_booking(ask: Ask, asked: SwapBookingInput) -> SwapBookingPayload:
    """Swap a booking."""
    done = await swap.swap_booking(
        ask.tx,
        ask.actor,
        BookingId(key("Booking", asked.booking, "booking")),
        SessionId(key("Session", asked.to_session, "toSession")),
        None if asked.pay_with is None else to_pay_with(asked.pay_with, "payWith"),
        now=ask.now,
    )
    return SwapBookingPayload(
        cancellation=Cancellation.of(done.cancellation), booking=Booking.of(done.booking)
    )


@strawberry.input(description="A session to call off.")
class CallOffSessionInput:
    """A session to call off."""

    session: strawberry.ID = strawberry.field(description="Which session.")
    refund: RefundChoice = strawberry.field(
        default=RefundChoice.POLICY, description="What its bookings are to give back."
    )


@strawberry.type(description="What became of a request to call a session off.")
class CallOffSessionPayload(Payload):
    """The session."""

    session: Session | None = strawberry.field(
        default=None, description="The session that was called off."
    )
    cancellations: list[Cancellation] | None = strawberry.field(
        default=None, description="How its bookings ended."
    )


@EXTENSION.mutation
@mutation(
    description="Call a session off. All its bookings are cancelled, and no notice is"
    " needed for their refunds. For managers and owners."
)
async def call_off_session(ask: Ask, asked: CallOffSessionInput) -> CallOffSessionPayload:
    """Call a session off."""
    done = await cancel.call_off_session(
        ask.tx,
        ask.actor,
        SessionId(key("Session", asked.session, "session")),
        refund=asked.refund,
        now=ask.now,
    )
    return CallOffSessionPayload(
        session=Session.of(done.session),
        cancellations=[Cancellation.of(each) for each in done.cancellations],
    )
