"""What holds histories against rows, tried on a tale that is whole and on broken ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from histories import (
    BOOKED,
    CANCELLED,
    Asked,
    Booking,
    Cancellation,
    Entry,
    Rows,
    Verdict,
    judge,
)

ANA, TEN, REFUND = "Ana", "ten classes", "swap credit"


def told_of(booking: str, bundle: str) -> dict[str, Any]:
    return {"booking": {"id": booking, "customerBundle": {"id": bundle}}}


def ended(outcome: str, bundle: str | None) -> dict[str, Any]:
    held = None if bundle is None else {"id": bundle}
    return {"cancellation": {"refund": {"outcome": outcome, "customerBundle": held}}}


CREATED = Asked("createCustomer", {}, None, {"customer": {"id": ANA}})
GIVEN = Asked("giveBundle", {"customer": ANA}, ANA, {"customerBundle": {"id": TEN}})
COURSE = Asked("bookCourse", {"course": "MON"}, ANA, {"courseBooking": {"id": "Ana's MON"}})
MARKED = Asked("markPaid", {"payment": "60 pounds"}, ANA, {})
DROPPED_IN = Asked("bookSession", {"session": "SAT 1"}, ANA, told_of("b1", TEN))
CALLED_OFF = Asked("cancelBooking", {"booking": "b1"}, ANA, ended("CREDIT_BACK", TEN))
SWAPPED = Asked(
    "swapBooking",
    {"booking": "m2", "toSession": "SAT 2"},
    ANA,
    told_of("b2", REFUND) | ended("NEW_BUNDLE", REFUND),
)
GAVE_UP = Asked("cancelBooking", {"booking": "m1"}, ANA, ended("NONE", None))
OFF = Asked("disableBoltOn", {"boltOn": "drop_in"}, None, {})
TALE = (CREATED, GIVEN, COURSE, MARKED, DROPPED_IN, CALLED_OFF, SWAPPED, GAVE_UP, OFF)

ROWS = Rows(
    sessions={"MON 1": "MON", "MON 2": "MON", "SAT 1": "SAT", "SAT 2": "SAT"},
    customers=frozenset({ANA}),
    bundles={TEN: ANA, REFUND: ANA},
    bookings={
        "m1": Booking("MON 1", ANA, CANCELLED, course_booking="Ana's MON"),
        "m2": Booking("MON 2", ANA, CANCELLED, course_booking="Ana's MON"),
        "b1": Booking("SAT 1", ANA, CANCELLED, TEN),
        "b2": Booking("SAT 2", ANA, BOOKED, REFUND),
    },
    cancellations={
        "m1": Cancellation("NONE"),
        "m2": Cancellation("NEW_BUNDLE", REFUND),
        "b1": Cancellation("CREDIT_BACK", TEN),
    },
    entries=(
        Entry(TEN, "ISSUE", "giving"),
        Entry(TEN, "SPEND", "dropping in", "b1"),
        Entry(TEN, "CREDIT_BACK", "cancelling", "b1"),
        Entry(REFUND, "ISSUE", "swapping", "m2"),
        Entry(REFUND, "SPEND", "swapping", "b2"),
    ),
    course_bookings={"Ana's MON": ("MON", ANA)},
    paid=frozenset({"60 pounds"}),
    switches={"drop_in": False},
    changes={"drop_in": False},
)


def without(rows: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: row for key, row in rows.items() if key not in keys}


def unanswered(*lost: Asked) -> list[Asked]:
    """Tell the tale as somebody who did not get these answers."""
    return [replace(each, told=None) if each in lost else each for each in TALE]


def entries_without(*numbers: int) -> Rows:
    kept = [each for number, each in enumerate(ROWS.entries) if number not in numbers]
    return replace(ROWS, entries=kept)


def booking(key: str, **changes: Any) -> Rows:
    changed = replace(ROWS.bookings[key], **changes)
    return replace(ROWS, bookings={**ROWS.bookings, key: changed})


BEFORE_THE_SWAP = replace(
    booking("m2", status=BOOKED),
    bookings=without(booking("m2", status=BOOKED).bookings, "b2"),
    cancellations=without(ROWS.cancellations, "m2"),
    entries=ROWS.entries[:3],
    bundles={TEN: ANA},
)
"""The rows of a tale that the swap is no part of."""


def test_a_tale_that_is_whole_is_not_complained_about() -> None:
    assert judge(TALE, ROWS) == Verdict([], [])


@pytest.mark.parametrize(
    "unknown", [CREATED, GIVEN, COURSE, MARKED, DROPPED_IN, CALLED_OFF, SWAPPED, OFF]
)
def test_what_was_not_answered_may_have_happened(unknown: Asked) -> None:
    assert judge(unanswered(unknown), ROWS) == Verdict([], [])


def test_what_was_not_answered_may_not_have_happened() -> None:
    assert judge(unanswered(SWAPPED), BEFORE_THE_SWAP) == Verdict([], [])

    on = replace(ROWS, switches={"drop_in": True}, changes={"drop_in": True})
    tale = [Asked("enableBoltOn", {"boltOn": "drop_in"}, None, {}), *unanswered(OFF)]
    assert judge(tale, on) == Verdict([], [])


def test_a_swap_that_was_not_answered_may_be_asked_for_again() -> None:
    elsewhere = replace(SWAPPED, wanted={"booking": "m2", "toSession": "SAT 1"}, told=None)

    assert judge([elsewhere, *TALE], ROWS) == Verdict([], [])


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        (replace(ROWS, customers=frozenset()), "createCustomer: the customer is not there"),
        (
            replace(ROWS, bundles={REFUND: ANA}),
            "giveBundle: the bundle is not there",
        ),
        (replace(ROWS, paid=frozenset()), "markPaid: the payment is not marked"),
        (
            replace(ROWS, course_bookings={}),
            "bookCourse: the course booking Ana's MON is not there",
        ),
        (
            replace(ROWS, bookings=without(ROWS.bookings, "b1")),
            "bookSession: the booking b1 is not there",
        ),
        (
            booking("b1", session="SAT 2"),
            "bookSession: the booking b1 is not there",
        ),
        (
            booking("b1", bundle=REFUND),
            "bookSession: the booking b1 is not paid as it was told",
        ),
        (
            replace(ROWS, cancellations=without(ROWS.cancellations, "m1")),
            "cancelBooking: the booking m1 is not cancelled as it was told",
        ),
        (
            replace(
                ROWS, cancellations={**ROWS.cancellations, "b1": Cancellation("NONE", None)}
            ),
            "cancelBooking: the booking b1 is not cancelled as it was told",
        ),
        (
            replace(ROWS, bookings=without(ROWS.bookings, "b2")),
            "swapBooking: the booking b2 is not there",
        ),
        (entries_without(3, 4), "swapBooking: m2 and b2 are not one operation"),
        (replace(ROWS, switches={"drop_in": True}), "drop_in is not switched as it was told"),
    ],
)
def test_what_was_acknowledged_and_is_not_there_is_lost(rows: Rows, complaint: str) -> None:
    assert complaint in judge(TALE, rows).lost


def test_what_was_acknowledged_is_lost_as_a_whole() -> None:
    verdict = judge(TALE, BEFORE_THE_SWAP)

    assert verdict.broken == []
    assert len(verdict.lost) == 3


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        (entries_without(0), f"the bundle {TEN} was never issued"),
        (entries_without(1), "the booking b1 and what was spent on it differ"),
        (entries_without(2), "what cancelling b1 gave is not what the ledger says"),
        (
            replace(ROWS, bookings=without(ROWS.bookings, "m1")),
            "the course booking Ana's MON has 1 places",
        ),
        (booking("m1", status=BOOKED), "the booking m1 is cancelled by halves"),
        (booking("b2", status=CANCELLED), "the booking b2 is cancelled by halves"),
        (
            booking("b2", session="SAT 1"),
            "the booking m2 was swapped for what nobody asked for",
        ),
        (replace(ROWS, changes={}), "the switch of drop_in has no line"),
    ],
)
def test_what_is_there_by_halves_is_broken(rows: Rows, complaint: str) -> None:
    assert complaint in judge(unanswered(*TALE), rows).broken


def test_a_swap_that_only_gave_up_the_old_place_is_half_a_swap() -> None:
    half = replace(entries_without(4), bookings=without(ROWS.bookings, "b2"))

    assert judge(unanswered(SWAPPED), half).broken == [
        "the booking m2 was given up in half a swap"
    ]


def test_a_swap_that_only_took_the_new_place_is_half_a_swap() -> None:
    half = replace(
        BEFORE_THE_SWAP,
        bookings={**BEFORE_THE_SWAP.bookings, "b2": replace(ROWS.bookings["b2"], bundle=TEN)},
        entries=[*BEFORE_THE_SWAP.entries, Entry(TEN, "SPEND", "swapping", "b2")],
    )

    assert judge(unanswered(SWAPPED), half).broken == [
        "1 of bookSession SAT 2 for Ana that nobody asked for"
    ]


@pytest.mark.parametrize(
    ("unasked", "complaint"),
    [
        (DROPPED_IN, "1 of bookSession SAT 1 for Ana that nobody asked for"),
        (COURSE, "1 of bookCourse MON for Ana that nobody asked for"),
        (CALLED_OFF, "the booking b1 was cancelled, and nobody asked for it"),
        (SWAPPED, "the booking m2 was cancelled, and nobody asked for it"),
    ],
)
def test_what_nobody_asked_for_is_broken(unasked: Asked, complaint: str) -> None:
    tale = [each for each in TALE if each is not unasked]

    assert complaint in judge(tale, ROWS).broken
