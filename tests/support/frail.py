"""A process that is slow, and that may die, at each step of speaking with Stripe.

What it dies of leaves its transactions as they are: committed, or never begun. Whoever goes on
after it knows nothing of what it was about to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any, TypeVar

from classbolt.stripe_facts import Intent, StripeDispute, StripeRefund
from classbolt.stripe_gateway import StripeGateway

T = TypeVar("T")

SLOW_SECONDS = 0.004
"""How long a step takes at most: long enough for others to get in between."""


class Died(Exception):
    """The process ended here."""


@dataclass(frozen=True)
class Luck:
    """What somebody's process meets with.

    Attributes:
        draw: Decides, so that a seed decides.
        dies: How likely it is to die before a step, and once more after it.
    """

    draw: Random
    dies: float = 0.0

    async def step(self, call: Callable[[], Awaitable[T]]) -> T:
        """Do something at Stripe, and live to hear of it.

        Raises:
            Died: It was not done, or nobody heard of it.
        """
        await self._live()
        answer = await call()
        await self._live()
        return answer

    async def _live(self) -> None:
        await asyncio.sleep(self.draw.uniform(0, SLOW_SECONDS))
        if self.draw.random() < self.dies:
            raise Died


LUCK: ContextVar[Luck | None] = ContextVar("luck", default=None)


@contextmanager
def with_luck(luck: Luck) -> Iterator[None]:
    """Let a process, and the jobs that it begins, meet with something."""
    token = LUCK.set(luck)
    try:
        yield
    finally:
        LUCK.reset(token)


class FrailGateway(StripeGateway):
    """Speaks with Stripe as ours does, in a process that may be slow and may die."""

    async def create_intent(self, *asked: Any, **more: Any) -> Intent:
        return await _step(partial(super().create_intent, *asked, **more))

    async def find_intent(self, *asked: Any, **more: Any) -> Intent:
        return await _step(partial(super().find_intent, *asked, **more))

    async def cancel_intent(self, *asked: Any, **more: Any) -> Intent:
        return await _step(partial(super().cancel_intent, *asked, **more))

    async def refund(self, *asked: Any, **more: Any) -> StripeRefund:
        return await _step(partial(super().refund, *asked, **more))

    async def refunds_of(self, *asked: Any, **more: Any) -> list[StripeRefund]:
        return await _step(partial(super().refunds_of, *asked, **more))

    async def disputes_of(self, *asked: Any, **more: Any) -> list[StripeDispute]:
        return await _step(partial(super().disputes_of, *asked, **more))

    async def intents_begun(self, *asked: Any, **more: Any) -> AsyncIterator[Intent]:
        found = super().intents_begun(*asked, **more)
        for each in await _step(partial(_all_of, found)):
            yield each


async def _all_of(found: AsyncIterator[Intent]) -> list[Intent]:
    return [each async for each in found]


async def _step(call: Callable[[], Awaitable[T]]) -> T:
    luck = LUCK.get()
    return await (call() if luck is None else luck.step(call))
