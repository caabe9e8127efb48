"""How many drop-ins a session takes, and what staff may do all the same."""

from __future__ import annotations

from typing import Any

import pytest

from studio import Studio, codes_of

IN_JANUARY = "2027-01-22T09:00"
"""When SAT 23 Jan, WED 27 Jan and THU 28 Jan are open."""
AT_THE_DOOR = {"offline": True}


def offer(cap: int | None, *methods: str) -> dict[str, Any]:
    """Make an offer for so many drop-ins."""
    week = {"value": 7, "unit": "DAYS"}
    accepted = list(methods) or ["credit", "offline"]
    return {"priceMinor": 1200, "opensBefore": week, "paymentMethods": accepted, "cap": cap}


@pytest.fixture
async def capped(northside: Studio) -> Studio:
    """Northside with SAT 23 Jan open to two drop-ins, and people who would like to come."""
    for name in ("Eve", "Fay", "Ivy"):
        await northside.add_customer(name)
    await northside.change("SAT", 2, dropIn=offer(2))
    northside.clock.set(IN_JANUARY)
    return northside


async def shown(studio: Studio) -> dict[str, Any]:
    """Look at the offer as anybody can."""
    found = await studio.look_at("SAT", 2, "seatsLeft dropIn { cap placesLeft }")
    return {"seats": found["seatsLeft"], **found["dropIn"]}


async def listed(studio: Studio) -> list[str]:
    """List what is open to drop-ins by the titles of the courses."""
    found = await studio.query("{ openDropIns { edges { node { course { title } } } } }")
    return [edge["node"]["course"]["title"] for edge in found["openDropIns"]["edges"]]


async def test_a_session_takes_no_more_drop_ins_than_its_cap(capped: Studio) -> None:
    """F7: the seats that are left are for those who buy the course."""
    first = codes_of(await capped.book("Eve", "SAT", 2, AT_THE_DOOR))
    one_left = await shown(capped)
    await capped.give("Fay", "RB-BEG")
    second = codes_of(await capped.book("Fay", "SAT", 2))

    refused = codes_of(await capped.book("Ivy", "SAT", 2, AT_THE_DOOR))

    assert (first, second, refused) == ([], [], ["DROP_IN_CAP_REACHED"])
    assert one_left == {"seats": 8, "cap": 2, "placesLeft": 1}
    assert await shown(capped) == {"seats": 7, "cap": 2, "placesLeft": 0}
    assert codes_of(await capped.options("Ivy", "SAT", 2)) == ["DROP_IN_CAP_REACHED"]


async def test_the_refusal_says_how_many_drop_ins_the_session_takes(capped: Studio) -> None:
    """F7: as a fact beside the reason."""
    for name in ("Eve", "Fay"):
        await capped.book(name, "SAT", 2, AT_THE_DOOR)

    found = await capped.query(
        "query ($id: ID!) { bookingOptions(session: $id) { userErrors {"
        " path ... on DropInCapReachedError { cap } } } }",
        id=capped.session("SAT", 2),
    )

    assert found["bookingOptions"]["userErrors"] == [{"path": None, "cap": 2}]


async def test_a_drop_in_who_cancels_makes_room_for_another(capped: Studio) -> None:
    """F6, F7: at once."""
    for name in ("Eve", "Fay"):
        await capped.book(name, "SAT", 2, AT_THE_DOOR)
    full = await listed(capped)
    await capped.cancel("Eve", "SAT", 2)

    free = await listed(capped)
    booked = codes_of(await capped.book("Ivy", "SAT", 2, AT_THE_DOOR))

    assert "Beginners, Saturdays" not in full
    assert "Beginners, Saturdays" in free
    assert booked == []


async def test_those_who_buy_the_course_do_not_count(capped: Studio) -> None:
    """F5, F7: the cap is on drop-ins; seats are shared by all."""
    capped.clock.set("2027-01-04T12:00")
    for number in range(8):
        await capped.add_buyer(f"Buyer {number}", "SAT")
    capped.clock.set(IN_JANUARY)
    before = await shown(capped)

    first = codes_of(await capped.book("Eve", "SAT", 2, AT_THE_DOOR))
    second = codes_of(await capped.book("Fay", "SAT", 2, AT_THE_DOOR))

    assert before == {"seats": 1, "cap": 2, "placesLeft": 1}
    assert (first, second) == ([], ["SESSION_FULL"])


async def test_a_cap_that_is_lowered_sends_nobody_away(capped: Studio) -> None:
    """F7, X17: it holds for who comes next; without one there are as many places as seats."""
    for name in ("Eve", "Fay"):
        await capped.book(name, "SAT", 2, AT_THE_DOOR)
    await capped.change("SAT", 2, dropIn=offer(1))
    lowered = await shown(capped)
    refused = codes_of(await capped.book("Ivy", "SAT", 2, AT_THE_DOOR))
    await capped.change("SAT", 2, dropIn=offer(None))

    assert lowered == {"seats": 7, "cap": 1, "placesLeft": 0}
    assert refused == ["DROP_IN_CAP_REACHED"]
    assert await shown(capped) == {"seats": 7, "cap": None, "placesLeft": 7}
    assert codes_of(await capped.book("Ivy", "SAT", 2, AT_THE_DOOR)) == []
    assert await capped.attendees("SAT", 2) == ["Hal", "Eve", "Fay", "Ivy"]


