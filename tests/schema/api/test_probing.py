"""The probe finds every place where an id goes, in schemas that it has never seen."""

from __future__ import annotations

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate

import probing
from probing import Document, Unfilled, kind_at, slots, ways

NODES = """
  directive @oneOf on INPUT_OBJECT
  interface Node { id: ID! }
  type Bundle implements Node { id: ID! name: String! }
  type CustomerBundle implements Node { id: ID! bundle: Bundle! }
  type Course implements Node { id: ID! seats(customerBundle: ID!, size: Size!): Int }
  enum Size { SMALL LARGE }
  input Wanted { toCourse: ID!, rules: [Rule!]!, pay: Pay, more: Wanted }
  input Rule { bundles: [ID!]!, size: Size!, name: String! = "x" }
  input Pay @oneOf { cash: Boolean, credit: Credit }
  input Credit { customerBundle: ID }
  type Done { course: Course, error: String }
  type Query { node(id: ID!): Node course(id: ID!): Course }
  type Mutation { swap(input: Wanted!): Done! }
"""
IDS = {kind: f"a {kind}" for kind in ("Bundle", "CustomerBundle", "Course")}


@pytest.fixture
def toy() -> GraphQLSchema:
    return build_schema(NODES)


def test_ids_are_found_in_arguments_fields_inputs_lists_and_choices(toy: GraphQLSchema) -> None:
    assert {str(slot): slot.kind for slot in slots(toy)} == {
        "node(id)": "Node",
        "course(id)": "Course",
        "course.seats(customerBundle)": "CustomerBundle",
        "swap(input.toCourse)": "Course",
        "swap(input.rules.bundles)": "Bundle",
        "swap(input.pay.credit.customerBundle)": "CustomerBundle",
    }


def test_each_document_is_valid_and_has_the_id_in_its_place(toy: GraphQLSchema) -> None:
    values = {}
    for slot in slots(toy):
        document = Document(toy, {**IDS, "Node": "a Course"})
        document.add(slot.way, depth=1, path=slot.path, put="PUT")
        assert validate(toy, parse(document.text())) == []
        values[str(slot)] = list(document.variables.values())

    rule = {"bundles": ["a Bundle"], "size": "SMALL"}
    wanted = {"toCourse": "a Course", "rules": [rule]}
    assert values == {
        "node(id)": ["PUT"],
        "course(id)": ["PUT", "a CustomerBundle", "SMALL"],
        "course.seats(customerBundle)": ["a Course", "PUT", "SMALL"],
        "swap(input.toCourse)": [{**wanted, "toCourse": "PUT"}, "a CustomerBundle", "SMALL"],
        "swap(input.rules.bundles)": [
            {**wanted, "rules": [{**rule, "bundles": ["PUT"]}]},
            "a CustomerBundle",
            "SMALL",
        ],
        "swap(input.pay.credit.customerBundle)": [
            {**wanted, "pay": {"credit": {"customerBundle": "PUT"}}},
            "a CustomerBundle",
            "SMALL",
        ],
    }


def test_one_document_can_ask_with_many_ids(toy: GraphQLSchema) -> None:
    document = Document(toy, IDS)
    for each in ("one", "two"):
        document.add(("query", "node", "... on Bundle"), path=("id",), put=each)
        document.add(("query", "course"), path=("id",), put=each)

    assert validate(toy, parse(document.text())) == []


def test_a_way_leads_through_queries_if_any_does(toy: GraphQLSchema) -> None:
    found = ways(toy)

    assert found["Course"] == ("query", "course")
    assert found["CustomerBundle"] == ("query", "node", "... on CustomerBundle")
    assert found["Done"] == ("mutation", "swap")


def test_an_id_whose_name_does_not_say_of_what_it_is_asks_for_a_line_in_the_table(
    toy: GraphQLSchema, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Unfilled, match=r"Merge\.into takes an id, but of what"):
        kind_at(toy, "Merge.into")

    monkeypatch.setattr(probing, "KINDS", {"Merge.into": "Course"})

    assert kind_at(toy, "Merge.into") == "Course"


def test_a_value_that_nobody_knows_asks_for_a_sample() -> None:
    schema = build_schema("scalar Colour type Query { paint(in: Colour!): Int }")

    with pytest.raises(Unfilled, match=r"Query\.paint\.in is a Colour"):
        Document(schema, {}).add(("query", "paint"))
