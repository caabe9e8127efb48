"""Who asks, what they say, and what this installation can do for them at all."""

from __future__ import annotations

from typing import Final

from classbolt.errors.base import Refusal


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


TOO_MANY: Final = (
    "Too many people asked for this at once. Nothing was changed; please try again."
)


class TryAgain(Refusal):
    """Too many requests wanted the same rows at once, or Stripe did not answer.

    Asking again may work, and does nothing twice.
    """

    code = "TRY_AGAIN"
    hint = "Send the same request again."

    def __init__(self, message: str = TOO_MANY) -> None:
        super().__init__(message)


class CannotKeepSecrets(Refusal):
    """The installation cannot keep what is secret: it has no key to seal it with."""

    code = "CANNOT_KEEP_SECRETS"
    hint = "Whoever runs this installation has to give it a secret key first."

    def __init__(self) -> None:
        super().__init__("Nothing secret can be kept here: there is no key to seal it with.")
