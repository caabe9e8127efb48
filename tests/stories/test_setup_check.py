"""Is a course set up so that its customers can move by themselves? A list says what is not."""

from __future__ import annotations

from typing import Any

from studio import Studio

CHECK = """query ($course: ID!) {
  courseSetupCheck(course: $course) { code passed message fix } }"""
ONE_CLASS = {"value": 24, "unit": "HOURS"}


async def check(studio: Studio, course: str) -> list[dict[str, Any]]:
    """Look at how a course is set up."""
    found = await studio.query(CHECK, as_="manager", course=studio.ids.courses[course])
    return list(found["courseSetupCheck"])


async def failures(studio: Studio, course: str) -> list[str]:
    """Give the codes of what is not as it should be."""
    found = await check(studio, course)
    assert [each for each in found if each["passed"] != (each["fix"] is None)] == []
    return [each["code"] for each in found if not each["passed"]]


def refunds(studio: Studio, bundle: str, option: str = "COURSE") -> dict[str, Any]:
    """Make a policy that issues a bundle."""
    method = {"method": "NEW_BUNDLE", "bundle": studio.ids.bundles[bundle]}
    return {"notice": ONE_CLASS, "refunds": [{"option": option, **method}]}


async def test_a_studio_that_followed_the_story_finds_nothing_to_mend(
    northside: Studio,
) -> None:
    """The story of a customer who moves from one course to another, as a checklist."""
    northside.clock.set("2027-01-05T12:00")

    found = await check(northside, "THU")

    assert {each["code"] for each in found if each["passed"]} >= {
        "BOLT_ON_ON",
        "COURSE_HAS_SESSIONS",
        "POLICY_SET",
        "COURSE_BUYERS_REFUNDED",
        "DROP_INS_ALLOWED",
        "CREDIT_ACCEPTED",
        "DROP_IN_PRICE_SET",
        "OTHER_COURSES_TAKE_DROP_INS",
        "CREDITS_ACCEPTED_ELSEWHERE",
        "CREDIT_FITS_ELSEWHERE",
        "CREDIT_LIVES_LONG_ENOUGH",
        "OPEN_BEFORE_CREDIT_EXPIRES",
    }
    assert [each for each in found if not each["passed"]] == []


async def test_a_bolt_on_that_is_off_is_the_first_thing_to_mend(northside: Studio) -> None:
    """I3: what it would say itself is not asked."""
    await northside.switch("auto_refund", on=False)
    await northside.switch("drop_in", on=False)

    found = await check(northside, "THU")

    assert [(each["code"], each["passed"]) for each in found] == [
        ("BOLT_ON_ON", False),
        ("BOLT_ON_ON", False),
        ("COURSE_HAS_SESSIONS", True),
    ]
    assert "auto_refund" in found[0]["fix"]
    assert "drop_in" in found[1]["fix"]


async def test_a_course_without_a_policy_or_without_its_buyers_in_it_is_seen(
    northside: Studio,
) -> None:
    """A4, A5: the option for those who bought the course is the one that the story needs."""
    await northside.change_course("THU", autoRefund=None)
    assert await failures(northside, "THU") == ["POLICY_SET"]

    await northside.change_course(
        "THU", autoRefund=refunds(northside, "RB-BEG", "DROP_IN_OFFLINE")
    )
    assert await failures(northside, "THU") == ["COURSE_BUYERS_REFUNDED"]


async def test_a_refund_bundle_that_shares_no_tag_with_any_other_course_is_seen(
    northside: Studio,
) -> None:
    """E1: beginners' courses take it only if it is for beginners."""
    await northside.add_bundle("OTHER", 30, "ADV")
    await northside.change_course("THU", autoRefund=refunds(northside, "OTHER"))
    assert await failures(northside, "THU") == []

    await northside.change_course("WED", tag=northside.ids.tags["BEG"])
    assert await failures(northside, "THU") == ["CREDIT_FITS_ELSEWHERE"]


async def test_a_validity_too_short_for_the_next_session_is_seen(northside: Studio) -> None:
    """D4, X8: nothing starts within a day of now."""
    await northside.add_bundle("SHORT", 1, "BEG")
    await northside.change_course("THU", autoRefund=refunds(northside, "SHORT"))

    assert await failures(northside, "THU") == ["CREDIT_LIVES_LONG_ENOUGH"]


async def test_sessions_that_open_only_when_the_credit_is_gone_are_seen(
    northside: Studio,
) -> None:
    """F4: they start in time, but nobody can book them before."""
    northside.clock.set("2027-01-05T12:00")
    await northside.add_bundle("TEN DAYS", 10, "BEG")
    await northside.change_course("THU", autoRefund=refunds(northside, "TEN DAYS"))
    assert await failures(northside, "THU") == ["CREDIT_LIVES_LONG_ENOUGH"]

    # SAT 16 Jan starts a day after the credit's end on 15 Jan; moved up, it opens at its start.
    late = {"priceMinor": 1200, "opensBefore": {"value": 1, "unit": "HOURS"}}
    await northside.change("SAT", 1, startsAt="2027-01-15T11:30:00Z", dropIn=late)
    assert await failures(northside, "THU") == []
    northside.clock.set("2027-01-05T10:35")
    assert await failures(northside, "THU") == ["CREDIT_LIVES_LONG_ENOUGH"]
    northside.clock.set("2027-01-05T11:45")
    assert await failures(northside, "THU") == []


async def test_that_nobody_else_takes_drop_ins_or_credits_is_seen(northside: Studio) -> None:
    """F1, F3: first that no course does, then that they want money."""
    for course in ("WED", "SAT"):
        asked = {"course": northside.ids.courses[course], "dropIn": None}
        await northside.do("updateSessions", asked, as_="owner")
    assert await failures(northside, "THU") == ["OTHER_COURSES_TAKE_DROP_INS"]

    offer = {
        "priceMinor": 1200,
        "opensBefore": {"value": 7, "unit": "DAYS"},
        "paymentMethods": ["offline"],
    }
    money_only = {"course": northside.ids.courses["SAT"], "dropIn": offer}
    await northside.do("updateSessions", money_only, as_="owner")
    assert await failures(northside, "THU") == ["CREDITS_ACCEPTED_ELSEWHERE"]
    assert await failures(northside, "SAT") == ["CREDIT_ACCEPTED"]


async def test_a_course_without_sessions_is_seen(northside: Studio) -> None:
    """G1: there is nothing to sell, and no credit to follow."""
    await northside.add_course("NONE", autoRefund=refunds(northside, "RB-BEG"))

    found = await failures(northside, "NONE")

    assert found[0] == "COURSE_HAS_SESSIONS"
    assert "CREDIT_FITS_ELSEWHERE" not in found


async def test_only_who_sets_up_the_account_looks_at_it(northside: Studio) -> None:
    course = northside.ids.courses["THU"]

    for who, code in (
        (None, "UNAUTHENTICATED"),
        ("Ana", "FORBIDDEN"),
        ("staff", "FORBIDDEN"),
    ):
        answer = await northside.ask(CHECK, {"course": course}, as_=who)
        assert answer.error_codes == [code]
    unknown = await northside.query(CHECK, as_="owner", course=northside.ids.tags["BEG"])
    assert unknown == {"courseSetupCheck": None}
