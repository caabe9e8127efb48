"""Refusals as clients see them: one GraphQL type per class of refusal, made from the class.

They are implementors of one interface, so that a bolt-on's refusals can join them and a client
that knows none of them still reads `code` and `message`.
"""

import re
from typing import Any

import strawberry
from strawberry.utils.str_converters import to_camel_case

from classbolt import errors
from classbolt.errors import Refusal


@strawberry.interface(
    description="A reason why something was not done. Nothing was changed if there is one."
)
class UserError:
    """A reason why something was not done."""

    code: str = strawberry.field(
        description="Names the reason, in capitals. Decide by it what to do: it never changes."
    )
    message: str = strawberry.field(description="Explains the reason to a person, in English.")
    path: list[str] | None = strawberry.field(
        default=None,
        description="Where in the input the reason lies, such as input, startsAt; null if"
        " nowhere in particular.",
    )
    hint: str | None = strawberry.field(
        default=None,
        description="What the person can do about it, in English; null if there is nothing to"
        " say.",
    )


@strawberry.type(description="A reason that has no type of its own; its code names it.")
class OtherError(UserError):
    """A reason that has no type of its own."""


RULE_NUMBERS = re.compile(r" \([A-Z]\d+(?:[,-] ?[A-Z]?\d+)*\)")

_types: dict[type[Refusal], type[UserError]] = {}


def register(refusal: type[Refusal]) -> type[UserError]:
    """Make the GraphQL type of a class of refusal, once; its facts are further fields."""
    if refusal not in _types:
        _types[refusal] = _make(refusal)
    return _types[refusal]


def to_user_error(refusal: Refusal) -> UserError:
    """Show a refusal to the client, as the type of its class or of the nearest one above it."""
    shown: dict[str, Any] = {
        "code": refusal.code,
        "message": refusal.message,
        "path": [str(step) for step in refusal.path] or None,
        "hint": refusal.hint,
    }
    for kind in type(refusal).__mro__:
        if issubclass(kind, Refusal) and (found := _types.get(kind)):
            facts = {name: getattr(refusal, name) for name in kind.facts}
            return found(**shown, **facts)
    return OtherError(**shown)


def _make(refusal: type[Refusal]) -> type[UserError]:
    name = f"{refusal.__name__}Error"
    members: dict[str, Any] = {
        # The module is the refusal's, so that a clash of names can be traced to who wrote it.
        "__module__": refusal.__module__,
        "__doc__": refusal.__doc__,
        "__annotations__": {
            fact: list[str] if type_ is list else type_ for fact, type_ in refusal.facts.items()
        },
    }
    for fact in refusal.facts:
        members[fact] = strawberry.field(
            description=f"The `{to_camel_case(fact)}` that led to this reason."
        )
    # Rule numbers are for those who read the code.
    description = RULE_NUMBERS.sub("", " ".join((refusal.__doc__ or "").split()))
    return strawberry.type(type(name, (UserError,), members), description=description)


CORE = tuple(register(refusal) for refusal in errors.ALL)
"""The types of core's own refusals."""
