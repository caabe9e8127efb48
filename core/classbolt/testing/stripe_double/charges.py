"""Charges: what was taken from a card, or was tried to."""

from __future__ import annotations

from typing import Any

from classbolt.testing.stripe_double.books import Books, Params
from classbolt.testing.stripe_double.cards import Card, card_of
from classbolt.testing.stripe_double.store import Object

COPIED = (
    "amount",
    "application",
    "application_fee_amount",
    "currency",
    "customer",
    "description",
    "metadata",
    "payment_method",
    "receipt_email",
    "statement_descriptor_suffix",
    "transfer_group",
)
"""What a charge takes over from the payment that it is for."""


def charge(books: Books, intent: Object, method: Object, *, status: str) -> Object:
    """Write down that the card was charged, or that this failed or is under way.

    What is to be captured later is charged, but not captured.
    """
    card = card_of(method)
    has_failed = status == "failed"
    is_captured = status == "succeeded" and intent["capture_method"] != "manual"
    return books.new(
        "charge",
        "ch",
        **{name: intent[name] for name in COPIED},
        payment_intent=intent["id"],
        status=status,
        paid=status == "succeeded",
        captured=is_captured,
        amount_captured=intent["amount"] if is_captured else 0,
        amount_refunded=0,
        refunded=False,
        disputed=False,
        balance_transaction=None,
        billing_details=method["billing_details"],
        failure_code=card.code if has_failed else None,
        failure_message=card.message if has_failed else None,
        livemode=False,
        outcome=_outcome(card, has_failed=has_failed),
        payment_method_details={"type": "card", "card": method["card"]},
        receipt_url=None,
    )


def page(books: Books, params: Params) -> tuple[list[Object], bool]:
    """List charges, the newest first."""

    def matches(each: Object) -> bool:
        return all(
            params.get(name, each[name]) == each[name]
            for name in ("payment_intent", "customer")
        )

    return books.page("charge", params, matches=matches)


def _outcome(card: Card, *, has_failed: bool) -> dict[str, Any]:
    return {
        "type": "issuer_declined" if has_failed else "authorized",
        "network_status": "declined_by_network" if has_failed else "approved_by_network",
        "reason": card.decline_code if has_failed else None,
        "risk_level": "normal",
        "seller_message": "Payment complete." if not has_failed else card.message,
    }
