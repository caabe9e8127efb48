"""The swap in one step: both sessions change, or neither does (S22)."""

from __future__ import annotations

from studio import Studio, codes_of

MON_25 = ("MON", 3)
WED_27 = ("WED", 3)
THU_28 = ("THU", 3)
SAT_30 = ("SAT", 3)


async def test_a_swap_spends_the_credit_that_it_gives(northside: Studio) -> None:
    """S22: one operation, so both lines of the ledger have one correlation id."""
    northside.clock.set("2027-01-22T09:00")

    swapped = await northside.swap("Ana", MON_25, THU_28)

    assert codes_of(swapped) == []
    assert swapped["cancellation"]["refund"]["outcome"] == "NEW_BUNDLE"
    assert swapped["booking"]["status"] == "BOOKED"
    assert swapped["booking"]["way"] == "drop_in"
    assert swapped["booking"]["customerBundle"]["balance"] == 0
    (held,) = await northside.bundles("Ana")
    issued, spent = [edge["node"] for edge in held["entries"]["edges"]]
    assert (held["balance"], held["expiresAt"]) == (0, "2027-02-21T09:00:00Z")
    assert (issued["kind"], issued["amount"], issued["by"]) == ("ISSUE", 1, "CUSTOMER")
    assert (spent["kind"], spent["amount"], spent["by"]) == ("SPEND", -1, "CUSTOMER")
    assert issued["correlationId"] == spent["correlationId"]
    assert await northside.places("Ana", "MON") == [1, 2, 4, 5, 6]
    assert await northside.places("Ana", "THU") == [3]
    assert await northside.seats_left(*MON_25) == 10
    assert await northside.seats_left(*THU_28) == 8


async def test_two_steps_have_a_correlation_id_each(northside: Studio) -> None:
    """It names the operation, not the credit."""
    northside.clock.set("2027-01-22T09:00")
    await northside.cancel("Ana", *MON_25)
    await northside.book("Ana", *THU_28)

    (held,) = await northside.bundles("Ana")

    issued, spent = [edge["node"]["correlationId"] for edge in held["entries"]["edges"]]
    assert issued != spent


async def test_a_swap_to_a_full_session_changes_nothing(northside: Studio) -> None:
    """S22, X4: the seat that would be given up is still hers."""
    await northside.change(*THU_28, capacity=1)
    northside.clock.set("2027-01-22T09:00")

    refused = await northside.swap("Ana", MON_25, THU_28)

    assert codes_of(refused) == ["SESSION_FULL"]
    assert refused["booking"] is None
    assert refused["cancellation"] is None
    await _assert_nothing_changed(northside)
    assert await northside.attendees(*THU_28) == ["Ben"]


async def test_a_swap_that_comes_too_late_changes_nothing(northside: Studio) -> None:
    """S22: without a credit there is nothing to pay with."""
    northside.clock.set("2027-01-25T09:00")

    refused = await northside.swap("Ana", MON_25, THU_28)

    assert codes_of(refused) == ["NOTICE_TOO_SHORT"]
    assert refused["userErrors"][0]["deadline"] == "2027-01-24T18:30:00Z"
    await _assert_nothing_changed(northside)
    assert await northside.seats_left(*THU_28) == 9


async def test_a_swap_to_another_level_changes_nothing(northside: Studio) -> None:
    """E1: the credit that it would give does not fit."""
    northside.clock.set("2027-01-22T09:00")

    refused = await northside.swap("Ana", MON_25, WED_27)

    assert codes_of(refused) == ["TAG_MISMATCH"]
    await _assert_nothing_changed(northside)
    assert await northside.seats_left(*WED_27) == 8


async def test_a_swap_to_a_session_that_is_not_open_yet_changes_nothing(
    northside: Studio,
) -> None:
    """F4: a swap books as everybody does."""
    northside.clock.set("2027-01-21T18:59:59")

    refused = await northside.swap("Ana", MON_25, THU_28)

    assert codes_of(refused) == ["DROP_IN_NOT_OPEN"]
    assert refused["userErrors"][0]["opensAt"] == "2027-01-21T19:00:00Z"
    await _assert_nothing_changed(northside)


async def test_a_swap_that_gives_no_credit_can_be_paid_otherwise(northside: Studio) -> None:
    """The contract: payWith names another way."""
    northside.clock.set("2027-01-25T09:00")

    swapped = await northside.swap("Ana", MON_25, WED_27, {"offline": True})

    assert codes_of(swapped) == []
    assert swapped["cancellation"]["refund"] == {
        "outcome": "NONE",
        "reason": {"code": "NOTICE_TOO_SHORT"},
        "customerBundle": None,
    }
    assert swapped["booking"]["payment"]["amount"]["amountMinor"] == 1400
    assert await northside.holdings("Ana") == []
    assert await northside.places("Ana", "MON") == [1, 2, 4, 5, 6]
    assert await northside.attendees(*WED_27) == ["Ana"]


