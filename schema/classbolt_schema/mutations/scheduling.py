"""What the business schedules: courses and their sessions."""

from collections.abc import Sequence
from datetime import datetime

import strawberry

from classbolt import courses, sessions
from classbolt.courses import CourseChanges
from classbolt.sessions import NewSession, SessionChanges
from classbolt.values import CourseId, LateJoining, SessionId, TagId
from classbolt_schema.compose.inputs import given_of
from classbolt_schema.compose.mutation import Ask, Payload, mutation
from classbolt_schema.ids import decode, decode_optional
from classbolt_schema.mutations.inputs import is_given, required
from classbolt_schema.relations import EXTENSION
from classbolt_schema.types.course import Course, Session


@strawberry.input(description="A session to schedule.")
class NewSessionInput:
    """A session to schedule."""

    starts_at: datetime = strawberry.field(description="When it begins; in the future.")
    minutes: int = strawberry.field(default=60, description="How long it lasts, in minutes.")
    capacity: int = strawberry.field(description="How many seats there are.")
    tag: strawberry.ID | None = strawberry.field(
        default=None, description="Its own tag; null to have its course's."
    )


@strawberry.input(description="A course to add.")
class CreateCourseInput:
    """A course to add."""

    title: str = strawberry.field(description="What it is called, up to 200 characters.")
    description: str = strawberry.field(
        default="", description="What it is about, up to 10,000 characters."
    )
    price_minor: int = strawberry.field(
        description="What the whole course costs, in minor units."
    )
    tag: strawberry.ID | None = strawberry.field(
        default=None, description="The tag of its sessions that have none of their own."
    )
    payment_methods: list[str] = strawberry.field(
        default_factory=lambda: ["offline"],
        description="How customers may pay for it, as the members of `payWith` are named.",
    )
    late_joining: LateJoining = strawberry.field(
        default=LateJoining.NO,
        description="Whether it can be booked after it has begun, and for how much.",
    )
    sessions: list[NewSessionInput] = strawberry.field(
        default_factory=list, description="Its sessions, up to 200; more can be added later."
    )


@strawberry.type(description="What became of a request to add a course.")
class CreateCoursePayload(Payload):
    """The course."""

    course: Course | None = strawberry.field(default=None, description="The course.")


@EXTENSION.mutation
@mutation(description="Add a course with its sessions. For managers and owners.")
async def create_course(ask: Ask, asked: CreateCourseInput) -> CreateCoursePayload:
    """Add a course."""
    values: CourseChanges = {
        "title": asked.title,
        "description": asked.description,
        "price_minor": asked.price_minor,
        "tag_id": decode_optional(TagId, "Tag", asked.tag),
        "payment_methods": asked.payment_methods,
        "late_joining": asked.late_joining,
    }
    course = await courses.create_course(
        ask.tx,
        ask.actor,
        values,
        _new_sessions(asked.sessions),
        given=given_of(asked),
        now=ask.now,
    )
    return CreateCoursePayload(course=Course.of(course))


@strawberry.input(description="Changes to a course; what is left out stays as it is.")
class UpdateCourseInput:
    """Changes to a course."""

    course: strawberry.ID = strawberry.field(description="Which course.")
    title: str | None = strawberry.field(
        default=strawberry.UNSET, description="What it is called, up to 200 characters."
    )
    description: str | None = strawberry.field(
        default=strawberry.UNSET, description="What it is about, up to 10,000 characters."
    )
    price_minor: int | None = strawberry.field(
        default=strawberry.UNSET, description="What it costs from now on, in minor units."
    )
    tag: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="The tag of its sessions that have none of their own.",
    )
    payment_methods: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="How customers may pay for it."
    )
    late_joining: LateJoining | None = strawberry.field(
        default=strawberry.UNSET,
        description="Whether it can be booked after it has begun, and for how much.",
    )


@strawberry.type(description="What became of a request to change a course.")
class UpdateCoursePayload(Payload):
    """The course."""

    course: Course | None = strawberry.field(default=None, description="The changed course.")


@EXTENSION.mutation
@mutation(
    description="Change a course. What customers have booked and paid stays as it was. For"
    " managers and owners."
)
async def update_course(ask: Ask, asked: UpdateCourseInput) -> UpdateCoursePayload:
    """Change a course."""
    changes: CourseChanges = {}
    if is_given(asked.title):
        changes["title"] = required(asked.title, "title")
    if is_given(asked.description):
        changes["description"] = required(asked.description, "description")
    if is_given(asked.price_minor):
        changes["price_minor"] = required(asked.price_minor, "priceMinor")
    if is_given(asked.tag):
        changes["tag_id"] = decode_optional(TagId, "Tag", asked.tag)
    if is_given(asked.payment_methods):
        changes["payment_methods"] = required(asked.payment_methods, "paymentMethods")
    if is_given(asked.late_joining):
        changes["late_joining"] = required(asked.late_joining, "lateJoining")
    course = await courses.update_course(
        ask.tx,
        ask.actor,
        CourseId(decode("Course", asked.course)),
        changes,
        given=given_of(asked),
        now=ask.now,
    )
    return UpdateCoursePayload(course=Course.of(course))


