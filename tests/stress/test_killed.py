"""Killed at any moment: what was acknowledged is there, and nothing is there by halves.

The server is the one that people start, on the wall clock and on both databases. `KILLS` says
how often it is killed, over both of them; each prints a line of what was seen.
"""

from __future__ import annotations

import asyncio
import os
import random
import ssl
import statistics
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from classbolt.bolt_ons import BoltOns
from classbolt.db import Database
from classbolt.testing.databases import Kind, Templates
from classbolt_schema.server.context import utc_now
from crowd import Crowd, gather_crowd
from histories import Verdict, judge
from invariants import broken
from killing import CARELESS, SERVER, Server, Start, mortal, read_rows
from studio import Clock, open_studio, serving

pytestmark = pytest.mark.stress

SLUG = "northside"
KILLS = max(int(os.environ.get("KILLS", "4")) // 2, 1)
"""How often the server is killed on each database."""
PATIENCE = range(1, 21)
"""How often a careless server is killed, at most, until it is seen what it does."""
ANSWERS = (1, 20)
"""How many answers come before: a server does many things for the first time at the start."""
LATEST_SECONDS = 0.4
"""When the kill comes, at the latest, counted from these answers."""
READY_SECONDS = 3
"""In what time it is usually ready again, not counting how long others kept the cores."""
USUALLY = 10
"""How many starts it takes to say so: the machine alone can make any of them slow."""
WHOLE = Verdict(lost=[], broken=[])


@asynccontextmanager
async def talking_to(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    """Open connections to a server that was just started."""
    no_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # as in `serving`
    async with httpx.AsyncClient(base_url=server.address, timeout=60, verify=no_tls) as client:
        yield client


async def crowd_of(url: str, folder: Path, bolt_ons: BoltOns) -> Crowd:
    """Set the studio up and gather its crowd; no connection to the database is left open."""
    database, clock = Database(url, bolt_ons), Clock(utc_now())
    async with serving(database, folder, bolt_ons, clock) as (client, settings):
        return await gather_crowd(await open_studio(SLUG, client, settings, database, clock))


async def kill_under_load(server: Server, crowd: Crowd, *, switching: bool = True) -> None:
    """Let the crowd ask, and kill the server at any moment of it."""

    async def kill() -> None:
        await crowd.hear(random.choice(ANSWERS))
        await asyncio.sleep(random.uniform(0, LATEST_SECONDS))
        server.kill()

    async with talking_to(server) as crowd.studio.client:
        await crowd.ask_until(kill, switching=switching)


async def kill_at_the_start(server: Server) -> None:
    """Start the server and kill it before it is ready, going by its last start."""
    server.launch()
    await asyncio.sleep(random.uniform(0, server.starts[-1].seconds))
    server.kill()


async def seen(server: Server, crowd: Crowd) -> Verdict:
    """Hold all that the crowd has heard against what is there, and let it look too."""
    url = server.settings.database_url
    rows = await read_rows(url, SLUG)
    crowd.learn(rows)
    verdict, rules = judge(crowd.history, rows), await broken(url)
    return Verdict(verdict.lost, [*verdict.broken, *rules])


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Print a line of the table, whether or not what tests print is shown."""

    def print_out(line: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{line}\n")

    return print_out


def line(kind: Kind, crowd: Crowd, starts: Sequence[Start], verdict: Verdict) -> str:
    """Say in one line what was seen."""
    told = sum(asked.told is not None for asked in crowd.history)
    seconds = [each.seconds for each in starts]
    return (
        f"killed | {kind} | {len(starts)} kills | {told} acknowledged"
        f" | {len(crowd.history) - told} unknown | {crowd.refused} refused"
        f" | lost: {len(verdict.lost)} | broken: {len(verdict.broken)} | ready again in"
        f" {min(seconds):.2f} / {statistics.median(seconds):.2f} / {max(seconds):.2f} s"
        f" (min / median / max; with a core to itself {usual(starts):.2f} s)"
    )


def usual(starts: Sequence[Start]) -> float:
    """Say how long a start usually took, not counting its wait for a core."""
    return statistics.median(each.seconds - each.queued for each in starts)


async def test_what_was_acknowledged_outlives_any_kill(
    kind: Kind, database_url: str, tmp_path: Path, bolt_ons: BoltOns, say: Callable[[str], None]
) -> None:
    crowd = await crowd_of(database_url, tmp_path, bolt_ons)
    verdict = WHOLE
    with mortal(SERVER, crowd.studio.settings) as server:
        server.start()
        for number in range(KILLS):
            await kill_under_load(server, crowd)
            if number % 10 == 0:
                await kill_at_the_start(server)
            server.start()

            verdict = await seen(server, crowd)
            if verdict != WHOLE:
                break

    _, *again = server.starts
    say(line(kind, crowd, again, verdict))
    assert verdict == WHOLE
    assert crowd.failed == []
    assert len(again) < USUALLY or usual(again) <= READY_SECONDS


@asynccontextmanager
async def careless(
    how: str, kind: Kind, templates: Templates, folder: Path, bolt_ons: BoltOns
) -> AsyncIterator[tuple[Server, Crowd]]:
    """Set the crowd before a server that does not do what ours does."""
    async with templates.database(kind) as url:
        crowd = await crowd_of(url, folder, bolt_ons)
        with mortal((*CARELESS, how), crowd.studio.settings) as server:
            server.start()
            yield server, crowd


async def kills_until(
    is_seen: Callable[[Verdict], bool], server: Server, crowd: Crowd
) -> int | None:
    """Count the kills that it takes to see something; None if it is not seen."""
    for kills in PATIENCE:
        await kill_under_load(server, crowd, switching=False)
        if is_seen(await seen(server, crowd)):
            return kills
        server.start()
    return None


async def test_halves_are_seen_where_every_statement_commits_by_itself(
    kind: Kind,
    templates: Templates,
    tmp_path: Path,
    bolt_ons: BoltOns,
    say: Callable[[str], None],
) -> None:
    """Show also that it takes a kill: the same load alone does nothing by halves."""
    async with careless("piecemeal", kind, templates, tmp_path, bolt_ons) as (server, crowd):
        async with talking_to(server) as crowd.studio.client:
            await crowd.ask_until(lambda: crowd.hear(max(ANSWERS)), switching=False)
        assert await seen(server, crowd) == WHOLE

        kills = await kills_until(lambda verdict: bool(verdict.broken), server, crowd)

        say(f"killed, every statement commits by itself | {kind} | broken at kill {kills}")
        assert kills is not None


@pytest.mark.parametrize("kind", ["sqlite"])
async def test_a_loss_is_seen_where_the_answer_does_not_wait_for_the_commit(
    kind: Kind,
    templates: Templates,
    tmp_path: Path,
    bolt_ons: BoltOns,
    say: Callable[[str], None],
) -> None:
    """Do so on one database: who answers too early does so whatever is below."""
    async with careless("hasty", kind, templates, tmp_path, bolt_ons) as (server, crowd):
        kills = await kills_until(lambda verdict: bool(verdict.lost), server, crowd)

        say(f"killed, answers before the commit | {kind} | lost at kill {kills}")
        assert kills is not None
