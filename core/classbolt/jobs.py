"""Jobs: work that a transaction promises, and that is done after its commit.

A job is a row, written in the transaction that promises it: both are there or neither is. A
worker takes it for a while, by a lease; whoever dies in the middle of it loses it to another. A
job is therefore done at least once, and a worker whose lease has run out can no longer say how
it ended. What is done is deleted. What fails is tried again, later and later, for more than a
day; then it is dead, and waits for an owner. A job whose lease has run out may be what killed
its worker: from then on it is done alone, so that it takes no other with it.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Select,
    and_,
    bindparam,
    case,
    delete,
    exists,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningUpdate

from classbolt.db import Tx
from classbolt.tables import accounts, bolt_on_switches, jobs
from classbolt.values import AccountId, JobId, new_id

LEASE: Final = timedelta(seconds=90)
DELAYS: Final = tuple(
    timedelta(seconds=each)
    for each in (1, 5, 30, 300, 1800, 3600, 7200, 14_400, 28_800, 43_200)
)
"""How long after each failure it is tried again: 27 hours altogether."""
SPREAD: Final = 0.2
"""By what part a delay may be longer, so that what failed together comes back one by one."""
MOST_LOST: Final = 5
"""How often a lease may run out before nobody tries the job any more."""
LONGEST_FAILURE: Final = 100


@dataclass(frozen=True, slots=True)
class NewJob:
    """Work to promise.

    Attributes:
        payload: Ids and plain values; nothing that names a person.
        bolt_on: Whom it is for: it waits while the account has that one off.
        run_at: When it is due, if not at once.
    """

    kind: str
    payload: Mapping[str, Any]
    bolt_on: str | None = None
    run_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A job that was taken.

    Attributes:
        account: The slug of its account.
        attempts: How often it was taken, this time included.
        lost: How many of these times nobody ever said how it ended.
        lease: Whose it is; who no longer has the lease has nothing to say of it.
    """

    account_id: AccountId
    id: JobId
    account: str
    kind: str
    bolt_on: str | None
    payload: Mapping[str, Any]
    attempts: int
    lost: int
    lease: UUID

    @property
    def failures(self) -> int:
        """Say how often it has failed before."""
        return self.attempts - self.lost - 1

    @property
    def is_last(self) -> bool:
        """Say whether it is not tried again if it fails."""
        return self.is_spent or self.failures >= len(DELAYS)

    @property
    def is_spent(self) -> bool:
        """Say whether it has been lost too often to be tried at all."""
        return self.lost > MOST_LOST


# What is for a bolt-on waits while the account has that one off.
IS_WANTED = or_(
    jobs.c.bolt_on.is_(None),
    exists().where(
        bolt_on_switches.c.account_id == jobs.c.account_id,
        bolt_on_switches.c.code == jobs.c.bolt_on,
        bolt_on_switches.c.enabled == true(),
    ),
)
# A worker takes only what it knows how to do: one of another release may run beside it.
DUE = (
    select(jobs.c.account_id, jobs.c.id)
    .where(
        jobs.c.died_at.is_(None),
        jobs.c.run_at <= bindparam("now"),
        jobs.c.kind.in_(bindparam("kinds", expanding=True)),
        IS_WANTED,
    )
    .order_by(jobs.c.run_at)
)
FRESH = DUE.where(jobs.c.lease.is_(None))
LOST = DUE.where(jobs.c.lease.is_not(None))


def _taking(due: Select[Any]) -> ReturningUpdate[Any]:
    # Apart from the UPDATE, or PostgreSQL might look for them, and lock them, more than once.
    next_ = due.limit(bindparam("most")).with_for_update(of=jobs, skip_locked=True).cte("next")
    return (
        update(jobs)
        .where(tuple_(jobs.c.account_id, jobs.c.id).in_(select(next_.c.account_id, next_.c.id)))
        .values(
            run_at=bindparam("until"),
            attempts=jobs.c.attempts + 1,
            lost=jobs.c.lost + case((jobs.c.lease.is_not(None), 1), else_=0),
            lease=bindparam("new_lease"),
        )
        .returning(
            jobs.c.account_id,
            jobs.c.id,
            select(accounts.c.slug).where(accounts.c.id == jobs.c.account_id).scalar_subquery(),
            jobs.c.kind,
            jobs.c.bolt_on,
            jobs.c.payload,
            jobs.c.attempts,
            jobs.c.lost,
            jobs.c.lease,
        )
    )


