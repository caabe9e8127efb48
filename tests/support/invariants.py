"""What must hold after everything (J1-J7), asked of the database itself."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

BROKEN = {
    "J1 seats taken are the active bookings": """
        SELECT s.id FROM sessions s WHERE s.seats_taken <> (
            SELECT COUNT(*) FROM bookings b WHERE b.account_id = s.account_id
            AND b.session_id = s.id AND b.status = 'BOOKED')""",
    "J1 no session is over its capacity": """
        SELECT id FROM sessions WHERE seats_taken > capacity + over_capacity""",
    "J2 a balance is the sum of its ledger, and never negative": """
        SELECT h.id FROM customer_bundles h WHERE h.balance < 0 OR h.balance <> (
            SELECT COALESCE(SUM(e.amount), 0) FROM credit_entries e
            WHERE e.account_id = h.account_id AND e.customer_bundle_id = h.id)""",
    "J3 a booking paid with a credit has one spend": """
        SELECT b.id FROM bookings b WHERE b.customer_bundle_id IS NOT NULL AND 1 <> (
            SELECT COUNT(*) FROM credit_entries e WHERE e.account_id = b.account_id
            AND e.booking_id = b.id AND e.kind = 'SPEND')""",
    "J3 at most one credit comes back for a booking": """
        SELECT account_id, booking_id FROM credit_entries
        WHERE kind <> 'SPEND' AND booking_id IS NOT NULL
        GROUP BY account_id, booking_id HAVING COUNT(*) > 1""",
    "J4 a cancelled booking has one cancellation, an active one none": """
        SELECT b.id FROM bookings b WHERE
            (CASE WHEN b.status = 'CANCELLED' THEN 1 ELSE 0 END) <> (
            SELECT COUNT(*) FROM cancellations c WHERE c.account_id = b.account_id
            AND c.booking_id = b.id)""",
    "J5 a customer has one active place in a session": """
        SELECT account_id, session_id, customer_id FROM bookings WHERE status = 'BOOKED'
        GROUP BY account_id, session_id, customer_id HAVING COUNT(*) > 1""",
    "J7 every credit issued is accounted for": """
        SELECT e.account_id FROM credit_entries e GROUP BY e.account_id HAVING
            SUM(e.amount) <> (SELECT COALESCE(SUM(h.balance), 0) FROM customer_bundles h
            WHERE h.account_id = e.account_id)""",
}


async def broken(url: str) -> dict[str, int]:
    """Say which invariants do not hold, and for how many rows."""
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            counts = {
                name: len((await connection.execute(text(query))).all())
                for name, query in BROKEN.items()
            }
    finally:
        await engine.dispose()
    return {name: count for name, count in counts.items() if count}
