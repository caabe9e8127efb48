"""Workers: any number of them, each job done, and by one at a time, whoever dies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import bindparam, delete, select
from structlog.testing import capture_logs

from at_work import pass_time, waiting, work
from classbolt import jobs
from classbolt import worker as worker_module
from classbolt.bolt_ons import BoltOns
from classbolt.db import Database
from classbolt.jobs import LEASE, MOST_LOST
from classbolt.outbox import kinds
from classbolt.tables import jobs as table
from classbolt.values import new_id
from classbolt.worker import Worker
from messenger import Post
from studio import Studio


async def taken(studio: Studio, installed: BoltOns, *, lost: bool = False) -> list[jobs.Job]:
    """Take what is due, as a worker does that is not heard of again."""
    now = studio.clock.now
    return await studio.database.run(
        lambda connection: jobs.take(connection, kinds(installed), most=10, lost=lost, now=now)
    )


async def test_what_a_dead_worker_had_is_done_when_its_lease_runs_out(
    mailing: Studio, worker: Worker, post: Post, installed: BoltOns
) -> None:
    await mailing.cancel("Ana", "MON", 3)
    (job,) = await taken(mailing, installed)

    pass_time(mailing, LEASE - timedelta(microseconds=1))
    assert await work(worker) == 0
    pass_time(mailing, timedelta(microseconds=1))
    assert await work(worker) == 1

    assert [each.attempt for each in post.messenger.sent] == [2]
    assert [each.key for each in post.messenger.sent] == [job.id]


async def test_who_has_lost_the_lease_has_nothing_more_to_say(
    mailing: Studio, installed: BoltOns
) -> None:
    await mailing.cancel("Ana", "MON", 3)
    (late,) = await taken(mailing, installed)
    pass_time(mailing, LEASE)
    (again,) = await taken(mailing, installed, lost=True)
    database, now = mailing.database, mailing.clock.now

    assert not await database.run(lambda connection: jobs.finish(connection, late))
    assert not await database.run(lambda connection: jobs.fail(connection, late, "X", now=now))
    assert await waiting(mailing) == 1
    assert await database.run(lambda connection: jobs.finish(connection, again))
    assert await waiting(mailing) == 0


async def test_a_job_that_outlives_its_lease_is_left_to_whoever_has_it_then(
    mailing: Studio, worker: Worker, post: Post, installed: BoltOns
) -> None:
    again: list[jobs.Job] = []

    async def meanwhile() -> None:
        pass_time(mailing, LEASE)
        again.extend(await taken(mailing, installed, lost=True))

    post.messenger.meanwhile = meanwhile
    await mailing.cancel("Ana", "MON", 3)
    with capture_logs() as logged:
        await worker.work()

    assert [each["event"] for each in logged] == ["job_lost"]
    assert await waiting(mailing) == len(again) == 1


async def test_a_job_of_which_nobody_could_say_how_it_ended_is_done_again(
    mailing: Studio, worker: Worker, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def goes_away(*_: object, **__: object) -> bool:
        raise OSError("the database has gone away")

    await mailing.cancel("Ana", "MON", 3)
    with monkeypatch.context() as while_it_is_gone, capture_logs() as logged:
        while_it_is_gone.setattr(jobs, "finish", goes_away)
        while_it_is_gone.setattr(worker_module, "SETTLING", (0, 0.01))
        await worker.work()
    pass_time(mailing, LEASE)
    await work(worker)

    assert [each["event"] for each in logged] == ["job_not_settled"]
    assert [each.attempt for each in post.messenger.sent] == [1, 2]
    assert len({each.key for each in post.messenger.sent}) == 1
    assert await waiting(mailing) == 0


async def test_a_job_that_kills_whoever_takes_it_is_dead_in_the_end(
    mailing: Studio, worker: Worker, post: Post, installed: BoltOns
) -> None:
    await mailing.cancel("Ana", "MON", 3)
    for number in range(MOST_LOST + 1):
        assert len(await taken(mailing, installed, lost=number > 0)) == 1
        pass_time(mailing, LEASE)

    await work(worker)

    assert post.messenger.tried == 0
    dead = "{ deadJobs { edges { node { failure } } } }"
    (edge,) = (await mailing.query(dead, as_="owner"))["deadJobs"]["edges"]
    assert edge["node"]["failure"] == "LeaseLost"


async def promise_many(studio: Studio, most: int) -> None:
    """Promise so many deliveries."""
    await studio.cancel("Ana", "MON", 3)
    async with studio.database.look() as connection:
        (row,) = (await connection.execute(select(table))).mappings()
    more = [{**row, "id": new_id()} for _ in range(most - 1)]
    await studio.database.run(lambda connection: connection.execute(table.insert(), more))


async def drain(studio: Studio, installed: BoltOns, workers: int) -> None:
    """Let workers, each with connections of its own, work at once until all is done."""
    databases = [Database(studio.database.url, installed) for _ in range(workers)]
    try:
        await work(*(Worker(each, installed, lambda: studio.clock.now) for each in databases))
    finally:
        for each in databases:
            await each.close()


async def test_many_workers_at_once_do_each_job_once(
    mailing: Studio, post: Post, installed: BoltOns
) -> None:
    await promise_many(mailing, 120)

    await drain(mailing, installed, workers=4)

    assert len(post.messenger.sent) == 120
    assert len({each.key for each in post.messenger.sent}) == 120
    assert await waiting(mailing) == 0


async def test_many_workers_repeat_jobs_where_nobody_takes_them_first(
    mailing: Studio, post: Post, installed: BoltOns, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: who only looks at what is due sees what others are doing."""
    await promise_many(mailing, 120)

    async def look(connection: Any, *_: Any, most: int, **__: Any) -> Any:
        found = await connection.execute(select(table).order_by(table.c.id).limit(most))
        return [
            jobs.Job(
                each.account_id,
                each.id,
                mailing.slug,
                each.kind,
                each.bolt_on,
                each.payload,
                1,
                0,
                each.lease,
            )
            for each in found
        ]

    monkeypatch.setattr(jobs, "take", look)
    monkeypatch.setattr(jobs, "FINISH", delete(table).where(table.c.id == bindparam("job_id")))

    await drain(mailing, installed, workers=4)

    assert len(post.messenger.sent) > 120


