"""Payments by card of which nothing has come: not yet, too late, never, or no longer.

Ben pays for a course of which a session was called off meanwhile, and got the money back for a
place that he gave up. Cam pays for a place and for ten credits; he paid for another place too
late and got the money back, and gave a third one up.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from healthy import (
    BEFORE,
    BEN,
    CAM,
    CANCELLED,
    MON_2,
    NORTH,
    OFF,
    SAT,
    SAT_1,
    booking,
    by_card,
    cancellation,
    card,
    key,
    purchase,
    refund,
    session,
    write,
)

SAT_2, PAYING_BEN, PAYING_CAM, TOO_LATE, LEFT = key(), key(), key(), key(), key()
HELD_COURSE, HELD_OFF, HELD_BY_BEN, HELD_BY_CAM = key(), key(), key(), key()
GONE_TOO_LATE, GONE, ALL_BACK = key(), key(), key()
PAYING_TEN, BUYING = key(), key()
PAID_BACK, CASHED, FOR_CASHED, CASH = key(), key(), key(), key()
BY_HELD_COURSE = {"course_booking_id": HELD_COURSE, "way": "course", "payment_id": PAYING_BEN}
BY_HELD_COURSE |= {"origin_id": HELD_COURSE}
UNDER_WAY: dict[str, list[dict[str, Any]]] = {
    "sessions": [session(SAT_2, SAT, 9, 2)],
    "payments": [
        by_card(PAYING_BEN, BEN),
        by_card(PAYING_CAM, CAM),
        by_card(PAYING_TEN, CAM),
        by_card(TOO_LATE, CAM),
        by_card(LEFT, CAM),
        {**by_card(PAID_BACK, BEN), "paid_at": BEFORE},
    ],
    "card_payments": [
        card(PAYING_BEN, "PENDING", "pi_2"),
        card(PAYING_CAM, "PENDING", "pi_3"),
        card(PAYING_TEN, "PENDING", "pi_4"),
        card(TOO_LATE, "RETURNED", "pi_5", 1200, refunded_minor=1200, ended_because="TIMEOUT"),
        card(LEFT, "EXPIRED", "pi_6", ended_because="ABANDONED"),
        card(PAID_BACK, "PAID", "pi_7", 1200, refunded_minor=1200),
    ],
    "course_bookings": [
        {
            "id": HELD_COURSE,
            "course_id": SAT,
            "customer_id": BEN,
            "payment_id": PAYING_BEN,
            "status": "HELD",
            "booked_at": BEFORE,
        }
    ],
    "purchases": [purchase(BUYING, CAM, PAYING_TEN, "PENDING", None)],
    "bookings": [
        booking(HELD_OFF, OFF, BEN, **BY_HELD_COURSE, status="EXPIRED"),
        booking(HELD_BY_BEN, SAT_2, BEN, **BY_HELD_COURSE, status="HELD"),
        booking(HELD_BY_CAM, SAT_2, CAM, payment_id=PAYING_CAM, status="HELD"),
        booking(GONE_TOO_LATE, MON_2, CAM, payment_id=TOO_LATE, status="EXPIRED"),
        booking(GONE, SAT_2, CAM, payment_id=LEFT, status="EXPIRED"),
        booking(CASHED, SAT_1, BEN, payment_id=PAID_BACK, **CANCELLED),
    ],
    "cancellations": [
        {**cancellation(FOR_CASHED, CASHED, "PAID_BACK", None), "reason": None},
    ],
    "refunds": [
        refund(ALL_BACK, TOO_LATE, 1200, "LATE", "re_2"),
        {
            **refund(CASH, PAID_BACK, 1200, "CANCELLATION", "re_3"),
            "cancellation_id": FOR_CASHED,
        },
    ],
}


async def write_payments_under_way(connection: AsyncConnection) -> None:
    """Write places that are held, and payments that came to nothing, into the studio."""
    await write(connection, NORTH, UNDER_WAY)
