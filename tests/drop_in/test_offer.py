"""What an offer says: from when on, for how many, and how a place is paid for."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from classbolt import (
    Actor,
    BookingDraft,
    BundleId,
    CourseId,
    CustomerBundleId,
    CustomerId,
    Free,
    HeldBundle,
    Money,
    Period,
    RecordOffline,
    SessionFacts,
    SessionId,
    SpendCredit,
    TagId,
    TakeCard,
    Unit,
    WayToBook,
    new_id,
)
from classbolt.values import Role
from classbolt_drop_in.offer import (
    DropInCapReached,
    DropInNotOpen,
    DropInOffer,
    DropInsNotAllowed,
    against,
    is_drop_in,
    way_to_book,
    ways_to_pay,
)
from clock_changes import CUT_OFFS, Span, period
from studio import at

LONDON = ZoneInfo("Europe/London")
NOW = at("2027-01-22T09:00")
OPENS = at("2027-01-21T19:00")
INSTANT = timedelta(microseconds=1)
A_SECOND = timedelta(seconds=1)
PRICE = Money(1200, "GBP")
TAG = TagId(new_id())
ANA = CustomerId(new_id())

SESSION = SessionFacts(
    id=SessionId(new_id()),
    course_id=CourseId(new_id()),
    starts_at=at("2027-01-28T19:00"),
    ends_at=at("2027-01-28T20:00"),
    capacity=10,
    seats_taken=1,
    tag_id=TAG,
    called_off_at=None,
)
OFFER = DropInOffer(PRICE, Period(7, Unit.DAYS), frozenset({"credit", "offline"}))
DRAFT = BookingDraft(SESSION, ANA, Actor(customer_id=ANA), has_place=False)
SWAP = HeldBundle(
    id=CustomerBundleId(new_id()),
    customer_id=ANA,
    bundle_id=BundleId(new_id()),
    balance=1,
    issued_at=at("2027-01-20T10:00"),
    expires_at=at("2027-02-19T10:00"),
    tag_ids=frozenset({TAG}),
)


@pytest.mark.parametrize(
    ("starts_at", "opens_before", "opens_at"),
    [
        ("2027-01-28T19:00", Period(7, Unit.DAYS), "2027-01-21T19:00"),
        ("2027-04-01T18:00", Period(7, Unit.DAYS), "2027-03-25T19:00"),
        ("2027-04-01T18:00", Period(1, Unit.WEEKS), "2027-03-25T19:00"),
        ("2027-04-01T18:00", Period(168, Unit.HOURS), "2027-03-25T18:00"),
        ("2027-11-01T19:00", Period(2, Unit.DAYS), "2027-10-30T18:00"),
        ("2027-11-01T19:00", Period(48, Unit.HOURS), "2027-10-30T19:00"),
        ("2027-03-31T18:00", Period(1, Unit.MONTHS), "2027-02-28T19:00"),
        ("2027-01-28T19:00", Period(0, Unit.HOURS), "2027-01-28T19:00"),
    ],
)
def test_an_offer_opens_by_the_clock_on_the_wall_of_the_account(
    starts_at: str, opens_before: Period, opens_at: str
) -> None:
    """A7, F4, X1."""
    offer = replace(OFFER, opens_before=opens_before)
    session = replace(SESSION, starts_at=at(starts_at))

    assert offer.opens_at(session, LONDON) == at(opens_at)
    assert way_to_book(offer, session, LONDON) == WayToBook("drop_in", PRICE, at(opens_at))


@pytest.mark.parametrize("span", CUT_OFFS)
def test_an_opening_is_exact_whatever_the_clocks_did_before_the_start(span: Span) -> None:
    """F4, A7, X1: in three zones, across both changes, in hours, days and weeks."""
    opens_at = at(span.earlier)
    session = replace(SESSION, starts_at=at(span.later))
    offer = replace(OFFER, opens_before=period(span.period))
    zone = ZoneInfo(span.zone)
    way = way_to_book(offer, session, zone)
    assert isinstance(way, WayToBook)
    draft = replace(DRAFT, session=session, way=way)
    asked = (opens_at - A_SECOND, opens_at - INSTANT, opens_at, opens_at + A_SECOND)

    is_early = [bool(against(offer, draft, zone, now)) for now in asked]

    assert way.opens_at == opens_at
    assert is_early == [True, True, False, False]


def test_a_session_without_an_offer_takes_no_drop_ins() -> None:
    """F1, F4."""
    assert isinstance(way_to_book(None, SESSION, LONDON), DropInsNotAllowed)


@pytest.mark.parametrize(
    ("now", "is_open"),
    [(OPENS - INSTANT, False), (OPENS, True), (OPENS + INSTANT, True)],
)
def test_a_drop_in_is_early_until_the_very_moment_of_opening(
    now: datetime, *, is_open: bool
) -> None:
    """F4."""
    found = against(OFFER, DRAFT, LONDON, now)

    assert (found == []) is is_open
    for reason in found:
        assert isinstance(reason, DropInNotOpen)
        assert reason.opens_at == OPENS


@pytest.mark.parametrize(
    ("way", "ours"),
    [
        (WayToBook("drop_in", PRICE), True),
        (WayToBook("course", PRICE), False),
        (WayToBook("waitlist", PRICE, OPENS), False),
        (None, False),
    ],
)
def test_only_what_is_booked_as_a_drop_in_is_one(way: WayToBook | None, *, ours: bool) -> None:
    assert is_drop_in(replace(DRAFT, way=way)) is ours


@pytest.mark.parametrize(
    ("cap", "taken", "refused"),
    [(None, 0, False), (3, 0, False), (3, 2, False), (3, 3, True), (3, 4, True), (1, 1, True)],
)
def test_a_session_takes_no_more_drop_ins_than_its_cap(
    cap: int | None, taken: int, *, refused: bool
) -> None:
    """F7: more than the cap may have come before it was lowered."""
    found = against(replace(OFFER, cap=cap, taken=taken), DRAFT, LONDON, NOW)

    assert (found != []) is refused
    for reason in found:
        assert isinstance(reason, DropInCapReached)
        assert reason.cap == cap


def test_all_reasons_against_a_drop_in_are_given_at_once() -> None:
    full = replace(OFFER, cap=1, taken=1)

    codes = [reason.code for reason in against(full, DRAFT, LONDON, OPENS - INSTANT)]

    assert codes == ["DROP_IN_NOT_OPEN", "DROP_IN_CAP_REACHED"]


@pytest.mark.parametrize(
    ("actor", "held"),
    [
        (Actor(customer_id=ANA), True),
        (Actor(), True),
        (Actor(role=Role.STAFF), False),
        (Actor(role=Role.OWNER), False),
        (Actor(is_system=True), False),
    ],
)
def test_staff_are_held_neither_to_the_opening_nor_to_the_cap(
    actor: Actor, *, held: bool
) -> None:
    """F9: they add whom they want, as long as there is a seat."""
    full, draft = replace(OFFER, cap=1, taken=1), replace(DRAFT, actor=actor)

    assert (against(full, draft, LONDON, OPENS - INSTANT) != []) is held


@pytest.mark.parametrize(
    ("cap", "taken", "capacity", "seats_taken", "left"),
    [
        (None, 0, 10, 1, 9),
        (None, 0, 10, 10, 0),
        (3, 1, 10, 1, 2),
        (3, 3, 10, 3, 0),
        (5, 1, 10, 9, 1),
        (3, 4, 10, 4, 0),
        (None, 0, 2, 4, 0),
    ],
)
def test_the_places_left_are_free_seats_as_far_as_the_cap_allows(
    cap: int | None, taken: int, capacity: int, seats_taken: int, left: int
) -> None:
    """F5, F7, X21: fewer than none are none."""
    session = replace(SESSION, capacity=capacity, seats_taken=seats_taken)

    assert replace(OFFER, cap=cap, taken=taken).places_left(session) == left


def pay(*held: HeldBundle, **changes: Any) -> list[tuple[Any, ...]]:
    """Give the ways to pay as rows: method, source, action, codes of the reasons against."""
    options = ways_to_pay(replace(OFFER, **changes), replace(DRAFT, held=held), NOW)
    return [
        (each.method, each.source, each.action, [reason.code for reason in each.refusals])
        for each in options
    ]


AT_THE_DOOR: tuple[object, ...] = ("offline", None, RecordOffline(PRICE), [])
TRANSFERS = frozenset({"credit"})
OFFLINE = frozenset({"offline"})
BY_CARD = frozenset({"card"})


def test_a_drop_in_is_paid_with_a_credit_or_with_money() -> None:
    """F1."""
    assert pay(SWAP) == [
        ("credit", None, SpendCredit(SWAP.id), []),
        ("credit", SWAP.id, SpendCredit(SWAP.id), []),
        AT_THE_DOOR,
    ]


def test_transfers_only_means_that_nothing_but_a_credit_pays() -> None:
    """F2, F3: the price is shown all the same, to say what a place is worth."""
    assert {method for method, *_ in pay(SWAP, methods=TRANSFERS)} == {"credit"}
    assert pay(methods=TRANSFERS) == [("credit", None, None, ["NO_MATCHING_CREDIT"])]


def test_where_credits_are_not_accepted_none_is_offered() -> None:
    """E2."""
    assert pay(SWAP, methods=OFFLINE) == [AT_THE_DOOR]


def test_a_card_is_offered_where_it_is_accepted() -> None:
    """S6."""
    by_card: tuple[object, ...] = ("card", None, TakeCard(PRICE), [])

    assert pay(SWAP, methods=BY_CARD) == [by_card]
    assert pay(methods=BY_CARD | OFFLINE) == [by_card, AT_THE_DOOR]


@pytest.mark.parametrize("methods", [OFFLINE, BY_CARD, BY_CARD | OFFLINE])
def test_what_costs_nothing_is_free_and_owes_nothing(methods: frozenset[str]) -> None:
    free = pay(price=Money(0, "GBP"), methods=methods)

    assert free == [("free", None, Free(), [])]
    assert ("free", None, Free(), []) in pay(SWAP, price=Money(0, "GBP"))


def test_a_place_that_costs_nothing_still_takes_transfers_only_if_it_says_so() -> None:
    assert {method for method, *_ in pay(price=Money(0, "GBP"), methods=TRANSFERS)} == {
        "credit"
    }


def test_the_best_credit_that_can_pay_is_taken_and_the_others_say_why_not() -> None:
    other_tag = replace(
        SWAP,
        id=CustomerBundleId(new_id()),
        tag_ids=frozenset(),
        expires_at=SWAP.expires_at - timedelta(days=2),
    )
    better = replace(
        SWAP, id=CustomerBundleId(new_id()), expires_at=SWAP.expires_at - timedelta(days=1)
    )

    assert pay(SWAP, other_tag, better, methods=TRANSFERS) == [
        ("credit", None, SpendCredit(better.id), []),
        ("credit", other_tag.id, SpendCredit(other_tag.id), ["TAG_MISMATCH"]),
        ("credit", better.id, SpendCredit(better.id), []),
        ("credit", SWAP.id, SpendCredit(SWAP.id), []),
    ]


def test_when_no_credit_can_pay_every_kind_of_reason_is_given_once() -> None:
    empty = replace(SWAP, id=CustomerBundleId(new_id()), balance=0)
    other_tag = replace(SWAP, id=CustomerBundleId(new_id()), tag_ids=frozenset())
    expired = replace(other_tag, id=CustomerBundleId(new_id()), expires_at=NOW)

    best, *each = pay(empty, other_tag, expired, methods=TRANSFERS)

    assert best[:3] == ("credit", None, None)
    assert best[3][0] == "NO_MATCHING_CREDIT"
    assert sorted(best[3][1:]) == ["CREDIT_EXPIRED", "INSUFFICIENT_CREDITS", "TAG_MISMATCH"]
    assert [source for _, source, *_ in each] == [expired.id, other_tag.id, empty.id]
