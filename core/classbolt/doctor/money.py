"""What must be true of payments by card, and of bundles that were bought.

Money is for a place or a bundle, or it goes back, once.
"""

from __future__ import annotations

from classbolt.doctor.invariant import Invariant, invariant

MONEY: tuple[Invariant, ...] = (
    invariant(
        "CARD_PAYMENT_MISPLACED",
        "H4 a payment by card is known as one, and no other is",
        "payments",
        """
        SELECT p.account_id, p.id
        FROM payments p
        LEFT JOIN card_payments c ON c.account_id = p.account_id AND c.payment_id = p.id
        WHERE (p.method = 'card') <> (c.payment_id IS NOT NULL)
        """,
    ),
    invariant(
        "HELD_WITHOUT_PAYMENT",
        "H4 places are held only while their payment can be made",
        "bookings",
        """
        SELECT b.account_id, b.id
        FROM bookings b
        LEFT JOIN card_payments c
            ON c.account_id = b.account_id AND c.payment_id = b.payment_id
        WHERE b.status = 'HELD' AND (c.payment_id IS NULL OR c.state <> 'PENDING')
        """,
    ),
    invariant(
        "BOOKED_WITHOUT_MONEY",
        "H4 what a card is to pay for is booked only once it is paid",
        "bookings",
        """
        SELECT b.account_id, b.id
        FROM bookings b
        JOIN card_payments c ON c.account_id = b.account_id AND c.payment_id = b.payment_id
        WHERE b.status IN ('BOOKED', 'CANCELLED') AND c.state <> 'PAID'
        """,
    ),
    invariant(
        "PAID_WITHOUT_PLACE",
        "H4 what was paid for is booked, or the money goes back",
        "bookings",
        """
        SELECT b.account_id, b.id
        FROM bookings b
        LEFT JOIN card_payments c
            ON c.account_id = b.account_id AND c.payment_id = b.payment_id
        WHERE b.status = 'EXPIRED' AND (c.payment_id IS NULL OR c.state = 'PAID')
        """,
    ),
    invariant(
        "COURSE_BOOKING_AHEAD",
        "H4 a course booking is held, booked or given up as its payment says",
        "course_bookings",
        """
        SELECT b.account_id, b.id
        FROM course_bookings b
        LEFT JOIN card_payments c
            ON c.account_id = b.account_id AND c.payment_id = b.payment_id
        WHERE (b.status = 'HELD') <> (COALESCE(c.state, '') = 'PENDING')
            OR (b.status = 'EXPIRED') <> (COALESCE(c.state, '') IN ('EXPIRED', 'RETURNED'))
        """,
    ),
    invariant(
        "PURCHASE_AHEAD",
        "H4 a bundle that a card is to pay for is issued exactly if it is paid",
        "purchases",
        """
        SELECT s.account_id, s.id
        FROM purchases s
        LEFT JOIN card_payments c
            ON c.account_id = s.account_id AND c.payment_id = s.payment_id
        WHERE (s.status = 'PENDING') <> (COALESCE(c.state, '') = 'PENDING')
            OR (s.status = 'EXPIRED') <> (COALESCE(c.state, '') IN ('EXPIRED', 'RETURNED'))
        """,
    ),
    invariant(
        "PURCHASE_MISPLACED",
        "what was bought is a copy of that bundle, for its customer, by their payment",
        "purchases",
        """
        SELECT s.account_id, s.id
        FROM purchases s
        JOIN payments p ON p.account_id = s.account_id AND p.id = s.payment_id
        LEFT JOIN customer_bundles h
            ON h.account_id = s.account_id AND h.id = s.customer_bundle_id
        WHERE p.customer_id <> s.customer_id
            OR h.customer_id <> s.customer_id
            OR h.bundle_id <> s.bundle_id
        """,
    ),
    invariant(
        "CHARGED_FOR_NOTHING",
        "a payment by card is for places, or for a bundle",
        "payments",
        """
        SELECT c.account_id, c.payment_id AS id
        FROM card_payments c
        LEFT JOIN bookings b ON b.account_id = c.account_id AND b.payment_id = c.payment_id
        LEFT JOIN purchases s ON s.account_id = c.account_id AND s.payment_id = c.payment_id
        WHERE b.id IS NULL AND s.id IS NULL
        """,
    ),
    invariant(
        "PAID_BUT_NOT_SETTLED",
        "a payment by card is settled once the card was charged, and not before",
        "payments",
        """
        SELECT p.account_id, p.id
        FROM payments p
        JOIN card_payments c ON c.account_id = p.account_id AND c.payment_id = p.id
        WHERE (p.paid_at IS NOT NULL) <> (c.state = 'PAID')
        """,
    ),
    invariant(
        "CHARGED_TOO_LITTLE",
        "nothing is booked for less than it costs",
        "payments",
        """
        SELECT p.account_id, p.id
        FROM payments p
        JOIN card_payments c ON c.account_id = p.account_id AND c.payment_id = p.id
        WHERE c.state = 'PAID' AND c.captured_minor < p.amount_minor
        """,
    ),
    invariant(
        "REFUNDS_MISCOUNTED",
        "what goes back of a payment is the sum of its refunds that have not failed",
        "payments",
        """
        SELECT c.account_id, c.payment_id AS id
        FROM card_payments c
        LEFT JOIN (
            SELECT account_id, payment_id,
                SUM(CASE WHEN cause <> 'ELSEWHERE' THEN amount_minor ELSE 0 END) AS ours,
                SUM(CASE WHEN cause = 'ELSEWHERE' THEN amount_minor ELSE 0 END) AS elsewhere
            FROM refunds
            WHERE state <> 'FAILED'
            GROUP BY account_id, payment_id
        ) r ON r.account_id = c.account_id AND r.payment_id = c.payment_id
        WHERE c.refunded_minor <> COALESCE(r.ours, 0)
            OR c.refunded_elsewhere_minor <> COALESCE(r.elsewhere, 0)
        """,
    ),
    invariant(
        "PAID_BACK_WITHOUT_REFUND",
        "H5 a cancellation that gives money back has a refund of the payment for its booking",
        "cancellations",
        """
        SELECT c.account_id, c.id
        FROM cancellations c
        JOIN bookings b ON b.account_id = c.account_id AND b.id = c.booking_id
        LEFT JOIN refunds r ON r.account_id = c.account_id AND r.cancellation_id = c.id
        WHERE (c.outcome = 'PAID_BACK') <> (r.id IS NOT NULL)
            OR (r.id IS NOT NULL AND COALESCE(r.payment_id <> b.payment_id, TRUE))
        """,
    ),
    invariant(
        "RETURNED_WITHOUT_REFUND",
        "H4 who paid too late, and nobody else, gets once what others did not give back",
        "payments",
        """
        SELECT c.account_id, c.payment_id AS id
        FROM card_payments c
        LEFT JOIN (
            SELECT account_id, payment_id, SUM(amount_minor) AS asked_for
            FROM refunds
            WHERE cause = 'LATE'
            GROUP BY account_id, payment_id
        ) r ON r.account_id = c.account_id AND r.payment_id = c.payment_id
        WHERE (c.state <> 'RETURNED' AND r.asked_for IS NOT NULL)
            OR r.asked_for > c.captured_minor
            OR (
                c.state = 'RETURNED'
                AND c.captured_minor - c.refunded_elsewhere_minor > COALESCE(r.asked_for, 0)
                AND c.captured_minor - c.refunded_elsewhere_minor > c.refunded_minor
            )
        """,
    ),
)

REFUND_FAILED = invariant(
    "REFUND_FAILED",
    "refunds reach whom they are for",
    "refunds",
    """
    SELECT r.account_id, r.id
    FROM refunds r
    JOIN card_payments c ON c.account_id = r.account_id AND c.payment_id = r.payment_id
    LEFT JOIN cancellations d ON d.account_id = r.account_id AND d.id = r.cancellation_id
    WHERE r.state = 'FAILED'
        AND r.refunded_at IS NULL
        AND d.refunded_at IS NULL
        AND c.captured_minor > c.refunded_minor + c.refunded_elsewhere_minor + (
            SELECT COALESCE(SUM(l.amount_minor), 0) FROM disputes l
            WHERE l.account_id = r.account_id AND l.payment_id = r.payment_id
                AND l.status = 'lost'
        )
    """,
)
"""Nothing is wrong with the rows, but staff owe somebody money."""
