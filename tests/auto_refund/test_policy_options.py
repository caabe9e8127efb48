"""What a policy may say besides notice and kinds of booking: A12, C3, X3, X12 as tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from classbolt import BookingFacts, CreditBack, IssueBundle
from classbolt_auto_refund.policy import Anchor
from refunding import (
    BOUGHT,
    BY_CREDIT,
    COURSE,
    DEADLINE,
    DROP_IN,
    EVERYTHING,
    FREE,
    HELD,
    ISSUED,
    LATE,
    STARTS,
    SWAP,
    decide,
    reason,
)
from studio import at


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"by_business": True}, None),
        ({"is_goodwill": True}, None),
        ({"is_moved": True}, None),
        ({}, "NOTICE_TOO_SHORT"),
    ],
)
def test_notice_is_waived_for_whoever_could_not_give_it_and_out_of_goodwill(
    changes: dict[str, Any], refusal: str | None
) -> None:
    """B7, X3."""
    assert reason(decide(replace(COURSE, **changes), EVERYTHING, LATE)) == refusal


def test_a_session_that_was_moved_can_be_cancelled_until_it_starts() -> None:
    """X3: that is its deadline then."""
    assert decide(replace(COURSE, is_moved=True), EVERYTHING, LATE).deadline == STARTS
    assert decide(replace(COURSE, is_goodwill=True), EVERYTHING, LATE).deadline == DEADLINE


COURSE_ENDS = at("2027-02-15T19:30")


@pytest.mark.parametrize(
    ("anchor", "expires_at"),
    [
        (Anchor.ISSUED_AT, "2027-02-19T10:00"),
        (Anchor.CANCELLED_SESSION_START, "2027-02-24T18:30"),
        (Anchor.COURSE_END, "2027-03-17T19:30"),
    ],
)
def test_the_validity_of_a_new_bundle_counts_from_where_the_policy_says(
    anchor: Anchor, expires_at: str
) -> None:
    """A12, C1."""
    policy = replace(EVERYTHING, validity_anchor=anchor)

    terms = decide(COURSE, policy, ends=COURSE_ENDS)

    assert terms.give_back == IssueBundle(SWAP, at(expires_at))


def test_the_validity_is_read_off_the_calendar_also_from_there() -> None:
    """A7, A12: clocks go forward between the end of the course and the expiry."""
    policy = replace(EVERYTHING, validity_anchor=Anchor.COURSE_END)

    terms = decide(COURSE, policy, ends=at("2027-03-15T19:30"))

    assert terms.give_back == IssueBundle(SWAP, at("2027-04-14T18:30"))


@pytest.mark.parametrize(
    ("anchor", "ends"),
    [
        pytest.param(Anchor.CANCELLED_SESSION_START, None, id="the session has started"),
        pytest.param(Anchor.COURSE_END, STARTS - timedelta(days=1), id="the course is over"),
        pytest.param(Anchor.COURSE_END, None, id="all of the course was called off"),
    ],
)
def test_the_validity_never_counts_from_before_the_bundle_is_issued(
    anchor: Anchor, ends: datetime | None
) -> None:
    """A12: a validity lies ahead, also when goodwill comes late."""
    policy = replace(EVERYTHING, validity_anchor=anchor)
    booking, afterwards = replace(COURSE, is_goodwill=True), STARTS + timedelta(days=3)

    terms = decide(booking, policy, afterwards, ends=ends)

    assert terms.give_back == IssueBundle(SWAP, at("2027-02-27T18:30"))


@pytest.mark.parametrize(
    ("booking", "refunds", "cap", "refusal"),
    [
        pytest.param(COURSE, 0, 1, None, id="none so far"),
        pytest.param(COURSE, 1, 2, None, id="one is left"),
        pytest.param(COURSE, 2, 2, "REFUND_CAP_REACHED", id="all given"),
        pytest.param(COURSE, 3, 2, "REFUND_CAP_REACHED", id="cap lowered since"),
        pytest.param(COURSE, 9, None, None, id="no cap"),
        pytest.param(
            replace(BY_CREDIT, origin_id=BOUGHT), 2, 2, "REFUND_CAP_REACHED", id="its credit"
        ),
        pytest.param(BY_CREDIT, 2, 2, None, id="a credit that no course earned"),
        pytest.param(DROP_IN, 2, 2, None, id="money at the door"),
        pytest.param(replace(COURSE, by_business=True), 2, 2, None, id="called off"),
        pytest.param(replace(COURSE, is_goodwill=True), 2, 2, None, id="goodwill"),
        pytest.param(
            replace(COURSE, is_moved=True), 2, 2, "REFUND_CAP_REACHED", id="only moved"
        ),
    ],
)
def test_a_course_booking_earns_only_so_many_refunds(
    booking: BookingFacts, refunds: int, cap: int | None, refusal: str | None
) -> None:
    """A12, X11: also those for places that its credits paid for."""
    terms = decide(booking, replace(EVERYTHING, max_refunds=cap), refunds=refunds)

    assert reason(terms) == refusal
    if terms.refusal is not None:
        assert terms.refusal.cap == cap  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("days", "expires_at"),
    [
        pytest.param(0, None, id="as it was"),
        pytest.param(19, None, id="a day less than is left"),
        pytest.param(20, None, id="just what is left"),
        pytest.param(21, "2027-02-10T10:00", id="a day more"),
        pytest.param(80, "2027-04-10T09:00", id="off the calendar"),
    ],
)
def test_a_credit_that_goes_back_is_good_for_so_many_days_at_least(
    days: int, expires_at: str | None
) -> None:
    """A12, C3: an expiry is only ever moved to later; by itself it stays as it was."""
    policy = replace(EVERYTHING, min_days_after_credit_back=days)

    terms = decide(BY_CREDIT, policy)

    assert terms.give_back == CreditBack(HELD.id, at(expires_at) if expires_at else None)


@pytest.mark.parametrize(
    ("booking", "option"),
    [
        pytest.param(FREE, "COURSE", id="a free course"),
        pytest.param(replace(FREE, way="drop_in"), "DROP_IN_OFFLINE", id="a free drop-in"),
        pytest.param(replace(FREE, method="offline"), "COURSE", id="nothing at the desk"),
    ],
)
def test_free_places_are_refunded_like_paid_ones_if_the_policy_says_so(
    booking: BookingFacts, option: str
) -> None:
    """X12: they have to be named by the policy like any others."""
    policy = replace(EVERYTHING, refund_free_bookings=True)
    others = {name: rule for name, rule in policy.rules.items() if name != option}

    terms = decide(booking, policy)

    assert (terms.option, terms.give_back) == (option, ISSUED)
    assert reason(decide(booking, EVERYTHING)) == "NOTHING_PAID"
    assert reason(decide(booking, replace(policy, rules=others))) == "OPTION_NOT_REFUNDED"
