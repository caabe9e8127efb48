"""Build the one schema of a deployment: core's types, and what every installed bolt-on adds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.exceptions import DuplicatedTypeName
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.types import ExecutionContext
from strawberry.types.base import StrawberryObjectDefinition, get_object_definition
from strawberry.types.field import StrawberryField

from classbolt.bolt_ons import BadBoltOn, BoltOn
from classbolt.errors import Refusal, Refusals
from classbolt_schema.compose.extension import Contribution, Root, SchemaExtension
from classbolt_schema.compose.fields import OWNER, BoltOnMark
from classbolt_schema.compose.info import NotingInfo
from classbolt_schema.compose.inputs import InputField, keep_given
from classbolt_schema.compose.marks import mark_types
from classbolt_schema.compose.mutation import Payload
from classbolt_schema.compose.once import KEY, Keyed
from classbolt_schema.scalars import SCALARS
from classbolt_schema.server.documents import Documents
from classbolt_schema.user_errors import CORE, OtherError


@dataclass(frozen=True, slots=True)
class Core:
    """What bolt-ons add to: the root types, and the relations between the types below them."""

    query: type
    mutation: type
    relations: SchemaExtension


def build_schema(bolt_ons: Iterable[BoltOn], core: Core | None = None) -> "ComposedSchema":
    """Compose the schema; tests may give a smaller core than ours.

    Raises:
        BadBoltOn: A bolt-on does not fit in, or two of them do not fit together.
    """
    core = core or _own_core()
    extensions = [core.relations]
    for bolt_on in sorted(bolt_ons, key=lambda each: each.info.code):
        extension = SchemaExtension(bolt_on.info.code)
        bolt_on.extend_schema(extension)
        extensions.append(extension)
    try:
        return ComposedSchema(core, extensions)
    except DuplicatedTypeName as clash:
        places = sorted(_place(each) for each in (clash.first_cls, clash.second_cls) if each)
        raise BadBoltOn(f"{' and '.join(places)} have the same name in GraphQL") from clash


def _own_core() -> Core:
    # Our types are made with this package, so they can only be imported after it. Some modules
    # only add to what others define.
    from classbolt_schema import people, previews, reports  # noqa: F401, PLC0415
    from classbolt_schema.mutations import Mutation  # noqa: PLC0415
    from classbolt_schema.queries import Query  # noqa: PLC0415
    from classbolt_schema.relations import EXTENSION  # noqa: PLC0415

    return Core(Query, Mutation, EXTENSION)


def export_sdl(schema: strawberry.Schema) -> str:
    """Print the schema: types by name; a type's own fields, then each bolt-on's, by code."""
    return schema.as_str() + "\n"


class ComposedSchema(strawberry.Schema):
    """A Strawberry schema whose types also have the fields that were added to them.

    Attributes:
        members: The members that were added to each input, with the keys to their values.
    """

    def __init__(self, core: Core, extensions: Sequence[SchemaExtension]) -> None:
        config = StrawberryConfig(
            disable_field_suggestions=True, info_class=NotingInfo, scalar_map=SCALARS
        )
        self.members: dict[type, list[tuple[InputField[Any], StrawberryField]]] = {}
        self._added: dict[type, dict[str, StrawberryField]] = {}
        self._built: set[type] = set()
        roots: dict[object, type] = {Root.QUERY: core.query, Root.MUTATION: core.mutation}
        self._roots = frozenset(roots.values())
        for extension in extensions:
            for each in extension.contributions:
                self._add(each, roots.get(each.on, each.on), config.name_converter)
        registered: list[tuple[str | None, type]] = [
            *((None, type_) for type_ in (*CORE, OtherError)),
            *((each.owner, type_) for each in extensions for type_ in each.types),
        ]
        super().__init__(
            query=core.query,
            mutation=core.mutation,
            types=[BoltOnMark, *(type_ for _, type_ in registered)],
            extensions=[Documents],
            config=config,
        )
        if unused := [_place(on) for on in self._added if on not in self._built]:
            raise BadBoltOn(
                f"something is added to {', '.join(unused)}, which no field leads to"
            )
        mark_types(self._schema, registered)

    def get_fields(self, type_definition: StrawberryObjectDefinition) -> list[StrawberryField]:
        """Give a type's own fields and the added ones; Strawberry asks at each type."""
        on = type_definition.origin
        self._built.add(on)
        own = type_definition.fields
        if issubclass(on, Payload | Keyed):  # what is inherited comes last
            own = sorted(own, key=lambda field: field.python_name in {"user_errors", KEY})
        added = list(self._added.get(on, {}).values())
        if on in self._roots:
            # Modules add to the roots in whatever order they happen to be imported.
            added.sort(key=lambda field: (field.metadata[OWNER] or "", field.name))
        return [*own, *added]

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Log bugs. Clients' mistakes and refusals are answers, and would fill the log."""
        answers = (GraphQLError, Refusal, Refusals)
        super().process_errors(
            [
                error
                for error in errors
                if error.original_error and not isinstance(error.original_error, answers)
            ],
            execution_context,
        )

    def _add(self, contribution: Contribution, on: Any, names: NameConverter) -> None:
        """Make a field or member for this schema.

        Raises:
            BadBoltOn: Its name is taken, or there is nothing to add it to.
        """
        by = contribution.owner or "core"
        definition = get_object_definition(on)
        if definition is None or definition.is_input != (contribution.key is not None):
            raise BadBoltOn(f"{by} adds a field to {on!r}, which is no GraphQL object type")
        field = contribution.make()
        name = names.from_field(field)
        taken = {names.from_field(each): f"{_place(on)} has" for each in definition.fields}
        added = self._added.setdefault(on, {})
        taken |= {each: f"{_owner(field)} adds" for each, field in added.items()}
        if name in taken:
            raise BadBoltOn(f"{by} adds {definition.name}.{name}, which {taken[name]} already")
        added[name] = field
        if contribution.key is not None:
            self.members.setdefault(on, []).append((contribution.key, field))
            definition.from_input = keep_given


def _owner(field: StrawberryField) -> str:
    return field.metadata[OWNER] or "core"


def _place(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
