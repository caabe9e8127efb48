"""The schema as it is published: written down, described to the last argument, in one form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from graphql import (
    GraphQLInterfaceType,
    GraphQLSchema,
    build_client_schema,
    find_schema_changes,
    get_introspection_query,
    get_named_type,
    is_introspection_type,
    is_non_null_type,
    is_specified_directive,
    is_specified_scalar_type,
)
from typer.testing import CliRunner

from classbolt_schema.server.cli import app
from studio import Studio

WRITTEN = Path(__file__).parents[3] / "schema" / "schema.graphql"
RULE_NUMBER = re.compile(r"\b[A-Z]\d+\b")


def test_the_written_schema_is_the_one_that_is_served() -> None:
    printed = CliRunner().invoke(app, ["schema", "export"])

    assert printed.exit_code == 0
    assert printed.stdout == WRITTEN.read_text("utf-8"), "run `make schema`"


def elements(schema: GraphQLSchema) -> Iterator[tuple[str, Any]]:
    """Give everything that a client can read about, by its place."""
    for directive in schema.directives:
        if not is_specified_directive(directive):
            yield f"@{directive.name}", directive  # Strawberry describes no arguments here
    for type_ in schema.type_map.values():
        if is_introspection_type(type_) or is_specified_scalar_type(type_):
            continue
        yield from within(type_.name, type_, getattr(type_, "values", {}))
        for name, field in getattr(type_, "fields", {}).items():
            yield from within(f"{type_.name}.{name}", field, getattr(field, "args", {}))


def within(place: str, element: Any, parts: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield place, element
    for name, part in parts.items():
        yield f"{place}:{name}", part


def test_everything_is_described_in_sentences(schema: GraphQLSchema) -> None:
    described = {place: element.description or "" for place, element in elements(schema)}

    assert [place for place, text in described.items() if not text.endswith(".")] == []
    assert [place for place, text in described.items() if RULE_NUMBER.search(text)] == []
    assert [place for place, text in described.items() if "\n" in text or "  " in text] == []


def test_every_mutation_has_the_same_form(schema: GraphQLSchema) -> None:
    assert schema.mutation_type is not None
    for name, mutation in schema.mutation_type.fields.items():
        form = name[0].upper() + name[1:]
        assert re.fullmatch(r"[a-z]+([A-Z][a-z]+)+", name)
        assert {each: str(argument.type) for each, argument in mutation.args.items()} == {
            "input": f"{form}Input!"
        }
        assert str(mutation.type) == f"{form}Payload!"
        *others, last = get_named_type(mutation.type).fields.items()
        assert (last[0], str(last[1].type)) == ("userErrors", "[UserError!]!")
        assert others, name
        assert [field for field, each in others if is_non_null_type(each.type)] == []


def test_every_reason_says_its_code_its_message_and_its_place(schema: GraphQLSchema) -> None:
    user_error = schema.type_map["UserError"]
    assert isinstance(user_error, GraphQLInterfaceType)
    own = {name: str(field.type) for name, field in user_error.fields.items()}
    reasons = schema.get_implementations(user_error).objects

    assert own == {
        "code": "String!",
        "message": "String!",
        "path": "[String!]",
        "hint": "String",
    }
    assert [each.name for each in reasons if not each.name.endswith("Error")] == []
    assert len(reasons) > 30


def test_what_a_bolt_on_adds_can_be_null_or_empty_and_is_marked(schema: GraphQLSchema) -> None:
    added = {}
    for place, element in elements(schema):
        for mark in getattr(element.ast_node, "directives", None) or ():
            if mark.name.value == "boltOn":
                added[place] = (mark.arguments[0].value.value, getattr(element, "type", None))

    fields = {place: str(type_) for place, (_, type_) in added.items() if type_ is not None}
    assert fields == {
        "Bundle.usedForAutoRefund": "[Course!]!",
        "Cancellation.autoRefund": "AutoRefundDecision",
        "Course.refundPolicy": "RefundPolicy",
        "CreateCourseInput.autoRefund": "AutoRefundInput",
        "NewSessionInput.dropIn": "DropInInput",
        "PayWithInput.credit": "CreditInput",
        "Query.openDropIns": "SessionConnection",
        "Session.dropIn": "DropInOffer",
        "UpdateCourseInput.autoRefund": "AutoRefundInput",
        "UpdateSessionInput.dropIn": "DropInInput",
        "UpdateSessionsInput.dropIn": "DropInInput",
    }
    assert {owner for owner, _ in added.values()} == {"auto_refund", "drop_in"}


async def test_what_is_printed_is_what_introspection_tells(
    studio: Studio, schema: GraphQLSchema
) -> None:
    told = build_client_schema(
        await studio.query(get_introspection_query(input_value_deprecation=True))
    )

    found = [*find_schema_changes(schema, told), *find_schema_changes(told, schema)]
    changes = [each.description for each in found]
    assert [each for each in changes if "@oneOf" not in each] == []  # GraphQL's own words
