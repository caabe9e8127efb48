"""Switch bolt-ons on and off per account, with a line of history for every change.

Off means suspended: nothing is deleted, nothing is retroactive, and on again is as it was (I3).
The switch counts for every transaction that begins after its commit (I6). The account's row is
locked while one is changed, so that two rivals cannot be switched on at the same moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select, update

from classbolt.bolt_ons import BoltOns
from classbolt.checks import mine
from classbolt.db import Tx
from classbolt.errors import BoltOnConflict, NotFound
from classbolt.hooks import BoltOnInfo
from classbolt.tables import accounts, bolt_on_changes, bolt_on_switches
from classbolt.values import Actor, Permission, new_id


@dataclass(frozen=True, slots=True)
class Switch:
    """An installed bolt-on as an account sees it."""

    info: BoltOnInfo
    enabled: bool


@dataclass(frozen=True, slots=True)
class Change:
    """A line of a switch's history."""

    code: str
    enabled: bool
    actor_kind: str
    actor_id: UUID | None
    changed_at: datetime


LOCK_ACCOUNT = (
    select(accounts.c.id)
    .where(accounts.c.id == bindparam("account"))
    .with_for_update(key_share=True)
)
ENABLED = select(bolt_on_switches.c.code).where(
    mine(bolt_on_switches), bolt_on_switches.c.enabled
)
SET = (
    update(bolt_on_switches)
    .where(mine(bolt_on_switches), bolt_on_switches.c.code == bindparam("bolt_on"))
    .values(enabled=bindparam("on"), changed_at=bindparam("now"))
    .returning(bolt_on_switches.c.code)
)
CHANGES = (
    select(
        bolt_on_changes.c.code,
        bolt_on_changes.c.enabled,
        bolt_on_changes.c.actor_kind,
        bolt_on_changes.c.actor_id,
        bolt_on_changes.c.changed_at,
    )
    .where(mine(bolt_on_changes))
    .order_by(bolt_on_changes.c.changed_at.desc(), bolt_on_changes.c.id.desc())
    .limit(100)
)


def list_switches(tx: Tx, bolt_ons: BoltOns) -> list[Switch]:
    """List the installed bolt-ons and whether the account has them on."""
    return [
        Switch(bolt_on.info, code in tx.account.enabled)
        for code, bolt_on in bolt_ons.installed.items()
    ]


async def list_changes(tx: Tx, actor: Actor) -> Sequence[Change]:
    """List the last hundred changes, the latest first.

    Raises:
        Forbidden: The actor may not switch bolt-ons.
    """
    actor.require(Permission.SWITCH_BOLT_ONS)
    return [Change(*row) for row in await tx.all(CHANGES)]


async def enable(
    tx: Tx, actor: Actor, code: str, bolt_ons: BoltOns, *, now: datetime
) -> Switch:
    """Switch a bolt-on on; if it is on already, nothing changes.

    Raises:
        Forbidden: The actor may not switch bolt-ons.
        NotFound: No such bolt-on is installed.
        BoltOnConflict: Another one is missing, or in its way.
    """
    switch, enabled = await _prepare(tx, actor, code, bolt_ons)
    for needed in switch.info.requires:
        if needed not in enabled:
            raise BoltOnConflict(needed, f"{code} needs the bolt-on {needed} to be on.")
    others = {
        other: bolt_ons.installed[other].info for other in enabled & set(bolt_ons.installed)
    }
    for other, info in sorted(others.items()):
        if other in switch.info.conflicts or code in info.conflicts:
            raise BoltOnConflict(other, f"{code} cannot be on together with {other}.")
    for rival in bolt_ons.rivals(code, enabled):
        raise BoltOnConflict(
            rival, f"{code} cannot be on together with {rival}: one may decide."
        )
    if code not in enabled:
        await _set(tx, actor, code, enabled=True, now=now)
    return Switch(switch.info, enabled=True)


async def disable(
    tx: Tx, actor: Actor, code: str, bolt_ons: BoltOns, *, now: datetime
) -> Switch:
    """Switch a bolt-on off; its data stays. If it is off already, nothing changes.

    Raises:
        Forbidden: The actor may not switch bolt-ons.
        NotFound: No such bolt-on is installed.
        BoltOnConflict: Another one that is on needs it.
    """
    switch, enabled = await _prepare(tx, actor, code, bolt_ons)
    for other in sorted(enabled & set(bolt_ons.installed)):
        if code in bolt_ons.installed[other].info.requires:
            raise BoltOnConflict(other, f"{other} needs {code}; switch {other} off first.")
    if code in enabled:
        await _set(tx, actor, code, enabled=False, now=now)
    return Switch(switch.info, enabled=False)


async def _prepare(
    tx: Tx,
    actor: Actor,
    code: str,
    bolt_ons: BoltOns,
) -> tuple[Switch, frozenset[str]]:
    """Lock the account's switches and read them as they now stand."""
    actor.require(Permission.SWITCH_BOLT_ONS)
    if code not in bolt_ons.installed:
        raise NotFound("No bolt-on of this name is installed.").at("boltOn")
    await tx.lock(LOCK_ACCOUNT)
    enabled = frozenset(row.code for row in await tx.all(ENABLED))
    return Switch(bolt_ons.installed[code].info, code in enabled), enabled


async def _set(tx: Tx, actor: Actor, code: str, *, enabled: bool, now: datetime) -> None:
    if await tx.scalar(SET, {"bolt_on": code, "on": enabled, "now": now}) is None:
        row = {"code": code, "enabled": enabled, "changed_at": now}
        await tx.insert(bolt_on_switches, row)
    await tx.insert(
        bolt_on_changes,
        {
            "id": new_id(),
            "code": code,
            "enabled": enabled,
            "actor_kind": actor.kind,
            "actor_id": actor.id,
            "changed_at": now,
        },
    )
