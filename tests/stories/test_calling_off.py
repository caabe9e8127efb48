"""Calling a session off: the business does it, so nobody needs to have given notice (B7)."""

from __future__ import annotations

from studio import Studio, codes_of

MORNING = "2027-01-30T08:00"
"""Two hours before SAT 30 Jan begins."""


async def test_everybody_is_refunded_as_if_they_had_cancelled_in_time(
    northside: Studio,
) -> None:
    """S18, B7, C: each by how they had booked; whose credit had paid has it again."""
    await _fill_saturday(northside)

    called_off = await northside.call_off("SAT", 3)

    assert called_off["session"] == {"calledOffAt": "2027-01-30T08:00:00Z", "seatsLeft": 10}
    ended = called_off["cancellations"]
    outcomes = {each["autoRefund"]["option"]: each["refund"]["outcome"] for each in ended}
    assert outcomes == {
        "COURSE": "NEW_BUNDLE",
        "DROP_IN_CREDIT": "CREDIT_BACK",
        "DROP_IN_OFFLINE": "NEW_BUNDLE",
    }
    assert {(each["sessionCalledOff"], each["by"]) for each in ended} == {(True, "STAFF")}
    for name in ("Hal", "Ivy"):
        assert await northside.holdings(name) == [
            ("RB-BEG", 1, "2027-03-01T08:00:00Z", "ISSUE")
        ]
    assert await northside.holdings("Ana") == [
        ("RB-BEG", 1, "2027-02-19T10:00:00Z", "ISSUE SPEND CREDIT_BACK")
    ]
    assert await northside.places("Hal", "SAT") == [1, 2, 4, 5, 6]
    assert await northside.attendees("SAT", 3) == []


async def test_the_business_may_call_off_without_refunds(northside: Studio) -> None:
    """S18, B7: then each cancellation says that the business chose so."""
    await _fill_saturday(northside)

    called_off = await northside.call_off("SAT", 3, refund="NONE")

    refunds = [each["refund"] for each in called_off["cancellations"]]
    declined = {"code": "REFUND_DECLINED"}
    nothing = {"outcome": "NONE", "reason": declined, "customerBundle": None}
    assert refunds == [nothing, nothing, nothing]
    assert await northside.holdings("Hal") == []
    assert await northside.holdings("Ivy") == []
    assert await northside.holdings("Ana") == [
        ("RB-BEG", 0, "2027-02-19T10:00:00Z", "ISSUE SPEND")
    ]
    assert await northside.seats_left("SAT", 3) == 10


async def test_what_was_not_paid_is_not_refunded(northside: Studio) -> None:
    """B1, B7, X13: only notice is waived, every other check stands."""
    northside.clock.set("2027-01-23T10:00")
    await northside.add_customer("Ivy")
    await northside.book("Ivy", "SAT", 3, {"offline": True})
    northside.clock.set(MORNING)

    await northside.call_off("SAT", 3)

    cancelled = await northside.cancel("Ivy", "SAT", 3)
    assert cancelled["alreadyCancelled"] is True
    assert cancelled["cancellation"]["refund"]["reason"] == {"code": "UNPAID"}
    assert await northside.holdings("Ivy") == []


async def test_a_cancellation_of_before_is_left_as_it_was(northside: Studio) -> None:
    """B9: whoever had cancelled late is not refunded because the business gives up later."""
    northside.clock.set("2027-01-29T12:00")
    late = await northside.cancel("Hal", "SAT", 3)

    called_off = await northside.call_off("SAT", 3)

    assert called_off["cancellations"] == []
    assert await northside.cancel("Hal", "SAT", 3) == {**late, "alreadyCancelled": True}
    assert await northside.holdings("Hal") == []


