"""What core and bolt-ons say to add to the schema.

Core uses it for the relations between its own types, so that their modules need not import each
other; a bolt-on uses it for everything. An extension only remembers: fields are made of it anew
for every schema that is built.
"""

import builtins
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, Concatenate, ParamSpec, TypeVar

from strawberry import UNSET
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.base import get_object_definition
from strawberry.types.field import StrawberryField

from classbolt.bolt_ons import BadBoltOn
from classbolt.errors import Refusal
from classbolt_schema.compose.batch import batch_field
from classbolt_schema.compose.fields import OWNER, marks
from classbolt_schema.compose.gate import query_field
from classbolt_schema.compose.info import Info
from classbolt_schema.compose.inputs import InputField
from classbolt_schema.compose.mutation import MutationField
from classbolt_schema.user_errors import register

T = TypeVar("T")
R = TypeVar("R")
P = ParamSpec("P")

BatchResolver = Callable[Concatenate[Sequence[T], Info, P], Awaitable[Sequence[R]]]
QueryResolver = Callable[Concatenate[Info, P], Awaitable[R]]


class Root(Enum):
    """The types that every document begins at."""

    QUERY = "Query"
    MUTATION = "Mutation"


@dataclass(frozen=True, slots=True)
class Contribution:
    """One field or input member that somebody adds to a type.

    Attributes:
        owner: Who adds it: a bolt-on's code, or None for core.
        on: What it is added to.
        make: Makes the field for one schema.
        key: Opens the values of an input member.
    """

    owner: str | None
    on: type | Root
    make: Callable[[], StrawberryField]
    key: InputField[Any] | None = None


class SchemaExtension:
    """Collects what one bolt-on, or core, adds to the schema."""

    def __init__(self, owner: str | None) -> None:
        self.owner = owner
        self.contributions: list[Contribution] = []
        self.types: list[builtins.type] = []

    def include(self, other: "SchemaExtension") -> None:
        """Add all that another extension of the same owner has collected.

        Raises:
            BadBoltOn: It is somebody else's.
        """
        if other.owner != self.owner:
            raise BadBoltOn(f"{self.owner} cannot add what belongs to {other.owner}")
        self.contributions += other.contributions
        self.types += other.types

    def field(
        self, on: builtins.type[T], *, description: str, name: str | None = None
    ) -> Callable[[BatchResolver[T, P, R]], BatchResolver[T, P, R]]:
        """Add a field to an object type.

        The function takes all parents of a level and gives one value for each, in their order.
        Its other parameters are the field's arguments. A bolt-on's field is nullable or a list.
        """

        def add(resolve: BatchResolver[T, P, R]) -> BatchResolver[T, P, R]:
            make = partial(
                batch_field,
                resolve,
                on=on,
                name=name or resolve.__name__,
                description=description,
                owner=self.owner,
            )
            self.contributions.append(Contribution(self.owner, on, make))
            return resolve

        return add

    def query(
        self, *, description: str, name: str | None = None
    ) -> Callable[[QueryResolver[P, R]], QueryResolver[P, R]]:
        """Add a root query field. A bolt-on's is nullable or a list."""

        def add(resolve: QueryResolver[P, R]) -> QueryResolver[P, R]:
            make = partial(
                query_field,
                resolve,
                name=name or resolve.__name__,
                description=description,
                owner=self.owner,
            )
            self.contributions.append(Contribution(self.owner, Root.QUERY, make))
            return resolve

        return add

    def mutation(self, field: MutationField) -> MutationField:
        """Add a root mutation that the `mutation` decorator made."""
        make = partial(field.owned_by, self.owner)
        self.contributions.append(Contribution(self.owner, Root.MUTATION, make))
        return field

    def input_field(
        self, on: builtins.type, name: str, type_: builtins.type[T], *, description: str
    ) -> InputField[T]:
        """Add an optional, nullable member to an input, and give the key to its values.

        Raises:
            BadBoltOn: That is no such input.
        """
        return self._member(on, name, type_, description, one_of=False)

    def choice(
        self, on: builtins.type, name: str, type_: builtins.type[T], *, description: str
    ) -> InputField[T]:
        """Add a member to a @oneOf input, and give the key to its values.

        Raises:
            BadBoltOn: That is no such input.
        """
        return self._member(on, name, type_, description, one_of=True)

    def refusal(self, refusal: builtins.type[R]) -> builtins.type[R]:
        """Give a class of refusal its own GraphQL type, with its facts as fields."""
        if not issubclass(refusal, Refusal):
            raise BadBoltOn(f"{self.owner}: {refusal!r} is no Refusal")
        self.types.append(register(refusal))
        return refusal

    def type(self, cls: builtins.type[T]) -> builtins.type[T]:
        """Add a type that is reached only through an interface it implements."""
        self.types.append(cls)
        return cls

    def _member(
        self,
        on: builtins.type,
        name: str,
        type_: builtins.type[T],
        description: str,
        *,
        one_of: bool,
    ) -> InputField[T]:
        definition = get_object_definition(on)
        if definition is None or not definition.is_input or definition.is_one_of != one_of:
            kind = "a @oneOf input" if one_of else "an input that is not @oneOf"
            raise BadBoltOn(
                f"{self.owner} adds {on.__name__}.{name}: {on.__name__} is not {kind}"
            )

        def make() -> StrawberryField:
            return StrawberryField(
                python_name=name,
                type_annotation=StrawberryAnnotation(type_ | None),
                default=UNSET,
                description=description,
                directives=marks(self.owner),
                metadata={OWNER: self.owner},
            )

        key: InputField[T] = InputField(self.owner, on, name)
        self.contributions.append(Contribution(self.owner, on, make, key))
        return key
