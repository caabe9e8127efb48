"""What a bolt-on may import of core: hooks, facts, refusals, a few reads.

Beside it `classbolt.tables` to point at.
"""

from classbolt.bookings import BOOKED, TAKES_A_SEAT, Booking
from classbolt.bundles import Bundle, find_bundles, tags_of_bundles
from classbolt.cancellations import Cancellation, refunds_given
from classbolt.checks import methods as check_methods
from classbolt.checks import mine
from classbolt.checks import number as check_number
from classbolt.checks import period as check_period
from classbolt.checks import price as check_price
from classbolt.courses import course_ends, find_courses, upcoming_sessions
from classbolt.db import Tx
from classbolt.errors import (
    AlreadyRefunded,
    CreditExpired,
    CreditExpiresBeforeSession,
    InsufficientCredits,
    InvalidInput,
    NotFound,
    NotPaidByCard,
    Refusal,
    Refusals,
)
from classbolt.events import BookingCancelled, BookingPlaced
from classbolt.facts import (
    CARD,
    COURSE,
    CREDIT,
    FREE,
    OFFLINE,
    BookingDraft,
    BookingFacts,
    CourseFacts,
    CreditBack,
    Free,
    HeldBundle,
    IssueBundle,
    PayBack,
    PaymentOption,
    RecordOffline,
    SessionFacts,
    SetupCheck,
    SpendCredit,
    TakeCard,
    Terms,
    WayToBook,
)
from classbolt.given import Given
from classbolt.hooks import BoltOn, BoltOnInfo
from classbolt.outbox import Delivery
from classbolt.pages import Page, PageOf, fetch_page, fetch_pages
from classbolt.sessions import find_sessions, list_sessions
from classbolt.times import after, before
from classbolt.values import (
    Actor,
    BookingId,
    BundleId,
    CourseBookingId,
    CourseId,
    CustomerBundleId,
    CustomerId,
    Money,
    Period,
    Permission,
    SessionId,
    TagId,
    Unit,
    new_id,
)

__all__ = [
    "BOOKED",
    "CARD",
    "COURSE",
    "CREDIT",
    "FREE",
    "OFFLINE",
    "TAKES_A_SEAT",
    "Actor",
    "AlreadyRefunded",
    "BoltOn",
    "BoltOnInfo",
    "Booking",
    "BookingCancelled",
    "BookingDraft",
    "BookingFacts",
    "BookingId",
    "BookingPlaced",
    "Bundle",
    "BundleId",
    "Cancellation",
    "CourseBookingId",
    "CourseFacts",
    "CourseId",
    "CreditBack",
    "CreditExpired",
    "CreditExpiresBeforeSession",
    "CustomerBundleId",
    "CustomerId",
    "Delivery",
    "Free",
    "Given",
    "HeldBundle",
    "InsufficientCredits",
    "InvalidInput",
    "IssueBundle",
    "Money",
    "NotFound",
    "NotPaidByCard",
    "Page",
    "PageOf",
    "PayBack",
    "PaymentOption",
    "Period",
    "Permission",
    "RecordOffline",
    "Refusal",
    "Refusals",
    "SessionFacts",
    "SessionId",
    "SetupCheck",
    "SpendCredit",
    "TagId",
    "TakeCard",
    "Terms",
    "Tx",
    "Unit",
    "WayToBook",
    "after",
    "before",
    "check_methods",
    "check_number",
    "check_period",
    "check_price",
    "course_ends",
    "fetch_page",
    "fetch_pages",
    "find_bundles",
    "find_courses",
    "find_sessions",
    "list_sessions",
    "mine",
    "new_id",
    "refunds_given",
    "tags_of_bundles",
    "upcoming_sessions",
]