@strawberry.input(description="Sessions to add to a course.")
class AddSessionsInput:
    """Sessions to add."""

    course: strawberry.ID = strawberry.field(description="Which course.")
    sessions: list[NewSessionInput] = strawberry.field(description="The sessions.")


@strawberry.type(description="What became of a request to add sessions.")
class AddSessionsPayload(Payload):
    """The sessions."""

    sessions: list[Session] | None = strawberry.field(
        default=None, description="The added sessions, in the order they were given."
    )


@EXTENSION.mutation
@mutation(
    description="Add sessions to a course. Customers who have booked the course get no place in"
    " them. For managers and owners."
)
async def add_sessions(ask: Ask, asked: AddSessionsInput) -> AddSessionsPayload:
    """Add sessions."""
    course_id = CourseId(decode("Course", asked.course))
    new = _new_sessions(asked.sessions)
    added = await sessions.add_sessions(ask.tx, ask.actor, course_id, new, now=ask.now)
    return AddSessionsPayload(sessions=[Session.of(each) for each in added])


@strawberry.input(description="Changes to a session; what is left out stays as it is.")
class UpdateSessionInput:
    """Changes to a session."""

    session: strawberry.ID = strawberry.field(description="Which session.")
    starts_at: datetime | None = strawberry.field(
        default=strawberry.UNSET,
        description="When it begins; its length stays. Who booked before may then cancel"
        " without notice until the new start.",
    )
    is_minor_move: bool = strawberry.field(
        default=False,
        description="Whether the new start is so near to the old one that notice still counts.",
    )
    minutes: int | None = strawberry.field(
        default=strawberry.UNSET, description="How long it lasts, in minutes."
    )
    capacity: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="How many seats there are. Bookings beyond a lowered capacity stand.",
    )
    tag: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Its own tag; null to have its course's."
    )


@strawberry.type(description="What became of a request to change a session.")
class UpdateSessionPayload(Payload):
    """The session."""

    session: Session | None = strawberry.field(default=None, description="The changed session.")


@EXTENSION.mutation
@mutation(description="Change a session that is to come. For managers and owners.")
async def update_session(ask: Ask, asked: UpdateSessionInput) -> UpdateSessionPayload:
    """Change a session."""
    changes: SessionChanges = {}
    if is_given(asked.starts_at):
        changes["starts_at"] = required(asked.starts_at, "startsAt")
        changes["is_minor"] = asked.is_minor_move
    if is_given(asked.minutes):
        changes["minutes"] = required(asked.minutes, "minutes")
    if is_given(asked.capacity):
        changes["capacity"] = required(asked.capacity, "capacity")
    if is_given(asked.tag):
        changes["tag_id"] = decode_optional(TagId, "Tag", asked.tag)
    session_id = SessionId(decode("Session", asked.session))
    changed = await sessions.update_session(
        ask.tx, ask.actor, session_id, changes, given=given_of(asked), now=ask.now
    )
    return UpdateSessionPayload(session=Session.of(changed))


@strawberry.input(
    description="Changes to all sessions of a course that are to come; what is left out"
    " stays as it is."
)
class UpdateSessionsInput:
    """Changes to a course's sessions."""

    course: strawberry.ID = strawberry.field(description="Which course.")
    minutes: int | None = strawberry.field(
        default=strawberry.UNSET, description="How long they last, in minutes."
    )
    capacity: int | None = strawberry.field(
        default=strawberry.UNSET, description="How many seats there are in each."
    )


@strawberry.type(description="What became of a request to change the sessions of a course.")
class UpdateSessionsPayload(Payload):
    """The sessions."""

    sessions: list[Session] | None = strawberry.field(
        default=None, description="The changed sessions, in the order they start."
    )


@EXTENSION.mutation
@mutation(
    description="Change all sessions of a course that have not started and were not called off,"
    " alike. For managers and owners."
)
async def update_sessions(ask: Ask, asked: UpdateSessionsInput) -> UpdateSessionsPayload:
    """Change the sessions of a course."""
    changes: SessionChanges = {}
    if is_given(asked.minutes):
        changes["minutes"] = required(asked.minutes, "minutes")
    if is_given(asked.capacity):
        changes["capacity"] = required(asked.capacity, "capacity")
    changed = await sessions.update_sessions_of(
        ask.tx,
        ask.actor,
        CourseId(decode("Course", asked.course)),
        changes,
        given=given_of(asked),
        now=ask.now,
    )
    return UpdateSessionsPayload(sessions=[Session.of(each) for each in changed])


def _new_sessions(asked: Sequence[NewSessionInput]) -> list[NewSession]:
    return [
        NewSession(
            starts_at=each.starts_at,
            minutes=each.minutes,
            capacity=each.capacity,
            tag_id=decode_optional(TagId, "Tag", each.tag),
            given=given_of(each),
        )
        for each in asked
    ]
