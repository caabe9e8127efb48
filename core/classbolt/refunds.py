"""Money that goes back to a card: promised in a transaction, given by Stripe after its commit.

Never more than was taken: one guarded UPDATE of the payment counts what goes back, before the
row of the refund is written.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import bindparam, func, select, update

from classbolt.card_rules import State
from classbolt.checks import mine
from classbolt.columns import AnyRow
from classbolt.db import Tx
from classbolt.errors import RefundTooLarge
from classbolt.jobs import NewJob, enqueue
from classbolt.tables import cancellations, card_payments, refunds
from classbolt.values import (
    BookingId,
    CancellationId,
    Money,
    PaymentId,
    RefundId,
    StaffId,
    new_id,
)

SEND: Final = "payments.refund"
"""The kind of the job that asks Stripe for a refund."""
LATE: Final = "LATE"
CANCELLATION: Final = "CANCELLATION"
STAFF: Final = "STAFF"
ELSEWHERE: Final = "ELSEWHERE"
REQUESTED: Final = "REQUESTED"
SUBMITTED: Final = "SUBMITTED"
SUCCEEDED: Final = "SUCCEEDED"
FAILED: Final = "FAILED"
KEYS_ARE_KEPT: Final = timedelta(hours=23)
"""For so long Stripe surely knows under which key a refund was asked for; it promises a day."""


@dataclass(frozen=True, slots=True)
class NewRefund:
    """Money to give back.

    Attributes:
        cause: LATE, CANCELLATION or STAFF.
        cancellation_id: The cancellation that gives it.
        staff_id: Who of the business said so, with a note.
    """

    payment_id: PaymentId
    amount_minor: int
    cause: str
    cancellation_id: CancellationId | None = None
    staff_id: StaffId | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Refund:
    """Money that goes back to a card.

    Attributes:
        cause: LATE if it was paid when no seat was left, CANCELLATION if cancelling a place
            gave it, STAFF if somebody of the business said so, ELSEWHERE if it was made
            without us.
        state: REQUESTED until Stripe has it, SUBMITTED while it is under way, then SUCCEEDED or
            FAILED.
        booking_id: The booking that was cancelled then.
        failure: Why it failed, in Stripe's word.
        refunded_at: When staff said that they had given it back in another way, here or for its
            cancellation; the fields after it say who did, and how.
    """

    id: RefundId
    payment_id: PaymentId
    amount: Money
    cause: str
    state: str
    cancellation_id: CancellationId | None
    booking_id: BookingId | None
    staff_id: StaffId | None
    note: str | None
    stripe_refund_id: str | None
    failure: str | None
    requested_at: datetime
    settled_at: datetime | None
    refunded_at: datetime | None
    refunded_by_id: StaffId | None
    refund_note: str | None


REFUNDED_AT = func.coalesce(refunds.c.refunded_at, cancellations.c.refunded_at)
REFUNDS = (
    select(
        refunds.c.id,
        refunds.c.payment_id,
        refunds.c.amount_minor,
        refunds.c.cause,
        refunds.c.state,
        refunds.c.cancellation_id,
        cancellations.c.booking_id,
        refunds.c.staff_id,
        refunds.c.note,
        refunds.c.stripe_refund_id,
        refunds.c.failure,
        refunds.c.requested_at,
        refunds.c.settled_at,
        REFUNDED_AT.label("refunded_at"),
        func.coalesce(refunds.c.refunded_by_id, cancellations.c.refunded_by_id).label(
            "refunded_by_id"
        ),
        func.coalesce(refunds.c.refund_note, cancellations.c.refund_note).label("refund_note"),
    )
    .select_from(refunds)
    .outerjoin(
        cancellations,
        (cancellations.c.account_id == refunds.c.account_id)
        & (cancellations.c.id == refunds.c.cancellation_id),
    )
    .where(mine(refunds))
)
BY_ID = REFUNDS.where(refunds.c.id == bindparam("refund"))
BY_PAYMENT = REFUNDS.where(
    refunds.c.payment_id.in_(bindparam("payments", expanding=True))
).order_by(refunds.c.id)
BY_CANCELLATION = REFUNDS.where(refunds.c.cancellation_id.in_(bindparam("ids", expanding=True)))
THAT_PAYMENT = (mine(card_payments), card_payments.c.payment_id == bindparam("payment"))
COUNT_IN = (
    update(card_payments)
    .where(
        *THAT_PAYMENT,
        card_payments.c.refunded_minor
        + card_payments.c.refunded_elsewhere_minor
        + bindparam("amount")
        <= card_payments.c.captured_minor,
    )
    .values(refunded_minor=card_payments.c.refunded_minor + bindparam("amount"))
    .returning(card_payments.c.payment_id)
)
STILL_OWED = select(
    card_payments.c.captured_minor - card_payments.c.refunded_elsewhere_minor,
    card_payments.c.refunded_minor,
    select(func.coalesce(func.sum(refunds.c.amount_minor), 0))
    .where(
        mine(refunds),
        refunds.c.payment_id == card_payments.c.payment_id,
        refunds.c.cause == LATE,
    )
    .scalar_subquery(),
).where(*THAT_PAYMENT, card_payments.c.state == State.RETURNED.value)


async def request(tx: Tx, wanted: NewRefund, *, now: datetime) -> RefundId:
    """Promise to give money back, never more of a payment than was taken.

    Raises:
        RefundTooLarge: There is not as much left of the payment.
    """
    counted = {"payment": wanted.payment_id, "amount": wanted.amount_minor}
    if await tx.scalar(COUNT_IN, counted) is None:
        raise RefundTooLarge
    refund_id = RefundId(new_id())
    await tx.insert(
        refunds,
        {
            "id": refund_id,
            **asdict(wanted),
            "state": REQUESTED,
            "requested_at": now,
        },
    )
    await enqueue(tx, [NewJob(SEND, {"refund": str(refund_id)})], now=now)
    return refund_id


async def return_rest(tx: Tx, payment_id: PaymentId, *, now: datetime) -> None:
    """Promise what nobody has asked for yet of a payment that was made too late (H4).

    All of it goes back, but for what others gave back. What has failed is not asked for again:
    staff see to that. Other payments are left alone.
    """
    row = await tx.one(STILL_OWED, {"payment": payment_id})
    if row is None:
        return
    taken, counted, asked_for = row
    owed = taken - max(counted, asked_for)
    if owed > 0:
        await request(tx, NewRefund(payment_id, owed, LATE), now=now)


async def find_refund(tx: Tx, refund_id: RefundId) -> Refund | None:
    """Find one refund."""
    row = await tx.one(BY_ID, {"refund": refund_id})
    return None if row is None else refund_of(tx, row)


async def refunds_of(
    tx: Tx, payment_ids: Collection[PaymentId]
) -> Mapping[PaymentId, list[Refund]]:
    """List what goes back of payments, in the order it was asked for."""
    found: dict[PaymentId, list[Refund]] = {each: [] for each in payment_ids}
    for row in await tx.all(BY_PAYMENT, {"payments": list(found)}):
        found[row.payment_id].append(refund_of(tx, row))
    return found


async def refunds_by_cancellation(
    tx: Tx, ids: Collection[CancellationId]
) -> Mapping[CancellationId, Refund]:
    """Find what cancellations gave back in money."""
    rows = await tx.all(BY_CANCELLATION, {"ids": list(ids)})
    return {row.cancellation_id: refund_of(tx, row) for row in rows}


def refund_of(tx: Tx, row: AnyRow) -> Refund:
    """Read a refund from a row of REFUNDS."""
    return Refund(
        id=row.id,
        payment_id=row.payment_id,
        amount=Money(row.amount_minor, tx.account.currency),
        cause=row.cause,
        state=row.state,
        cancellation_id=row.cancellation_id,
        booking_id=row.booking_id,
        staff_id=row.staff_id,
        note=row.note,
        stripe_refund_id=row.stripe_refund_id,
        failure=row.failure,
        requested_at=row.requested_at,
        settled_at=row.settled_at,
        refunded_at=row.refunded_at,
        refunded_by_id=row.refunded_by_id,
        refund_note=row.refund_note,
    )
