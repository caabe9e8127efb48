"""Bundles that customers buy, as they stand: bought, then issued, or forgotten (D1-D3).

Nothing is held for a bundle, for there is no end of them. What a card was to pay for and did
not is forgotten; what is paid late is issued late, as long as it is on sale.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, select, update

from classbolt import bundles, credits
from classbolt.bundles import Bundle
from classbolt.checks import mine
from classbolt.credits import Issue
from classbolt.db import Tx
from classbolt.tables import purchases
from classbolt.times import after
from classbolt.values import (
    Actor,
    BundleId,
    CustomerBundleId,
    CustomerId,
    PaymentId,
    PurchaseId,
)

PENDING: Final = "PENDING"
ISSUED: Final = "ISSUED"
EXPIRED: Final = "EXPIRED"


@dataclass(frozen=True, slots=True)
class Purchase:
    """A bundle that a customer bought.

    Attributes:
        status: PENDING while a card is to pay for it, then ISSUED; EXPIRED if nothing came of
            that.
        customer_bundle_id: The copy that was issued.
    """

    id: PurchaseId
    customer_id: CustomerId
    bundle_id: BundleId
    payment_id: PaymentId
    status: str
    customer_bundle_id: CustomerBundleId | None
    bought_at: datetime


PURCHASES = select(
    purchases.c.id,
    purchases.c.customer_id,
    purchases.c.bundle_id,
    purchases.c.payment_id,
    purchases.c.status,
    purchases.c.customer_bundle_id,
    purchases.c.bought_at,
).where(mine(purchases))
BY_PAYMENT = PURCHASES.where(purchases.c.payment_id.in_(bindparam("payments", expanding=True)))
BY_HELD = PURCHASES.where(purchases.c.customer_bundle_id.in_(bindparam("held", expanding=True)))
MOVE = (
    update(purchases)
    .where(mine(purchases), purchases.c.payment_id == bindparam("payment"))
    .values(status=bindparam("becomes"), customer_bundle_id=bindparam("issued"))
)


def is_on_sale(bundle: Bundle) -> bool:
    """Say whether customers can buy a bundle."""
    return bundle.on_sale and bundle.archived_at is None and bundle.price is not None


async def write_purchase(tx: Tx, new: Purchase) -> None:
    """Write what was bought."""
    await tx.insert(purchases, asdict(new))


async def find_purchases(
    tx: Tx, payment_ids: Collection[PaymentId]
) -> Mapping[PaymentId, Purchase]:
    """Find what was bought by the payments for it; most are for places."""
    rows = await tx.all(BY_PAYMENT, {"payments": list(payment_ids)})
    return {row.payment_id: Purchase(*row) for row in rows}


async def purchases_of(
    tx: Tx, held: Collection[CustomerBundleId]
) -> Mapping[CustomerBundleId, Purchase]:
    """Find how customers came by their bundles, where they bought them."""
    rows = await tx.all(BY_HELD, {"held": list(held)})
    return {row.customer_bundle_id: Purchase(*row) for row in rows}


async def issue_to(
    tx: Tx, actor: Actor, customer_id: CustomerId, bundle_id: BundleId, *, now: datetime
) -> CustomerBundleId:
    """Issue a copy of a bundle that was bought; it is valid from this instant on (D2)."""
    bundle = await bundles.get_bundle(tx, bundle_id)
    expires_at = after(now, bundle.validity, tx.account.time_zone)
    wanted = Issue(customer_id, bundle_id, expires_at)
    (issued,) = await credits.issue(tx, actor, [wanted], now=now)
    return issued


async def issue_paid(tx: Tx, actor: Actor, bought: Purchase, *, now: datetime) -> None:
    """Issue what has been paid for."""
    issued = await issue_to(tx, actor, bought.customer_id, bought.bundle_id, now=now)
    moved = {"payment": bought.payment_id, "becomes": ISSUED, "issued": issued}
    await tx.execute(MOVE, moved)


async def forget(tx: Tx, bought: Purchase) -> None:
    """Note that nothing came of a purchase."""
    moved = {"payment": bought.payment_id, "becomes": EXPIRED, "issued": None}
    await tx.execute(MOVE, moved)


async def can_still_be_bought(tx: Tx, bought: Purchase) -> bool:
    """Say whether what was bought is still on sale."""
    return is_on_sale(await bundles.get_bundle(tx, bought.bundle_id))
