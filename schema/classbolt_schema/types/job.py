"""Jobs that were tried for a day and never succeeded."""

from datetime import datetime
from typing import Self

import strawberry

from classbolt.dead_jobs import DeadJob
from classbolt_schema.ids import encode
from classbolt_schema.types.node import Node


@strawberry.type(
    description="Work that was promised and never succeeded. Nobody tries it any more, until"
    " somebody asks for it with retryJob, or gives it up with discardJob."
)
class Job(Node):
    """A dead job."""

    kind: str = strawberry.field(
        description="What was to be done: for a bolt-on, its code and the hook by which it was"
        " to be told, such as messenger.booking_placed."
    )
    bolt_on: str | None = strawberry.field(description="The bolt-on that it is for, if any.")
    attempts: int = strawberry.field(description="How often it was tried.")
    failure: str = strawberry.field(
        description="What kind of failure the last one was, in a word; the server's log says"
        " more."
    )
    enqueued_at: datetime = strawberry.field(description="When it was promised.")
    died_at: datetime = strawberry.field(description="When it was tried for the last time.")

    @classmethod
    def of(cls, job: DeadJob) -> Self:
        """Show core's dead job."""
        return cls(
            id=strawberry.ID(encode("Job", job.id)),
            kind=job.kind,
            bolt_on=job.bolt_on,
            attempts=job.attempts,
            failure=job.failure,
            enqueued_at=job.enqueued_at,
            died_at=job.died_at,
        )
