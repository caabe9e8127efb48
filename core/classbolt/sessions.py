"""Sessions: what people attend, and the one counter of seats that everybody shares (F5).

The count lives on the session row, not in COUNT(*): the UPDATE that takes a seat checks the
capacity in the same statement. The price is that every path which frees a seat must say so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypedDict
from uuid import UUID

from sqlalchemy import Select, bindparam, case, func, select, update

from classbolt import checks
from classbolt.checks import mine
from classbolt.columns import AnyRow
from classbolt.db import Tx
from classbolt.errors import (
    InvalidInput,
    NotFound,
    SessionCalledOff,
    SessionFull,
    SessionStarted,
)
from classbolt.facts import SessionFacts
from classbolt.given import Given
from classbolt.pages import Page, PageOf, fetch_page, fetch_pages
from classbolt.tables import courses, sessions, tags
from classbolt.values import Actor, CourseId, Permission, SessionId, TagId, new_id

MOST_SESSIONS = 200
"""A course has at most this many sessions, so that booking it stays one short transaction."""
MOST_SEATS = 10_000
LONGEST_MINUTES = 7 * 24 * 60


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session to be scheduled, with what bolt-ons were given for it."""

    starts_at: datetime
    minutes: int
    capacity: int
    tag_id: TagId | None = None
    given: Given = field(default_factory=Given)


class SessionChanges(TypedDict, total=False):
    """What may change about sessions that are to come.

    `is_minor` says of a new start that nobody who is booked needs to mind it (X3).
    """

    starts_at: datetime
    is_minor: bool
    minutes: int
    capacity: int
    tag_id: TagId | None


SESSIONS = (
    select(
        sessions.c.id,
        sessions.c.course_id,
        sessions.c.starts_at,
        sessions.c.ends_at,
        sessions.c.capacity,
        sessions.c.seats_taken,
        func.coalesce(sessions.c.tag_id, courses.c.tag_id).label("tag_id"),
        sessions.c.called_off_at,
        sessions.c.moved_at,
    )
    .join(
        courses,
        (courses.c.account_id == sessions.c.account_id)
        & (courses.c.id == sessions.c.course_id),
    )
    .where(mine(sessions))
)
SESSIONS_BY_ID = SESSIONS.where(sessions.c.id.in_(bindparam("ids", expanding=True)))
# PostgreSQL locks the rows in the order of their ids, so that two operations on the same
# sessions cannot deadlock.
LOCK_SESSIONS = SESSIONS_BY_ID.order_by(sessions.c.id).with_for_update(of=sessions)
SESSIONS_OF_COURSE = SESSIONS.where(sessions.c.course_id == bindparam("course_id")).order_by(
    sessions.c.id
)
LOCK_SESSIONS_OF_COURSE = SESSIONS_OF_COURSE.with_for_update(of=sessions)
LOCK_COURSE = (
    select(courses.c.id)
    .where(mine(courses), courses.c.id == bindparam("course_id"))
    .with_for_update(key_share=True)
)
TAKE_SEATS = (
    update(sessions)
    .where(
        mine(sessions),
        sessions.c.id.in_(bindparam("session_ids", expanding=True)),
        sessions.c.seats_taken < sessions.c.capacity,
        sessions.c.called_off_at.is_(None),
    )
    .values(seats_taken=sessions.c.seats_taken + 1)
    .returning(sessions.c.id)
)
FREE_SEATS = (
    update(sessions)
    .where(mine(sessions), sessions.c.id.in_(bindparam("session_ids", expanding=True)))
    .values(
        seats_taken=sessions.c.seats_taken - bindparam("seats"),
        over_capacity=case(
            (
                sessions.c.over_capacity > bindparam("seats"),
                sessions.c.over_capacity - bindparam("seats"),
            ),
            else_=0,
        ),
    )
)


