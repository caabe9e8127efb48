"""What ends bookings: customers and staff cancel, the business calls off."""

from enum import Enum

import strawberry

from classbolt import bookings, call_off, cancel, cancel_course
from classbolt.errors import InvalidInput
from classbolt.terms import Choice, Wish
from classbolt.values import BookingId, BundleId, CourseBookingId, CourseId, SessionId
from classbolt_schema.compose.enums import show_enum
from classbolt_schema.compose.mutation import Ask, Payload, mutation
from classbolt_schema.compose.once import Keyed
from classbolt_schema.ids import decode, decode_optional
from classbolt_schema.relations import EXTENSION
from classbolt_schema.types.booking import Booking, Cancellation, CourseBooking
from classbolt_schema.types.course import Session


class RefundChoice(Enum):
    """What of core's choices a client can name."""

    POLICY = Choice.POLICY
    NONE = Choice.NONE
    GOODWILL = Choice.GOODWILL


show_enum(
    RefundChoice,
    name="RefundChoice",
    description="What a cancellation is to give back.",
    values={
        RefundChoice.POLICY: "What the rules say.",
        RefundChoice.NONE: "Nothing, which only staff can choose.",
        RefundChoice.GOODWILL: "What the rules would give if notice did not matter, or a copy"
        " of the bundle that is named. Only staff can choose it, and must say why.",
    },
)

QUOTE = (
    "The `quote` of a `cancellationPreview`. If cancelling gives something else by now, nothing"
    " is done and QUOTE_CHANGED is the answer."
)


@strawberry.input(description="A booking to cancel.")
class CancelBookingInput(Keyed):
    """A booking to cancel."""

    booking: strawberry.ID = strawberry.field(description="Which booking.")
    refund: RefundChoice = strawberry.field(
        default=RefundChoice.POLICY, description="What it is to give back."
    )
    reason: str | None = strawberry.field(
        default=None,
        description="Why staff choose so, up to 500 characters. GOODWILL needs one.",
    )
    bundle: strawberry.ID | None = strawberry.field(
        default=None,
        description="For GOODWILL: the bundle of which a copy is issued; null for what the"
        " rules would give.",
    )
    expected: str | None = strawberry.field(default=None, description=QUOTE)


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
    " `cancellationPreview` says beforehand what it gives back. Staff may cancel up to 30 days"
    " after it started, but then only goodwill gives something back."
)
async def cancel_booking(ask: Ask, asked: CancelBookingInput) -> CancelBookingPayload:
    """Cancel a booking."""
    booking_id = BookingId(decode("Booking", asked.booking))
    wish = Wish(
        asked.refund.value,
        asked.reason,
        decode_optional(BundleId, "Bundle", asked.bundle),
        expected=asked.expected,
    )
    done = await cancel.cancel_booking(ask.tx, ask.actor, booking_id, wish=wish, now=ask.now)
    found = await bookings.find_bookings(ask.tx, [booking_id])
    return CancelBookingPayload(
        booking=Booking.of(found[booking_id]),
        cancellation=Cancellation.of(done.cancellation),
        already_cancelled=done.already,
    )


@strawberry.input(description="A credit for each place.")
class CourseCreditsInput:
    """A credit for each place."""

    bundle: strawberry.ID = strawberry.field(
        description="The bundle of which a copy is issued for each place."
    )


@strawberry.input(
    one_of=True,
    description="What cancelling a course booking gives back: exactly one of the members, the"
    " same for all its places.",
)
class CourseRefundInput:
    """One outcome for all places."""

    none: bool | None = strawberry.field(default=strawberry.UNSET, description="true: nothing.")
    credits: CourseCreditsInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="A copy of a bundle for each place that is still to come.",
    )
    cash: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="true: to the card, what the places that are still to come have cost of the"
        " price of the course. What was paid in another way is due by hand:"
        " `manualRefundsDue`.",
    )


@strawberry.input(description="A course booking to cancel as a whole.")
class CancelCourseBookingInput(Keyed):
    """A course booking to cancel."""

    course_booking: strawberry.ID = strawberry.field(description="Which course booking.")
    refund: CourseRefundInput = strawberry.field(description="What it gives back.")
    reason: str | None = strawberry.field(
        default=None, description="Why, up to 500 characters; kept with each cancellation."
    )


