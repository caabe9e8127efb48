"""Documents made from the schema alone: every place where an id goes, and a way to fill it.

What a new query, mutation or field takes is found here by itself. Two things cannot be found:
of which type an id is whose name does not say it, and a value that the rules accept where any
word or number will not do. They have tables below, and the tests say when one needs a line.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_composite_type,
    is_required_argument,
    is_required_input_field,
)

from played import STRIPE_KEYS

Path = tuple[str, ...]

ANY = "Node"
"""The type of an id that may name an object of any type."""

KINDS: Mapping[str, str] = {
    "MarkRefundedInput.refund": "CardRefund",
    "MergeCustomersInput.from": "Customer",
    "MergeCustomersInput.into": "Customer",
    "UnlinkStripeInput.link": "StripeLink",
    "UpdateStripeLinkInput.link": "StripeLink",
}
"""Of which type an id is where its name does not end in the type's: place -> type."""

SAMPLES: Mapping[str, Any] = {
    "ExtendBundleInput.expiresAt": "2027-12-31T00:00:00Z",
    "boltOn": "drop_in",
    "email": "ida@example.com",
    "method": "NEW_BUNDLE",
    "publishableKey": STRIPE_KEYS["publishableKey"],
    "restrictedKey": STRIPE_KEYS["restrictedKey"],
    "option": "COURSE",
    "startsAt": "2027-03-01T18:30:00Z",
    "PayWithInput": {"offline": True},
}
"""Values that the rules accept: by place, by the member's name, or by the type's."""

TOGETHER: Mapping[str, Mapping[str, Any]] = {
    "CancelBookingInput.bundle": {"refund": "GOODWILL", "reason": "The bus broke down."},
}
"""What else must be said for an id to count: its place -> further members of its input."""

EITHER: Mapping[str, tuple[str, ...]] = {
    "MarkRefundedInput": ("booking", "refund"),
}
"""Inputs that want one of some members and say so in words only: the first, if no other is."""

PLAIN: Mapping[str, Any] = {
    "Boolean": True,
    "DateTime": "2027-03-01T18:30:00Z",
    "Float": 1.0,
    "Int": 1,
    "String": "Improvers",
}
"""What stands for a value that has no sample."""

ROOTS = {"query": "Query", "mutation": "Mutation"}
ONTO = "... on "


class Unfilled(Exception):
    """The schema has a place of which nobody has said what goes there."""


@dataclass(frozen=True)
class Slot:
    """A place where an id goes.

    Attributes:
        way: The fields that lead to it, after the kind of operation.
        path: The argument of the last of them, and the members of inputs below it.
        kind: The type of what it names.
        place: Where the schema has it.
    """

    way: Path
    path: Path
    kind: str
    place: str

    def __str__(self) -> str:
        """Write it as one would say it: bookSession(input.customer)."""
        return f"{'.'.join(self.way[1:])}({'.'.join(self.path)})"


# Where ids go


def slots(schema: GraphQLSchema) -> list[Slot]:
    """Find every place where an id goes.

    Raises:
        Unfilled: It cannot be said of which type an id is.
    """
    return [
        slot
        for type_name, way in ways(schema).items()
        for name, definition in fields_of(schema, type_name).items()
        for argument, each in definition.args.items()
        for slot in _slots(
            schema, (*way, name), (argument,), f"{type_name}.{name}.{argument}", each.type
        )
    ]


def _slots(
    schema: GraphQLSchema,
    way: Path,
    path: Path,
    place: str,
    type_: Any,
    within: Path = (),
) -> Iterator[Slot]:
    named = get_named_type(type_)
    if named.name == "ID":
        yield Slot(way, path, kind_at(schema, place), place)
    if isinstance(named, GraphQLInputObjectType) and named.name not in within:
        for name, member in named.fields.items():
            below = f"{named.name}.{name}"
            inside = (*within, named.name)
            yield from _slots(schema, way, (*path, name), below, member.type, inside)


def kind_at(schema: GraphQLSchema, place: str) -> str:
    """Say of which type the id is that goes to a place.

    Raises:
        Unfilled: Its name does not say it, nor does anybody else.
    """
    if place in KINDS:
        return KINDS[place]
    *owner, name = place.split(".")
    if name in {"id", "ids"} and len(owner) > 1:
        return get_named_type(fields_of(schema, owner[0])[owner[1]].type).name
    word = name[0].upper() + name[1:]
    fitting = [each for each in nodes(schema) if word.endswith((each, f"{each}s"))]
    if not fitting:
        raise Unfilled(f"{place} takes an id, but of what? Say it in KINDS in {__name__}.")
    return max(fitting, key=len)


