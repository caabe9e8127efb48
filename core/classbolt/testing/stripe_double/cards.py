"""Stripe's test cards: what each of them does, by the names and numbers that Stripe gives them.

A card in the books is told by its last four digits, which are different for each of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from classbolt.testing.stripe_double.books import Books
from classbolt.testing.stripe_double.store import Object


@dataclass(frozen=True, slots=True)
class Card:
    """A test card.

    Attributes:
        code: What its payments fail with, if they fail.
        decline_code: What the bank says of that, if it says more.
        message: What its owner is told then.
        asks: Whether the bank asks its owner to authenticate first.
        refund: What a refund to it is at first.
        refund_later: What becomes of that refund.
        is_disputed: Whether its owner disputes what was paid.
    """

    last4: str
    brand: str = "visa"
    code: str | None = None
    decline_code: str | None = None
    message: str = ""
    asks: bool = False
    refund: str = "succeeded"
    refund_later: str | None = None
    is_disputed: bool = False


CARDS: Final = {
    "pm_card_visa": Card("4242"),
    "pm_card_mastercard": Card("4444", "mastercard"),
    "pm_card_chargeDeclined": Card(
        "0002",
        code="card_declined",
        decline_code="generic_decline",
        message="Your card was declined.",
    ),
    "pm_card_chargeDeclinedInsufficientFunds": Card(
        "9995",
        code="card_declined",
        decline_code="insufficient_funds",
        message="Your card has insufficient funds.",
    ),
    "pm_card_chargeDeclinedExpiredCard": Card(
        "0069",
        code="expired_card",
        decline_code="expired_card",
        message="Your card has expired.",
    ),
    "pm_card_authenticationRequired": Card("3184", asks=True),
    "pm_card_threeDSecure2Required": Card("3220", asks=True),
    "pm_card_refundFail": Card("5126", refund_later="failed"),
    "pm_card_pendingRefund": Card("7726", refund="pending", refund_later="succeeded"),
    "pm_card_createDispute": Card("0259", is_disputed=True),
}
BY_LAST4: Final = {card.last4: card for card in CARDS.values()}


def payment_method(books: Books, id_: str) -> Object:
    """Give the payment method; each use of a test card's name makes a new one.

    Raises:
        Refused: There is no such card.
    """
    if id_ not in CARDS:
        return books.get("payment_method", id_, param="payment_method")
    card = CARDS[id_]
    return books.new(
        "payment_method",
        "pm",
        type="card",
        card={
            "brand": card.brand,
            "last4": card.last4,
            "exp_month": 12,
            "exp_year": 2040,
            "country": "US",
            "funding": "credit",
        },
        billing_details={"address": None, "email": None, "name": None, "phone": None},
        customer=None,
        livemode=False,
        metadata={},
    )


def card_of(method: Object) -> Card:
    """Say which test card a payment method is."""
    return BY_LAST4[method["card"]["last4"]]
