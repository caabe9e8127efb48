"""What Stripe takes: the smallest amounts, the largest, and currencies."""

from __future__ import annotations

import re
from typing import Final

from classbolt.testing.stripe_double.errors import malformed
from classbolt.testing.stripe_double.params import invalid_integer

LARGEST: Final = 99_999_999
SMALLEST: Final = {
    "aed": 200,
    "aud": 50,
    "bgn": 100,
    "brl": 50,
    "cad": 50,
    "chf": 50,
    "czk": 1500,
    "dkk": 250,
    "eur": 50,
    "gbp": 30,
    "hkd": 400,
    "huf": 17500,
    "inr": 50,
    "jpy": 50,
    "mxn": 1000,
    "myr": 200,
    "nok": 300,
    "nzd": 50,
    "pln": 200,
    "ron": 200,
    "sek": 300,
    "sgd": 50,
    "thb": 1000,
    "usd": 50,
}
"""In minor units. Stripe converts others into the currency of the account."""


def currency_of(asked: str) -> str:
    """Give the currency as Stripe writes it.

    Raises:
        Refused: It is no currency.
    """
    if not re.fullmatch("[a-zA-Z]{3}", asked):
        raise malformed(f"Invalid currency: {asked}", param="currency")
    return asked.lower()


def check_amount(amount: int, currency: str) -> None:
    """See that it can be paid.

    Raises:
        Refused: It is too little, or too much.
    """
    positive(amount, "amount")
    if amount > LARGEST:
        raise malformed(
            f"Amount must be no more than {LARGEST} {currency}",
            code="amount_too_large",
            param="amount",
        )
    smallest = SMALLEST.get(currency, 1)
    if amount < smallest:
        raise malformed(
            f"Amount must be at least {smallest} {currency}",
            code="amount_too_small",
            param="amount",
        )


def positive(amount: int, param: str) -> None:
    """See that an amount is one.

    Raises:
        Refused: It is nothing, or less.
    """
    if amount < 1:
        raise invalid_integer("This value must be greater than or equal to 1.", param)
