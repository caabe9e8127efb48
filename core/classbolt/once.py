"""Answer what is asked again as it was answered first: whatever was done is done once.

A client that got no answer cannot know whether it was heard. If it named its request, by a key
of its own, it can ask again. The key is written before anything else, in the transaction of the
effect: a twin that comes meanwhile waits for it, and finds either nothing, because nothing was
done, or the answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import JSON, bindparam, delete, null, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from classbolt import checks
from classbolt.checks import mine
from classbolt.db import Tx
from classbolt.errors import IdempotencyKeyReused, TryAgain
from classbolt.tables import idempotency_keys
from classbolt.values import Actor

KEPT: Final = timedelta(hours=72)
LONGEST_KEY: Final = 100
NOBODY: Final = UUID(int=0)
"""Stands for who has no id, such as the system itself."""

Answer = Mapping[str, Any]

THAT_ONE = (
    mine(idempotency_keys),
    idempotency_keys.c.actor_id == bindparam("actor"),
    idempotency_keys.c.key_digest == bindparam("digest"),
)
FIND = select(
    idempotency_keys.c.fingerprint,
    idempotency_keys.c.answer,
    idempotency_keys.c.asked_at,
).where(*THAT_ONE)
RENEW = (
    update(idempotency_keys)
    .where(*THAT_ONE, idempotency_keys.c.asked_at == bindparam("before"))
    .values(
        fingerprint=bindparam("asked"),
        answer=null(),
        asked_at=bindparam("now"),
    )
    .returning(idempotency_keys.c.key_digest)
)
REMEMBER = (
    update(idempotency_keys).where(*THAT_ONE).values(answer=bindparam("answered", type_=JSON))
)
FORGET = delete(idempotency_keys).where(idempotency_keys.c.asked_at <= bindparam("until"))


async def recall(
    tx: Tx, actor: Actor, key: str, fingerprint: str, *, now: datetime
) -> Answer | None:
    """Give the answer that was given under a key; None if it is asked for the first time.

    Args:
        fingerprint: Tells what is asked for from everything else.

    Raises:
        InvalidInput: The key cannot be stored.
        IdempotencyKeyReused: Something else was asked for under this key.
        TryAgain: It was asked for at the same moment under a key that has expired.
    """
    named = _named(actor, checks.text(key, "idempotencyKey", most=LONGEST_KEY))
    row = {
        "actor_id": named["actor"],
        "key_digest": named["digest"],
        "fingerprint": fingerprint,
        "asked_at": now,
    }
    if await tx.insert_new(idempotency_keys, row):
        return None
    found = await tx.one(FIND, named)
    if found is None:
        raise TryAgain  # forgotten in this very moment
    if found.asked_at <= now - KEPT:
        renewed = {**named, "asked": fingerprint, "before": found.asked_at, "now": now}
        if await tx.scalar(RENEW, renewed) is None:
            raise TryAgain
        return None
    if found.fingerprint != fingerprint:
        raise IdempotencyKeyReused().at("idempotencyKey")
    answer: Answer = found.answer
    return answer


async def remember(tx: Tx, actor: Actor, key: str, answer: Answer) -> None:
    """Keep the answer to what has just been done under a key."""
    await tx.execute(REMEMBER, {**_named(actor, key), "answered": dict(answer)})


async def forget_old(connection: AsyncConnection, *, now: datetime) -> None:
    """Forget, in all accounts, what nobody can ask for again."""
    await connection.execute(FORGET, {"until": now - KEPT})


def _named(actor: Actor, key: str) -> dict[str, Any]:
    digest = hashlib.sha256(key.strip().encode()).hexdigest()
    return {"actor": actor.id or NOBODY, "digest": digest}
