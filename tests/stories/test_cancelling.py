"""Cancelling a booking: always possible before the start, refunded as the policy then says."""

from __future__ import annotations

import pytest

from studio import Studio, codes_of


async def test_a_late_cancellation_frees_the_seat_and_gives_nothing(northside: Studio) -> None:
    """S3, B3, B8: 23 hours and 59 minutes are not a day."""
    northside.clock.set("2027-01-24T18:31")

    cancelled = await northside.cancel("Ana", "MON", 3)

    ended = cancelled["cancellation"]
    assert cancelled["booking"]["status"] == "CANCELLED"
    assert ended["cancelledAt"] == "2027-01-24T18:31:00Z"
    assert ended["by"] == "CUSTOMER"
    assert ended["refund"] == {
        "outcome": "NONE",
        "reason": {"code": "NOTICE_TOO_SHORT"},
        "customerBundle": None,
    }
    assert ended["autoRefund"] == {
        "option": "COURSE",
        "deadline": "2027-01-24T18:30:00Z",
        "reason": "NOTICE_TOO_SHORT",
    }
    assert await northside.seats_left("MON", 3) == 10
    assert await northside.holdings("Ana") == []


async def test_exactly_at_the_deadline_is_in_time(northside: Studio) -> None:
    """B2, X2: and one microsecond later is not."""
    northside.clock.set("2027-01-24T18:30:00")
    in_time = await northside.cancel("Ana", "MON", 3)
    northside.clock.set("2027-01-31T18:30:00.000001")
    late = await northside.cancel("Ana", "MON", 4)

    assert in_time["cancellation"]["refund"]["outcome"] == "NEW_BUNDLE"
    assert late["cancellation"]["refund"]["outcome"] == "NONE"
    assert await northside.holdings("Ana") == [("RB-BEG", 1, "2027-02-23T18:30:00Z", "ISSUE")]


async def test_a_day_of_notice_is_not_always_24_hours(northside: Studio) -> None:
    """X1, A7: clocks go forward in between; the validity is read off the calendar too."""
    for unit, value in (("DAYS", 1), ("HOURS", 24)):
        policy = {**policy_of(northside), "notice": {"value": value, "unit": unit}}
        await northside.add_course(unit, "2027-03-28T19:00+01:00", autoRefund=policy)
        await northside.add_buyer(f"Buyer of {unit}", unit)
    northside.clock.set("2027-03-27T18:30")

    in_days = await northside.cancel("Buyer of DAYS", "DAYS", 1)
    in_hours = await northside.cancel("Buyer of HOURS", "HOURS", 1)

    assert in_days["cancellation"]["autoRefund"]["deadline"] == "2027-03-27T19:00:00Z"
    assert in_hours["cancellation"]["autoRefund"]["deadline"] == "2027-03-27T18:00:00Z"
    assert await northside.holdings("Buyer of DAYS") == [
        ("RB-BEG", 1, "2027-04-26T17:30:00Z", "ISSUE")
    ]
    assert await northside.holdings("Buyer of HOURS") == []


async def test_cancelling_twice_tells_of_the_first_time_and_changes_nothing(
    northside: Studio,
) -> None:
    """B9, J4, X10: one credit and one freed seat, also when the second time is too late."""
    northside.clock.set("2027-01-20T10:00")
    first = await northside.cancel("Ana", "MON", 3)
    northside.clock.set("2027-01-26T10:00")

    second = await northside.cancel("Ana", "MON", 3)

    assert first["alreadyCancelled"] is False
    assert second == {**first, "alreadyCancelled": True}
    assert await northside.seats_left("MON", 3) == 10
    assert await northside.holdings("Ana") == [("RB-BEG", 1, "2027-02-19T10:00:00Z", "ISSUE")]


async def test_a_drop_in_that_a_credit_paid_for_gives_the_credit_back(
    northside: Studio,
) -> None:
    """S12 (a), C3, J3, X11: to the same bundle with the same expiry, and no new one."""
    northside.clock.set("2027-01-20T10:00")
    await northside.cancel("Ana", "MON", 3)
    northside.clock.set("2027-01-22T09:00")
    await northside.book("Ana", "THU", 3)
    northside.clock.set("2027-01-27T18:00")

    cancelled = await northside.cancel("Ana", "THU", 3)

    refund = cancelled["cancellation"]["refund"]
    assert refund["outcome"] == "CREDIT_BACK"
    assert refund["customerBundle"]["balance"] == 1
    assert cancelled["cancellation"]["autoRefund"]["option"] == "DROP_IN_CREDIT"
    assert await northside.holdings("Ana") == [
        ("RB-BEG", 1, "2027-02-19T10:00:00Z", "ISSUE SPEND CREDIT_BACK")
    ]
    (held,) = await northside.bundles("Ana")
    assert [edge["node"]["amount"] for edge in held["entries"]["edges"]] == [1, -1, 1]
    assert await northside.seats_left("THU", 3) == 9