async def test_a_worker_goes_on_asking_a_database_that_does_not_answer(
    mailing: Studio, worker: Worker, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    look = jobs.what_is_due

    async def fails_at_first(*args: Any, **given: Any) -> tuple[bool, bool]:
        nonlocal asked
        asked += 1
        if asked <= 2:
            raise OSError("the database has gone away")
        return await look(*args, **given)

    monkeypatch.setattr(jobs, "what_is_due", fails_at_first)
    monkeypatch.setattr(worker_module, "POLL_SECONDS", 0.01)
    await mailing.cancel("Ana", "MON", 3)

    with capture_logs() as logged:
        async with worker.running(), asyncio.timeout(20):
            await until(lambda: bool(post.messenger.sent))

    assert [each["event"] for each in logged] == ["worker_cannot_work"] * 2


async def until(is_so: Callable[[], bool]) -> None:
    while not is_so():  # noqa: ASYNC110 a bolt-on knows nothing of our events
        await asyncio.sleep(0.01)


async def test_a_worker_in_the_background_starts_at_once_and_outlives_failures(
    mailing: Studio, worker: Worker, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "POLL_SECONDS", 3600)
    post.messenger.is_down = True
    with capture_logs() as logged:
        async with worker.running(), asyncio.timeout(20):
            await mailing.cancel("Ana", "MON", 3)
            await until(lambda: post.messenger.tried == 1)
            post.messenger.is_down = False
            await mailing.cancel("Ana", "MON", 4)
            await until(lambda: bool(post.messenger.sent))

    assert [each["event"] for each in logged if each["event"].startswith("job")] == [
        "job_failed"
    ]
    assert await waiting(mailing) == 1
