"""Caps are counted, not stored: they hold because whoever counts has locked what is counted."""

from __future__ import annotations

from collections import Counter

from races import DONE, OFFLINE, TRY_AGAIN, TWO_MONTHS, Arena, Ask, book, outcome

DROP_INS = "the last place under a cap of drop-ins"
REFUNDS = "the last refund under a cap of refunds"
FIELDS = "cancellation { refund { outcome reason { code } } }"
FEW = 8
"""Into how many sessions a course goes whose places are all cancelled at once."""


async def add_capped_sessions(arena: Arena, number: int) -> list[str]:
    """Add sessions with many seats, each of them open to one drop-in."""
    course, sessions = await arena.add_course(number, seats=100)
    offer = {"priceMinor": 1200, "opensBefore": TWO_MONTHS, "cap": 1}
    asked = {"course": course, "dropIn": {**offer, "paymentMethods": ["offline"]}}
    await arena.studio.do("updateSessions", asked, as_="owner")
    return sessions


async def race_for_one_place(arena: Arena, crowd: list[str], session: str) -> Counter[str]:
    """Let everybody come as a drop-in to a session that takes one."""
    asks = [book(name, session, OFFLINE) for name in crowd]
    return Counter(outcome(answer) for answer in await arena.race(asks))


async def test_a_session_takes_as_many_drop_ins_as_its_cap(arena: Arena) -> None:
    """F7: also when more of them ask at the same moment."""
    crowd = await arena.add_crowd(arena.scale.contenders)
    sessions: list[str] = []
    while len(sessions) < arena.most_rounds:
        sessions += await add_capped_sessions(arena, min(100, arena.most_rounds))

    async def is_fair(number: int) -> None:
        outcomes = await race_for_one_place(arena, crowd, sessions[number])

        assert outcomes[DONE] == 1
        assert set(outcomes) <= {DONE, "DROP_IN_CAP_REACHED", TRY_AGAIN}

    await arena.holds(DROP_INS, is_fair)


async def test_a_session_takes_more_drop_ins_where_nobody_waits_for_others(
    unprotected: Arena,
) -> None:
    """Every statement is a transaction of its own, so that no lock outlives the counting."""
    crowd = await unprotected.add_crowd(unprotected.scale.contenders)
    sessions = await add_capped_sessions(unprotected, unprotected.most_rounds)

    async def takes_more(number: int) -> bool:
        outcomes = await race_for_one_place(unprotected, crowd, sessions[number])
        return outcomes[DONE] > 1

    await unprotected.breaks(DROP_INS, takes_more)


async def race_for_one_refund(arena: Arena, number: int) -> Counter[str]:
    """Let a customer cancel all sessions of a course at once whose policy refunds one."""
    (name,) = await arena.add_crowd(1)
    course, sessions = await arena.add_course(FEW, seats=1)
    rule = {"option": "COURSE", "method": "NEW_BUNDLE"}
    policy = {
        "notice": {"value": 24, "unit": "HOURS"},
        "refunds": [{**rule, "bundle": arena.studio.ids.bundles["OF 1"]}],
        "maxRefundsPerCourseBooking": 1,
    }
    asked = {"course": course, "title": f"Round {number}", "autoRefund": policy}
    await arena.studio.do("updateCourse", asked, as_="owner")
    paid = "courseBooking { payment { id } }"
    wanted = {"course": course, "payWith": OFFLINE}
    booked = await arena.studio.do("bookCourse", wanted, paid, as_=name)
    await arena.studio.mark_paid(booked["courseBooking"]["payment"]["id"])
    places = await arena.places()
    asks = [
        Ask(name, "cancelBooking", {"booking": places[name, session]}, FIELDS)
        for session in sessions
    ]
    outcomes: Counter[str] = Counter()
    for answer in await arena.race(asks):
        word = outcome(answer)
        if word == DONE:
            refund = answer["data"]["cancelBooking"]["cancellation"]["refund"]
            word = refund["reason"]["code"] if refund["reason"] else refund["outcome"]
        outcomes[word] += 1
    return outcomes


async def test_a_course_booking_earns_as_many_refunds_as_its_cap(arena: Arena) -> None:
    """A12, X11: also when all its places are cancelled at the same moment."""

    async def is_fair(number: int) -> None:
        outcomes = await race_for_one_refund(arena, number)

        assert outcomes["NEW_BUNDLE"] == 1
        assert set(outcomes) <= {"NEW_BUNDLE", "REFUND_CAP_REACHED", TRY_AGAIN}

    await arena.holds(REFUNDS, is_fair)


async def test_a_course_booking_earns_more_refunds_where_nobody_waits_for_others(
    unprotected: Arena,
) -> None:
    """Every statement is a transaction of its own, so that no lock outlives the counting."""

    async def earns_more(number: int) -> bool:
        return (await race_for_one_refund(unprotected, number))["NEW_BUNDLE"] > 1

    await unprotected.breaks(REFUNDS, earns_more)
