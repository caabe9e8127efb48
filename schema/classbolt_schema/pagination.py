"""Connections: the parts of a list that clients page through by key (see `classbolt.pages`).

A cursor is the key of a row, as opaque text. Whatever a client makes up instead is refused
before it reaches the database, where a value of the wrong size would be an error of ours.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Self, TypeAlias, TypeVar
from uuid import UUID

import strawberry

from classbolt.errors import InvalidCursor, InvalidInput
from classbolt.pages import Page, PageOf

T = TypeVar("T")
R = TypeVar("R")

USUAL = 25
MOST = 100
LONGEST_CURSOR = 1_000
LARGEST_NUMBER = 2**31 - 1
"""What an Integer column holds in PostgreSQL."""

First: TypeAlias = Annotated[
    int | None,
    strawberry.argument(description=f"How many to give, at most: from 1 to {MOST}."),
]
After: TypeAlias = Annotated[
    str | None,
    strawberry.argument(description="Give those after this cursor: the `endCursor` seen last."),
]


def page(first: int | None, after: str | None) -> Page:
    """Read the arguments `first` and `after` of a list.

    Raises:
        InvalidInput: More than a page was asked for, or nothing.
        InvalidCursor: The cursor is none of ours.
    """
    first = USUAL if first is None else first
    if not 1 <= first <= MOST:
        raise InvalidInput(f"A list gives from 1 to {MOST} at once.", "first")
    return Page(first=first, after=None if after is None else decode_cursor(after))


@strawberry.type(description="Where a part of a list ends.")
class PageInfo:
    """Where a part of a list ends."""

    has_next_page: bool = strawberry.field(description="Whether there are more after these.")
    end_cursor: str | None = strawberry.field(
        description="The cursor after which the next part begins; null if the list is empty."
    )


@strawberry.type(description="One member of a list.")
class Edge(Generic[T]):
    """One member of a list."""

    cursor: str = strawberry.field(description="Says where in the list this is.")
    node: T = strawberry.field(description="The member itself.")


@strawberry.type(description="A part of a list, in its order.")
class Connection(Generic[T]):
    """A part of a list."""

    edges: list[Edge[T]] = strawberry.field(description="The members of this part.")
    page_info: PageInfo = strawberry.field(description="Where this part ends.")

    @classmethod
    def of(cls, part: PageOf[R], node: Callable[[R], T]) -> Self:
        """Show a page of rows, each as the node that is made of it."""
        edges = [
            Edge(cursor=encode_cursor(key), node=node(row))
            for row, key in zip(part.rows, part.keys, strict=True)
        ]
        end = None if part.end is None else encode_cursor(part.end)
        return cls(edges=edges, page_info=PageInfo(has_next_page=part.has_next, end_cursor=end))


def encode_cursor(key: tuple[Any, ...]) -> str:
    """Make a cursor of a row's key."""
    text = json.dumps([_write(value) for value in key], separators=(",", ":"))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(raw: str) -> tuple[object, ...]:
    """Read the key that a cursor is made of.

    Raises:
        InvalidCursor: It is no cursor of ours.
    """
    try:
        key = tuple(_read(value) for value in _values(raw))
        is_ours = encode_cursor(key) == raw
    except (ValueError, TypeError, OverflowError, RecursionError):
        is_ours, key = False, ()
    # Base64 and JSON can be spelt in many ways; ours is the only one we answer for.
    if not is_ours:
        raise InvalidCursor().at("after")
    return key


def _values(raw: str) -> list[object]:
    if len(raw) > LONGEST_CURSOR:
        raise ValueError(raw)
    values: list[object] = json.loads(urlsafe_b64decode(raw + "=" * (-len(raw) % 4)))
    return values


def _write(value: object) -> str | int:
    """Write one value of a key; the first letter of a text says what it is."""
    match value:
        case datetime():
            return "t" + value.astimezone(UTC).isoformat()
        case UUID():
            return "u" + value.hex
        case str():
            return "s" + value
        case int():
            return value
    raise TypeError(f"a list cannot be ordered by {value!r}")


def _read(value: object) -> object:
    if type(value) is int and abs(value) <= LARGEST_NUMBER:
        return value
    if not isinstance(value, str) or "\0" in value:  # PostgreSQL's text has no NUL
        raise ValueError(value)
    value.encode()  # nor halves of characters
    kind, text = value[:1], value[1:]
    match kind:
        case "t":
            return datetime.fromisoformat(text).astimezone(UTC)
        case "u":
            return UUID(text)
        case "s":
            return text
    raise ValueError(value)
