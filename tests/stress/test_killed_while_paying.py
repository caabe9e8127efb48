"""Killed while customers pay: no charge without a place, and nothing goes back twice.

The server and its worker are those that people start, on a clock that is moved on, so that
holds run out while nobody serves. Stripe is a process of its own, which nobody kills. `KILLS`
says how often the server is killed, over both databases; each prints a line of what was seen.
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
import ssl
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest

from classbolt import stripe_links
from classbolt.bolt_ons import BoltOns
from classbolt.card_rules import State
from classbolt.db import Caller, Database
from classbolt.stripe_links import LEAST_HOLD, NewLink
from classbolt.testing.databases import Kind, Templates
from classbolt.values import SYSTEM
from classbolt_schema.ids import decode
from classbolt_schema.server.context import utc_now
from counter import KEY, PUBLISHABLE_KEY, SIGNED_WITH
from invariants import broken
from killing import Server, mortal
from money_trail import books_of, complaints
from paying_crowd import PayingCrowd, gather_payers
from stripe_process import StripeProcess, stripe_beside
from studio import Clock, open_studio, serving

pytestmark = pytest.mark.stress

SLUG = "northside"
KILLS = max(int(os.environ.get("KILLS", "4")) // 2, 1)
"""How often the server is killed on each database."""
ANSWERS = (1, 30)
LATEST_SECONDS = 0.5
"""When the kill comes: after so many answers, and at the latest so much later."""
PAUSES = (0, 0, 6, 20)
"""How many minutes pass before it is started again; holds last for five."""
HOPS = (6, 20, 120, *[480] * 4)
"""How many minutes pass in the end, again and again, until nothing is left to do."""
SETTLE_SECONDS = 10
"""How long a server has for what is due after each of them."""
PATIENCE = 20
"""After how many kills, at most, a careless server must have been seen through."""
SCRIPT = Path(__file__).parents[1] / "support" / "serve_later.py"


@dataclass
class Ahead:
    """How far the clocks of the server and of Stripe are ahead of the wall's."""

    file: Path
    stripe: StripeProcess
    time: timedelta = timedelta()

    async def move_on(self, minutes: int) -> None:
        """Let time pass for both of them."""
        self.time += timedelta(minutes=minutes)
        seconds, new = int(self.time.total_seconds()), self.file.with_suffix(".new")
        new.write_text(str(seconds), "utf-8")
        new.replace(self.file)  # nobody reads half of it
        await self.stripe.do("set_offset", seconds=seconds)

    @property
    def now(self) -> datetime:
        return utc_now() + self.time


def free_port() -> int:
    """Find a port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def crowd_of(
    url: str, folder: Path, bolt_ons: BoltOns, stripe: StripeProcess
) -> PayingCrowd:
    """Set the studio up and gather who pays; no connection to the database is left open."""
    database, clock = Database(url, bolt_ons), Clock(utc_now())
    settings = {
        "stripe_api_key": KEY,
        "stripe_publishable_key": PUBLISHABLE_KEY,
        "stripe_webhook_secrets": [SIGNED_WITH],
        "stripe_url": stripe.address,
    }
    async with serving(database, folder, bolt_ons, clock, stripe=settings) as (client, found):
        studio = await open_studio(SLUG, client, found, database, clock)
        link = partial(
            stripe_links.link,
            actor=SYSTEM,
            new=NewLink(hold_minutes=LEAST_HOLD),
            now=clock.now,
        )
        await database.write(Caller(SLUG), link)
        return await gather_payers(studio, stripe)


@asynccontextmanager
async def being_told(stripe: StripeProcess) -> AsyncIterator[None]:
    """Let Stripe tell what happens, also while nobody hears."""
    telling = asyncio.create_task(stripe.tell())
    try:
        yield
    finally:
        telling.cancel()
        await asyncio.wait({telling})
    assert telling.cancelled(), telling.exception()


async def kill_under_load(server: Server, crowd: PayingCrowd) -> None:
    """Let everybody pay, and kill the server at any moment of it."""

    async def kill() -> None:
        await crowd.hear(random.randint(*ANSWERS))
        await asyncio.sleep(random.uniform(0, LATEST_SECONDS))
        server.kill()

    no_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # as in `serving`
    async with httpx.AsyncClient(
        base_url=server.address, timeout=60, verify=no_tls
    ) as crowd.studio.client:
        await crowd.ask_until(kill)


@dataclass(frozen=True)
class Verdict:
    """What was seen in the end: how payments stand, and what is wrong."""

    states: Counter[str]
    wrong: list[str]


async def seen(url: str, crowd: PayingCrowd, *, now: datetime, looked_at: datetime) -> Verdict:
    """Hold our rows against Stripe's, and against what customers were told."""
    database = Database(url, BoltOns())
    try:
        books = await books_of(database, SLUG)
    finally:
        await database.close()
    stripe = await crowd.stripe.look()
    wrong = complaints(books, stripe, now=now, looked_at=looked_at, handed_out=crowd.handed_out)
    told = [books.cards.get(decode("Payment", each)) for each in crowd.paid]
    wrong += [
        "told of as paid, and is not" for row in told if not row or row.state != State.PAID
    ]
    wrong += await broken(url)
    return Verdict(Counter(row.state for row in books.cards.values()), wrong)


