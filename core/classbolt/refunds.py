"""Money that goes back to a card: promised in a transaction, given by Stripe after its commit.

Never more than was taken: one guarded UPDATE of the payment counts what goes back, before the
row of the refund is written. A refund that fails is counted out again, and staff are told. What
somebody gave back elsewhere, in Stripe's dashboard, is noted as soon as we hear of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import bindparam, func, or_, select, update

from classbolt.checks import mine
from classbolt.columns import AnyRow
from classbolt.db import Tx
from classbolt.errors import RefundTooLarge
from classbolt.jobs import NewJob, enqueue
from classbolt.stripe_facts import StripeRefund
from classbolt.tables import card_payments, refunds
from classbolt.values import (
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
STATES: Final[Mapping[str, str]] = {
    "succeeded": SUCCEEDED,
    "failed": FAILED,
    "canceled": FAILED,
}
"""What Stripe's word for a refund's standing is to us; what is neither is under way."""
KEYS_ARE_KEPT: Final = timedelta(hours=23)
"""For so long Stripe surely knows under which key a refund was asked for; it promises a day."""
LONGEST_FAILURE: Final = 60


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
        failure: Why it failed, in Stripe's word.
    """

    id: RefundId
    payment_id: PaymentId
    amount: Money
    cause: str
    state: str
    cancellation_id: CancellationId | None
    staff_id: StaffId | None
    note: str | None
    stripe_refund_id: str | None
    failure: str | None
    requested_at: datetime
    settled_at: datetime | None


REFUNDS = select(
    refunds.c.id,
    refunds.c.payment_id,
    refunds.c.amount_minor,
    refunds.c.cause,
    refunds.c.state,
    refunds.c.cancellation_id,
    refunds.c.staff_id,
    refunds.c.note,
    refunds.c.stripe_refund_id,
    refunds.c.failure,
    refunds.c.requested_at,
    refunds.c.settled_at,
).where(mine(refunds))
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
COUNT_OUT = (
    update(card_payments)
    .where(*THAT_PAYMENT)
    .values(refunded_minor=card_payments.c.refunded_minor - bindparam("amount"))
)
COUNT_ELSEWHERE = (
    update(card_payments)
    .where(*THAT_PAYMENT)
    .values(
        refunded_elsewhere_minor=select(func.coalesce(func.sum(refunds.c.amount_minor), 0))
        .where(
            mine(refunds),
            refunds.c.payment_id == card_payments.c.payment_id,
            refunds.c.cause == ELSEWHERE,
            refunds.c.state != FAILED,
        )
        .scalar_subquery()
    )
)
# What has failed stays so. What has succeeded can still fail: banks send money back.
MOVE = (
    update(refunds)
    .where(
        mine(refunds),
        refunds.c.id == bindparam("refund"),
        refunds.c.state != FAILED,
        # Who asked Stripe first may be the last to write it down.
        or_(refunds.c.state != SUCCEEDED, bindparam("to") == FAILED),
    )
    .values(
        state=bindparam("to"),
        stripe_refund_id=func.coalesce(
            bindparam("at_stripe", type_=refunds.c.stripe_refund_id.type),
            refunds.c.stripe_refund_id,
        ),
        failure=bindparam("why"),
        settled_at=bindparam("settled"),
    )
    .returning(refunds.c.id)
)


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


async def note(
    tx: Tx, refund: Refund, seen: StripeRefund | None, failure: str | None, *, now: datetime
) -> None:
    """Note how a refund of ours stands. What Stripe refuses to give back has failed.

    Args:
        seen: What Stripe says of it; None if it refused.
        failure: Why, if it has failed.
    """
    state = STATES.get(seen.status, SUBMITTED) if seen else FAILED
    moved = await tx.scalar(
        MOVE,
        {
            "refund": refund.id,
            "to": state,
            "at_stripe": seen.id if seen else None,
            "why": (failure or "unknown")[:LONGEST_FAILURE] if state == FAILED else None,
            "settled": now if state in {SUCCEEDED, FAILED} else None,
        },
    )
    if moved is not None and state == FAILED and refund.cause != ELSEWHERE:
        counted = {"payment": refund.payment_id, "amount": refund.amount.amount_minor}
        await tx.execute(COUNT_OUT, counted)


async def note_all(
    tx: Tx, payment_id: PaymentId, seen: Sequence[StripeRefund], *, now: datetime
) -> None:
    """Note all that Stripe knows to have gone back of a payment, by whomever."""
    if not seen:
        return
    known = (await refunds_of(tx, [payment_id]))[payment_id]
    by_id = {str(each.id): each for each in known}
    by_name = {each.stripe_refund_id: each for each in known if each.stripe_refund_id}
    for each in seen:
        ours = by_name.get(each.id) or by_id.get(each.ours or "")
        if ours is None:
            await _note_stranger(tx, payment_id, each, now)
        else:
            await note(tx, ours, each, each.failure, now=now)
    await tx.execute(COUNT_ELSEWHERE, {"payment": payment_id})


async def _note_stranger(
    tx: Tx, payment_id: PaymentId, seen: StripeRefund, now: datetime
) -> None:
    """Note a refund that was not made by us."""
    state = STATES.get(seen.status, SUBMITTED)
    await tx.insert_new(
        refunds,
        {
            "id": new_id(),
            "payment_id": payment_id,
            "amount_minor": seen.amount_minor,
            "cause": ELSEWHERE,
            "state": state,
            "stripe_refund_id": seen.id,
            "failure": (seen.failure or "unknown")[:LONGEST_FAILURE]
            if state == FAILED
            else None,
            "requested_at": now,
            "settled_at": None if state == SUBMITTED else now,
        },
    )


def refund_of(tx: Tx, row: AnyRow) -> Refund:
    """Read a refund from a row of REFUNDS."""
    return Refund(
        id=row.id,
        payment_id=row.payment_id,
        amount=Money(row.amount_minor, tx.account.currency),
        cause=row.cause,
        state=row.state,
        cancellation_id=row.cancellation_id,
        staff_id=row.staff_id,
        note=row.note,
        stripe_refund_id=row.stripe_refund_id,
        failure=row.failure,
        requested_at=row.requested_at,
        settled_at=row.settled_at,
    )
