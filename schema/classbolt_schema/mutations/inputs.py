"""What the inputs of mutations have in common: ids, and what is absent, not null."""

from collections.abc import Callable, Iterable
from typing import TypeVar
from uuid import UUID

import strawberry
from strawberry.types.unset import UnsetType

from classbolt.errors import InvalidInput
from classbolt_schema.ids import decode

T = TypeVar("T")
K = TypeVar("K")


def key(type_name: str, raw: strawberry.ID, *path: str | int) -> UUID:
    """Read an id that must be given.

    Raises:
        NotFound: It is not an id of this type.
    """
    return decode(type_name, raw, *path)


def optional_key(
    kind: Callable[[UUID], K], type_name: str, raw: strawberry.ID | None, *path: str | int
) -> K | None:
    """Read an id that may be null.

    Raises:
        NotFound: It is not an id of this type.
    """
    return None if raw is None else kind(decode(type_name, raw, *path))


def keys(type_name: str, raws: Iterable[strawberry.ID], *path: str | int) -> list[UUID]:
    """Read a list of ids.

    Raises:
        NotFound: One of them is not an id of this type.
    """
    return [decode(type_name, raw, *path) for raw in raws]


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
