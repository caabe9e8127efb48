"""Credits owed to customers: issued, spent, given back; each is a line of a ledger.

A balance is moved by one guarded UPDATE and never read, computed and written. The ledger is
only ever inserted into, and the balance of a customer bundle is the sum of its lines (J2).
Unique constraints hold what a booking may cause: one spend, one credit back, one issue (J3,
B9).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, or_, select, update

from classbolt import bundles, checks
from classbolt.checks import mine
from classbolt.columns import AnyRow
from classbolt.db import Tx
from classbolt.errors import InsufficientCredits, InvalidInput, NotFound, TryAgain
from classbolt.facts import HeldBundle
from classbolt.pages import Page, PageOf, fetch_pages
from classbolt.tables import bundle_tags, credit_entries, customer_bundles, customers
from classbolt.times import after
from classbolt.values import (
    Actor,
    BookingId,
    BundleId,
    CustomerBundleId,
    CustomerId,
    Permission,
    TagId,
    new_id,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger.

    Attributes:
        kind: ISSUE, SPEND or CREDIT_BACK.
        booking_id: What caused it, if a booking did.
    """

    id: UUID
    kind: str
    amount: int
    booking_id: BookingId | None
    correlation_id: UUID
    actor_kind: str
    entered_at: datetime


@dataclass(frozen=True, slots=True)
class Issue:
    """A copy of a bundle that a customer is to get, and the booking that earned it."""

    customer_id: CustomerId
    bundle_id: BundleId
    expires_at: datetime
    booking_id: BookingId | None = None


