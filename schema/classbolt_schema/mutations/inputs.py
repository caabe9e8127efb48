"""What the inputs of mutations have in common: what is absent, not null."""

from typing import TypeVar

import strawberry
from strawberry.types.unset import UnsetType

from classbolt.errors import InvalidInput

T = TypeVar("T")


def is_given(value: object) -> bool:
    """Say whether the client mentioned a member at all, be it as null."""
    return value is not strawberry.UNSET


def required(value: T | UnsetType | None, *path: str | int) -> T:
    """Take a member that may be left out but not be null.

    Raises:
        InvalidInput: It is null.
    """
    if value is None or isinstance(value, UnsetType):
        raise InvalidInput("This cannot be null; leave it out to keep it as it is.", *path)
    return value
