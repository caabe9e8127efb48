"""Whole courses: staff cancel one customer's, or the business calls off all that is left."""

from __future__ import annotations

from typing import Any

from studio import Studio, codes_of

ENDED = (
    "courseBooking { status bookings { edges { node { status } } } } alreadyCancelled"
    " cancellations { choice note refund { outcome reason { code } } }"
)


async def cancel_course(
    studio: Studio, name: str, refund: dict[str, Any], **more: str
) -> dict[str, Any]:
    """Let staff cancel a customer's course booking."""
    asked = {"courseBooking": await studio.course_booking(name), "refund": refund, **more}
    return await studio.do("cancelCourseBooking", asked, ENDED, as_="staff")


def credits_of(studio: Studio, bundle: str) -> dict[str, Any]:
    """Choose a credit for each place."""
    return {"credits": {"bundle": studio.ids.bundles[bundle]}}


async def test_each_place_to_come_gives_a_credit(northside: Studio) -> None:
    """G4: what has begun stays; one outcome for all the rest, whatever the policy says."""
    northside.clock.set("2027-01-19T12:00")

    ended = await cancel_course(
        northside, "Ana", credits_of(northside, "RB-BEG"), reason="She moved away"
    )

    assert ended["courseBooking"]["status"] == "CANCELLED"
    assert ended["alreadyCancelled"] is False
    refund = {"outcome": "NEW_BUNDLE", "reason": None}
    note = "She moved away"
    assert ended["cancellations"] == [{"choice": "CREDITS", "note": note, "refund": refund}] * 4
    assert await northside.places("Ana", "MON") == [1, 2]
    held = [("RB-BEG", 1, "2027-02-18T12:00:00Z", "ISSUE")]
    assert await northside.holdings("Ana") == held * 4
    assert [await northside.seats_left("MON", number) for number in (2, 3)] == [9, 10]


async def test_a_course_booking_can_end_without_a_refund(northside: Studio) -> None:
    """G4: then each cancellation says that the business chose so."""
    ended = await cancel_course(northside, "Ana", {"none": True})

    refund = {"outcome": "NONE", "reason": {"code": "REFUND_DECLINED"}}
    assert [each["refund"] for each in ended["cancellations"]] == [refund] * 6
    assert await northside.holdings("Ana") == []


async def test_what_the_customer_had_cancelled_before_keeps_its_outcome(
    northside: Studio,
) -> None:
    """G4, B9: one outcome per place, ever."""
    northside.clock.set("2027-01-20T10:00")
    await northside.cancel("Ana", "MON", 3)

    ended = await cancel_course(northside, "Ana", credits_of(northside, "RB-BEG"))

    assert len(ended["cancellations"]) == 3
    assert len(await northside.holdings("Ana")) == 1 + 3


async def test_cancelling_a_course_twice_changes_nothing(northside: Studio) -> None:
    """G4, X10: the second time says so."""
    asked = {
        "courseBooking": await northside.course_booking("Ana"),
        "refund": credits_of(northside, "RB-BEG"),
    }
    await northside.do("cancelCourseBooking", asked, ENDED, as_="staff")
    again = await northside.do("cancelCourseBooking", asked, ENDED, as_="staff")

    assert again["alreadyCancelled"] is True
    assert again["cancellations"] == []
    assert again["courseBooking"]["status"] == "CANCELLED"
    assert len(await northside.holdings("Ana")) == 6


async def test_customers_cancel_sessions_and_not_courses(northside: Studio) -> None:
    """G4: not even their own."""
    asked = {
        "courseBooking": await northside.course_booking("Ana"),
        "refund": {"none": True},
    }

    assert await northside.codes("cancelCourseBooking", asked, as_="Ana") == ["FORBIDDEN"]
    assert await northside.places("Ana", "MON") == [1, 2, 3, 4, 5, 6]


async def test_saying_false_chooses_nothing(northside: Studio) -> None:
    asked = {
        "courseBooking": await northside.course_booking("Ana"),
        "refund": {"none": False},
    }

    assert await northside.codes("cancelCourseBooking", asked, as_="staff") == ["INVALID_INPUT"]


