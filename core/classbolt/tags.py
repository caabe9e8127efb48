"""Tags: the words that must match between a credit and a session.

Compared by id, within one account (E5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select

from classbolt import checks
from classbolt.checks import mine
from classbolt.db import Tx
from classbolt.errors import InvalidInput
from classbolt.tables import tags
from classbolt.values import Actor, Permission, TagId, new_id


@dataclass(frozen=True, slots=True)
class Tag:
    """A word of the account's own."""

    id: TagId
    name: str


TAGS = select(tags.c.id, tags.c.name).where(mine(tags)).order_by(tags.c.name)
TAGS_BY_ID = TAGS.where(tags.c.id.in_(bindparam("ids", expanding=True)))
MOST_TAGS = 100


async def create_tag(tx: Tx, actor: Actor, name: str, *, now: datetime) -> Tag:
    """Add a tag to the account.

    Raises:
        Forbidden: The actor does not set up the account.
        InvalidInput: The name cannot be stored or is taken, or there are too many tags.
    """
    actor.require(Permission.SET_UP)
    tag = Tag(TagId(new_id()), checks.text(name, "name", most=100))
    if len(await list_tags(tx)) >= MOST_TAGS:
        raise InvalidInput(f"An account has at most {MOST_TAGS} tags.", "name")
    if not await tx.insert_new(tags, {"id": tag.id, "name": tag.name, "created_at": now}):
        raise InvalidInput("There is a tag of this name already.", "name")
    return tag


async def list_tags(tx: Tx) -> list[Tag]:
    """List all tags of the account by name; there are never many."""
    return [Tag(*row) for row in await tx.all(TAGS)]


async def find_tags(tx: Tx, ids: Sequence[TagId]) -> Mapping[TagId, Tag]:
    """Find tags by id."""
    return {row.id: Tag(*row) for row in await tx.all(TAGS_BY_ID, {"ids": list(ids)})}
