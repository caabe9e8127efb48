"""Payments: what was asked for a course or a place, and whether it was paid.

`offline` money is owed until staff mark it paid; `free` owes nothing. What becomes of a `card`
is told in `cards`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, select, update

from classbolt.card_rules import State
from classbolt.checks import mine
from classbolt.columns import AnyRow
from classbolt.db import Tx
from classbolt.errors import NotFound, PaymentOptionNotAllowed
from classbolt.facts import CARD, FREE, OFFLINE
from classbolt.tables import card_payments, payments
from classbolt.values import Actor, CustomerId, Money, PaymentId, Permission, new_id

SOLD_FOR = frozenset({CARD, OFFLINE})
"""What a course or a bundle can be set to accept; what costs nothing is free anyway."""


@dataclass(frozen=True, slots=True)
class Payment:
    """What a customer owes or has paid.

    Attributes:
        card_state: How a payment by card stands; None for others.
        hold_until: Until when its places are held, while it is pending.
        paid_at: When staff marked it paid, when the card was charged, or when it was free; None
            while it is owed.
    """

    id: PaymentId
    customer_id: CustomerId
    method: str
    amount: Money
    paid_at: datetime | None
    card_state: State | None = None
    hold_until: datetime | None = None

    @property
    def state(self) -> str:
        """Say in a word how it stands."""
        if self.card_state is not None:
            return self.card_state.value
        return "OWED" if self.paid_at is None else "PAID"


PAYMENTS = (
    select(
        payments.c.id,
        payments.c.customer_id,
        payments.c.method,
        payments.c.amount_minor,
        payments.c.paid_at,
        card_payments.c.state.label("card_state"),
        card_payments.c.hold_until,
    )
    .outerjoin(
        card_payments,
        (card_payments.c.account_id == payments.c.account_id)
        & (card_payments.c.payment_id == payments.c.id),
    )
    .where(mine(payments), payments.c.id.in_(bindparam("ids", expanding=True)))
)
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
        PaymentOptionNotAllowed: It is made by card, and Stripe says when it is.
    """
    actor.require(Permission.SERVE_CUSTOMERS)
    found = (await find_payments(tx, [payment_id])).get(payment_id)
    if found is not None and found.method == CARD:
        raise PaymentOptionNotAllowed([OFFLINE]).at("payment")
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
    state = State(row.card_state) if row.card_state else None
    return Payment(
        row.id, row.customer_id, row.method, amount, row.paid_at, state, row.hold_until
    )
