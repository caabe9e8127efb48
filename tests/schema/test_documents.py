"""Documents are read and validated once, and each request is still answered for itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
import strawberry
from graphql import DocumentNode, GraphQLError, GraphQLSchema
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema import validate_document

from classbolt_schema.server import documents
from classbolt_schema.server.documents import Documents


@strawberry.type
class Query:
    @strawberry.field
    def seats(self, left: int = 0) -> int:
        return left


@pytest.fixture
def schema() -> strawberry.Schema:
    """A schema of which nobody has asked anything."""
    config = StrawberryConfig(disable_field_suggestions=True)
    return strawberry.Schema(Query, extensions=[Documents], config=config)


@pytest.fixture
def validated(monkeypatch: pytest.MonkeyPatch) -> Counter[GraphQLSchema]:
    """Count how often anything is validated against a schema."""
    counted = Counter[GraphQLSchema]()

    def counting(
        schema: GraphQLSchema, document: DocumentNode, rules: Any
    ) -> list[GraphQLError]:
        counted[schema] += 1
        return validate_document(schema, document, rules)

    monkeypatch.setattr(documents, "validate_document", counting)
    # Strawberry would do it by itself, were it not told the outcome.
    monkeypatch.setattr(strawberry.schema.schema, "validate_document", counting)
    return counted


async def ask(
    schema: strawberry.Schema,
    document: str,
    variables: Mapping[str, Any] | None = None,
    operation: str | None = None,
) -> tuple[Any, list[str]]:
    result = await schema.execute(
        document, dict(variables) if variables else None, operation_name=operation
    )
    return result.data, [each.message for each in result.errors or ()]


async def test_a_document_is_validated_once_whatever_its_variables_are(
    schema: strawberry.Schema, validated: Counter[GraphQLSchema]
) -> None:
    document = "query ($left: Int!) { seats(left: $left) }"

    for left in (1, 2, 3):
        assert await ask(schema, document, {"left": left}) == ({"seats": left}, [])
    no_number, _ = await ask(schema, document, {"left": "many"})

    assert no_number is None
    assert validated.total() == 1


async def test_each_schema_knows_documents_of_its_own(
    schema: strawberry.Schema, validated: Counter[GraphQLSchema]
) -> None:
    another = strawberry.Schema(Query, extensions=[Documents])

    for each in (schema, another):
        assert await ask(each, "{ seats }") == ({"seats": 0}, [])

    assert list(validated.values()) == [1, 1]


async def test_what_is_refused_is_refused_each_time_and_not_kept(
    schema: strawberry.Schema, validated: Counter[GraphQLSchema]
) -> None:
    answers = [await ask(schema, "{ spots }") for _ in range(3)]

    assert answers == [(None, ["Cannot query field 'spots' on type 'Query'."])] * 3
    assert validated.total() == 3


async def test_of_several_operations_each_request_says_for_itself_which_one_to_run(
    schema: strawberry.Schema, validated: Counter[GraphQLSchema]
) -> None:
    document = "query One { seats(left: 1) } query Two { seats(left: 2) }"

    assert await ask(schema, document, operation="One") == ({"seats": 1}, [])
    assert await ask(schema, document, operation="Two") == ({"seats": 2}, [])
    _, refused = await ask(schema, document)

    assert refused == [
        "The document has several operations: operationName must say which one to run."
    ]
    assert validated.total() == 1


async def test_only_so_many_are_kept(
    schema: strawberry.Schema, validated: Counter[GraphQLSchema]
) -> None:
    for left in range(documents.KEPT + 1):
        await ask(schema, f"{{ seats(left: {left}) }}")
    before = validated.total()

    await ask(schema, "{ seats(left: 0) }")
    await ask(schema, f"{{ seats(left: {documents.KEPT}) }}")

    assert validated.total() == before + 1
