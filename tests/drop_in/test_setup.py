"""Whether a course's sessions are open to drop-ins as people expect, and how to mend it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from classbolt import (
    CourseId,
    Money,
    Period,
    SessionFacts,
    SessionId,
    TagId,
    Tx,
    Unit,
    find_courses,
    new_id,
)
from classbolt.db import Caller
from classbolt_drop_in import DropIn
from classbolt_drop_in.offer import DropInOffer
from classbolt_drop_in.setup import checks_of
from classbolt_schema.ids import decode
from studio import Studio, at

TAG = TagId(new_id())
ORDER = [
    "DROP_INS_ALLOWED",
    "CREDIT_ACCEPTED",
    "DROP_IN_PRICE_SET",
    "DROP_INS_OPEN_IN_TIME",
    "SESSIONS_HAVE_TAG",
]
OFFER = DropInOffer(Money(1200, "GBP"), Period(7, Unit.DAYS), frozenset({"credit"}))
AT_THE_DOOR = replace(OFFER, methods=frozenset({"offline"}))


def a_session(number: int, tag_id: TagId | None = TAG) -> SessionFacts:
    starts_at = at("2027-01-14T19:00") + timedelta(weeks=number)
    return SessionFacts(
        id=SessionId(new_id()),
        course_id=CourseId(new_id()),
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=1),
        capacity=10,
        seats_taken=1,
        tag_id=tag_id,
        called_off_at=None,
    )


FIRST, SECOND, UNTAGGED = a_session(1), a_session(2), a_session(3, tag_id=None)


def failed(*offers: tuple[SessionFacts, DropInOffer]) -> list[str]:
    """Say which checks fail of a course with these sessions, one of them without an offer."""
    sessions = [session for session, _ in offers] + [a_session(4, tag_id=None)]
    checks = checks_of(sessions, {session.id: offer for session, offer in offers})
    assert [check.code for check in checks] == ORDER
    return [check.code for check in checks if not check.passed]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"methods": frozenset({"offline"})}, "CREDIT_ACCEPTED"),
        ({"price": Money(0, "GBP")}, "DROP_IN_PRICE_SET"),
        ({"opens_before": Period(0, Unit.HOURS)}, "DROP_INS_OPEN_IN_TIME"),
        ({"cap": 1, "taken": 1}, None),
        ({"methods": frozenset({"credit", "offline"})}, None),
    ],
)
def test_one_session_that_is_not_as_the_others_is_found(
    changes: dict[str, Any], code: str | None
) -> None:
    expected = [code] if code else []

    assert failed((FIRST, OFFER), (SECOND, replace(OFFER, **changes))) == expected


def test_no_credit_pays_for_a_session_without_a_tag() -> None:
    """E3: which does not matter where credits are not accepted."""
    assert failed((FIRST, OFFER), (UNTAGGED, OFFER)) == ["SESSIONS_HAVE_TAG"]
    assert failed((FIRST, OFFER), (UNTAGGED, AT_THE_DOOR)) == ["CREDIT_ACCEPTED"]


def test_without_any_offer_that_is_the_only_thing_to_say() -> None:
    for sessions in ([], [FIRST, SECOND]):
        (only,) = checks_of(sessions, {})

        assert (only.code, only.passed) == ("DROP_INS_ALLOWED", False)
        assert only.fix is not None


def test_it_is_said_how_many_sessions_it_is_about() -> None:
    free = replace(OFFER, price=Money(0, "GBP"))

    checks = checks_of([FIRST, SECOND, UNTAGGED], {FIRST.id: OFFER, SECOND.id: free})

    messages = {check.code: check.message for check in checks}
    assert messages["DROP_INS_ALLOWED"] == "Sessions to come that take drop-ins: 2 of 3."
    assert messages["DROP_IN_PRICE_SET"] == "Sessions whose drop-in price is 0: 1."


async def test_what_courses_are_checked_by_is_read_for_all_of_them_at_once(
    northside: Studio,
) -> None:
    """Only sessions that are still to come count, and that were not called off."""
    ids = northside.ids
    offer = {"priceMinor": 0, "opensBefore": {"value": 7, "unit": "DAYS"}}
    for number, given in ((1, offer), (5, None), (6, offer)):
        await northside.change("SAT", number, dropIn=given)
    await northside.call_off("SAT", 6)
    now = at("2027-01-16T10:00")

    async def messages(tx: Tx, *courses: str) -> list[list[str]]:
        keys = [CourseId(decode("Course", ids.courses[course])) for course in courses]
        found = await find_courses(tx, keys)
        checks = await DropIn().setup_checks(tx, [found[key] for key in keys], now)
        return [[each.message for each in some] for some in checks]

    async with northside.database.read(Caller(northside.slug)) as tx:
        async with northside.counting() as for_one:
            (saturday,) = await messages(tx, "SAT")
        async with northside.counting() as for_all:
            monday, _, thursday, _ = await messages(tx, "MON", "WED", "THU", "SAT")

    assert saturday[0] == "Sessions to come that take drop-ins: 3 of 4."
    assert "Sessions whose drop-in price is 0: 1." not in saturday
    assert len(monday) == 1
    assert thursday[0] == "Sessions to come that take drop-ins: 5 of 5."
    assert len(for_one) == len(for_all) == 3  # courses, sessions, offers
