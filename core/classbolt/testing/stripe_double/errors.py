"""What Stripe answers when it says no, in its own words and shapes.

Whatever is refused is raised, and becomes the answer of the request in one place. A card that
is declined is the exception among refusals: what was written down about it stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ANSWERS_WITHOUT_EFFECT: Mapping[int, Mapping[str, str]] = {
    409: {"type": "invalid_request_error", "code": "lock_timeout"},
    429: {"type": "invalid_request_error", "code": "rate_limit"},
}

NAMES: Mapping[str, str] = {
    "payment_method": "PaymentMethod",
    "webhook_endpoint": "webhook endpoint",
}


def invalid(
    message: str,
    *,
    code: str | None = None,
    param: str | None = None,
    status: int = 400,
    **more: Any,
) -> Refused:
    """Make the refusal of a request that was understood, but that cannot be done."""
    return Refused(status, "invalid_request_error", message, code=code, param=param, **more)


def malformed(message: str, *, code: str | None = None, param: str | None = None) -> Refused:
    """Make the refusal of parameters that do not even begin to be executed."""
    return Refused(
        400, "invalid_request_error", message, code=code, param=param, is_saved=False
    )


def missing(object_: str, id_: str, *, param: str | None = None) -> Refused:
    """Make the answer about what is not there, or belongs to another account.

    Args:
        object_: What it would have been.
        id_: What was asked for.
        param: The parameter that named it, unless the path did.
    """
    return invalid(
        f"No such {NAMES.get(object_, object_)}: '{id_}'",
        code="resource_missing",
        param=param or ("intent" if object_ == "payment_intent" else "id"),
        status=400 if param else 404,
    )


def unauthorized(message: str, *, status: int = 401, code: str | None = None) -> Refused:
    """Make the refusal of a key, or of what a key may not do."""
    return Refused(status, "invalid_request_error", message, code=code, is_saved=False)


def out_of_order(status: int) -> Refused:
    """Make the answer of a Stripe that is not well, or busy."""
    told = ANSWERS_WITHOUT_EFFECT.get(status, {"type": "api_error"})
    return Refused(
        status,
        told["type"],
        "Something went wrong at Stripe.",
        code=told.get("code"),
        is_saved=status == 500,  # noqa: PLR2004 the only one that an endpoint itself gives
    )


class Refused(Exception):
    """An answer other than 200.

    Attributes:
        status: The HTTP status.
        error: What the body says under `error`.
        is_saved: Whether an idempotency key remembers it; what never began to execute is not.
    """

    def __init__(
        self,
        status: int,
        type_: str,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        is_saved: bool = True,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.is_saved = is_saved
        told = {"code": code, "message": message, "param": param, "type": type_, **more}
        self.error = {name: value for name, value in told.items() if value is not None}

    @property
    def body(self) -> dict[str, Any]:
        """Give what is answered."""
        return {"error": self.error}

    @property
    def leaves_effects(self) -> bool:
        """Say whether what was written before it stays: a declined card is a fact."""
        return bool(self.error["type"] == "card_error")
