"""Who earns a refund, and which: the rules B and C as tables, without a database."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from classbolt import (
    BookingFacts,
    BookingId,
    Bundle,
    BundleId,
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
from classbolt_auto_refund.policy import Method, RefundPolicy, Rule, option_of, terms_of
from studio import at

LONDON = ZoneInfo("Europe/London")
STARTS = at("2027-01-25T18:30")
DEADLINE = at("2027-01-24T18:30")
IN_TIME = at("2027-01-20T10:00")
LATE = at("2027-01-24T18:31")
INSTANT = timedelta(microseconds=1)

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
COURSE = BookingFacts(
    id=BookingId(new_id()),
    session=SESSION,
    customer_id=HELD.customer_id,
    course_booking_id=None,
    way="course",
    method="offline",
    amount_minor=6000,
    is_settled=True,
    customer_bundle=None,
    by_business=False,
)
DROP_IN = replace(COURSE, way="drop_in", amount_minor=1200)
BY_CREDIT = replace(DROP_IN, method="credit", amount_minor=0, customer_bundle=HELD)
EXPIRED = replace(BY_CREDIT, customer_bundle=replace(HELD, expires_at=IN_TIME))
FREE = replace(COURSE, method="free", amount_minor=0)

NEW = Rule(Method.NEW_BUNDLE, SWAP)
ORIGINAL = Rule(Method.ORIGINAL)
ORIGINAL_OR_NEW = Rule(Method.ORIGINAL, SWAP)


def a_policy(notice: Period | None = None, **rules: Rule) -> RefundPolicy:
    return RefundPolicy(notice or Period(24, Unit.HOURS), rules)


def decide(
    booking: BookingFacts, policy: RefundPolicy | None, now: datetime = IN_TIME
) -> Terms:
    return terms_of(policy, booking, BUNDLES, zone=LONDON, now=now)


def reason(terms: Terms) -> str | None:
    return None if terms.refusal is None else terms.refusal.code


EVERYTHING = a_policy(COURSE=NEW, DROP_IN_OFFLINE=NEW, DROP_IN_CREDIT=ORIGINAL)


@pytest.mark.parametrize(
    ("booking", "policy", "given"),
    [
        pytest.param(COURSE, a_policy(COURSE=NEW), ISSUED, id="course"),
        pytest.param(DROP_IN, a_policy(DROP_IN_OFFLINE=NEW), ISSUED, id="paid at the door"),
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
    ],
)
def test_what_a_refund_is_given_as(
    booking: BookingFacts, policy: RefundPolicy, given: object
) -> None:
    """The rows of C; passes and memberships are none of ours."""
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
    ],
)
def test_why_nothing_is_given(
    booking: BookingFacts, policy: RefundPolicy | None, code: str
) -> None:
    terms = decide(booking, policy)

    assert reason(terms) == code
    assert terms.give_back is None


def test_the_first_check_that_fails_is_the_reason() -> None:
    """B1: whatever else is wrong, the earlier check is named."""
    wrong = replace(EXPIRED, is_settled=False, by_business=False)
    settled = replace(wrong, is_settled=True)
    free = replace(settled, customer_bundle=None)

    assert reason(decide(wrong, None, LATE)) == "NO_POLICY"
    assert reason(decide(wrong, a_policy(COURSE=NEW), LATE)) == "UNPAID"
    assert reason(decide(free, a_policy(COURSE=NEW), LATE)) == "NOTHING_PAID"
    assert reason(decide(settled, a_policy(COURSE=NEW), LATE)) == "OPTION_NOT_REFUNDED"
    assert reason(decide(settled, a_policy(DROP_IN_CREDIT=ORIGINAL), LATE)) == (
        "NOTICE_TOO_SHORT"
    )
    assert reason(decide(settled, a_policy(DROP_IN_CREDIT=ORIGINAL))) == "ORIGINAL_NOT_LIVE"


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
    terms = decide(COURSE, EVERYTHING, now)

    assert reason(terms) == code
    assert terms.deadline == DEADLINE
    if terms.refusal is not None:
        assert terms.refusal.deadline == DEADLINE  # type: ignore[attr-defined]


def test_no_notice_at_all_means_until_the_start() -> None:
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
    """A7: the session starts at 19:30 on the day the clocks went forward."""
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

    terms = terms_of(
        EVERYTHING,
        replace(COURSE, session=session),
        bundles,
        zone=LONDON,
        now=at(cancelled_at),
    )

    assert terms.give_back == IssueBundle(SWAP, at(expires_at))


def test_the_original_must_outlive_this_very_moment() -> None:
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
        ("drop_in", "offline", "DROP_IN_OFFLINE"),
        ("waitlist", "credit", "WAITLIST_CREDIT"),
    ],
)
def test_a_booking_is_of_one_kind_by_its_way_and_what_paid(
    way: str, method: str, option: str
) -> None:
    booking = replace(COURSE, way=way, method=method)

    assert option_of(booking) == option
    assert decide(booking, None).option == option


def test_a_copy_of_the_policy_goes_with_the_decision() -> None:
    """B4: it can be written down as JSON, and a change of the policy does not change it."""
    policy = a_policy(Period(2, Unit.DAYS), DROP_IN_CREDIT=ORIGINAL, COURSE=NEW)
    expected = {
        "notice": {"value": 2, "unit": "DAYS"},
        "refunds": {
            "COURSE": {"method": "NEW_BUNDLE", "bundle": str(SWAP)},
            "DROP_IN_CREDIT": {"method": "ORIGINAL", "bundle": None},
        },
    }

    for now in (IN_TIME, LATE):
        kept = decide(COURSE, policy, now).policy
        assert json.loads(json.dumps(kept)) == kept == expected
    assert decide(COURSE, None).policy == {}
    assert decide(COURSE, None).deadline is None
