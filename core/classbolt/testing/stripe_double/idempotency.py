"""Idempotency keys: the first answer to a request is the answer to all that repeat it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from classbolt.testing.stripe_double.errors import Refused, malformed
from classbolt.testing.stripe_double.store import Store

KEPT_SECONDS: Final = 24 * 60 * 60
LONGEST: Final = 255

FORGET = "DELETE FROM answers WHERE at <= :before"
FIND = "SELECT asked, status, body FROM answers WHERE account = :account AND key = :key"
REMEMBER = """
INSERT OR REPLACE INTO answers (account, key, asked, status, body, at)
VALUES (:account, :key, :asked, :status, :body, :at)
"""

Answer = tuple[int, dict[str, Any]]


def fingerprint(method: str, path: str, params: Mapping[str, Any]) -> str:
    """Say what was asked for, so that two requests can be compared."""
    return json.dumps([method, path, params], sort_keys=True)


def recall(store: Store, account: str, key: str, asked: str, *, now: int) -> Answer | None:
    """Give the answer that was given under the key, if there was one.

    Raises:
        Refused: Something else was asked for under it, or it is no key.
    """
    if len(key) > LONGEST:
        raise malformed(f"Idempotency keys can have up to {LONGEST} characters.")
    store.run(FORGET, before=now - KEPT_SECONDS)
    found = store.run(FIND, account=account, key=key).fetchone()
    if found is None:
        return None
    if found["asked"] != asked:
        raise Refused(
            400,
            "idempotency_error",
            "Keys for idempotent requests can only be used with the same parameters they were "
            f"first used with. Try using a key other than '{key}' if you meant to execute a "
            "different request.",
            is_saved=False,
        )
    return found["status"], json.loads(found["body"])


def remember(
    store: Store, account: str, key: str, asked: str, answer: Answer, *, now: int
) -> None:
    """Keep the answer, to give it again."""
    status, body = answer
    store.run(
        REMEMBER,
        account=account,
        key=key,
        asked=asked,
        status=status,
        body=json.dumps(body),
        at=now,
    )


def in_use(key: str) -> Refused:
    """Make the answer to a request that is still being answered."""
    return Refused(
        409,
        "idempotency_error",
        f"There is currently another in-progress request using this Idempotent Key: {key}.",
        code="idempotency_key_in_use",
        is_saved=False,
    )