def nodes(schema: GraphQLSchema) -> list[str]:
    """List the types whose objects have an id."""
    node = schema.type_map[ANY]
    assert isinstance(node, GraphQLInterfaceType)
    return sorted(each.name for each in schema.get_implementations(node).objects)


# What leads where


def ways(schema: GraphQLSchema) -> dict[str, Path]:
    """Give the shortest way to every type that has fields; a mutation only if nothing else."""
    found: dict[str, Path] = {}
    for operation, root in ROOTS.items():
        found[root] = (operation,)
        waiting = deque([root])
        while waiting:
            type_name = waiting.popleft()
            for step, to in steps_from(schema, type_name):
                if to.name not in found:
                    found[to.name] = (*found[type_name], step)
                    waiting.append(to.name)
    return found


def steps_from(schema: GraphQLSchema, type_name: str) -> Iterator[tuple[str, GraphQLNamedType]]:
    """Give the steps that lead on from a type: its objects, and what an interface can be."""
    for name, definition in fields_of(schema, type_name).items():
        named = get_named_type(definition.type)
        if is_composite_type(named):
            yield name, named
    type_ = schema.type_map[type_name]
    if isinstance(type_, GraphQLInterfaceType):
        for each in schema.get_implementations(type_).objects:
            yield f"{ONTO}{each.name}", each


def type_at(schema: GraphQLSchema, way: Path) -> str:
    """Say which type a way leads to."""
    type_name = ROOTS[way[0]]
    for step in way[1:]:
        type_name = dict(steps_from(schema, type_name))[step].name
    return type_name


def fields_of(schema: GraphQLSchema, type_name: str) -> Mapping[str, GraphQLField]:
    """Give the fields of a type; none if it has none."""
    type_ = schema.type_map[type_name]
    found: Mapping[str, GraphQLField] = {}
    if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
        found = type_.fields
    return found


def is_part_of_a_list(type_name: str) -> bool:
    """Say whether a type only stands between a list and what is in it."""
    return type_name.endswith(("Connection", "Edge"))


# A document


