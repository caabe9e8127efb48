"""When a session opens to drop-ins, and the list of what is open."""

from __future__ import annotations

from typing import Any

from studio import Studio, codes_of

IN_JANUARY = "2027-01-22T09:00"
"""When SAT 23 Jan, WED 27 Jan and THU 28 Jan are open."""


async def test_a_session_opens_to_the_second(northside: Studio) -> None:
    """S7: a second before, the answer says when."""
    northside.clock.set("2027-01-20T10:00")
    await northside.cancel("Ana", "MON", 3)
    northside.clock.set("2027-01-21T18:59:59")

    early = await northside.book("Ana", "THU", 3)
    held = await northside.holdings("Ana")
    northside.clock.set("2027-01-21T19:00:00")
    in_time = await northside.book("Ana", "THU", 3)

    assert codes_of(early) == ["DROP_IN_NOT_OPEN"]
    assert early["userErrors"][0]["opensAt"] == "2027-01-21T19:00:00Z"
    assert held == [("RB-BEG", 1, "2027-02-19T10:00:00Z", "ISSUE")]
    assert codes_of(in_time) == []
    assert in_time["booking"]["status"] == "BOOKED"


async def test_days_are_read_off_the_calendar_of_the_account(northside: Studio) -> None:
    """S7, A7: clocks go forward on 28 March; 19:00 is 19:00, while hours elapse."""
    for value, unit in ((7, "DAYS"), (1, "WEEKS"), (168, "HOURS")):
        offer = {"priceMinor": 1200, "opensBefore": {"value": value, "unit": unit}}
        await northside.add_course(unit, "2027-04-01T19:00+01:00", dropIn=offer)

    in_days = await northside.look_at("DAYS", 1, "startsAt dropIn { opensAt }")
    in_weeks = await northside.look_at("WEEKS", 1, "startsAt dropIn { opensAt }")
    in_hours = await northside.look_at("HOURS", 1, "startsAt dropIn { opensAt }")

    starts_at = "2027-04-01T18:00:00Z"
    on_the_calendar = {"startsAt": starts_at, "dropIn": {"opensAt": "2027-03-25T19:00:00Z"}}
    assert in_days == in_weeks == on_the_calendar
    assert in_hours == {"startsAt": starts_at, "dropIn": {"opensAt": "2027-03-25T18:00:00Z"}}


async def test_a_session_opens_at_the_same_time_of_day_also_after_the_clocks_change(
    northside: Studio,
) -> None:
    """S7: a week before 19:00 in summer is 19:00 in winter, to the second."""
    week = {"value": 7, "unit": "DAYS"}
    offer = {"priceMinor": 1200, "opensBefore": week}
    await northside.add_course("SPRING", "2027-04-01T19:00+01:00", dropIn=offer)
    northside.clock.set("2027-03-25T18:59:59")
    await northside.give("Ana", "RB-BEG")

    early = await northside.book("Ana", "SPRING", 1)
    northside.clock.set("2027-03-25T19:00:00")
    in_time = await northside.book("Ana", "SPRING", 1)

    assert early["userErrors"][0]["opensAt"] == "2027-03-25T19:00:00Z"
    assert codes_of(in_time) == []


async def test_a_session_closes_to_drop_ins_when_it_starts(northside: Studio) -> None:
    """F4."""
    northside.clock.set(IN_JANUARY)
    await northside.give("Ana", "RB-BEG")
    northside.clock.set("2027-01-28T19:00")

    refused = codes_of(await northside.book("Ana", "THU", 3))

    assert refused == ["SESSION_STARTED"]
    shown = await northside.look_at("THU", 3, "dropIn { isOpen }")
    assert shown == {"dropIn": {"isOpen": False}}


async def test_opening_and_deadline_follow_a_session_that_is_moved(northside: Studio) -> None:
    """B3, X3: its current start counts; who had booked before it moved needs no notice."""
    await northside.change("THU", 3, startsAt="2027-01-29T12:00Z")
    northside.clock.set("2027-01-22T11:59:59")
    await northside.give("Ana", "RB-BEG")

    shown = await northside.look_at("THU", 3, "startsAt endsAt dropIn { opensAt isOpen }")
    early = codes_of(await northside.book("Ana", "THU", 3))
    preview = await northside.preview("Ben", "THU", 3)
    northside.clock.set("2027-01-22T12:00")
    in_time = codes_of(await northside.book("Ana", "THU", 3))

    assert shown == {
        "startsAt": "2027-01-29T12:00:00Z",
        "endsAt": "2027-01-29T13:00:00Z",
        "dropIn": {"opensAt": "2027-01-22T12:00:00Z", "isOpen": False},
    }
    assert early == ["DROP_IN_NOT_OPEN"]
    assert preview["deadline"] == "2027-01-29T12:00:00Z"
    assert in_time == []


