"""How large a GraphQL document may be, measured before anything expensive is done with it.

Strawberry's own limiters walk a fragment again each time it is spread, so that a document of
664 bytes keeps them busy for eight seconds. Here every fragment is measured once and its size
reused; counts stop at a ceiling, because twenty fragments that spread each other twice stand
for a million fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
)

MAX_DOCUMENT_BYTES: Final = 20_000
MAX_TOKENS: Final = 2_000
MAX_DEPTH: Final = 13
MAX_INTROSPECTION_DEPTH: Final = 16
"""Tools ask for fifteen levels, to unwrap types; graphql-core refuses the loops among them."""
MAX_FIELDS: Final = 500
MAX_ALIASES: Final = 30
MAX_DIRECTIVES: Final = 20
MAX_ROOT_MUTATIONS: Final = 10

TOO_COMPLEX: Final = "QUERY_TOO_COMPLEX"
CEILING: Final = 1_000_000


class QueryTooComplex(GraphQLError):
    """The document asks for more than one request may."""

    def __init__(self, message: str) -> None:
        super().__init__(message, extensions={"code": TOO_COMPLEX})


class Size(NamedTuple):
    """What a part of a document amounts to once its fragments are written out."""

    depth: int = 0
    introspection_depth: int = 0
    roots: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0

    def beside(self, other: Size) -> Size:
        """Give the size of both, side by side."""
        return Size(
            max(self.depth, other.depth),
            max(self.introspection_depth, other.introspection_depth),
            *(
                min(CEILING, one + another)
                for one, another in zip(self[2:], other[2:], strict=True)
            ),
        )


def check_document(document: DocumentNode) -> None:
    """Refuse a document that is too large.

    Raises:
        QueryTooComplex: It goes beyond one of the limits, written out.
    """
    fragments = {
        each.name.value: each
        for each in document.definitions
        if isinstance(each, FragmentDefinitionNode)
    }
    ruler = _Ruler(fragments)
    try:
        for name in fragments:
            ruler.fragment(
                name
            )  # also those that no operation spreads: validation walks them all
        total = Size()
        for operation in _operations(document):
            size = ruler.operation(operation)
            if (
                operation.operation is OperationType.MUTATION
                and size.roots > MAX_ROOT_MUTATIONS
            ):
                raise QueryTooComplex(
                    f"The document has more than {MAX_ROOT_MUTATIONS} mutations."
                )
            total = total.beside(size)
    except RecursionError:
        raise QueryTooComplex("The document is nested too deeply.") from None
    for what, measured, limit in (
        ("levels", total.depth, MAX_DEPTH),
        ("levels of introspection", total.introspection_depth, MAX_INTROSPECTION_DEPTH),
        ("fields", total.fields, MAX_FIELDS),
        ("aliases", total.aliases, MAX_ALIASES),
        ("directives", total.directives, MAX_DIRECTIVES),
    ):
        if measured > limit:
            raise QueryTooComplex(f"The document has more than {limit} {what}.")


class _Ruler:
    """Measures one document, each fragment once."""

    def __init__(self, fragments: dict[str, FragmentDefinitionNode]) -> None:
        self._fragments = fragments
        self._measured: dict[str, Size] = {}
        self._measuring: set[str] = set()

    def operation(self, node: OperationDefinitionNode) -> Size:
        size = self._selections(node.selection_set.selections)
        own = len(node.directives or ())
        own += sum(len(each.directives or ()) for each in node.variable_definitions or ())
        return size.beside(Size(directives=own))

    def fragment(self, name: str) -> Size:
        if name in self._measured or name not in self._fragments:
            return self._measured.get(name, Size())  # an unknown one is validation's to refuse
        if name in self._measuring:
            raise QueryTooComplex(f"The fragment {name} spreads itself.")
        self._measuring.add(name)
        node = self._fragments[name]
        size = self._selections(node.selection_set.selections)
        self._measured[name] = size.beside(Size(directives=len(node.directives or ())))
        return self._measured[name]

    def _selections(self, nodes: Iterable[SelectionNode]) -> Size:
        size = Size()
        for node in nodes:
            size = size.beside(self._selection(node))
        return size

    def _selection(self, node: SelectionNode) -> Size:
        own = Size(directives=len(node.directives or ()))
        if isinstance(node, FieldNode):
            return self._field(node).beside(own)
        if isinstance(node, InlineFragmentNode):
            return self._selections(node.selection_set.selections).beside(own)
        assert isinstance(node, FragmentSpreadNode)
        return self.fragment(node.name.value).beside(own)

    def _field(self, node: FieldNode) -> Size:
        below = self._selections(node.selection_set.selections if node.selection_set else ())
        below = below.beside(Size(fields=1, aliases=int(node.alias is not None)))
        if node.name.value in {"__schema", "__type"}:
            return below._replace(depth=1, introspection_depth=below.depth + 1, roots=1)
        return below._replace(depth=below.depth + 1, roots=1)


def _operations(document: DocumentNode) -> Iterator[OperationDefinitionNode]:
    for each in document.definitions:
        if isinstance(each, OperationDefinitionNode):
            yield each
