"""Parameters, read as Stripe reads them and checked against what its SDK knows of its API.

The SDK is generated from Stripe's own description: which parameters an endpoint takes, which it
needs, and which are numbers, claims, or one of a few words. What is not in there is refused as
Stripe does, so that a misspelt parameter fails here and not with somebody's money.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, Final, get_args
from urllib.parse import parse_qsl

import stripe
import stripe.params

from classbolt.testing.stripe_double.errors import Refused, malformed

API_VERSION: Final = str(stripe.api_version)
MOST_FIELDS: Final = 500
DEEPEST: Final = 5
INDEX: Final = re.compile(r"[0-9]{1,4}")
NOT_SENT: Final = frozenset(stripe.RequestOptions.__annotations__)
"""What the SDK takes among parameters and sends as headers."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a parameter can be.

    Attributes:
        name: `int`, `bool`, `str`, `map`, `hash` or `any`.
        fields: Of a hash, the type that names them.
        words: The only values, if there are only a few.
        can_be_unset: Whether nothing at all is a value too.
    """

    name: str
    fields: str | None
    words: tuple[str, ...]
    is_list: bool
    can_be_unset: bool


def read(form: bytes) -> dict[str, Any]:
    """Read a form, or a query, into the hashes and lists that its brackets describe.

    Raises:
        Refused: It is not a form, or is too much of one.
    """
    try:
        pairs = parse_qsl(
            form.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS
        )
    except ValueError as error:
        raise malformed("The request could not be read.") from error
    root: dict[str, Any] = {}
    for name, value in pairs:
        path = re.findall(r"[^\[\]]+|(?<=\[)(?=\])", name)
        if not path or len(path) > DEEPEST:
            raise malformed(f"Invalid parameter: {name}", param=name)
        inner = root
        for step, next_step in pairwise(path):
            inner = inner.setdefault(_key(step, inner), {})
            if not isinstance(inner, dict):
                raise malformed(f"Invalid hash: {next_step}", param=name)
        inner[_key(path[-1], inner)] = value
    return root


def check(type_: str, params: Mapping[str, Any], *, inside: str = "") -> dict[str, Any]:
    """Give the parameters with their numbers and claims understood.

    Args:
        type_: The SDK's type of them, in `stripe.params`.
        params: What was sent.
        inside: The hash that they are in.

    Raises:
        Refused: One is unknown, missing, or nothing that it can be.
    """
    kinds, required = _described(type_)
    if unknown := [_named(each, inside) for each in params if each not in kinds]:
        raise malformed(
            f"Received unknown parameter{'s' if unknown[1:] else ''}: {', '.join(unknown)}",
            code="parameter_unknown",
            param=unknown[0],
        )
    for each in sorted(required - params.keys()):
        name = _named(each, inside)
        raise malformed(
            f"Missing required param: {name}.", code="parameter_missing", param=name
        )
    return {
        each: _understand(kinds[each], value, _named(each, inside))
        for each, value in params.items()
    }


def invalid_integer(message: str, name: str) -> Refused:
    """Make the refusal of a number that is none, or that cannot be."""
    return malformed(message, code="parameter_invalid_integer", param=name)


def _understand(kind: _Kind, value: Any, name: str) -> Any:
    if value == "":
        if kind.can_be_unset:
            return None
        raise malformed(
            f"You passed an empty string for '{name}'. We assume empty values are an attempt "
            f"to unset a parameter; however '{name}' cannot be unset.",
            code="parameter_invalid_empty",
            param=name,
        )
    if kind.is_list:
        if not isinstance(value, dict) or not all(map(INDEX.fullmatch, value)):
            raise malformed("Invalid array", param=name)
        in_order = [value[each] for each in sorted(value, key=int)]
        return [_one(kind, each, f"{name}[{at}]") for at, each in enumerate(in_order)]
    return _one(kind, value, name)


def _one(kind: _Kind, value: Any, name: str) -> Any:
    if isinstance(value, dict):
        if kind.fields:
            return check(kind.fields, value, inside=name)
        if kind.name == "map" and all(isinstance(each, str) for each in value.values()):
            return value
        if kind.name != "any":
            raise malformed(f"Invalid {kind.name}", param=name)
        return value
    if kind.name in ("map", "hash"):
        raise malformed("Invalid hash", param=name)
    if kind.name == "int":
        return _integer(value, name)
    if kind.name == "bool":
        if value not in ("true", "false"):
            raise malformed(f"Invalid boolean: {value}", param=name)
        return value == "true"
    if kind.words and value not in kind.words:
        raise malformed(f"Invalid {name}: must be one of {', '.join(kind.words)}", param=name)
    return value


def _integer(value: str, name: str) -> int:
    if not re.fullmatch(r"-?\d{1,15}", value, re.ASCII):
        raise invalid_integer(f"Invalid integer: {value}", name)
    return int(value)


def _named(name: str, inside: str) -> str:
    return f"{inside}[{name}]" if inside else name


def _key(step: str, inner: Mapping[str, Any]) -> str:
    return step or str(len(inner))


@cache
def _described(type_: str) -> tuple[Mapping[str, _Kind], frozenset[str]]:
    typed = getattr(stripe.params, type_)
    kinds = {
        name: _kind(annotation)
        for name, annotation in typed.__annotations__.items()
        if name not in NOT_SENT
    }
    return kinds, typed.__required_keys__


def _kind(annotation: Any) -> _Kind:
    text = _text(annotation)
    words = tuple(re.findall(r"'([^']+)'", "".join(re.findall(r"Literal\[[^\]]*\]", text))))
    hashes = [
        each for each in re.findall(r"\w+Params\w+", text) if hasattr(stripe.params, each)
    ]
    rest = set(re.findall(r"\w+", re.sub(r"Literal\[[^\]]*\]", "", text)))
    if "Dict" in rest:
        name = "map"
    elif hashes:
        name = "int" if "int" in rest else "hash"
    elif words:
        name = "any" if "bool" in rest else "str"
    else:
        name = next((each for each in ("int", "bool", "str") if each in rest), "any")
    return _Kind(
        name=name,
        fields=hashes[0] if hashes else None,
        words=() if "bool" in rest else words,
        is_list="List" in rest,
        can_be_unset="''" in text,
    )


def _text(annotation: Any) -> str:
    if isinstance(annotation, type):
        return annotation.__name__
    inner = getattr(annotation, "__forward_arg__", None)
    if inner:
        return str(inner).replace('"', "'")
    wrapped = get_args(annotation)
    if "NotRequired" in str(annotation) and len(wrapped) == 1:
        return _text(wrapped[0])
    return str(annotation)
