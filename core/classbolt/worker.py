"""The worker: takes jobs that are due and does them, one process beside any number of others.

It looks for work several times a second, and at once when a transaction of its own process has
promised some. Nothing that a job does, and nothing that happens to the database, ends it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from classbolt import jobs, once, outbox
from classbolt.bolt_ons import BoltOns
from classbolt.db import Database
from classbolt.jobs import Job

Clock = Callable[[], datetime]
Handler = Callable[[Job, datetime], Awaitable[None]]

log = structlog.get_logger(__name__)

AT_ONCE: Final = 10
POLL_SECONDS: Final = 0.5
JOB_SECONDS: Final = jobs.LEASE.total_seconds() - 10
"""How long a job may take: it ends before the lease does, or two would do it at once."""
TIDY_EVERY: Final = timedelta(hours=1)
LEAVE_SECONDS: Final = 5
"""How long jobs under way may go on when the worker is to stop."""


class LeaseLost(Exception):
    """Nobody who took the job has ever said how it ended: it may have killed them."""


class Worker:
    """Does the jobs of all accounts."""

    def __init__(self, database: Database, bolt_ons: BoltOns, clock: Clock) -> None:
        self._database = database
        self._bolt_ons = bolt_ons
        self._clock = clock
        self._handlers: Mapping[str, Handler] = {
            outbox.DELIVERY: self._deliver,
        }

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Work in the background; at the end jobs under way have some seconds to finish."""
        stop = asyncio.Event()
        running = asyncio.create_task(self.run(stop))
        try:
            yield
        finally:
            stop.set()
            self._database.promised.set()
            with suppress(TimeoutError, asyncio.CancelledError):
                await asyncio.wait_for(running, LEAVE_SECONDS)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop."""
        tidy_at = self._clock()
        while not stop.is_set():
            self._database.promised.clear()
            try:
                if self._clock() >= tidy_at:
                    await self.tidy()
                    tidy_at = self._clock() + TIDY_EVERY
                done = await self.work()
            except Exception:
                log.warning("worker_cannot_work", exc_info=True)
                done = 0
            if not done:
                with suppress(TimeoutError):
                    wait = POLL_SECONDS * random.uniform(0.5, 1.5)  # noqa: S311 no secret
                    await asyncio.wait_for(self._database.promised.wait(), wait)

    async def tidy(self) -> None:
        """Forget what nobody can ask for again."""
        now = self._clock()
        await self._database.run(lambda connection: once.forget_old(connection, now=now))

    async def work(self) -> int:
        """Take what is due and do it; say how much it was."""
        now = self._clock()
        known = (self._handlers, self._bolt_ons.installed)
        async with self._database.look() as connection:
            if not await jobs.are_due(connection, *known, now=now):
                return 0
        taken = await self._database.run(
            lambda connection: jobs.take(connection, *known, most=AT_ONCE, now=now)
        )
        await asyncio.gather(*map(self._do, taken))
        return len(taken)

    async def _do(self, job: Job) -> None:
        """Do a job and say how it ended."""
        report = log.bind(
            job=str(job.id),
            kind=job.kind,
            account=job.account,
            bolt_on=job.bolt_on,
            attempt=job.attempts,
        )
        try:
            async with asyncio.timeout(JOB_SECONDS):
                await self._try(job)
        except Exception as failure:  # noqa: BLE001 strangers' code may raise anything
            report.warning("job_died" if job.is_last else "job_failed", exc_info=failure)
            name = type(failure.__cause__ or failure).__name__
            end = partial(jobs.fail, job=job, failure=name, now=self._clock())
        else:
            end = partial(jobs.finish, job=job)
        try:
            if not await self._database.run(end):
                report.warning("job_lost")
        except (SQLAlchemyError, OSError):
            # The lease runs out, and it is done again.
            report.warning("job_not_settled", exc_info=True)

    async def _try(self, job: Job) -> None:
        if job.is_spent:
            raise LeaseLost
        await self._handlers[job.kind](job, self._clock())

    async def _deliver(self, job: Job, now: datetime) -> None:
        await outbox.deliver(self._database, self._bolt_ons, job, now=now)
