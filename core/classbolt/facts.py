"""What core tells bolt-ons and what they answer: frozen values. They decide; core acts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from classbolt.errors import Refusal
from classbolt.values import (
    Actor,
    BookingId,
    BundleId,
    CourseBookingId,
    CourseId,
    CustomerBundleId,
    CustomerId,
    LateJoining,
    Money,
    PaymentId,
    SessionId,
    TagId,
)

# Payment methods: a card, money that staff note, nothing at all, one credit.
CARD = "card"
OFFLINE = "offline"
FREE = "free"
CREDIT = "credit"


@dataclass(frozen=True, slots=True)
class CourseFacts:
    """A course: sessions that are sold together.

    Attributes:
        payment_methods: How customers may pay for it, as payment method codes.
    """

    id: CourseId
    title: str
    description: str
    price: Money
    tag_id: TagId | None
    payment_methods: frozenset[str]
    late_joining: LateJoining = LateJoining.NO


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """A session as rules see it. Its tag is its own, or else its course's (E4).

    Attributes:
        moved_at: When its start was last changed, unless that was said to be minor (X3).
    """

    id: SessionId
    course_id: CourseId
    starts_at: datetime
    ends_at: datetime
    capacity: int
    seats_taken: int
    tag_id: TagId | None
    called_off_at: datetime | None
    moved_at: datetime | None = None

    @property
    def is_full(self) -> bool:
        """Say whether every seat is taken, whoever took it (F5)."""
        return self.seats_taken >= self.capacity


@dataclass(frozen=True, slots=True)
class HeldBundle:
    """A customer's copy of a bundle: credits and expiry are frozen, tags are read live (E6).

    Attributes:
        origin_id: The course booking that earned it, also through other credits (X11).
    """

    id: CustomerBundleId
    customer_id: CustomerId
    bundle_id: BundleId
    balance: int
    issued_at: datetime
    expires_at: datetime
    tag_ids: frozenset[TagId]
    revoked_at: datetime | None = None
    origin_id: CourseBookingId | None = None


# Booking


@dataclass(frozen=True, slots=True)
class WayToBook:
    """A way in which a session can be booked, and what it costs.

    Attributes:
        code: Stored with the booking: 'course' is core's, a bolt-on uses its own code.
        price: What a place costs this way; shown even where only credits are accepted (F2).
        opens_at: From when on, if not at once.
    """

    code: str
    price: Money
    opens_at: datetime | None = None

    def __post_init__(self) -> None:
        """Hold a way to a code that can be stored."""
        if not re.fullmatch(r"[a-z][a-z0-9_]{1,39}", self.code):
            raise ValueError(f"{self.code!r} is no code of a way to book")


COURSE = "course"
"""The way of a place that came with its course. A customer books it by booking the course."""


@dataclass(frozen=True, slots=True)
class BookingDraft:
    """A place that somebody wants to book, or asks about.

    Attributes:
        customer_id: Who would hold the place; None while an anonymous visitor looks around.
        has_place: Whether the customer already holds an active place in the session (J5).
        held: What the customer could pay with, or could in the case that is asked about.
        way: The way that was chosen; None only while ways are being asked for.
    """

    session: SessionFacts
    customer_id: CustomerId | None
    actor: Actor
    has_place: bool
    held: tuple[HeldBundle, ...] = ()
    way: WayToBook | None = None


@dataclass(frozen=True, slots=True)
class SpendCredit:
    """Pay with one credit of this customer bundle."""

    customer_bundle_id: CustomerBundleId


@dataclass(frozen=True, slots=True)
class RecordOffline:
    """Note what is owed; staff mark it paid when the money arrives (F8)."""

    amount: Money


@dataclass(frozen=True, slots=True)
class TakeCard:
    """Hold the place while the customer pays by card; it is booked once the money is there."""

    amount: Money


@dataclass(frozen=True, slots=True)
class Free:
    """Nothing is owed."""


METHOD_OF = {SpendCredit: CREDIT, TakeCard: CARD, RecordOffline: OFFLINE, Free: FREE}


@dataclass(frozen=True, slots=True)
class PaymentOption:
    """One way to pay for a draft.

    Attributes:
        method: The payment method's code: 'card', 'offline', 'free', 'credit'.
        source: What of the customer's pays, where they may choose: a customer bundle. None:
            whichever fits best.
        action: What core does when the option is taken; None only if it cannot be.
        refusals: Why it cannot be taken, all reasons.
    """

    method: str
    source: UUID | None = None
    action: SpendCredit | TakeCard | RecordOffline | Free | None = None
    refusals: tuple[Refusal, ...] = ()

    def __post_init__(self) -> None:
        """Hold an option to say one thing: what core does for this method, or why it cannot."""
        if self.action is None:
            if not self.refusals:
                raise ValueError("a payment option without an action needs a refusal")
            return
        if METHOD_OF[type(self.action)] != self.method:
            raise ValueError(f"{self.method!r} is not how {self.action} is paid")
        spends = (
            self.action.customer_bundle_id if isinstance(self.action, SpendCredit) else None
        )
        if self.source not in {None, spends}:
            raise ValueError("a payment option pays with the source it names")


# Cancelling


@dataclass(frozen=True, slots=True)
class BookingFacts:
    """An active booking that is, or might be, cancelled.

    Attributes:
        method: How the place was paid for: 'card', 'offline', 'free', 'credit'; for
            a course's place, how the course was.
        amount_minor: What was charged, of the course for a course's place; 0 for a credit.
        card_share_minor: This place's part of what a card paid for it, as far as that has not
            gone back; for a course's place its part of the course.
        is_settled: Whether it was paid: the money arrived, or a credit was spent.
        is_refunded: Whether nothing is left of what a card paid: it went back, or a bank took
            it.
        customer_bundle: The bundle whose credit paid, with its balance and expiry of now.
        by_business: Whether the business cancels the session (B7).
        is_goodwill: Whether staff cancel and want a refund that the rules would not give.
        is_moved: Whether the session was moved after it was booked, and is still to come (X3).
        origin_id: The course booking that this place comes from: its own, or the one that
            earned the credit which paid (X11).
    """

    id: BookingId
    session: SessionFacts
    customer_id: CustomerId
    course_booking_id: CourseBookingId | None
    way: str
    method: str
    amount_minor: int
    is_settled: bool
    customer_bundle: HeldBundle | None
    by_business: bool = False
    is_goodwill: bool = False
    is_moved: bool = False
    origin_id: CourseBookingId | None = None
    payment_id: PaymentId | None = None
    card_share_minor: int = 0
    is_refunded: bool = False

    @property
    def is_notice_waived(self) -> bool:
        """Say whether cancelling needs no notice."""
        return self.by_business or self.is_goodwill or self.is_moved


@dataclass(frozen=True, slots=True)
class CreditBack:
    """Put one credit back onto the bundle that paid.

    Attributes:
        expires_at: Until when the bundle is valid from then on, if that is later than it was.
    """

    customer_bundle_id: CustomerBundleId
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class IssueBundle:
    """Issue one copy of a bundle to the customer."""

    bundle_id: BundleId
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PayBack:
    """Give back to the card, in minor units, some of what it paid."""

    amount_minor: int

    def __post_init__(self) -> None:
        """Hold it to an amount that is one."""
        if self.amount_minor < 1:
            raise ValueError(f"{self.amount_minor} is nothing to pay back")


@dataclass(frozen=True, slots=True)
class Terms:
    """What cancelling at this moment gives back: something, or the reason why nothing.

    Attributes:
        option: Which kind of booking this was to the policy, by its code.
        deadline: Until when cancelling gives something back; None if no moment does.
        give_back: What core gives; None exactly if there is a refusal.
        refusal: Why nothing is given. The cancellation itself still happens.
        decided_by: The bolt-on's code; core fills it in.
        policy: A copy of the policy that decided, kept with the cancellation (B4).
    """

    option: str | None = None
    deadline: datetime | None = None
    give_back: CreditBack | IssueBundle | PayBack | None = None
    refusal: Refusal | None = None
    decided_by: str | None = None
    policy: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Hold terms to an answer: something is given back, or there is a reason why not."""
        if (self.give_back is None) == (self.refusal is None):
            raise ValueError("terms give something back or say why not, one of the two")
        json.dumps(self.policy)  # a copy that cannot be kept fails here, where it is made


# Setting up


@dataclass(frozen=True, slots=True)
class SetupCheck:
    """One line of the list that says whether a course is set up as people expect.

    Attributes:
        code: Names the check, SCREAMING_SNAKE, whether it passed or not.
        passed: Whether it is as it should be.
        message: What was found, to the admin, in English.
        fix: What to do about it; None exactly if it passed.
    """

    code: str
    passed: bool
    message: str
    fix: str | None = None

    def __post_init__(self) -> None:
        """Hold a check that failed to a remedy."""
        if not re.fullmatch(r"[A-Z][A-Z0-9_]{1,59}", self.code):
            raise ValueError(f"{self.code!r} is no code of a check")
        if self.passed != (self.fix is None):
            raise ValueError("a check that failed says how to mend it, and only such a one")
