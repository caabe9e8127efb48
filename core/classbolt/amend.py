"""Amend what a customer holds: take its credits away, or let it be valid longer (D8).

A booking may want to spend at the same moment (X24). The bundle is locked before its balance is
read, and the UPDATE that takes it away says how much that is: whoever comes second finds the
bundle empty.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import bindparam, select, update

from classbolt import checks, holdings, ledger
from classbolt.checks import mine
from classbolt.db import Tx
from classbolt.disputes import credits_given
from classbolt.errors import InvalidInput, NotFound, TryAgain
from classbolt.facts import HeldBundle
from classbolt.ledger import Line, enter
from classbolt.payments import find_payments
from classbolt.tables import customer_bundles
from classbolt.values import Actor, CustomerBundleId, CustomerId, PaymentId, Permission

REVOKE = (
    update(customer_bundles)
    .where(
        mine(customer_bundles),
        customer_bundles.c.id.in_(bindparam("ids", expanding=True)),
        customer_bundles.c.balance == bindparam("left"),
        customer_bundles.c.revoked_at.is_(None),
    )
    .values(balance=0, revoked_at=bindparam("now"))
    .returning(customer_bundles.c.id)
)
EXTEND = (
    update(customer_bundles)
    .where(
        mine(customer_bundles),
        customer_bundles.c.id == bindparam("customer_bundle_id"),
        customer_bundles.c.revoked_at.is_(None),
        customer_bundles.c.expires_at <= bindparam("until"),
    )
    .values(expires_at=bindparam("until"))
    .returning(customer_bundles.c.id)
)
NOT_REVOKED = select(customer_bundles.c.id, customer_bundles.c.balance).where(
    mine(customer_bundles),
    customer_bundles.c.customer_id == bindparam("customer_id"),
    customer_bundles.c.revoked_at.is_(None),
)


async def revoke_bundle(
    tx: Tx,
    actor: Actor,
    customer_bundle_id: CustomerBundleId,
    *,
    note: str | None,
    now: datetime,
) -> HeldBundle:
    """Take away all credits that are left. Revoking it again changes nothing.

    Raises:
        Forbidden: The actor does not serve customers.
        NotFound: The customer bundle is unknown.
        InvalidInput: The note cannot be stored.
    """
    actor.require(Permission.SERVE_CUSTOMERS)
    if note is not None:
        note = checks.text(note, "note", most=ledger.LONGEST_NOTE)
    held = await _locked(tx, customer_bundle_id)
    if held.revoked_at is not None:
        return held
    await _revoke(tx, actor, {held.id: held.balance}, note, now)
    return replace(held, balance=0, revoked_at=now)


async def revoke_credits(
    tx: Tx, actor: Actor, payment_id: PaymentId, *, note: str | None, now: datetime
) -> list[HeldBundle]:
    """Take away what is left of the credits that a payment has earned or bought (X27).

    Returns:
        All of these bundles, also those that were spent: they say so by their ledger.

    Raises:
        Forbidden: The actor does not serve customers.
        NotFound: The payment is unknown.
        InvalidInput: The note cannot be stored.
    """
    actor.require(Permission.SERVE_CUSTOMERS)
    if note is not None:
        note = checks.text(note, "note", most=ledger.LONGEST_NOTE)
    if payment_id not in await find_payments(tx, [payment_id]):
        raise NotFound().at("payment")
    found = (await credits_given(tx, [payment_id]))[payment_id]
    await holdings.lock_bundles(tx, [each.id for each in found])
    held = (await credits_given(tx, [payment_id]))[payment_id]
    left = {each.id: each.balance for each in held if each.revoked_at is None}
    await _revoke(tx, actor, left, note, now)
    return (await credits_given(tx, [payment_id]))[payment_id]


async def revoke_bundles_of(
    tx: Tx, actor: Actor, customer_id: CustomerId, *, now: datetime
) -> None:
    """Take away everything that a customer holds."""
    await holdings.lock_bundles_of(tx, customer_id)
    rows = await tx.all(NOT_REVOKED, {"customer_id": customer_id})
    await _revoke(tx, actor, {row.id: row.balance for row in rows}, None, now)


async def extend_bundle(
    tx: Tx,
    actor: Actor,
    customer_bundle_id: CustomerBundleId,
    expires_at: datetime,
    *,
    now: datetime,
) -> HeldBundle:
    """Let a customer bundle be valid until a later moment, also when it had expired (D8).

    Raises:
        Forbidden: The actor does not serve customers.
        NotFound: The customer bundle is unknown.
        InvalidInput: It was revoked, or the moment has passed or lies before its expiry.
    """
    actor.require(Permission.SERVE_CUSTOMERS)
    checks.future(expires_at, now, "expiresAt")
    held = await _locked(tx, customer_bundle_id)
    if held.revoked_at is not None:
        raise InvalidInput("This bundle was revoked.", "customerBundle")
    until = {"customer_bundle_id": customer_bundle_id, "until": expires_at}
    if await tx.scalar(EXTEND, until) is None:
        raise InvalidInput("The bundle is valid for longer than that already.", "expiresAt")
    return replace(held, expires_at=expires_at)


async def _locked(tx: Tx, customer_bundle_id: CustomerBundleId) -> HeldBundle:
    await holdings.lock_bundles(tx, [customer_bundle_id])
    found = await holdings.find_held(tx, [customer_bundle_id])
    if customer_bundle_id not in found:
        raise NotFound().at("customerBundle")
    return found[customer_bundle_id]


async def _revoke(
    tx: Tx,
    actor: Actor,
    left: Mapping[CustomerBundleId, int],
    note: str | None,
    now: datetime,
) -> None:
    """Empty bundles that are locked, and enter what each of them lost.

    Raises:
        TryAgain: A balance has moved, so another request was first.
    """
    by_balance: dict[int, list[CustomerBundleId]] = defaultdict(list)
    for customer_bundle_id, balance in left.items():
        by_balance[balance].append(customer_bundle_id)
    for balance, ids in by_balance.items():
        emptied = await tx.all(REVOKE, {"ids": ids, "left": balance, "now": now})
        if len(emptied) != len(ids):
            raise TryAgain
    lines = [
        Line(customer_bundle_id, ledger.REVOKE, -balance, note=note)
        for customer_bundle_id, balance in left.items()
        if balance
    ]
    await enter(tx, actor, lines, now=now)
