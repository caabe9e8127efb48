"""What may go wrong with rows of payments by card, and of places that are held for them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import delete, update

import healthy as h
import under_way as u
from classbolt.tables import (
    bookings,
    cancellations,
    card_payments,
    course_bookings,
    payments,
    purchases,
    refunds,
    sessions,
)
from healthy import add, cancellation, change, key


def of_card(payment: UUID, **values: Any) -> Any:
    """Let a payment by card stand otherwise."""
    return update(card_payments).where(card_payments.c.payment_id == payment).values(**values)


def back_to_card(of: UUID, amount: int, cause: str) -> Any:
    return add(refunds, h.refund(key(), of, amount, cause, "re_9"))


MONEY: dict[str, tuple[set[str], list[Any]]] = {
    "a place is held in a session that was called off": (
        {"CALLED_OFF_BUT_BOOKED"},
        [change(sessions, u.SAT_2, called_off_at=h.BEFORE)],
    ),
    "a seat that is held is not counted": (
        {"SEATS_MISCOUNTED"},
        [change(sessions, u.SAT_2, seats_taken=1)],
    ),
    "a customer pays twice for one place": (
        {"BOOKED_TWICE", "HELD_WITHOUT_PAYMENT"},
        [
            change(bookings, u.GONE, status="HELD"),
            change(sessions, u.SAT_2, seats_taken=3),
        ],
    ),
    "a customer pays for a course that is theirs": (
        {"COURSE_BOOKED_TWICE", "COURSE_PAID_BY_ANOTHER", "COURSE_PLACE_MISPLACED"},
        [change(course_bookings, u.HELD_COURSE, course_id=h.MON, customer_id=h.ANA)],
    ),
    "a place is held that nobody pays by card": (
        {"HELD_WITHOUT_PAYMENT"},
        [change(bookings, h.BENS, status="HELD")],
    ),
    "a place is held that a credit pays for": (
        {"HELD_WITHOUT_PAYMENT"},
        [change(bookings, h.AGAIN, status="HELD")],
    ),
    "a place is held that was paid for": (
        {"HELD_WITHOUT_PAYMENT"},
        [change(bookings, h.CAMS, status="HELD")],
    ),
    "a place is booked while it is paid for": (
        {"BOOKED_WITHOUT_MONEY"},
        [change(bookings, u.HELD_BY_CAM, status="BOOKED")],
    ),
    "a place is booked that nobody paid for in time": (
        {"BOOKED_WITHOUT_MONEY"},
        [
            change(bookings, u.GONE_TOO_LATE, status="BOOKED"),
            change(sessions, h.MON_2, seats_taken=2),
        ],
    ),
    "a place was cancelled while it was paid for": (
        {"BOOKED_WITHOUT_MONEY"},
        [
            change(bookings, u.HELD_BY_CAM, status="CANCELLED"),
            change(sessions, u.SAT_2, seats_taken=1),
            add(cancellations, cancellation(key(), u.HELD_BY_CAM, "NONE", None)),
        ],
    ),
    "a place was given up that is paid for": (
        {"PAID_WITHOUT_PLACE"},
        [
            change(bookings, h.CAMS, status="EXPIRED"),
            change(sessions, h.MON_1, seats_taken=1, over_capacity=0),
        ],
    ),
    "a place was given up that no card is to pay for": (
        {"PAID_WITHOUT_PLACE"},
        [
            change(bookings, h.BENS, status="EXPIRED"),
            change(sessions, h.MON_1, seats_taken=1, over_capacity=0),
        ],
    ),
    "a course is booked while it is paid for": (
        {"COURSE_BOOKING_AHEAD"},
        [change(course_bookings, u.HELD_COURSE, status="BOOKED")],
    ),
    "a course was given up while it is paid for": (
        {"COURSE_BOOKING_AHEAD"},
        [change(course_bookings, u.HELD_COURSE, status="EXPIRED")],
    ),
    "a course is held that nobody pays by card": (
        {"COURSE_BOOKING_AHEAD"},
        [change(course_bookings, h.COURSE_BOOKING, status="HELD")],
    ),
    "a course was given up that no card is to pay for": (
        {"COURSE_BOOKING_AHEAD"},
        [change(course_bookings, h.COURSE_BOOKING, status="EXPIRED")],
    ),
    "a card pays, and nobody knows how that stands": (
        {"CARD_PAYMENT_MISPLACED"},
        [change(payments, h.OF_BEN, method="card")],
    ),
    "a card was asked for what is paid in another way": (
        {"CARD_PAYMENT_MISPLACED"},
        [change(payments, h.OF_CAM, method="offline")],
    ),
    "a card was charged, and the payment is owed": (
        {"PAID_BUT_NOT_SETTLED"},
        [change(payments, h.OF_CAM, paid_at=None)],
    ),
    "a payment is settled while the card can be charged": (
        {"PAID_BUT_NOT_SETTLED"},
        [change(payments, u.PAYING_CAM, paid_at=h.BEFORE)],
    ),
    "a payment is settled whose money went back": (
        {"PAID_BUT_NOT_SETTLED"},
        [change(payments, u.TOO_LATE, paid_at=h.BEFORE)],
    ),
    "a card was charged with less than a place costs": (
        {"CHARGED_TOO_LITTLE"},
        [of_card(h.OF_CAM, captured_minor=1199)],
    ),
    "a refund of ours is not counted": (
        {"REFUNDS_MISCOUNTED"},
        [of_card(u.TOO_LATE, refunded_minor=0)],
    ),
    "more went back than was asked for": (
        {"REFUNDS_MISCOUNTED"},
        [of_card(h.OF_CAM, refunded_minor=100)],
    ),
    "a refund made elsewhere is not counted": (
        {"REFUNDS_MISCOUNTED"},
        [of_card(h.OF_CAM, refunded_elsewhere_minor=0)],
    ),
    "a refund that has failed is counted": (
        {"REFUNDS_MISCOUNTED"},
        [change(refunds, h.PART, state="FAILED", failure="unknown")],
    ),
    "who paid too late is given nothing": (
        {"RETURNED_WITHOUT_REFUND"},
        [
            delete(refunds).where(refunds.c.id == u.ALL_BACK),
            of_card(u.TOO_LATE, refunded_minor=0),
        ],
    ),
    "who paid too late is given a part": (
        {"RETURNED_WITHOUT_REFUND"},
        [
            change(refunds, u.ALL_BACK, amount_minor=1000),
            of_card(u.TOO_LATE, refunded_minor=1000),
        ],
    ),
    "who paid too late is given the money twice": (
        {"RETURNED_WITHOUT_REFUND"},
        [back_to_card(u.TOO_LATE, 1200, "LATE"), of_card(u.TOO_LATE, refunded_minor=2400)],
    ),
    "who has a place is given the money as if it came too late": (
        {"RETURNED_WITHOUT_REFUND"},
        [back_to_card(h.OF_CAM, 1200, "LATE"), of_card(h.OF_CAM, refunded_minor=1200)],
    ),
    "a bundle was issued while it is paid for": (
        {"PURCHASE_AHEAD"},
        [change(purchases, u.BUYING, status="ISSUED")],
    ),
    "a bundle was given up while it is paid for": (
        {"PURCHASE_AHEAD"},
        [change(purchases, u.BUYING, status="EXPIRED")],
    ),
    "a bundle waits for a card that is not to pay": (
        {"PURCHASE_AHEAD"},
        [change(purchases, h.BOUGHT, status="PENDING")],
    ),
    "a bundle was bought for somebody else": (
        {"PURCHASE_MISPLACED"},
        [change(purchases, h.BOUGHT, customer_bundle_id=h.H2)],
    ),
    "a bundle was paid by somebody else": (
        {"CHARGED_FOR_NOTHING", "PURCHASE_MISPLACED"},
        [change(purchases, u.BUYING, payment_id=u.PAYING_BEN)],
    ),
    "another bundle was issued than was bought": (
        {"PURCHASE_MISPLACED"},
        [change(purchases, h.BOUGHT, bundle_id=h.RB)],
    ),
    "a card pays for nothing": (
        {"CHARGED_FOR_NOTHING"},
        [delete(purchases).where(purchases.c.id == u.BUYING)],
    ),
    "a customer who was merged has bought a bundle": (
        {"MERGED_BUT_NOT_MOVED", "PURCHASE_MISPLACED"},
        [change(purchases, u.BUYING, customer_id=h.MERGED)],
    ),
    "money goes back for a cancellation that gave nothing": (
        {"PAID_BACK_WITHOUT_REFUND"},
        [change(cancellations, u.FOR_CASHED, outcome="NONE", reason="BOLT_ON_OFF")],
    ),
    "a cancellation gave money back, and none goes back": (
        {"PAID_BACK_WITHOUT_REFUND"},
        [
            change(refunds, u.CASH, cause="STAFF", cancellation_id=None, staff_id=h.OWNER),
        ],
    ),
    "money goes back of a payment for something else": (
        {"PAID_BACK_WITHOUT_REFUND"},
        [
            change(refunds, u.CASH, payment_id=h.OF_CAM),
            of_card(h.OF_CAM, refunded_minor=1200),
            of_card(u.PAID_BACK, refunded_minor=0),
        ],
    ),
}
