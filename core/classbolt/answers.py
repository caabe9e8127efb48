"""What a bolt-on may not answer, though it has the right shape: pure checks of values it made.

Bolt-ons decide and core acts, so an answer is held to what it was asked about before core acts
on it: credits go back only where they came from, money is in the account's currency.
"""

from __future__ import annotations

from datetime import datetime

from classbolt.facts import (
    COURSE,
    BookingFacts,
    CreditBack,
    IssueBundle,
    PaymentOption,
    RecordOffline,
    TakeCard,
    Terms,
    WayToBook,
)


def objection(answer: object, asked: object, *, currency: str, now: datetime) -> str | None:
    """Say what is wrong with one answer about one thing; None if nothing is."""
    match answer:
        case WayToBook(code=code) if code == COURSE:
            return f"the way {COURSE!r} is core's own"
        case WayToBook(price=price) if price.currency != currency:
            return f"a price in {price.currency}, where the account has {currency}"
        case PaymentOption(action=(RecordOffline(amount=amount) | TakeCard(amount=amount))) if (
            amount.currency != currency
        ):
            return f"an amount in {amount.currency}, where the account has {currency}"
        case Terms(give_back=CreditBack(customer_bundle_id=back)) if back != _payer(asked):
            return "a credit goes back only to the bundle that paid"
        case Terms(
            give_back=(CreditBack(expires_at=datetime() as end) | IssueBundle(expires_at=end))
        ) if end.tzinfo is None or end <= now:
            return "credits are given only with a validity that lies ahead"
    return None


def _payer(asked: object) -> object:
    held = asked.customer_bundle if isinstance(asked, BookingFacts) else None
    return held and held.id
