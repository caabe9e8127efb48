"""What staff look up about the business: credits still owed, refunds given and denied (K)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import ColumnElement, and_, bindparam, case, exists, func, not_, select

from classbolt import checks, holdings
from classbolt.cancellations import (
    CANCELLATIONS,
    CREDIT_BACK,
    NEW_BUNDLE,
    NONE,
    PAID_BACK,
    Cancellation,
)
from classbolt.checks import mine
from classbolt.columns import AnyRow
from classbolt.db import Tx
from classbolt.disputes import GONE_MINOR
from classbolt.errors import InvalidInput
from classbolt.facts import HeldBundle
from classbolt.pages import Page, PageOf, fetch_page
from classbolt.tables import bookings, cancellations, card_payments, customer_bundles
from classbolt.times import after
from classbolt.values import Actor, BundleId, Period, Permission, Unit

SOON = Period(30, Unit.DAYS)
OUTCOMES = (CREDIT_BACK, NEW_BUNDLE, NONE, PAID_BACK)


@dataclass(frozen=True, slots=True)
class Outstanding:
    """The credits of a bundle's copies that nobody has spent, at one moment.

    Attributes:
        credits: How many can still be spent.
        customer_bundles: How many copies they are on.
        expiring_soon: How many of them expire within 30 days.
        expired: How many more were left on copies that have expired (D9).
    """

    credits: int = 0
    customer_bundles: int = 0
    expiring_soon: int = 0
    expired: int = 0


@dataclass(frozen=True, slots=True)
class RefundCount:
    """How many cancellations ended in one way, for one reason."""

    outcome: str
    reason: str | None
    count: int


STILL_VALID = customer_bundles.c.expires_at > bindparam("now")


def _sum_where(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((and_(*conditions), customer_bundles.c.balance), else_=0))


OUTSTANDING = (
    select(
        customer_bundles.c.bundle_id,
        _sum_where(STILL_VALID),
        func.sum(case((STILL_VALID, 1), else_=0)),
        _sum_where(STILL_VALID, customer_bundles.c.expires_at <= bindparam("soon")),
        _sum_where(not_(STILL_VALID)),
    )
    .where(
        mine(customer_bundles),
        customer_bundles.c.bundle_id.in_(bindparam("ids", expanding=True)),
        customer_bundles.c.balance > 0,
    )
    .group_by(customer_bundles.c.bundle_id)
)
KEYS = (cancellations.c.cancelled_at, cancellations.c.id)
# What has gone back to the card meanwhile, with all of its payment, is due to nobody.
DUE = CANCELLATIONS.where(
    cancellations.c.refund_due,
    cancellations.c.refunded_at.is_(None),
    ~exists().where(
        mine(bookings),
        bookings.c.id == cancellations.c.booking_id,
        card_payments.c.account_id == bookings.c.account_id,
        card_payments.c.payment_id == bookings.c.payment_id,
        card_payments.c.captured_minor > 0,
        card_payments.c.captured_minor <= GONE_MINOR,
    ),
)
COUNTS = select(cancellations.c.outcome, cancellations.c.reason, func.count()).where(
    mine(cancellations)
)


async def outstanding_of(
    tx: Tx, actor: Actor, bundle_ids: Collection[BundleId], *, now: datetime
) -> Mapping[BundleId, Outstanding]:
    """Sum up what is left on the copies of bundles.

    Raises:
        Forbidden: The actor does not serve customers.
    """
    actor.require(Permission.SERVE_CUSTOMERS)
    soon = after(now, SOON, tx.account.time_zone)
    rows = await tx.all(OUTSTANDING, {"ids": list(bundle_ids), "now": now, "soon": soon})
    found = {row.bundle_id: Outstanding(*map(int, row[1:])) for row in rows}
    return {bundle_id: found.get(bundle_id, Outstanding()) for bundle_id in bundle_ids}


async def holders_of(
    tx: Tx, actor: Actor, bundle_ids: Sequence[BundleId], page: Page, *, now: datetime
) -> Mapping[BundleId, PageOf[HeldBundle]]:
    """List the copies of bundles that can still be spent, the first to expire first.

    Raises:
        Forbidden: The actor does not serve customers.
    """
    actor.require(Permission.SERVE_CUSTOMERS)
    return await holdings.list_live(tx, bundle_ids, page, now=now)


async def list_refunds(
    tx: Tx,
    actor: Actor,
    page: Page,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    outcome: str | None = None,
    reason: str | None = None,
) -> PageOf[Cancellation]:
    """List how bookings ended and what that gave back, or why nothing, the latest first.

    Args:
        since: Only those that were cancelled at this or later.
        until: Only those that were cancelled before this.

    Raises:
        Forbidden: The actor does not serve customers.
        InvalidInput: There is no such outcome.
    """
    actor.require(Permission.SERVE_CUSTOMERS)
    conditions = _between(since, until)
    if outcome is not None:
        if outcome not in OUTCOMES:
            raise InvalidInput(f"An outcome is one of: {', '.join(OUTCOMES)}.", "outcome")
        conditions.append(cancellations.c.outcome == outcome)
    if reason is not None:
        conditions.append(cancellations.c.reason == checks.text(reason, "reason", most=60))
    wanted = CANCELLATIONS.where(*conditions)
    rows = await fetch_page(tx, wanted, KEYS, page, descending=True)
    return rows.map(_cancellation)


async def count_refunds(
    tx: Tx,
    actor: Actor,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[RefundCount]:
    """Count cancellations by what they gave back, or why nothing, the most frequent first.

    Raises:
        Forbidden: The actor does not serve customers.
    """
    actor.require(Permission.SERVE_CUSTOMERS)
    wanted = COUNTS.where(*_between(since, until)).group_by(
        cancellations.c.outcome, cancellations.c.reason
    )
    found = [RefundCount(*row) for row in await tx.all(wanted)]
    return sorted(found, key=lambda each: (-each.count, each.outcome, each.reason or ""))


async def list_refunds_due(tx: Tx, actor: Actor, page: Page) -> PageOf[Cancellation]:
    """List what staff have to refund by hand, the oldest first (X13).

    Raises:
        Forbidden: The actor does not serve customers.
    """
    actor.require(Permission.SERVE_CUSTOMERS)
    return (await fetch_page(tx, DUE, KEYS, page)).map(_cancellation)


def _between(since: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if since is not None:
        conditions.append(cancellations.c.cancelled_at >= since)
    if until is not None:
        conditions.append(cancellations.c.cancelled_at < until)
    return conditions


def _cancellation(row: AnyRow) -> Cancellation:
    return Cancellation(*row[: len(fields(Cancellation))])