async def test_a_drop_in_that_is_cancelled_late_loses_its_credit(northside: Studio) -> None:
    """S12 (b): the seat is free again all the same."""
    northside.clock.set("2027-01-20T10:00")
    await northside.cancel("Ana", "MON", 3)
    northside.clock.set("2027-01-22T09:00")
    await northside.book("Ana", "THU", 3)
    northside.clock.set("2027-01-27T20:00")

    cancelled = await northside.cancel("Ana", "THU", 3)

    assert cancelled["booking"]["status"] == "CANCELLED"
    assert cancelled["cancellation"]["refund"]["reason"] == {"code": "NOTICE_TOO_SHORT"}
    assert await northside.holdings("Ana") == [
        ("RB-BEG", 0, "2027-02-19T10:00:00Z", "ISSUE SPEND")
    ]
    assert await northside.seats_left("THU", 3) == 9


async def test_a_drop_in_that_money_paid_for_gives_a_new_bundle(northside: Studio) -> None:
    """C: what was paid outside comes back as a credit, but only if it was paid."""
    northside.clock.set("2027-01-23T10:00")
    for name in ("Ivy", "Lou"):
        await northside.add_customer(name)
    paid = await northside.book("Ivy", "SAT", 3, {"offline": True})
    await northside.mark_paid(paid["booking"]["payment"]["id"])
    await northside.book("Lou", "SAT", 3, {"offline": True})

    given = (await northside.cancel("Ivy", "SAT", 3))["cancellation"]
    owed = (await northside.cancel("Lou", "SAT", 3))["cancellation"]

    assert given["refund"]["outcome"] == "NEW_BUNDLE"
    assert given["autoRefund"]["option"] == "DROP_IN_OFFLINE"
    assert await northside.holdings("Ivy") == [("RB-BEG", 1, "2027-02-22T10:00:00Z", "ISSUE")]
    assert owed["refund"]["reason"] == {"code": "UNPAID"}
    assert await northside.holdings("Lou") == []
    assert await northside.seats_left("SAT", 3) == 9


async def test_a_kind_of_booking_that_the_policy_leaves_out_gets_nothing(
    northside: Studio,
) -> None:
    """A5: it can be cancelled all the same."""
    northside.clock.set("2027-01-20T10:00")
    refunds = [{"option": "DROP_IN_CREDIT", "method": "ORIGINAL"}]
    policy = {"notice": {"value": 24, "unit": "HOURS"}, "refunds": refunds}
    await northside.change_course("MON", autoRefund=policy)

    cancelled = await northside.cancel("Ana", "MON", 3)

    assert cancelled["booking"]["status"] == "CANCELLED"
    assert cancelled["cancellation"]["refund"]["reason"] == {"code": "OPTION_NOT_REFUNDED"}
    assert await northside.holdings("Ana") == []


async def test_an_unpaid_course_gives_credits_only_after_it_was_paid(northside: Studio) -> None:
    """B11, F8: and nothing is made up for afterwards."""
    await northside.add_customer("Lou")
    bought = await northside.book_course("Lou", "MON")
    northside.clock.set("2027-01-20T10:00")

    unpaid = await northside.cancel("Lou", "MON", 3)
    await northside.mark_paid(bought["courseBooking"]["payment"]["id"])
    paid = await northside.cancel("Lou", "MON", 4)

    assert unpaid["cancellation"]["refund"]["reason"] == {"code": "UNPAID"}
    assert paid["cancellation"]["refund"]["outcome"] == "NEW_BUNDLE"
    assert await northside.holdings("Lou") == [("RB-BEG", 1, "2027-02-19T10:00:00Z", "ISSUE")]
    assert await northside.places("Lou", "MON") == [1, 2, 5, 6]


async def test_a_free_course_gives_no_credits(northside: Studio) -> None:
    """X12: else a course that costs nothing would mint paid places elsewhere."""
    free = {"priceMinor": 0, "autoRefund": policy_of(northside)}
    await northside.add_course("FREE", "2027-01-25T12:00", **free)
    await northside.add_customer("Lou")
    await northside.book_course("Lou", "FREE", {"free": True})
    northside.clock.set("2027-01-20T10:00")

    cancelled = await northside.cancel("Lou", "FREE", 1)

    assert cancelled["cancellation"]["refund"]["reason"] == {"code": "NOTHING_PAID"}
    assert await northside.holdings("Lou") == []


