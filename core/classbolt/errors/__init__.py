"""Every refusal by name: the ways in which the rules say no.

A refusal is an answer, not a failure. Core raises it, the transaction it was raised in is
rolled back, and the edge shows it to the client under its `code`. Anything else that escapes is
a bug: masked for the client, loud for us.
"""

from __future__ import annotations

from classbolt.errors.asking import (
    CannotKeepSecrets,
    Forbidden,
    IdempotencyKeyReused,
    InvalidCursor,
    InvalidInput,
    NotFound,
    TryAgain,
    Unauthenticated,
)
from classbolt.errors.base import (
    Refusal,
    Refusals,
    refuse_if,
)
from classbolt.errors.paying import (
    AlreadyRefunded,
    BoltOnOff,
    BundleNotOnSale,
    CardUnavailable,
    CreditExpired,
    CreditExpiresBeforeSession,
    InsufficientCredits,
    NoCreditGiven,
    NotPaidByCard,
    PaymentExpired,
    PaymentFailed,
    PaymentOptionNotAllowed,
    QuoteChanged,
    RefundDeclined,
    RefundOwed,
    RefundTooLarge,
)
from classbolt.errors.places import (
    AlreadyBooked,
    CourseFull,
    CourseStarted,
    CourseWithoutSessions,
    CustomerHasBookings,
    NotBooked,
    NoWayToBook,
    PlaceHeld,
    SessionCalledOff,
    SessionFull,
    SessionStarted,
)
from classbolt.errors.switching import (
    BoltOnConflict,
    BoltOnDisabled,
    BoltOnFailed,
)

__all__ = [
    "ALL",
    "AlreadyBooked",
    "AlreadyRefunded",
    "BoltOnConflict",
    "BoltOnDisabled",
    "BoltOnFailed",
    "BoltOnOff",
    "BundleNotOnSale",
    "CannotKeepSecrets",
    "CardUnavailable",
    "CourseFull",
    "CourseStarted",
    "CourseWithoutSessions",
    "CreditExpired",
    "CreditExpiresBeforeSession",
    "CustomerHasBookings",
    "Forbidden",
    "IdempotencyKeyReused",
    "InsufficientCredits",
    "InvalidCursor",
    "InvalidInput",
    "NoCreditGiven",
    "NoWayToBook",
    "NotBooked",
    "NotFound",
    "NotPaidByCard",
    "PaymentExpired",
    "PaymentFailed",
    "PaymentOptionNotAllowed",
    "PlaceHeld",
    "QuoteChanged",
    "RefundDeclined",
    "RefundOwed",
    "RefundTooLarge",
    "Refusal",
    "Refusals",
    "SessionCalledOff",
    "SessionFull",
    "SessionStarted",
    "TryAgain",
    "Unauthenticated",
    "refuse_if",
]

ALL: tuple[type[Refusal], ...] = tuple(
    sorted(Refusal.__subclasses__(), key=lambda refusal: refusal.code),
)
"""Core's own refusals. A bolt-on's come later and are registered by it."""
