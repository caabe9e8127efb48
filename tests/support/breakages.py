"""What may go wrong with rows, and the codes of the rules that then do not hold.

Most breakages break one rule alone. Lines of a kind that no rule knows, a gift, see to it that
the sums come out right where they are not what is broken.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import delete, update

import healthy as h
from breakages_of_money import MONEY
from classbolt.tables import (
    bookings,
    cancellations,
    course_bookings,
    credit_entries,
    customer_bundles,
    memberships,
    payments,
    sessions,
)
from healthy import add, booking, cancellation, change, key, line, payment


def gift(held: UUID, amount: int) -> Any:
    """Add a line of a kind that no rule knows, so that the sums come out right."""
    return add(credit_entries, line(key(), held, "GIFT", amount))


def spend(held: UUID, of: UUID | None) -> Any:
    return add(credit_entries, line(key(), held, "SPEND", -1, of))


def back(held: UUID, of: UUID | None) -> Any:
    return add(credit_entries, line(key(), held, "CREDIT_BACK", 1, of))


def nothing_for(of: UUID) -> Any:
    return add(cancellations, cancellation(key(), of, "NONE", None))


def gave(outcome: str, held: UUID) -> Any:
    """Let the one cancellation that gave nothing give something."""
    given = {"outcome": outcome, "customer_bundle_id": held, "refund_due": False}
    return change(cancellations, h.FOR_CALLED_OFF, **given)


def bought(id_: UUID, customer: UUID, payment: UUID) -> Any:
    row = {"id": id_, "course_id": h.MON, "customer_id": customer, "payment_id": payment}
    return add(course_bookings, {**row, "booked_at": h.BEFORE})


ANOTHER = key()
BREAKAGES: dict[str, tuple[set[str], list[Any]]] = {
    "a seat is taken that nobody has": (
        {"SEATS_MISCOUNTED"},
        [change(sessions, h.MON_2, seats_taken=2)],
    ),
    "a booking has no seat": (
        {"SEATS_MISCOUNTED"},
        [change(sessions, h.MON_2, seats_taken=0)],
    ),
    "a session is fuller than it was let be": (
        {"SESSION_OVER_CAPACITY"},
        [change(sessions, h.MON_1, over_capacity=0)],
    ),
    "a session may be fuller than it is": (
        {"OVER_CAPACITY_NOT_NEEDED"},
        [change(sessions, h.MON_1, over_capacity=2)],
    ),
    "a session with free seats may be over its capacity": (
        {"OVER_CAPACITY_NOT_NEEDED"},
        [change(sessions, h.MON_2, over_capacity=1)],
    ),
    "somebody sits in a session that was called off": (
        {"CALLED_OFF_BUT_BOOKED"},
        [change(sessions, h.MON_2, called_off_at=h.BEFORE)],
    ),
    "a credit lies on another bundle than the ledger says": (
        {"BALANCE_NOT_IN_LEDGER"},
        [change(customer_bundles, h.H1, balance=1), change(customer_bundles, h.H2, balance=8)],
    ),
    "a credit is in no ledger": (
        {"BALANCE_NOT_IN_LEDGER", "LEDGER_NOT_ACCOUNTED_FOR"},
        [change(customer_bundles, h.H2, balance=10)],
    ),
    "a balance is negative, as its ledger is": (
        {"BALANCE_NOT_IN_LEDGER"},
        [change(customer_bundles, h.H1, balance=-1), gift(h.H1, -1)],
    ),
    "more credits are left than were issued": (
        {"BALANCE_ABOVE_CREDITS"},
        [change(customer_bundles, h.H2, balance=11), gift(h.H2, 2)],
    ),
    "a bundle was never issued": (
        {"ISSUE_NOT_IN_LEDGER"},
        [change(credit_entries, h.ISSUE_2, kind="GIFT")],
    ),
    "a bundle was issued in two parts": (
        {"ISSUE_NOT_IN_LEDGER"},
        [
            change(credit_entries, h.ISSUE_2, amount=4),
            add(credit_entries, line(key(), h.H2, "ISSUE", 6)),
        ],
    ),
    "a bundle was issued with fewer credits than it has": (
        {"ISSUE_NOT_IN_LEDGER"},
        [change(customer_bundles, h.H2, credits=11)],
    ),
    "a spend takes two credits, and two come back": (
        {"LEDGER_LINE_IMPOSSIBLE"},
        [
            change(credit_entries, h.SPEND_1, amount=-2),
            change(credit_entries, h.BACK_1, amount=2),
        ],
    ),
    "nothing was issued": (
        {"LEDGER_LINE_IMPOSSIBLE"},
        [
            change(credit_entries, h.ISSUE_2, amount=0),
            change(customer_bundles, h.H2, credits=0, balance=0),
            gift(h.H2, 1),
        ],
    ),
    "a credit was spent on nothing": (
        {"LEDGER_LINE_IMPOSSIBLE"},
        [spend(h.H2, None), gift(h.H2, 1)],
    ),
    "a credit came back from nothing": (
        {"LEDGER_LINE_IMPOSSIBLE"},
        [back(h.H2, None), gift(h.H2, -1)],
    ),
    "a booking was never paid for": (
        {"SPEND_NOT_IN_LEDGER"},
        [change(credit_entries, h.SPEND_2, kind="GIFT")],
    ),
    "a booking was paid for twice": (
        {"SPEND_NOT_IN_LEDGER"},
        [spend(h.H1, h.AGAIN), gift(h.H1, 1)],
    ),
    "another bundle was charged": (
        {"LEDGER_LINE_OF_OTHER_BUNDLE"},
        [
            change(credit_entries, h.SPEND_2, customer_bundle_id=h.H2),
            change(customer_bundles, h.H1, balance=1),
            change(customer_bundles, h.H2, balance=8),
        ],
    ),
    "a bundle was charged for a booking that money pays for": (
        {"LEDGER_LINE_OF_OTHER_BUNDLE"},
        [spend(h.OF_BEN_TOO, h.BENS), gift(h.OF_BEN_TOO, 1)],
    ),
    "a credit came back on another bundle": (
        {"LEDGER_LINE_OF_OTHER_BUNDLE"},
        [
            change(credit_entries, h.BACK_1, customer_bundle_id=h.H2),
            change(cancellations, h.FOR_SWAPPED, customer_bundle_id=h.H2),
            change(credit_entries, h.SPEND_2, customer_bundle_id=h.H2),
            change(bookings, h.AGAIN, customer_bundle_id=h.H2, origin_id=None),
        ],
    ),
    "a credit came back twice": (
        {"CREDIT_RETURNED_TWICE"},
        [back(h.H1, h.SWAPPED), gift(h.H1, -1)],
    ),
    "a cancelled booking has no cancellation": (
        {"CANCELLATION_MISCOUNTED"},
        [delete(cancellations).where(cancellations.c.id == h.FOR_CALLED_OFF)],
    ),
    "a cancelled booking has two cancellations": (
        {"CANCELLATION_MISCOUNTED"},
        [nothing_for(h.CALLED_OFF)],
    ),
    "an active booking has a cancellation": (
        {"CANCELLATION_MISCOUNTED"},
        [nothing_for(h.BENS)],
    ),
    "a bundle that was given is not in the ledger": (
        {"OUTCOME_NOT_IN_LEDGER"},
        [gave("NEW_BUNDLE", h.H2)],
    ),
    "a credit that was given back is not in the ledger": (
        {"OUTCOME_NOT_IN_LEDGER"},
        [gave("CREDIT_BACK", h.H2)],
    ),
    "a credit came back without a cancellation": (
        {"CREDIT_WITHOUT_OUTCOME"},
        [back(h.H1, h.AGAIN), gift(h.H1, -1)],
    ),
    "a credit came back by a cancellation that gave nothing": (
        {"CREDIT_WITHOUT_OUTCOME"},
        [back(h.H2, h.CALLED_OFF), gift(h.H2, -1)],
    ),
    "a bundle was issued by a cancellation that gave a credit back": (
        {"CREDIT_WITHOUT_OUTCOME", "OUTCOME_NOT_IN_LEDGER"},
        [change(cancellations, h.FOR_GIVEN_UP, outcome="CREDIT_BACK")],
    ),
    "a cancellation names another bundle than the ledger": (
        {"CREDIT_WITHOUT_OUTCOME"},
        [change(cancellations, h.FOR_SWAPPED, customer_bundle_id=h.H2)],
    ),
    "a cancellation gave somebody else a bundle": (
        {"CREDIT_TO_SOMEBODY_ELSE"},
        [
            gave("NEW_BUNDLE", h.OF_BEN_TOO),
            update(credit_entries)
            .where(credit_entries.c.customer_bundle_id == h.OF_BEN_TOO)
            .values(booking_id=h.CALLED_OFF),
        ],
    ),
    "a customer sits on two seats": (
        {"BOOKED_TWICE"},
        [
            add(bookings, booking(key(), h.MON_1, h.BEN, payment_id=h.OF_BEN)),
            change(sessions, h.MON_1, seats_taken=3, over_capacity=2),
        ],
    ),
    "a customer bought a course twice": (
        {"COURSE_BOOKED_TWICE"},
        [
            bought(ANOTHER, h.ANA, h.OF_ANA),
            change(bookings, h.GIVEN_UP, course_booking_id=ANOTHER, origin_id=ANOTHER),
        ],
    ),
    "a place of a course is in another course": (
        {"COURSE_PLACE_MISPLACED"},
        [change(bookings, h.GIVEN_UP, session_id=h.SAT_1)],
    ),
    "a place of a course is somebody else's": (
        {"COURSE_PLACE_MISPLACED", "PAID_BY_ANOTHER"},
        [change(bookings, h.KEPT, customer_id=h.CAM)],
    ),
    "a place of a course was paid for apart": (
        {"COURSE_PLACE_MISPLACED"},
        [change(bookings, h.KEPT, payment_id=h.MORE_OF_ANA)],
    ),
    "a place of a course was paid with a credit": (
        {"COURSE_PLACE_MISPLACED"},
        [
            change(bookings, h.KEPT, payment_id=None, customer_bundle_id=h.H2),
            spend(h.H2, h.KEPT),
            gift(h.H2, 1),
        ],
    ),
    "a course was bought without a place": (
        {"COURSE_BOOKING_EMPTY"},
        [bought(ANOTHER, h.BEN, h.OF_BEN)],
    ),
    "a booking is paid with somebody else's bundle": (
        {"PAID_WITH_BUNDLE_OF_ANOTHER"},
        [
            change(bookings, h.CALLED_OFF, customer_bundle_id=h.OF_BEN_TOO),
            change(credit_entries, h.SPEND_3, customer_bundle_id=h.OF_BEN_TOO),
            change(customer_bundles, h.H2, balance=10),
            change(customer_bundles, h.OF_BEN_TOO, balance=9),
        ],
    ),
    "a booking is paid by somebody else": (
        {"PAID_BY_ANOTHER"},
        [change(bookings, h.BENS, payment_id=h.OF_ANA)],
    ),
    "a course is paid by somebody else": (
        {"COURSE_PAID_BY_ANOTHER", "PAID_BY_ANOTHER"},
        [change(payments, h.OF_ANA, customer_id=h.BEN)],
    ),
    "a line of the ledger is of no bundle": (
        {"REFERENCE_ASTRAY", "LEDGER_NOT_ACCOUNTED_FOR"},
        [gift(h.NOBODY, 1)],
    ),
    "a customer is another account's": (
        {"REFERENCE_ASTRAY", "PAID_BY_ANOTHER"},
        [change(bookings, h.BENS, customer_id=h.STRANGER)],
    ),
    "a bundle that was revoked has credits left": (
        {"REVOKED_BUT_NOT_EMPTY"},
        [change(customer_bundles, h.REVOKED, balance=1), gift(h.REVOKED, 1)],
    ),
    "a credit is taken back for a booking": (
        {"LEDGER_LINE_IMPOSSIBLE"},
        [change(credit_entries, h.TAKEN, booking_id=h.BENS)],
    ),
    "a credit is given by taking it back": (
        {"LEDGER_LINE_IMPOSSIBLE"},
        [change(credit_entries, h.TAKEN, amount=1), gift(h.REVOKED, -11)],
    ),
    "credits were taken back twice": (
        {"LEDGER_REVOKES_WHAT_IS_NOT"},
        [
            change(credit_entries, h.TAKEN, amount=-9),
            add(credit_entries, line(key(), h.REVOKED, "REVOKE", -1)),
        ],
    ),
    "credits were taken back from a bundle that was not revoked": (
        {"LEDGER_REVOKES_WHAT_IS_NOT"},
        [change(customer_bundles, h.REVOKED, revoked_at=None)],
    ),
    "a place of a course comes from nothing": (
        {"ORIGIN_MISTAKEN"},
        [change(bookings, h.KEPT, origin_id=None)],
    ),
    "a place that a credit pays for does not come from what earned it": (
        {"ORIGIN_MISTAKEN"},
        [change(bookings, h.AGAIN, origin_id=None)],
    ),
    "a place that money pays for comes from a course": (
        {"ORIGIN_MISTAKEN"},
        [change(bookings, h.BENS, origin_id=h.COURSE_BOOKING)],
    ),
    "a place of a course comes from another course": (
        {"ORIGIN_MISTAKEN", "COURSE_BOOKING_EMPTY"},
        [bought(ANOTHER, h.BEN, h.OF_BEN), change(bookings, h.KEPT, origin_id=ANOTHER)],
    ),
    "a refund is due that was given": (
        {"REFUND_DUE_BUT_GIVEN"},
        [change(cancellations, h.FOR_SWAPPED, refund_due=True, by_business=True)],
    ),
    "a refund is due for what a customer cancelled": (
        {"REFUND_DUE_BUT_GIVEN"},
        [change(cancellations, h.FOR_CALLED_OFF, by_business=False)],
    ),
    "a customer who was merged has a booking": (
        {"MERGED_BUT_NOT_MOVED", "PAID_BY_ANOTHER"},
        [change(bookings, h.CAMS, customer_id=h.MERGED)],
    ),
    "a customer who was merged has a course booking": (
        {"MERGED_BUT_NOT_MOVED", "COURSE_PLACE_MISPLACED", "COURSE_PAID_BY_ANOTHER"},
        [change(course_bookings, h.COURSE_BOOKING, customer_id=h.MERGED)],
    ),
    "a customer who was merged has a payment": (
        {"MERGED_BUT_NOT_MOVED"},
        [add(payments, payment(key(), h.MERGED))],
    ),
    "a customer who was merged has a bundle": (
        {"MERGED_BUT_NOT_MOVED"},
        [change(customer_bundles, h.REVOKED, customer_id=h.MERGED)],
    ),
    "a customer who was merged may come in": (
        {"MERGED_BUT_NOT_MOVED"},
        [update(memberships).values(customer_id=h.MERGED)],
    ),
    **MONEY,
}
