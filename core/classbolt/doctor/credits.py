"""What must be true of credits: balances, the ledger, what cancellations gave (J2-J4, J7)."""

from __future__ import annotations

from classbolt.doctor.invariant import Invariant, invariant

CREDITS: tuple[Invariant, ...] = (
    invariant(
        "BALANCE_NOT_IN_LEDGER",
        "J2 a balance is the sum of its ledger, and never negative",
        "customer_bundles",
        """
        SELECT h.account_id, h.id
        FROM customer_bundles h
        LEFT JOIN (
            SELECT account_id, customer_bundle_id, SUM(amount) AS total
            FROM credit_entries
            GROUP BY account_id, customer_bundle_id
        ) e ON e.account_id = h.account_id AND e.customer_bundle_id = h.id
        WHERE h.balance < 0 OR h.balance <> COALESCE(e.total, 0)
        """,
    ),
    invariant(
        "BALANCE_ABOVE_CREDITS",
        "J2 a balance is never above the credits that were issued",
        "customer_bundles",
        "SELECT account_id, id FROM customer_bundles WHERE balance > credits",
    ),
    invariant(
        "REVOKED_BUT_NOT_EMPTY",
        "J2 a customer bundle that was revoked is empty",
        "customer_bundles",
        """
        SELECT account_id, id FROM customer_bundles
        WHERE revoked_at IS NOT NULL AND balance <> 0
        """,
    ),
    invariant(
        "ISSUE_NOT_IN_LEDGER",
        "J2 a customer bundle was issued once, with all its credits",
        "customer_bundles",
        """
        SELECT h.account_id, h.id
        FROM customer_bundles h
        LEFT JOIN (
            SELECT account_id, customer_bundle_id, COUNT(*) AS lines, SUM(amount) AS total
            FROM credit_entries
            WHERE kind = 'ISSUE'
            GROUP BY account_id, customer_bundle_id
        ) e ON e.account_id = h.account_id AND e.customer_bundle_id = h.id
        WHERE COALESCE(e.lines, 0) <> 1 OR e.total <> h.credits
        """,
    ),
    invariant(
        "LEDGER_LINE_IMPOSSIBLE",
        "J2 a line of the ledger moves what its kind says",
        "credit_entries",
        """
        SELECT account_id, id FROM credit_entries
        WHERE (kind = 'ISSUE' AND amount < 1)
            OR (kind = 'SPEND' AND (amount <> -1 OR booking_id IS NULL))
            OR (kind = 'CREDIT_BACK' AND (amount <> 1 OR booking_id IS NULL))
            OR (kind = 'REVOKE' AND (amount > -1 OR booking_id IS NOT NULL))
        """,
    ),
    invariant(
        "SPEND_NOT_IN_LEDGER",
        "J3 a booking paid with a credit has one spend",
        "bookings",
        """
        SELECT b.account_id, b.id
        FROM bookings b
        LEFT JOIN credit_entries e ON e.account_id = b.account_id
            AND e.booking_id = b.id AND e.kind = 'SPEND'
        WHERE b.customer_bundle_id IS NOT NULL
        GROUP BY b.account_id, b.id
        HAVING COUNT(e.booking_id) <> 1
        """,
    ),
    invariant(
        "LEDGER_LINE_OF_OTHER_BUNDLE",
        "J3 a credit is spent from, and comes back to, the bundle that pays for the booking",
        "credit_entries",
        """
        SELECT e.account_id, e.id
        FROM credit_entries e
        JOIN bookings b ON b.account_id = e.account_id AND b.id = e.booking_id
        WHERE e.kind IN ('SPEND', 'CREDIT_BACK') AND (
            b.customer_bundle_id IS NULL OR b.customer_bundle_id <> e.customer_bundle_id)
        """,
    ),
    invariant(
        "CREDIT_RETURNED_TWICE",
        "J3 at most one credit comes back for a booking",
        "bookings",
        """
        SELECT account_id, booking_id AS id
        FROM credit_entries
        WHERE kind IN ('ISSUE', 'CREDIT_BACK') AND booking_id IS NOT NULL
        GROUP BY account_id, booking_id
        HAVING COUNT(*) > 1
        """,
    ),
    invariant(
        "OUTCOME_NOT_IN_LEDGER",
        "J4 what a cancellation gave is in the ledger",
        "cancellations",
        """
        SELECT c.account_id, c.id
        FROM cancellations c
        LEFT JOIN credit_entries e ON e.account_id = c.account_id
            AND e.booking_id = c.booking_id
            AND e.kind = CASE c.outcome WHEN 'NEW_BUNDLE' THEN 'ISSUE' ELSE 'CREDIT_BACK' END
        WHERE c.outcome IN ('CREDIT_BACK', 'NEW_BUNDLE') AND e.booking_id IS NULL
        """,
    ),
    invariant(
        "CREDIT_WITHOUT_OUTCOME",
        "J4 a credit comes back by a cancellation that says so, on the bundle that it names",
        "credit_entries",
        """
        SELECT e.account_id, e.id
        FROM credit_entries e
        LEFT JOIN cancellations c ON c.account_id = e.account_id
            AND c.booking_id = e.booking_id
        WHERE e.kind IN ('ISSUE', 'CREDIT_BACK') AND e.booking_id IS NOT NULL AND (
            c.id IS NULL
            OR c.outcome <> CASE WHEN e.kind = 'ISSUE' THEN 'NEW_BUNDLE' ELSE e.kind END
            OR c.customer_bundle_id <> e.customer_bundle_id)
        """,
    ),
    invariant(
        "CREDIT_TO_SOMEBODY_ELSE",
        "J4 what a cancellation gave went to the customer who held the booking",
        "cancellations",
        """
        SELECT c.account_id, c.id
        FROM cancellations c
        JOIN bookings b ON b.account_id = c.account_id AND b.id = c.booking_id
        JOIN customer_bundles h ON h.account_id = c.account_id
            AND h.id = c.customer_bundle_id
        WHERE h.customer_id <> b.customer_id
        """,
    ),
    invariant(
        "LEDGER_NOT_ACCOUNTED_FOR",
        "J7 every credit issued is accounted for",
        "accounts",
        """
        SELECT a.id AS account_id, NULL AS id
        FROM accounts a
        LEFT JOIN (
            SELECT account_id, SUM(amount) AS total FROM credit_entries GROUP BY account_id
        ) e ON e.account_id = a.id
        LEFT JOIN (
            SELECT account_id, SUM(balance) AS total FROM customer_bundles
            GROUP BY account_id
        ) h ON h.account_id = a.id
        WHERE COALESCE(e.total, 0) <> COALESCE(h.total, 0)
        """,
    ),
    invariant(
        "LEDGER_REVOKES_WHAT_IS_NOT",
        "J7 credits are taken back only from a customer bundle that was revoked, and once",
        "customer_bundles",
        """
        SELECT h.account_id, h.id
        FROM credit_entries e
        JOIN customer_bundles h ON h.account_id = e.account_id AND h.id = e.customer_bundle_id
        WHERE e.kind = 'REVOKE'
        GROUP BY h.account_id, h.id, h.revoked_at
        HAVING h.revoked_at IS NULL OR COUNT(*) <> 1
        """,
    ),
    invariant(
        "PAID_WITH_BUNDLE_OF_ANOTHER",
        "the bundle that pays for a booking is its customer's",
        "bookings",
        """
        SELECT b.account_id, b.id
        FROM bookings b
        JOIN customer_bundles h ON h.account_id = b.account_id
            AND h.id = b.customer_bundle_id
        WHERE h.customer_id <> b.customer_id
        """,
    ),
    invariant(
        "ORIGIN_MISTAKEN",
        "a place comes from its course booking, or from what earned the credit that pays (X11)",
        "bookings",
        """
        SELECT b.account_id, b.id
        FROM bookings b
        LEFT JOIN customer_bundles h ON h.account_id = b.account_id
            AND h.id = b.customer_bundle_id
        WHERE (b.origin_id IS NULL) <> (COALESCE(b.course_booking_id, h.origin_id) IS NULL)
            OR b.origin_id <> COALESCE(b.course_booking_id, h.origin_id)
        """,
    ),
)
