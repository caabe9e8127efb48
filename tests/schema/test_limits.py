"""How large a document may be."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest
import strawberry
from graphql import GraphQLSyntaxError, get_introspection_query, parse
from strawberry.types import ExecutionResult

from classbolt_schema.server.documents import Documents
from classbolt_schema.server.limits import (
    MAX_ALIASES,
    MAX_DEPTH,
    MAX_DIRECTIVES,
    MAX_DOCUMENT_BYTES,
    MAX_FIELDS,
    MAX_ROOT_MUTATIONS,
    MAX_TOKENS,
    QueryTooComplex,
    check_document,
)


@strawberry.type
class Query:
    @strawberry.field
    def course(self) -> Query:
        return Query()

    title: str = "Salsa"


schema = strawberry.Schema(Query, extensions=[Documents])


def check(document: str) -> None:
    check_document(parse(document))


def refused(document: str) -> str:
    with pytest.raises(QueryTooComplex) as refusal:
        check(document)
    assert refusal.value.extensions == {"code": "QUERY_TOO_COMPLEX"}
    return refusal.value.message


def nested(levels: int) -> str:
    return "{a" * levels + "}" * levels


async def execute(document: str, operation: str | None = None) -> ExecutionResult:
    return await schema.execute(document, operation_name=operation)


async def code(document: str) -> object:
    result = await execute(document)
    assert result.errors is not None
    return (result.errors[0].extensions or {}).get("code")


def test_a_document_at_every_limit_is_taken() -> None:
    check(nested(MAX_DEPTH))
    check("{" + "a " * MAX_FIELDS + "}")
    check("{" + " ".join(f"a{i}: a" for i in range(MAX_ALIASES)) + "}")
    check("{a " + "@x " * MAX_DIRECTIVES + "}")
    check("mutation {" + "a " * MAX_ROOT_MUTATIONS + "}")


@pytest.mark.parametrize(
    ("document", "what"),
    [
        (nested(MAX_DEPTH + 1), "levels"),
        ("{" + "a " * (MAX_FIELDS + 1) + "}", "fields"),
        ("{" + " ".join(f"a{i}: a" for i in range(MAX_ALIASES + 1)) + "}", "aliases"),
        ("{a " + "@x " * (MAX_DIRECTIVES + 1) + "}", "directives"),
        ("query " + "@x " * (MAX_DIRECTIVES + 1) + "{a}", "directives"),
        ("mutation {" + "a " * (MAX_ROOT_MUTATIONS + 1) + "}", "mutations"),
    ],
)
def test_a_document_beyond_a_limit_is_refused_by_the_name_of_the_limit(
    document: str, what: str
) -> None:
    assert what in refused(document)


def test_fragments_count_as_often_as_they_are_spread() -> None:
    fragment = "fragment F on T {" + "a " * 200 + "}"

    check("{...F ...F}" + fragment)

    assert "fields" in refused("{...F ...F ...F}" + fragment)


def test_mutations_in_a_fragment_count_as_root_mutations() -> None:
    fragment = "fragment F on M {" + "a " * (MAX_ROOT_MUTATIONS + 1) + "}"

    assert "mutations" in refused("mutation {...F}" + fragment)


def test_fields_below_a_mutation_are_not_mutations() -> None:
    check("mutation { a {" + "b " * 50 + "} }")


def test_a_fragment_that_doubles_thirty_times_is_measured_once() -> None:
    # Written out it has a thousand million fields: whoever walks them is here tomorrow.
    bomb = "".join(f"fragment F{i} on T {{...F{i + 1} ...F{i + 1}}}" for i in range(30))

    assert "fields" in refused("{...F0}" + bomb + "fragment F30 on T {a}")


def test_several_operations_are_counted_together() -> None:
    half = "{" + "a " * (MAX_FIELDS // 2 + 1) + "}"

    assert "fields" in refused(f"query A {half} query B {half}")


@pytest.mark.parametrize(
    "document",
    [
        "{...A} fragment A on T {...A}",
        "{...A} fragment A on T {b {...B}} fragment B on T {...A}",
        "{a} fragment A on T {...A}",
    ],
)
def test_a_fragment_that_spreads_itself_is_refused(document: str) -> None:
    assert "spreads itself" in refused(document)


def test_an_unknown_fragment_is_left_to_validation() -> None:
    check("{...Nobody}")


def test_inline_fragments_nested_beyond_the_stack_are_refused() -> None:
    # The parser has a limit of its own; fragments of fragments go round it.
    chain = "".join(f"fragment F{i} on T {{...F{i + 1}}}" for i in range(2000))

    assert "nested" in refused("{...F0}" + chain)


def test_the_introspection_query_of_tools_is_taken() -> None:
    check(get_introspection_query())
    check(
        get_introspection_query(
            specified_by_url=True,
            directive_is_repeatable=True,
            schema_description=True,
            input_value_deprecation=True,
            one_of=True,
        )
    )


def test_introspection_deeper_than_tools_ask_for_is_refused() -> None:
    query = "{__schema {types " + "{ofType " * 16 + "{name}" + "}" * 17 + "}"

    assert "introspection" in refused(query)


def test_a_random_document_is_either_taken_or_refused() -> None:
    draw = random.Random(7)
    words = ["{", "}", "...", "F", "fragment F on T", "query", "mutation", "a", "b:", "@x"]
    for _ in range(3000):
        text = " ".join(draw.choices(words, k=draw.randint(1, 30)))

        with suppress(GraphQLSyntaxError, QueryTooComplex):
            check(text)


async def test_a_schema_with_the_limits_answers_what_is_within_them() -> None:
    result = await execute("{course {title}}")

    assert result.errors is None
    assert result.data == {"course": {"title": "Salsa"}}


async def test_a_large_document_is_refused_before_it_is_validated() -> None:
    assert await code(nested(MAX_DEPTH + 1)) == "QUERY_TOO_COMPLEX"


async def test_a_long_document_is_refused_before_it_is_parsed() -> None:
    assert await code("{title}" + "#" * MAX_DOCUMENT_BYTES) == "QUERY_TOO_COMPLEX"
    assert await code("{title} #" + "é" * (MAX_DOCUMENT_BYTES // 2)) == "QUERY_TOO_COMPLEX"


async def test_a_document_of_too_many_tokens_is_refused_while_it_is_parsed() -> None:
    assert await code("{" + "a " * MAX_TOKENS + "}") == "QUERY_TOO_COMPLEX"
    assert await code("#\n" * MAX_TOKENS + "{title}") == "QUERY_TOO_COMPLEX"


async def test_a_document_that_is_no_graphql_is_not_called_complex() -> None:
    assert await code("{") is None


async def test_of_several_operations_none_is_run_unless_one_is_named() -> None:
    document = "query A {title} query B {course {title}}"

    assert await code(document) == "BAD_REQUEST"
    assert (await execute(document, "B")).data == {"course": {"title": "Salsa"}}
