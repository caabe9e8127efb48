"""Documents: read, measured and validated when they are first sent, and known from then on.

A single-page app sends the same few documents again and again, and to validate one takes longer
than most take to run. What is known of one is the same for everybody: who may ask for what is
decided field by field, each time that it runs. Only what is valid is kept: rubbish pushes
nothing out.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    parse,
    specified_rules,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import validate_document

from classbolt_schema.server.limits import (
    MAX_DOCUMENT_BYTES,
    MAX_TOKENS,
    TOO_COMPLEX,
    QueryTooComplex,
    check_document,
)

KEPT: Final = 100
"""How many documents are kept; the largest that may be sent is 700 KB of objects."""


class Documents(SchemaExtension):
    """Refuse what is too large or not valid, before anything expensive is done with it."""

    def on_parse(self) -> Iterator[None]:
        """Look the document up, or read it."""
        execution = self.execution_context
        query = execution.query or ""
        if len(query.encode()) > MAX_DOCUMENT_BYTES:
            raise QueryTooComplex(f"The document has more than {MAX_DOCUMENT_BYTES} bytes.")
        self._errors: list[GraphQLError] = []
        try:
            document = _valid(execution.schema._schema, query)  # noqa: SLF001
        except _Invalid as invalid:
            document, self._errors = invalid.document, invalid.errors
        execution.graphql_document = document
        yield

    def on_validate(self) -> Iterator[None]:
        """Say what is wrong with it, now that it is known to be a query or a mutation."""
        execution = self.execution_context
        assert execution.graphql_document is not None
        name = execution._provided_operation_name  # noqa: SLF001
        execution.pre_execution_errors = self._errors or [
            *_unclear_choice(execution.graphql_document, name)
        ]
        yield


class _Invalid(Exception):
    """What was read, but must not be run."""

    def __init__(self, document: DocumentNode, errors: list[GraphQLError]) -> None:
        super().__init__()
        self.document = document
        self.errors = errors


@lru_cache(maxsize=KEPT)
def _valid(schema: GraphQLSchema, query: str) -> DocumentNode:
    """Read a document, measure it and validate it; nothing is kept of one that is refused."""
    document = _read(query)
    try:
        check_document(document)
    except QueryTooComplex as refusal:
        raise _Invalid(document, [refusal]) from None
    if errors := validate_document(schema, document, specified_rules):
        raise _Invalid(document, errors)
    return document


def _read(query: str) -> DocumentNode:
    try:
        return parse(query, max_tokens=MAX_TOKENS)
    except GraphQLSyntaxError as error:
        if f"more than {MAX_TOKENS} tokens" in error.message:
            error.extensions = {"code": TOO_COMPLEX}
        raise


def _unclear_choice(document: DocumentNode, name: str | None) -> Iterator[GraphQLError]:
    """Refuse to choose: Strawberry would run the first of several operations."""
    operations = (isinstance(each, OperationDefinitionNode) for each in document.definitions)
    if name is None and sum(operations) > 1:
        yield GraphQLError(
            "The document has several operations: operationName must say which one to run.",
            extensions={"code": "BAD_REQUEST"},
        )
