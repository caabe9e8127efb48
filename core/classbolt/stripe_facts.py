"""What Stripe says, in small values of our own, so that only the gateway knows its SDK."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

PAYMENT: Final = "classbolt_payment"
ACCOUNT: Final = "classbolt_account"
REFUND: Final = "classbolt_refund"
"""Under which names Stripe keeps our ids along with its own objects."""
CANCELLED: Final = "canceled"
"""Stripe's word for a payment that nobody can make any more."""
LOST: Final = "lost"
"""Stripe's word for a dispute after which the money is the bank's."""
APPEALED: Final = ("appeal_needs_response", "appeal_under_review")
"""Stripe's words for one that goes on after it was decided."""
TAKEN: Final = (LOST, *APPEALED)
"""How a dispute stands while nobody can count on its money."""


class StripeRefused(Exception):
    """Stripe says no, and would say it again.

    Attributes:
        code: Its name for the reason.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class StripeUnclear(Exception):
    """Stripe did not answer, or not for good: it may or may not have done what was asked."""


class StripeKeyRefused(StripeUnclear):
    """Stripe takes nothing under this key, or not this: it is none, or may do too little.

    About what was asked it says nothing: with another key all of it may still be done. So money
    that is owed is never given up because of it.
    """


class StripeInUse(StripeUnclear):
    """Somebody else asks Stripe for the same at this moment."""


class BadWebhook(Exception):
    """What claims to come from Stripe does not, or says nothing that can be read."""


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time, up to now if it has no end."""

    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Intent:
    """A PaymentIntent: what Stripe knows of one payment.

    Attributes:
        captured_minor: What was taken from the card.
        client_secret: Lets whoever has it pay; it is handed to the customer and never kept.
        metadata: What we wrote along with it.
    """

    id: str
    status: str
    captured_minor: int
    client_secret: str = field(repr=False)
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_paid(self) -> bool:
        """Say whether the money has been taken."""
        return self.status == "succeeded"

    @property
    def is_cancelled(self) -> bool:
        """Say whether nobody can pay it any more."""
        return self.status == CANCELLED


@dataclass(frozen=True, slots=True)
class StripeRefund:
    """A refund as Stripe knows it.

    Attributes:
        intent_id: Of which payment; None if it was not made by one.
        status: pending, requires_action, succeeded, failed or canceled.
        ours: The id of our row, if we asked for it.
    """

    id: str
    intent_id: str | None
    status: str
    amount_minor: int
    failure: str | None
    ours: str | None


@dataclass(frozen=True, slots=True)
class StripeDispute:
    """A dispute as Stripe knows it.

    Attributes:
        intent_id: About which payment; None if it was not made by one.
        status: Such as needs_response, under_review, won or lost.
        reason: What the bank says, such as fraudulent.
    """

    id: str
    intent_id: str | None
    status: str
    reason: str
    amount_minor: int

    @property
    def is_closed(self) -> bool:
        """Say whether it is decided."""
        return self.status in {"won", LOST, "warning_closed", "prevented"}

    @property
    def follows_decision(self) -> bool:
        """Say whether it may come after a decision; anything else is older than that."""
        return self.is_closed or self.status in APPEALED


@dataclass(frozen=True, slots=True)
class StripeEvent:
    """What a webhook tells: that something happened to a payment, and no more is believed.

    Attributes:
        stripe_account: Whose it is, if it is not the key's own.
        intent_id: The PaymentIntent that it is about; None if it is about none.
        payment: Our id of the payment, where Stripe keeps it along.
    """

    id: str
    kind: str
    stripe_account: str | None
    intent_id: str | None
    account: str | None
    payment: str | None