async def test_a_session_moved_later_while_drop_ins_were_off_opens_later(
    northside: Studio,
) -> None:
    """I3: on again, the offer is about the session as it is now."""
    await _move_while_off(northside, "2027-02-04T19:00Z")
    northside.clock.set(IN_JANUARY)
    await northside.give("Ana", "RB-BEG")

    refused = await northside.book("Ana", "THU", 3)

    assert codes_of(refused) == ["DROP_IN_NOT_OPEN"]
    assert refused["userErrors"][0]["opensAt"] == "2027-01-28T19:00:00Z"
    assert await _open(northside) == ["SAT 2", "WED 3"]


async def test_a_session_moved_earlier_while_drop_ins_were_off_opens_earlier(
    northside: Studio,
) -> None:
    """I3: here before the moment at which it would have opened."""
    await _move_while_off(northside, "2027-01-26T19:00Z")
    northside.clock.set("2027-01-20T12:00")
    await northside.give("Ana", "RB-BEG")

    listed = await _open(northside)
    shown = await northside.look_at("THU", 3, "dropIn { opensAt isOpen }")
    booked = await northside.book("Ana", "THU", 3)

    assert listed == ["WED 2", "THU 2", "SAT 2", "THU 3"]
    assert shown == {"dropIn": {"opensAt": "2027-01-19T19:00:00Z", "isOpen": True}}
    assert codes_of(booked) == []


async def test_an_offer_can_be_taken_away_and_changed(northside: Studio) -> None:
    """F1: leaving it out keeps it, null takes it away; places booked before stand (X17)."""
    northside.clock.set(IN_JANUARY)
    await northside.give("Ana", "RB-BEG")
    await northside.book("Ana", "THU", 3)
    await northside.change("THU", 3, capacity=9)
    kept = await northside.look_at("THU", 3, "dropIn { price { amountMinor } opensAt }")
    await northside.change("THU", 3, dropIn=None)
    gone = await northside.look_at("THU", 3, "dropIn { opensAt }")
    days = {"value": 2, "unit": "DAYS"}
    await northside.change("THU", 3, dropIn={"priceMinor": 900, "opensBefore": days})

    back = await northside.look_at(
        "THU", 3, "dropIn { price { amountMinor } opensAt paymentMethods }"
    )

    assert kept["dropIn"] == {
        "price": {"amountMinor": 1200},
        "opensAt": "2027-01-21T19:00:00Z",
    }
    assert gone["dropIn"] is None
    assert back["dropIn"] == {
        "price": {"amountMinor": 900},
        "opensAt": "2027-01-26T19:00:00Z",
        "paymentMethods": ["credit"],
    }
    assert await northside.attendees("THU", 3) == ["Ben", "Ana"]


# The list of what is open


async def test_the_list_is_what_can_be_booked_at_this_moment(northside: Studio) -> None:
    """F4: it agrees with the rules that booking itself asks."""
    expected = {
        "2027-01-04T12:00": [],
        IN_JANUARY: ["SAT 2", "WED 3", "THU 3"],
        "2027-01-23T09:59:59": ["SAT 2", "WED 3", "THU 3"],
        "2027-01-23T10:00:00": ["WED 3", "THU 3", "SAT 3"],
        "2027-02-20T10:00:00": [],
    }

    listed, bookable = {}, {}
    for now in expected:
        northside.clock.set(now)
        listed[now] = await _open(northside)
        bookable[now] = await _bookable(northside)

    assert listed == expected
    assert bookable == {now: set(names) for now, names in expected.items()}


async def test_what_is_full_or_called_off_is_not_on_the_list(northside: Studio) -> None:
    """F4, F6: a seat that is freed brings it back."""
    northside.clock.set(IN_JANUARY)
    await northside.call_off("SAT", 2)
    await northside.change("THU", 3, capacity=1)
    full = await _open(northside)
    await northside.cancel("Ben", "THU", 3)

    free = await _open(northside)

    assert full == ["WED 3"]
    assert free == ["WED 3", "THU 3"]
    assert set(free) == await _bookable(northside)