HELD = select(
    customer_bundles.c.id,
    customer_bundles.c.customer_id,
    customer_bundles.c.bundle_id,
    customer_bundles.c.balance,
    customer_bundles.c.issued_at,
    customer_bundles.c.expires_at,
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
SPEND = (
    update(customer_bundles)
    .where(
        mine(customer_bundles),
        customer_bundles.c.id == bindparam("customer_bundle_id"),
        customer_bundles.c.customer_id == bindparam("holder"),
        customer_bundles.c.balance >= 1,
        customer_bundles.c.expires_at > bindparam("now"),
        customer_bundles.c.expires_at > bindparam("session_starts_at"),
    )
    .values(balance=customer_bundles.c.balance - 1)
    .returning(customer_bundles.c.balance)
)
PUT_BACK = (
    update(customer_bundles)
    .where(
        mine(customer_bundles),
        customer_bundles.c.id.in_(bindparam("customer_bundle_ids", expanding=True)),
        customer_bundles.c.balance < customer_bundles.c.credits,
    )
    .values(balance=customer_bundles.c.balance + 1)
    .returning(customer_bundles.c.id)
)
ENTRIES = select(
    credit_entries.c.customer_bundle_id,
    credit_entries.c.id,
    credit_entries.c.kind,
    credit_entries.c.amount,
    credit_entries.c.booking_id,
    credit_entries.c.correlation_id,
    credit_entries.c.actor_kind,
    credit_entries.c.entered_at,
).where(mine(credit_entries))


async def give_bundle(
    tx: Tx,
    actor: Actor,
    customer_id: CustomerId,
    bundle_id: BundleId,
    *,
    now: datetime,
) -> HeldBundle:
    """Give a customer a copy of a bundle without payment (D8).

    It is valid from this instant on (D2).

    Raises:
        Forbidden: The actor does not serve customers.
        NotFound: The customer or the bundle is unknown.
        InvalidInput: The bundle is archived.
    """
    actor.require(Permission.SERVE_CUSTOMERS)
    await checks.must_exist(tx, customers, [customer_id], "customer")
    bundle = await bundles.get_bundle(tx, bundle_id, "bundle")
    if bundle.archived_at is not None:
        raise InvalidInput("This bundle is archived.", "bundle")
    expires_at = after(now, bundle.validity, tx.account.time_zone)
    (customer_bundle_id,) = await issue(
        tx, actor, [Issue(customer_id, bundle_id, expires_at)], now=now
    )
    return (await find_held(tx, [customer_bundle_id]))[customer_bundle_id]


async def issue(
    tx: Tx, actor: Actor, issues: Sequence[Issue], *, now: datetime
) -> list[CustomerBundleId]:
    """Issue copies of bundles with all their credits, and enter them into the ledger.

    Raises:
        NotFound: One of the bundles is unknown.
    """
    if not issues:
        return []
    wanted = {each.bundle_id for each in issues}
    templates = await bundles.find_bundles(tx, wanted)
    if len(templates) != len(wanted):
        raise NotFound
    ids = [CustomerBundleId(new_id()) for _ in issues]
    await tx.insert(
        customer_bundles,
        *(
            {
                "id": customer_bundle_id,
                "customer_id": each.customer_id,
                "bundle_id": each.bundle_id,
                "credits": templates[each.bundle_id].credits,
                "balance": templates[each.bundle_id].credits,
                "issued_at": now,
                "expires_at": each.expires_at,
            }
            for customer_bundle_id, each in zip(ids, issues, strict=True)
        ),
    )
    lines = [
        (customer_bundle_id, "ISSUE", templates[each.bundle_id].credits, each.booking_id)
        for customer_bundle_id, each in zip(ids, issues, strict=True)
    ]
    await _enter(tx, actor, lines, now=now)
    return ids


async def spend(
    tx: Tx,
    customer_bundle_id: CustomerBundleId,
    *,
    customer_id: CustomerId,
    session_starts_at: datetime,
    now: datetime,
) -> None:
    """Take one credit for a session; its line in the ledger follows with `enter_spend`.

    Raises:
        InsufficientCredits: The bundle is empty, not this customer's, or not valid for this
            session (D4, D5).
    """
    left = await tx.scalar(
        SPEND,
        {
            "customer_bundle_id": customer_bundle_id,
            "holder": customer_id,
            "session_starts_at": session_starts_at,
            "now": now,
        },
    )
    if left is None:
        raise InsufficientCredits


async def enter_spend(
    tx: Tx,
    actor: Actor,
    customer_bundle_id: CustomerBundleId,
    booking_id: BookingId,
    *,
    now: datetime,
) -> None:
    """Enter into the ledger which booking a credit was taken for."""
    await _enter(tx, actor, [(customer_bundle_id, "SPEND", -1, booking_id)], now=now)


async def credit_back(
    tx: Tx,
    actor: Actor,
    backs: Sequence[tuple[CustomerBundleId, BookingId]],
    *,
    now: datetime,
) -> None:
    """Put one credit back onto each bundle that paid for a booking.

    Its expiry stays as it was (C3).

    Raises:
        TryAgain: A balance is full already, so another request must have been first.
    """
    if not backs:
        return
    put_back = await tx.all(PUT_BACK, {"customer_bundle_ids": [held for held, _ in backs]})
    if len(put_back) != len(backs):
        raise TryAgain
    await _enter(
        tx, actor, [(held, "CREDIT_BACK", 1, booking_id) for held, booking_id in backs], now=now
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
    keys = (customer_bundles.c.expires_at, customer_bundles.c.id)
    pages = await fetch_pages(
        tx, HELD, customer_bundles.c.customer_id, owners, keys=keys, page=page
    )
    tagged = {
        held.id: held
        for held in await _with_tags(tx, [row for rows in pages.values() for row in rows.rows])
    }
    return {
        CustomerId(owner): rows.map(lambda row: tagged[row.id]) for owner, rows in pages.items()
    }


async def list_entries(
    tx: Tx,
    bundle_ids: Sequence[CustomerBundleId],
    page: Page,
) -> Mapping[CustomerBundleId, PageOf[Entry]]:
    """List the ledger of customer bundles in the order it was written, a page for each."""
    keys = (credit_entries.c.entered_at, credit_entries.c.id)
    pages = await fetch_pages(
        tx, ENTRIES, credit_entries.c.customer_bundle_id, bundle_ids, keys=keys, page=page
    )
    return {
        CustomerBundleId(owner): rows.map(lambda row: Entry(*row[1:8]))
        for owner, rows in pages.items()
    }


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
        )
        for row in rows
    ]


async def _enter(
    tx: Tx,
    actor: Actor,
    lines: Sequence[tuple[CustomerBundleId, str, int, BookingId | None]],
    *,
    now: datetime,
) -> None:
    """Write lines into the ledger."""
    if lines:
        await tx.insert(
            credit_entries,
            *(
                {
                    "id": new_id(),
                    "customer_bundle_id": customer_bundle_id,
                    "kind": kind,
                    "amount": amount,
                    "booking_id": booking_id,
                    "correlation_id": tx.correlation_id,
                    "actor_kind": actor.kind,
                    "actor_id": actor.id,
                    "entered_at": now,
                }
                for customer_bundle_id, kind, amount, booking_id in lines
            ),
        )
