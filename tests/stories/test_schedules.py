"""What core does by itself: at a moment, or again and again, each time promised once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from sqlalchemy import bindparam, delete, literal, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from at_work import LONG_ENOUGH, pass_time, waiting, work
from classbolt import schedules
from classbolt.bolt_ons import BoltOns
from classbolt.db import Caller, Database, Tx
from classbolt.doctor import examine
from classbolt.doctor.examine import JOBS_MAY_WAIT
from classbolt.doctor.rows import DEAD_JOBS, OVERDUE_JOBS
from classbolt.jobs import DELAYS, Job, NewJob, enqueue
from classbolt.tables import jobs as jobs_table
from classbolt.tables import schedules as table
from classbolt.worker import Duty, Worker
from healthy import KEYS
from studio import Studio, open_studio

SWEEP, HOUR = "test.sweep", timedelta(hours=1)
INSTANT = timedelta(microseconds=1)
ERRAND = "test.errand"
OF_JOBS = (DEAD_JOBS, OVERDUE_JOBS)
MANY = {f"{SWEEP}{number}": HOUR for number in range(20)}


class BroomBroke(Exception):
    """It cannot be done just now."""


@dataclass
class Chore:
    """Work of core: it remembers for whom it was done, unless it fails."""

    fails: bool = False
    done: list[str] = field(default_factory=list)

    async def __call__(self, job: Job, now: datetime) -> None:
        """Do it."""
        del now
        if self.fails:
            raise BroomBroke
        self.done.append(job.account)


@pytest.fixture
def chore() -> Chore:
    return Chore()


@pytest.fixture
def keeper(studio: Studio, bolt_ons: BoltOns, chore: Chore) -> Worker:
    """A worker with two duties: one that comes each hour, and one that comes when promised."""
    duties = {SWEEP: Duty(chore, HOUR), ERRAND: Duty(chore)}
    return Worker(studio.database, bolt_ons, studio.clock, duties)


async def begin(studio: Studio, *kinds: str) -> None:
    async def begin_all(tx: Tx) -> None:
        for kind in kinds:
            await schedules.start(tx, kind, now=studio.clock.now)

    await studio.database.write(Caller(studio.slug), begin_all)


async def beside(studio: Studio) -> Studio:
    """Open another account."""
    return await open_studio(
        "southside", studio.client, studio.settings, studio.database, studio.clock
    )


# Again and again


async def test_what_was_begun_is_done_at_once_and_then_each_hour(
    studio: Studio, keeper: Worker, chore: Chore
) -> None:
    await begin(studio, SWEEP)

    assert await work(keeper) == 1
    for hours in range(1, 4):
        pass_time(studio, HOUR - INSTANT)
        assert await work(keeper) == 0
        pass_time(studio, INSTANT)
        assert await work(keeper) == 1
        assert chore.done == [studio.slug] * (hours + 1)


async def test_what_was_begun_before_goes_on_as_it_did(
    studio: Studio, keeper: Worker, chore: Chore
) -> None:
    await begin(studio, SWEEP)
    await work(keeper)

    await begin(studio, SWEEP, SWEEP)

    assert await work(keeper) == 0
    pass_time(studio, HOUR)
    await work(keeper)
    assert len(chore.done) == 2


async def test_what_was_missed_is_not_made_up_for(
    studio: Studio, keeper: Worker, chore: Chore
) -> None:
    await begin(studio, SWEEP)
    await work(keeper)

    pass_time(studio, timedelta(days=7))
    await work(keeper)

    assert len(chore.done) == 2
    pass_time(studio, HOUR - INSTANT)
    assert await work(keeper) == 0


async def test_a_time_is_skipped_while_the_work_of_the_last_one_waits(
    studio: Studio, keeper: Worker, chore: Chore
) -> None:
    chore.fails = True
    await begin(studio, SWEEP)

    for _ in range(20):
        await work(keeper)
        assert await waiting(studio) == 1
        pass_time(studio, HOUR)

    chore.fails = False
    pass_time(studio, LONG_ENOUGH)
    await work(keeper)
    assert chore.done == [studio.slug]
    assert await waiting(studio) == 0


async def test_work_that_is_dead_does_not_stand_in_the_way(
    studio: Studio, keeper: Worker, chore: Chore
) -> None:
    chore.fails = True
    await begin(studio, SWEEP)
    for _ in range(len(DELAYS) + 1):
        await work(keeper)
        pass_time(studio, LONG_ENOUGH)
    chore.fails = False

    await work(keeper)

    assert chore.done == [studio.slug]
    assert await waiting(studio) == 1  # the one that is dead


async def test_a_worker_promises_only_what_it_knows(studio: Studio, bolt_ons: BoltOns) -> None:
    """One of an older release may run beside a newer one."""
    await begin(studio, SWEEP)
    older = Worker(studio.database, bolt_ons, studio.clock)

    assert await work(older) == 0

    assert await waiting(studio) == 0


async def test_of_many_accounts_some_are_promised_at_a_time(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedules, "MOST", 1)
    for each in (studio, await beside(studio)):
        await begin(each, SWEEP)

    async def promise(connection: AsyncConnection) -> int:
        return await schedules.promise_due(connection, {SWEEP: HOUR}, now=studio.clock.now)

    assert [await studio.database.run(promise) for _ in range(3)] == [1, 1, 0]


async def test_a_worker_that_cannot_promise_does_what_is_promised(
    studio: Studio, keeper: Worker, chore: Chore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def goes_away(*_: object, **__: object) -> int:
        raise OSError("the database has gone away")

    monkeypatch.setattr(schedules, "promise_due", goes_away)
    await begin(studio, SWEEP)
    await errand(studio, None)

    with capture_logs() as logged:
        await keeper.work()

    assert [each["event"] for each in logged] == ["worker_cannot_promise"]
    assert chore.done == [studio.slug]


async def test_to_ask_what_comes_again_costs_one_statement(
    studio: Studio, keeper: Worker, bolt_ons: BoltOns
) -> None:
    costs = []
    for worker in (Worker(studio.database, bolt_ons, studio.clock), keeper):
        async with studio.counting() as statements:
            assert await worker.work() == 0
        costs.append(len(statements))

    without, with_duties = costs
    assert with_duties == without + 1


# Any number of workers


@asynccontextmanager
async def databases(studio: Studio, bolt_ons: BoltOns) -> AsyncIterator[list[Database]]:
    """Open the studio's database as so many processes do, each with its own connections."""
    found = [Database(studio.database.url, bolt_ons) for _ in range(4)]
    try:
        yield found
    finally:
        for each in found:
            await each.close()


