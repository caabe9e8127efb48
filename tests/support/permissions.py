"""Who may do and see what, found out by asking, and written down in docs/permissions.md.

Each mutation, each query and each field of each type is asked for by everybody, about what is
Ben's: by nobody we know, by Ben, by another customer and in each role. Run as a script, it
writes the page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path as File
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from graphql import (
    GraphQLInputObjectType,
    GraphQLSchema,
    build_schema,
    get_named_type,
    is_required_argument,
    is_required_input_field,
)
from structlog.testing import capture_logs

from classbolt.bolt_ons import BoltOns
from classbolt.migrate import components, upgrade
from classbolt_schema.compose import schema as composed
from classbolt_schema.ids import decode
from furnished import TwoStudios
from neighbours import Neighbours, Person, Rows, ids_of, rows_of_account, rows_of_customer
from pages import ROOT
from probing import (
    ANY,
    ONTO,
    ROOTS,
    Document,
    Path,
    fields_of,
    is_part_of_a_list,
    nodes,
    steps_from,
    type_at,
)

PAGE = ROOT / "docs" / "permissions.md"
COLUMNS = {
    "anybody": None,
    "the customer": "Ben",
    "another customer": "Kim",
    "STAFF": "staff",
    "MANAGER": "manager",
    "OWNER": "owner",
}
YES, SOME, NOTHING = "yes", "some", "nothing"

FOR_WHOM = "customer"
SAY_NOTHING_OF_THEIR_OWN = {ANY, "Money", "PageInfo", "Period", "UserError"}
LONGEST_WAY = 6
MOST_AT_ONCE = 100

Cells = tuple[str, ...]
"""What each of the columns is told."""


@dataclass(frozen=True)
class Table:
    """What is told of all that can be asked for: of roots by name, of types field by field.

    Attributes:
        unset: Fields that nobody is told a value of, so that it does not show who would be.
    """

    mutations: Mapping[str, Cells]
    queries: Mapping[str, Cells]
    fields: Mapping[str, Mapping[str, Cells]]
    unset: frozenset[str]

    def written(self) -> str:
        """Write the tables of the page; fields of a type that are alike share a row."""
        alike: dict[tuple[str, Cells], list[str]] = {}
        for type_name, fields in self.fields.items():
            for name, cells in fields.items():
                alike.setdefault((type_name, cells), []).append(f"`{name}`")
        objects = {
            f"{type_name}: {', '.join(names)}": cells
            for (type_name, cells), names in alike.items()
        }
        tables = {"Mutations": self.mutations, "Queries": self.queries, "Fields": objects}
        return "\n".join(_table(title, rows.items()) for title, rows in tables.items())


def _table(title: str, rows: Iterable[tuple[str, Cells]]) -> str:
    head = [("", tuple(COLUMNS)), ("---", ("---",) * len(COLUMNS))]
    lines = [f"| {name} | {' | '.join(cells)} |" for name, cells in (*head, *rows)]
    return "\n".join([f"## {title}", "", *lines, ""])


async def ask_for_everything(both: Neighbours, schema: GraphQLSchema) -> Table:
    """Ask for all that the schema has, as everybody."""
    rows = await both.rows()
    bens, _ = rows_of_customer(rows, decode("Customer", both.bens["Customer"]))
    norths, _ = rows_of_account(rows, 1)
    asking = _Asking(both, schema, bens, norths, set())
    return Table(
        await asking.roots("mutation"),
        await asking.roots("query"),
        {name: await asking.fields(name) for name in _types(schema)},
        frozenset(asking.unset),
    )


def _types(schema: GraphQLSchema) -> list[str]:
    """Give the types that queries lead to and that have something of their own to say."""
    found, waiting = {"Query", "UserError"}, ["Query"]
    while waiting:
        new = {to.name for _, to in steps_from(schema, waiting.pop())} - found
        found |= new
        waiting += new
    kept = found - {"Query"} - SAY_NOTHING_OF_THEIR_OWN
    return sorted(each for each in kept if not is_part_of_a_list(each))


@dataclass(frozen=True)
class _Asking:
    both: Neighbours
    schema: GraphQLSchema
    bens: Rows
    norths: Rows
    unset: set[str]

    # What one can do and ask

    async def roots(self, operation: str) -> dict[str, Cells]:
        """Ask for root fields: for oneself, and for the customer where that can be said."""
        found = {}
        for name in sorted(fields_of(self.schema, ROOTS[operation])):
            found[f"`{name}`"] = await self._root((operation, name), also=())
            if self._may_say_for_whom(ROOTS[operation], name):
                for_whom = await self._root((operation, name), also=(FOR_WHOM,))
                found[f"`{name}` for the customer"] = for_whom
        return found

    async def _root(self, way: Path, *, also: Path) -> Cells:
        cells = []
        for who in COLUMNS.values():
            document = Document(self.schema, self._ids(), also=also)
            document.add(way, depth=1)
            cells.append(self._told(await self._ask(who, document), *way))
        return tuple(cells)

    def _may_say_for_whom(self, type_name: str, name: str) -> bool:
        for each, argument in fields_of(self.schema, type_name)[name].args.items():
            named = get_named_type(argument.type)
            if each == FOR_WHOM and not is_required_argument(argument):
                return True
            if isinstance(named, GraphQLInputObjectType) and FOR_WHOM in named.fields:
                return not is_required_input_field(named.fields[FOR_WHOM])
        return False

    @staticmethod
    def _told(body: Any, operation: str, name: str) -> str:
        codes = _codes_at(body, (name,))
        value = body["data"] and body["data"][name]
        if value and operation == "mutation":
            codes |= {error["code"] for error in value["userErrors"]}
        if codes - {"NOT_FOUND"}:
            return " ".join(f"`{code}`" for code in sorted(codes))
        return NOTHING if codes or value is None else YES

    # What one can see

    async def fields(self, type_name: str) -> dict[str, Cells]:
        """Ask for each field of a type."""
        way = await self._way_to(type_name)
        names = sorted(fields_of(self.schema, type_name))
        told = [await self._fields(who, way, names) for who in COLUMNS.values()]
        found = {}
        for name in names:
            of_each = [each[name] for each in told]
            if not any(map(is_something, chain(*filter(is_told, of_each)))):
                self.unset.add(f"{type_name}.{name}")
            found[name] = _cells(of_each, are_the_same=way[1] == "nodes")
        return found

    async def _way_to(self, type_name: str) -> Path:
        """Find a way by which anybody comes to an object of the type."""
        tried = 0
        for way in _ways_to(self.schema, type_name):
            for who in ("owner", "Ben"):
                tried += 1
                document = self._document(way, "{ __typename }")
                if _objects_at(await self._ask(who, document), _answer_path(way)):
                    return way
        raise LookupError(
            f"nobody comes to a {type_name} on {tried} ways: let furnished.py set one up"
        )

    async def _fields(self, who: str | None, way: Path, names: Iterable[str]) -> dict[str, Any]:
        """Give for each field its code if it is refused, else what it says of each object."""
        at = _answer_path(way)
        body = await self._ask(who, self._document(way))
        if "errors" not in body:
            return {name: [each[name] for each in _objects_at(body, at)] for name in names}
        found = {}
        for name in names:  # apart, for one that is refused can take the others with it
            body = await self._ask(who, self._document((*way, name)))
            codes = _codes_at(body, (*at, name), *_beginnings(at))
            values = [each[name] for each in _objects_at(body, at)]
            found[name] = " ".join(sorted(codes)) if codes else values
        return found

    def _document(self, way: Path, only: str = "") -> Document:
        document = Document(self.schema, self._ids(way), names_objects=True)
        document.add(way, only=only)
        return document

    def _ids(self, way: Path = ()) -> dict[str, Any]:
        ids: dict[str, Any] = {**self.both.bens, ANY: self.both.bens["Customer"]}
        if way[:2] == ("query", "nodes"):
            kind = way[2].removeprefix(ONTO)
            found = ids_of(kind, self.bens) or ids_of(kind, self.norths)
            ids["Query.nodes.ids"] = found[:MOST_AT_ONCE]
        return ids

    async def _ask(self, who: str | None, document: Document) -> Any:
        person = Person(who, self.both.north)
        answer = await self.both.ask(person, document.text(), document.variables, keep=False)
        assert answer.status == 200, answer
        return orjson.loads(answer.body)


def _ways_to(schema: GraphQLSchema, type_name: str) -> Iterator[Path]:
    """Give ways to a type, shorter ones first: from objects by their ids, then from roots."""
    by_ids: list[Path] = [("query", "nodes", f"{ONTO}{kind}") for kind in nodes(schema)]
    roots: list[Path] = [("query", name) for name in fields_of(schema, "Query")]
    for starts in (by_ids, roots):
        waiting = [(way, {type_at(schema, way)}) for way in starts]
        while waiting:
            way, seen = waiting.pop(0)
            at = type_at(schema, way)
            if at == type_name:
                yield way
            elif len(way) < LONGEST_WAY and at != "UserError":
                waiting += [
                    ((*way, step), seen | {to.name})
                    for step, to in steps_from(schema, at)
                    if to.name not in seen
                ]


def _cells(told: list[Any], *, are_the_same: bool) -> Cells:
    """Say for each column what it is told of a field.

    Args:
        told: The code of the refusal, or what the field says of each object.
        are_the_same: Whether all were asked about the same objects, so that fewer objects mean
            hidden ones, and a value that is missing a hidden value.
    """
    answers = list(filter(is_told, told))
    most = max(map(len, answers), default=0) if are_the_same else 0
    is_set = are_the_same and any(map(is_something, chain(*answers)))

    def cell(values: list[Any]) -> str:
        if len(values) < most:
            return SOME if values else NOTHING
        if not values or (is_set and not any(map(is_something, values))):
            return NOTHING
        return YES

    return tuple(cell(each) if is_told(each) else f"`{each}`" for each in told)


def is_told(answer: object) -> bool:
    """Say whether a field was answered: for each object its value, and not with a code."""
    return isinstance(answer, list)


def is_something(value: object) -> bool:
    """Say whether a field has a value: zero and false are values, null and no items are not."""
    return value is not None and value != []


def _answer_path(way: Path) -> Path:
    return tuple(step for step in way[1:] if not step.startswith(ONTO))


def _beginnings(path: Path) -> list[Path]:
    return [path[:length] for length in range(1, len(path) + 1)]


def _codes_at(body: Any, *paths: Path) -> set[str]:
    """Give the codes of the errors at these places of an answer."""
    return {
        error["extensions"]["code"]
        for error in body.get("errors", [])
        if tuple(step for step in error.get("path", ()) if isinstance(step, str)) in paths
    }


def _objects_at(body: Any, path: Path) -> list[Any]:
    """Give all objects at a place of an answer, out of however many lists."""
    found = [body.get("data")]
    for step in (*path, None):
        while any(isinstance(each, list) for each in found):
            found = [
                one for each in found for one in (each if isinstance(each, list) else [each])
            ]
        found = [each for each in found if each]
        if step is not None:
            found = [each[step] for each in found]
    return found


# The page


def on_the_page() -> tuple[str, str]:
    """Give what stands on the page: what people wrote, and the tables below it."""
    explained, head, tables = PAGE.read_text("utf-8").partition("\n## ")
    return explained, f"{head}{tables}".removeprefix("\n")


async def _main() -> None:
    bolt_ons = BoltOns.discover()
    parts = list(bolt_ons.installed.values())
    schema = build_schema(composed.export_sdl(composed.build_schema(parts)))
    with TemporaryDirectory() as folder, capture_logs():
        url, studios = (
            f"sqlite+aiosqlite:///{folder}/two.db",
            TwoStudios(bolt_ons, File(folder)),
        )
        await upgrade(url, components(parts))
        await studios.fill("sqlite", url)
        async with studios.neighbours("sqlite", url) as both:
            table = await ask_for_everything(both, schema)
    explained, _ = on_the_page()
    PAGE.write_text(f"{explained}\n{table.written()}", "utf-8")


if __name__ == "__main__":
    asyncio.run(_main())
