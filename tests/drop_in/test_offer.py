"""What an offer says: from when on, and how a place is paid for."""

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
    Unit,
    WayToBook,
    new_id,
)
from classbolt_drop_in.offer import (
    DropInNotOpen,
    DropInOffer,
    DropInsNotAllowed,
    against,
    way_to_book,
    ways_to_pay,
)
from studio import at

LONDON = ZoneInfo("Europe/London")
NOW = at("2027-01-22T09:00")
OPENS = at("2027-01-21T19:00")
INSTANT = timedelta(microseconds=1)
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
    offer = replace(OFFER, opens_before=opens_before)
    session = replace(SESSION, starts_at=at(starts_at))

    assert offer.opens_at(session, LONDON) == at(opens_at)
    assert way_to_book(offer, session, LONDON) == WayToBook("drop_in", PRICE, at(opens_at))


def test_a_session_without_an_offer_takes_no_drop_ins() -> None:
    assert isinstance(way_to_book(None, SESSION, LONDON), DropInsNotAllowed)


@pytest.mark.parametrize(
    ("now", "is_open"),
    [(OPENS - INSTANT, False), (OPENS, True), (OPENS + INSTANT, True)],
)
def test_a_drop_in_is_early_until_the_very_moment_of_opening(
    now: datetime, *, is_open: bool
) -> None:
    draft = replace(DRAFT, way=WayToBook("drop_in", PRICE, OPENS))

    found = against(draft, now)

    assert (found == []) is is_open
    for reason in found:
        assert isinstance(reason, DropInNotOpen)
        assert reason.opens_at == OPENS


@pytest.mark.parametrize(
    "way",
    [None, WayToBook("course", PRICE), WayToBook("waitlist", PRICE, OPENS)],
)
def test_what_is_no_drop_in_is_not_held_to_the_opening(way: WayToBook | None) -> None:
    assert against(replace(DRAFT, way=way), OPENS - INSTANT) == []


def pay(*held: HeldBundle, **changes: Any) -> list[tuple[Any, ...]]:
    """Give the ways to pay as rows: method, source, action, codes of the reasons against."""
    options = ways_to_pay(replace(OFFER, **changes), DRAFT, list(held), NOW)
    return [
        (each.method, each.source, each.action, [reason.code for reason in each.refusals])
        for each in options
    ]


AT_THE_DOOR: tuple[object, ...] = ("offline", None, RecordOffline(PRICE), [])
TRANSFERS = frozenset({"credit"})
OFFLINE = frozenset({"offline"})


def test_a_drop_in_is_paid_with_a_credit_or_with_money() -> None:
    assert pay(SWAP) == [
        ("credit", None, SpendCredit(SWAP.id), []),
        ("credit", SWAP.id, SpendCredit(SWAP.id), []),
        AT_THE_DOOR,
    ]


def test_transfers_only_means_that_nothing_but_a_credit_pays() -> None:
    """F3: the price is shown all the same, to say what a place is worth."""
    assert {method for method, *_ in pay(SWAP, methods=TRANSFERS)} == {"credit"}
    assert pay(methods=TRANSFERS) == [("credit", None, None, ["NO_MATCHING_CREDIT"])]


def test_where_credits_are_not_accepted_none_is_offered() -> None:
    assert pay(SWAP, methods=OFFLINE) == [AT_THE_DOOR]


def test_what_costs_nothing_is_free_and_owes_nothing() -> None:
    free = pay(price=Money(0, "GBP"), methods=OFFLINE)

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