async def promised_at_once(studio: Studio, bolt_ons: BoltOns) -> int:
    """Let all see that much is due before any of them promises it; each job is done at once."""
    async with databases(studio, bolt_ons) as many:
        barrier = asyncio.Barrier(len(many))

        async def promise_and_do(connection: AsyncConnection) -> int:
            promised = await schedules.promise_due(connection, MANY, now=studio.clock.now)
            await connection.execute(delete(jobs_table))
            return promised

        async def tick(database: Database) -> int:
            async with database.look() as connection:
                assert await schedules.is_any_due(connection, MANY, now=studio.clock.now)
            await barrier.wait()
            return await database.run(promise_and_do)

        return sum(await asyncio.gather(*map(tick, many)))


async def test_each_time_is_promised_once_by_workers_that_look_at_once(
    studio: Studio, bolt_ons: BoltOns
) -> None:
    await begin(studio, *MANY)

    for _ in range(3):
        assert await promised_at_once(studio, bolt_ons) == len(MANY)
        pass_time(studio, HOUR)


async def test_a_time_is_promised_again_where_it_is_moved_on_by_all_who_saw_it(
    studio: Studio, bolt_ons: BoltOns, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: the statement that moves it on does not ask whether it is still due."""
    unguarded = (
        update(table)
        .where(table.c.kind == bindparam("of_kind"))
        .values(next_at=bindparam("later"))
        .returning(table.c.account_id)
    )
    monkeypatch.setattr(schedules, "MOVE_ON", unguarded)
    await begin(studio, *MANY)

    assert await promised_at_once(studio, bolt_ons) > len(MANY)


async def test_many_workers_at_once_do_each_kind_of_work_once_an_hour(
    studio: Studio, bolt_ons: BoltOns, chore: Chore
) -> None:
    accounts = [studio, await beside(studio)]
    for each in accounts:
        await begin(each, *MANY)
    duties = {kind: Duty(chore, period) for kind, period in MANY.items()}

    async with databases(studio, bolt_ons) as many:
        for hours in range(1, 4):
            await work(*(Worker(each, bolt_ons, studio.clock, duties) for each in many))

            assert len(chore.done) == hours * len(MANY) * len(accounts)
            assert await waiting(studio) == 0
            pass_time(studio, HOUR)


# At a moment


async def errand(studio: Studio, run_at: datetime | None) -> None:
    """Promise work for a moment."""
    await studio.database.write(
        Caller(studio.slug),
        lambda tx: enqueue(tx, [NewJob(ERRAND, {}, run_at=run_at)], now=studio.clock.now),
    )


async def test_what_is_promised_for_later_is_not_done_before(
    studio: Studio, keeper: Worker, chore: Chore
) -> None:
    await errand(studio, studio.clock.now + HOUR)

    pass_time(studio, HOUR - INSTANT)
    assert await work(keeper) == 0
    pass_time(studio, INSTANT)
    assert await work(keeper) == 1

    assert chore.done == [studio.slug]


async def test_only_what_is_due_wakes_a_worker(studio: Studio) -> None:
    woken = []
    for run_at in (studio.clock.now + INSTANT, studio.clock.now, None):
        studio.database.promised.clear()
        await errand(studio, run_at)
        woken.append(studio.database.promised.is_set())

    assert woken == [False, True, True]


# What nobody does


async def findings(studio: Studio) -> Counter[str]:
    """Ask of jobs what the doctor asks; a whole examination takes a hundred times as long."""
    wanting = union_all(
        *(select(literal(each.code)).select_from(each.wrong.subquery()) for each in OF_JOBS)
    )
    moment = {"overdue": studio.clock.now - JOBS_MAY_WAIT}
    async with studio.database.look() as connection:
        return Counter((await connection.execute(wanting, moment)).scalars())


async def test_the_doctor_warns_of_what_nobody_has_done_for_an_hour(
    studio: Studio, bolt_ons: BoltOns
) -> None:
    await errand(studio, studio.clock.now + HOUR)
    pass_time(studio, HOUR + HOUR + INSTANT)

    report = await examine(studio.database.url, bolt_ons, clock=studio.clock, keys=KEYS)

    found = {each.check.code: each.finding for each in report.results}
    assert report.is_healthy
    assert found["JOB_OVERDUE"] is not None
    assert found["JOB_DEAD"] is None


async def test_what_nobody_has_done_is_overdue_after_an_hour_until_it_is_done(
    studio: Studio, keeper: Worker
) -> None:
    await errand(studio, studio.clock.now + HOUR)

    pass_time(studio, HOUR + HOUR)
    assert await findings(studio) == {}
    pass_time(studio, INSTANT)
    assert await findings(studio) == {"JOB_OVERDUE": 1}

    await work(keeper)
    assert await findings(studio) == {}


async def test_what_is_tried_again_later_is_not_overdue_and_what_is_dead_is_only_dead(
    studio: Studio, keeper: Worker, chore: Chore
) -> None:
    chore.fails = True
    await errand(studio, None)

    for _ in range(len(DELAYS)):
        await work(keeper)
        assert await findings(studio) == {}
        pass_time(studio, LONG_ENOUGH)
    await work(keeper)
    pass_time(studio, timedelta(days=2))

    assert await findings(studio) == {"JOB_DEAD": 1}


async def test_what_waits_for_a_bolt_on_that_is_off_is_not_overdue(studio: Studio) -> None:
    """I3: it is parked."""
    job = NewJob("drop_in.booking_placed", {}, "drop_in")
    await studio.database.write(
        Caller(studio.slug), lambda tx: enqueue(tx, [job], now=studio.clock.now)
    )
    pass_time(studio, timedelta(days=2))
    found = []
    for on in (False, True, False):
        await studio.switch("drop_in", on=on)
        found.append(await findings(studio))

    assert found == [{}, {"JOB_OVERDUE": 1}, {}]
