"""A stage for the story: a server process of its own, with a new account and its people.

The server is the one that `classbolt serve` starts. Without a DATABASE_URL its database is a
file in a folder that goes when the stage does. Whatever happens on the stage, the server is
stopped by the handle it was started with.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from classbolt import cards, customers, opening, stripe_links
from classbolt.bolt_ons import BoltOns
from classbolt.card_rules import Because
from classbolt.config import PREFIX, Settings
from classbolt.db import Caller, Database
from classbolt.migrate import components, upgrade
from classbolt.stripe_facts import Intent
from classbolt.stripe_links import NewLink
from classbolt.tables import accounts, card_payments, jobs
from classbolt.values import SYSTEM, CustomerId, PaymentId, Role
from classbolt_schema.ids import decode
from classbolt_schema.server import demo_stripe
from classbolt_schema.server.context import utc_now
from classbolt_schema.server.demo_stripe import DemoStripe
from classbolt_schema.server.keys import DEVELOPMENT_ISSUER, issue_token

HOST: Final = "127.0.0.1"
FOLDER: Final = "classbolt-story-"
SERVE: Final = "from classbolt_schema.server.cli import main; main()"
LISTENING: Final = re.compile(rf"running on http://{re.escape(HOST)}:(\d+) ")
START_SECONDS: Final = 60
ANSWER_SECONDS: Final = 30
STOP_SECONDS: Final = 10
TOKEN_LIFETIME: Final = timedelta(hours=1)
LAST_LINES: Final = 20
END_HOLD: Final = (
    update(card_payments)
    .where(card_payments.c.payment_id == bindparam("payment"))
    .values(hold_until=bindparam("now"))
)
DO_AT_ONCE: Final = (
    update(jobs)
    .where(
        jobs.c.account_id
        == select(accounts.c.id)
        .where(accounts.c.slug == bindparam("account_slug"))
        .scalar_subquery(),
        jobs.c.kind == cards.EXPIRE,
    )
    .values(run_at=bindparam("now"))
)


class StageError(Exception):
    """The server did not start; the message says what it logged."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A server that answers, and the account on it that the story plays in."""

    settings: Settings
    slug: str
    port: int
    stripe: DemoStripe

    def ask(self, document: str, variables: Mapping[str, Any], as_: str | None) -> Any:
        """Send a document as one of the account's people, or as nobody, and give the answer."""
        headers = {"Content-Type": "application/json"}
        if as_ is not None:
            token = issue_token(self.settings, self.slug, as_, utc_now(), TOKEN_LIFETIME)
            headers["Authorization"] = f"Bearer {token}"
        body = json.dumps({"query": document, "variables": variables})
        _, answer = _request(self.port, "POST", f"/graphql/{self.slug}", body, headers)
        return answer

    def ask_until(
        self,
        document: str,
        variables: Mapping[str, Any],
        as_: str | None,
        *,
        is_so: Callable[[Any], bool],
    ) -> None:
        """Ask again and again until something is so, or for as long as anybody waits."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < deadline:
            if is_so(self.ask(document, variables, as_)):
                return
            time.sleep(0.2)

    def end_hold(self, payment: str) -> None:
        """Let the time that a payment's places are held be over now."""
        ended = {"payment": PaymentId(decode("Payment", payment)), "now": utc_now()}

        async def work(database: Database) -> None:
            async def end(connection: AsyncConnection) -> None:
                await connection.execute(END_HOLD, ended)
                await connection.execute(
                    DO_AT_ONCE, {"now": ended["now"], "account_slug": self.slug}
                )

            await database.run(end)

        _with_database(self.settings, work)

    def give_up(self, payment: str) -> None:
        """Give a payment's places up, as a server does that hears of its end by mistake."""
        settle = partial(
            cards.settle,
            payment_id=PaymentId(decode("Payment", payment)),
            seen=Intent("", "canceled", 0, "", {}),
            because=Because.TIMEOUT,
            now=utc_now(),
        )

        async def work(database: Database) -> None:
            await database.write(Caller(self.slug), settle)

        _with_database(self.settings, work)

    def admit(self, name: str, customer: str) -> None:
        """Let tokens of this name act as a customer from now on."""

        async def work(database: Database) -> None:
            person = CustomerId(decode("Customer", customer))
            await database.write(
                Caller(self.slug),
                lambda tx: customers.admit(
                    tx, DEVELOPMENT_ISSUER, name, person, is_staff=False, now=utc_now()
                ),
            )

        _with_database(self.settings, work)


