"""Jobs in tests: how many wait, and a worker that does all that is due."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select
from structlog.testing import capture_logs

from classbolt.jobs import DELAYS, SPREAD
from classbolt.tables import jobs
from classbolt.worker import Worker
from studio import Studio

LONG_ENOUGH = DELAYS[-1] * (1 + SPREAD)
"""After so long everything that failed is tried again."""


async def waiting(studio: Studio) -> int:
    """Count the jobs of all accounts."""
    counting = select(func.count()).select_from(jobs)
    async with studio.database.look() as connection:
        return int((await connection.execute(counting)).scalar_one())


async def work(worker: Worker) -> int:
    """Do all that is due, with failures and all."""
    done = 0
    with capture_logs():
        while found := await worker.work():
            done += found
    return done


def pass_time(studio: Studio, time: timedelta) -> None:
    studio.clock.now += time
