"""Seats, time, places and who holds them."""

from __future__ import annotations

from classbolt.errors.base import Refusal


class SessionFull(Refusal):
    """Every seat of the session is taken."""

    code = "SESSION_FULL"
    hint = "Choose another session, or try again when somebody has cancelled."

    def __init__(self) -> None:
        super().__init__("Every seat of this session is taken.")


class SessionStarted(Refusal):
    """The session has already started."""

    code = "SESSION_STARTED"

    def __init__(self) -> None:
        super().__init__("This session has already started.")


class SessionCalledOff(Refusal):
    """The business called the session off."""

    code = "SESSION_CALLED_OFF"

    def __init__(self) -> None:
        super().__init__("This session was called off.")


class CourseStarted(Refusal):
    """The course has begun and does not take late joiners."""

    code = "COURSE_STARTED"
    hint = "Look for sessions of the course that take drop-ins."

    def __init__(self) -> None:
        super().__init__("This course has already started.")


class CourseFull(Refusal):
    """At least one remaining session of the course has no free seat."""

    code = "COURSE_FULL"
    hint = "Choose another course, or single sessions of this one that take drop-ins."

    def __init__(self) -> None:
        super().__init__("This course is full.")


class CourseWithoutSessions(Refusal):
    """The course has no session left that could be booked."""

    code = "COURSE_WITHOUT_SESSIONS"

    def __init__(self) -> None:
        super().__init__("This course has no session that can be booked.")


class AlreadyBooked(Refusal):
    """The customer already holds a place in this session or course."""

    code = "ALREADY_BOOKED"
    hint = "Keep that place, or give it up first with cancelBooking or abandonPayment."

    def __init__(self, message: str = "This customer already has a place here.") -> None:
        super().__init__(message)


class PlaceHeld(Refusal):
    """The place is held for somebody who is paying for it, and is not theirs yet."""

    code = "PLACE_HELD"
    hint = "Pay, or give the payment up with abandonPayment."

    def __init__(self) -> None:
        super().__init__("This place is held while it is being paid for.")


class NotBooked(Refusal):
    """The booking is no longer active."""

    code = "NOT_BOOKED"

    def __init__(self) -> None:
        super().__init__("This booking is no longer active.")


class NoWayToBook(Refusal):
    """Nothing that is switched on lets a single session like this be booked."""

    code = "NO_WAY_TO_BOOK"
    hint = "Book the whole course."

    def __init__(self) -> None:
        super().__init__("This session cannot be booked on its own.")


class CustomerHasBookings(Refusal):
    """The customer has places in sessions that are still to come."""

    code = "CUSTOMER_HAS_BOOKINGS"

    def __init__(self) -> None:
        super().__init__(
            "This customer has places in sessions to come. Please cancel them first."
        )
