"""Who earns a refund, and which: the rules B and C as tables, without a database."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from classbolt import BookingFacts, IssueBundle, PayBack, Period, Unit
from classbolt_auto_refund.policy import Anchor, RefundPolicy, option_of
from clock_changes import CUT_OFFS, VALIDITIES, Span, period
from refunding import (
    A_SECOND,
    BACK,
    BOUGHT,
    BUNDLES,
    BY_CARD,
    BY_CREDIT,
    CASH,
    CASH_OR_NEW,
    COURSE,
    DEADLINE,
    DROP_IN,
    EVERYTHING,
    EXPIRED,
    FREE,
    HELD,
    IN_TIME,
    INSTANT,
    ISSUED,
    LATE,
    NEW,
    ORIGINAL,
    ORIGINAL_OR_NEW,
    REVOKED,
    SESSION,
    STARTS,
    SWAP,
    THIRTY_DAYS,
    a_policy,
    decide,
    reason,
)
from studio import at


@pytest.mark.parametrize(
    ("booking", "policy", "given"),
    [
        pytest.param(COURSE, a_policy(COURSE=NEW), ISSUED, id="course"),
        pytest.param(DROP_IN, a_policy(DROP_IN_OFFLINE=NEW), ISSUED, id="paid at the door"),
        pytest.param(BY_CARD, a_policy(DROP_IN_CARD=NEW), ISSUED, id="card, new bundle"),
        pytest.param(BY_CARD, a_policy(DROP_IN_CARD=CASH), PayBack(1200), id="card, money"),
        pytest.param(
            replace(COURSE, method="card", card_share_minor=1000),
            a_policy(COURSE=CASH),
            PayBack(1000),
            id="course by card, money",
        ),
        pytest.param(COURSE, a_policy(COURSE=CASH_OR_NEW), ISSUED, id="course offline, bundle"),
        pytest.param(BY_CREDIT, a_policy(DROP_IN_CREDIT=ORIGINAL), BACK, id="credit, original"),
        pytest.param(BY_CREDIT, a_policy(DROP_IN_CREDIT=NEW), ISSUED, id="credit, new bundle"),
        pytest.param(
            BY_CREDIT,
            a_policy(DROP_IN_CREDIT=ORIGINAL_OR_NEW),
            BACK,
            id="credit, live",
        ),
        pytest.param(
            EXPIRED, a_policy(DROP_IN_CREDIT=ORIGINAL_OR_NEW), ISSUED, id="credit, expired"
        ),
        pytest.param(
            REVOKED, a_policy(DROP_IN_CREDIT=ORIGINAL_OR_NEW), ISSUED, id="credit, revoked"
        ),
        pytest.param(
            REVOKED, a_policy(DROP_IN_CREDIT=NEW), ISSUED, id="credit, revoked, new bundle"
        ),
    ],
)
def test_what_a_refund_is_given_as(
    booking: BookingFacts, policy: RefundPolicy, given: object
) -> None:
    """C, A8, B10, C2, H5: row by row; passes and memberships are none of ours."""
    terms = decide(booking, policy)

    assert terms.give_back == given
    assert terms.refusal is None


@pytest.mark.parametrize(
    ("booking", "policy", "code"),
    [
        pytest.param(COURSE, None, "NO_POLICY", id="no policy"),
        pytest.param(replace(COURSE, is_settled=False), EVERYTHING, "UNPAID", id="unpaid"),
        pytest.param(replace(DROP_IN, is_settled=False), EVERYTHING, "UNPAID", id="owed"),
        pytest.param(FREE, EVERYTHING, "NOTHING_PAID", id="free"),
        pytest.param(
            replace(FREE, way="drop_in"), EVERYTHING, "NOTHING_PAID", id="free drop-in"
        ),
        pytest.param(COURSE, a_policy(DROP_IN_OFFLINE=NEW), "OPTION_NOT_REFUNDED", id="course"),
        pytest.param(DROP_IN, a_policy(COURSE=NEW), "OPTION_NOT_REFUNDED", id="drop-in"),
        pytest.param(
            EXPIRED, a_policy(DROP_IN_CREDIT=ORIGINAL), "ORIGINAL_NOT_LIVE", id="expired"
        ),
        pytest.param(COURSE, a_policy(COURSE=CASH), "NOT_PAID_BY_CARD", id="offline"),
        pytest.param(
            replace(BY_CARD, card_share_minor=0),
            a_policy(DROP_IN_CARD=CASH),
            "ALREADY_REFUNDED",
            id="nothing left",
        ),
        pytest.param(
            REVOKED, a_policy(DROP_IN_CREDIT=ORIGINAL), "ORIGINAL_NOT_LIVE", id="revoked"
        ),
    ],
)
def test_why_nothing_is_given(
    booking: BookingFacts, policy: RefundPolicy | None, code: str
) -> None:
    """C, A5, B11, C2, X12: one reason at a time."""
    terms = decide(booking, policy)

    assert reason(terms) == code
    assert terms.give_back is None


def test_the_first_check_that_fails_is_the_reason() -> None:
    """B1: whatever else is wrong, the earlier check is named."""
    wrong = replace(EXPIRED, is_settled=False, by_business=False)
    settled = replace(wrong, is_settled=True)
    free = replace(settled, customer_bundle=None)

    capped = replace(a_policy(DROP_IN_CREDIT=ORIGINAL), max_refunds=1)
    earned = replace(settled, origin_id=BOUGHT)

    assert reason(decide(wrong, None, LATE)) == "NO_POLICY"
    assert reason(decide(wrong, a_policy(COURSE=NEW), LATE)) == "UNPAID"
    assert reason(decide(free, a_policy(COURSE=NEW), LATE)) == "NOTHING_PAID"
    assert reason(decide(settled, a_policy(COURSE=NEW), LATE)) == "OPTION_NOT_REFUNDED"
    assert reason(decide(settled, a_policy(DROP_IN_CREDIT=ORIGINAL), LATE)) == (
        "NOTICE_TOO_SHORT"
    )
    assert reason(decide(earned, capped, LATE, refunds=1)) == "NOTICE_TOO_SHORT"
    assert reason(decide(earned, capped, refunds=1)) == "REFUND_CAP_REACHED"
    assert reason(decide(earned, capped)) == "ORIGINAL_NOT_LIVE"


@pytest.mark.parametrize(
    ("now", "code"),
    [
        (DEADLINE - INSTANT, None),
        (DEADLINE, None),
        (DEADLINE + INSTANT, "NOTICE_TOO_SHORT"),
        (STARTS, "NOTICE_TOO_SHORT"),
    ],
)
def test_exactly_at_the_deadline_is_in_time_and_an_instant_later_is_not(
    now: datetime, code: str | None
) -> None:
    """B2, X2."""
    terms = decide(COURSE, EVERYTHING, now)

    assert reason(terms) == code
    assert terms.deadline == DEADLINE
    if terms.refusal is not None:
        assert terms.refusal.deadline == DEADLINE  # type: ignore[attr-defined]


@pytest.mark.parametrize("span", CUT_OFFS)
def test_a_deadline_is_exact_whatever_the_clocks_did_before_the_start(span: Span) -> None:
    """A6, A7, B2, X1: in three zones, across both changes, in hours, days and weeks."""
    deadline = at(span.earlier)
    booking = replace(COURSE, session=replace(SESSION, starts_at=at(span.later)))
    policy = a_policy(period(span.period), COURSE=NEW)
    cancelled = (deadline - A_SECOND, deadline, deadline + INSTANT, deadline + A_SECOND)

    found = [decide(booking, policy, now, zone=ZoneInfo(span.zone)) for now in cancelled]

    assert {terms.deadline for terms in found} == {deadline}
    assert [reason(terms) for terms in found] == [None, None, *["NOTICE_TOO_SHORT"] * 2]


def test_no_notice_at_all_means_until_the_start() -> None:
    """A6, B2."""
    policy = a_policy(Period(0, Unit.HOURS), COURSE=NEW)

    assert reason(decide(COURSE, policy, STARTS)) is None
    assert reason(decide(COURSE, policy, STARTS + INSTANT)) == "NOTICE_TOO_SHORT"


def test_notice_is_waived_when_the_business_cancels_and_nothing_else_is() -> None:
    """B7: each booking is still held to its own option and payment."""
    called_off = replace(COURSE, by_business=True)

    assert decide(called_off, EVERYTHING, STARTS - INSTANT).give_back is not None
    assert reason(decide(called_off, a_policy(DROP_IN_OFFLINE=NEW), LATE)) == (
        "OPTION_NOT_REFUNDED"
    )
    assert reason(decide(replace(called_off, is_settled=False), EVERYTHING, LATE)) == "UNPAID"


@pytest.mark.parametrize(
    ("notice", "deadline"),
    [
        (Period(24, Unit.HOURS), "2027-03-27T18:30"),
        (Period(1, Unit.DAYS), "2027-03-27T19:30"),
        (Period(1, Unit.WEEKS), "2027-03-21T19:30"),
    ],
)
def test_notice_is_read_in_the_zone_of_the_account(notice: Period, deadline: str) -> None:
    """A7, X1: the session starts at 19:30 on the day the clocks went forward."""
    session = replace(SESSION, starts_at=at("2027-03-28T18:30"))
    booking = replace(COURSE, session=session)

    terms = decide(booking, a_policy(notice, COURSE=NEW), at(deadline))

    assert terms.deadline == at(deadline)
    assert terms.give_back is not None


@pytest.mark.parametrize(
    ("cancelled_at", "validity", "expires_at"),
    [
        ("2027-01-20T10:00", THIRTY_DAYS, "2027-02-19T10:00"),
        ("2027-03-10T10:00", THIRTY_DAYS, "2027-04-09T09:00"),
        ("2027-03-10T10:00", Period(720, Unit.HOURS), "2027-04-09T10:00"),
        ("2027-01-31T10:00", Period(1, Unit.MONTHS), "2027-02-28T10:00"),
        ("2027-01-20T10:00:00.000001", Period(1, Unit.WEEKS), "2027-01-27T10:00:00.000001"),
    ],
)
def test_a_new_bundle_is_valid_from_the_moment_of_cancelling(
    cancelled_at: str, validity: Period, expires_at: str
) -> None:
    """C1."""
    session = replace(SESSION, starts_at=at("2027-06-07T17:30"))
    bundles = {SWAP: replace(BUNDLES[SWAP], validity=validity)}

    booking = replace(COURSE, session=session)
    terms = decide(booking, EVERYTHING, at(cancelled_at), bundles=bundles)

    assert terms.give_back == IssueBundle(SWAP, at(expires_at))


@pytest.mark.parametrize("span", VALIDITIES)
def test_a_validity_is_exact_whatever_the_clocks_do_before_its_end(span: Span) -> None:
    """C1, A7, X1: in three zones, across both changes, in hours, days and weeks."""
    booking = replace(COURSE, session=replace(SESSION, starts_at=at("2028-01-10T19:00")))
    bundles = {SWAP: replace(BUNDLES[SWAP], validity=period(span.period))}

    zone = ZoneInfo(span.zone)
    terms = decide(booking, EVERYTHING, at(span.earlier), bundles=bundles, zone=zone)

    assert terms.give_back == IssueBundle(SWAP, at(span.later))


def test_the_original_must_outlive_this_very_moment() -> None:
    """C2."""
    held = replace(HELD, expires_at=IN_TIME + INSTANT)
    policy = a_policy(DROP_IN_CREDIT=ORIGINAL)

    assert decide(replace(BY_CREDIT, customer_bundle=held), policy).give_back == BACK
    assert reason(decide(EXPIRED, policy)) == "ORIGINAL_NOT_LIVE"


@pytest.mark.parametrize(
    ("way", "method", "option"),
    [
        ("course", "offline", "COURSE"),
        ("course", "free", "COURSE"),
        ("drop_in", "credit", "DROP_IN_CREDIT"),
        ("course", "card", "COURSE"),
        ("drop_in", "card", "DROP_IN_CARD"),
        ("drop_in", "offline", "DROP_IN_OFFLINE"),
        ("drop_in", "free", "DROP_IN_OFFLINE"),
        ("waitlist", "credit", "WAITLIST_CREDIT"),
    ],
)
def test_a_booking_is_of_one_kind_by_its_way_and_what_paid(
    way: str, method: str, option: str
) -> None:
    """A4."""
    booking = replace(COURSE, way=way, method=method)

    assert option_of(booking) == option
    assert decide(booking, None).option == option


def test_a_copy_of_the_policy_goes_with_the_decision() -> None:
    """B4: it can be written down as JSON, and a change of the policy does not change it."""
    policy = replace(
        a_policy(Period(2, Unit.DAYS), DROP_IN_CREDIT=ORIGINAL, COURSE=NEW),
        validity_anchor=Anchor.COURSE_END,
        max_refunds=3,
        min_days_after_credit_back=14,
        refund_free_bookings=True,
    )
    expected = {
        "notice": {"value": 2, "unit": "DAYS"},
        "refunds": {
            "COURSE": {"method": "NEW_BUNDLE", "bundle": str(SWAP)},
            "DROP_IN_CREDIT": {"method": "ORIGINAL", "bundle": None},
        },
        "validityAnchor": "COURSE_END",
        "maxRefundsPerCourseBooking": 3,
        "minDaysAfterCreditBack": 14,
        "refundFreeBookings": True,
    }

    for now in (IN_TIME, LATE):
        kept = decide(COURSE, policy, now).policy
        assert json.loads(json.dumps(kept)) == kept == expected
    assert decide(COURSE, None).policy == {}
    assert decide(COURSE, None).deadline is None
