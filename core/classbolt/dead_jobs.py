"""Dead jobs: what was tried for a day and never succeeded waits here for an owner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, null, select, update

from classbolt.checks import mine
from classbolt.columns import AnyRow
from classbolt.db import Tx
from classbolt.errors import NotFound, RefundOwed
from classbolt.pages import Page, PageOf, fetch_page
from classbolt.refunds import SEND
from classbolt.tables import jobs
from classbolt.values import Actor, JobId, Permission


@dataclass(frozen=True, slots=True)
class DeadJob:
    """A job that nobody tries any more.

    Attributes:
        kind: What was to be done; for a bolt-on its code, a point and the hook.
        failure: What kind of failure the last one was, in a word.
    """

    id: JobId
    kind: str
    bolt_on: str | None
    attempts: int
    enqueued_at: datetime
    died_at: datetime
    failure: str


DEAD = select(
    jobs.c.id,
    jobs.c.kind,
    jobs.c.bolt_on,
    jobs.c.attempts,
    jobs.c.enqueued_at,
    jobs.c.died_at,
    jobs.c.last_failure,
).where(mine(jobs), jobs.c.died_at.is_not(None))
THAT_ONE = (mine(jobs), jobs.c.id == bindparam("job_id"), jobs.c.died_at.is_not(None))
KEYS = (jobs.c.died_at, jobs.c.id)
REVIVE = (
    update(jobs)
    .where(*THAT_ONE)
    .values(died_at=null(), attempts=0, lost=0, run_at=bindparam("now"))
    .returning(jobs.c.id)
)
DISCARD = delete(jobs).where(*THAT_ONE, jobs.c.kind != SEND).returning(jobs.c.id)


async def list_dead_jobs(tx: Tx, actor: Actor, page: Page) -> PageOf[DeadJob]:
    """List the account's dead jobs, the latest first.

    Raises:
        Forbidden: The actor does not run the account.
    """
    actor.require(Permission.RUN_ACCOUNT)
    return (await fetch_page(tx, DEAD, KEYS, page, descending=True)).map(_dead_job)


async def find_dead_job(tx: Tx, job_id: JobId) -> DeadJob | None:
    """Find a dead job by its id."""
    row = await tx.one(DEAD.where(jobs.c.id == bindparam("job_id")), {"job_id": job_id})
    return None if row is None else _dead_job(row)


async def retry_job(tx: Tx, actor: Actor, job_id: JobId, *, now: datetime) -> None:
    """Let a dead job be tried again, as often as a new one.

    Raises:
        Forbidden: The actor does not run the account.
        NotFound: The account has no dead job of this id.
    """
    actor.require(Permission.RUN_ACCOUNT)
    if await tx.scalar(REVIVE, {"job_id": job_id, "now": now}) is None:
        raise NotFound().at("job")
    tx.has_promised = True


async def discard_job(tx: Tx, actor: Actor, job_id: JobId) -> None:
    """Give a dead job up for good, but for a refund: somebody is owed that money.

    Raises:
        Forbidden: The actor does not run the account.
        NotFound: The account has no dead job of this id.
        RefundOwed: It is a refund.
    """
    actor.require(Permission.RUN_ACCOUNT)
    if await tx.scalar(DISCARD, {"job_id": job_id}) is None:
        is_there = await find_dead_job(tx, job_id) is not None
        raise (RefundOwed() if is_there else NotFound()).at("job")


def _dead_job(row: AnyRow) -> DeadJob:
    return DeadJob(
        id=row.id,
        kind=row.kind,
        bolt_on=row.bolt_on,
        attempts=row.attempts,
        enqueued_at=row.enqueued_at,
        died_at=row.died_at,
        failure=row.last_failure,
    )
