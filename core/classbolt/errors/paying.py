"""Paying, with money or with credits, and what a cancellation gives back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import ClassVar

from classbolt.errors.base import Refusal


class PaymentOptionNotAllowed(Refusal):
    """This way to pay is not accepted here."""

    code = "PAYMENT_OPTION_NOT_ALLOWED"
    hint = "Choose one of the accepted ways to pay."
    facts: ClassVar[Mapping[str, type]] = {"allowed": list}

    def __init__(self, allowed: Iterable[str]) -> None:
        self.allowed = sorted(set(allowed))
        accepted = ", ".join(self.allowed) or "none"
        super().__init__(f"This way to pay is not accepted here. Accepted: {accepted}.")


class BundleNotOnSale(Refusal):
    """The bundle is a draft, has no price, or was taken out of use."""

    code = "BUNDLE_NOT_ON_SALE"
    hint = "Put it on sale, or give it."

    def __init__(self) -> None:
        super().__init__("This bundle is not on sale.")


class NoCreditGiven(Refusal):
    """Giving the place up gives money back, and no credit to book another one with."""

    code = "NO_CREDIT_GIVEN"
    hint = "Say how to pay for the new place, or cancel and book."

    def __init__(self) -> None:
        super().__init__("Giving this place up gives money back, not a credit.")


class CardUnavailable(Refusal):
    """Cards cannot be charged: the business has no link with Stripe (H3)."""

    code = "CARD_UNAVAILABLE"
    hint = "Choose another way to pay."

    def __init__(self) -> None:
        super().__init__("This business does not take cards at the moment.")


class PaymentFailed(Refusal):
    """The payment could not be begun; no place is held."""

    code = "PAYMENT_FAILED"
    hint = "Choose another way to pay, or try again later, under a new idempotencyKey."

    def __init__(self) -> None:
        super().__init__("The payment could not be begun, and nothing is held.")


class PaymentExpired(Refusal):
    """The payment can no longer be made: its places are not held any more (H4)."""

    code = "PAYMENT_EXPIRED"
    hint = "Book again, under a new idempotencyKey."

    def __init__(self) -> None:
        super().__init__("This payment was not made in time, or was given up.")


class RefundTooLarge(Refusal):
    """More would go back than is left of what was paid."""

    code = "REFUND_TOO_LARGE"

    def __init__(self) -> None:
        super().__init__("There is not as much left of this payment to give back.")


class RefundOwed(Refusal):
    """A refund was promised, and nobody knows whether Stripe has made it."""

    code = "REFUND_OWED"
    hint = "Retry it once Stripe can be asked again."

    def __init__(self) -> None:
        super().__init__("This job gives money back that is owed. It cannot be discarded.")


class NotPaidByCard(Refusal):
    """No card has paid."""

    code = "NOT_PAID_BY_CARD"

    def __init__(self) -> None:
        super().__init__("No card has paid this.")


class AlreadyRefunded(Refusal):
    """Nothing is left of what a card paid: it went back, or a bank took it."""

    code = "ALREADY_REFUNDED"

    def __init__(self) -> None:
        super().__init__("What was paid for this has gone back already.")


class InsufficientCredits(Refusal):
    """The bundle has no credit left."""

    code = "INSUFFICIENT_CREDITS"
    hint = "Choose another bundle."

    def __init__(self) -> None:
        super().__init__("There is no credit left on this bundle.")


class CreditExpired(Refusal):
    """The bundle's validity is over."""

    code = "CREDIT_EXPIRED"
    hint = "Choose another bundle, or ask the business to extend this one."
    facts: ClassVar[Mapping[str, type]] = {"expires_at": datetime}

    def __init__(self, expires_at: datetime) -> None:
        self.expires_at = expires_at
        super().__init__("This credit has expired.")


class CreditExpiresBeforeSession(Refusal):
    """A credit pays only for sessions that start before it expires (D4)."""

    code = "CREDIT_EXPIRES_BEFORE_SESSION"
    hint = "Choose an earlier session, or another bundle."
    facts: ClassVar[Mapping[str, type]] = {"expires_at": datetime}

    def __init__(self, expires_at: datetime) -> None:
        self.expires_at = expires_at
        super().__init__("This credit expires before the session starts.")


class QuoteChanged(Refusal):
    """Cancelling would give something else than the caller expects."""

    code = "QUOTE_CHANGED"
    hint = "Ask for the preview again, and confirm what it says now."

    def __init__(self) -> None:
        super().__init__("What cancelling gives back has changed. Please look again.")


# Why a cancellation gave nothing back: reasons stored with the outcome, not errors


class BoltOnOff(Refusal):
    """Nothing that is switched on for this account gives refunds."""

    code = "BOLT_ON_OFF"

    def __init__(self) -> None:
        super().__init__("This business gives no automatic refunds.")


class RefundDeclined(Refusal):
    """Staff cancelled and chose to give no refund."""

    code = "REFUND_DECLINED"

    def __init__(self) -> None:
        super().__init__("The business chose to give no refund for this cancellation.")
