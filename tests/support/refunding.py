"""Bookings and policies to decide about without a database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from classbolt import (
    BookingFacts,
    BookingId,
    Bundle,
    BundleId,
    CourseBookingId,
    CourseId,
    CreditBack,
    CustomerBundleId,
    CustomerId,
    HeldBundle,
    IssueBundle,
    Period,
    SessionFacts,
    SessionId,
    Terms,
    Unit,
    new_id,
)
from classbolt_auto_refund.policy import Basis, Method, RefundPolicy, Rule, terms_of
from studio import at

LONDON = ZoneInfo("Europe/London")
STARTS = at("2027-01-25T18:30")
DEADLINE = at("2027-01-24T18:30")
IN_TIME = at("2027-01-20T10:00")
LATE = at("2027-01-24T18:31")
INSTANT = timedelta(microseconds=1)
A_SECOND = timedelta(seconds=1)

SWAP = BundleId(new_id())
THIRTY_DAYS = Period(30, Unit.DAYS)
BUNDLES = {SWAP: Bundle(SWAP, "Swap", 1, THIRTY_DAYS, None, on_sale=False, archived_at=None)}
ISSUED = IssueBundle(SWAP, at("2027-02-19T10:00"))

SESSION = SessionFacts(
    id=SessionId(new_id()),
    course_id=CourseId(new_id()),
    starts_at=STARTS,
    ends_at=at("2027-01-25T19:30"),
    capacity=10,
    seats_taken=10,
    tag_id=None,
    called_off_at=None,
)
HELD = HeldBundle(
    id=CustomerBundleId(new_id()),
    customer_id=CustomerId(new_id()),
    bundle_id=BundleId(new_id()),
    balance=0,
    issued_at=at("2027-01-10T10:00"),
    expires_at=at("2027-02-09T10:00"),
    tag_ids=frozenset(),
)
BACK = CreditBack(HELD.id)
BOUGHT = CourseBookingId(new_id())
COURSE = BookingFacts(
    id=BookingId(new_id()),
    session=SESSION,
    customer_id=HELD.customer_id,
    course_booking_id=BOUGHT,
    way="course",
    method="offline",
    amount_minor=6000,
    is_settled=True,
    customer_bundle=None,
    by_business=False,
    origin_id=BOUGHT,
)
DROP_IN = replace(
    COURSE, way="drop_in", amount_minor=1200, course_booking_id=None, origin_id=None
)
BY_CREDIT = replace(DROP_IN, method="credit", amount_minor=0, customer_bundle=HELD)
EXPIRED = replace(BY_CREDIT, customer_bundle=replace(HELD, expires_at=IN_TIME))
REVOKED = replace(BY_CREDIT, customer_bundle=replace(HELD, revoked_at=IN_TIME))
BY_CARD = replace(DROP_IN, method="card", card_share_minor=1200)
FREE = replace(COURSE, method="free", amount_minor=0)

NEW = Rule(Method.NEW_BUNDLE, SWAP)
ORIGINAL = Rule(Method.ORIGINAL)
ORIGINAL_OR_NEW = Rule(Method.ORIGINAL, SWAP)
CASH = Rule(Method.ORIGINAL_PAYMENT)
CASH_OR_NEW = Rule(Method.ORIGINAL_PAYMENT, SWAP)


def a_policy(notice: Period | None = None, **rules: Rule) -> RefundPolicy:
    return RefundPolicy(notice or Period(24, Unit.HOURS), rules)


def decide(
    booking: BookingFacts,
    policy: RefundPolicy | None,
    now: datetime = IN_TIME,
    *,
    bundles: Mapping[BundleId, Bundle] = BUNDLES,
    ends: datetime | None = None,
    refunds: int = 0,
    zone: ZoneInfo = LONDON,
) -> Terms:
    course = SESSION.course_id
    basis = Basis(
        policies={} if policy is None else {course: policy},
        bundles=bundles,
        ends={} if ends is None else {course: ends},
        refunds={BOUGHT: refunds} if refunds else {},
        zone=zone,
    )
    return terms_of(basis, booking, now)


def reason(terms: Terms) -> str | None:
    return None if terms.refusal is None else terms.refusal.code


EVERYTHING = a_policy(COURSE=NEW, DROP_IN_OFFLINE=NEW, DROP_IN_CREDIT=ORIGINAL)
