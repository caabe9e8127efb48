"""Courses, their sessions, and the tags that say which credits fit."""

from datetime import datetime
from typing import Self

import strawberry

from classbolt import tags
from classbolt.facts import CourseFacts, SessionFacts
from classbolt.values import LateJoining
from classbolt_schema.compose.enums import show_enum
from classbolt_schema.ids import encode
from classbolt_schema.scalars import Money
from classbolt_schema.types.node import Node

show_enum(
    LateJoining,
    name="LateJoining",
    description="Whether a course can be booked after it has begun, and for how much.",
    values={
        LateJoining.NO: "It cannot.",
        LateJoining.FULL_PRICE: "It can, for its whole price.",
        LateJoining.PRO_RATA: "It can, for the part of its price that is still to come, by"
        " the number of sessions.",
    },
)


@strawberry.type(
    description="A word of the business's own. A credit pays for a session only if the"
    " session's tag is among the tags of the credit's bundle."
)
class Tag(Node):
    """A tag."""

    name: str = strawberry.field(description="The word.")

    @classmethod
    def of(cls, tag: tags.Tag) -> Self:
        """Show core's tag."""
        return cls(id=strawberry.ID(encode("Tag", tag.id)), name=tag.name)


@strawberry.type(description="A series of sessions that are sold together for one price.")
class Course(Node):
    """A course."""

    title: str = strawberry.field(description="What it is called.")
    description: str = strawberry.field(description="What it is about; may be empty.")
    price: Money = strawberry.field(description="What the whole course costs.")
    payment_methods: list[str] = strawberry.field(
        description="How customers may pay for it, as the members of `payWith` are named."
    )
    late_joining: LateJoining = strawberry.field(
        description="Whether it can be booked after it has begun, and for how much."
    )
    facts: strawberry.Private[CourseFacts]

    @classmethod
    def of(cls, course: CourseFacts) -> Self:
        """Show core's course."""
        return cls(
            id=strawberry.ID(encode("Course", course.id)),
            title=course.title,
            description=course.description,
            price=Money.of(course.price),
            payment_methods=sorted(course.payment_methods),
            late_joining=course.late_joining,
            facts=course,
        )


@strawberry.type(description="One dated occurrence of a course, which people attend.")
class Session(Node):
    """A session."""

    starts_at: datetime = strawberry.field(description="When it begins.")
    ends_at: datetime = strawberry.field(description="When it ends.")
    capacity: int = strawberry.field(description="How many seats there are.")
    seats_left: int = strawberry.field(
        description="How many seats are free. Course members and drop-ins share them."
    )
    called_off_at: datetime | None = strawberry.field(
        description="When the business called the session off; null if it takes place."
    )
    moved_at: datetime | None = strawberry.field(
        description="When its start was last changed by more than a little; null if it never"
        " was. Who booked before that needs no notice to cancel."
    )
    facts: strawberry.Private[SessionFacts]

    @classmethod
    def of(cls, session: SessionFacts) -> Self:
        """Show core's session."""
        return cls(
            id=strawberry.ID(encode("Session", session.id)),
            starts_at=session.starts_at,
            ends_at=session.ends_at,
            capacity=session.capacity,
            seats_left=max(0, session.capacity - session.seats_taken),
            called_off_at=session.called_off_at,
            moved_at=session.moved_at,
            facts=session,
        )
