"""Members that bolt-ons add to inputs: kept through the conversion, opened by their owner.

Strawberry validates such a member and then drops it: the input's class does not know it. So
each input that has added members is converted here. Core sees its own class, with the added
values attached as one opaque `Given`.
"""

import dataclasses
from collections.abc import Hashable, Mapping
from dataclasses import MISSING
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from strawberry import UNSET
from strawberry.types.arguments import InputContext
from strawberry.types.base import get_object_definition
from strawberry.types.unset import UnsetType

from classbolt.given import Given
from classbolt_schema.compose.fields import OWNER
from classbolt_schema.compose.info import NotingInfo

if TYPE_CHECKING:
    from classbolt_schema.compose.schema import ComposedSchema

T = TypeVar("T")

KEPT = "_classbolt_given"
NOTHING = Given()


@dataclasses.dataclass(frozen=True)
class InputField(Generic[T]):
    """The key to the values of one added member. Equal keys open the same values.

    Attributes:
        owner: Who added the member.
        on: The input it was added to.
        name: Its name in Python.
    """

    owner: str | None
    on: type
    name: str

    def of(self, given: Given) -> T | UnsetType | None:
        """Give the client's value: null is None, and UNSET says that there was none."""
        return cast("T | UnsetType | None", given.get(self, UNSET))


def given_of(value: object) -> Given:
    """Give the values of an input object's added members."""
    given: Given = getattr(value, KEPT, NOTHING)
    return given


def values_of(value: object) -> Mapping[InputField[Any], Any]:
    """Give what an input object's added members say, by their keys."""
    return cast("Mapping[InputField[Any], Any]", given_of(value).values)


def chosen(one_of: Any) -> tuple[str, Any]:
    """Say which member of a @oneOf input was given, own or added: its name and value."""
    own = {each.name: getattr(one_of, each.name) for each in dataclasses.fields(one_of)}
    added = {key.name: value for key, value in values_of(one_of).items()}
    (choice,) = (item for item in (own | added).items() if item[1] is not UNSET)
    return choice


def keep_given(type_: type, value: Mapping[str, Any], context: InputContext) -> object:
    """Convert an input object as Strawberry does, and keep the values of its added members.

    It is the same function for every schema: which members were added is the schema's to say.

    Raises:
        TypeError: The field that takes the input does not pass the gate.
    """
    definition = get_object_definition(type_, strict=True)
    name_of = context.config.name_converter.from_field
    values: dict[str, object] = {
        field.python_name: None
        for field in definition.fields
        if field.default_value is MISSING and field.default_factory is MISSING
    }
    for field in definition.fields:
        if (name := name_of(field)) in value:
            inner = field.resolve_type(type_definition=definition)
            values[field.python_name] = context.convert(value[name], inner, name)
    made: object = type_(**values)

    info = cast("NotingInfo", context.info)
    schema = cast("ComposedSchema", info.schema)
    given: dict[Hashable, object] = {}
    for key, field in schema.members.get(type_, ()):
        if (name := name_of(field)) in value:
            given[key] = context.convert(value[name], field.resolve_type(), name)
            info.members_given += ((key.owner, (*context.path, name)),)
    if given:
        if OWNER not in info._field.metadata:  # noqa: SLF001  (there is no public way to the field)
            raise TypeError(
                f"{info.field_name} takes {type_.__name__}, to which bolt-ons add members:"
                " declare it with @mutation or SchemaExtension.query, which pass the gate"
            )
        vars(made)[KEPT] = Given(given, context.path)
    return made
