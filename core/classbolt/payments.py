"""Payments: what was asked for a course or a place, and whether it was paid.

`offline` money is owed until staff mark it paid; `free` owes nothing. Cards are not here yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, select, update

from classbolt.checks import mine
from classbolt.columns import AnyRow
from classbolt.db import Tx
from classbolt.errors import NotFound
from classbolt.facts import FREE, OFFLINE
from classbolt.tables import payments
from classbolt.values import Actor, CustomerId, Money, PaymentId, Permission, new_id

COURSE_METHODS = frozenset({OFFLINE})
"""What a course can be set to accept; what costs nothing is free anyway."""


@dataclass(frozen=True, slots=True)
class Payment:
    """What a customer owes or has paid.

    Attributes:
        paid_at: When staff marked it paid, or when it was free; None while it is owed.
    """

    id: PaymentId
    customer_id: CustomerId
    method: str
    amount: Money
    paid_at: datetime | None


PAYMENTS = select(
    payments.c.id,
    payments.c.customer_id,
    payments.c.method,
    payments.c.amount_minor,
    payments.c.paid_at,
).where(mine(payments), payments.c.id.in_(bindparam("ids", expanding=True)))
MARK_PAID = (
    update(payments)
    .where(mine(payments), payments.c.id == bindparam("payment"))
    .values(
        paid_at=func.coalesce(
            payments.c.paid_at, bindparam("now", type_=payments.c.paid_at.type)
        ),
        marked_by_id=func.coalesce(
            payments.c.marked_by_id, bindparam("staff", type_=payments.c.marked_by_id.type)
        ),
    )
    .returning(payments.c.id)
)


async def record(
    tx: Tx, customer_id: CustomerId, method: str, amount: Money, *, now: datetime
) -> PaymentId:
    """Record what a customer owes; what is free counts as settled at once."""
    payment_id = PaymentId(new_id())
    await tx.insert(
        payments,
        {
            "id": payment_id,
            "customer_id": customer_id,
            "method": method,
            "amount_minor": amount.amount_minor,
            "paid_at": now if method == FREE else None,
            "created_at": now,
        },
    )
    return payment_id


async def mark_paid(tx: Tx, actor: Actor, payment_id: PaymentId, *, now: datetime) -> Payment:
    """Note that the money arrived (F8). Marking it again changes nothing.

    Raises:
        Forbidden: The actor does not serve customers.
        NotFound: The payment is unknown.
    """
    actor.require(Permission.SERVE_CUSTOMERS)
    if (
        await tx.scalar(MARK_PAID, {"payment": payment_id, "staff": actor.staff_id, "now": now})
        is None
    ):
        raise NotFound().at("payment")
    return (await find_payments(tx, [payment_id]))[payment_id]


async def find_payments(tx: Tx, ids: Sequence[PaymentId]) -> Mapping[PaymentId, Payment]:
    """Find payments by id."""
    return {row.id: _payment(tx, row) for row in await tx.all(PAYMENTS, {"ids": list(ids)})}


def _payment(tx: Tx, row: AnyRow) -> Payment:
    amount = Money(row.amount_minor, tx.account.currency)
    return Payment(row.id, row.customer_id, row.method, amount, row.paid_at)