async def add_sessions(
    tx: Tx,
    actor: Actor,
    course_id: CourseId,
    new: Sequence[NewSession],
    *,
    now: datetime,
) -> list[SessionFacts]:
    """Schedule further sessions of a course.

    Raises:
        Forbidden: The actor does not set up the account.
        NotFound: The course or a tag is unknown.
        InvalidInput: A value cannot be used, or there are too many sessions.
    """
    actor.require(Permission.SET_UP)
    await checks.must_exist(tx, courses, [course_id], "course")
    # A course without sessions has none to lock, and two requests could add too many.
    await tx.lock(LOCK_COURSE, {"course_id": course_id})
    there = await tx.all(LOCK_SESSIONS_OF_COURSE, {"course_id": course_id})
    if not new or len(there) + len(new) > MOST_SESSIONS:
        raise InvalidInput(
            f"Give at least one session, and at most {MOST_SESSIONS} to a course.", "sessions"
        )
    await checks.must_exist(tx, tags, [each.tag_id for each in new if each.tag_id], "sessions")
    rows = [_row(course_id, each, position, now) for position, each in enumerate(new)]
    await tx.insert(sessions, *rows)
    ids = [SessionId(row["id"]) for row in rows]
    found = await find_sessions(tx, ids)
    added = [found[session_id] for session_id in ids]
    await tx.bolt_ons.sessions_written(tx, added, [each.given for each in new], now)
    return added


async def update_session(
    tx: Tx,
    actor: Actor,
    session_id: SessionId,
    changes: SessionChanges,
    *,
    given: Given,
    now: datetime,
) -> SessionFacts:
    """Change a session. Bookings stand, also over a lowered capacity (X17, X21).

    Raises:
        Forbidden: The actor does not set up the account.
        NotFound: The session or the tag is unknown.
        SessionCalledOff: It was called off.
        SessionStarted: It has started, and whoever was booked has had its worth.
        InvalidInput: A value cannot be used.
    """
    actor.require(Permission.SET_UP)
    locked = list((await lock_sessions(tx, [session_id], "session")).values())
    if locked[0].called_off_at is not None:
        raise SessionCalledOff().at("session")
    if locked[0].starts_at <= now:
        raise SessionStarted().at("session")
    return (await _change(tx, locked, changes, given=given, now=now))[0]


async def update_sessions_of(
    tx: Tx,
    actor: Actor,
    course_id: CourseId,
    changes: SessionChanges,
    *,
    given: Given,
    now: datetime,
) -> list[SessionFacts]:
    """Change all sessions of a course that are to come, alike.

    Raises:
        Forbidden: The actor does not set up the account.
        NotFound: The course is unknown.
        InvalidInput: A value cannot be used.
    """
    actor.require(Permission.SET_UP)
    await checks.must_exist(tx, courses, [course_id], "course")
    locked = [
        session
        for session in await lock_sessions_of(tx, course_id)
        if session.called_off_at is None and session.starts_at > now
    ]
    return await _change(tx, locked, changes, given=given, now=now)


async def _change(
    tx: Tx,
    locked: Sequence[SessionFacts],
    changes: SessionChanges,
    *,
    given: Given,
    now: datetime,
) -> list[SessionFacts]:
    """Change sessions that are locked, and tell the bolt-ons."""
    if tag_id := changes.get("tag_id"):
        await checks.must_exist(tx, tags, [tag_id], "tag")
    for session in locked:
        if values := _columns(session, changes, now):
            await tx.execute(
                update(sessions)
                .where(mine(sessions), sessions.c.id == bindparam("session"))
                .values(values),
                {"session": session.id},
            )
    found = await find_sessions(tx, [session.id for session in locked])
    changed = sorted(found.values(), key=lambda session: (session.starts_at, session.id))
    await tx.bolt_ons.sessions_written(tx, changed, [given] * len(changed), now)
    return changed


async def lock_sessions(
    tx: Tx, session_ids: Sequence[SessionId], *path: str | int
) -> dict[SessionId, SessionFacts]:
    """Lock sessions in the order of their ids, before anything else is locked or written.

    Raises:
        NotFound: One of them is unknown.
    """
    rows = await tx.all(LOCK_SESSIONS, {"ids": list(session_ids)})
    found = {SessionId(row.id): SessionFacts(*row) for row in rows}
    if len(found) != len(set(session_ids)):
        raise NotFound().at(*path)
    return found


async def lock_sessions_of(tx: Tx, course_id: CourseId) -> list[SessionFacts]:
    """Lock all sessions of a course in the order of their ids."""
    return [
        SessionFacts(*row)
        for row in await tx.all(LOCK_SESSIONS_OF_COURSE, {"course_id": course_id})
    ]


async def all_sessions_of(tx: Tx, course_id: CourseId) -> list[SessionFacts]:
    """Find all sessions of a course, called off ones too."""
    rows = await tx.all(SESSIONS_OF_COURSE, {"course_id": course_id})
    return [SessionFacts(*row) for row in rows]


