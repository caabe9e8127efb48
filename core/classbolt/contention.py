"""Tell contention from failure: which database errors say that others wanted the same rows."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError

CONTENTION = frozenset({"40001", "40P01", "55P03"})
"""PostgreSQL's serialization failure, deadlock and lock timeout."""


def is_contention(error: DBAPIError) -> bool:
    """Say whether doing the whole transaction again may succeed."""
    cause = error.orig
    if isinstance(cause, sqlite3.OperationalError):
        return cause.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
    return getattr(cause, "sqlstate", None) in CONTENTION