@contextmanager
def open_stage(settings: Settings) -> Iterator[Stage]:
    """Migrate the database, open a new account in it with an owner, and serve it.

    Raises:
        DevelopmentIssuerRefused: This is production, where nobody plays.
        StageError: The server does not start.
    """
    with _ended_by_a_signal(), tempfile.TemporaryDirectory(prefix=FOLDER) as name:
        folder = Path(name)
        own: dict[str, Any] = {"data": folder, "issuer": None, "jwks_file": None}
        if "database_url" not in settings.model_fields_set:
            own["database_url"] = f"sqlite+aiosqlite:///{folder / 'story.db'}"
        settings = settings.model_copy(update=own)
        slug = f"story-{secrets.token_hex(4)}"
        # The first token makes the key, which production refuses before anything is written.
        issue_token(settings, slug, "owner", utc_now(), TOKEN_LIFETIME)
        stripe = demo_stripe.start(folder)
        _open_account(settings, slug)
        with _serving(settings, folder / "log", stripe) as port:
            stripe.tell(port)
            yield Stage(settings, slug, port, stripe)


@contextmanager
def _ended_by_a_signal() -> Iterator[None]:
    """Let SIGTERM unwind the stack as an interrupt does, so that nothing is left behind."""
    before = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _open_account(settings: Settings, slug: str) -> None:
    now = utc_now()

    async def work(database: Database) -> None:
        installed = BoltOns.discover().installed.values()
        await upgrade(settings.database_url, components(installed))
        await database.run(
            lambda connection: opening.create_account(
                connection,
                slug,
                "The story",
                time_zone="Europe/London",
                currency="GBP",
                now=now,
            )
        )
        caller = Caller(slug)
        owner = await database.write(
            caller, lambda tx: customers.add_staff(tx, "The owner", Role.OWNER, now=now)
        )
        await database.write(
            caller,
            lambda tx: customers.admit(
                tx, DEVELOPMENT_ISSUER, "owner", owner, is_staff=True, now=now
            ),
        )
        await database.write(
            caller, lambda tx: stripe_links.link(tx, SYSTEM, NewLink(), now=now)
        )

    _with_database(settings, work)


def _with_database(settings: Settings, work: Callable[[Database], Awaitable[None]]) -> None:
    async def run() -> None:
        database = Database(settings.database_url, BoltOns.discover())
        try:
            await work(database)
        finally:
            await database.close()

    asyncio.run(run())


@contextmanager
def _serving(settings: Settings, log: Path, stripe: DemoStripe) -> Iterator[int]:
    """Run the server and give the port that it listens on.

    Raises:
        StageError: It ends, or is not ready in time.
    """
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(PREFIX)
    } | {
        "DATABASE_URL": settings.database_url,
        f"{PREFIX}DATA": str(settings.data),
        f"{PREFIX}LOG": "json",
        **stripe.settings,
    }
    with log.open("wb") as lines:
        server = subprocess.Popen(  # noqa: S603  (our own program, with arguments of ours)
            # Whichever port is free: the system chooses, and the server logs which it is.
            [sys.executable, "-c", SERVE, "serve", "--host", HOST, "--port", "0"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=lines,
            stderr=lines,
        )
        try:
            yield _wait(server, log)
        finally:
            _stop(server)


def _wait(server: subprocess.Popen[bytes], log: Path) -> int:
    """Wait until the server is ready, and give its port."""
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        found = LISTENING.search(log.read_text("utf-8"))
        if found and _request(int(found[1]), "GET", "/readyz")[0] == 200:  # noqa: PLR2004
            return int(found[1])
        time.sleep(0.05)
    said = log.read_text("utf-8").splitlines()[-LAST_LINES:]
    raise StageError("\n".join(["the server did not start; it said:", *said]))


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _request(
    port: int, method: str, path: str, body: str = "", headers: Mapping[str, str] | None = None
) -> tuple[int, Any]:
    """Send one request and give the status and the JSON of the answer."""
    connection = HTTPConnection(HOST, port, timeout=ANSWER_SECONDS)
    try:
        connection.request(method, path, body, dict(headers or {}))
        response = connection.getresponse()
        return response.status, json.load(response)
    finally:
        connection.close()
