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
    COURSE,
    BookingFacts,
    Bundle,
    BundleId,
    CreditBack,
    IssueBundle,
    Period,
    Refusal,
    Terms,
    after,
    before,
)

OPTIONS = ("COURSE", "DROP_IN_CREDIT", "DROP_IN_OFFLINE")
"""Kinds of booking that can be refunded (A4): by the course, and drop-ins by what paid."""


class Method(StrEnum):
    """What a refund is given as (A8)."""

    ORIGINAL = "ORIGINAL"
    NEW_BUNDLE = "NEW_BUNDLE"


@dataclass(frozen=True, slots=True)
class Rule:
    """How one kind of booking is refunded.

    Attributes:
        bundle_id: What NEW_BUNDLE issues; for ORIGINAL what is issued if that has expired.
    """

    method: Method
    bundle_id: BundleId | None = None


@dataclass(frozen=True, slots=True)
class RefundPolicy:
    """What a course gives to those who cancel one of its sessions in time."""

    notice: Period
    rules: Mapping[str, Rule]

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
        super().__init__(
            "This booking has not been paid yet, so there is nothing to give back."
        )


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


class OriginalNotLive(Refusal):
    """The bundle that paid has expired, and the policy names no other (C2)."""

    code = "ORIGINAL_NOT_LIVE"

    def __init__(self) -> None:
        super().__init__("The credit came from a bundle that has expired.")


def option_of(booking: BookingFacts) -> str:
    """Say which kind of booking this is to a policy (A4)."""
    return "COURSE" if booking.way == COURSE else f"{booking.way}_{booking.method}".upper()


def terms_of(
    policy: RefundPolicy | None,
    booking: BookingFacts,
    bundles: Mapping[BundleId, Bundle],
    *,
    zone: ZoneInfo,
    now: datetime,
) -> Terms:
    """Say what cancelling a booking now gives back (B1-B11, C1-C3).

    Args:
        policy: The course's policy as it stands at this moment (B4).
        booking: What would be cancelled.
        bundles: The bundles that the policy names.
        zone: The account's time zone, in which notice and validity are read (A7).
        now: The moment of cancelling; exactly at the deadline is in time (B2).
    """
    option = option_of(booking)
    if policy is None:
        return Terms(option, refusal=NoPolicy())
    deadline = before(booking.session.starts_at, policy.notice, zone)
    refusal = _first_refusal(policy, booking, option, deadline, now)
    if refusal is not None:
        return Terms(option, deadline, refusal=refusal, policy=policy.as_copy())
    rule = policy.rules[option]
    held = booking.customer_bundle
    if rule.method is Method.ORIGINAL and held is not None and held.expires_at > now:
        back = CreditBack(held.id)
        return Terms(option, deadline, back, policy=policy.as_copy())
    if rule.bundle_id is None:
        return Terms(option, deadline, refusal=OriginalNotLive(), policy=policy.as_copy())
    expires_at = after(now, bundles[rule.bundle_id].validity, zone)
    new = IssueBundle(rule.bundle_id, expires_at)
    return Terms(option, deadline, new, policy=policy.as_copy())


def _first_refusal(
    policy: RefundPolicy,
    booking: BookingFacts,
    option: str,
    deadline: datetime,
    now: datetime,
) -> Refusal | None:
    """Run the checks of B1 in their order."""
    if not booking.is_settled:
        return Unpaid()
    if booking.customer_bundle is None and booking.amount_minor == 0:
        return NothingPaid()
    if option not in policy.rules:
        return OptionNotRefunded()
    if now > deadline and not booking.by_business:
        return NoticeTooShort(deadline)
    return None
