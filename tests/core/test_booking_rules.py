"""Who may book what and how they may pay, as tables: no database, no clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from classbolt.booking_rules import (
    PayWith,
    against_course,
    against_session,
    amount_of,
    choose,
    money_options,
    with_cards,
    with_staff_options,
)
from classbolt.errors import NotFound, PaymentOptionNotAllowed
from classbolt.facts import (
    BookingDraft,
    CourseFacts,
    Free,
    PaymentOption,
    RecordOffline,
    SessionFacts,
    SpendCredit,
    TakeCard,
)
from classbolt.values import (
    SYSTEM,
    Actor,
    CourseId,
    CustomerBundleId,
    CustomerId,
    Money,
    Role,
    SessionId,
    StaffId,
    new_id,
)
from studio import at

NOW = at("2027-01-22T09:00")
INSTANT = timedelta(microseconds=1)
CUSTOMER = Actor(customer_id=CustomerId(new_id()))
STAFF = Actor(staff_id=StaffId(new_id()), role=Role.STAFF)
SESSION = SessionFacts(
    id=SessionId(new_id()),
    course_id=CourseId(new_id()),
    starts_at=at("2027-01-28T19:00"),
    ends_at=at("2027-01-28T20:00"),
    capacity=10,
    seats_taken=9,
    tag_id=None,
    called_off_at=None,
)
FULL: dict[str, Any] = {"seats_taken": 10}
OVER: dict[str, Any] = {"seats_taken": 12}
CALLED_OFF: dict[str, Any] = {"called_off_at": at("2027-01-20T08:00")}
STARTS_NOW: dict[str, Any] = {"starts_at": NOW}
STARTS_NEXT: dict[str, Any] = {"starts_at": NOW + INSTANT}
PRICE = Money(6000, "GBP")
COURSE = CourseFacts(
    id=SESSION.course_id,
    title="Beginners",
    description="",
    price=PRICE,
    tag_id=None,
    payment_methods=frozenset({"offline"}),
)


def draft(actor: Actor = CUSTOMER, *, has_place: bool = False, **changes: Any) -> BookingDraft:
    return BookingDraft(replace(SESSION, **changes), actor.customer_id, actor, has_place)


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({}, []),
        (FULL, ["SESSION_FULL"]),
        (OVER, ["SESSION_FULL"]),
        (CALLED_OFF, ["SESSION_CALLED_OFF"]),
        (STARTS_NOW, ["SESSION_STARTED"]),
        (STARTS_NEXT, []),
        ({"has_place": True}, ["ALREADY_BOOKED"]),
        (
            {**CALLED_OFF, **STARTS_NOW, **FULL, "has_place": True},
            ["SESSION_CALLED_OFF", "SESSION_STARTED", "SESSION_FULL", "ALREADY_BOOKED"],
        ),
    ],
)
def test_all_reasons_against_a_place_in_a_session_are_given(
    changes: dict[str, Any], codes: list[str]
) -> None:
    """F4, X4, X21, X22."""
    assert [reason.code for reason in against_session(draft(**changes), NOW)] == codes


@pytest.mark.parametrize(
    ("sessions", "codes"),
    [
        ([], ["COURSE_WITHOUT_SESSIONS"]),
        ([CALLED_OFF, CALLED_OFF], ["COURSE_WITHOUT_SESSIONS"]),
        ([{}], []),
        ([{}, STARTS_NEXT], []),
        ([{}, STARTS_NOW], ["COURSE_STARTED"]),
        ([STARTS_NOW], ["COURSE_STARTED"]),
        ([{}, FULL], ["COURSE_FULL"]),
        ([STARTS_NOW, FULL], ["COURSE_STARTED"]),
        # What was called off counts for nothing.
        ([{}, {**CALLED_OFF, **FULL}, {**CALLED_OFF, **STARTS_NOW}], []),
    ],
)
def test_a_course_is_booked_before_it_starts_while_all_its_sessions_have_a_seat(
    sessions: list[dict[str, Any]], codes: list[str]
) -> None:
    """G2, G5, G6."""
    found = [replace(SESSION, **changes) for changes in sessions]

    free = against_course(COURSE, found, NOW, held=[], has_course=False)
    booked = against_course(COURSE, found, NOW, held=[], has_course=True)

    assert [reason.code for reason in free] == codes
    assert [reason.code for reason in booked] == [*codes, "ALREADY_BOOKED"]


def test_each_session_in_which_the_customer_has_a_place_is_named() -> None:
    """J5."""
    other, third = (replace(SESSION, id=SessionId(new_id())) for _ in range(2))
    third = replace(third, starts_at=at("2027-02-04T19:00"))
    off = replace(SESSION, id=SessionId(new_id()), called_off_at=NOW)
    sessions, held = [SESSION, other, third, off], [SESSION.id, third.id, off.id]

    places = list(against_course(COURSE, sessions, NOW, held=held, has_course=False))
    course = list(against_course(COURSE, sessions, NOW, held=held, has_course=True))

    assert [reason.code for reason in places] == ["ALREADY_BOOKED", "ALREADY_BOOKED"]
    assert "2027-01-28 19:00" in places[0].message
    assert "2027-02-04 19:00" in places[1].message
    assert [reason.code for reason in course] == ["ALREADY_BOOKED"]


@pytest.mark.parametrize(
    ("actor", "price", "methods", "offered"),
    [
        (CUSTOMER, PRICE, {"offline"}, [("offline", RecordOffline(PRICE))]),
        (STAFF, PRICE, {"offline"}, [("offline", RecordOffline(PRICE)), ("free", Free())]),
        (SYSTEM, PRICE, {"offline"}, [("offline", RecordOffline(PRICE)), ("free", Free())]),
        (CUSTOMER, PRICE, set(), []),
        (STAFF, PRICE, set(), [("free", Free())]),
        (CUSTOMER, PRICE, {"card"}, [("card", TakeCard(PRICE))]),
        (
            STAFF,
            PRICE,
            {"card", "offline"},
            [("card", TakeCard(PRICE)), ("offline", RecordOffline(PRICE)), ("free", Free())],
        ),
        (CUSTOMER, Money(0, "GBP"), {"card"}, [("free", Free())]),
        (CUSTOMER, Money(0, "GBP"), {"offline"}, [("free", Free())]),
        (STAFF, Money(0, "GBP"), {"offline"}, [("free", Free())]),
    ],
)
def test_a_course_is_paid_as_it_accepts_and_staff_may_give_it_away(
    actor: Actor, price: Money, methods: set[str], offered: list[tuple[str, object]]
) -> None:
    """F8."""
    course = replace(COURSE, price=price, payment_methods=frozenset(methods))

    found = money_options(course.payment_methods, price, actor, takes_cards=True)

    assert [(option.method, option.action) for option in found] == offered


def test_cards_are_shown_with_a_reason_where_the_business_cannot_take_one() -> None:
    """H3: whatever else stands against them is said too."""
    card = PaymentOption("card", action=TakeCard(PRICE))
    refused = PaymentOption("card", refusals=(NotFound(),))
    offline = PaymentOption("offline", action=RecordOffline(PRICE))

    assert with_cards([card, refused, offline], takes_cards=True) == [card, refused, offline]
    *cards, other = with_cards([card, refused, offline], takes_cards=False)
    assert other is offline
    assert [each.action for each in cards] == [None, None]
    assert [[no.code for no in each.refusals] for each in cards] == [
        ["CARD_UNAVAILABLE"],
        ["CARD_UNAVAILABLE", "NOT_FOUND"],
    ]


def test_staff_may_give_a_place_away_and_customers_may_not() -> None:
    """F8."""
    options = [PaymentOption("offline", action=RecordOffline(PRICE))]

    assert with_staff_options(draft(CUSTOMER), options) == options
    assert [option.method for option in with_staff_options(draft(STAFF), options)] == [
        "offline",
        "free",
    ]


def test_a_place_that_is_free_already_is_offered_as_free_once() -> None:
    options = [PaymentOption("free", action=Free())]

    assert with_staff_options(draft(STAFF), options) == options


TEN = CustomerBundleId(new_id())
SWAP = CustomerBundleId(new_id())
OPTIONS = [
    PaymentOption("credit", action=SpendCredit(SWAP)),
    PaymentOption("credit", SWAP, SpendCredit(SWAP)),
    PaymentOption("credit", TEN, SpendCredit(TEN)),
    PaymentOption("offline", action=RecordOffline(PRICE)),
]


@pytest.mark.parametrize(
    ("method", "source", "chosen"),
    [("credit", None, 0), ("credit", SWAP, 1), ("credit", TEN, 2), ("offline", None, 3)],
)
def test_the_option_that_was_named_is_chosen(
    method: str, source: UUID | None, chosen: int
) -> None:
    """D11, X9."""
    assert choose(OPTIONS, PayWith(method, source)) is OPTIONS[chosen]


def test_a_method_that_is_not_offered_is_refused_with_those_that_are() -> None:
    with pytest.raises(PaymentOptionNotAllowed) as no:
        choose(OPTIONS, PayWith("card"))

    assert no.value.allowed == ["credit", "offline"]
    assert no.value.path == ("payWith",)


def test_a_bundle_that_is_not_the_customers_is_not_found() -> None:
    with pytest.raises(NotFound) as no:
        choose(OPTIONS, PayWith("credit", new_id()))

    assert no.value.path == ("payWith",)


def test_only_money_leaves_something_to_be_paid() -> None:
    offline = PaymentOption("offline", action=RecordOffline(PRICE))

    assert amount_of(offline, "GBP") == PRICE
    assert amount_of(PaymentOption("card", action=TakeCard(PRICE)), "GBP") == PRICE
    assert amount_of(PaymentOption("free", action=Free()), "GBP") == Money(0, "GBP")
