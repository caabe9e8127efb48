"""A server in a process of its own that stands in another time zone (TZ), on a clock we set.

This file is also the program of that process. It says its address and how far its own wall
clock is from UTC, and serves until our end of its standard input is closed.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx

from classbolt.bolt_ons import BoltOns
from classbolt.config import Settings
from classbolt.db import Database
from studio import SOLD_ON, Clock, at, serving


@dataclass
class SharedClock(Clock):
    """A clock that two processes share: one sets it, the other reads it off a file."""

    file: Path = Path()

    def __call__(self) -> datetime:
        return at(self.file.read_text("utf-8"))

    def set(self, text: str) -> None:
        super().set(text)
        self.file.write_text(text, "utf-8")


@dataclass(frozen=True)
class Elsewhere:
    """A server that runs in another time zone.

    Attributes:
        offset: What its process adds to UTC in January 2027, such as +1400.
    """

    client: httpx.AsyncClient
    settings: Settings
    clock: SharedClock
    offset: str


@asynccontextmanager
async def serving_in(zone: str, database_url: str, data: Path) -> AsyncIterator[Elsewhere]:
    """Serve a database from a process in another time zone."""
    clock = SharedClock(file=data / "clock")
    clock.set(SOLD_ON.isoformat())
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, __file__, database_url, str(data), str(clock.file)),
        env={**os.environ, "TZ": zone},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        address, offset = (await process.stdout.readline()).decode().split()
        settings = Settings(env="development", data=data, database_url=database_url)
        async with httpx.AsyncClient(base_url=address, timeout=60) as client:
            yield Elsewhere(client, settings, clock, offset)
    finally:
        process.stdin.close()
        await process.wait()


async def main(database_url: str, data: str, clock: str) -> None:
    """Serve until standard input ends."""
    bolt_ons = BoltOns.discover()
    database = Database(database_url, bolt_ons)
    shared = SharedClock(file=Path(clock))
    async with serving(database, Path(data), bolt_ons, shared) as (client, _):
        offset = time.strftime("%z", time.localtime(SOLD_ON.timestamp()))
        print(client.base_url, offset, flush=True)  # noqa: T201
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
