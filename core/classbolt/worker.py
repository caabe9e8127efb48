"""The worker: takes jobs that are due and does them, one process beside any number of others.

It looks for work several times a second, and at once when a transaction of its own process has
promised some. Nothing that a job does, and nothing that happens to the database, ends it: each
job is a task of its own, and how that ends is only looked at. It also promises what comes again
and again, when its time has come.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from classbolt import jobs, once, outbox, schedules, stripe_events
from classbolt.bolt_ons import BoltOns
from classbolt.db import Database
from classbolt.errors import BoltOnFailed
from classbolt.jobs import Job

Clock = Callable[[], datetime]
Handler = Callable[[Job, datetime], Awaitable[None]]

log = structlog.get_logger(__name__)

AT_ONCE: Final = 4
"""How many jobs are done at the same time: requests need connections too."""
POLL_SECONDS: Final = 0.5
JOB_SECONDS: Final = 50
"""How long a job may take: it ends well before the lease, or two would do it at once."""
SETTLING: Final = (0, 1, 3)
"""After how many seconds it is tried again to say how a job ended."""
TIDY_EVERY: Final = timedelta(hours=1)
LEAVE_SECONDS: Final = 5
"""How long jobs under way may go on when the worker is to stop."""
GIVE_BACK_SECONDS: Final = 5
"""How long a job that is told to end has to give back its connections to the database."""


@dataclass(frozen=True, slots=True)
class Duty:
    """A kind of job that core itself has, beside what bolt-ons are told.

    Attributes:
        handler: Does such a job, also one that was done before.
        every: How long after each other they are promised to accounts that have begun such a
            schedule; None: only when somebody promises one.
    """

    handler: Handler
    every: timedelta | None = None


class LeaseLost(Exception):
    """Nobody who took the job has ever said how it ended: it may have killed them."""


class Worker:
    """Does the jobs of all accounts: tells bolt-ons of events, and does core's own duties."""

    def __init__(
        self,
        database: Database,
        bolt_ons: BoltOns,
        clock: Clock,
        duties: Mapping[str, Duty] = MappingProxyType({}),
    ) -> None:
        self._database = database
        self._clock = clock
        deliver = partial(_deliver, database, bolt_ons)
        self._handlers: Mapping[str, Handler] = {
            **dict.fromkeys(outbox.kinds(bolt_ons), deliver),
            **{kind: duty.handler for kind, duty in duties.items()},
        }
        self._every = {kind: duty.every for kind, duty in duties.items() if duty.every}
        self._under_way: set[asyncio.Task[None]] = set()
        self._tidy_at = clock()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Work in the background; at the end jobs under way have some seconds to finish."""
        stop = asyncio.Event()
        running = asyncio.create_task(self._run(stop))
        try:
            yield
        finally:
            stop.set()
            self._database.promised.set()
            await asyncio.wait({running}, timeout=LEAVE_SECONDS)
            left = {running, *self._under_way}
            for task in left:
                task.cancel()
            # Only then may the database be closed: who is still in the middle of something
            # would wait for ever for a driver that has ended, and so would the process.
            await asyncio.wait(left, timeout=GIVE_BACK_SECONDS)

    async def _run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            self._database.promised.clear()
            await self._tidy_if_due()
            try:
                begun = await self._begin()
            except Exception:  # whatever it is, all accounts' work still waits
                log.warning("worker_cannot_work", exc_info=True)
                await self._pause(10 * POLL_SECONDS)
            else:
                if not begun:
                    await self._pause(POLL_SECONDS)
        # Only here is it known what is under way: some may have been begun after the stop.
        if self._under_way:
            await asyncio.wait(self._under_way)

    async def work(self) -> int:
        """Take what is due, do it to its end, and say how much it was."""
        begun = await self._begin()
        if self._under_way:
            await asyncio.wait(self._under_way)
        return begun

    async def tidy(self) -> None:
        """Forget what nobody can ask for again."""
        now = self._clock()

        async def forget(connection: AsyncConnection) -> None:
            await once.forget_old(connection, now=now)
            await stripe_events.forget_old(connection, now=now)

        await self._database.run(forget)

    async def _tidy_if_due(self) -> None:
        """Tidy up once an hour; if it cannot be done, the work goes on without it."""
        if self._clock() < self._tidy_at:
            return
        self._tidy_at = self._clock() + TIDY_EVERY
        try:
            await self.tidy()
        except Exception:  # tidiness must not stop the work
            log.warning("worker_cannot_tidy", exc_info=True)

    async def _pause(self, seconds: float) -> None:
        """Wait until something was promised, something is done, or it is time to look again."""
        seconds *= random.uniform(0.5, 1.5)  # noqa: S311 no secret
        woken = asyncio.create_task(self._database.promised.wait())
        try:
            await asyncio.wait(
                {woken, *self._under_way}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            woken.cancel()

    async def _begin(self) -> int:
        """Begin as many jobs as there is room for; what was lost once is done alone."""
        room = AT_ONCE - len(self._under_way)
        async with self._database.look() as connection:
            fresh, lost = await jobs.what_is_due(connection, self._handlers, now=self._clock())
            is_time = await schedules.is_any_due(connection, self._every, now=self._clock())
        if is_time and await self._promise_again():
            fresh = True
        if lost:
            if self._under_way:
                return 0
            room = 1
        if not (fresh or lost) or not room:
            return 0
        taken = await self._database.run(
            lambda connection: jobs.take(
                connection, self._handlers, most=room, lost=lost, now=self._clock()
            )
        )
        begun = {asyncio.create_task(self._do(job)) for job in taken}
        self._under_way |= begun
        for task in begun:
            task.add_done_callback(self._under_way.discard)
        if lost and begun:
            await asyncio.wait(begun)
        return len(begun)

    async def _promise_again(self) -> int:
        """Promise what comes again; if it cannot be done, the work goes on without it."""
        try:
            return await self._database.run(
                lambda connection: schedules.promise_due(
                    connection, self._every, now=self._clock()
                )
            )
        except Exception:  # what is promised already must not wait for it
            log.warning("worker_cannot_promise", exc_info=True)
            return 0

    async def _do(self, job: Job) -> None:
        """Do a job and say how it ended."""
        report = log.bind(
            job=str(job.id), kind=job.kind, account=job.account, attempt=job.attempts
        )
        failure = LeaseLost() if job.is_spent else await self._failure_of(job)
        if failure is None:
            await self._settle(report, partial(jobs.finish, job=job))
            return
        cause = failure.__cause__ if isinstance(failure, BoltOnFailed) else failure
        name = type(cause).__name__
        report.warning(
            "job_died" if job.is_last else "job_failed",
            failure=name,
            # What a bolt-on raised has been logged already, with its name.
            exc_info=None if isinstance(failure, BoltOnFailed) else failure,
        )
        await self._settle(report, partial(jobs.fail, job=job, failure=name, now=self._clock()))

    async def _failure_of(self, job: Job) -> BaseException | None:
        """Do a job, and give what went wrong, if anything did."""
        task = asyncio.ensure_future(self._handlers[job.kind](job, self._clock()))
        try:
            done, _ = await asyncio.wait({task}, timeout=JOB_SECONDS)
        finally:
            # What is told to end needs the database once more: to give its connection back.
            task.cancel()
            await asyncio.wait({task}, timeout=GIVE_BACK_SECONDS)
        if not done:
            return TimeoutError(f"it took longer than {JOB_SECONDS} seconds")
        if task.cancelled():
            return asyncio.CancelledError()
        return task.exception()

    async def _settle(
        self, report: structlog.typing.FilteringBoundLogger, end: Callable[..., Awaitable[bool]]
    ) -> None:
        """Say how a job ended; if nobody hears of it, it is done again after its lease."""
        for last, seconds in enumerate(SETTLING, start=1 - len(SETTLING)):
            await asyncio.sleep(seconds)
            try:
                if not await self._database.run(end):
                    report.warning("job_lost")
            except (SQLAlchemyError, OSError):
                if not last:
                    report.warning("job_not_settled", exc_info=True)
            else:
                return


async def _deliver(database: Database, bolt_ons: BoltOns, job: Job, now: datetime) -> None:
    await outbox.deliver(database, bolt_ons, job, now=now)