async def test_a_cap_stays_when_its_session_is_changed(capped: Studio) -> None:
    """X3: like the rest of the offer, which follows a session that is moved."""
    await capped.change("SAT", 2, startsAt="2027-01-23T11:00Z", capacity=5)

    assert await shown(capped) == {"seats": 4, "cap": 2, "placesLeft": 2}


async def test_a_swap_is_held_to_the_cap(capped: Studio) -> None:
    """F7, X4: who cannot come there stays where they were."""
    for name in ("Eve", "Fay"):
        await capped.book(name, "SAT", 2, AT_THE_DOOR)

    refused = codes_of(await capped.swap("Ana", ("MON", 3), ("SAT", 2)))

    assert refused == ["DROP_IN_CAP_REACHED"]
    assert await capped.places("Ana", "MON") == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("cap", [0, -1, 10_001])
async def test_a_cap_is_a_number_of_people(capped: Studio, cap: int) -> None:
    """F7: a session that takes nobody has no offer."""
    asked = {"session": capped.session("SAT", 2), "dropIn": offer(cap)}

    refused = await capped.mutate("updateSession", asked, as_="owner")

    assert codes_of(refused) == ["INVALID_INPUT"]
    assert refused["userErrors"][0]["path"] == ["input", "dropIn", "cap"]
    assert (await shown(capped))["cap"] == 2


# What staff may do


async def book_for(
    studio: Studio, name: str, course: str, number: int, pay_with: dict[str, Any]
) -> list[str]:
    """Let staff ask to book a session for a customer."""
    asked = {
        "session": studio.session(course, number),
        "customer": studio.ids.customers[name],
        "payWith": pay_with,
    }
    return await studio.codes("bookSession", asked, as_="staff")


async def test_staff_add_customers_before_it_opens_and_over_the_cap(capped: Studio) -> None:
    """F9: and take the customer's own credit for it."""
    await capped.change("SAT", 2, dropIn=offer(1))
    capped.clock.set("2027-01-10T09:00")
    for name in ("Eve", "Fay"):
        await capped.give(name, "RB-BEG")
    by_herself = codes_of(await capped.book("Eve", "SAT", 2))

    added = [await book_for(capped, name, "SAT", 2, {"credit": {}}) for name in ("Eve", "Fay")]

    assert by_herself == ["DROP_IN_NOT_OPEN"]
    assert added == [[], []]
    assert await capped.attendees("SAT", 2) == ["Hal", "Eve", "Fay"]
    assert await capped.holdings("Fay") == [
        ("RB-BEG", 0, "2027-02-09T09:00:00Z", "ISSUE SPEND")
    ]
    assert await shown(capped) == {"seats": 7, "cap": 1, "placesLeft": 0}


async def test_staff_are_held_to_seats_tags_expiry_and_what_is_accepted(
    capped: Studio,
) -> None:
    """F9, E1, E2, D4: a customer's credit is worth no more in their hands."""
    await capped.add_bundle("TWO DAYS", 2, "BEG")
    for name, bundle in (("Eve", "RB-ADV"), ("Fay", "TWO DAYS")):
        await capped.give(name, bundle)
    capped.clock.set("2027-01-20T09:00")

    other_tag = await book_for(capped, "Eve", "SAT", 2, {"credit": {}})
    expires = await book_for(capped, "Fay", "SAT", 3, {"credit": {}})
    not_accepted = await book_for(capped, "Ivy", "THU", 3, AT_THE_DOOR)
    no_offer = await book_for(capped, "Ivy", "MON", 3, {"free": True})
    await capped.change("SAT", 2, capacity=1)
    full = await book_for(capped, "Ivy", "SAT", 2, AT_THE_DOOR)

    assert other_tag == ["NO_MATCHING_CREDIT", "TAG_MISMATCH"]
    assert expires == ["NO_MATCHING_CREDIT", "CREDIT_EXPIRES_BEFORE_SESSION"]
    assert not_accepted == ["PAYMENT_OPTION_NOT_ALLOWED"]
    assert no_offer == ["DROP_INS_NOT_ALLOWED"]
    assert full == ["SESSION_FULL"]


# What a credit needs to fit


async def test_a_session_without_any_tag_takes_no_credit(capped: Studio) -> None:
    """E3, E4: neither its own nor its course's."""
    await capped.add_course("OPEN", "2027-01-25T12:00", tag=None, dropIn=offer(None, "credit"))
    await capped.give("Eve", "TEN")

    refused = codes_of(await capped.book("Eve", "OPEN", 1))
    await capped.change("OPEN", 1, tag=capped.ids.tags["ADV"])

    assert refused == ["NO_MATCHING_CREDIT", "TAG_MISMATCH"]
    assert codes_of(await capped.book("Eve", "OPEN", 1)) == []