async def test_the_list_can_be_cut_by_tag_and_by_start(northside: Studio) -> None:
    """From includes its instant, until does not."""
    northside.clock.set(IN_JANUARY)
    tags = northside.ids.tags
    wednesday, thursday = "2027-01-27T20:00:00Z", "2027-01-28T19:00:00Z"

    assert await _open(northside, tag=tags["BEG"]) == ["SAT 2", "THU 3"]
    assert await _open(northside, tag=tags["ADV"]) == ["WED 3"]
    assert await _open(northside, **{"from": wednesday}) == ["WED 3", "THU 3"]
    assert await _open(northside, until=wednesday) == ["SAT 2"]
    assert await _open(northside, **{"from": wednesday, "until": thursday}) == ["WED 3"]


async def test_the_list_comes_in_pages(northside: Studio) -> None:
    """A session that opens meanwhile does not disturb them."""
    northside.clock.set(IN_JANUARY)
    first = await _page(northside, first=2)
    cursor = first["pageInfo"]["endCursor"]
    northside.clock.set("2027-01-23T10:00")

    second = await _page(northside, first=2, after=cursor)

    assert _names(northside, first) == ["SAT 2", "WED 3"]
    assert first["pageInfo"]["hasNextPage"] is True
    assert _names(northside, second) == ["THU 3", "SAT 3"]
    assert second["pageInfo"]["hasNextPage"] is False


async def test_pages_go_on_past_a_session_that_was_moved_while_drop_ins_were_off(
    northside: Studio,
) -> None:
    """Its page may be empty, but never the last one before others that are open."""
    day = {"value": 1, "unit": "DAYS"}
    offer = {"priceMinor": 1200, "opensBefore": day}
    await northside.add_course("NOON", "2027-01-22T12:00", dropIn=offer)
    await northside.switch("drop_in", on=False)
    await northside.change("NOON", 1, startsAt="2027-01-26T12:00:00Z")
    await northside.switch("drop_in", on=True)
    northside.clock.set(IN_JANUARY)

    pages = [await _page(northside, first=1)]
    while pages[-1]["pageInfo"]["hasNextPage"]:
        cursor = pages[-1]["pageInfo"]["endCursor"]
        assert cursor is not None
        pages.append(await _page(northside, first=1, after=cursor))

    listed = [name for page in pages for name in _names(northside, page)]
    assert listed == await _open(northside) == ["SAT 2", "WED 3", "THU 3"]


async def _move_while_off(studio: Studio, starts_at: str) -> None:
    """Move THU 28 Jan while the bolt-on does not see it."""
    studio.clock.set("2027-01-20T10:00")
    await studio.switch("drop_in", on=False)
    await studio.change("THU", 3, startsAt=starts_at)
    await studio.switch("drop_in", on=True)


async def _page(studio: Studio, **arguments: Any) -> dict[str, Any]:
    """Ask for a page of what is open, as anybody can."""
    found = await studio.query(
        "query ($from: DateTime, $until: DateTime, $tag: ID, $first: Int, $after: String) {"
        " openDropIns(from: $from, until: $until, tag: $tag, first: $first, after: $after) {"
        " edges { node { id } } pageInfo { hasNextPage endCursor } } }",
        **arguments,
    )
    return dict(found["openDropIns"])


async def _open(studio: Studio, **arguments: Any) -> list[str]:
    return _names(studio, await _page(studio, **arguments))


async def _bookable(studio: Studio) -> set[str]:
    """Ask of each session whether somebody new could book it now, however they pay."""
    names = _short_names(studio)
    asked = " ".join(
        f's{n}: bookingOptions(session: "{key}") {{ userErrors {{ code }} }}'
        for n, key in enumerate(names)
    )
    found = await studio.query(f"{{ {asked} }}")
    answers = zip(names.values(), found.values(), strict=True)
    return {name for name, answer in answers if not answer["userErrors"]}


def _names(studio: Studio, page: dict[str, Any]) -> list[str]:
    names = _short_names(studio)
    return [names[edge["node"]["id"]] for edge in page["edges"]]


def _short_names(studio: Studio) -> dict[str, str]:
    return {
        key: f"{course} {number}"
        for course, keys in studio.ids.sessions.items()
        for number, key in enumerate(keys, start=1)
    }
