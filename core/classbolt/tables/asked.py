"""What was asked for under a key, and how it was answered."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, String, Table

from classbolt.columns import Instant, Key
from classbolt.tables.base import account_column, metadata

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    account_column(),
    # Who asked: everybody has keys of their own.
    Column("actor_id", Key, primary_key=True),
    # Only a digest of it is kept: people put anything into a key, also names.
    Column("key_digest", String(64), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("answer", JSON),
    Column("asked_at", Instant, nullable=False),
)
# A worker forgets what is old, in all accounts at once.
Index("ix_idempotency_keys_old", idempotency_keys.c.asked_at)