async def test_a_session_that_was_called_off_is_not_in_the_timetable(
    northside: Studio,
) -> None:
    """Nor is it open to drop-ins; its course and its bookings still show it."""
    northside.clock.set("2027-01-23T10:00")
    await northside.call_off("SAT", 3)

    found = await northside.query(
        "query ($course: ID!) { sessions(first: 100) { edges { node { id } } }"
        " openDropIns { edges { node { id } } }"
        " course(id: $course) { sessions { edges { node { id calledOffAt } } } } }",
        course=northside.ids.courses["SAT"],
    )

    gone = northside.session("SAT", 3)
    assert len(found["sessions"]["edges"]) == 23
    assert gone not in [edge["node"]["id"] for edge in found["sessions"]["edges"]]
    assert gone not in [edge["node"]["id"] for edge in found["openDropIns"]["edges"]]
    calendar = [edge["node"]["calledOffAt"] for edge in found["course"]["sessions"]["edges"]]
    assert calendar == [None, None, "2027-01-23T10:00:00Z", None, None, None]


async def test_a_session_that_was_called_off_cannot_be_booked_or_changed(
    northside: Studio,
) -> None:
    """F4: nor called off again, by anybody."""
    northside.clock.set("2027-01-23T10:00")
    await northside.add_customer("Ivy")
    await northside.call_off("SAT", 3)
    session = {"session": northside.session("SAT", 3)}

    booked = codes_of(await northside.book("Ivy", "SAT", 3, {"offline": True}))
    changed = await northside.codes("updateSession", {**session, "capacity": 5}, as_="owner")
    again = await northside.codes("callOffSession", session, as_="owner")

    assert booked == ["SESSION_CALLED_OFF"]
    assert changed == ["SESSION_CALLED_OFF"]
    assert again == ["SESSION_CALLED_OFF"]
    assert await northside.attendees("SAT", 3) == []


async def test_a_course_is_sold_without_the_sessions_that_were_called_off(
    northside: Studio,
) -> None:
    """G1, G2: also when the first was; its buyers have a place in all the others."""
    await northside.add_customer("Ivy")
    await northside.call_off("SAT", 1)
    await northside.call_off("SAT", 3)
    northside.clock.set("2027-01-17T12:00")

    bought = codes_of(await northside.book_course("Ivy", "SAT"))

    assert bought == []
    assert await northside.places("Ivy", "SAT") == [2, 4, 5, 6]
    assert await northside.seats_left("SAT", 3) == 10


async def test_a_course_of_which_nothing_is_left_cannot_be_booked(northside: Studio) -> None:
    """There would be nothing to sell."""
    await northside.add_customer("Ivy")
    await northside.add_course("ONCE", "2027-01-25T12:00")
    await northside.call_off("ONCE", 1)

    assert codes_of(await northside.book_course("Ivy", "ONCE")) == ["COURSE_WITHOUT_SESSIONS"]


async def test_only_those_who_set_up_the_account_call_off_what_is_to_come(
    northside: Studio,
) -> None:
    """Everybody would lose their place."""
    session = {"session": northside.session("SAT", 3)}
    by_customer = await northside.codes("callOffSession", session, as_="Hal")
    by_staff = await northside.codes("callOffSession", session, as_="staff")
    northside.clock.set("2027-01-30T10:00")

    too_late = await northside.codes("callOffSession", session, as_="owner")

    assert by_customer == ["FORBIDDEN"]
    assert by_staff == ["FORBIDDEN"]
    assert too_late == ["SESSION_STARTED"]
    assert await northside.attendees("SAT", 3) == ["Hal"]


async def _fill_saturday(studio: Studio) -> None:
    """Book SAT 30 Jan for Hal with the course, Ana with a credit, Ivy with money."""
    studio.clock.set("2027-01-20T10:00")
    await studio.cancel("Ana", "MON", 3)
    studio.clock.set("2027-01-23T10:00")
    assert codes_of(await studio.book("Ana", "SAT", 3)) == []
    await studio.add_customer("Ivy")
    booked = await studio.book("Ivy", "SAT", 3, {"offline": True})
    await studio.mark_paid(booked["booking"]["payment"]["id"])
    studio.clock.set(MORNING)
