"""What customers do: book a course or a session, or swap; staff do it for them."""

import strawberry

from classbolt import book, book_course, swap
from classbolt.values import BookingId, CourseId, CustomerId, SessionId
from classbolt_schema.compose.mutation import After, Ask, Payload, mutation
from classbolt_schema.compose.once import Keyed
from classbolt_schema.ids import decode, decode_optional
from classbolt_schema.mutations.paying import card_payment
from classbolt_schema.relations import EXTENSION
from classbolt_schema.types.booking import Booking, Cancellation, CourseBooking
from classbolt_schema.types.card_payment import CardPayment
from classbolt_schema.types.pay_with import PayWithInput, to_pay_with


@strawberry.input(description="A course to book.")
class BookCourseInput(Keyed):
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
        default=None,
        description="The customer's place in the course; HELD until it is paid for by card.",
    )
    card_payment: CardPayment | None = strawberry.field(
        default=None,
        description="What is needed to pay by card; null if a card is not to pay, or has.",
    )


async def _pay_for_course(after: After, payload: BookCoursePayload) -> None:
    """Let the customer pay by card, if they chose to."""
    if payload.course_booking is not None:
        held = payload.course_booking.booking
        payload.card_payment = await card_payment(after, held.status, held.payment_id)


@EXTENSION.mutation
@mutation(
    name="bookCourse",
    description="Book a whole course: a place in each of its sessions that is to come, or"
    " nothing at all. `courseBookingOptions` says beforehand what it costs.",
    then=_pay_for_course,
)
async def book_course_(ask: Ask, asked: BookCourseInput) -> BookCoursePayload:
    """Book a course."""
    booked = await book_course.book_course(
        ask.tx,
        ask.actor,
        CourseId(decode("Course", asked.course)),
        decode_optional(CustomerId, "Customer", asked.customer),
        to_pay_with(asked.pay_with, "payWith"),
        now=ask.now,
    )
    return BookCoursePayload(course_booking=CourseBooking.of(booked))


@strawberry.input(description="A session to book on its own.")
class BookSessionInput(Keyed):
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
        default=None,
        description="The customer's place in the session; HELD until it is paid for by card.",
    )
    card_payment: CardPayment | None = strawberry.field(
        default=None,
        description="What is needed to pay by card; null if a card is not to pay, or has.",
    )


async def _pay_for_session(after: After, payload: BookSessionPayload) -> None:
    """Let the customer pay by card, if they chose to."""
    if payload.booking is not None:
        held = payload.booking.booking
        payload.card_payment = await card_payment(after, held.status, held.payment_id)


@EXTENSION.mutation
@mutation(
    description="Book one session on its own, in a way that a bolt-on offers. `bookingOptions`"
    " says beforehand whether and how it can be booked.",
    then=_pay_for_session,
)
async def book_session(ask: Ask, asked: BookSessionInput) -> BookSessionPayload:
    """Book a session."""
    booked = await book.book_session(
        ask.tx,
        ask.actor,
        SessionId(decode("Session", asked.session)),
        decode_optional(CustomerId, "Customer", asked.customer),
        to_pay_with(asked.pay_with, "payWith"),
        now=ask.now,
    )
    return BookSessionPayload(booking=Booking.of(booked))


@strawberry.input(description="A booking to swap for a place in another session.")
class SwapBookingInput(Keyed):
    """A booking to swap."""

    booking: strawberry.ID = strawberry.field(description="The booking to give up.")
    to_session: strawberry.ID = strawberry.field(description="The session to book instead.")
    pay_with: PayWithInput | None = strawberry.field(
        default=None,
        description="How to pay for it; null: with the credit that giving up the booking"
        " gives.",
    )
    expected: str | None = strawberry.field(
        default=None,
        description="The `quote` of a `cancellationPreview`. If giving up the booking gives"
        " something else by now, nothing is done and QUOTE_CHANGED is the answer.",
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
        BookingId(decode("Booking", asked.booking)),
        SessionId(decode("Session", asked.to_session)),
        None if asked.pay_with is None else to_pay_with(asked.pay_with, "payWith"),
        expected=asked.expected,
        now=ask.now,
    )
    return SwapBookingPayload(
        cancellation=Cancellation.of(done.cancellation), booking=Booking.of(done.booking)
    )
