"""Faults on demand: what goes wrong between a Stripe that works and whoever asks it.

What matters is when: before anything has been done, or after, when only the answer is lost. An
endpoint's own 500 is remembered by the idempotency key, as Stripe documents; what stands in
front of the endpoints, and answers 429 or 503, knows nothing of keys.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from classbolt.testing.stripe_double.errors import Refused, out_of_order


class ConnectionLost(ConnectionError):
    """The connection is closed without an answer."""


@dataclass(slots=True)
class Fault:
    """What goes wrong with the next requests that it is for.

    Attributes:
        status: What is answered instead; none if the answer is only late or lost.
        is_lost: Whether the connection is closed without an answer.
        delay: How many seconds pass first.
        after_effect: Whether what was asked for has been done by then.
        path_prefix: Which requests it is for.
        method: Which of them, if not all.
        left: How often it still happens.
    """

    status: int | None
    is_lost: bool
    delay: float
    after_effect: bool
    path_prefix: str
    method: str | None
    left: int

    def concerns(self, method: str, path: str) -> bool:
        """Say whether it is for this request."""
        return path.startswith(self.path_prefix) and self.method in (None, method)

    async def strike(self) -> None:
        """Let it go wrong.

        Raises:
            ConnectionLost: The answer is lost.
            Refused: Something else is answered.
        """
        await asyncio.sleep(self.delay)
        if self.is_lost:
            raise ConnectionLost
        if self.status:
            raise self.refusal()

    def refusal(self) -> Refused:
        """Give what is answered instead."""
        return out_of_order(self.status or 500)


def take_fault(faults: list[Fault], method: str, path: str) -> Fault | None:
    """Give what goes wrong with this request, if anything does."""
    found = next((each for each in faults if each.concerns(method, path)), None)
    if found:
        found.left -= 1
        if found.left < 1:
            faults.remove(found)
    return found
