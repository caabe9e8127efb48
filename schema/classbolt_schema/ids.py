"""Global ids: opaque, typed and spelt in exactly one way.

An id of another type, and anything else that is no id of ours, is answered like an id that does
not exist: nobody learns from an id what else there is.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

K = TypeVar("K")

LONGEST = 128
NOBODYS = UUID(int=0)
"""A key that no row ever has: ours are made of a time."""


def encode(type_name: str, uuid: UUID) -> str:
    """Make the global id of an object of a GraphQL type."""
    return urlsafe_b64encode(f"{type_name}:{uuid.hex}".encode()).decode().rstrip("=")


def decode(type_name: str, raw: str) -> UUID:
    """Read the global id of an object of a GraphQL type.

    What is not an id of this type is read as a key that nothing has. To refuse it here would
    answer it before the rules ask who is asking, and so unlike an id that does not exist.
    """
    found = decode_any(raw)
    return NOBODYS if found is None or found[0] != type_name else found[1]


def decode_optional(kind: Callable[[UUID], K], type_name: str, raw: str | None) -> K | None:
    """Read a global id that may be null, as a key of its own type."""
    return None if raw is None else kind(decode(type_name, raw))


def decode_any(raw: str) -> tuple[str, UUID] | None:
    """Read a global id as a type's name and an id; None if it is no id of ours."""
    if len(raw) > LONGEST:
        return None
    try:
        type_name, _, key = (
            urlsafe_b64decode(raw + "=" * (-len(raw) % 4)).decode().partition(":")
        )
        uuid = UUID(key)
    except ValueError:
        return None
    # Base64 and UUIDs can be spelt in many ways. Only ours counts, so that ids compare.
    return (type_name, uuid) if encode(type_name, uuid) == raw else None
