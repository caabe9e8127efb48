"""Whatever a bolt-on does when it is told, the worker and the studio go on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from at_work import pass_time, waiting, work
from classbolt import BoltOn, BookingPlaced, Delivery, jobs, once, outbox
from classbolt import worker as worker_module
from classbolt.bolt_ons import BoltOns
from classbolt.db import Tx
from classbolt.jobs import DELAYS, LEASE, SPREAD
from classbolt.outbox import kinds
from classbolt.worker import Worker
from classbolt_auto_refund import AutoRefund
from classbolt_drop_in import DropIn
from messenger import Messenger, Post
from studio import Studio


async def failures(worker: Worker) -> list[str]:
    """Do what is due once, and say what kinds of failure were reported."""
    with capture_logs() as logged:
        await worker.work()
    return [each["failure"] for each in logged if each["event"] == "job_failed"]


async def goes_on(studio: Studio, worker: Worker, post: Post) -> bool:
    """Say whether the message is sent once the bolt-on behaves again."""
    post.messenger.meanwhile = None
    pass_time(studio, DELAYS[0] * (1 + SPREAD))
    await work(worker)
    return len(post.messenger.sent) == 1 and await waiting(studio) == 0


async def test_one_that_is_cancelled_inside_has_failed(
    mailing: Studio, worker: Worker, post: Post
) -> None:
    async def awaits_what_was_cancelled() -> None:
        other = asyncio.create_task(asyncio.sleep(0))
        other.cancel()
        await other

    post.messenger.meanwhile = awaits_what_was_cancelled
    await mailing.cancel("Ana", "MON", 3)

    assert await failures(worker) == ["CancelledError"]
    assert await goes_on(mailing, worker, post)


async def test_one_that_takes_too_long_has_failed(
    mailing: Studio, worker: Worker, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "JOB_SECONDS", 0.1)
    post.messenger.meanwhile = asyncio.Event().wait
    await mailing.cancel("Ana", "MON", 3)

    assert await failures(worker) == ["TimeoutError"]
    monkeypatch.undo()
    assert await goes_on(mailing, worker, post)


async def test_one_that_keeps_a_transaction_open_is_rolled_back_and_holds_nobody_up(
    mailing: Studio, worker: Worker, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "WRITE_SECONDS", 0.2)

    async def waits_for_a_stranger(_: Tx) -> None:
        await asyncio.Event().wait()

    post.messenger.writes = waits_for_a_stranger
    await mailing.cancel("Ana", "MON", 3)
    doing = asyncio.create_task(failures(worker))
    await until(lambda: post.messenger.tried == 1)

    async with asyncio.timeout(60):
        await mailing.cancel("Ana", "MON", 4)

    assert await doing == ["TimeoutError"]


async def test_one_that_is_slow_holds_up_nobody_else(
    mailing: Studio, worker: Worker, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "LEAVE_SECONDS", 0.1)
    post.messenger.meanwhile = asyncio.Event().wait
    await mailing.switch("herald", on=True)
    async with worker.running(), asyncio.timeout(20):
        await mailing.cancel("Ana", "MON", 3)
        await until(lambda: len(post.herald.sent) == 1)
        await mailing.cancel("Ana", "MON", 4)
        await until(lambda: len(post.herald.sent) == 2)

    assert post.messenger.sent == []


async def test_a_worker_that_has_ended_has_left_nothing_under_way(
    mailing: Studio, worker: Worker, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who closes the database then would make it wait for ever, and the process with it."""
    monkeypatch.setattr(worker_module, "LEAVE_SECONDS", 0.1)
    given_back: list[str] = []

    async def for_ever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.2)  # as a connection that is given back takes its time
            given_back.append("it")

    post.messenger.meanwhile = for_ever
    before = asyncio.all_tasks()

    async with worker.running(), asyncio.timeout(20):
        await mailing.cancel("Ana", "MON", 3)
        await until(lambda: post.messenger.tried == 1)

    assert given_back == ["it"]
    assert asyncio.all_tasks() <= before


async def test_what_a_worker_begins_while_it_is_told_to_stop_is_done(
    mailing: Studio, installed: BoltOns, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "LEAVE_SECONDS", 60)
    looks = asyncio.Event()

    def clock() -> datetime:
        looks.set()  # the worker asks for the time before it looks for work
        return mailing.clock.now

    await mailing.cancel("Ana", "MON", 3)
    worker = Worker(mailing.database, installed, clock)
    looks.clear()

    async with worker.running():
        await looks.wait()

    assert len(post.messenger.sent) == 1


async def test_what_was_lost_once_is_done_alone(
    mailing: Studio, worker: Worker, post: Post, installed: BoltOns
) -> None:
    """It may be what killed the worker, and shall not take others with it again."""
    for number in (3, 4, 5):
        await mailing.cancel("Ana", "MON", number)
    now = mailing.clock.now
    await mailing.database.run(
        lambda connection: jobs.take(connection, kinds(installed), most=10, now=now)
    )
    pass_time(mailing, LEASE)

    begun = [await worker.work() for _ in range(4)]

    assert begun == [1, 1, 1, 0]
    assert [each.attempt for each in post.messenger.sent] == [2, 2, 2]


async def test_a_release_of_it_that_does_not_listen_yet_leaves_it_to_one_that_does(
    mailing: Studio, worker: Worker, post: Post
) -> None:
    async def hears(self: object, delivery: Delivery, event: BookingPlaced) -> None:
        del self, delivery, event

    methods = {"info": Messenger.info, "booking_placed": hears}
    older = type("Older", (BoltOn,), methods)
    assert kinds(BoltOns([older()])) == ["messenger.booking_placed"]
    await mailing.cancel("Ana", "MON", 3)
    beside = Worker(
        mailing.database,
        BoltOns([AutoRefund(), DropIn(), older()]),
        lambda: mailing.clock.now,
    )

    assert await beside.work() == 0
    assert await work(worker) == 1
    assert len(post.messenger.sent) == 1


@pytest.mark.parametrize("forgets", [True, False])
async def test_old_keys_are_forgotten_by_the_way_and_never_in_the_way(
    mailing: Studio,
    worker: Worker,
    post: Post,
    monkeypatch: pytest.MonkeyPatch,
    *,
    forgets: bool,
) -> None:
    forgotten: list[Any] = []

    async def forget(_: object, *, now: object) -> None:
        forgotten.append(now)
        if not forgets:
            raise OSError("the database has gone away")

    monkeypatch.setattr(once, "forget_old", forget)
    await mailing.cancel("Ana", "MON", 3)
    with capture_logs() as logged:
        async with worker.running(), asyncio.timeout(20):
            await until(lambda: bool(post.messenger.sent))
            pass_time(mailing, timedelta(hours=1))
            await until(lambda: len(forgotten) == 2)

    assert [each["event"] for each in logged] == ["worker_cannot_tidy"] * (0 if forgets else 2)


async def until(is_so: Callable[[], bool]) -> None:
    while not is_so():  # noqa: ASYNC110 a bolt-on knows nothing of our events
        await asyncio.sleep(0.01)
