"""What a refund policy may say besides: how often, from when on, and for how long."""

from __future__ import annotations

from typing import Any

import pytest

from studio import Studio, codes_of

IN_TIME = "2027-01-20T10:00"


def policy(studio: Studio, bundle: str = "RB-BEG", **options: Any) -> dict[str, Any]:
    """Make a policy for those who bought the course and for drop-ins by credit."""
    refunds = [
        {"option": "COURSE", "method": "NEW_BUNDLE", "bundle": studio.ids.bundles[bundle]},
        {"option": "DROP_IN_CREDIT", "method": "ORIGINAL"},
    ]
    return {"notice": {"value": 24, "unit": "HOURS"}, "refunds": refunds, **options}


async def outcome(studio: Studio, name: str, course: str, number: int, **chosen: str) -> str:
    """Cancel and say in a word what that gave, or why it gave nothing; the preview agrees."""
    by_the_rules = None if chosen else await studio.preview(name, course, number)
    refund = (await studio.cancel(name, course, number, **chosen))["cancellation"]["refund"]
    if by_the_rules is not None:
        assert by_the_rules["outcome"] == refund["outcome"]
        assert by_the_rules["reason"] == refund["reason"]
    return str(refund["reason"]["code"] if refund["reason"] else refund["outcome"])


# From when on a credit is valid


@pytest.mark.parametrize(
    ("anchor", "expires_at"),
    [
        ("ISSUED_AT", "2027-02-19T10:00:00Z"),
        ("CANCELLED_SESSION_START", "2027-02-24T18:30:00Z"),
        ("COURSE_END", "2027-03-17T19:30:00Z"),
    ],
)
async def test_a_credit_is_valid_from_where_the_policy_says(
    northside: Studio, anchor: str, expires_at: str
) -> None:
    """A12, C1: from the cancelling, from the missed session, or from the end of the course."""
    await northside.change_course("MON", autoRefund=policy(northside, validityAnchor=anchor))
    northside.clock.set(IN_TIME)

    preview = await northside.preview("Ana", "MON", 3)
    await northside.cancel("Ana", "MON", 3)

    assert preview["expiresAt"] == expires_at
    assert await northside.holdings("Ana") == [("RB-BEG", 1, expires_at, "ISSUE")]


async def test_a_course_ends_with_its_last_session_that_takes_place(northside: Studio) -> None:
    """A12: what was called off does not count, and what is added later does."""
    end = policy(northside, validityAnchor="COURSE_END")
    await northside.change_course("MON", autoRefund=end)
    northside.clock.set(IN_TIME)
    await northside.call_off("MON", 6, refund="NONE")
    shorter = await northside.preview("Ana", "MON", 3)
    session = {"startsAt": "2027-04-05T18:30:00+01:00", "capacity": 10}
    asked = {"course": northside.ids.courses["MON"], "sessions": [session]}
    await northside.do("addSessions", asked, as_="owner")

    longer = await northside.preview("Ana", "MON", 3)

    assert shorter["expiresAt"] == "2027-03-10T19:30:00Z"
    assert longer["expiresAt"] == "2027-05-05T18:30:00Z"


async def test_a_credit_is_given_also_if_it_expires_before_any_session_it_could_pay_for(
    northside: Studio,
) -> None:
    """X8: so the policy says; that it is worth nothing is seen where courses are set up."""
    await northside.add_bundle("ONE DAY", 1, "BEG")
    await northside.change_course("MON", autoRefund=policy(northside, "ONE DAY"))
    northside.clock.set("2027-02-07T10:00")

    given = await outcome(northside, "Ana", "MON", 6)
    spent = codes_of(await northside.book("Ana", "THU", 5))

    assert given == "NEW_BUNDLE"
    assert await northside.holdings("Ana") == [("ONE DAY", 1, "2027-02-08T10:00:00Z", "ISSUE")]
    assert spent == ["NO_MATCHING_CREDIT", "CREDIT_EXPIRES_BEFORE_SESSION"]