async def test_who_was_cancelled_can_buy_the_course_again(northside: Studio) -> None:
    """G4: one active course booking per customer, not one for ever."""
    await cancel_course(northside, "Ana", {"none": True})

    assert codes_of(await northside.book_course("Ana", "MON")) == []
    assert codes_of(await northside.book_course("Ana", "MON")) == ["ALREADY_BOOKED"]
    assert await northside.places("Ana", "MON") == [1, 2, 3, 4, 5, 6]


async def test_who_has_cancelled_every_place_can_buy_the_course_again(
    northside: Studio,
) -> None:
    """G3, G4: a course booking without a place makes room for another."""
    for number in (1, 2, 3, 4, 5):
        await northside.cancel("Ana", "MON", number)
    with_one_left = codes_of(await northside.book_course("Ana", "MON"))
    await northside.cancel("Ana", "MON", 6)

    assert with_one_left == ["ALREADY_BOOKED"]
    assert codes_of(await northside.book_course("Ana", "MON")) == []
    assert await northside.places("Ana", "MON") == [1, 2, 3, 4, 5, 6]


async def call_off_course(studio: Studio, course: str, **chosen: str) -> dict[str, Any]:
    """Let the owner call off what is left of a course."""
    asked = {"course": studio.ids.courses[course], **chosen}
    fields = (
        "sessions { startsAt calledOffAt seatsLeft }"
        " cancellations { sessionCalledOff refund { outcome reason { code } } }"
    )
    return await studio.mutate("callOffCourse", asked, fields, as_="owner")


async def test_what_is_left_of_a_course_is_called_off_for_everybody(
    northside: Studio,
) -> None:
    """X14, B7: members, and whoever came as a drop-in, each as their booking deserves."""
    northside.clock.set("2027-01-22T09:00")
    offer = {"priceMinor": 1200, "opensBefore": {"value": 4, "unit": "WEEKS"}}
    await northside.change("SAT", 3, dropIn=offer)
    await northside.give("Ana", "TEN")
    for number in (2, 3):
        await northside.book("Ana", "SAT", number)
    northside.clock.set("2027-01-23T09:59")

    called_off = await call_off_course(northside, "SAT")

    assert codes_of(called_off) == []
    assert [each["startsAt"][5:10] for each in called_off["sessions"]] == [
        "01-23",
        "01-30",
        "02-06",
        "02-13",
        "02-20",
    ]
    assert {each["calledOffAt"] for each in called_off["sessions"]} == {"2027-01-23T09:59:00Z"}
    assert {each["seatsLeft"] for each in called_off["sessions"]} == {10}
    outcomes = [each["refund"]["outcome"] for each in called_off["cancellations"]]
    assert sorted(outcomes) == ["CREDIT_BACK"] * 2 + ["NEW_BUNDLE"] * 5
    assert len(await northside.holdings("Hal")) == 5
    ((_, balance, _, ledger),) = await northside.holdings("Ana")
    assert (balance, ledger) == (10, "ISSUE SPEND SPEND CREDIT_BACK CREDIT_BACK")
    assert await northside.places("Hal", "SAT") == [1]
    assert codes_of(await call_off_course(northside, "SAT")) == ["COURSE_WITHOUT_SESSIONS"]


async def test_a_course_can_be_called_off_without_refunds(northside: Studio) -> None:
    """X14: what was paid for is then due by hand."""
    called_off = await call_off_course(northside, "SAT", refund="NONE")

    reasons = {each["refund"]["reason"]["code"] for each in called_off["cancellations"]}
    assert reasons == {"REFUND_DECLINED"}
    assert await northside.holdings("Hal") == []


async def test_what_is_called_off_knows_no_goodwill(northside: Studio) -> None:
    """B7: the policy of each booking applies, or nothing."""
    refused = await call_off_course(northside, "SAT", refund="GOODWILL")
    session = {"session": northside.session("SAT", 1), "refund": "GOODWILL"}

    assert codes_of(refused) == ["INVALID_INPUT"]
    assert await northside.codes("callOffSession", session, as_="owner") == ["INVALID_INPUT"]
