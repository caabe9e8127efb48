"""What must be true of seats, bookings, courses that were booked, and who pays (J1, J4, J5)."""

from __future__ import annotations

from classbolt.doctor.invariant import Invariant, invariant

PLACES: tuple[Invariant, ...] = (
    invariant(
        "SEATS_MISCOUNTED",
        "J1 seats taken are the active bookings and those that are held",
        "sessions",
        """
        SELECT s.account_id, s.id
        FROM sessions s
        LEFT JOIN (
            SELECT account_id, session_id, COUNT(*) AS places
            FROM bookings
            WHERE status IN ('BOOKED', 'HELD')
            GROUP BY account_id, session_id
        ) b ON b.account_id = s.account_id AND b.session_id = s.id
        WHERE s.seats_taken <> COALESCE(b.places, 0)
        """,
    ),
    invariant(
        "SESSION_OVER_CAPACITY",
        "J1 no session is over its capacity",
        "sessions",
        """
        SELECT account_id, id FROM sessions
        WHERE seats_taken > capacity + over_capacity
        """,
    ),
    invariant(
        "OVER_CAPACITY_NOT_NEEDED",
        "J1 a session is let over its capacity only as far as its bookings need (X21)",
        "sessions",
        """
        SELECT account_id, id FROM sessions
        WHERE over_capacity <> 0 AND seats_taken < capacity + over_capacity
        """,
    ),
    invariant(
        "CALLED_OFF_BUT_BOOKED",
        "J1 nobody has a place in a session that was called off",
        "bookings",
        """
        SELECT b.account_id, b.id
        FROM bookings b
        JOIN sessions s ON s.account_id = b.account_id AND s.id = b.session_id
        WHERE b.status IN ('BOOKED', 'HELD') AND s.called_off_at IS NOT NULL
        """,
    ),
    invariant(
        "CANCELLATION_MISCOUNTED",
        "J4 a cancelled booking has one cancellation, an active one none",
        "bookings",
        """
        SELECT b.account_id, b.id
        FROM bookings b
        LEFT JOIN cancellations c ON c.account_id = b.account_id AND c.booking_id = b.id
        GROUP BY b.account_id, b.id, b.status
        HAVING COUNT(c.booking_id) <> CASE WHEN b.status = 'CANCELLED' THEN 1 ELSE 0 END
        """,
    ),
    invariant(
        "BOOKED_TWICE",
        "J5 a customer has one active place in a session",
        "sessions",
        """
        SELECT account_id, session_id AS id
        FROM bookings
        WHERE status IN ('BOOKED', 'HELD')
        GROUP BY account_id, session_id, customer_id
        HAVING COUNT(*) > 1
        """,
    ),
    invariant(
        "COURSE_BOOKED_TWICE",
        "J5 a customer has one active booking of a course",
        "courses",
        """
        SELECT account_id, course_id AS id
        FROM course_bookings
        WHERE status IN ('BOOKED', 'HELD')
        GROUP BY account_id, course_id, customer_id
        HAVING COUNT(*) > 1
        """,
    ),
    invariant(
        "COURSE_PLACE_MISPLACED",
        "a place of a course booking is in its course, for its customer, by its payment",
        "bookings",
        """
        SELECT b.account_id, b.id
        FROM bookings b
        JOIN course_bookings c ON c.account_id = b.account_id AND c.id = b.course_booking_id
        JOIN sessions s ON s.account_id = b.account_id AND s.id = b.session_id
        WHERE s.course_id <> c.course_id
            OR b.customer_id <> c.customer_id
            OR b.payment_id IS NULL
            OR b.payment_id <> c.payment_id
        """,
    ),
    invariant(
        "COURSE_BOOKING_EMPTY",
        "a course booking has places",
        "course_bookings",
        """
        SELECT c.account_id, c.id
        FROM course_bookings c
        LEFT JOIN bookings b ON b.account_id = c.account_id AND b.course_booking_id = c.id
        WHERE b.id IS NULL
        """,
    ),
    invariant(
        "PAID_BY_ANOTHER",
        "the payment for a booking is its customer's",
        "bookings",
        """
        SELECT b.account_id, b.id
        FROM bookings b
        JOIN payments p ON p.account_id = b.account_id AND p.id = b.payment_id
        WHERE p.customer_id <> b.customer_id
        """,
    ),
    invariant(
        "COURSE_PAID_BY_ANOTHER",
        "the payment for a course booking is its customer's",
        "course_bookings",
        """
        SELECT c.account_id, c.id
        FROM course_bookings c
        JOIN payments p ON p.account_id = c.account_id AND p.id = c.payment_id
        WHERE p.customer_id <> c.customer_id
        """,
    ),
    invariant(
        "MERGED_BUT_NOT_MOVED",
        "a customer who was merged into another one has nothing left (X26)",
        "customers",
        """
        SELECT c.account_id, c.id FROM customers c
        JOIN bookings x ON x.account_id = c.account_id AND x.customer_id = c.id
        WHERE c.merged_into_id IS NOT NULL
        UNION
        SELECT c.account_id, c.id FROM customers c
        JOIN course_bookings x ON x.account_id = c.account_id AND x.customer_id = c.id
        WHERE c.merged_into_id IS NOT NULL
        UNION
        SELECT c.account_id, c.id FROM customers c
        JOIN customer_bundles x ON x.account_id = c.account_id AND x.customer_id = c.id
        WHERE c.merged_into_id IS NOT NULL
        UNION
        SELECT c.account_id, c.id FROM payments x
        JOIN customers c ON c.account_id = x.account_id AND c.id = x.customer_id
        WHERE c.merged_into_id IS NOT NULL
        UNION
        SELECT c.account_id, c.id FROM purchases x
        JOIN customers c ON c.account_id = x.account_id AND c.id = x.customer_id
        WHERE c.merged_into_id IS NOT NULL
        UNION
        SELECT c.account_id, c.id FROM memberships x
        JOIN customers c ON c.account_id = x.account_id AND c.id = x.customer_id
        WHERE c.merged_into_id IS NOT NULL
        """,
    ),
    invariant(
        "REFUND_DUE_BUT_GIVEN",
        "a refund is due by hand only where the business wants one and gave nothing (X13)",
        "cancellations",
        """
        SELECT account_id, id FROM cancellations
        WHERE refund_due AND (outcome <> 'NONE' OR NOT (by_business OR choice = 'CASH'))
        """,
    ),
)