async def take_seats(tx: Tx, session_ids: Sequence[SessionId]) -> None:
    """Take one seat in each session, or in none.

    Raises:
        SessionFull: Nobody can take a seat that is not there; the transaction is rolled back
            with it.
    """
    taken = await tx.all(TAKE_SEATS, {"session_ids": list(session_ids)})
    if len(taken) != len(session_ids):
        raise SessionFull


async def free_seats(tx: Tx, seats: Mapping[SessionId, int]) -> None:
    """Give seats of sessions back; they are open to anybody at once (F6)."""
    for number in sorted(set(seats.values())):
        ids = [session_id for session_id, freed in seats.items() if freed == number]
        await tx.execute(FREE_SEATS, {"session_ids": ids, "seats": number})


async def find_sessions(tx: Tx, ids: Sequence[SessionId]) -> Mapping[SessionId, SessionFacts]:
    """Find sessions by id."""
    return {
        row.id: SessionFacts(*row) for row in await tx.all(SESSIONS_BY_ID, {"ids": list(ids)})
    }


async def list_sessions(
    tx: Tx,
    page: Page,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    tag_id: TagId | None = None,
    among: Select[tuple[UUID]] | None = None,
) -> PageOf[SessionFacts]:
    """List the account's timetable, without the sessions that were called off.

    Args:
        since: From this start on.
        until: Up to, and without, this start.
        tag_id: Only sessions with this tag.
        among: Only sessions whose ids this selects, for lists that a bolt-on adds.
    """
    statement = SESSIONS.where(sessions.c.called_off_at.is_(None))
    if since is not None:
        statement = statement.where(sessions.c.starts_at >= since)
    if until is not None:
        statement = statement.where(sessions.c.starts_at < until)
    if tag_id is not None:
        statement = statement.where(
            func.coalesce(sessions.c.tag_id, courses.c.tag_id) == tag_id
        )
    if among is not None:
        statement = statement.where(sessions.c.id.in_(among))
    return (await fetch_page(tx, statement, (sessions.c.starts_at, sessions.c.id), page)).map(
        _facts
    )


async def sessions_of(
    tx: Tx, course_ids: Sequence[CourseId], page: Page
) -> Mapping[CourseId, PageOf[SessionFacts]]:
    """List the sessions of courses as they start, called off ones too, a page for each."""
    keys = (sessions.c.starts_at, sessions.c.id)
    pages = await fetch_pages(
        tx, SESSIONS, sessions.c.course_id, course_ids, keys=keys, page=page
    )
    return {CourseId(course_id): rows.map(_facts) for course_id, rows in pages.items()}


def _facts(row: AnyRow) -> SessionFacts:
    return SessionFacts(*row[:9])


def _row(course_id: CourseId, new: NewSession, position: int, now: datetime) -> dict[str, Any]:
    place = ("sessions", position)
    minutes = checks.number(new.minutes, *place, "minutes", least=1, most=LONGEST_MINUTES)
    return {
        "id": new_id(),
        "course_id": course_id,
        "starts_at": checks.future(new.starts_at, now, *place, "startsAt"),
        "ends_at": new.starts_at + timedelta(minutes=minutes),
        "capacity": checks.number(new.capacity, *place, "capacity", least=1, most=MOST_SEATS),
        "over_capacity": 0,
        "seats_taken": 0,
        "tag_id": new.tag_id,
        "created_at": now,
    }


def _columns(session: SessionFacts, changes: SessionChanges, now: datetime) -> dict[str, Any]:
    """Check what was given and name it as columns."""
    values: dict[str, Any] = {}
    if "tag_id" in changes:
        values["tag_id"] = changes["tag_id"]
    if "starts_at" in changes:
        values["starts_at"] = checks.future(changes["starts_at"], now, "startsAt")
        values["ends_at"] = values["starts_at"] + (session.ends_at - session.starts_at)
        if values["starts_at"] != session.starts_at and not changes.get("is_minor", False):
            values["moved_at"] = now
    if "minutes" in changes:
        minutes = checks.number(changes["minutes"], "minutes", least=1, most=LONGEST_MINUTES)
        values["ends_at"] = values.get("starts_at", session.starts_at) + timedelta(
            minutes=minutes
        )
    if "capacity" in changes:
        capacity = checks.number(changes["capacity"], "capacity", least=1, most=MOST_SEATS)
        values |= {
            "capacity": capacity,
            "over_capacity": max(0, session.seats_taken - capacity),
        }
    return values
