"""What was promised in a transaction and is done after its commit."""

from __future__ import annotations

from sqlalchemy import JSON, CheckConstraint, Column, Index, Integer, String, Table

from classbolt.columns import Instant, Key
from classbolt.tables.base import account_column, id_column, metadata

jobs = Table(
    "jobs",
    metadata,
    account_column(),
    id_column(),
    Column("kind", String(100), nullable=False),
    # Whom it is for; it waits while the account has that bolt-on off.
    Column("bolt_on", String(40)),
    Column("payload", JSON, nullable=False),
    Column("enqueued_at", Instant, nullable=False),
    # When it is due; while somebody does it, when others may take it from them.
    Column("run_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    # How many of them nobody ever ended.
    Column("lost", Integer, nullable=False, server_default="0"),
    # Who does it: a new key each time that it is taken.
    Column("lease", Key),
    Column("last_failure", String(100)),
    Column("died_at", Instant),
    CheckConstraint("lost BETWEEN 0 AND attempts", name="attempts"),
    CheckConstraint("died_at IS NULL OR lease IS NULL", name="dead"),
)
# A worker works for all accounts, and asks many times a minute.
Index(
    "ix_jobs_due",
    jobs.c.run_at,
    sqlite_where=jobs.c.died_at.is_(None),
    postgresql_where=jobs.c.died_at.is_(None),
)
Index(
    "ix_jobs_dead",
    jobs.c.account_id,
    jobs.c.died_at,
    jobs.c.id,
    sqlite_where=jobs.c.died_at.is_not(None),
    postgresql_where=jobs.c.died_at.is_not(None),
)

# Work that comes again and again: who moves `next_at` on promises the job, in one transaction.
schedules = Table(
    "schedules",
    metadata,
    account_column(),
    Column("kind", String(100), primary_key=True),
    Column("next_at", Instant, nullable=False),
)
Index("ix_schedules_next", schedules.c.next_at)
