"""Disputes: a customer has asked the bank for what they paid. They begin and end by hand."""

from __future__ import annotations

from typing import Final

from classbolt.testing.stripe_double.books import Books, Params
from classbolt.testing.stripe_double.errors import invalid
from classbolt.testing.stripe_double.events import emit
from classbolt.testing.stripe_double.store import Object

TIME_TO_ANSWER: Final = 9 * 24 * 60 * 60
DECIDED: Final = ("won", "lost")


def open_(books: Books, charge: str, *, reason: str) -> Object:
    """Let the customer dispute a charge.

    Raises:
        Refused: Nothing was taken, or it is disputed already.
    """
    paid = books.get("charge", charge)
    if not paid["captured"] or paid["disputed"]:
        raise invalid(f"Charge {charge} cannot be disputed.")
    books.put({**paid, "disputed": True})
    dispute = books.new(
        "dispute",
        "du",
        amount=paid["amount_captured"],
        balance_transactions=[],
        charge=charge,
        currency=paid["currency"],
        enhanced_eligibility_types=[],
        evidence={},
        evidence_details={
            "due_by": books.now + TIME_TO_ANSWER,
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        is_charge_refundable=False,
        livemode=False,
        metadata={},
        payment_intent=paid["payment_intent"],
        reason=reason,
        status="needs_response",
    )
    emit(books, "charge.dispute.created", dispute)
    emit(books, "charge.dispute.funds_withdrawn", dispute)
    return dispute


def close(books: Books, id_: str, *, won: bool) -> Object:
    """Let the bank decide.

    Raises:
        Refused: It has decided already.
    """
    dispute = books.get("dispute", id_)
    if dispute["status"] in DECIDED:
        raise invalid("This dispute is already closed.")
    closed = books.put({**dispute, "status": "won" if won else "lost"})
    emit(books, "charge.dispute.closed", closed)
    if won:
        emit(books, "charge.dispute.funds_reinstated", closed)
    return closed


def appeal(books: Books, id_: str) -> Object:
    """Let somebody not put up with what the bank has decided.

    Raises:
        Refused: It has not decided yet.
    """
    dispute = books.get("dispute", id_)
    if dispute["status"] not in DECIDED:
        raise invalid("This dispute is not closed yet.")
    appealed = books.put({**dispute, "status": "appeal_under_review"})
    emit(books, "charge.dispute.updated", appealed)
    return appealed


def page(books: Books, params: Params) -> tuple[list[Object], bool]:
    """List disputes, the newest first."""

    def matches(each: Object) -> bool:
        return all(
            params.get(name, each[name]) == each[name] for name in ("payment_intent", "charge")
        )

    return books.page("dispute", params, matches=matches)
