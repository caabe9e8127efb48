"""Bundles: what a studio sells or gives.

Credits and validity are frozen when a copy is issued; tags are read live (E6).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict

from sqlalchemy import bindparam, delete, func, select, update

from classbolt import checks
from classbolt.checks import mine
from classbolt.columns import AnyRow
from classbolt.db import Tx
from classbolt.errors import NotFound
from classbolt.facts import OFFLINE
from classbolt.pages import Page, PageOf, fetch_page
from classbolt.payments import SOLD_FOR
from classbolt.tables import bundle_tags, bundles, tags
from classbolt.tags import MOST_TAGS, Tag
from classbolt.values import Actor, BundleId, Money, Period, Permission, TagId, Unit, new_id

MOST_CREDITS = 1000


@dataclass(frozen=True, slots=True)
class Bundle:
    """A number of credits with a validity.

    One that is not on sale is a draft and can still be given.
    """

    id: BundleId
    name: str
    credits: int
    validity: Period
    price: Money | None
    on_sale: bool
    archived_at: datetime | None
    payment_methods: frozenset[str] = frozenset({OFFLINE})


class BundleChanges(TypedDict, total=False):
    """What may change about a bundle.

    How many credits it holds may not, since refund policies rely on it (A10).
    """

    name: str
    validity: Period
    price_minor: int | None
    on_sale: bool
    payment_methods: Sequence[str]
    tag_ids: Sequence[TagId]


BUNDLES = select(
    bundles.c.id,
    bundles.c.name,
    bundles.c.credits,
    bundles.c.validity_value,
    bundles.c.validity_unit,
    bundles.c.price_minor,
    bundles.c.on_sale,
    bundles.c.payment_methods,
    bundles.c.archived_at,
).where(mine(bundles))
ON_SALE = BUNDLES.where(
    bundles.c.on_sale, bundles.c.archived_at.is_(None), bundles.c.price_minor.is_not(None)
)
BUNDLES_BY_ID = BUNDLES.where(bundles.c.id.in_(bindparam("ids", expanding=True)))
TAGS_OF_BUNDLES = (
    select(bundle_tags.c.bundle_id, tags.c.id, tags.c.name)
    .join(
        tags,
        (tags.c.account_id == bundle_tags.c.account_id) & (tags.c.id == bundle_tags.c.tag_id),
    )
    .where(mine(bundle_tags), bundle_tags.c.bundle_id.in_(bindparam("ids", expanding=True)))
    .order_by(tags.c.name)
)
# Its tags are replaced as a whole: one change after the other.
LOCK_BUNDLE = (
    select(bundles.c.id)
    .where(mine(bundles), bundles.c.id == bindparam("bundle_id"))
    .with_for_update(key_share=True)
)
ARCHIVE = (
    update(bundles)
    .where(mine(bundles), bundles.c.id == bindparam("bundle_id"))
    .values(
        archived_at=func.coalesce(
            bundles.c.archived_at, bindparam("now", type_=bundles.c.archived_at.type)
        )
    )
    .returning(bundles.c.id)
)
UNTAG = delete(bundle_tags).where(
    mine(bundle_tags), bundle_tags.c.bundle_id == bindparam("bundle")
)


async def create_bundle(
    tx: Tx,
    actor: Actor,
    *,
    name: str,
    credits: int,
    validity: Period,
    price_minor: int | None,
    on_sale: bool,
    payment_methods: Sequence[str],
    tag_ids: Sequence[TagId],
    now: datetime,
) -> Bundle:
    """Add a bundle.

    Raises:
        Forbidden: The actor does not set up the account.
        InvalidInput: A value cannot be used.
        NotFound: A tag is unknown.
    """
    actor.require(Permission.SET_UP)
    bundle_id = BundleId(new_id())
    values = _columns(
        {
            "name": name,
            "validity": validity,
            "price_minor": price_minor,
            "on_sale": on_sale,
            "payment_methods": payment_methods,
        }
    )
    checks.number(credits, "credits", least=1, most=MOST_CREDITS)
    await tx.insert(bundles, {"id": bundle_id, "credits": credits, "created_at": now, **values})
    await _tag(tx, bundle_id, tag_ids)
    return await get_bundle(tx, bundle_id)


async def update_bundle(
    tx: Tx, actor: Actor, bundle_id: BundleId, changes: BundleChanges
) -> Bundle:
    """Change a bundle.

    Copies already issued keep their credits and expiry, and follow its tags.

    Raises:
        Forbidden: The actor does not set up the account.
        NotFound: The bundle or a tag is unknown.
        InvalidInput: A value cannot be used.
    """
    actor.require(Permission.SET_UP)
    await tx.lock(LOCK_BUNDLE, {"bundle_id": bundle_id})
    await get_bundle(tx, bundle_id, "bundle")
    if values := _columns(changes):
        await tx.execute(
            update(bundles)
            .where(mine(bundles), bundles.c.id == bindparam("bundle_id"))
            .values(values),
            {"bundle_id": bundle_id},
        )
    if "tag_ids" in changes:
        await tx.execute(UNTAG, {"bundle": bundle_id})
        await _tag(tx, bundle_id, changes["tag_ids"])
    return await get_bundle(tx, bundle_id)


async def archive_bundle(tx: Tx, actor: Actor, bundle_id: BundleId, *, now: datetime) -> Bundle:
    """Take a bundle out of use for good: not sold or given any more.

    Policies that name it go on issuing it (X15).

    Raises:
        Forbidden: The actor does not set up the account.
        NotFound: The bundle is unknown.
    """
    actor.require(Permission.SET_UP)
    if await tx.scalar(ARCHIVE, {"bundle_id": bundle_id, "now": now}) is None:
        raise NotFound().at("bundle")
    return await get_bundle(tx, bundle_id)


async def get_bundle(tx: Tx, bundle_id: BundleId, *path: str | int) -> Bundle:
    """Get one bundle.

    Raises:
        NotFound: The bundle is unknown.
    """
    found = await find_bundles(tx, [bundle_id])
    if bundle_id not in found:
        raise NotFound().at(*path)
    return found[bundle_id]


async def find_bundles(tx: Tx, ids: Iterable[BundleId]) -> Mapping[BundleId, Bundle]:
    """Find bundles by id."""
    rows = await tx.all(BUNDLES_BY_ID, {"ids": list(ids)})
    return {row.id: _bundle(tx, row) for row in rows}


async def list_bundles(tx: Tx, actor: Actor, page: Page) -> PageOf[Bundle]:
    """List the account's bundles by name, drafts and archived ones too.

    Raises:
        Forbidden: The actor is not staff who serve customers.
    """
    actor.require(Permission.SERVE_CUSTOMERS)
    rows = await fetch_page(tx, BUNDLES, (bundles.c.name, bundles.c.id), page)
    return rows.map(lambda row: _bundle(tx, row))


async def list_on_sale(tx: Tx, page: Page) -> PageOf[Bundle]:
    """List the bundles that customers can buy, by name."""
    rows = await fetch_page(tx, ON_SALE, (bundles.c.name, bundles.c.id), page)
    return rows.map(lambda row: _bundle(tx, row))


async def tags_of_bundles(tx: Tx, ids: Iterable[BundleId]) -> Mapping[BundleId, list[Tag]]:
    """Find the tags of bundles."""
    found: dict[BundleId, list[Tag]] = defaultdict(list)
    for row in await tx.all(TAGS_OF_BUNDLES, {"ids": list(ids)}):
        found[row.bundle_id].append(Tag(row.id, row.name))
    return found


async def _tag(tx: Tx, bundle_id: BundleId, tag_ids: Sequence[TagId]) -> None:
    wanted = dict.fromkeys(tag_ids)
    checks.number(len(wanted), "tags", least=0, most=MOST_TAGS)
    await checks.must_exist(tx, tags, wanted, "tags")
    if wanted:
        await tx.insert(
            bundle_tags, *({"bundle_id": bundle_id, "tag_id": tag_id} for tag_id in wanted)
        )


def _columns(changes: BundleChanges) -> dict[str, Any]:
    """Check what was given and name it as columns."""
    values: dict[str, Any] = {}
    if "name" in changes:
        values["name"] = checks.text(changes["name"], "name")
    if "validity" in changes:
        validity = checks.period(changes["validity"], "validity", least=1)
        values |= {"validity_value": validity.value, "validity_unit": validity.unit.value}
    if "price_minor" in changes:
        amount = changes["price_minor"]
        values["price_minor"] = None if amount is None else checks.price(amount, "priceMinor")
    if "on_sale" in changes:
        values["on_sale"] = changes["on_sale"]
    if "payment_methods" in changes:
        values["payment_methods"] = checks.methods(
            changes["payment_methods"], SOLD_FOR, "paymentMethods"
        )
    return values


def _bundle(tx: Tx, row: AnyRow) -> Bundle:
    return Bundle(
        id=row.id,
        name=row.name,
        credits=row.credits,
        validity=Period(row.validity_value, Unit(row.validity_unit)),
        price=None if row.price_minor is None else Money(row.price_minor, tx.account.currency),
        on_sale=row.on_sale,
        payment_methods=frozenset(row.payment_methods),
        archived_at=row.archived_at,
    )
