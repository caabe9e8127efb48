"""The story that must work: a session of one course becomes a place in another (S1, S2)."""

from __future__ import annotations

from studio import Studio, codes_of


async def test_a_cancelled_session_becomes_a_place_in_another_course(northside: Studio) -> None:
    """S1, B5, G3, X5: cancel in time, receive a credit, book another session with it."""
    for number in range(9):
        await northside.add_buyer(f"Buyer {number}", "MON")
    assert await northside.seats_left("MON", 3) == 0
    northside.clock.set("2027-01-20T10:00")

    cancelled = await northside.cancel("Ana", "MON", 3)

    refund = cancelled["cancellation"]["refund"]
    assert cancelled["booking"]["status"] == "CANCELLED"
    assert refund["outcome"] == "NEW_BUNDLE"
    assert refund["reason"] is None
    assert refund["customerBundle"]["balance"] == 1
    assert refund["customerBundle"]["expiresAt"] == "2027-02-19T10:00:00Z"
    assert await northside.seats_left("MON", 3) == 1
    assert await northside.places("Ana", "MON") == [1, 2, 4, 5, 6]
    assert await northside.holdings("Ana") == [("RB-BEG", 1, "2027-02-19T10:00:00Z", "ISSUE")]

    assert await northside.attendees("THU", 3) == ["Ben"]
    northside.clock.set("2027-01-22T09:00")

    named = {"credit": {"customerBundle": refund["customerBundle"]["id"]}}
    booked = await northside.book("Ana", "THU", 3, named)

    assert booked["userErrors"] == []
    assert booked["booking"]["status"] == "BOOKED"
    assert booked["booking"]["way"] == "drop_in"
    assert booked["booking"]["payment"] is None
    assert booked["booking"]["customerBundle"]["balance"] == 0
    assert await northside.attendees("THU", 3) == ["Ben", "Ana"]
    assert await northside.seats_left("THU", 3) == 8
    assert await northside.holdings("Ana") == [
        ("RB-BEG", 0, "2027-02-19T10:00:00Z", "ISSUE SPEND")
    ]


async def test_tags_keep_the_levels_apart(northside: Studio) -> None:
    """S2, E1: a credit for beginners is neither offered nor taken for an advanced session."""
    northside.clock.set("2027-01-20T10:00")
    refund = (await northside.cancel("Ana", "MON", 3))["cancellation"]["refund"]
    named = {"credit": {"customerBundle": refund["customerBundle"]["id"]}}
    northside.clock.set("2027-01-22T09:00")

    options = await northside.options("Ana", "WED", 3)
    refused = await northside.book("Ana", "WED", 3, named)

    usable = [each["method"] for each in options["paymentOptions"] if not each["userErrors"]]
    assert options["price"] == {"amountMinor": 1400, "currency": "GBP"}
    assert usable == ["offline"]
    assert codes_of(refused) == ["TAG_MISMATCH"]
    assert refused["booking"] is None
    assert await northside.holdings("Ana") == [("RB-BEG", 1, "2027-02-19T10:00:00Z", "ISSUE")]
    assert await northside.seats_left("WED", 3) == 8
    assert codes_of(await northside.book("Ana", "THU", 3, named)) == []


async def test_a_seat_that_somebody_gave_up_is_open_to_drop_ins_at_once(
    northside: Studio,
) -> None:
    """F5, F6, F10: course members and drop-ins share one counter, and nobody waits."""
    await northside.change("THU", 3, capacity=1)
    northside.clock.set("2027-01-22T09:00")
    await northside.give("Ana", "RB-BEG")
    before = codes_of(await northside.book("Ana", "THU", 3))
    await northside.cancel("Ben", "THU", 3)

    after = codes_of(await northside.book("Ana", "THU", 3))

    assert before == ["SESSION_FULL"]
    assert after == []
    assert await northside.attendees("THU", 3) == ["Ana"]
    assert await northside.seats_left("THU", 3) == 0


async def test_a_session_that_was_cancelled_can_be_booked_again_with_its_own_credit(
    northside: Studio,
) -> None:
    """X23: whoever changes their mind comes back as a drop-in."""
    northside.clock.set("2027-01-22T09:00")
    await northside.cancel("Ben", "THU", 3)

    booked = await northside.book("Ben", "THU", 3)

    assert codes_of(booked) == []
    assert booked["booking"]["way"] == "drop_in"
    assert await northside.places("Ben", "THU") == [1, 2, 3, 4, 5, 6]
    assert await northside.seats_left("THU", 3) == 9
    assert await northside.holdings("Ben") == [
        ("RB-BEG", 0, "2027-02-21T09:00:00Z", "ISSUE SPEND")
    ]


async def test_whoever_has_a_place_cannot_take_a_second_one(northside: Studio) -> None:
    """J5, X22: a member of the course is refused as a drop-in, and keeps the credit."""
    northside.clock.set("2027-01-22T09:00")
    await northside.give("Ben", "RB-BEG")

    refused = await northside.book("Ben", "THU", 3)

    assert codes_of(refused) == ["ALREADY_BOOKED"]
    assert await northside.seats_left("THU", 3) == 9
    assert await northside.holdings("Ben") == [("RB-BEG", 1, "2027-02-21T09:00:00Z", "ISSUE")]


async def test_a_credit_follows_the_tags_that_its_bundle_has_today(northside: Studio) -> None:
    """E6, X16, X17: also a credit that is out already; places already booked stand."""
    northside.clock.set("2027-01-22T09:00")
    for name in ("Ana", "Hal"):
        await northside.give(name, "RB-BEG")
    await northside.book("Hal", "THU", 3)
    tags = [northside.ids.tags["ADV"]]
    changed = {"bundle": northside.ids.bundles["RB-BEG"], "tags": tags}
    await northside.do("updateBundle", changed, as_="owner")

    beginners = codes_of(await northside.book("Ana", "THU", 3))
    advanced = codes_of(await northside.book("Ana", "WED", 3))

    assert beginners == ["NO_MATCHING_CREDIT", "TAG_MISMATCH"]
    assert advanced == []
    assert await northside.attendees("THU", 3) == ["Ben", "Hal"]


async def test_a_session_can_have_a_tag_of_its_own(northside: Studio) -> None:
    """E4, X17: its own tag counts, not its course's; places booked before stand."""
    northside.clock.set("2027-01-22T09:00")
    for name in ("Ana", "Hal"):
        await northside.give(name, "RB-BEG")
    await northside.book("Hal", "THU", 3)
    await northside.change("THU", 3, tag=northside.ids.tags["ADV"])

    refused = codes_of(await northside.book("Ana", "THU", 3))
    await northside.change("THU", 3, tag=None)
    booked = codes_of(await northside.book("Ana", "THU", 3))

    assert refused == ["NO_MATCHING_CREDIT", "TAG_MISMATCH"]
    assert booked == []
    assert await northside.attendees("THU", 3) == ["Ben", "Hal", "Ana"]
