"""Who earns a refund, and which: pure rules over a policy, a booking and a moment.

One cancellation has exactly one outcome. The checks run in the order of B1 and the first that
fails is the reason. The same function answers the preview and the cancellation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from classbolt import (
    CARD,
    COURSE,
    FREE,
    OFFLINE,
    AlreadyRefunded,
    BookingFacts,
    Bundle,
    BundleId,
    CourseBookingId,
    CourseId,
    CreditBack,
    IssueBundle,
    NotPaidByCard,
    PayBack,
    Period,
    Refusal,
    Terms,
    Unit,
    after,
    before,
)

OPTIONS = ("COURSE", "DROP_IN_CARD", "DROP_IN_CREDIT", "DROP_IN_OFFLINE")
"""Kinds of booking that can be refunded (A4): by the course, and drop-ins by what paid.

What was free counts as paid offline.
"""


class Method(StrEnum):
    """What a refund is given as (A8)."""

    ORIGINAL = "ORIGINAL"
    ORIGINAL_PAYMENT = "ORIGINAL_PAYMENT"
    NEW_BUNDLE = "NEW_BUNDLE"


REFUNDABLE: Mapping[Method, tuple[str, ...]] = {
    Method.ORIGINAL: ("DROP_IN_CREDIT",),
    Method.ORIGINAL_PAYMENT: ("COURSE", "DROP_IN_CARD"),
    Method.NEW_BUNDLE: OPTIONS,
}
"""What each method can refund: a credit goes back to its bundle, money to the card."""


class Anchor(StrEnum):
    """From when on the validity of an issued bundle counts (A12)."""

    ISSUED_AT = "ISSUED_AT"
    CANCELLED_SESSION_START = "CANCELLED_SESSION_START"
    COURSE_END = "COURSE_END"


@dataclass(frozen=True, slots=True)
class Rule:
    """How one kind of booking is refunded.

    Attributes:
        bundle_id: What NEW_BUNDLE issues; for ORIGINAL what is issued if that has expired; for
            ORIGINAL_PAYMENT what is issued if no card paid.
    """

    method: Method
    bundle_id: BundleId | None = None


@dataclass(frozen=True, slots=True)
class RefundPolicy:
    """What a course gives to those who cancel one of its sessions in time.

    Attributes:
        max_refunds: How many refunds one course booking earns, also those for places that its
            credits paid for (A12, X11); None for any number.
        min_days_after_credit_back: How many days a credit that goes back is good for at least.
        refund_free_bookings: Whether places that cost nothing count as paid (X12).
    """

    notice: Period
    rules: Mapping[str, Rule]
    validity_anchor: Anchor = Anchor.ISSUED_AT
    max_refunds: int | None = None
    min_days_after_credit_back: int = 0
    refund_free_bookings: bool = False

    def as_copy(self) -> dict[str, Any]:
        """Write the policy down as it is kept with a cancellation (B4)."""
        return {
            "notice": {"value": self.notice.value, "unit": self.notice.unit.value},
            "refunds": {
                option: {
                    "method": rule.method.value,
                    "bundle": rule.bundle_id and str(rule.bundle_id),
                }
                for option, rule in sorted(self.rules.items())
            },
            "validityAnchor": self.validity_anchor.value,
            "maxRefundsPerCourseBooking": self.max_refunds,
            "minDaysAfterCreditBack": self.min_days_after_credit_back,
            "refundFreeBookings": self.refund_free_bookings,
        }


class NoPolicy(Refusal):
    """The course has no refund policy."""

    code = "NO_POLICY"

    def __init__(self) -> None:
        super().__init__("This course has no refund policy.")


class Unpaid(Refusal):
    """What was booked has not been paid yet (B11)."""

    code = "UNPAID"

    def __init__(self) -> None:
        super().__init__("This booking has not been paid yet: there is nothing to give back.")


class NothingPaid(Refusal):
    """The place was free, and a credit is worth a paid place elsewhere (X12)."""

    code = "NOTHING_PAID"

    def __init__(self) -> None:
        super().__init__("Nothing was paid for this booking.")


class OptionNotRefunded(Refusal):
    """The policy does not cover bookings of this kind (A5)."""

    code = "OPTION_NOT_REFUNDED"

    def __init__(self) -> None:
        super().__init__("This kind of booking is not refunded.")


class NoticeTooShort(Refusal):
    """The cancellation comes after the deadline (B2)."""

    code = "NOTICE_TOO_SHORT"
    facts: ClassVar[Mapping[str, type]] = {"deadline": datetime}

    def __init__(self, deadline: datetime) -> None:
        self.deadline = deadline
        super().__init__("It is too late for a refund.")


class RefundCapReached(Refusal):
    """The course booking has earned as many refunds as the policy allows (A12)."""

    code = "REFUND_CAP_REACHED"
    facts: ClassVar[Mapping[str, type]] = {"cap": int}

    def __init__(self, cap: int) -> None:
        self.cap = cap
        super().__init__("All refunds for this course booking have been given.")


class OriginalNotLive(Refusal):
    """The bundle that paid has expired or was revoked, and the policy names no other (C2)."""

    code = "ORIGINAL_NOT_LIVE"

    def __init__(self) -> None:
        super().__init__("The credit came from a bundle that is no longer valid.")


def option_of(booking: BookingFacts) -> str:
    """Say which kind of booking this is to a policy (A4)."""
    if booking.way == COURSE:
        return "COURSE"
    method = OFFLINE if booking.method == FREE else booking.method
    return f"{booking.way}_{method}".upper()


@dataclass(frozen=True, slots=True)
class Basis:
    """What policies decide by, read for a batch of bookings.

    Attributes:
        policies: Those of their courses, as they stand at this moment (B4).
        bundles: What the policies name.
        ends: When courses end, where a policy wants to know.
        refunds: How many were given for what comes from a course booking, where there is a cap.
        zone: The account's time zone, in which notice and validity are read (A7).
    """

    policies: Mapping[CourseId, RefundPolicy]
    bundles: Mapping[BundleId, Bundle]
    ends: Mapping[CourseId, datetime]
    refunds: Mapping[CourseBookingId, int]
    zone: ZoneInfo


def terms_of(basis: Basis, booking: BookingFacts, now: datetime) -> Terms:
    """Say what cancelling a booking now gives back (A12, B1-B11, C1-C3).

    Exactly at the deadline is in time (B2).
    """
    option = option_of(booking)
    policy = basis.policies.get(booking.session.course_id)
    if policy is None:
        return Terms(option, refusal=NoPolicy())
    starts_at = booking.session.starts_at
    deadline = starts_at if booking.is_moved else before(starts_at, policy.notice, basis.zone)
    refused = _first_refusal(basis, policy, booking, deadline, now)
    found = refused or _give_back(basis, policy, booking, now)
    give_back, refusal = (None, found) if isinstance(found, Refusal) else (found, None)
    return Terms(option, deadline, give_back, refusal, policy=policy.as_copy())


def _first_refusal(
    basis: Basis, policy: RefundPolicy, booking: BookingFacts, deadline: datetime, now: datetime
) -> Refusal | None:
    """Run the checks of B1 in their order."""
    if not booking.is_settled:
        return Unpaid()
    is_free = booking.customer_bundle is None and booking.amount_minor == 0
    if is_free and not policy.refund_free_bookings:
        return NothingPaid()
    if option_of(booking) not in policy.rules:
        return OptionNotRefunded()
    if now > deadline and not booking.is_notice_waived:
        return NoticeTooShort(deadline)
    cap = policy.max_refunds
    if cap is None or booking.by_business or booking.is_goodwill or booking.origin_id is None:
        return None
    return RefundCapReached(cap) if basis.refunds.get(booking.origin_id, 0) >= cap else None


def _give_back(
    basis: Basis, policy: RefundPolicy, booking: BookingFacts, now: datetime
) -> CreditBack | IssueBundle | PayBack | Refusal:
    """Resolve the method (C, H5): the original if it can be, else a bundle if one is named."""
    rule, held = policy.rules[option_of(booking)], booking.customer_bundle
    live = held if held and not held.revoked_at and held.expires_at > now else None
    if rule.method is Method.ORIGINAL and live:
        least = after(now, Period(policy.min_days_after_credit_back, Unit.DAYS), basis.zone)
        return CreditBack(live.id, least if least > live.expires_at else None)
    if rule.method is Method.ORIGINAL_PAYMENT and booking.method == CARD:
        left = booking.card_share_minor
        return PayBack(left) if left else AlreadyRefunded()
    if rule.bundle_id is None:
        return NotPaidByCard() if rule.method is Method.ORIGINAL_PAYMENT else OriginalNotLive()
    anchors = {
        Anchor.ISSUED_AT: now,
        Anchor.CANCELLED_SESSION_START: booking.session.starts_at,
        Anchor.COURSE_END: basis.ends.get(booking.session.course_id, now),
    }
    # A validity lies ahead, so it never counts from before the bundle is issued.
    valid_from = max(now, anchors[policy.validity_anchor])
    validity = basis.bundles[rule.bundle_id].validity
    return IssueBundle(rule.bundle_id, after(valid_from, validity, basis.zone))
