"""Where the double keeps what it knows: one SQLite database, in memory or in a file.

Every request is one transaction: what it did, the events it made and the answer that its
idempotency key remembers are there together or not at all, so that the process can be killed at
any moment. Nothing is awaited inside a transaction.
"""

from __future__ import annotations

import json
import sqlite3
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any, Final

from classbolt.testing.stripe_double.errors import Refused

Object = dict[str, Any]
"""Something of Stripe's, as its API shows it; to change it is to put a newer one."""

TABLES: Final = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS objects (
  position INTEGER PRIMARY KEY, account TEXT NOT NULL, object TEXT NOT NULL,
  id TEXT NOT NULL UNIQUE, created INTEGER NOT NULL, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS objects_of_account ON objects (account, object, position);
CREATE TABLE IF NOT EXISTS keys (key TEXT PRIMARY KEY, account TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS connections (account TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS answers (
  account TEXT NOT NULL, key TEXT NOT NULL, asked TEXT NOT NULL, status INTEGER NOT NULL,
  body TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (account, key)
);
CREATE TABLE IF NOT EXISTS endpoints (
  id TEXT PRIMARY KEY, account TEXT NOT NULL, connect INTEGER NOT NULL, secret TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS deliveries (
  id INTEGER PRIMARY KEY, event TEXT NOT NULL, endpoint TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0, due INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS promises (
  refund TEXT PRIMARY KEY, status TEXT NOT NULL, due INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""
PUT: Final = """
INSERT INTO objects (account, object, id, created, body)
VALUES (:account, :object, :id, :created, :body)
ON CONFLICT (id) DO UPDATE SET body = excluded.body
"""


class Store:
    """An open database."""

    def __init__(self, path: Path | None = None) -> None:
        """Open the file, or a database in memory that is gone with this object."""
        self._lock = RLock()
        self._connection = sqlite3.connect(
            path or ":memory:", isolation_level=None, check_same_thread=False
        )
        self._connection.row_factory = sqlite3.Row
        self._connection.executescript(TABLES)
        self._close = weakref.finalize(self, self._connection.close)

    def close(self) -> None:
        """Let go of the file."""
        self._close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do what is inside altogether or not at all; one inside another belongs to it.

        A declined card undoes nothing.
        """
        with self._lock:
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException as error:  # whatever ends it ends the transaction
                is_kept = isinstance(error, Refused) and error.leaves_effects
                self._connection.execute("COMMIT" if is_kept else "ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Within a transaction, undo what is inside if it is refused, and only that."""
        self._connection.execute("SAVEPOINT attempt")
        try:
            yield
        except Refused as refused:
            if not refused.leaves_effects:
                self._connection.execute("ROLLBACK TO attempt")
            raise
        finally:
            self._connection.execute("RELEASE attempt")

    def run(self, statement: str, **values: Any) -> sqlite3.Cursor:
        """Run a statement and give its rows."""
        return self._connection.execute(statement, values)

    def put(self, account: str, object_: Object) -> None:
        """Keep something new of the account, or what has become of something."""
        self.run(
            PUT,
            account=account,
            object=object_["object"],
            id=object_["id"],
            created=object_["created"],
            body=json.dumps(object_),
        )

    def find(self, id_: str) -> tuple[str, Object] | None:
        """Give what has the id and the account that it belongs to, whosever it is."""
        found = self.run("SELECT account, body FROM objects WHERE id = :id", id=id_).fetchone()
        return found and (found["account"], json.loads(found["body"]))
