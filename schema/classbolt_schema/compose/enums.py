"""Enums of the core or of a bolt-on, shown to clients with a description for each value."""

from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

import strawberry
from strawberry.types.enum import has_enum_definition

E = TypeVar("E", bound=Enum)


def show_enum(kind: type[E], *, name: str, description: str, values: Mapping[E, str]) -> None:
    """Make a GraphQL enum of a Python one, which need not know of it.

    Raises:
        KeyError: A value has no description.
    """
    described = {each.name: values[each] for each in kind}
    strawberry.enum(kind, name=name, description=description)
    assert has_enum_definition(kind)
    for each in kind.__strawberry_definition__.values:
        each.description = described[each.name]
