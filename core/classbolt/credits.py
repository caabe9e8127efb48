"""Credits owed to customers: issued, spent, given back, revoked; each is a line of a ledger.

A balance is moved by one guarded UPDATE and never read, computed and written. `ledger` has the
lines that say how it came about, `holdings` finds and locks what customers hold.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, update

from classbolt import bundles, checks, ledger
from classbolt.checks import mine
from classbolt.customers import hold
from classbolt.db import Tx
from classbolt.errors import InsufficientCredits, InvalidInput, NotFound, TryAgain
from classbolt.facts import HeldBundle
from classbolt.holdings import find_held
from classbolt.ledger import LONGEST_NOTE, Line, enter
from classbolt.tables import customer_bundles
from classbolt.times import after
from classbolt.values import (
    Actor,
    BookingId,
    BundleId,
    CourseBookingId,
    CustomerBundleId,
    CustomerId,
    Permission,
    new_id,
)


@dataclass(frozen=True, slots=True)
class Issue:
    """A copy of a bundle that a customer is to get.

    Attributes:
        booking_id: The booking that earned it, if one did.
        origin_id: The course booking which that comes from.
        note: Why staff gave it, in their words.
    """

    customer_id: CustomerId
    bundle_id: BundleId
    expires_at: datetime
    booking_id: BookingId | None = None
    origin_id: CourseBookingId | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Back:
    """A credit that goes back to the bundle it came from.

    Attributes:
        booking_id: What it had paid for.
        expires_at: Until when the bundle is valid from then on, if that is later.
        note: Why staff gave it back, in their words.
    """

    customer_bundle_id: CustomerBundleId
    booking_id: BookingId
    expires_at: datetime | None = None
    note: str | None = None


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
        customer_bundles.c.balance + bindparam("number") <= customer_bundles.c.credits,
        customer_bundles.c.revoked_at.is_(None),
    )
    .values(balance=customer_bundles.c.balance + bindparam("number"))
    .returning(customer_bundles.c.id)
)
EXTEND = (
    update(customer_bundles)
    .where(
        mine(customer_bundles),
        customer_bundles.c.id == bindparam("customer_bundle_id"),
        customer_bundles.c.expires_at < bindparam("until"),
    )
    .values(expires_at=bindparam("until"))
)


async def give_bundle(
    tx: Tx,
    actor: Actor,
    customer_id: CustomerId,
    bundle_id: BundleId,
    *,
    note: str | None = None,
    now: datetime,
) -> HeldBundle:
    """Give a customer a copy of a bundle without payment (D8).

    It is valid from this instant on (D2).

    Raises:
        Forbidden: The actor does not serve customers.
        NotFound: The customer or the bundle is unknown.
        InvalidInput: The bundle is archived, or the note cannot be stored.
    """
    actor.require(Permission.SERVE_CUSTOMERS)
    if note is not None:
        note = checks.text(note, "note", most=LONGEST_NOTE)
    if not await hold(tx, customer_id):
        raise NotFound().at("customer")
    bundle = await bundles.get_bundle(tx, bundle_id, "bundle")
    if bundle.archived_at is not None:
        raise InvalidInput("This bundle is archived.", "bundle")
    expires_at = after(now, bundle.validity, tx.account.time_zone)
    (customer_bundle_id,) = await issue(
        tx, actor, [Issue(customer_id, bundle_id, expires_at, note=note)], now=now
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
    made = [(CustomerBundleId(new_id()), each) for each in issues]
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
                "origin_id": each.origin_id,
            }
            for customer_bundle_id, each in made
        ),
    )
    lines = [
        Line(
            customer_bundle_id,
            ledger.ISSUE,
            templates[each.bundle_id].credits,
            each.booking_id,
            each.note,
        )
        for customer_bundle_id, each in made
    ]
    await enter(tx, actor, lines, now=now)
    return [customer_bundle_id for customer_bundle_id, _ in made]


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
    await enter(tx, actor, [Line(customer_bundle_id, ledger.SPEND, -1, booking_id)], now=now)


async def credit_back(tx: Tx, actor: Actor, backs: Sequence[Back], *, now: datetime) -> None:
    """Put one credit back onto the bundle that paid, for each booking.

    Its expiry stays as it was, unless a later one is agreed (C3).

    Raises:
        TryAgain: A balance is full already or was revoked, so another request was first.
    """
    owed = Counter(each.customer_bundle_id for each in backs)
    by_number: dict[int, list[CustomerBundleId]] = defaultdict(list)
    for customer_bundle_id, number in owed.items():
        by_number[number].append(customer_bundle_id)
    for number, ids in by_number.items():
        put_back = await tx.all(PUT_BACK, {"customer_bundle_ids": ids, "number": number})
        if len(put_back) != len(ids):
            raise TryAgain
    for each in backs:
        if each.expires_at is not None:
            until = {
                "customer_bundle_id": each.customer_bundle_id,
                "until": each.expires_at,
            }
            await tx.execute(EXTEND, until)
    lines = [
        Line(each.customer_bundle_id, ledger.CREDIT_BACK, 1, each.booking_id, each.note)
        for each in backs
    ]
    await enter(tx, actor, lines, now=now)
