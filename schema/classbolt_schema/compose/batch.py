"""Batch resolvers: one call for all objects of a level, whoever wrote the field.

A resolver takes all parents and gives as many values. GraphQL asks for one object after
another, so these are collected by one DataLoader per field, arguments and request.
"""

import dataclasses
from collections.abc import Awaitable, Callable, Hashable, Sequence
from inspect import Parameter
from typing import Any, get_args, get_origin

import strawberry
from strawberry.dataloader import DataLoader
from strawberry.types.field import StrawberryField

from classbolt.given import Given
from classbolt_schema.compose.fields import arguments_of, evaluated, make_field
from classbolt_schema.compose.gate import answer_when_off, is_open
from classbolt_schema.compose.info import Info
from classbolt_schema.compose.inputs import given_of


def batch_field(
    resolve: Callable[..., Awaitable[Sequence[Any]]],
    *,
    on: type,
    name: str,
    description: str,
    owner: str | None,
) -> StrawberryField:
    """Make a field of an object type out of a batch resolver.

    Raises:
        TypeError: The resolver does not say that it gives a sequence.
        BadBoltOn: The field could not answer while the bolt-on is off.
    """
    where = f"{on.__name__}.{name}"
    own = evaluated(resolve)
    if get_origin(own.return_annotation) is not Sequence:
        raise TypeError(
            f"{where}: a batch resolver returns Sequence[...], one value per parent"
        )
    (item,) = get_args(own.return_annotation)
    nothing = answer_when_off(owner, where, item)

    def load(parent: Any, info: Info, **arguments: Any) -> Awaitable[Any]:
        async def answer(parents: list[Any]) -> Sequence[Any]:
            if not await is_open(info, owner):
                return [nothing] * len(parents)
            values = await resolve(parents, info, **arguments)
            if len(values) != len(parents):
                raise TypeError(f"{where}: {len(values)} values for {len(parents)} parents")
            return values

        loaders = info.context.loaders
        key = (load, frozen(arguments))
        if key not in loaders:
            # Nothing is remembered by parent: objects of a response have no identity to go by.
            loaders[key] = DataLoader(answer, cache=False)
        return loaders[key].load(parent)

    parameters = [
        Parameter(
            "parent", Parameter.POSITIONAL_OR_KEYWORD, annotation=strawberry.Parent[object]
        ),
        Parameter("info", Parameter.POSITIONAL_OR_KEYWORD, annotation=Info),
        *arguments_of([*own.parameters.values()][2:]),
    ]
    return make_field(
        load,
        parameters,
        item,
        name=name,
        description=description,
        owner=owner,
        kind=StrawberryField,
    )


def frozen(value: object) -> Hashable:
    """Make a key of arguments: equal ones have equal keys, also inputs, which have no hash."""
    match value:
        case dict():
            return tuple((name, frozen(each)) for name, each in value.items())
        case list():
            return tuple(frozen(each) for each in value)
        case Given():
            return tuple((key, frozen(each)) for key, each in value.values.items())
    if dataclasses.is_dataclass(value):
        own = tuple(frozen(getattr(value, each.name)) for each in dataclasses.fields(value))
        return (type(value), own, frozen(given_of(value)))
    return value