async def test_a_course_that_was_given_away_gives_no_credits(northside: Studio) -> None:
    """X12: staff may give a place away; it is as free as a free course."""
    lou = await northside.add_customer("Lou")
    asked = {"course": northside.ids.courses["MON"], "customer": lou, "payWith": {"free": True}}
    by_herself = codes_of(await northside.book_course("Lou", "MON", {"free": True}))
    await northside.do("bookCourse", asked, as_="staff")
    northside.clock.set("2027-01-20T10:00")

    cancelled = await northside.cancel("Lou", "MON", 3)

    assert by_herself == ["PAYMENT_OPTION_NOT_ALLOWED"]
    assert cancelled["cancellation"]["refund"]["reason"] == {"code": "NOTHING_PAID"}
    assert await northside.holdings("Lou") == []


async def test_the_policy_of_the_moment_counts_also_for_places_booked_before(
    northside: Studio,
) -> None:
    """A2, B4, X20: what it said is kept with the cancellation, whatever it says later."""
    northside.clock.set("2027-01-23T18:30:01")
    refunds = policy_of(northside)["refunds"]
    stricter = {"notice": {"value": 2, "unit": "DAYS"}, "refunds": refunds}
    await northside.change_course("MON", autoRefund=stricter)

    late = await northside.cancel("Ana", "MON", 3)
    await northside.change_course("MON", autoRefund=policy_of(northside))
    in_time = await northside.cancel("Ana", "MON", 4)
    await northside.change_course("MON", autoRefund=None)
    without = await northside.cancel("Ana", "MON", 5)

    assert late["cancellation"]["autoRefund"] == {
        "option": "COURSE",
        "deadline": "2027-01-23T18:30:00Z",
        "reason": "NOTICE_TOO_SHORT",
    }
    assert in_time["cancellation"]["autoRefund"]["deadline"] == "2027-01-31T18:30:00Z"
    assert in_time["cancellation"]["refund"]["outcome"] == "NEW_BUNDLE"
    assert without["cancellation"]["refund"]["reason"] == {"code": "NO_POLICY"}
    assert await northside.cancel("Ana", "MON", 3) == {**late, "alreadyCancelled": True}


async def test_a_policy_covers_those_who_had_booked_before_it_was_there(
    northside: Studio,
) -> None:
    """A3: it can be added to a course that is running."""
    await northside.add_course("LATE", "2027-01-25T12:00")
    await northside.add_buyer("Lou", "LATE")
    northside.clock.set("2027-01-20T10:00")
    await northside.change_course("LATE", autoRefund=policy_of(northside))

    cancelled = await northside.cancel("Lou", "LATE", 1)

    assert cancelled["cancellation"]["refund"]["outcome"] == "NEW_BUNDLE"
    assert await northside.holdings("Lou") == [("RB-BEG", 1, "2027-02-19T10:00:00Z", "ISSUE")]


async def test_a_refund_bundle_is_issued_also_after_it_was_archived(northside: Studio) -> None:
    """X15: policies go on issuing it; it is only not given by hand any more."""
    archived = {"bundle": northside.ids.bundles["RB-BEG"]}
    await northside.do("archiveBundle", archived, as_="owner")
    northside.clock.set("2027-01-20T10:00")

    cancelled = await northside.cancel("Ana", "MON", 3)
    northside.clock.set("2027-01-22T09:00")
    booked = await northside.book("Ana", "THU", 3)
    given = {**archived, "customer": northside.ids.customers["Ana"]}

    assert cancelled["cancellation"]["refund"]["outcome"] == "NEW_BUNDLE"
    assert codes_of(booked) == []
    assert await northside.codes("giveBundle", given, as_="owner") == ["INVALID_INPUT"]


async def test_a_credit_cannot_go_back_to_a_bundle_that_has_expired(northside: Studio) -> None:
    """C2: here the session was moved beyond the life of the bundle that paid."""
    await _book_and_move_beyond_expiry(northside)

    cancelled = await northside.cancel("Ana", "THU", 6)

    assert cancelled["cancellation"]["refund"]["reason"] == {"code": "ORIGINAL_NOT_LIVE"}
    assert await northside.holdings("Ana") == [
        ("RB-BEG", 0, "2027-02-19T10:00:00Z", "ISSUE SPEND")
    ]


async def test_a_policy_can_name_a_bundle_to_issue_instead_of_an_expired_one(
    northside: Studio,
) -> None:
    """C2: the fallback takes the place of the bundle that has expired."""
    await _book_and_move_beyond_expiry(northside)
    fallback = {"bundle": northside.ids.bundles["RB-BEG"]}
    refunds = [{"option": "DROP_IN_CREDIT", "method": "ORIGINAL", **fallback}]
    policy = {"notice": {"value": 24, "unit": "HOURS"}, "refunds": refunds}
    await northside.change_course("THU", autoRefund=policy)

    cancelled = await northside.cancel("Ana", "THU", 6)

    assert cancelled["cancellation"]["refund"]["outcome"] == "NEW_BUNDLE"
    assert await northside.holdings("Ana") == [
        ("RB-BEG", 0, "2027-02-19T10:00:00Z", "ISSUE SPEND"),
        ("RB-BEG", 1, "2027-03-22T09:00:00Z", "ISSUE"),
    ]


