"""Customers who go: merged into another one, or erased. Bookings and ledger stay (X26).

The danger is what happens to them meanwhile. Whoever books holds the customer, so the customer
is locked first. Cancellations hold sessions, so those in which the customer has a place come
next; then what the customer holds. From there on nobody gets in between.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, case, delete, or_, select, update

from classbolt import amend, holdings
from classbolt.bookings import HELD, TAKES_A_SEAT
from classbolt.checks import mine
from classbolt.customers import Customer, find_customers, lock_customers
from classbolt.db import Tx
from classbolt.errors import AlreadyBooked, CustomerHasBookings, InvalidInput, NotFound
from classbolt.tables import (
    bookings,
    cancellations,
    course_bookings,
    credit_entries,
    customer_bundles,
    customers,
    idempotency_keys,
    memberships,
    payments,
    purchases,
    refunds,
    sessions,
)
from classbolt.values import Actor, CustomerId, Permission

MERGED = "Merged"
ERASED = "Erased"

keys_of_kept = idempotency_keys.alias()

LOCK_SESSIONS = (
    select(sessions.c.id)
    .where(
        mine(sessions),
        sessions.c.id.in_(
            select(bookings.c.session_id).where(
                mine(bookings),
                bookings.c.customer_id == bindparam("customer_id"),
                bookings.c.status.in_(TAKES_A_SEAT),
            )
        ),
    )
    .order_by(sessions.c.id)
    .with_for_update()
)
PLACE_TO_COME = (
    select(bookings.c.id)
    .join(
        sessions,
        (sessions.c.account_id == bookings.c.account_id)
        & (sessions.c.id == bookings.c.session_id),
    )
    .where(
        mine(bookings),
        bookings.c.customer_id == bindparam("customer_id"),
        bookings.c.status.in_(TAKES_A_SEAT),
        # A place that is held can still be paid for after the session has begun.
        or_(sessions.c.starts_at > bindparam("now"), bookings.c.status == HELD),
    )
    .limit(1)
)


def _of_both(table: Any, what: str) -> Select[Any]:
    """Select what two customers have booked both, and have not cancelled."""
    other = table.alias("other")
    return (
        select(table.c.id)
        .join(
            other,
            (other.c.account_id == table.c.account_id) & (other.c[what] == table.c[what]),
        )
        .where(
            mine(table),
            table.c.customer_id == bindparam("gone"),
            table.c.status.in_(TAKES_A_SEAT),
            other.c.customer_id == bindparam("kept"),
            other.c.status.in_(TAKES_A_SEAT),
        )
        .limit(1)
    )


SESSION_OF_BOTH = _of_both(bookings, "session_id")
COURSE_OF_BOTH = _of_both(course_bookings, "course_id")
MOVES = tuple(
    update(table)
    .where(mine(table), table.c.customer_id == bindparam("gone"))
    .values(customer_id=bindparam("kept"))
    for table in (bookings, course_bookings, payments, purchases, customer_bundles, memberships)
)
# What they asked for can be asked again by whom they become.
MOVE_KEYS = (
    update(idempotency_keys)
    .where(
        mine(idempotency_keys),
        idempotency_keys.c.actor_id == bindparam("gone"),
        idempotency_keys.c.key_digest.not_in(
            select(keys_of_kept.c.key_digest).where(
                keys_of_kept.c.account_id == bindparam("account"),
                keys_of_kept.c.actor_id == bindparam("kept"),
            )
        ),
    )
    .values(actor_id=bindparam("kept"))
)
# Those who were merged before are meant along: nobody has to follow a chain.
MERGE = (
    update(customers)
    .where(
        mine(customers),
        or_(
            customers.c.id == bindparam("gone"),
            customers.c.merged_into_id == bindparam("gone"),
        ),
    )
    .values(name=MERGED, email=None, search_text="", merged_into_id=bindparam("kept"))
)
ERASE = (
    update(customers)
    .where(mine(customers), customers.c.id == bindparam("customer_id"))
    .values(name=ERASED, email=None, search_text="", erased_at=bindparam("now"))
)
# What staff wrote may name them too.
ERASE_NOTES = (
    update(credit_entries)
    .where(
        mine(credit_entries),
        credit_entries.c.note.is_not(None),
        credit_entries.c.customer_bundle_id.in_(
            select(customer_bundles.c.id).where(
                mine(customer_bundles),
                customer_bundles.c.customer_id == bindparam("customer_id"),
            )
        ),
    )
    .values(note=ERASED),
    update(cancellations)
    .where(
        # Those without a note too: somebody may be writing one, and is waited for.
        mine(cancellations),
        cancellations.c.booking_id.in_(
            select(bookings.c.id).where(
                mine(bookings), bookings.c.customer_id == bindparam("customer_id")
            )
        ),
    )
    .values(
        note=case((cancellations.c.note.is_not(None), ERASED)),
        refund_note=case((cancellations.c.refund_note.is_not(None), ERASED)),
    ),
    update(refunds)
    .where(
        mine(refunds),
        or_(refunds.c.note.is_not(None), refunds.c.refund_note.is_not(None)),
        refunds.c.payment_id.in_(
            select(payments.c.id).where(
                mine(payments), payments.c.customer_id == bindparam("customer_id")
            )
        ),
    )
    .values(
        note=case((refunds.c.note.is_not(None), ERASED)),
        refund_note=case((refunds.c.refund_note.is_not(None), ERASED)),
    ),
)
FORGET = delete(memberships).where(
    mine(memberships), memberships.c.customer_id == bindparam("customer_id")
)


async def merge_customers(tx: Tx, actor: Actor, gone: CustomerId, kept: CustomerId) -> Customer:
    """Make one customer of two: what the first has and owes is the second's from then on.

    Raises:
        Forbidden: The actor does not set up the account.
        InvalidInput: They are the same.
        NotFound: One of them is unknown, or gone already.
        AlreadyBooked: Both have a place in one session, or have booked one course.
    """
    actor.require(Permission.SET_UP)
    if gone == kept:
        raise InvalidInput("A customer cannot be merged into themselves.", "into")
    there = await lock_customers(tx, [gone, kept])
    for customer_id, name in ((gone, "from"), (kept, "into")):
        if customer_id not in there:
            raise NotFound().at(name)
    await tx.lock(LOCK_SESSIONS, {"customer_id": gone})
    await holdings.lock_bundles_of(tx, gone)
    both = {"gone": gone, "kept": kept}
    for statement in (SESSION_OF_BOTH, COURSE_OF_BOTH):
        if await tx.scalar(statement, both) is not None:
            raise AlreadyBooked(
                "Both customers have a place in the same session or course. Cancel one first."
            ).at("from")
    for change in (*MOVES, MOVE_KEYS, MERGE):
        await tx.execute(change, both)
    return there[kept]


async def erase_customer(
    tx: Tx, actor: Actor, customer_id: CustomerId, *, now: datetime
) -> Customer:
    """Forget who a customer was, notes too, and take away what they hold and their access.

    Raises:
        Forbidden: The actor does not run the account.
        NotFound: The customer is unknown, or gone already.
        CustomerHasBookings: The customer has a place in a session that is still to come.
    """
    actor.require(Permission.RUN_ACCOUNT)
    if not await lock_customers(tx, [customer_id]):
        raise NotFound().at("customer")
    await tx.lock(LOCK_SESSIONS, {"customer_id": customer_id})
    if await tx.scalar(PLACE_TO_COME, {"customer_id": customer_id, "now": now}) is not None:
        raise CustomerHasBookings().at("customer")
    await amend.revoke_bundles_of(tx, actor, customer_id, now=now)
    for forget in (*ERASE_NOTES, FORGET):
        await tx.execute(forget, {"customer_id": customer_id})
    await tx.execute(ERASE, {"customer_id": customer_id, "now": now})
    return (await find_customers(tx, [customer_id]))[customer_id]
