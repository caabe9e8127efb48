"""Cancellations as they stand: one per cancelled booking, with one outcome (B8, B9, J4)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select

from classbolt.checks import mine
from classbolt.db import Tx
from classbolt.tables import cancellations
from classbolt.values import BookingId, CancellationId, CustomerBundleId

NONE = "NONE"
CREDIT_BACK = "CREDIT_BACK"
NEW_BUNDLE = "NEW_BUNDLE"


@dataclass(frozen=True, slots=True)
class Cancellation:
    """How a booking ended and what that gave back.

    Attributes:
        by_business: Whether the business called the session off.
        outcome: NONE, CREDIT_BACK or NEW_BUNDLE.
        reason: The code of the refusal, exactly if the outcome is NONE; `reason_text` says it.
        option: Which kind of booking this was to the policy.
        deadline: Until when cancelling would have given something back.
        decided_by: The code of the bolt-on that decided.
        policy: A copy of the policy that decided.
        customer_bundle_id: What received the credit.
    """

    id: CancellationId
    booking_id: BookingId
    cancelled_at: datetime
    actor_kind: str
    actor_id: UUID | None
    by_business: bool
    outcome: str
    reason: str | None
    reason_text: str | None
    option: str | None
    deadline: datetime | None
    decided_by: str | None
    policy: Mapping[str, Any] | None
    customer_bundle_id: CustomerBundleId | None


CANCELLATIONS = select(
    cancellations.c.id,
    cancellations.c.booking_id,
    cancellations.c.cancelled_at,
    cancellations.c.actor_kind,
    cancellations.c.actor_id,
    cancellations.c.by_business,
    cancellations.c.outcome,
    cancellations.c.reason,
    cancellations.c.reason_text,
    cancellations.c.option,
    cancellations.c.deadline,
    cancellations.c.decided_by,
    cancellations.c.policy,
    cancellations.c.customer_bundle_id,
).where(mine(cancellations), cancellations.c.booking_id.in_(bindparam("ids", expanding=True)))


async def write_cancellations(tx: Tx, new: Sequence[Cancellation]) -> None:
    """Write cancellations; a second one for the same booking is a bug the database refuses."""
    await tx.insert(cancellations, *(asdict(each) for each in new))


async def find_cancellations(
    tx: Tx,
    booking_ids: Collection[BookingId],
) -> Mapping[BookingId, Cancellation]:
    """Find the cancellations of bookings."""
    rows = await tx.all(CANCELLATIONS, {"ids": list(booking_ids)})
    return {row.booking_id: Cancellation(*row) for row in rows}