async def settled(url: str, crowd: PayingCrowd, ahead: Ahead) -> Verdict:
    """Let time pass while the server works, until all is well or no patience is left."""
    looked_at = ahead.now
    verdict = Verdict(Counter(), [])
    for minutes in HOPS:
        await ahead.move_on(minutes)
        began = time.monotonic()
        while time.monotonic() < began + SETTLE_SECONDS:
            await asyncio.sleep(0.5)
            verdict = await seen(url, crowd, now=ahead.now, looked_at=looked_at)
            if not verdict.wrong:
                return verdict
    return verdict


@dataclass(frozen=True)
class Scene:
    """A server that can be killed, who pays there, and Stripe."""

    server: Server
    crowd: PayingCrowd
    ahead: Ahead

    async def kill(self) -> None:
        """Kill the server while everybody pays; some go on while it is away."""
        await kill_under_load(self.server, self.crowd)
        await self.crowd.pay_meanwhile()

    async def start_again(self) -> None:
        """Let the server come back, now or when holds have run out."""
        await self.ahead.move_on(random.choice(PAUSES))
        self.server.start()


@asynccontextmanager
async def scene(url: str, folder: Path, bolt_ons: BoltOns, *how: str) -> AsyncIterator[Scene]:
    """Set the crowd before a server that is up.

    Args:
        how: In which way it is careless, if it is.
    """
    async with stripe_beside(folder) as stripe:
        crowd = await crowd_of(url, folder, bolt_ons, stripe)
        port, ahead = free_port(), Ahead(folder / "ahead", stripe)
        await ahead.move_on(0)
        hook = f"http://127.0.0.1:{port}/webhooks/stripe"
        await stripe.do("listen", url=hook, secret=SIGNED_WITH)
        command = (sys.executable, str(SCRIPT), str(port), str(ahead.file), *how)
        with mortal(command, crowd.studio.settings) as server:
            async with being_told(stripe):
                server.start()
                yield Scene(server, crowd, ahead)


async def test_each_charge_outlives_any_kill_with_its_place_or_goes_back_once(
    kind: Kind,
    database_url: str,
    tmp_path: Path,
    bolt_ons: BoltOns,
    say: Callable[[str], None],
) -> None:
    async with scene(database_url, tmp_path, bolt_ons) as served:
        for _ in range(KILLS):
            await served.kill()
            assert await broken(database_url) == {}
            await served.start_again()
        crowd = served.crowd
        verdict = await settled(database_url, crowd, served.ahead)
        charges = (await crowd.stripe.look()).objects("charge")

    charged = sum(each["status"] == "succeeded" for each in charges)
    states = ", ".join(f"{number} {state}" for state, number in sorted(verdict.states.items()))
    say(
        f"killed while paying | {kind} | {KILLS} kills | {crowd.told} answers"
        f" | {crowd.unknown} unknown | {charged} charges | {states}"
        f" | {len(crowd.paid)} told of as paid | broken: {len(verdict.wrong)}"
    )
    assert verdict.wrong == []


async def test_halves_are_seen_where_every_statement_commits_by_itself(
    kind: Kind,
    templates: Templates,
    tmp_path: Path,
    bolt_ons: BoltOns,
    say: Callable[[str], None],
) -> None:
    """Then places are booked for which nobody has paid, or paid for and not booked."""
    seen_at = None
    async with (
        templates.database(kind) as url,
        scene(url, tmp_path, bolt_ons, "piecemeal") as served,
    ):
        for number in range(1, PATIENCE + 1):
            await served.kill()
            if await broken(url):
                seen_at = number
                break
            await served.start_again()

    say(f"killed while paying, each statement commits by itself | {kind} | broken at {seen_at}")
    assert seen_at is not None
