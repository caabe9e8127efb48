"""What owners change about their account: its name and its time zone (A7).

Slug and currency never change. A new zone counts from then on, for every notice, opening and
validity that is worked out later. What was issued keeps the expiry it was issued with.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypedDict

from sqlalchemy import bindparam, update

from classbolt import checks
from classbolt.accounts import Account
from classbolt.db import Tx
from classbolt.opening import zone_named
from classbolt.tables import accounts
from classbolt.values import Actor, Permission


class AccountChanges(TypedDict, total=False):
    """What may change about an account."""

    name: str
    time_zone: str


async def update_account(tx: Tx, actor: Actor, changes: AccountChanges) -> Account:
    """Change the account; who reads it in `tx` from then on finds the change.

    Raises:
        Forbidden: The actor does not run the account.
        InvalidInput: The name cannot be stored, or the zone is not one.
    """
    actor.require(Permission.RUN_ACCOUNT)
    columns: dict[str, Any] = {}
    changed = tx.account
    if "name" in changes:
        changed = replace(changed, name=checks.text(changes["name"], "name"))
        columns["name"] = changed.name
    if "time_zone" in changes:
        changed = replace(changed, time_zone=zone_named(changes["time_zone"], "timeZone"))
        columns["time_zone"] = changed.time_zone.key
    if columns:
        statement = update(accounts).where(accounts.c.id == bindparam("account"))
        await tx.execute(statement.values(columns))
        tx.account = changed
    return changed
