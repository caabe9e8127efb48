"""Make Strawberry fields out of functions, anew for each schema that is built.

Strawberry changes the fields it builds a schema from, so they cannot serve a second one. What
is kept is the function; its annotations are read now, when every module has been imported.
"""

from collections.abc import Callable, Iterable
from inspect import Parameter, Signature, signature
from typing import Any, TypeVar, get_type_hints

import strawberry
from strawberry.schema_directive import Location
from strawberry.types.field import StrawberryField

F = TypeVar("F", bound=StrawberryField)

OWNER = "classbolt-owner"
"""Key in a field's metadata: who added it. Fields that have the key pass the gate."""


@strawberry.schema_directive(
    name="boltOn",
    description="This belongs to a bolt-on. While it is off for the account, the field is null"
    " or empty, and the mutation or the input is refused with BOLT_ON_DISABLED.",
    locations=[
        Location.ENUM,
        Location.FIELD_DEFINITION,
        Location.INPUT_FIELD_DEFINITION,
        Location.INPUT_OBJECT,
        Location.INTERFACE,
        Location.OBJECT,
        Location.UNION,
    ],
)
class BoltOnMark:
    """Says in the printed schema which bolt-on an element belongs to."""

    name: str


def marks(owner: str | None) -> list[object]:
    """Give the directives of an element: none for core's."""
    return [] if owner is None else [BoltOnMark(name=owner)]


def evaluated(function: Callable[..., Any]) -> Signature:
    """Read a function's signature with its annotations as types.

    Raises:
        TypeError: An annotation is missing, or names what only type checkers see.
    """
    where = f"{function.__module__}.{function.__qualname__}"
    try:
        hints = get_type_hints(function, include_extras=True)
        parameters = [
            each.replace(annotation=hints[each.name])
            for each in signature(function).parameters.values()
        ]
        return Signature(parameters, return_annotation=hints["return"])
    except (NameError, KeyError) as error:
        raise TypeError(f"{where}: the annotation of {error} cannot be read") from error


def arguments_of(parameters: Iterable[Parameter]) -> list[Parameter]:
    """Make a function's own parameters GraphQL arguments; None as a default is no default."""
    return [
        each.replace(
            kind=Parameter.KEYWORD_ONLY,
            default=Parameter.empty if each.default is None else each.default,
        )
        for each in parameters
    ]


def make_field(
    resolve: Callable[..., Any],
    parameters: list[Parameter],
    returns: Any,
    *,
    name: str,
    description: str,
    owner: str | None,
    kind: type[F],
) -> F:
    """Make a field that calls `resolve` and shows the given parameters as its arguments."""
    resolve.__dict__["__signature__"] = Signature(parameters, return_annotation=returns)
    field = kind(
        python_name=name,
        description=description,
        directives=marks(owner),
        metadata={OWNER: owner},
    )
    field(resolve)
    return field
