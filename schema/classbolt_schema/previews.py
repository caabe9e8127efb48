"""What would happen if: previews, answered by the very rules that act."""

from collections.abc import Sequence
from typing import Annotated

import strawberry

from classbolt import book, book_course, cancel, setup_check, suggest
from classbolt.errors import NotBooked, NotFound, PlaceHeld, SessionStarted
from classbolt.values import BookingId, CourseId, CustomerId, SessionId
from classbolt_schema.compose.info import Info
from classbolt_schema.ids import decode, decode_optional
from classbolt_schema.pagination import page
from classbolt_schema.relations import EXTENSION
from classbolt_schema.types.preview import (
    BookingOptions,
    CancellationPreview,
    CourseBookingOptions,
    SetupCheck,
    SwapTargets,
)

OfCourse = Annotated[strawberry.ID, strawberry.argument(description="Which course.")]
OfSession = Annotated[strawberry.ID, strawberry.argument(description="Which session.")]
OfBooking = Annotated[strawberry.ID, strawberry.argument(description="Which booking.")]
ForCustomer = Annotated[
    strawberry.ID | None,
    strawberry.argument(description="For whom. Staff say so; customers ask for themselves."),
]


@EXTENSION.query(
    name="bookingOptions",
    description="How a session can be booked on its own at this moment, what it costs, and all"
    " that stands against it. Null if there is no such session.",
)
async def booking_options(
    info: Info, session: OfSession, customer: ForCustomer = None
) -> BookingOptions | None:
    """Preview a booking."""
    tx = await info.context.reading()
    try:
        decision = await book.booking_options(
            tx,
            tx.actor,
            SessionId(decode("Session", session)),
            decode_optional(CustomerId, "Customer", customer),
            now=info.context.now,
        )
    except NotFound:
        return None
    return BookingOptions.of(decision)


@EXTENSION.query(
    name="courseBookingOptions",
    description="How a whole course can be booked at this moment, what it costs, and all that"
    " stands against it. Null if there is no such course.",
)
async def course_booking_options(
    info: Info, course: OfCourse, customer: ForCustomer = None
) -> CourseBookingOptions | None:
    """Preview the booking of a course."""
    tx = await info.context.reading()
    try:
        decision = await book_course.course_booking_options(
            tx,
            tx.actor,
            CourseId(decode("Course", course)),
            decode_optional(CustomerId, "Customer", customer),
            now=info.context.now,
        )
    except NotFound:
        return None
    return CourseBookingOptions.of(decision)


@EXTENSION.query(
    name="cancellationPreview",
    description="What cancelling a booking would give back at this moment; cancelling in"
    " the same moment gives exactly that. Null if the caller has no such booking.",
)
async def cancellation_preview(info: Info, booking: OfBooking) -> CancellationPreview | None:
    """Preview a cancellation."""
    tx = await info.context.reading()
    try:
        found = await cancel.cancellation_preview(
            tx, tx.actor, BookingId(decode("Booking", booking)), now=info.context.now
        )
    except NotFound:
        return None
    except (NotBooked, PlaceHeld, SessionStarted) as no:
        return CancellationPreview.impossible(no)
    return CancellationPreview.of(found, tx.account.currency)


@EXTENSION.field(
    CancellationPreview,
    name="usableSessions",
    description="How many sessions with a free seat the credit would pay for, now or once"
    " they open. 0 if none is given, or if it would expire before any fitting session.",
)
async def usable_sessions(parents: Sequence[CancellationPreview], info: Info) -> Sequence[int]:
    """Count where credits could be spent."""
    tx, now = await info.context.reading(), info.context.now
    return [
        0
        if parent.preview is None
        else await suggest.usable_sessions(tx, tx.actor, parent.preview, now=now)
        for parent in parents
    ]


@EXTENSION.query(
    name="swapTargets",
    description="The sessions that a booking could be swapped for at this moment with"
    " `swapBooking`, the nearest in time to the one that would be given up first. Null if the"
    " caller has no such booking.",
)
async def swap_targets(
    info: Info,
    booking: OfBooking,
    first: Annotated[
        int, strawberry.argument(description="How many at most, up to a hundred.")
    ] = 10,
) -> SwapTargets | None:
    """Suggest where to swap to."""
    tx, now = await info.context.reading(), info.context.now
    most = page(first, None).first
    try:
        found = await cancel.cancellation_preview(
            tx, tx.actor, BookingId(decode("Booking", booking)), now=now
        )
    except NotFound:
        return None
    except (NotBooked, PlaceHeld, SessionStarted) as no:
        return SwapTargets.impossible(no)
    if found.terms.refusal is not None:
        return SwapTargets.impossible(found.terms.refusal)
    targets = await suggest.swap_targets(tx, tx.actor, found, most=most, now=now)
    return SwapTargets.of(targets)


@EXTENSION.query(
    name="courseSetupCheck",
    description="Whether a course is set up so that its customers can swap its sessions by"
    " themselves: a list of checks in the order in which things are set up. Null if there is"
    " no such course. For managers and owners.",
)
async def course_setup_check(info: Info, course: OfCourse) -> list[SetupCheck] | None:
    """Check how a course is set up."""
    tx = await info.context.reading()
    try:
        found = await setup_check.course_setup_check(
            tx,
            tx.actor,
            CourseId(decode("Course", course)),
            info.context.app.bolt_ons,
            now=info.context.now,
        )
    except NotFound:
        return None
    return [SetupCheck.of(each) for each in found]
