"""Booking a whole course: a place in each of its sessions, or nothing at all."""

from __future__ import annotations

from typing import Any

import pytest

from studio import Studio, codes_of

pytestmark = pytest.mark.unmeasured  # they come by nothing new, but often


async def test_a_course_is_a_place_in_each_of_its_sessions(northside: Studio) -> None:
    """G1: with one payment, for the whole."""
    await northside.add_customer("Eve")

    bought = await northside.book_course("Eve", "MON")

    found = await northside.bookings("Eve", "MON")
    assert codes_of(bought) == []
    assert [each["number"] for each in found] == [1, 2, 3, 4, 5, 6]
    assert {each["way"] for each in found} == {"course"}
    payment = bought["courseBooking"]["payment"]
    assert payment["amount"] == {"amountMinor": 6000, "currency": "GBP"}
    assert payment["paidAt"] is None
    assert {each["payment"]["id"] for each in found} == {payment["id"]}
    assert await _seats_left(northside, "MON") == [8, 8, 8, 8, 8, 8]


@pytest.mark.parametrize(
    ("now", "codes"),
    [("2027-01-11T18:29:59", []), ("2027-01-11T18:30:00", ["COURSE_STARTED"])],
)
async def test_a_course_takes_nobody_once_it_has_started(
    northside: Studio, now: str, codes: list[str]
) -> None:
    """G5: late joiners are not taken."""
    await northside.add_customer("Eve")
    northside.clock.set(now)

    assert codes_of(await northside.book_course("Eve", "MON")) == codes


async def test_a_late_joiner_gets_nothing(northside: Studio) -> None:
    """S21, G5: no place, nothing to pay."""
    await northside.add_customer("Eve")
    northside.clock.set("2027-01-19T12:00")

    refused = await northside.book_course("Eve", "MON")

    assert codes_of(refused) == ["COURSE_STARTED"]
    assert refused["courseBooking"] is None
    assert await northside.bookings("Eve", "MON") == []
    assert await _seats_left(northside, "MON") == [9, 9, 9, 9, 9, 9]


async def test_one_session_full_of_drop_ins_makes_the_course_full(northside: Studio) -> None:
    """F5, F7, G2, G6: and nobody has a seat less for it in the other sessions."""
    for name in ("Eve", "Ivy"):
        await northside.add_customer(name)
    await northside.change("SAT", 1, capacity=2)
    northside.clock.set("2027-01-10T12:00")
    await northside.book("Ivy", "SAT", 1, {"offline": True})

    refused = codes_of(await northside.book_course("Eve", "SAT"))
    await northside.cancel("Ivy", "SAT", 1)
    bought = codes_of(await northside.book_course("Eve", "SAT"))

    assert refused == ["COURSE_FULL"]
    assert bought == []
    assert await _seats_left(northside, "SAT") == [0, 8, 8, 8, 8, 8]


async def test_a_customer_books_a_course_once(northside: Studio) -> None:
    """J5: it is refused with one reason, not with one for each session."""
    refused = await northside.book_course("Ana", "MON")

    assert codes_of(refused) == ["ALREADY_BOOKED"]
    assert await northside.places("Ana", "MON") == [1, 2, 3, 4, 5, 6]
    assert await _seats_left(northside, "MON") == [9, 9, 9, 9, 9, 9]


async def test_whoever_holds_a_place_in_a_session_cannot_buy_its_course(
    northside: Studio,
) -> None:
    """J5: nobody sits on two chairs; after giving the place up they can."""
    await northside.add_customer("Ivy")
    northside.clock.set("2027-01-10T12:00")
    await northside.book("Ivy", "SAT", 1, {"offline": True})

    refused = await northside.book_course("Ivy", "SAT")
    await northside.cancel("Ivy", "SAT", 1)
    bought = codes_of(await northside.book_course("Ivy", "SAT"))

    assert codes_of(refused) == ["ALREADY_BOOKED"]
    assert "2027-01-16 10:00 UTC" in refused["userErrors"][0]["message"]
    assert bought == []
    assert await northside.places("Ivy", "SAT") == [1, 2, 3, 4, 5, 6]
    assert await _seats_left(northside, "SAT") == [8, 8, 8, 8, 8, 8]