TAKE_FRESH = _taking(FRESH)
TAKE_LOST = _taking(LOST)
IS_HELD = and_(
    jobs.c.account_id == bindparam("of_account"),
    jobs.c.id == bindparam("job_id"),
    jobs.c.lease == bindparam("held"),
)
FINISH = delete(jobs).where(IS_HELD)
TRY_LATER = (
    update(jobs)
    .where(IS_HELD)
    .values(run_at=bindparam("later"), lease=None, last_failure=bindparam("failure"))
)
BURY = (
    update(jobs)
    .where(IS_HELD)
    .values(died_at=bindparam("now"), lease=None, last_failure=bindparam("failure"))
)


async def enqueue(tx: Tx, new: Sequence[NewJob], *, now: datetime) -> None:
    """Promise work; it is done once the transaction has been committed, and only then."""
    if not new:
        return
    rows = [as_row(each, now=now) for each in new]
    await tx.insert(jobs, *rows)
    if any(row["run_at"] <= now for row in rows):
        tx.has_promised = True


def as_row(new: NewJob, *, now: datetime) -> dict[str, Any]:
    """Make the row of a job, all but its account."""
    return {
        "id": new_id(),
        "kind": new.kind,
        "bolt_on": new.bolt_on,
        "payload": dict(new.payload),
        "enqueued_at": now,
        "run_at": new.run_at or now,
    }


async def what_is_due(
    connection: AsyncConnection, kinds: Collection[str], *, now: datetime
) -> tuple[bool, bool]:
    """Say whether anything fresh is due, and anything lost, without waiting for who writes.

    Args:
        kinds: What the worker knows how to do.
    """
    asked = {"kinds": list(kinds), "now": now}
    fresh, lost = [
        (await connection.execute(each.limit(1), asked)).first() is not None
        for each in (FRESH, LOST)
    ]
    return fresh, lost


async def take(
    connection: AsyncConnection,
    kinds: Collection[str],
    *,
    most: int,
    lost: bool = False,
    now: datetime,
) -> list[Job]:
    """Take jobs that are due, the longest waiting first; nobody else can for a while.

    Args:
        kinds: What the worker knows how to do.
        lost: Whether those are wanted whose lease has run out, or those that nobody has.
    """
    asked = {
        "kinds": list(kinds),
        "most": most,
        "now": now,
        "until": now + LEASE,
        "new_lease": new_id(),
    }
    taking = TAKE_LOST if lost else TAKE_FRESH
    return [Job(*row) for row in await connection.execute(taking, asked)]


async def finish(connection: AsyncConnection, job: Job) -> bool:
    """Say that a job is done; False if the lease has run out and somebody else has it."""
    return bool((await connection.execute(FINISH, _held(job))).rowcount)


async def fail(connection: AsyncConnection, job: Job, failure: str, *, now: datetime) -> bool:
    """Say that a job failed: it is tried again later, or is dead if this was the last time.

    Args:
        failure: What kind of failure it was, in a word: owners read it.

    Returns:
        False if the lease has run out and somebody else has the job.
    """
    told = {**_held(job), "failure": failure[:LONGEST_FAILURE]}
    if job.is_last:
        return bool((await connection.execute(BURY, {**told, "now": now})).rowcount)
    delay = DELAYS[job.failures] * random.uniform(1, 1 + SPREAD)  # noqa: S311 no secret
    return bool((await connection.execute(TRY_LATER, {**told, "later": now + delay})).rowcount)


def _held(job: Job) -> dict[str, Any]:
    return {"of_account": job.account_id, "job_id": job.id, "held": job.lease}
