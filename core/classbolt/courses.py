"""Courses: series of sessions that are sold together for one price."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

from sqlalchemy import bindparam, func, select, update

from classbolt import checks
from classbolt.checks import mine
from classbolt.columns import AnyRow
from classbolt.db import Tx
from classbolt.errors import NotFound
from classbolt.facts import OFFLINE, CourseFacts, SessionFacts
from classbolt.given import Given
from classbolt.pages import Page, PageOf, fetch_page
from classbolt.payments import SOLD_FOR
from classbolt.sessions import LOCK_COURSE, SESSIONS, NewSession, add_sessions
from classbolt.tables import courses, sessions, tags
from classbolt.values import (
    Actor,
    CourseId,
    LateJoining,
    Money,
    Permission,
    TagId,
    new_id,
)


class CourseChanges(TypedDict, total=False):
    """What may change about a course."""

    title: str
    description: str
    price_minor: int
    tag_id: TagId | None
    payment_methods: Sequence[str]
    late_joining: LateJoining


COURSES = select(
    courses.c.id,
    courses.c.title,
    courses.c.description,
    courses.c.price_minor,
    courses.c.tag_id,
    courses.c.payment_methods,
    courses.c.late_joining,
).where(mine(courses))
COURSES_BY_ID = COURSES.where(courses.c.id.in_(bindparam("ids", expanding=True)))
ENDS = (
    select(sessions.c.course_id, func.max(sessions.c.ends_at).label("ends_at"))
    .where(
        mine(sessions),
        sessions.c.course_id.in_(bindparam("ids", expanding=True)),
        sessions.c.called_off_at.is_(None),
    )
    .group_by(sessions.c.course_id)
)
UPCOMING = SESSIONS.where(
    sessions.c.course_id.in_(bindparam("ids", expanding=True)),
    sessions.c.called_off_at.is_(None),
    sessions.c.starts_at > bindparam("now"),
).order_by(sessions.c.starts_at, sessions.c.id)


async def create_course(
    tx: Tx,
    actor: Actor,
    values: CourseChanges,
    sessions: Sequence[NewSession],
    *,
    given: Given,
    now: datetime,
) -> CourseFacts:
    """Add a course with its sessions.

    Args:
        values: Must have title and price_minor.
        sessions: May be empty; they can be added later.
        given: What bolt-ons were given for the course itself.

    Raises:
        Forbidden: The actor does not set up the account.
        InvalidInput: A value cannot be used.
        NotFound: A tag is unknown.
    """
    actor.require(Permission.SET_UP)
    course_id = CourseId(new_id())
    defaults: CourseChanges = {"description": "", "tag_id": None, "payment_methods": [OFFLINE]}
    columns = await _columns(tx, {**defaults, **values})
    await tx.insert(courses, {"id": course_id, "created_at": now, **columns})
    course = await get_course(tx, course_id)
    await tx.bolt_ons.course_written(tx, course, given, now)
    if sessions:
        await add_sessions(tx, actor, course_id, sessions, now=now)
    return course


async def update_course(
    tx: Tx,
    actor: Actor,
    course_id: CourseId,
    changes: CourseChanges,
    *,
    given: Given,
    now: datetime,
) -> CourseFacts:
    """Change a course; what customers booked and paid stays as it was.

    Raises:
        Forbidden: The actor does not set up the account.
        NotFound: The course or the tag is unknown.
        InvalidInput: A value cannot be used.
    """
    actor.require(Permission.SET_UP)
    # What bolt-ons keep for a course is replaced as a whole: one change after the other.
    await tx.lock(LOCK_COURSE, {"course_id": course_id})
    await get_course(tx, course_id, "course")
    if columns := await _columns(tx, changes):
        await tx.execute(
            update(courses)
            .where(mine(courses), courses.c.id == bindparam("course_id"))
            .values(columns),
            {"course_id": course_id},
        )
    course = await get_course(tx, course_id)
    await tx.bolt_ons.course_written(tx, course, given, now)
    return course


async def get_course(tx: Tx, course_id: CourseId, *path: str | int) -> CourseFacts:
    """Get one course.

    Raises:
        NotFound: The course is unknown.
    """
    found = await find_courses(tx, [course_id])
    if course_id not in found:
        raise NotFound().at(*path)
    return found[course_id]


async def find_courses(tx: Tx, ids: Iterable[CourseId]) -> Mapping[CourseId, CourseFacts]:
    """Find courses by id."""
    return {row.id: _course(tx, row) for row in await tx.all(COURSES_BY_ID, {"ids": list(ids)})}


async def course_ends(tx: Tx, ids: Collection[CourseId]) -> Mapping[CourseId, datetime]:
    """Say when the last session of each course ends that was not called off."""
    rows = await tx.all(ENDS, {"ids": list(ids)}) if ids else []
    return {row.course_id: row.ends_at for row in rows}


async def upcoming_sessions(
    tx: Tx, ids: Collection[CourseId], now: datetime
) -> Mapping[CourseId, list[SessionFacts]]:
    """Find the sessions of courses that are still to come, in the order they start."""
    found: dict[CourseId, list[SessionFacts]] = defaultdict(list)
    for row in await tx.all(UPCOMING, {"ids": list(ids), "now": now}):
        found[row.course_id].append(SessionFacts(*row))
    return found


async def list_courses(
    tx: Tx, page: Page, *, tag_id: TagId | None = None
) -> PageOf[CourseFacts]:
    """List the account's courses by title."""
    statement = COURSES if tag_id is None else COURSES.where(courses.c.tag_id == tag_id)
    rows = await fetch_page(tx, statement, (courses.c.title, courses.c.id), page)
    return rows.map(lambda row: _course(tx, row))


async def _columns(tx: Tx, changes: CourseChanges) -> dict[str, Any]:
    """Check what was given and name it as columns."""
    values: dict[str, Any] = {}
    if "title" in changes:
        values["title"] = checks.text(changes["title"], "title")
    if "description" in changes:
        values["description"] = checks.text(
            changes["description"], "description", least=0, most=10_000
        )
    if "price_minor" in changes:
        values["price_minor"] = checks.price(changes["price_minor"], "priceMinor")
    if "tag_id" in changes:
        values["tag_id"] = changes["tag_id"]
        await checks.must_exist(tx, tags, filter(None, [changes["tag_id"]]), "tag")
    if "payment_methods" in changes:
        values["payment_methods"] = checks.methods(
            changes["payment_methods"], SOLD_FOR, "paymentMethods"
        )
    if "late_joining" in changes:
        values["late_joining"] = changes["late_joining"].value
    return values


def _course(tx: Tx, row: AnyRow) -> CourseFacts:
    return CourseFacts(
        id=row.id,
        title=row.title,
        description=row.description,
        price=Money(row.price_minor, tx.account.currency),
        tag_id=row.tag_id,
        payment_methods=frozenset(row.payment_methods),
        late_joining=LateJoining(row.late_joining),
    )