async def test_a_credit_that_was_given_keeps_its_expiry_when_its_bundle_changes(
    northside: Studio,
) -> None:
    """E6: only tags are read live; the next copy follows the bundle."""
    northside.clock.set(IN_TIME)
    await northside.cancel("Ana", "MON", 3)
    longer = {"value": 60, "unit": "DAYS"}
    changed = {"bundle": northside.ids.bundles["RB-BEG"], "validity": longer}
    await northside.do("updateBundle", changed, as_="owner")

    await northside.cancel("Ana", "MON", 4)

    assert await northside.holdings("Ana") == [
        ("RB-BEG", 1, "2027-02-19T10:00:00Z", "ISSUE"),
        ("RB-BEG", 1, "2027-03-21T10:00:00Z", "ISSUE"),
    ]


# How often


async def test_a_course_booking_earns_only_so_many_refunds(northside: Studio) -> None:
    """A12: it can be cancelled all the same, and others have refunds of their own."""
    capped = policy(northside, maxRefundsPerCourseBooking=2)
    await northside.change_course("MON", autoRefund=capped)
    await northside.add_buyer("Lou", "MON")
    northside.clock.set(IN_TIME)

    found = [await outcome(northside, "Ana", "MON", number) for number in (3, 4, 5)]

    assert found == ["NEW_BUNDLE", "NEW_BUNDLE", "REFUND_CAP_REACHED"]
    assert await northside.places("Ana", "MON") == [1, 2, 6]
    assert await northside.seats_left("MON", 5) == 9
    assert len(await northside.holdings("Ana")) == 2
    assert await outcome(northside, "Lou", "MON", 3) == "NEW_BUNDLE"


async def test_the_cap_follows_a_course_booking_through_the_credits_that_it_earned(
    northside: Studio,
) -> None:
    """X11: to miss a made-up session counts like missing the first one."""
    capped = policy(northside, maxRefundsPerCourseBooking=2)
    for course in ("MON", "THU"):
        await northside.change_course(course, autoRefund=capped)
    northside.clock.set("2027-01-22T09:00")

    found = [await outcome(northside, "Ana", "MON", 3)]
    await northside.book("Ana", "THU", 3)
    found.append(await outcome(northside, "Ana", "THU", 3))
    await northside.book("Ana", "THU", 3)
    found.append(await outcome(northside, "Ana", "THU", 3))
    found.append(await outcome(northside, "Ana", "MON", 4))

    assert found == ["NEW_BUNDLE", "CREDIT_BACK", "REFUND_CAP_REACHED", "REFUND_CAP_REACHED"]
    assert await northside.holdings("Ana") == [
        ("RB-BEG", 0, "2027-02-21T09:00:00Z", "ISSUE SPEND CREDIT_BACK SPEND")
    ]


async def test_a_credit_that_no_course_earned_is_not_counted(northside: Studio) -> None:
    """X11: what was bought or given has no course booking to count by."""
    capped = policy(northside, maxRefundsPerCourseBooking=1)
    await northside.change_course("THU", autoRefund=capped)
    northside.clock.set("2027-01-22T09:00")
    await northside.give("Ana", "RB-BEG")

    found = []
    for _ in range(3):
        assert codes_of(await northside.book("Ana", "THU", 3)) == []
        found.append(await outcome(northside, "Ana", "THU", 3))

    assert found == ["CREDIT_BACK"] * 3


async def test_what_the_business_gives_by_itself_neither_counts_nor_is_capped(
    northside: Studio,
) -> None:
    """A12, B7: sessions called off and goodwill are no doing of the customer's."""
    capped = policy(northside, maxRefundsPerCourseBooking=1)
    await northside.change_course("MON", autoRefund=capped)
    northside.clock.set(IN_TIME)
    goodwill = {"by": "staff", "refund": "GOODWILL", "reason": "Our mistake"}

    await northside.call_off("MON", 3)
    found = [
        await outcome(northside, "Ana", "MON", 2, **goodwill),
        await outcome(northside, "Ana", "MON", 4),
        await outcome(northside, "Ana", "MON", 5),
        await outcome(northside, "Ana", "MON", 1, **goodwill),
    ]
    await northside.call_off("MON", 6)

    assert found == ["NEW_BUNDLE", "NEW_BUNDLE", "REFUND_CAP_REACHED", "NEW_BUNDLE"]
    assert len(await northside.holdings("Ana")) == 5


