"""Serve as `classbolt serve` does, but carelessly: what the tests that kill must notice.

python careless.py piecemeal      every statement commits by itself
python careless.py hasty          an answer goes out before its transaction has committed
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import uvicorn
from sqlalchemy.ext.asyncio import create_async_engine

from classbolt.bolt_ons import BoltOns
from classbolt.config import load_settings
from classbolt.db import Caller, Database, Tx
from classbolt_schema.server import logs
from classbolt_schema.server.app import create_app

T = TypeVar("T")

LATE_SECONDS = 0.2


class Piecemeal(Database):
    """A database whose every write commits by itself."""

    def __init__(self, url: str, bolt_ons: BoltOns) -> None:
        super().__init__(url, bolt_ons)
        self._writer = create_async_engine(url, pool_size=10, isolation_level="AUTOCOMMIT")


class Hasty(Database):
    """A database that says that a transaction is done a little before it is."""

    async def write(self, caller: Caller, work: Callable[[Tx], Awaitable[T]]) -> T:
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        async def work_and_tell(tx: Tx) -> T:
            result = await work(tx)
            done.set_result(result)
            await asyncio.sleep(LATE_SECONDS)
            return result

        writing = asyncio.create_task(super().write(caller, work_and_tell))
        await asyncio.wait({done, writing}, return_when=asyncio.FIRST_COMPLETED)
        return done.result() if done.done() else writing.result()


DATABASES = {"piecemeal": Piecemeal, "hasty": Hasty}


def main(kind: str) -> None:
    """Serve on whichever port is free."""
    settings = load_settings()
    logs.set_up(settings)
    bolt_ons = BoltOns.discover()
    database = DATABASES[kind](settings.database_url, bolt_ons)
    app = create_app(settings, bolt_ons=bolt_ons, database=database)
    uvicorn.run(app, port=0, log_config=None, access_log=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
