"""What customers hold: their copies of bundles, found, listed and locked.

Credits and expiry are frozen in the copy when it is issued; tags are read live (E6).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, or_, select

from classbolt.checks import mine
from classbolt.columns import AnyRow
from classbolt.db import Tx
from classbolt.facts import HeldBundle
from classbolt.pages import Page, PageOf, fetch_pages
from classbolt.tables import bundle_tags, customer_bundles
from classbolt.values import BundleId, CustomerBundleId, CustomerId, TagId

HELD = select(
    customer_bundles.c.id,
    customer_bundles.c.customer_id,
    customer_bundles.c.bundle_id,
    customer_bundles.c.balance,
    customer_bundles.c.issued_at,
    customer_bundles.c.expires_at,
    customer_bundles.c.revoked_at,
    customer_bundles.c.origin_id,
).where(mine(customer_bundles))
HELD_BY_CUSTOMERS = HELD.where(
    customer_bundles.c.customer_id.in_(bindparam("customer_ids", expanding=True)),
    or_(customer_bundles.c.balance > 0, customer_bundles.c.expires_at > bindparam("now")),
)
HELD_BY_ID = HELD.where(customer_bundles.c.id.in_(bindparam("ids", expanding=True)))
TAGS_OF_HELD = select(bundle_tags.c.bundle_id, bundle_tags.c.tag_id).where(
    mine(bundle_tags), bundle_tags.c.bundle_id.in_(bindparam("ids", expanding=True))
)
LOCK_OF_CUSTOMER = (
    select(customer_bundles.c.id)
    .where(mine(customer_bundles), customer_bundles.c.customer_id == bindparam("customer_id"))
    .order_by(customer_bundles.c.id)
    .with_for_update()
)
LOCK = (
    select(customer_bundles.c.id)
    .where(mine(customer_bundles), customer_bundles.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(customer_bundles.c.id)
    .with_for_update()
)


async def lock_bundles_of(tx: Tx, customer_id: CustomerId) -> None:
    """Lock what a customer could pay with: after the sessions, before the first write."""
    await tx.lock(LOCK_OF_CUSTOMER, {"customer_id": customer_id})


async def lock_bundles(tx: Tx, ids: Iterable[CustomerBundleId]) -> None:
    """Lock these customer bundles in the order of their ids."""
    if found := sorted(set(ids)):
        await tx.lock(LOCK, {"ids": found})


async def held_by(
    tx: Tx, customer_ids: Iterable[CustomerId], *, now: datetime
) -> Mapping[CustomerId, list[HeldBundle]]:
    """Find the bundles of customers that are valid or have credits left."""
    found: dict[CustomerId, list[HeldBundle]] = defaultdict(list)
    asked = {"customer_ids": list(set(customer_ids)), "now": now}
    for held in await _with_tags(tx, await tx.all(HELD_BY_CUSTOMERS, asked)):
        found[held.customer_id].append(held)
    return found


async def find_held(
    tx: Tx, ids: Iterable[CustomerBundleId]
) -> Mapping[CustomerBundleId, HeldBundle]:
    """Find customer bundles by id."""
    wanted = list(set(ids))
    rows = await tx.all(HELD_BY_ID, {"ids": wanted}) if wanted else []
    return {held.id: held for held in await _with_tags(tx, rows)}


async def list_held(
    tx: Tx, owners: Sequence[CustomerId], page: Page
) -> Mapping[CustomerId, PageOf[HeldBundle]]:
    """List the bundles of customers, the first to expire at the top, a page for each."""
    found = await _pages(tx, HELD, customer_bundles.c.customer_id, owners, page)
    return {CustomerId(owner): rows for owner, rows in found.items()}


async def list_live(
    tx: Tx, bundle_ids: Sequence[BundleId], page: Page, *, now: datetime
) -> Mapping[BundleId, PageOf[HeldBundle]]:
    """List the copies of bundles that have credits left and are valid, as `list_held` does."""
    live = HELD.where(
        customer_bundles.c.balance > 0, customer_bundles.c.expires_at > bindparam("now")
    )
    column = customer_bundles.c.bundle_id
    found = await _pages(tx, live, column, bundle_ids, page, {"now": now})
    return {BundleId(bundle_id): rows for bundle_id, rows in found.items()}


async def _pages(
    tx: Tx,
    statement: Select[Any],
    parent: ColumnElement[Any],
    parents: Sequence[UUID],
    page: Page,
    params: Mapping[str, Any] | None = None,
) -> dict[UUID, PageOf[HeldBundle]]:
    keys = (customer_bundles.c.expires_at, customer_bundles.c.id)
    pages = await fetch_pages(
        tx, statement, parent, parents, keys=keys, page=page, params=params
    )
    tagged = {
        held.id: held
        for held in await _with_tags(tx, [row for rows in pages.values() for row in rows.rows])
    }
    return {key: rows.map(lambda row: tagged[row.id]) for key, rows in pages.items()}


async def _with_tags(tx: Tx, rows: Sequence[AnyRow]) -> list[HeldBundle]:
    tag_ids: dict[BundleId, set[TagId]] = defaultdict(set)
    if rows:
        for row in await tx.all(TAGS_OF_HELD, {"ids": list({row.bundle_id for row in rows})}):
            tag_ids[row.bundle_id].add(row.tag_id)
    return [
        HeldBundle(
            id=row.id,
            customer_id=row.customer_id,
            bundle_id=row.bundle_id,
            balance=row.balance,
            issued_at=row.issued_at,
            expires_at=row.expires_at,
            tag_ids=frozenset(tag_ids[row.bundle_id]),
            revoked_at=row.revoked_at,
            origin_id=row.origin_id,
        )
        for row in rows
    ]
