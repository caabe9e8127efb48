"""Work after the commit, done by processes of its own or by those that serve."""

from __future__ import annotations

import asyncio
import time

from classbolt import BookingPlaced, jobs
from classbolt.bolt_ons import BoltOns
from classbolt.db import Caller, Database, Tx
from classbolt.jobs import NewJob
from classbolt.outbox import DELIVERY, EVENTS
from classbolt.values import BookingId, CustomerId, SessionId, new_id
from classbolt.worker import POLL_SECONDS
from classbolt_schema.server.context import utc_now
from installation import START_SECONDS, Installation, said_no


def promise(installation: Installation) -> None:
    """Promise something to a bolt-on that is on and does not care."""
    event = BookingPlaced(
        BookingId(new_id()), SessionId(new_id()), CustomerId(new_id()), None, utc_now()
    )
    dumped = EVENTS["booking_placed"].dump_python(event, mode="json")
    payload = {"hook": "booking_placed", "event": dumped}

    async def enqueue(tx: Tx) -> None:
        await jobs.enqueue(tx, [NewJob(DELIVERY, payload, "drop_in")], now=utc_now())

    async def run() -> None:
        url = f"sqlite+aiosqlite:///{installation.folder / 'data' / 'classbolt.db'}"
        database = Database(url, BoltOns.discover())
        await database.write(Caller("studio"), enqueue)
        await database.close()

    installation.does("bolt-ons", "enable", "drop_in", "--account", "studio")
    asyncio.run(run())
    assert installation.count("jobs") == 1


def is_done(installation: Installation) -> bool:
    """Wait until nothing is promised any more."""
    deadline = time.monotonic() + START_SECONDS
    while (waits := installation.count("jobs")) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not waits


def test_a_worker_refuses_a_database_that_is_not_migrated(empty: Installation) -> None:
    assert said_no(empty.start("worker")).startswith("migrations are pending")


def test_what_was_promised_is_done_by_a_worker_that_runs_alone(opened: Installation) -> None:
    promise(opened)

    with opened.running("worker"):
        assert is_done(opened)


def test_what_was_promised_is_done_by_a_server_unless_it_is_told_not_to(
    opened: Installation,
) -> None:
    promise(opened)
    idle = Installation(opened.folder, {"CLASSBOLT_WORKER": "false"})

    with idle.serving() as server:
        server.ask("studio", "{ account { name } }")
        time.sleep(2 * POLL_SECONDS)
        assert opened.count("jobs") == 1
    with opened.serving():
        assert is_done(opened)
