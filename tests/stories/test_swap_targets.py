"""Where to swap to: sessions that the credit pays for, by the very rules that book them."""

from __future__ import annotations

from typing import Any

from studio import Studio, codes_of

TARGETS = """query ($booking: ID!, $first: Int! = 10) {
  swapTargets(booking: $booking, first: $first) {
    sessions { id startsAt course { title } } userErrors { code } } }"""
USABLE = "query ($id: ID!) { cancellationPreview(booking: $id) { outcome usableSessions } }"


async def targets(
    studio: Studio, name: str, course: str, number: int, **more: Any
) -> dict[str, Any]:
    """Ask what a customer could swap a place for now."""
    booking = await studio.booking(name, course, number)
    found = await studio.query(TARGETS, as_=name, booking=booking, **more)
    return dict(found["swapTargets"])


async def starts(studio: Studio, name: str, course: str, number: int, **more: Any) -> list[str]:
    """Give the days of the sessions to swap to."""
    found = await targets(studio, name, course, number, **more)
    assert found["userErrors"] == []
    return [each["startsAt"][5:10] for each in found["sessions"]]


async def usable(studio: Studio, name: str, course: str, number: int) -> dict[str, Any]:
    """Ask how many sessions the credit of a cancellation would pay for."""
    booking = await studio.booking(name, course, number)
    found = await studio.query(USABLE, as_=name, id=booking)
    return dict(found["cancellationPreview"])


async def test_sessions_of_the_same_level_that_are_open_are_ranked_by_nearness(
    northside: Studio,
) -> None:
    """S22, F4: of Thursdays and Saturdays, what has opened; not advanced ones."""
    northside.clock.set("2027-01-23T12:00")

    assert await starts(northside, "Ana", "MON", 3) == ["01-28", "01-30"]
    assert await starts(northside, "Ana", "MON", 4) == ["01-30", "01-28"]
    assert await starts(northside, "Ana", "MON", 4, first=1) == ["01-30"]


async def test_every_target_can_be_swapped_for(northside: Studio) -> None:
    """S22: by the very rules that suggested it; the session itself is none."""
    northside.clock.set("2027-01-23T12:00")
    found = await targets(northside, "Ben", "THU", 3)

    (target,) = found["sessions"]
    asked = {"booking": await northside.booking("Ben", "THU", 3), "toSession": target["id"]}
    assert await northside.codes("swapBooking", asked, as_="Ben") == []
    assert await northside.places("Ben", "SAT") == [3]
    assert await northside.places("Ben", "THU") == [1, 2, 4, 5, 6]


async def test_what_is_full_or_booked_or_called_off_is_no_target(northside: Studio) -> None:
    """X4, X22: nor is what starts when the credit has expired (D4)."""
    northside.clock.set("2027-01-23T12:00")
    both = await starts(northside, "Ana", "MON", 3)
    await northside.change("SAT", 3, capacity=1)
    full = await starts(northside, "Ana", "MON", 3)
    await northside.give("Ana", "TEN")
    await northside.book("Ana", "THU", 3)
    booked = await starts(northside, "Ana", "MON", 3)
    await northside.change("SAT", 3, capacity=2)
    again = await starts(northside, "Ana", "MON", 3)
    await northside.call_off("SAT", 3)
    called_off = await starts(northside, "Ana", "MON", 3)

    assert (both, full, booked) == (["01-28", "01-30"], ["01-28"], [])
    assert (again, called_off) == (["01-30"], [])


async def test_a_cancellation_that_gives_nothing_has_no_targets_and_says_why(
    northside: Studio,
) -> None:
    """S22: too late; then not booked any more; and nobody asks for others."""
    northside.clock.set("2027-01-25T09:00")
    late = await targets(northside, "Ana", "MON", 3)
    northside.clock.set("2027-01-25T18:30")
    started = await targets(northside, "Ana", "MON", 3)
    booking = await northside.booking("Ana", "MON", 4)
    await northside.cancel("Ana", "MON", 4)
    cancelled = await targets(northside, "Ana", "MON", 4)

    assert (late["sessions"], codes_of(late)) == ([], ["NOTICE_TOO_SHORT"])
    assert (started["sessions"], codes_of(started)) == ([], ["SESSION_STARTED"])
    assert (cancelled["sessions"], codes_of(cancelled)) == ([], ["NOT_BOOKED"])
    for who in (None, "Ben"):
        found = await northside.query(TARGETS, as_=who, booking=booking)
        assert found == {"swapTargets": None}