@dataclass
class Document:
    """A document in the making, with its variables.

    Attributes:
        ids: What goes where an id goes, by place or by type.
        also: Arguments and members that are given though they could be left out.
        without: What is not selected though it could be, as paths in the answer.
        names_objects: Whether objects beyond the depth are selected by their type's name alone.
        variables: What has to be sent with it.
    """

    schema: GraphQLSchema
    ids: Mapping[str, Any]
    also: Collection[str] = ()
    without: Collection[Path] = ()
    names_objects: bool = False
    variables: dict[str, Any] = field(default_factory=dict)
    operation: str = "query"
    _declared: list[str] = field(default_factory=list)
    _roots: list[tuple[str, str, str]] = field(default_factory=list)

    def add(
        self, way: Path, *, depth: int = 0, path: Path = (), put: Any = None, only: str = ""
    ) -> None:
        """Ask for what a way leads to, besides all that is asked for already.

        Args:
            way: The fields from the root on, after the kind of operation.
            depth: How far what they lead to is written out.
            path: The argument of the last field, and the members in it, where `put` goes.
            put: What goes there.
            only: What is selected at the end instead of all that there is.
        """
        self.operation, *steps = way
        type_name, opened, at = ROOTS[self.operation], list[str](), list[str]()
        for position, step in enumerate(steps):
            if step.startswith(ONTO):
                type_name = step.removeprefix(ONTO)
                opened.append(step)
                continue
            to = get_named_type(fields_of(self.schema, type_name)[step].type).name
            is_last = position == len(steps) - 1
            onto = "" if is_last else steps[position + 1]
            kind = onto.removeprefix(ONTO) if onto.startswith(ONTO) else to
            given = self._arguments(type_name, step, kind, path if is_last else (), put)
            opened.append(f"{step}{given}")
            at.append(step)
            type_name = to
        selected = only or self.selection(type_name, depth, tuple(at))
        for each in reversed(opened[1:]):
            selected = f"{{ {each} {selected} }}"
        self._roots.append((opened[0], type_at(self.schema, way[:2]), selected))

    def text(self) -> str:
        """Write the document; if it asks for several things, they are called one1, one2, ..."""
        declared = f" ({', '.join(self._declared)})" if self._declared else ""
        if len(self._roots) == 1:
            root, _, selected = self._roots[0]
            return f"{self.operation}{declared} {{ {root} {selected} }}"
        # What all select is written, read and checked once.
        selections = dict.fromkeys((on, selected) for _, on, selected in self._roots)
        names = {each: f"Part{number}" for number, each in enumerate(selections, start=1)}
        roots = [
            f"one{number}: {root} {{ ...{names[on, selected]} }}"
            for number, (root, on, selected) in enumerate(self._roots, start=1)
        ]
        parts = [f"fragment {name} on {on} {each}" for (on, each), name in names.items()]
        return f"{self.operation}{declared} {{ {' '.join(roots)} }} {' '.join(parts)}"

    def selection(self, type_name: str, depth: int, at: Path = ()) -> str:
        """Select all that a type has, and what its objects lead to, so many steps deep."""
        if not is_composite_type(self.schema.type_map[type_name]):
            return ""
        selected = ["__typename"]
        for name, definition in fields_of(self.schema, type_name).items():
            named = get_named_type(definition.type)
            left = depth if is_part_of_a_list(named.name) else depth - 1
            is_beyond = is_composite_type(named) and left < 0
            if (*at, name) in self.without or (is_beyond and not self.names_objects):
                continue
            given = self._arguments(type_name, name, named.name)
            below = self.selection(named.name, left, (*at, name)) if not is_beyond else ""
            selected.append(f"{name}{given} {below or '{ __typename }' * is_beyond}".strip())
        return f"{{ {' '.join(selected)} }}"

    def _arguments(
        self, type_name: str, name: str, kind: str, path: Path = (), put: Any = None
    ) -> str:
        given = []
        for each, argument in fields_of(self.schema, type_name)[name].args.items():
            below = path[1:] if path[:1] == (each,) else None
            if below is None and not is_required_argument(argument) and each not in self.also:
                continue
            place = f"{type_name}.{name}.{each}"
            variable = f"v{len(self.variables)}"
            self.variables[variable] = self._value(argument.type, place, kind, below, put)
            self._declared.append(f"${variable}: {argument.type}")
            given.append(f"{each}: ${variable}")
        return f"({', '.join(given)})" if given else ""

    def _value(self, type_: Any, place: str, kind: str, below: Path | None, put: Any) -> Any:
        """Make a value; `below` leads on to where `put` goes, None if that is elsewhere."""
        if isinstance(type_, GraphQLNonNull):
            return self._value(type_.of_type, place, kind, below, put)
        if isinstance(type_, GraphQLList):
            given = put if below == () else self.ids.get(place)
            if isinstance(given, list):
                return given
            return [self._value(type_.of_type, place, kind, below, put)]
        if below == ():
            return put
        if isinstance(type_, GraphQLInputObjectType) and (below or type_.name not in SAMPLES):
            return self._members(type_, below or (), put)
        return self._leaf(type_, place, kind)

    def _members(self, type_: GraphQLInputObjectType, below: Path, put: Any) -> dict[str, Any]:
        wanted = [
            name
            for name, member in type_.fields.items()
            if is_required_input_field(member) or name in (*self.also, *below[:1])
        ]
        if type_.is_one_of:
            wanted = list(below[:1] or [*type_.fields][:1])
        if (either := EITHER.get(type_.name)) and not {*either} & {*wanted}:
            wanted.append(either[0])
        values = {
            name: self._value(
                type_.fields[name].type,
                f"{type_.name}.{name}",
                "",
                below[1:] if below[:1] == (name,) else None,
                put,
            )
            for name in wanted
        }
        return values | dict(TOGETHER.get(".".join((type_.name, *below[:1])), {}))

    def _leaf(self, type_: Any, place: str, kind: str) -> Any:
        name = place.rpartition(".")[2]
        for known, key in (
            (self.ids, place),
            (SAMPLES, place),
            (SAMPLES, name),
            (SAMPLES, type_.name),
            (PLAIN, type_.name),
        ):
            if key in known:
                return known[key]
        if isinstance(type_, GraphQLEnumType):
            return next(iter(type_.values))
        if type_.name != "ID":
            raise Unfilled(f"{place} is a {type_.name}: give it a value in SAMPLES.")
        named = kind_at(self.schema, place)
        named = kind if named == ANY else named
        if named not in self.ids:
            raise Unfilled(f"{place} takes the id of a {named}: let furnished.py give one.")
        return self.ids[named]
