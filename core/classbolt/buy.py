"""Buy a bundle: one pipeline, whose reading half is also the preview (D1-D3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from classbolt import bundles, cards, payments, sold
from classbolt.booking_rules import PayWith, amount_of, choose, money_options
from classbolt.bundles import Bundle
from classbolt.customers import whom
from classbolt.db import Tx
from classbolt.errors import BundleNotOnSale, NotFound, Refusal, refuse_if
from classbolt.facts import PaymentOption, TakeCard
from classbolt.sold import ISSUED, PENDING, Purchase
from classbolt.values import (
    Actor,
    BundleId,
    CustomerId,
    Money,
    Permission,
    PurchaseId,
    new_id,
)


@dataclass(frozen=True, slots=True)
class BundleDecision:
    """What the rules say about buying a bundle at a moment."""

    bundle: Bundle
    refusals: tuple[Refusal, ...]
    options: tuple[PaymentOption, ...]


async def bundle_options(tx: Tx, actor: Actor, bundle_id: BundleId) -> BundleDecision:
    """Say how a bundle could be bought at this moment, and what stands against it.

    Raises:
        NotFound: The bundle is unknown, or a draft, which is for staff to see.
    """
    bundle = await bundles.get_bundle(tx, bundle_id, "bundle")
    if not sold.is_on_sale(bundle):
        if not actor.may(Permission.SERVE_CUSTOMERS):
            raise NotFound().at("bundle")
        return BundleDecision(bundle, (BundleNotOnSale().at("bundle"),), ())
    price = bundle.price or Money(0, tx.account.currency)
    options = money_options(
        bundle.payment_methods, price, actor, takes_cards=tx.account.takes_cards
    )
    return BundleDecision(bundle, (), tuple(options))


async def buy_bundle(
    tx: Tx,
    actor: Actor,
    bundle_id: BundleId,
    customer_id: CustomerId | None,
    pay_with: PayWith,
    *,
    now: datetime,
) -> Purchase:
    """Buy a bundle. Its credits are there at once; by card, once it is paid.

    Args:
        customer_id: For whom staff buy; customers buy for themselves.

    Raises:
        NotFound: The bundle is unknown, or not for the actor to see.
        Refusals: It is not on sale.
        Refusal: It cannot be paid for in this way.
    """
    holder = await whom(tx, actor, customer_id)
    decision = await bundle_options(tx, actor, bundle_id)
    refuse_if(decision.refusals)
    option = choose(decision.options, pay_with)
    refuse_if(option.refusals)
    amount = amount_of(option, tx.account.currency)
    payment_id = await payments.record(tx, holder, option.method, amount, now=now)
    is_by_card = isinstance(option.action, TakeCard)
    issued = None
    if is_by_card:
        await cards.hold(tx, payment_id, now=now)
    else:
        issued = await sold.issue_to(tx, actor, holder, bundle_id, now=now)
    bought = Purchase(
        id=PurchaseId(new_id()),
        customer_id=holder,
        bundle_id=bundle_id,
        payment_id=payment_id,
        status=PENDING if is_by_card else ISSUED,
        customer_bundle_id=issued,
        bought_at=now,
    )
    await sold.write_purchase(tx, bought)
    return bought
