"""Schedules: work that an account has again and again, such as looking after its payments.

A schedule is a row that says when its kind of work is due next. Whoever moves that moment on
promises the job in the same transaction, and only who finds it due can move it: however many
workers look at once, each time is promised once. What is still waiting from the time before is
not promised a second time: what cannot be done for a day would otherwise pile up. Nor is what
was missed made up for: work that comes again looks at everything, or takes turns at it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from classbolt.db import Tx
from classbolt.jobs import NewJob, as_row
from classbolt.tables import jobs, schedules

MOST: Final = 100
"""How many accounts' schedules of a kind are moved on in one transaction."""

ANY_DUE = (
    select(schedules.c.kind)
    .where(
        schedules.c.next_at <= bindparam("now"),
        schedules.c.kind.in_(bindparam("kinds", expanding=True)),
    )
    .limit(1)
)
# Apart from the UPDATE, or PostgreSQL might look for them, and lock them, more than once.
DUE = (
    select(schedules.c.account_id)
    .where(
        schedules.c.kind == bindparam("of_kind"),
        schedules.c.next_at <= bindparam("now"),
    )
    .order_by(schedules.c.next_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
    .cte("due")
)
MOVE_ON = (
    update(schedules)
    .where(
        schedules.c.kind == bindparam("of_kind"),
        schedules.c.account_id.in_(select(DUE.c.account_id)),
    )
    .values(next_at=bindparam("later"))
    .returning(schedules.c.account_id)
)
STILL_WAITING = select(jobs.c.account_id).where(
    jobs.c.account_id.in_(bindparam("accounts", expanding=True)),
    jobs.c.kind == bindparam("of_kind"),
    jobs.c.died_at.is_(None),
)


async def start(tx: Tx, kind: str, *, now: datetime) -> None:
    """Let a kind of work come again and again, from now on; it may have been begun before."""
    await tx.insert_new(schedules, {"kind": kind, "next_at": now})


async def is_any_due(
    connection: AsyncConnection, kinds: Collection[str], *, now: datetime
) -> bool:
    """Say whether it is time for any such work, without waiting for who writes."""
    if not kinds:
        return False
    found = await connection.execute(ANY_DUE, {"kinds": list(kinds), "now": now})
    return found.first() is not None


async def promise_due(
    connection: AsyncConnection, every: Mapping[str, timedelta], *, now: datetime
) -> int:
    """Promise what it is time for, in all accounts, and say how many jobs that made.

    Args:
        every: How long after each other the work of each kind is due.
    """
    promised = [
        await _promise(connection, kind, period, now=now) for kind, period in every.items()
    ]
    return sum(promised)


async def _promise(
    connection: AsyncConnection, kind: str, period: timedelta, *, now: datetime
) -> int:
    asked = {"of_kind": kind, "now": now, "later": now + period, "most": MOST}
    moved = (await connection.execute(MOVE_ON, asked)).scalars().all()
    if not moved:
        return 0
    named = {"of_kind": kind, "accounts": moved}
    waiting = set((await connection.execute(STILL_WAITING, named)).scalars())
    rows = [
        {**as_row(NewJob(kind, {}), now=now), "account_id": each}
        for each in moved
        if each not in waiting
    ]
    if rows:
        await connection.execute(insert(jobs), rows)
    return len(rows)
