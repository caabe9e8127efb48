"""Histories of payments by card: drawn from a seed, lived at the same time, judged in the end.

A history goes in rounds. In each a few things are done at once, by two processes on one
database; between them time passes, and Stripe tells what happened, twice, late, in another
order, or never. In the end everything works, nobody does anything, and time goes on until
nothing is left to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final

from sqlalchemy import delete, func, select

from classbolt import comparing
from classbolt.checks import mine
from classbolt.db import Caller
from classbolt.paying import ANSWER_WITHIN
from classbolt.tables import jobs, schedules
from frail import Luck, with_luck
from money_trail import PROMISED, books_of, complaints
from paying_business import Business
from paying_deeds import DEEDS, Deed, go_on_paying, pay, reconcile, tell, work

ROUNDS: Final = (6, 14)
AT_ONCE: Final = (1, 4)
"""How many rounds a history has, and how much is done in one."""
DIES: Final = 0.06
"""How likely a process is to die before each step that it takes with Stripe, and after it."""
IS_LOST: Final = 0.1
"""How likely it is that Stripe never tells of something."""
PAUSES: Final = (0, 0, 30, 60, 60, 300, 300, 960, 960, 7200)
"""How many seconds pass between two rounds."""
A_LONG_NIGHT: Final = timedelta(hours=26)
"""Long enough for Stripe to forget under which keys it was asked."""
IS_LONG: Final = 0.1
SHUT_OUT: Final = ANSWER_WITHIN + timedelta(hours=1)
"""Long enough for places to be given up that Stripe says nothing of."""
IS_SHUT_OUT: Final = 0.04
STEPS: Final = 4
"""How often everybody looks meanwhile."""
MOST_CALLS: Final = 100_000
IS_DEAF: Final = 0.3
"""How likely it is that nothing is heard of Stripe in the end."""
HOPS: Final = (0, 0.3, 0.3, *[7] * 10)
"""How many hours pass in the end, again and again, until nothing is left to do."""
MOST_TELLINGS: Final = 200
"""After how many rounds of news within an hour Stripe gives up on what nobody hears."""
LOOK_NO_MORE = delete(schedules).where(mine(schedules))
"""What others do in the same database takes long enough."""
PROMISED_JOBS = select(func.count()).where(mine(jobs), jobs.c.kind.in_(PROMISED))


@dataclass(frozen=True)
class Round:
    """What is done at once, after a pause; each deed with the seed of its lots."""

    pause: timedelta
    deeds: Sequence[tuple[Deed, float]]


def plan(draw: Random) -> list[Round]:
    """Draw a whole history before it begins, so that nothing in it depends on what happens."""
    deeds, weights = zip(*DEEDS, strict=True)
    return [
        Round(
            _pause(draw),
            [
                (deed, draw.random())
                for deed in draw.choices(deeds, weights, k=draw.randint(*AT_ONCE))
            ],
        )
        for _ in range(draw.randint(*ROUNDS))
    ]


async def live(business: Business, draw: Random) -> list[str]:
    """Live a history to its end, and say what is wrong with it."""
    for each in plan(draw):
        if each.pause == A_LONG_NIGHT:
            # Nobody is away for longer than a day who has not looked before.
            await reconcile(business, draw)
        if each.pause == SHUT_OUT:
            await _shut_out(business, draw)
        else:
            business.wait(each.pause)
        await asyncio.gather(*(_do(business, *deed) for deed in each.deeds))
        _listen(business, draw)
        await business.count_seats()
    looked_at = await _settle_down(business, draw)
    business.wrong += [f"nobody has heard of {each.event['type']}" for each in business.news]
    books = await books_of(business.tills[0].database, business.slug)
    business.wrong += complaints(
        books,
        business.double,
        now=business.clock.now,
        looked_at=looked_at,
        handed_out={each.intent for each in business.begun if each.intent},
    )
    return business.wrong


def _pause(draw: Random) -> timedelta:
    lot = draw.random()
    if lot < IS_LONG:
        return A_LONG_NIGHT
    return SHUT_OUT if lot > 1 - IS_SHUT_OUT else timedelta(seconds=draw.choice(PAUSES))


async def _shut_out(business: Business, draw: Random) -> None:
    """Let Stripe know our key no more, for hours; customers can pay what they have begun."""
    business.double.faults.clear()
    business.double.fail_next(401, n=MOST_CALLS)
    business.say("shut out", SHUT_OUT)
    for _ in range(STEPS):
        business.wait(SHUT_OUT / STEPS)
        await work(business, draw)
        await pay(business, draw)
    business.double.faults.clear()


async def _do(business: Business, deed: Deed, seed: float) -> None:
    with with_luck(Luck(Random(seed), DIES)):
        await deed(business, Random(seed))


async def _settle_down(business: Business, draw: Random) -> datetime:
    """Let time pass, and everybody do their work; say when the latest payments were seen."""
    business.double.faults.clear()
    go_on_paying(business, draw)
    is_deaf = draw.random() < IS_DEAF
    looked_at = business.clock.now
    for hours in HOPS:
        business.wait(timedelta(hours=hours))
        _listen(business, draw, is_lost=float(is_deaf))
        await _tell_all(business, draw)
        await work(business, draw)
        if hours < 1:
            looked_at = business.clock.now
        elif not await _is_promised(business):
            break
    till, now = business.tills[0], business.clock.now
    await till.database.write(Caller(business.slug), lambda tx: tx.execute(LOOK_NO_MORE))
    # Whatever was missed in long nights is seen on the next day.
    await comparing.compare(till, business.slug, back=comparing.LOOKS_FAR_BACK, now=now)
    await work(business, draw)
    return looked_at


async def _tell_all(business: Business, draw: Random) -> None:
    """Tell all there is to tell; what is not heard comes again, but not for ever."""
    for _ in range(MOST_TELLINGS):
        if not business.news:
            return
        await tell(business, draw)


async def _is_promised(business: Business) -> bool:
    async with business.tills[0].database.read(Caller(business.slug)) as tx:
        return bool(await tx.scalar(PROMISED_JOBS))


def _listen(business: Business, draw: Random, *, is_lost: float = IS_LOST) -> None:
    """Take what Stripe has to tell; some of it is lost for good."""
    found = business.double.take_deliveries()
    business.news += [each for each in found if draw.random() >= is_lost]
