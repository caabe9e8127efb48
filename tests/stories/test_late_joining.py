"""Joining a course late: not at all, for the whole price, or for what is left (G5)."""

from __future__ import annotations

from typing import Any

import pytest

from studio import Studio, codes_of

OPTIONS = """query ($course: ID!) { courseBookingOptions(course: $course) {
  price { amountMinor } sessionsLeft sessionsTotal
  paymentOptions { method } userErrors { code hint } } }"""


async def options(studio: Studio, name: str | None, course: str) -> dict[str, Any]:
    """Ask how a course can be booked now."""
    found = await studio.query(OPTIONS, as_=name, course=studio.ids.courses[course])
    return dict(found["courseBookingOptions"])


@pytest.mark.parametrize(("late_joining", "price"), [("FULL_PRICE", 6000), ("PRO_RATA", 4000)])
async def test_a_late_joiner_pays_what_the_course_says_and_gets_what_is_left(
    northside: Studio, late_joining: str, price: int
) -> None:
    """S21, G5: four of six sessions are to come; the preview has said so."""
    await northside.add_customer("Eve")
    await northside.change_course("MON", lateJoining=late_joining)
    northside.clock.set("2027-01-19T12:00")

    foreseen = await options(northside, "Eve", "MON")
    bought = await northside.book_course("Eve", "MON")

    assert foreseen == {
        "price": {"amountMinor": price},
        "sessionsLeft": 4,
        "sessionsTotal": 6,
        "paymentOptions": [{"method": "offline"}],
        "userErrors": [],
    }
    assert codes_of(bought) == []
    amount = bought["courseBooking"]["payment"]["amount"]
    assert amount == {"amountMinor": price, "currency": "GBP"}
    assert await northside.places("Eve", "MON") == [3, 4, 5, 6]


async def test_the_part_is_rounded_half_up_to_the_minor_unit(northside: Studio) -> None:
    """S21, G5: 5 of 7 sessions of a course for 50.00 are 35.71; half a penny counts as one."""
    await northside.add_customer("Eve")
    week = [f"2027-03-0{day}T18:00" for day in range(1, 8)]
    await northside.add_course("SEVEN", *week, priceMinor=5000, lateJoining="PRO_RATA")
    await northside.add_course("TWO", *week[1:3], priceMinor=5001, lateJoining="PRO_RATA")
    northside.clock.set("2027-03-02T20:00")

    prices = [(await options(northside, "Eve", each))["price"] for each in ("SEVEN", "TWO")]

    assert prices == [{"amountMinor": 3571}, {"amountMinor": 2501}]


async def test_who_joins_at_the_very_start_of_a_session_has_no_place_in_it(
    northside: Studio,
) -> None:
    """G1, G5: one second before, it is still part of the course."""
    await northside.change_course("MON", lateJoining="PRO_RATA")

    for now, left in (("2027-01-18T18:29:59", 5), ("2027-01-18T18:30:00", 4)):
        northside.clock.set(now)
        assert (await options(northside, None, "MON"))["sessionsLeft"] == left


async def test_called_off_sessions_count_neither_as_left_nor_in_total(
    northside: Studio,
) -> None:
    """G5: who joins late does not pay for what takes place for nobody."""
    await northside.change_course("MON", lateJoining="PRO_RATA")
    await northside.call_off("MON", 1)
    await northside.call_off("MON", 6)
    northside.clock.set("2027-01-19T12:00")

    found = await options(northside, None, "MON")

    assert (found["sessionsLeft"], found["sessionsTotal"]) == (3, 4)
    assert found["price"] == {"amountMinor": 4500}


async def test_only_the_sessions_to_come_need_a_seat(northside: Studio) -> None:
    """G2, G5: that the first ones were full is of no matter."""
    await northside.add_customer("Eve")
    await northside.change_course("MON", lateJoining="FULL_PRICE")
    await northside.change("MON", 1, capacity=1)
    northside.clock.set("2027-01-12T12:00")

    assert codes_of(await northside.book_course("Eve", "MON")) == []
    await northside.change("MON", 6, capacity=2)
    assert [each["code"] for each in (await options(northside, None, "MON"))["userErrors"]] == [
        "COURSE_FULL"
    ]


async def test_a_course_that_is_over_is_sold_to_nobody(northside: Studio) -> None:
    """G5: whatever it says of late joiners."""
    await northside.add_customer("Eve")
    await northside.change_course("MON", lateJoining="PRO_RATA")
    northside.clock.set("2027-02-15T18:30")

    assert codes_of(await northside.book_course("Eve", "MON")) == ["COURSE_STARTED"]


async def test_the_preview_names_all_that_stands_against_a_course_and_what_to_do(
    northside: Studio,
) -> None:
    northside.clock.set("2027-01-19T12:00")

    found = await options(northside, "Ana", "MON")

    assert [each["code"] for each in found["userErrors"]] == [
        "COURSE_STARTED",
        "ALREADY_BOOKED",
    ]
    assert all(each["hint"] for each in found["userErrors"])
    unknown = await northside.query(OPTIONS, course=northside.ids.tags["BEG"])
    assert unknown == {"courseBookingOptions": None}


async def test_a_late_joiner_who_cancels_gets_a_credit_like_everybody(
    northside: Studio,
) -> None:
    """G5, B11: a place is a place, however much of the course was paid."""
    await northside.change_course("MON", lateJoining="PRO_RATA")
    northside.clock.set("2027-01-19T12:00")
    await northside.add_buyer("Eve", "MON")

    cancelled = await northside.cancel("Eve", "MON", 4)

    assert cancelled["cancellation"]["refund"]["outcome"] == "NEW_BUNDLE"
