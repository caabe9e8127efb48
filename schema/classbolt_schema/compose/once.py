"""Mutations that can be asked again under a key: what they did is done once.

Kept is not the answer's text but which objects it named: they are found again for whoever asks,
as they are by then, and whatever the client selects of them.
"""

import hashlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, TypeVar

import strawberry

from classbolt import once
from classbolt.db import Tx
from classbolt.errors import NotFound
from classbolt.values import Actor
from classbolt_schema.compose.inputs import values_of

P = TypeVar("P")
Find = Callable[[Tx, Sequence[str]], Awaitable[Mapping[str, Any]]]

KEY: Final = "idempotency_key"


@strawberry.input(description="Something that can be asked for again under a key.")
class Keyed:
    """What every input extends whose mutation moves seats, credits or money."""

    idempotency_key: str | None = strawberry.field(
        default=None,
        description="Your name for this request, such as a UUID, up to 100 characters. If you"
        " got no answer, ask again with the same key within 72 hours: what was done is not done"
        " again, and the answer names the same objects. To ask for something else under it is"
        " refused with IDEMPOTENCY_KEY_REUSED. What was refused is not remembered, but for a"
        " payment by card that was begun: once it has failed or expired, book under a new key.",
    )


class _Kind:
    """A type whose objects can be named in an answer that is kept, and found again."""

    def __init__(self, type_: type, name_of: Callable[[Any], str], find: Find) -> None:
        self.type = type_
        self.name_of = name_of
        self.find = find


_kinds: dict[str, _Kind] = {}


def found_again(type_: type, name_of: Callable[[Any], str], find: Find) -> None:
    """Let answers that are kept name objects of a type, and of all that extend it.

    The last to be said of a type that extends another counts.

    Args:
        name_of: Names an object, for good.
        find: Finds objects by their names, if they are for the caller to see.
    """
    _kinds[type_.__name__] = _Kind(type_, name_of, find)


async def answer_once(
    tx: Tx,
    asked: Keyed,
    payload: type[P],
    work: Callable[[], Awaitable[P]],
    *,
    actor: Actor,
    mutation: str,
    now: datetime,
) -> P:
    """Do the work, unless it was done before under the key that the input names.

    Raises:
        IdempotencyKeyReused: Something else was asked for under this key.
        NotFound: What was answered is no longer for the caller to see.
        Refusal: The work refuses; then nothing is kept.
    """
    key = asked.idempotency_key
    if key is None:
        return await work()
    known = await once.recall(tx, actor, key, fingerprint(mutation, asked), now=now)
    if known is not None:
        return payload(**await _find_again(tx, known))
    answer = await work()
    await once.remember(tx, actor, key, _names(answer))
    return answer


def fingerprint(mutation: str, asked: object) -> str:
    """Sum up what is asked for: the same request has the same fingerprint, no other has it."""
    return hashlib.sha256(f"{mutation} {_written(asked)}".encode()).hexdigest()


def _written(value: Any) -> str:
    """Write a value down in the one way that means it, whoever wrote it."""
    if is_dataclass(value):
        # What is left out means its default: a member that comes later changes nothing.
        own = {
            each.name: said
            for each in fields(value)
            if each.name != KEY and (said := getattr(value, each.name)) != each.default
        }
        members = sorted((own | _added(value)).items())
        return f"{{{', '.join(f'{name}: {_written(each)}' for name, each in members)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return repr(value)


def _added(value: object) -> dict[str, Any]:
    """Give the values of members that bolt-ons have added to an input."""
    return {f"{key.owner}.{key.name}": each for key, each in values_of(value).items()}


def _names(answer: object) -> dict[str, Any]:
    """Name what an answer shows, member by member; what is plain stands for itself."""
    members = ((each.name, getattr(answer, each.name)) for each in fields(answer))  # type: ignore[arg-type]
    return {name: _name(value) for name, value in members if name != "user_errors"}


def _name(value: Any) -> Any:
    if isinstance(value, list):
        return [_name(each) for each in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    for kind, each in reversed(_kinds.items()):
        if isinstance(value, each.type):
            return {"kind": kind, "name": each.name_of(value)}
    raise TypeError(
        f"a payload of a mutation that takes a key cannot hold a {type(value).__name__},"
        " unless found_again says how to find it"
    )


async def _find_again(tx: Tx, known: Mapping[str, Any]) -> dict[str, Any]:
    """Make the members of the payload again.

    Raises:
        NotFound: Something is no longer for the caller to see.
    """
    wanted: dict[str, list[str]] = defaultdict(list)
    for each in _references(list(known.values())):
        wanted[each["kind"]].append(each["name"])
    found = {kind: await _kinds[kind].find(tx, names) for kind, names in wanted.items()}

    def put(value: Any) -> Any:
        if isinstance(value, list):
            return [put(each) for each in value]
        if not isinstance(value, dict):
            return value
        if value["name"] not in found[value["kind"]]:
            raise NotFound
        return found[value["kind"]][value["name"]]

    return {name: put(value) for name, value in known.items()}


def _references(values: Sequence[Any]) -> Iterator[dict[str, str]]:
    for each in values:
        if isinstance(each, dict):
            yield each
        elif isinstance(each, list):
            yield from _references(each)
