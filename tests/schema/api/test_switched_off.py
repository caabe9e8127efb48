"""What belongs to a bolt-on that is off: refused as input, null or empty as an answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLSchema,
    ast_from_value,
    get_nullable_type,
    is_list_type,
    print_ast,
)

from studio import Studio

if TYPE_CHECKING:
    from tests.schema.api.conftest import Ask, Dump

    from examples import Examples, Input


def added(
    type_: GraphQLInputType, value: Any, path: tuple[str, ...] = ("input",)
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Say where an input mentions members that bolt-ons added, and whose they are."""
    inner: Any = get_nullable_type(type_)
    if is_list_type(inner):
        for index, each in enumerate(value):
            yield from added(inner.of_type, each, (*path, str(index)))
    elif isinstance(inner, GraphQLInputObjectType) and value is not None:
        for name, each in value.items():
            field = inner.fields[name]
            assert field.ast_node is not None
            for mark in field.ast_node.directives or ():
                assert mark.name.value == "boltOn"
                yield (*path, name), mark.arguments[0].value.value
            yield from added(field.type, each, (*path, name))


def added_to(schema: GraphQLSchema, mutation: str, asked: Input) -> set[tuple[str, str]]:
    return {(".".join(path), owner) for path, owner in added(input_of(schema, mutation), asked)}


def input_of(schema: GraphQLSchema, mutation: str) -> Any:
    assert schema.mutation_type is not None
    return schema.mutation_type.fields[mutation].args["input"].type


def as_null(asked: Any, schema_says: set[str], path: str = "input") -> Any:
    """Give the same input with null in the place of what was added."""
    if path in schema_says:
        return None
    if isinstance(asked, list):
        return [as_null(each, schema_says, f"{path}.{at}") for at, each in enumerate(asked)]
    if isinstance(asked, dict):
        return {
            name: as_null(each, schema_says, f"{path}.{name}") for name, each in asked.items()
        }
    return asked


async def switch_off(studio: Studio) -> None:
    for code in ("auto_refund", "drop_in"):
        await studio.do("disableBoltOn", {"boltOn": code}, as_="owner")


def reasons(payload: Any) -> set[tuple[str, str]]:
    """Give where and for which bolt-on a mutation was refused; it was for nothing else."""
    assert {each["code"] for each in payload["userErrors"]} <= {"BOLT_ON_DISABLED"}
    return {(".".join(each["path"]), each["boltOn"]) for each in payload["userErrors"]}


async def test_input_of_a_bolt_on_that_is_off_is_refused_wherever_it_is_nested(
    northside: Studio, schema: GraphQLSchema, examples: Examples, ask: Ask, dump: Dump
) -> None:
    """I7."""
    await switch_off(northside)
    refused: set[str] = set()
    before = await dump()

    for mutation, inputs in examples.items():
        for asked in inputs:
            expected = added_to(schema, mutation, asked)
            if not expected:
                continue
            refused.add(mutation)
            (payload,) = (await ask(mutation, asked)).data.values()
            assert reasons(payload) == expected
            if "payWith" not in asked:  # where null is no choice at all
                nulls = as_null(asked, {path for path, _ in expected})
                (payload,) = (await ask(mutation, nulls)).data.values()
                assert reasons(payload) == expected

    assert refused == {
        *("createCourse", "updateCourse", "addSessions", "updateSession", "updateSessions"),
        *("bookSession", "swapBooking"),
    }
    assert await dump() == before


async def test_no_way_to_write_a_document_goes_around_the_gate(
    northside: Studio, schema: GraphQLSchema, examples: Examples, dump: Dump
) -> None:
    await switch_off(northside)
    asked = examples["createCourse"][0]
    expected = added_to(schema, "createCourse", asked)
    answer = "{ userErrors { code path ... on BoltOnDisabledError { boltOn } } }"
    literal = ast_from_value(asked, input_of(schema, "createCourse"))
    assert literal is not None
    before = await dump()

    documents: list[tuple[str, Input]] = [
        (f"mutation {{ createCourse(input: {print_ast(literal)}) {answer} }}", {}),
        (
            f"""mutation ($policy: AutoRefundInput, $sessions: [NewSessionInput!]!) {{
              createCourse(input: {{title: "A", priceMinor: 1, autoRefund: $policy,
                sessions: $sessions}}) {answer} }}""",
            {"policy": asked["autoRefund"], "sessions": asked["sessions"]},
        ),
        (
            f"""mutation ($policy: AutoRefundInput = null, $offer: DropInInput) {{
              createCourse(input: {{title: "A", priceMinor: 1, autoRefund: $policy, sessions:
                [{{startsAt: "2027-03-01T18:30:00Z", capacity: 5, dropIn: $offer}}]}})
              {answer} }}""",
            {"offer": asked["sessions"][0]["dropIn"]},
        ),
    ]

    for document, variables in documents:
        payload = await northside.query(document, as_="owner", **variables)
        assert reasons(payload["createCourse"]) == expected

    assert await dump() == before


async def test_a_variable_that_is_left_out_gives_nothing_to_a_bolt_on(studio: Studio) -> None:
    made = await studio.query(
        "mutation ($policy: AutoRefundInput) { createCourse(input: {"
        ' title: "A", priceMinor: 1, autoRefund: $policy}) {'
        " course { refundPolicy { notice { value } } } userErrors { code } } }",
        as_="owner",
    )

    assert made["createCourse"] == {"course": {"refundPolicy": None}, "userErrors": []}


async def test_what_a_bolt_on_added_is_null_or_empty_while_it_is_off(
    northside: Studio, examples: Examples
) -> None:
    """I4, I5, I7."""
    await northside.do("cancelBooking", examples["cancelBooking"][0], as_="owner")
    everything = """query ($course: ID!, $session: ID!, $bundle: ID!, $booking: ID!) {
      openDropIns { edges { node { id } } }
      course(id: $course) { refundPolicy { notice { value } } }
      session(id: $session) { dropIn { isOpen } }
      bundle: node(id: $bundle) { ... on Bundle { usedForAutoRefund { id } } }
      booking: node(id: $booking) {
        ... on Booking { cancellation { autoRefund { option } refund { outcome } } } }
    }"""
    ids = {
        "course": northside.ids.courses["MON"],
        "session": northside.session("THU", 1),
        "bundle": northside.ids.bundles["RB-BEG"],
        "booking": examples["cancelBooking"][0]["booking"],
    }

    on = await northside.query(everything, as_="owner", **ids)
    await switch_off(northside)
    off = await northside.query(everything, as_="owner", **ids)

    assert [edge["node"]["id"] for edge in on["openDropIns"]["edges"]] == [
        northside.session(course, 1) for course in ("WED", "THU", "SAT")
    ]
    assert on["course"] == {"refundPolicy": {"notice": {"value": 24}}}
    assert on["session"] == {"dropIn": {"isOpen": True}}
    assert len(on["bundle"]["usedForAutoRefund"]) == 3
    assert on["booking"]["cancellation"]["autoRefund"] == {"option": "COURSE"}
    assert off == {
        "openDropIns": None,
        "course": {"refundPolicy": None},
        "session": {"dropIn": None},
        "bundle": {"usedForAutoRefund": []},
        "booking": {"cancellation": {"autoRefund": None, "refund": {"outcome": "NEW_BUNDLE"}}},
    }