@pytest.mark.parametrize(
    ("refund", "outcome", "reason"),
    [("POLICY", "NEW_BUNDLE", None), ("NONE", "NONE", {"code": "REFUND_DECLINED"})],
)
async def test_staff_choose_whether_the_policy_applies(
    northside: Studio, refund: str, outcome: str, reason: object
) -> None:
    """B6: the choice is theirs when they cancel for a customer."""
    northside.clock.set("2027-01-20T10:00")

    cancelled = await northside.cancel("Ana", "MON", 3, by="staff", refund=refund)

    assert cancelled["cancellation"]["by"] == "STAFF"
    assert cancelled["cancellation"]["refund"]["outcome"] == outcome
    assert cancelled["cancellation"]["refund"]["reason"] == reason
    assert len(await northside.holdings("Ana")) == (outcome == "NEW_BUNDLE")
    assert await northside.seats_left("MON", 3) == 10


async def test_staff_are_held_to_the_notice_too(northside: Studio) -> None:
    """B6: to apply the policy is to apply all of it."""
    northside.clock.set("2027-01-25T09:00")

    cancelled = await northside.cancel("Ana", "MON", 3, by="staff")

    assert cancelled["cancellation"]["refund"]["reason"] == {"code": "NOTICE_TOO_SHORT"}
    assert await northside.holdings("Ana") == []


async def test_customers_do_not_choose_the_refund(northside: Studio) -> None:
    """B5, B6: not even to have none."""
    northside.clock.set("2027-01-20T10:00")
    asked = {"booking": await northside.booking("Ana", "MON", 3), "refund": "NONE"}

    refused = await northside.codes("cancelBooking", asked, as_="Ana")

    assert refused == ["FORBIDDEN"]
    assert await northside.places("Ana", "MON") == [1, 2, 3, 4, 5, 6]


async def test_nobody_cancels_what_is_not_theirs(northside: Studio) -> None:
    """It is answered like a booking that does not exist."""
    northside.clock.set("2027-01-20T10:00")
    asked = {"booking": await northside.booking("Ana", "MON", 3)}

    assert await northside.codes("cancelBooking", asked, as_="Ben") == ["NOT_FOUND"]
    assert await northside.codes("cancelBooking", asked, as_=None) == ["NOT_FOUND"]
    assert await northside.places("Ana", "MON") == [1, 2, 3, 4, 5, 6]


async def test_what_has_started_only_staff_cancel_and_without_a_credit(
    northside: Studio,
) -> None:
    """X6: for thirty days."""
    northside.clock.set("2027-01-25T18:30")
    asked = {"booking": await northside.booking("Ana", "MON", 3)}
    customer = await northside.codes("cancelBooking", asked, as_="Ana")
    northside.clock.set("2027-02-24T18:29:59")

    cancelled = await northside.cancel("Ana", "MON", 3, by="staff")

    assert customer == ["SESSION_STARTED"]
    assert cancelled["booking"]["status"] == "CANCELLED"
    assert cancelled["cancellation"]["refund"]["outcome"] == "NONE"
    assert await northside.holdings("Ana") == []


async def test_what_is_long_over_nobody_cancels(northside: Studio) -> None:
    """X6: thirty days after its start a session is history."""
    northside.clock.set("2027-02-24T18:30")
    asked = {"booking": await northside.booking("Ana", "MON", 3)}

    assert await northside.codes("cancelBooking", asked, as_="staff") == ["SESSION_STARTED"]
    assert await northside.places("Ana", "MON") == [1, 2, 3, 4, 5, 6]


def policy_of(studio: Studio) -> dict[str, object]:
    """Give the policy of the beginners' courses for those who bought them."""
    bundle = studio.ids.bundles["RB-BEG"]
    refunds = [{"option": "COURSE", "method": "NEW_BUNDLE", "bundle": bundle}]
    return {"notice": {"value": 24, "unit": "HOURS"}, "refunds": refunds}


async def _book_and_move_beyond_expiry(studio: Studio) -> None:
    """Let Ana book with a credit whose bundle then expires before the session takes place."""
    studio.clock.set("2027-01-20T10:00")
    await studio.cancel("Ana", "MON", 3)
    studio.clock.set("2027-02-12T09:00")
    assert codes_of(await studio.book("Ana", "THU", 6)) == []
    await studio.change("THU", 6, startsAt="2027-03-01T19:00Z")
    studio.clock.set("2027-02-20T09:00")
