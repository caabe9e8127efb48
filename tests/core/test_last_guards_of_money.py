"""What the database refuses of payments, whatever a rule of ours may once let pass."""

from __future__ import annotations

import pytest
from sqlalchemy import CheckConstraint, Executable, NullPool, Table, Update, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine

import healthy as h
from classbolt.tables import (
    bookings,
    card_payments,
    payments,
    purchases,
    refunds,
    stripe_events,
    stripe_links,
)
from healthy import add, change, key


def paid(**values: object) -> Update:
    """Let the payment of Cam's card stand otherwise."""
    of_cam = update(card_payments).where(card_payments.c.payment_id == h.OF_CAM)
    return of_cam.values(**values)


CHECKS = {
    "ck_stripe_links_kind": change(stripe_links, h.LINK, kind="CASH"),
    "ck_stripe_links_connected": change(stripe_links, h.LINK, kind="CONNECTED"),
    "ck_stripe_links_has_key": change(stripe_links, h.LINK, sealed_key="sealed"),
    "ck_stripe_links_hold_minutes": change(stripe_links, h.LINK, hold_minutes=4),
    "ck_purchases_status": change(purchases, h.BOUGHT, status="SOLD", customer_bundle_id=None),
    "ck_purchases_issued": change(purchases, h.BOUGHT, customer_bundle_id=None),
    "ck_card_payments_state": paid(state="LOST", captured_minor=0),
    "ck_card_payments_ended": paid(ended_because="TIMEOUT"),
    "ck_card_payments_captured": paid(captured_minor=0),
    "ck_card_payments_refunded": paid(refunded_minor=1201),
    "ck_card_payments_refunded_elsewhere": paid(refunded_elsewhere_minor=-1),
    "ck_refunds_amount": change(refunds, h.PART, amount_minor=0),
    "ck_refunds_cause": change(refunds, h.PART, cause="GIFT"),
    "ck_refunds_cancellation": change(refunds, h.PART, cause="CANCELLATION"),
    "ck_refunds_staff": change(refunds, h.PART, cause="STAFF"),
    "ck_refunds_state": change(refunds, h.PART, state="LOST", settled_at=None),
    "ck_refunds_settled": change(refunds, h.PART, settled_at=None),
    "ck_refunds_failure": change(refunds, h.PART, failure="lost_or_stolen_card"),
    "ck_refunds_refunded": change(refunds, h.PART, refunded_at=h.BEFORE),
    "ck_refunds_submitted": change(refunds, h.PART, stripe_refund_id=None),
    "ck_bookings_held": change(bookings, h.AGAIN, status="HELD"),
}
"""What breaks each constraint alone."""

ANOTHER = key()
TWICE: dict[str, list[Executable]] = {
    "an account has one link in force": [
        add(stripe_links, {"id": ANOTHER, "kind": "OWN", "linked_at": h.BEFORE}),
    ],
    "what Stripe calls a payment is one payment": [
        add(payments, h.by_card(ANOTHER, h.CAM)),
        add(card_payments, h.card(ANOTHER, "PENDING", "pi_1")),
    ],
    "what Stripe calls a refund is one refund": [
        add(refunds, h.refund(ANOTHER, h.OF_CAM, 100, "ELSEWHERE", "re_1")),
    ],
    "a payment buys one bundle": [
        add(purchases, h.purchase(ANOTHER, h.BEN, h.FOR_TEN, "PENDING", None)),
    ],
    "an event is acted on once": [
        add(stripe_events, {"event_id": "evt_1", "received_at": h.LATER}),
    ],
}


async def refused(url: str, *statements: Executable) -> str:
    """Try to write, and say why it is refused."""
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            *before, last = statements
            for each in before:
                await connection.execute(each)
            with pytest.raises(IntegrityError) as no:
                await connection.execute(last)
            await connection.rollback()
    finally:
        await engine.dispose()
    return str(no.value.orig)


def constraints(*tables: Table) -> set[str]:
    """Name the constraints on the values of a row."""
    return {
        str(each.name)
        for table in tables
        for each in table.constraints
        if isinstance(each, CheckConstraint)
    }


def test_every_constraint_is_tried_below() -> None:
    of_money = constraints(stripe_links, purchases, card_payments, refunds)

    assert CHECKS.keys() == of_money | {"ck_bookings_held"}


async def test_a_row_that_cannot_be_true_is_refused_by_the_constraint_that_says_so(
    url: str,
) -> None:
    """H4, H5."""
    for name, statement in CHECKS.items():
        assert name in (await refused(url, statement)).replace('"', " ").split(), name


async def test_what_there_is_once_is_not_written_twice(url: str) -> None:
    """S24: who decides at the same moment is told of it by an index."""
    for name, statements in TWICE.items():
        assert "unique" in (await refused(url, *statements)).lower(), name
