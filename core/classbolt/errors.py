"""Every refusal by name: the ways in which the rules say no.

A refusal is an answer, not a failure. Core raises it, the transaction it was raised in is
rolled back, and the edge shows it to the client under its `code`. Anything else that escapes is
a bug: masked for the client, loud for us.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import ClassVar, Self


class Refusal(Exception):
    """The rules say no.

    Attributes:
        code: The name clients see, SCREAMING_SNAKE.
        facts: What else clients may see of it: attribute name -> its type.
        hint: What the person who is refused can do about it, in a sentence, if anything.
        path: Where in the input the reason lies, if it lies in one place.
    """

    code: ClassVar[str]
    facts: ClassVar[Mapping[str, type]] = {}
    hint: ClassVar[str | None] = None

    def __init_subclass__(cls) -> None:
        """Hold every refusal to a code, when its class is made."""
        super().__init_subclass__()
        if not re.fullmatch(r"[A-Z][A-Z0-9_]{1,59}", getattr(cls, "code", "")):
            raise TypeError(f"{cls.__name__} needs a code in capitals, such as SESSION_FULL")

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.path: tuple[str | int, ...] = ()

    @property
    def reasons(self) -> tuple[Refusal, ...]:
        """Give the refusal as the only one of its kind, so that one and several read alike."""
        return (self,)

    def at(self, *path: str | int) -> Self:
        """Say where in the input the reason lies."""
        self.path = path
        return self


class Refusals(Exception):
    """Several reasons to say no at once, so that a customer need not meet them one by one."""

    def __init__(self, reasons: Iterable[Refusal]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("; ".join(reason.message for reason in self.reasons))


def refuse_if(reasons: Iterable[Refusal]) -> None:
    """Raise the reasons, if there are any.

    Raises:
        Refusals: There was at least one reason.
    """
    if found := tuple(reasons):
        raise Refusals(found)


# Who asks and what they say


class NotFound(Refusal):
    """Nothing is known under this id.

    Ids of others are answered the same way, so that nobody can probe for them.
    """

    code = "NOT_FOUND"

    def __init__(self, message: str = "There is nothing with this id.") -> None:
        super().__init__(message)


class Unauthenticated(Refusal):
    """The request needs a valid token of this account."""

    code = "UNAUTHENTICATED"

    def __init__(
        self, message: str = "A valid access token of this account is needed."
    ) -> None:
        super().__init__(message)


class Forbidden(Refusal):
    """The caller is known, but this is not theirs to do."""

    code = "FORBIDDEN"

    def __init__(self, message: str = "This needs a permission that you do not have.") -> None:
        super().__init__(message)


class InvalidInput(Refusal):
    """A value of the input cannot be used; the path says which."""

    code = "INVALID_INPUT"

    def __init__(self, message: str, *path: str | int) -> None:
        super().__init__(message)
        self.path = path


class InvalidCursor(Refusal):
    """The cursor was not made by this list."""

    code = "INVALID_CURSOR"

    def __init__(self) -> None:
        super().__init__("This cursor does not belong to this list.")


class IdempotencyKeyReused(Refusal):
    """Something else was asked for under the same idempotency key before."""

    code = "IDEMPOTENCY_KEY_REUSED"
    hint = "Make a new key for each thing that is to be done."

    def __init__(self) -> None:
        super().__init__("Something else was asked for under this idempotency key.")


class TryAgain(Refusal):
    """Too many requests wanted the same rows at once.

    Nothing was changed, and asking again may work.
    """

    code = "TRY_AGAIN"
    hint = "Send the same request again."

    def __init__(self) -> None:
        super().__init__(
            "Too many people asked for this at once. Nothing was changed; please try again."
        )


# Seats and time


class SessionFull(Refusal):
    """Every seat of the session is taken."""

    code = "SESSION_FULL"
    hint = "Choose another session, or try again when somebody has cancelled."

    def __init__(self) -> None:
        super().__init__("Every seat of this session is taken.")


class SessionStarted(Refusal):
    """The session has already started."""

    code = "SESSION_STARTED"

    def __init__(self) -> None:
        super().__init__("This session has already started.")


class SessionCalledOff(Refusal):
    """The business called the session off."""

    code = "SESSION_CALLED_OFF"

    def __init__(self) -> None:
        super().__init__("This session was called off.")


class CourseStarted(Refusal):
    """The course has begun and does not take late joiners."""

    code = "COURSE_STARTED"
    hint = "Look for sessions of the course that take drop-ins."

    def __init__(self) -> None:
        super().__init__("This course has already started.")


class CourseFull(Refusal):
    """At least one remaining session of the course has no free seat."""

    code = "COURSE_FULL"
    hint = "Choose another course, or single sessions of this one that take drop-ins."

    def __init__(self) -> None:
        super().__init__("This course is full.")


class CourseWithoutSessions(Refusal):
    """The course has no session left that could be booked."""

    code = "COURSE_WITHOUT_SESSIONS"

    def __init__(self) -> None:
        super().__init__("This course has no session that can be booked.")


# Bookings and payment


class AlreadyBooked(Refusal):
    """The customer already holds a place in this session or course."""

    code = "ALREADY_BOOKED"
    hint = "Cancel the place that there is first, or keep it."

    def __init__(self, message: str = "This customer already has a place here.") -> None:
        super().__init__(message)


class NotBooked(Refusal):
    """The booking is no longer active."""

    code = "NOT_BOOKED"

    def __init__(self) -> None:
        super().__init__("This booking was already cancelled.")


class NoWayToBook(Refusal):
    """Nothing that is switched on lets a single session like this be booked."""

    code = "NO_WAY_TO_BOOK"
    hint = "Book the whole course."

    def __init__(self) -> None:
        super().__init__("This session cannot be booked on its own.")


class PaymentOptionNotAllowed(Refusal):
    """This way to pay is not accepted here."""

    code = "PAYMENT_OPTION_NOT_ALLOWED"
    hint = "Choose one of the accepted ways to pay."
    facts: ClassVar[Mapping[str, type]] = {"allowed": list}

    def __init__(self, allowed: Iterable[str]) -> None:
        self.allowed = sorted(set(allowed))
        accepted = ", ".join(self.allowed) or "none"
        super().__init__(f"This way to pay is not accepted here. Accepted: {accepted}.")


# Customers


class CustomerHasBookings(Refusal):
    """The customer has places in sessions that are still to come."""

    code = "CUSTOMER_HAS_BOOKINGS"

    def __init__(self) -> None:
        super().__init__(
            "This customer has places in sessions to come. Please cancel them first."
        )


# Credits


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


# Bolt-ons


class BoltOnDisabled(Refusal):
    """The bolt-on that this part of the API belongs to is switched off for the account."""

    code = "BOLT_ON_DISABLED"
    facts: ClassVar[Mapping[str, type]] = {"bolt_on": str}

    def __init__(self, bolt_on: str) -> None:
        self.bolt_on = bolt_on
        super().__init__(f"The bolt-on {bolt_on} is switched off for this account.")


class BoltOnFailed(Refusal):
    """A bolt-on failed while it was asked; nothing was changed."""

    code = "BOLT_ON_FAILED"
    facts: ClassVar[Mapping[str, type]] = {"bolt_on": str}

    def __init__(self, bolt_on: str) -> None:
        self.bolt_on = bolt_on
        super().__init__(f"The bolt-on {bolt_on} failed. Nothing was changed.")


class BoltOnConflict(Refusal):
    """The bolt-on cannot be on together with another one."""

    code = "BOLT_ON_CONFLICT"
    facts: ClassVar[Mapping[str, type]] = {"bolt_on": str}

    def __init__(self, bolt_on: str, message: str) -> None:
        self.bolt_on = bolt_on
        super().__init__(message)


ALL: tuple[type[Refusal], ...] = tuple(
    sorted(Refusal.__subclasses__(), key=lambda refusal: refusal.code),
)
"""Core's own refusals. A bolt-on's come later and are registered by it."""