async def test_a_swap_that_is_paid_otherwise_leaves_its_credit(northside: Studio) -> None:
    """Ana moves to another level with money and keeps the credit for her own."""
    northside.clock.set("2027-01-22T09:00")

    swapped = await northside.swap("Ana", MON_25, WED_27, {"offline": True})

    assert codes_of(swapped) == []
    assert await northside.holdings("Ana") == [("RB-BEG", 1, "2027-02-21T09:00:00Z", "ISSUE")]
    assert await northside.attendees(*WED_27) == ["Ana"]


async def test_a_swap_that_gives_no_credit_can_be_paid_with_one_held_before(
    northside: Studio,
) -> None:
    """Also with the best of them."""
    northside.clock.set("2027-01-25T09:00")
    await northside.give("Ana", "RB-BEG")

    swapped = await northside.swap("Ana", MON_25, THU_28, {"credit": {}})

    assert codes_of(swapped) == []
    assert await northside.holdings("Ana") == [
        ("RB-BEG", 0, "2027-02-24T09:00:00Z", "ISSUE SPEND")
    ]


async def test_a_drop_in_is_swapped_with_the_credit_that_paid_for_it(
    northside: Studio,
) -> None:
    """C, C3: it goes back and is spent again, with its expiry as it was."""
    northside.clock.set("2027-01-22T09:00")
    await northside.swap("Ana", MON_25, THU_28)
    northside.clock.set("2027-01-24T09:00")

    swapped = await northside.swap("Ana", THU_28, SAT_30)

    assert codes_of(swapped) == []
    assert swapped["cancellation"]["refund"]["outcome"] == "CREDIT_BACK"
    assert await northside.holdings("Ana") == [
        ("RB-BEG", 0, "2027-02-21T09:00:00Z", "ISSUE SPEND CREDIT_BACK SPEND")
    ]
    (held,) = await northside.bundles("Ana")
    ids = [edge["node"]["correlationId"] for edge in held["entries"]["edges"]]
    assert ids[0] == ids[1] != ids[2] == ids[3]
    assert await northside.attendees(*THU_28) == ["Ben"]
    assert await northside.attendees(*SAT_30) == ["Hal", "Ana"]


async def test_a_place_is_not_swapped_for_itself(northside: Studio) -> None:
    """It would turn a course's place into a drop-in."""
    northside.clock.set("2027-01-22T09:00")

    refused = await northside.swap("Ben", THU_28, THU_28)

    assert codes_of(refused) == ["ALREADY_BOOKED"]
    assert refused["userErrors"][0]["path"] == ["input", "toSession"]
    assert await northside.places("Ben", "THU") == [1, 2, 3, 4, 5, 6]
    assert await northside.holdings("Ben") == []


async def test_a_place_is_not_swapped_twice(northside: Studio) -> None:
    """What was given up cannot be given up again."""
    northside.clock.set("2027-01-23T12:00")
    await northside.swap("Ana", MON_25, THU_28)

    refused = await northside.swap("Ana", MON_25, SAT_30)

    assert codes_of(refused) == ["NOT_BOOKED"]
    assert await northside.places("Ana", "THU") == [3]
    assert await northside.attendees(*SAT_30) == ["Hal"]
    assert await northside.holdings("Ana") == [
        ("RB-BEG", 0, "2027-02-22T12:00:00Z", "ISSUE SPEND")
    ]


async def test_nobody_swaps_what_is_not_theirs(northside: Studio) -> None:
    """It is answered like a booking that does not exist; staff may do it for the customer."""
    northside.clock.set("2027-01-22T09:00")
    asked = {
        "booking": await northside.booking("Ana", *MON_25),
        "toSession": northside.session(*THU_28),
    }

    refused = await northside.codes("swapBooking", asked, as_="Ben")
    await _assert_nothing_changed(northside)
    for_her = await northside.codes("swapBooking", asked, as_="staff")

    assert refused == ["NOT_FOUND"]
    assert for_her == []
    assert await northside.attendees(*THU_28) == ["Ben", "Ana"]


async def test_without_refunds_nothing_is_swapped(northside: Studio) -> None:
    """I4: the reason is that the business gives none."""
    northside.clock.set("2027-01-22T09:00")
    await northside.switch("auto_refund", on=False)

    refused = await northside.swap("Ana", MON_25, THU_28)

    assert codes_of(refused) == ["BOLT_ON_OFF"]
    await _assert_nothing_changed(northside)


async def _assert_nothing_changed(studio: Studio) -> None:
    """Hold Ana to be where she was before she asked, with nothing in her hands."""
    assert await studio.places("Ana", "MON") == [1, 2, 3, 4, 5, 6]
    assert await studio.places("Ana", "THU") == []
    assert await studio.seats_left(*MON_25) == 9
    assert await studio.holdings("Ana") == []
