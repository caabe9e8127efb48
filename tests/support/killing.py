"""A server that is killed: `classbolt serve` as a process, ended by SIGKILL, started again.

It is one process group of its own, so that the kill leaves nobody behind, and only what was
started here is ever killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Table, select

from classbolt.bolt_ons import BoltOns
from classbolt.checks import mine
from classbolt.columns import AnyRow
from classbolt.config import PREFIX, Settings
from classbolt.db import Caller, Database, Tx
from classbolt.tables import (
    bolt_on_changes,
    bolt_on_switches,
    bookings,
    cancellations,
    course_bookings,
    credit_entries,
    customer_bundles,
    customers,
    payments,
    sessions,
)
from classbolt_schema.ids import encode
from classbolt_schema.server.story.stage import LISTENING, SERVE
from histories import Booking, Cancellation, Entry, Rows

SERVER = (sys.executable, "-c", SERVE, "serve", "--port", "0")
CARELESS = (sys.executable, str(Path(__file__).with_name("careless.py")))
START_SECONDS = 120
LOOK_SECONDS = 0.01


class Start(NamedTuple):
    """How many seconds a server took from its start to the first good answer of `/readyz`.

    Attributes:
        queued: For how many of them it stood in the queue for a core that others had.
    """

    seconds: float
    queued: float


@dataclass
class Server:
    """A server process, its settings, and how its starts went."""

    command: Sequence[str]
    settings: Settings
    log: Path
    address: str = ""
    starts: list[Start] = field(default_factory=list)
    _process: subprocess.Popen[bytes] | None = None

    def launch(self) -> None:
        """Start the process and do not wait for it."""
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self.command,
                env=_environment(self.settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def start(self) -> None:
        """Start the process and wait until it is ready."""
        began = time.monotonic()
        self.launch()
        assert self._process is not None
        while not self._is_ready():
            assert self._process.poll() is None, self.log.read_text()
            assert time.monotonic() < began + START_SECONDS, self.log.read_text()
            time.sleep(LOOK_SECONDS)
        self.starts.append(Start(time.monotonic() - began, _queued(self._process.pid)))

    def kill(self) -> None:
        """End the process and its children at once, wherever they are."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):  # it ended by itself, and start() said so
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _is_ready(self) -> bool:
        found = LISTENING.search(self.log.read_text())
        if found is None:
            return False
        self.address = f"http://127.0.0.1:{found[1]}"
        connection = HTTPConnection("127.0.0.1", int(found[1]), timeout=START_SECONDS)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()


@contextmanager
def mortal(command: Sequence[str], settings: Settings) -> Iterator[Server]:
    """Make a server that is killed in the end, if nobody has done so before."""
    server = Server(command, settings, settings.data / "server.log")
    try:
        yield server
    finally:
        server.kill()


def _environment(settings: Settings) -> dict[str, str]:
    """Name this installation and no other.

    Python keeps what it has compiled, as it does wherever people install it: without that, most
    of a start is compiling. And nobody measures the coverage of what is killed.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith((PREFIX, "COVERAGE_")) and name != "PYTHONDONTWRITEBYTECODE"
    }
    return inherited | {
        "DATABASE_URL": settings.database_url,
        f"{PREFIX}DATA": str(settings.data),
        f"{PREFIX}LOG": "json",
        **_about_stripe(settings),
    }


def _about_stripe(settings: Settings) -> dict[str, str]:
    """Say where Stripe is, if it is anywhere."""
    if settings.stripe_api_key is None:
        return {}
    secrets = [each.get_secret_value() for each in settings.stripe_webhook_secrets]
    return {
        "STRIPE_API_KEY": settings.stripe_api_key.get_secret_value(),
        "STRIPE_PUBLISHABLE_KEY": settings.stripe_publishable_key or "",
        "STRIPE_WEBHOOK_SECRET": ",".join(secrets),
        f"{PREFIX}STRIPE_URL": settings.stripe_url or "",
    }


def _queued(pid: int) -> float:
    """Say how long a process has waited for a core so far; 0 where the system does not tell."""
    told = Path(f"/proc/{pid}/schedstat")
    return int(told.read_text().split()[1]) / 1e9 if told.exists() else 0.0


# What it leaves behind


async def read_rows(url: str, slug: str) -> Rows:
    """Read what a history is held against, on connections that are closed afterwards.

    Nobody else may keep a SQLite file open: then it is the next server that recovers it.
    """
    database = Database(url, BoltOns())
    try:
        async with database.read(Caller(slug)) as tx:
            return await _rows(tx)
    finally:
        await database.close()


async def _rows(tx: Tx) -> Rows:
    async def rows_of(table: Table, *order: str) -> Sequence[AnyRow]:
        return await tx.all(select(table).where(mine(table)).order_by(*order))

    return Rows(
        sessions={
            encode("Session", row.id): encode("Course", row.course_id)
            for row in await rows_of(sessions)
        },
        customers=frozenset(encode("Customer", row.id) for row in await rows_of(customers)),
        bundles={
            encode("CustomerBundle", row.id): encode("Customer", row.customer_id)
            for row in await rows_of(customer_bundles)
        },
        bookings={
            encode("Booking", row.id): Booking(
                encode("Session", row.session_id),
                encode("Customer", row.customer_id),
                row.status,
                _id("CustomerBundle", row.customer_bundle_id),
                _id("CourseBooking", row.course_booking_id),
            )
            for row in await rows_of(bookings)
        },
        cancellations={
            encode("Booking", row.booking_id): Cancellation(
                row.outcome, _id("CustomerBundle", row.customer_bundle_id)
            )
            for row in await rows_of(cancellations)
        },
        entries=[
            Entry(
                encode("CustomerBundle", row.customer_bundle_id),
                row.kind,
                row.correlation_id.hex,
                _id("Booking", row.booking_id),
            )
            for row in await rows_of(credit_entries)
        ],
        course_bookings={
            encode("CourseBooking", row.id): (
                encode("Course", row.course_id),
                encode("Customer", row.customer_id),
            )
            for row in await rows_of(course_bookings)
        },
        paid=frozenset(
            encode("Payment", row.id) for row in await rows_of(payments) if row.paid_at
        ),
        switches={row.code: row.enabled for row in await rows_of(bolt_on_switches)},
        changes={
            row.code: row.enabled for row in await rows_of(bolt_on_changes, "changed_at", "id")
        },
    )


def _id(kind: str, key: UUID | None) -> str | None:
    return None if key is None else encode(kind, key)