async def test_what_gave_nothing_does_not_count(northside: Studio) -> None:
    """A12: the cap is on refunds, not on cancellations."""
    capped = policy(northside, maxRefundsPerCourseBooking=1)
    await northside.change_course("MON", autoRefund=capped)
    northside.clock.set("2027-01-24T18:31")

    late = await outcome(northside, "Ana", "MON", 3)
    declined = await outcome(northside, "Ana", "MON", 4, by="staff", refund="NONE")
    in_time = await outcome(northside, "Ana", "MON", 5)

    assert [late, declined, in_time] == ["NOTICE_TOO_SHORT", "REFUND_DECLINED", "NEW_BUNDLE"]


async def test_a_swap_that_counts_on_a_refund_is_held_to_the_cap(northside: Studio) -> None:
    """A12, X4: who is over it stays where they were."""
    capped = policy(northside, maxRefundsPerCourseBooking=1)
    await northside.change_course("MON", autoRefund=capped)
    northside.clock.set("2027-01-22T09:00")

    first = codes_of(await northside.swap("Ana", ("MON", 3), ("THU", 3)))
    second = codes_of(await northside.swap("Ana", ("MON", 4), ("SAT", 2)))

    assert (first, second) == ([], ["REFUND_CAP_REACHED"])
    assert await northside.places("Ana", "MON") == [1, 2, 4, 5, 6]


# For how long


async def test_a_credit_that_goes_back_is_good_for_some_days_more(northside: Studio) -> None:
    """A12, C3: its expiry moves to later only, and what is left longer stays."""
    some_days = policy(northside, minDaysAfterCreditBack=14)
    await northside.change_course("THU", autoRefund=some_days)
    northside.clock.set("2027-01-20T10:00")
    await northside.give("Ana", "RB-BEG")
    northside.clock.set("2027-01-22T09:00")
    await northside.book("Ana", "THU", 3)
    await northside.cancel("Ana", "THU", 3)
    early = await northside.holdings("Ana")
    northside.clock.set("2027-02-12T09:00")
    await northside.book("Ana", "THU", 6)
    northside.clock.set("2027-02-17T09:00")

    assert await outcome(northside, "Ana", "THU", 6) == "CREDIT_BACK"

    entries = "ISSUE SPEND CREDIT_BACK"
    assert early == [("RB-BEG", 1, "2027-02-19T10:00:00Z", entries)]
    assert await northside.holdings("Ana") == [
        ("RB-BEG", 1, "2027-03-03T09:00:00Z", f"{entries} SPEND CREDIT_BACK")
    ]


# Free places


async def test_a_policy_may_refund_free_places_like_paid_ones(northside: Studio) -> None:
    """X12: of courses and of drop-ins, as far as the policy names them."""
    refunds = policy(northside, refundFreeBookings=True)
    bundle = northside.ids.bundles["RB-BEG"]
    refunds["refunds"].append(
        {"option": "DROP_IN_OFFLINE", "method": "NEW_BUNDLE", "bundle": bundle}
    )
    offer = {
        "priceMinor": 0,
        "opensBefore": {"value": 7, "unit": "DAYS"},
        "paymentMethods": ["offline"],
    }
    await northside.add_course(
        "FREE", "2027-01-25T12:00", priceMinor=0, dropIn=offer, autoRefund=refunds
    )
    for name in ("Lou", "Eve"):
        await northside.add_customer(name)
    await northside.book_course("Lou", "FREE", {"free": True})
    northside.clock.set(IN_TIME)
    assert codes_of(await northside.book("Eve", "FREE", 1, {"free": True})) == []

    course = (await northside.cancel("Lou", "FREE", 1))["cancellation"]
    drop_in = (await northside.cancel("Eve", "FREE", 1))["cancellation"]

    assert course["autoRefund"]["option"] == "COURSE"
    assert drop_in["autoRefund"]["option"] == "DROP_IN_OFFLINE"
    for name in ("Lou", "Eve"):
        assert await northside.holdings(name) == [
            ("RB-BEG", 1, "2027-02-19T10:00:00Z", "ISSUE")
        ]
