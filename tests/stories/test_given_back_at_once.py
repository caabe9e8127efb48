"""Two hear at the same time what others gave back of a payment: what is counted is the whole.

H4, H5. Stripe refuses a refund of ours because others gave some of the money back; meanwhile
somebody gives more of it back, and a webhook tells of both. Only PostgreSQL lets two write at
the same time: SQLite's writer is alone.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import select, text

from classbolt import refund_news, refunds
from classbolt.db import Caller, Tx
from classbolt.refunds import THAT_PAYMENT
from classbolt.stripe_facts import StripeRefund
from classbolt.tables import card_payments
from classbolt.tables import refunds as refunds_table
from classbolt.values import RefundId
from counter import Counter

pytestmark = pytest.mark.parametrize("kind", ["postgresql"], indirect=True)

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
WAITING += " AND wait_event_type = 'Lock'"
COUNTED = select(
    card_payments.c.refunded_minor.label("ours"),
    card_payments.c.refunded_elsewhere_minor.label("others"),
)
PROMISED = select(refunds_table.c.id).where(refunds_table.c.cause == refunds.LATE)
WITHOUT_LOCK = select(card_payments.c.payment_id).where(*THAT_PAYMENT)


async def somebody_waits(counter: Counter) -> None:
    """Wait until a transaction waits for another."""
    is_waiting = False
    async with asyncio.timeout(30):
        while not is_waiting:
            async with counter.till.database.read(Caller(counter.studio.slug)) as tx:
                is_waiting = bool(await tx.scalar(text(WAITING)))


async def hear_at_once(counter: Counter) -> tuple[int, int]:
    """Hear of 700 while a refusal is noted that knows of 500 only, and say what is counted."""
    booked = await counter.returned()
    await counter.refund_elsewhere(booked, 500)
    await counter.tell(counter.news())
    await counter.refund_elsewhere(booked, 700)
    first, second = (at_stripe(each) for each in counter.double.objects("refund"))
    caller, now = Caller(counter.studio.slug), counter.studio.clock.now
    async with counter.till.database.read(caller) as tx:
        wanted = await refunds.find_refund(tx, RefundId(await tx.scalar(PROMISED)))
    assert wanted is not None
    is_heard = asyncio.Event()

    async def hear(tx: Tx) -> None:
        await tx.execute(refund_news.LOCK, {"payment": wanted.payment_id})
        await refund_news.note_all(tx, wanted.payment_id, [first, second], now=now)
        is_heard.set()
        await somebody_waits(counter)

    async def be_refused(tx: Tx) -> None:
        await refund_news.note_refused(tx, wanted, "too_much", [first], now=now)

    async with asyncio.TaskGroup() as both:
        both.create_task(counter.till.database.write(caller, hear))
        await is_heard.wait()
        both.create_task(counter.till.database.write(caller, be_refused))
    async with counter.till.database.read(caller) as tx:
        (counted,) = await tx.all(COUNTED)
    return int(counted.ours), int(counted.others)


def at_stripe(refund: dict[str, Any]) -> StripeRefund:
    """Say of a refund what the gateway says."""
    return StripeRefund(
        refund["id"], refund["payment_intent"], refund["status"], refund["amount"], None, None
    )


async def test_the_rest_is_promised_of_what_two_heard_at_the_same_time(ola: Counter) -> None:
    assert await hear_at_once(ola) == (4800, 1200)

    await ola.work()
    assert ola.refunded() == [500, 700, 4800]


async def test_an_older_sum_is_written_if_the_payment_is_not_locked_first(
    ola: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Say what the lock is for; hearing once more puts it right."""
    monkeypatch.setattr(refund_news, "LOCK", WITHOUT_LOCK)
    assert await hear_at_once(ola) == (5500, 500)

    await ola.tell(ola.news())
    await ola.work()
