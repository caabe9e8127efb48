"""What owners do about work that never succeeded."""

import strawberry

from classbolt import dead_jobs
from classbolt.values import JobId
from classbolt_schema.compose.mutation import Ask, Payload, mutation
from classbolt_schema.ids import decode
from classbolt_schema.relations import EXTENSION


@strawberry.input(description="Work that never succeeded, to be tried again.")
class RetryJobInput:
    """Work to try again."""

    job: strawberry.ID = strawberry.field(description="Which job.")


@strawberry.type(description="What became of a request to try a job again.")
class RetryJobPayload(Payload):
    """Whether it is tried again."""

    retried: bool | None = strawberry.field(
        default=None, description="True if the job is tried again; it is no longer listed then."
    )


@EXTENSION.mutation
@mutation(
    description="Let a dead job be tried again, as often as a new one. What is for a bolt-on"
    " that is off waits until it is on. For owners."
)
async def retry_job(ask: Ask, asked: RetryJobInput) -> RetryJobPayload:
    """Try a job again."""
    await dead_jobs.retry_job(ask.tx, ask.actor, JobId(decode("Job", asked.job)), now=ask.now)
    return RetryJobPayload(retried=True)


@strawberry.input(description="Work that never succeeded, to be given up.")
class DiscardJobInput:
    """Work to give up."""

    job: strawberry.ID = strawberry.field(description="Which job.")


@strawberry.type(description="What became of a request to give a job up.")
class DiscardJobPayload(Payload):
    """Whether it was given up."""

    discarded: bool | None = strawberry.field(
        default=None, description="True if the job was given up; it cannot be brought back."
    )


@EXTENSION.mutation
@mutation(
    description="Give a dead job up for good: what it was to do is not done. A refund is owed"
    " and cannot be given up. For owners."
)
async def discard_job(ask: Ask, asked: DiscardJobInput) -> DiscardJobPayload:
    """Give a job up."""
    await dead_jobs.discard_job(ask.tx, ask.actor, JobId(decode("Job", asked.job)))
    return DiscardJobPayload(discarded=True)
