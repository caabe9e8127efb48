"""What has happened, as bolt-ons are told of it after the commit: ids and moments, no names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from classbolt.values import BookingId, CourseBookingId, CustomerId, SessionId


@dataclass(frozen=True, slots=True)
class BookingPlaced:
    """A customer has a place in a session.

    Attributes:
        course_booking_id: The course booking that it belongs to, if it does.
    """

    booking_id: BookingId
    session_id: SessionId
    customer_id: CustomerId
    course_booking_id: CourseBookingId | None
    placed_at: datetime


@dataclass(frozen=True, slots=True)
class BookingCancelled:
    """A customer's place in a session has been given up.

    Attributes:
        by_business: Whether the business ended it, as when a session is called off.
    """

    booking_id: BookingId
    session_id: SessionId
    customer_id: CustomerId
    by_business: bool
    cancelled_at: datetime
