"""Call off a session, or what is left of a course: the business cancels for all (B7, X14).

Notice is waived for all. What was paid for and gives nothing back is noted as due by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, update

from classbolt import checks, sessions
from classbolt.bookings import end_course_bookings_of
from classbolt.cancellations import Cancellation
from classbolt.cards import give_up_places_in
from classbolt.checks import mine
from classbolt.db import Tx
from classbolt.errors import (
    CourseWithoutSessions,
    InvalidInput,
    SessionCalledOff,
    SessionStarted,
)
from classbolt.facts import SessionFacts
from classbolt.release import lock_for_release, release
from classbolt.tables import courses
from classbolt.tables import sessions as session_rows
from classbolt.terms import BY_THE_RULES, PLACES_OF_SESSIONS, Choice, Wish, facts_of, terms_of
from classbolt.values import Actor, CourseId, Permission, SessionId


@dataclass(frozen=True, slots=True)
class CalledOff:
    """Sessions that were called off, and how their bookings ended."""

    sessions: list[SessionFacts]
    cancellations: list[Cancellation]


CALL_OFF = (
    update(session_rows)
    .where(
        mine(session_rows),
        session_rows.c.id.in_(bindparam("session_ids", expanding=True)),
        session_rows.c.called_off_at.is_(None),
    )
    .values(called_off_at=bindparam("now"))
)


async def call_off_session(
    tx: Tx,
    actor: Actor,
    session_id: SessionId,
    *,
    wish: Wish = BY_THE_RULES,
    now: datetime,
) -> CalledOff:
    """Call a session off: everybody's booking is cancelled.

    Raises:
        Forbidden: The actor does not set up the account.
        NotFound: The session is unknown.
        SessionCalledOff: It was called off before.
        SessionStarted: It has started.
        InvalidInput: Goodwill was wanted: each booking's own policy applies, or nothing.
    """
    actor.require(Permission.SET_UP)
    _require_policy_or_nothing(wish)
    session = (await sessions.lock_sessions(tx, [session_id], "session"))[session_id]
    if session.called_off_at is not None:
        raise SessionCalledOff
    if session.starts_at <= now:
        raise SessionStarted
    return await _call_off(tx, actor, [session], wish, now)


async def call_off_course(
    tx: Tx,
    actor: Actor,
    course_id: CourseId,
    *,
    wish: Wish = BY_THE_RULES,
    now: datetime,
) -> CalledOff:
    """Call off all sessions of a course that are to come, and end its course bookings (X14).

    Raises:
        Forbidden: The actor does not set up the account.
        NotFound: The course is unknown.
        CourseWithoutSessions: No session is left to call off.
        InvalidInput: Goodwill was wanted: each booking's own policy applies, or nothing.
    """
    actor.require(Permission.SET_UP)
    _require_policy_or_nothing(wish)
    await checks.must_exist(tx, courses, [course_id], "course")
    coming = [
        each
        for each in await sessions.lock_sessions_of(tx, course_id)
        if each.called_off_at is None and each.starts_at > now
    ]
    if not coming:
        raise CourseWithoutSessions().at("course")
    called_off = await _call_off(tx, actor, coming, wish, now)
    await end_course_bookings_of(tx, course_id)
    return called_off


async def _call_off(
    tx: Tx, actor: Actor, locked: Sequence[SessionFacts], wish: Wish, now: datetime
) -> CalledOff:
    """Call off sessions that are locked."""
    by_id = {each.id: each for each in locked}
    rows = await tx.all(PLACES_OF_SESSIONS, {"session_ids": list(by_id)})
    facts = await facts_of(tx, rows, by_id, now=now, by_business=True)
    await lock_for_release(tx, facts)
    terms = await terms_of(tx, facts, wish, now=now)
    await tx.execute(CALL_OFF, {"session_ids": list(by_id), "now": now})
    ended = await release(tx, actor, facts, terms, wish, now=now)
    await give_up_places_in(tx, list(by_id), now=now)
    after = await sessions.find_sessions(tx, list(by_id))
    in_order = sorted(after.values(), key=lambda each: (each.starts_at, each.id))
    return CalledOff(in_order, ended)


def _require_policy_or_nothing(wish: Wish) -> None:
    if wish.choice not in {Choice.POLICY, Choice.NONE}:
        raise InvalidInput("What is called off is refunded by policy, or not.", "refund")
