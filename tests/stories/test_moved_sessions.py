"""Sessions that are moved, shrunk or tagged anew: bookings stand, and nobody loses by it."""

from __future__ import annotations

from studio import Studio, codes_of


async def test_who_was_booked_before_a_move_needs_no_notice(northside: Studio) -> None:
    """X3: until the new start, which is the deadline then; whoever books later knows of it."""
    northside.clock.set("2027-01-20T10:00")
    await northside.change("MON", 3, startsAt="2027-01-26T18:30:00Z")
    northside.clock.set("2027-01-20T10:01")
    await northside.change_course("MON", lateJoining="PRO_RATA")
    await northside.add_buyer("Eve", "MON")
    northside.clock.set("2027-01-26T18:29:59")

    ana = await northside.cancel("Ana", "MON", 3)
    eve = await northside.cancel("Eve", "MON", 3)

    assert ana["cancellation"]["refund"]["outcome"] == "NEW_BUNDLE"
    assert ana["cancellation"]["autoRefund"]["deadline"] == "2027-01-26T18:30:00Z"
    assert eve["cancellation"]["refund"]["reason"] == {"code": "NOTICE_TOO_SHORT"}
    assert eve["cancellation"]["autoRefund"]["deadline"] == "2027-01-25T18:30:00Z"


async def test_once_it_has_started_a_moved_session_is_like_any_other(
    northside: Studio,
) -> None:
    """X3, X6: the waiver ends with the new start."""
    northside.clock.set("2027-01-20T10:00")
    await northside.change("MON", 3, startsAt="2027-01-26T18:30:00Z")
    northside.clock.set("2027-01-26T18:30")
    asked = {"booking": await northside.booking("Ana", "MON", 3)}

    assert await northside.codes("cancelBooking", asked, as_="Ana") == ["SESSION_STARTED"]
    by_staff = await northside.cancel("Ana", "MON", 3, by="staff")
    assert by_staff["cancellation"]["refund"]["reason"] == {"code": "NOTICE_TOO_SHORT"}


async def test_a_minor_move_leaves_notice_as_it_is(northside: Studio) -> None:
    """X3: the admin says that it is one; the deadline follows the new start."""
    northside.clock.set("2027-01-20T10:00")
    await northside.change("MON", 3, startsAt="2027-01-25T18:45:00Z", isMinorMove=True)
    northside.clock.set("2027-01-24T18:45:01")

    cancelled = await northside.cancel("Ana", "MON", 3)

    assert cancelled["cancellation"]["refund"]["reason"] == {"code": "NOTICE_TOO_SHORT"}
    assert cancelled["cancellation"]["autoRefund"]["deadline"] == "2027-01-24T18:45:00Z"
    found = await northside.look_at("MON", 3, "movedAt")
    assert found == {"movedAt": None}


async def test_a_session_that_is_set_to_its_own_start_was_not_moved(northside: Studio) -> None:
    """X3: nor was one whose length alone changed."""
    northside.clock.set("2027-01-20T10:00")
    await northside.change("MON", 3, startsAt="2027-01-25T18:30:00Z", minutes=90)
    await northside.change("MON", 4, startsAt="2027-02-01T18:31:00Z")

    assert await northside.look_at("MON", 3, "movedAt") == {"movedAt": None}
    assert await northside.look_at("MON", 4, "movedAt") == {"movedAt": "2027-01-20T10:00:00Z"}


async def test_a_moved_session_opens_to_drop_ins_by_its_new_start(northside: Studio) -> None:
    """X3, F4: what was open can be closed again."""
    await northside.add_customer("Eve")
    await northside.give("Eve", "TEN")
    northside.clock.set("2027-01-22T09:00")
    open_now = await northside.options("Eve", "THU", 3)
    await northside.change("THU", 3, startsAt="2027-01-31T19:00:00Z")
    moved = await northside.options("Eve", "THU", 3)

    assert (open_now["opensAt"], open_now["userErrors"]) == ("2027-01-21T19:00:00Z", [])
    assert moved["opensAt"] == "2027-01-24T19:00:00Z"
    assert [each["code"] for each in moved["userErrors"]] == ["DROP_IN_NOT_OPEN"]


async def test_a_place_stands_though_its_session_moved_beyond_the_credit_that_paid(
    northside: Studio,
) -> None:
    """X3, C2: the customer may stay; who cancels has nothing to get back to."""
    northside.clock.set("2027-01-20T10:00")
    await northside.cancel("Ana", "MON", 3)
    northside.clock.set("2027-01-22T09:00")
    await northside.book("Ana", "THU", 3)
    await northside.change("THU", 3, startsAt="2027-02-25T19:00:00Z")

    assert await northside.places("Ana", "THU") == [3]
    northside.clock.set("2027-02-20T09:00")
    cancelled = await northside.cancel("Ana", "THU", 3)
    assert cancelled["cancellation"]["refund"]["reason"] == {"code": "ORIGINAL_NOT_LIVE"}


async def test_a_session_that_was_cancelled_can_be_booked_again_with_the_credit(
    northside: Studio,
) -> None:
    """X23: as a drop-in where it takes them; nobody un-cancels for nothing."""
    northside.clock.set("2027-01-22T09:00")
    await northside.cancel("Ben", "THU", 3)
    again = await northside.book("Ben", "THU", 3)
    booked = await northside.bookings("Ben", "THU")

    assert codes_of(again) == []
    ways = [(each["way"], each["status"]) for each in booked if each["number"] == 3]
    assert sorted(ways) == [("course", "CANCELLED"), ("drop_in", "BOOKED")]
    ((_, balance, _, ledger),) = await northside.holdings("Ben")
    assert (balance, ledger) == (0, "ISSUE SPEND")
    northside.clock.set("2027-01-26T09:00")
    await northside.cancel("Hal", "SAT", 3)
    await northside.change("SAT", 3, dropIn=None)
    refused = await northside.book("Hal", "SAT", 3)
    assert codes_of(refused) == ["DROP_INS_NOT_ALLOWED"]


async def test_a_capacity_below_the_bookings_evicts_nobody_and_admits_nobody(
    northside: Studio,
) -> None:
    """X21: until enough have left; then it is a session like any other."""
    for name in ("Eve", "Fay", "Gus"):
        await northside.add_buyer(name, "THU")
    northside.clock.set("2027-01-22T09:00")
    await northside.give("Ana", "TEN")
    await northside.change("THU", 3, capacity=3)

    over = codes_of(await northside.book("Ana", "THU", 3))
    await northside.cancel("Eve", "THU", 3)
    full = codes_of(await northside.book("Ana", "THU", 3))
    await northside.cancel("Fay", "THU", 3)
    free = codes_of(await northside.book("Ana", "THU", 3))

    assert (over, full, free) == (["SESSION_FULL"], ["SESSION_FULL"], [])
    assert await northside.attendees("THU", 3) == ["Ben", "Gus", "Ana"]
    assert await northside.seats_left("THU", 3) == 0
