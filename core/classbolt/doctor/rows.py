"""What must be true of the rows of all accounts, whoever wrote them: J1 to J7, as statements.

Each statement finds the rows that break one rule: their account and their id, and nothing that
people typed. It joins and sums up whole tables, because a question asked again for every row
would take hours on a large database, and it means the same on SQLite and on PostgreSQL. To hold
the rows to one more rule, add it to `places` or `credits`, and to docs/operating.md.
"""

from __future__ import annotations

from sqlalchemy import String, bindparam, literal, select

from classbolt.doctor.credits import CREDITS
from classbolt.doctor.invariant import Invariant, invariant
from classbolt.doctor.money import MONEY
from classbolt.doctor.places import PLACES
from classbolt.jobs import IS_WANTED
from classbolt.tables import jobs

INVARIANTS: tuple[Invariant, ...] = (*PLACES, *CREDITS, *MONEY)

DEAD_JOBS = invariant(
    "JOB_DEAD",
    "what was promised has been done, or is still tried",
    "jobs",
    "SELECT account_id, id FROM jobs WHERE died_at IS NOT NULL",
)
"""Nothing is wrong with the rows, but somebody is waiting."""

OVERDUE_JOBS = Invariant(
    "JOB_OVERDUE",
    "what was promised is done within an hour of when it is due",
    select(literal("jobs", String()).label("source"), jobs.c.account_id, jobs.c.id).where(
        jobs.c.died_at.is_(None), jobs.c.run_at < bindparam("overdue"), IS_WANTED
    ),
)
"""Asks for `overdue`: what was due before that moment waits for too long.

Who takes a job, or fails at it, moves its moment ahead: such a job is not meant.
"""
