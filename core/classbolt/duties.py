"""The jobs that core itself has: what payments by card leave to be done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

import structlog

from classbolt import cards, comparing, paying, refunds
from classbolt.card_rules import Because
from classbolt.errors import TryAgain
from classbolt.jobs import Job
from classbolt.paying import Till
from classbolt.stripe_facts import StripeRefused, StripeUnclear
from classbolt.stripe_links import COMPARE, COMPARE_OLD
from classbolt.values import PaymentId, RefundId
from classbolt.worker import JOB_SECONDS, Duty

COMPARE_SECONDS = JOB_SECONDS - 5

log = structlog.get_logger(__name__)


def duties(till: Till) -> Mapping[str, Duty]:
    """List them by kind."""

    async def expire(job: Job, now: datetime) -> None:
        payment_id = PaymentId(UUID(job.payload["payment"]))
        await paying.give_up(till, job.account, payment_id, Because.TIMEOUT, now=now)

    async def send(job: Job, now: datetime) -> None:
        await paying.refund(till, job.account, RefundId(UUID(job.payload["refund"])), now=now)

    async def compare(job: Job, now: datetime) -> None:
        async with _coming_again(job):
            await comparing.compare(till, job.account, back=comparing.LOOKS_BACK, now=now)

    async def compare_old(job: Job, now: datetime) -> None:
        async with _coming_again(job):
            await comparing.compare_day(till, job.account, now=now)

    return {
        cards.EXPIRE: Duty(expire),
        refunds.SEND: Duty(send),
        COMPARE: Duty(compare, comparing.COMPARE_EVERY),
        COMPARE_OLD: Duty(compare_old, comparing.COMPARE_OLD_EVERY),
    }


@asynccontextmanager
async def _coming_again(job: Job) -> AsyncIterator[None]:
    """Let what is promised again and again not be tried until it is dead.

    It ends before the worker would end it: then it would wait for hours to be tried again.
    """
    try:
        async with asyncio.timeout(COMPARE_SECONDS):
            yield
    except (StripeRefused, StripeUnclear, TimeoutError, TryAgain) as no:
        reason = str(no) or type(no).__name__
        log.warning("payments_not_compared", account=job.account, reason=reason)