async def test_a_course_is_not_paid_with_what_it_does_not_accept(northside: Studio) -> None:
    """D6, B10: neither with a credit, which pays for one session, nor for free."""
    await northside.add_customer("Eve")
    await northside.give("Eve", "RB-BEG")

    with_credit = await northside.book_course("Eve", "MON", {"credit": {}})
    for_free = await northside.book_course("Eve", "MON", {"free": True})

    assert codes_of(with_credit) == codes_of(for_free) == ["PAYMENT_OPTION_NOT_ALLOWED"]
    assert with_credit["userErrors"][0]["allowed"] == ["offline"]
    assert await northside.places("Eve", "MON") == []


async def test_members_get_no_place_in_sessions_that_are_added_later(
    northside: Studio,
) -> None:
    """G1: they bought what the course was; the new session has all its seats."""
    added = {"startsAt": "2027-02-22T18:30:00Z", "capacity": 10}
    asked = {"course": northside.ids.courses["MON"], "sessions": [added]}
    made = await northside.do("addSessions", asked, "sessions { id }", as_="owner")
    northside.ids.sessions["MON"].append(made["sessions"][0]["id"])

    await northside.add_buyer("Eve", "MON")

    assert await northside.places("Ana", "MON") == [1, 2, 3, 4, 5, 6]
    assert await northside.places("Eve", "MON") == [1, 2, 3, 4, 5, 6, 7]
    assert await _seats_left(northside, "MON") == [8, 8, 8, 8, 8, 8]
    assert await northside.seats_left("MON", 7) == 9


async def test_a_capacity_below_the_bookings_throws_nobody_out(northside: Studio) -> None:
    """J1, X21: it only lets nobody in until there is room."""
    northside.clock.set("2027-01-22T09:00")
    for name in ("Ana", "Hal"):
        await northside.give(name, "RB-BEG")
        assert codes_of(await northside.book(name, "THU", 3)) == []
    await northside.add_customer("Eve")
    await northside.give("Eve", "RB-BEG")

    await northside.change("THU", 3, capacity=2)

    assert await northside.look_at("THU", 3, "capacity seatsLeft") == _room(2, 0)
    assert await northside.attendees("THU", 3) == ["Ben", "Ana", "Hal"]
    for name, seats_left in (("Ben", 0), ("Ana", 1)):
        assert codes_of(await northside.book("Eve", "THU", 3)) == ["SESSION_FULL"]
        await northside.cancel(name, "THU", 3)
        assert await northside.look_at("THU", 3, "capacity seatsLeft") == _room(2, seats_left)
    assert codes_of(await northside.book("Eve", "THU", 3)) == []
    assert await northside.attendees("THU", 3) == ["Hal", "Eve"]


async def test_a_capacity_that_is_raised_again_counts_from_the_bookings(
    northside: Studio,
) -> None:
    """X21: also when somebody left in between."""
    northside.clock.set("2027-01-22T09:00")
    for name in ("Ana", "Hal"):
        await northside.give(name, "RB-BEG")
        await northside.book(name, "THU", 3)
    await northside.change("THU", 3, capacity=1)
    await northside.cancel("Hal", "THU", 3)

    await northside.change("THU", 3, capacity=3)

    assert await northside.look_at("THU", 3, "capacity seatsLeft") == _room(3, 1)


async def test_a_course_is_full_while_one_of_its_sessions_is_over_capacity(
    northside: Studio,
) -> None:
    """X21, G2."""
    await northside.add_buyer("Eve", "MON")
    await northside.add_customer("Lou")
    await northside.change("MON", 4, capacity=1)

    refused = codes_of(await northside.book_course("Lou", "MON"))

    assert refused == ["COURSE_FULL"]
    assert await _seats_left(northside, "MON") == [8, 8, 8, 0, 8, 8]


async def _seats_left(studio: Studio, course: str) -> list[int]:
    return [await studio.seats_left(course, number) for number in range(1, 7)]


def _room(capacity: int, seats_left: int) -> dict[str, Any]:
    return {"capacity": capacity, "seatsLeft": seats_left}
