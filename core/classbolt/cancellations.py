"""Cancellations as they stand: one per cancelled booking, with one outcome (B8, B9, J4)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, false, func, select, update

from classbolt import checks
from classbolt.checks import mine
from classbolt.db import Tx
from classbolt.errors import NotFound
from classbolt.tables import bookings, cancellations
from classbolt.values import (
    Actor,
    BookingId,
    CancellationId,
    CourseBookingId,
    CustomerBundleId,
    Permission,
    StaffId,
)

NONE = "NONE"
CREDIT_BACK = "CREDIT_BACK"
NEW_BUNDLE = "NEW_BUNDLE"
PAID_BACK = "PAID_BACK"
BY_POLICY = "POLICY"

LONGEST_NOTE = 500


@dataclass(frozen=True, slots=True)
class Cancellation:
    """How a booking ended and what that gave back.

    Attributes:
        by_business: Whether the business called the session off.
        choice: What whoever cancelled wanted: POLICY, NONE, GOODWILL, CREDITS or CASH.
        note: Why staff wanted it so, in their words.
        outcome: NONE, CREDIT_BACK, NEW_BUNDLE or PAID_BACK.
        reason: The code of the refusal, exactly if the outcome is NONE; `reason_text` says it.
        option: Which kind of booking this was to the policy.
        deadline: Until when cancelling would have given something back.
        decided_by: The code of the bolt-on that decided.
        policy: A copy of the policy that decided.
        customer_bundle_id: What received the credit.
        refund_due: Whether staff owe a refund by hand (X13).
        refunded_at: When staff said that they had refunded it in another way (B8); the fields
            after it say who did, and how.
    """

    id: CancellationId
    booking_id: BookingId
    cancelled_at: datetime
    actor_kind: str
    actor_id: UUID | None
    by_business: bool
    choice: str
    note: str | None
    outcome: str
    reason: str | None
    reason_text: str | None
    option: str | None
    deadline: datetime | None
    decided_by: str | None
    policy: Mapping[str, Any] | None
    customer_bundle_id: CustomerBundleId | None
    refund_due: bool
    refunded_at: datetime | None = None
    refunded_by_id: StaffId | None = None
    refund_note: str | None = None


CANCELLATIONS = select(
    cancellations.c.id,
    cancellations.c.booking_id,
    cancellations.c.cancelled_at,
    cancellations.c.actor_kind,
    cancellations.c.actor_id,
    cancellations.c.by_business,
    cancellations.c.choice,
    cancellations.c.note,
    cancellations.c.outcome,
    cancellations.c.reason,
    cancellations.c.reason_text,
    cancellations.c.option,
    cancellations.c.deadline,
    cancellations.c.decided_by,
    cancellations.c.policy,
    cancellations.c.customer_bundle_id,
    cancellations.c.refund_due,
    cancellations.c.refunded_at,
    cancellations.c.refunded_by_id,
    cancellations.c.refund_note,
).where(mine(cancellations))
OF_BOOKINGS = CANCELLATIONS.where(
    cancellations.c.booking_id.in_(bindparam("ids", expanding=True))
)
MARK_REFUNDED = (
    update(cancellations)
    .where(
        mine(cancellations),
        cancellations.c.booking_id == bindparam("booking"),
        cancellations.c.refunded_at.is_(None),
    )
    .values(
        refunded_at=bindparam("now"),
        refunded_by_id=bindparam("staff"),
        refund_note=bindparam("how"),
    )
)

# What staff gave out of goodwill or owed to customers does not use up what a policy allows.
REFUNDS_GIVEN = (
    select(bookings.c.origin_id, func.count().label("refunds"))
    .join(
        cancellations,
        (cancellations.c.account_id == bookings.c.account_id)
        & (cancellations.c.booking_id == bookings.c.id),
    )
    .where(
        mine(bookings),
        bookings.c.origin_id.in_(bindparam("ids", expanding=True)),
        cancellations.c.outcome != NONE,
        cancellations.c.choice == BY_POLICY,
        cancellations.c.by_business == false(),
    )
    .group_by(bookings.c.origin_id)
)


async def write_cancellations(tx: Tx, new: Sequence[Cancellation]) -> None:
    """Write cancellations; a second one for the same booking is a bug the database refuses."""
    await tx.insert(cancellations, *(asdict(each) for each in new))


async def find_cancellations(
    tx: Tx,
    booking_ids: Collection[BookingId],
) -> Mapping[BookingId, Cancellation]:
    """Find the cancellations of bookings."""
    rows = await tx.all(OF_BOOKINGS, {"ids": list(booking_ids)})
    return {row.booking_id: Cancellation(*row) for row in rows}


async def refunds_given(
    tx: Tx, origin_ids: Collection[CourseBookingId]
) -> Mapping[CourseBookingId, int]:
    """Count what policies gave back for places that come from these course bookings (X11)."""
    rows = await tx.all(REFUNDS_GIVEN, {"ids": list(origin_ids)}) if origin_ids else []
    return {row.origin_id: row.refunds for row in rows}


async def mark_refunded(
    tx: Tx, actor: Actor, booking_id: BookingId, *, note: str | None, now: datetime
) -> Cancellation:
    """Note that staff refunded a cancelled booking in another way (H2, B8).

    Noting it again changes nothing.

    Raises:
        Forbidden: The actor does not serve customers.
        NotFound: No booking of this id was cancelled.
        InvalidInput: The note cannot be stored.
    """
    actor.require(Permission.SERVE_CUSTOMERS)
    if note is not None:
        note = checks.text(note, "note", most=LONGEST_NOTE)
    by = {"booking": booking_id, "now": now, "staff": actor.staff_id, "how": note}
    await tx.execute(MARK_REFUNDED, by)
    found = await find_cancellations(tx, [booking_id])
    if booking_id not in found:
        raise NotFound().at("booking")
    return found[booking_id]
