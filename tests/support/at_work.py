"""Jobs in tests: how many wait, one that is dead, and a worker that does all that is due."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from sqlalchemy import func, select
from structlog.testing import capture_logs

from classbolt.db import Caller, Tx
from classbolt.jobs import DELAYS, SPREAD
from classbolt.tables import jobs
from classbolt.values import new_id
from classbolt.worker import Worker
from classbolt_schema.ids import encode
from studio import Studio

LONG_ENOUGH = DELAYS[-1] * (1 + SPREAD)
"""After so long everything that failed is tried again."""


async def waiting(studio: Studio) -> int:
    """Count the jobs of all accounts."""
    counting = select(func.count()).select_from(jobs)
    async with studio.database.look() as connection:
        return int((await connection.execute(counting)).scalar_one())


async def work(*workers: Worker) -> int:
    """Let workers do all that is due, at the same time, with failures and all."""
    with capture_logs():  # once for all of them: captures must end in the order they began
        return sum(await asyncio.gather(*map(_work, workers)))


async def _work(worker: Worker) -> int:
    done = 0
    while found := await worker.work():
        done += found
    return done


def pass_time(studio: Studio, time: timedelta) -> None:
    studio.clock.now += time


async def dead_job(studio: Studio) -> str:
    """Add a job that is dead, and give its id."""
    now, key = studio.clock.now, new_id()
    job = {
        "id": key,
        "kind": "drop_in.booking_placed",
        "bolt_on": "drop_in",
        "payload": {},
        "enqueued_at": now,
        "run_at": now,
        "attempts": 11,
        "last_failure": "Timeout",
        "died_at": now,
    }

    async def add(tx: Tx) -> None:
        await tx.insert(jobs, job)

    await studio.database.write(Caller(studio.slug), add)
    return encode("Job", key)
