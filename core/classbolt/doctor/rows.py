"""What must be true of the rows of all accounts, whoever wrote them: J1 to J7, as statements.

Each statement finds the rows that break one rule: their account and their id, and nothing that
people typed. It joins and sums up whole tables, because a question asked again for every row
would take hours on a large database, and it means the same on SQLite and on PostgreSQL. To hold
the rows to one more rule, add it to `places` or `credits`, and to docs/operating.md.
"""

from __future__ import annotations

from classbolt.doctor.credits import CREDITS
from classbolt.doctor.invariant import Invariant, invariant
from classbolt.doctor.places import PLACES

INVARIANTS: tuple[Invariant, ...] = (*PLACES, *CREDITS)

DEAD_JOBS = invariant(
    "JOB_DEAD",
    "what was promised has been done, or is still tried",
    "jobs",
    "SELECT account_id, id FROM jobs WHERE died_at IS NOT NULL",
)
"""Nothing is wrong with the rows, but somebody is waiting."""
