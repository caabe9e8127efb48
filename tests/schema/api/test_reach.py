"""Nobody comes to what is somebody else's, by whatever fields they go there (J6).

Every field of the schema is followed, from each root and from objects of each type and of both
studios, as far as three objects away. What must not be seen is known from the rows: the keys
and words that only Kim's rows have, and those that only the other studio's have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
import pytest
from graphql import GraphQLSchema

from classbolt.testing.databases import Kind
from classbolt.values import Actor
from classbolt_schema.ids import decode
from classbolt_schema.server.limits import TOO_COMPLEX
from neighbours import (
    Answer,
    Neighbours,
    Person,
    Telltales,
    ids_of,
    rows_of_account,
    rows_of_customer,
    telltales,
    told,
)
from probing import ANY, ONTO, Document, Path, nodes, slots, steps_from, type_at

pytestmark = pytest.mark.unmeasured  # they come by nothing new, but often

DEPTH = {"sqlite": 3, "postgresql": 1}
"""How many objects away: what a field leads to is decided by code, the rows by a statement."""
SOME = 8
"""How many objects of a type are looked at besides those that Ben and Kim are known to hold."""
CUSTOMERS_OWN = (
    "Customer",
    "Booking",
    "CourseBooking",
    "Payment",
    "CardRefund",
    "CustomerBundle",
)


@dataclass(frozen=True)
class Question:
    """A way to follow, and the ids that are given on it."""

    way: Path
    ids: Mapping[str, Any]
    also: Path = ()


@dataclass(frozen=True)
class Secrets:
    """What only somebody's rows say."""

    of_ben: Telltales
    of_kim: Telltales
    of_south: Telltales

    @classmethod
    async def of(cls, both: Neighbours) -> Secrets:
        rows = await both.rows()
        ben, kim = (decode("Customer", each["Customer"]) for each in (both.bens, both.kims))
        return cls(
            telltales(*rows_of_customer(rows, ben)),
            telltales(*rows_of_customer(rows, kim)),
            telltales(*rows_of_account(rows, 2)),
        )


async def questions(schema: GraphQLSchema, both: Neighbours) -> list[Question]:
    """Start from each root, with everybody's ids, and from all objects of each type."""
    assert schema.query_type is not None
    own = {**both.bens, ANY: both.bens["Customer"]}
    found = [Question(("query", name), own) for name in schema.query_type.fields]
    for slot in slots(schema):
        if slot.way[0] == "query" and slot.kind != ANY:
            found += [
                Question(slot.way, {**own, slot.place: ids[slot.kind]}, slot.path)
                for ids in (both.kims, both.bens_in_south, both.kims_in_south)
            ]
    rows = await both.rows()
    for kind in nodes(schema):
        ids = ids_of(kind, rows)
        assert ids, f"no table is named after {kind}, or it is empty"
        held = (both.bens, both.kims, both.bens_in_south, both.kims_in_south)
        some = {*ids[:: -(-len(ids) // SOME)], *(each[kind] for each in held)}
        found.append(
            Question(("query", "nodes", f"{ONTO}{kind}"), {"Query.nodes.ids": sorted(some)})
        )
    return found


async def follow(
    both: Neighbours, schema: GraphQLSchema, person: Person, question: Question, depth: int
) -> list[Answer]:
    """Ask for all that a way leads to. What is refused is left out, and the rest asked for."""
    answers: list[Answer] = []
    without: set[Path] = set()
    while True:
        document = Document(schema, question.ids, also=question.also, without=without)
        document.add(question.way, depth=depth)
        answer = await both.ask(person, document.text(), document.variables)
        body = orjson.loads(answer.body)
        errors = body.get("errors", [])
        if any(each["extensions"]["code"] == TOO_COMPLEX for each in errors):
            return [
                *await follow(both, schema, person, question, 0),
                *[
                    each
                    for part in parts(schema, question)
                    for each in await follow(both, schema, person, part, depth - 1)
                ],
            ]
        answers.append(answer)
        refused = {
            tuple(each for each in error["path"] if isinstance(each, str)) for error in errors
        }
        if refused <= without or not body["data"]:
            return answers
        without |= refused


def parts(schema: GraphQLSchema, question: Question) -> Iterator[Question]:
    for step, _ in steps_from(schema, type_at(schema, question.way)):
        yield Question((*question.way, step), question.ids, question.also)


async def seen(
    both: Neighbours,
    schema: GraphQLSchema,
    name: str | None,
    secrets: Secrets,
    depth: int,
) -> Telltales:
    """Follow everything as somebody, and give what of all secrets was told."""
    person, all_of_them = (
        Person(name, both.north),
        secrets.of_ben | secrets.of_kim | secrets.of_south,
    )
    found: set[UUID | str] = set()
    for question in await questions(schema, both):
        for answer in await follow(both, schema, person, question, depth):
            found |= told(answer, all_of_them)
    return frozenset(found)


def keys_of(ids: Mapping[str, str]) -> set[UUID]:
    """Give the keys of what is a customer's own."""
    return {decode(kind, ids[kind]) for kind in CUSTOMERS_OWN}


async def test_nobody_we_know_comes_to_no_customer_and_to_no_other_studio(
    both: Neighbours, schema: GraphQLSchema, kind: Kind
) -> None:
    assert await seen(both, schema, None, await Secrets.of(both), DEPTH[kind]) == set()


async def test_a_customer_comes_to_their_own_and_to_nobody_elses(
    both: Neighbours, schema: GraphQLSchema, kind: Kind
) -> None:
    secrets = await Secrets.of(both)

    found = await seen(both, schema, "Ben", secrets, DEPTH[kind])

    assert found <= secrets.of_ben
    assert found >= keys_of(both.bens)


async def test_the_owner_comes_to_everybody_here_and_to_nothing_next_door(
    both: Neighbours, schema: GraphQLSchema, kind: Kind
) -> None:
    secrets = await Secrets.of(both)

    found = await seen(both, schema, "owner", secrets, DEPTH[kind])

    assert found <= secrets.of_ben | secrets.of_kim
    assert found >= keys_of(both.bens) | keys_of(both.kims)
    assert found >= {"Kim of north", "kim@north.example"}


async def test_what_a_customer_does_tells_nothing_of_others(
    both: Neighbours, schema: GraphQLSchema
) -> None:
    assert schema.mutation_type is not None
    secrets = await Secrets.of(both)
    done = set()

    for name in schema.mutation_type.fields:
        question = Question(("mutation", name), both.bens)
        for answer in await follow(both, schema, Person("Ben", both.north), question, 2):
            assert told(answer, secrets.of_kim | secrets.of_south) == set(), name
            if orjson.loads(answer.body)["data"][name]["userErrors"] == []:
                done.add(name)

    assert done >= {"bookCourse", "bookSession", "cancelBooking", "swapBooking"}


async def test_the_search_finds_what_a_field_forgets_to_guard(
    both: Neighbours, schema: GraphQLSchema, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets, nobody = await Secrets.of(both), Person(None, both.north)
    sessions = Question(
        ("query", "session"), {**both.bens, "Session": both.north.session("WED", 1)}
    )
    assert not any(
        told(answer, secrets.of_kim)
        for answer in await follow(both, schema, nobody, sessions, 2)
    )

    monkeypatch.setattr(Actor, "require", lambda *_: None)

    found = await follow(both, schema, nobody, sessions, 2)
    assert any("Kim of north" in told(answer, secrets.of_kim) for answer in found)