@strawberry.type(description="What became of a request to cancel a course booking.")
class CancelCourseBookingPayload(Payload):
    """The course booking."""

    course_booking: CourseBooking | None = strawberry.field(
        default=None, description="The cancelled course booking."
    )
    cancellations: list[Cancellation] | None = strawberry.field(
        default=None, description="How its places that were still to come ended."
    )
    already_cancelled: bool | None = strawberry.field(
        default=None,
        description="Whether it had been cancelled before; then nothing was changed.",
    )


@EXTENSION.mutation
@mutation(
    description="Cancel a customer's whole course booking: every place that is still to come,"
    " with one outcome for all. Sessions that have started stay as they are. For staff."
)
async def cancel_course_booking(
    ask: Ask, asked: CancelCourseBookingInput
) -> CancelCourseBookingPayload:
    """Cancel a course booking."""
    done = await cancel_course.cancel_course_booking(
        ask.tx,
        ask.actor,
        CourseBookingId(decode("CourseBooking", asked.course_booking)),
        wish=_course_wish(asked),
        now=ask.now,
    )
    return CancelCourseBookingPayload(
        course_booking=CourseBooking.of(done.course_booking),
        cancellations=[Cancellation.of(each) for each in done.cancellations],
        already_cancelled=done.already,
    )


def _course_wish(asked: CancelCourseBookingInput) -> Wish:
    credits = asked.refund.credits
    if isinstance(credits, CourseCreditsInput):
        place = ("refund", "credits", "bundle")
        bundle_id = BundleId(decode("Bundle", credits.bundle))
        return Wish(Choice.CREDITS, asked.reason, bundle_id, place)
    choice, chosen_ = (
        (Choice.NONE, asked.refund.none)
        if asked.refund.none is not strawberry.UNSET
        else (Choice.CASH, asked.refund.cash)
    )
    if chosen_ is not True:
        raise InvalidInput("Say true to choose this.", "refund", choice.value.lower())
    return Wish(choice, asked.reason)


@strawberry.input(description="A session to call off.")
class CallOffSessionInput(Keyed):
    """A session to call off."""

    session: strawberry.ID = strawberry.field(description="Which session.")
    refund: RefundChoice = strawberry.field(
        default=RefundChoice.POLICY,
        description="What its bookings are to give back: POLICY or NONE.",
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
    " needed for their refunds. What was paid for and gives nothing back is listed in"
    " `manualRefundsDue`. For managers and owners."
)
async def call_off_session(ask: Ask, asked: CallOffSessionInput) -> CallOffSessionPayload:
    """Call a session off."""
    done = await call_off.call_off_session(
        ask.tx,
        ask.actor,
        SessionId(decode("Session", asked.session)),
        wish=Wish(asked.refund.value),
        now=ask.now,
    )
    return CallOffSessionPayload(
        session=Session.of(done.sessions[0]),
        cancellations=[Cancellation.of(each) for each in done.cancellations],
    )


@strawberry.input(description="A course to call off.")
class CallOffCourseInput(Keyed):
    """A course to call off."""

    course: strawberry.ID = strawberry.field(description="Which course.")
    refund: RefundChoice = strawberry.field(
        default=RefundChoice.POLICY,
        description="What its bookings are to give back: POLICY or NONE.",
    )


@strawberry.type(description="What became of a request to call a course off.")
class CallOffCoursePayload(Payload):
    """The sessions."""

    sessions: list[Session] | None = strawberry.field(
        default=None, description="The sessions that were called off, in the order they start."
    )
    cancellations: list[Cancellation] | None = strawberry.field(
        default=None, description="How their bookings ended."
    )


@EXTENSION.mutation
@mutation(
    description="Call off all sessions of a course that are to come, as with `callOffSession`,"
    " and end the bookings of the course. For managers and owners."
)
async def call_off_course(ask: Ask, asked: CallOffCourseInput) -> CallOffCoursePayload:
    """Call a course off."""
    done = await call_off.call_off_course(
        ask.tx,
        ask.actor,
        CourseId(decode("Course", asked.course)),
        wish=Wish(asked.refund.value),
        now=ask.now,
    )
    return CallOffCoursePayload(
        sessions=[Session.of(each) for each in done.sessions],
        cancellations=[Cancellation.of(each) for each in done.cancellations],
    )
