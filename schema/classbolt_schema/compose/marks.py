"""Find out whose each type is, so that the printed schema can mark the bolt-ons'.

A type is core's if core's own elements lead to it, and a bolt-on's if only that bolt-on's do.
The marks are set on this schema's copies of the definitions: with other bolt-ons installed, the
same class may be somebody else's.
"""

import dataclasses
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from graphql import GraphQLNamedType, GraphQLSchema, get_named_type, is_scalar_type
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.base import get_object_definition

from classbolt_schema.compose.fields import OWNER, marks

BACKREF = GraphQLCoreConverter.DEFINITION_BACKREF


def mark_types(schema: GraphQLSchema, registered: Iterable[tuple[str | None, type]]) -> None:
    """Mark the types that bolt-ons brought; no field leads to those that they registered."""
    assert schema.query_type is not None
    assert schema.mutation_type is not None
    starts: list[tuple[str | None, GraphQLNamedType]] = [
        (None, schema.query_type),
        (None, schema.mutation_type),
    ]
    for owner, cls in registered:
        name = get_object_definition(cls, strict=True).name
        starts.append((owner, schema.type_map[name]))
    for type_, owner in _owners(starts):
        definition = type_.extensions.get(BACKREF)
        if owner is None or definition is None or is_scalar_type(type_):
            continue
        directives = [*(definition.directives or ()), *marks(owner)]
        type_.extensions[BACKREF] = dataclasses.replace(definition, directives=directives)


def _owners(
    starts: Iterable[tuple[str | None, GraphQLNamedType]],
) -> Iterator[tuple[GraphQLNamedType, str | None]]:
    """Walk the schema: what leads on from an owner first, what others added to it last."""
    waiting: deque[tuple[str | None, Any]] = deque()
    for owner, type_ in starts:
        waiting.append((owner, type_)) if owner else waiting.appendleft((owner, type_))
    seen: set[str] = set()
    while waiting:
        owner, wrapped = waiting.popleft()
        type_ = get_named_type(wrapped)
        if type_.name in seen:
            continue
        seen.add(type_.name)
        yield type_, owner
        for element in getattr(type_, "fields", {}).values():
            added_by = _added_by(element)
            leads_to = [
                element.type,
                *(each.type for each in getattr(element, "args", {}).values()),
            ]
            if added_by is None:
                waiting.extendleft((owner, each) for each in leads_to)
            else:
                waiting.extend((added_by, each) for each in leads_to)
        members = [*getattr(type_, "interfaces", ()), *getattr(type_, "types", ())]
        waiting.extendleft((owner, each) for each in members)


def _added_by(element: Any) -> str | None:
    definition = element.extensions.get(BACKREF)
    owner: str | None = definition.metadata.get(OWNER) if definition is not None else None
    return owner
