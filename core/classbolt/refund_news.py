"""What Stripe says of refunds: how ours stand, and which others somebody made.

A refund that fails is counted out again, and staff are told. What somebody gave back elsewhere,
in Stripe's dashboard, is noted as soon as we hear of it. If that leaves less than was promised
to who paid too late, the rest is promised instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, delete, exists, func, or_, select, update

from classbolt.checks import mine
from classbolt.db import Tx
from classbolt.refunds import (
    ELSEWHERE,
    FAILED,
    LATE,
    REQUESTED,
    SUBMITTED,
    SUCCEEDED,
    THAT_PAYMENT,
    Refund,
    refunds_of,
    return_rest,
)
from classbolt.stripe_facts import StripeRefund
from classbolt.tables import card_payments, refunds
from classbolt.values import PaymentId, new_id

STATES: Final[Mapping[str, str]] = {
    "succeeded": SUCCEEDED,
    "failed": FAILED,
    "canceled": FAILED,
}
"""What Stripe's word for a refund's standing is to us; what is neither is under way."""
LONGEST_FAILURE: Final = 60

# Before its refunds, as everybody does: what is counted of them must not be older than that.
LOCK = select(card_payments.c.payment_id).where(*THAT_PAYMENT).with_for_update()
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
# Only what Stripe never gave, and only if others gave so much back that it cannot.
WITHDRAW = (
    delete(refunds)
    .where(
        mine(refunds),
        refunds.c.id == bindparam("refund"),
        refunds.c.state == REQUESTED,
        refunds.c.cause == LATE,
        exists().where(
            *THAT_PAYMENT,
            card_payments.c.refunded_minor + card_payments.c.refunded_elsewhere_minor
            > card_payments.c.captured_minor,
        ),
    )
    .returning(refunds.c.id)
)
AS_STRIPE_CALLS_THEM = select(refunds.c.stripe_refund_id, refunds.c.state).where(
    mine(refunds), refunds.c.stripe_refund_id.in_(bindparam("names", expanding=True))
)


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
        await _count_out(tx, refund)


async def note_refused(
    tx: Tx, refund: Refund, code: str, there: Sequence[StripeRefund], *, now: datetime
) -> None:
    """Note that Stripe does not give a refund of ours, which is not among those it has given.

    Who paid too late is owed all: if others gave back so much that there is less left than we
    asked for, the rest is asked for instead. Any other refund has failed.

    Args:
        code: Why not, in Stripe's word.
        there: All refunds of the payment that Stripe has.
    """
    await tx.execute(LOCK, {"payment": refund.payment_id})
    await note_all(tx, refund.payment_id, there, now=now)
    if await tx.scalar(WITHDRAW, {"refund": refund.id, "payment": refund.payment_id}):
        await _count_out(tx, refund)
        await return_rest(tx, refund.payment_id, now=now)
    else:
        await note(tx, refund, None, code, now=now)


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


async def only_news(tx: Tx, seen: Sequence[StripeRefund]) -> list[StripeRefund]:
    """Pick those of which our rows do not say what Stripe says. No refund un-fails."""
    names = {"names": [each.id for each in seen]}
    known = {
        row.stripe_refund_id: row.state for row in await tx.all(AS_STRIPE_CALLS_THEM, names)
    }
    return [
        each
        for each in seen
        if known.get(each.id) not in {FAILED, STATES.get(each.status, SUBMITTED)}
    ]


async def _count_out(tx: Tx, refund: Refund) -> None:
    counted = {"payment": refund.payment_id, "amount": refund.amount.amount_minor}
    await tx.execute(COUNT_OUT, counted)


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