async def test_a_place_that_a_credit_paid_for_is_swapped_with_that_credit(
    northside: Studio,
) -> None:
    """X11: it goes back and pays anew, within the same expiry."""
    northside.clock.set("2027-01-23T12:00")
    await northside.give("Ana", "TEN")
    await northside.book("Ana", "THU", 3)

    found = await targets(northside, "Ana", "THU", 3)

    assert [each["course"]["title"] for each in found["sessions"]] == [
        "Advanced, Wednesdays",
        "Beginners, Saturdays",
    ]


async def test_the_preview_counts_where_the_credit_could_be_spent(northside: Studio) -> None:
    """X8: also what opens later; what is full or beyond the expiry counts for nothing."""
    northside.clock.set("2027-01-20T10:00")

    first = await usable(northside, "Ana", "MON", 3)
    await northside.change("SAT", 2, capacity=1)
    second = await usable(northside, "Ana", "MON", 3)

    # Thursdays 21 Jan to 18 Feb and Saturdays 23 Jan to 13 Feb: 19 Feb 10:00 is the end.
    assert first == {"outcome": "NEW_BUNDLE", "usableSessions": 9}
    assert second["usableSessions"] == 8


async def test_a_credit_that_nothing_takes_is_issued_and_said_to_be_of_no_use(
    northside: Studio,
) -> None:
    """X8: the customer knows before cancelling."""
    await northside.add_bundle("SHORT", 1, "BEG")
    rule = {"option": "COURSE", "method": "NEW_BUNDLE"}
    rule["bundle"] = northside.ids.bundles["SHORT"]
    policy = {"notice": {"value": 24, "unit": "HOURS"}, "refunds": [rule]}
    await northside.change_course("MON", autoRefund=policy)
    northside.clock.set("2027-01-24T12:00")

    assert await usable(northside, "Ana", "MON", 3) == {
        "outcome": "NEW_BUNDLE",
        "usableSessions": 0,
    }
    cancelled = await northside.cancel("Ana", "MON", 3)
    assert cancelled["cancellation"]["refund"]["outcome"] == "NEW_BUNDLE"
    nothing = await northside.query(
        USABLE, as_="Ana", id=await northside.booking("Ana", "MON", 3)
    )
    assert nothing["cancellationPreview"] == {"outcome": None, "usableSessions": 0}


async def test_without_drop_ins_there_is_nowhere_to_go(northside: Studio) -> None:
    """X19: the credit is kept all the same."""
    await northside.switch("drop_in", on=False)
    northside.clock.set("2027-01-23T12:00")

    assert await starts(northside, "Ana", "MON", 3) == []
    assert (await usable(northside, "Ana", "MON", 3))["usableSessions"] == 0


async def test_targets_cost_the_same_for_twice_the_sessions(northside: Studio) -> None:
    northside.clock.set("2027-01-23T12:00")
    booking = await northside.booking("Ana", "MON", 3)
    costs = []
    for _ in range(2):
        async with northside.counting() as statements:
            found = await northside.query(TARGETS, as_="Ana", booking=booking, first=100)
        costs.append((len(statements), len(found["swapTargets"]["sessions"])))
        week = [f"2027-01-2{day}T18:00" for day in (6, 7, 8, 9)]
        offer = {"priceMinor": 100, "opensBefore": {"value": 9, "unit": "DAYS"}}
        await northside.add_course("WEEK", *week, dropIn=offer)

    assert [found for _, found in costs] == [2, 6]
    assert costs[0][0] == costs[1][0]
