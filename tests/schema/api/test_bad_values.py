"""Every member of every input is given what it cannot be: it is refused, and nothing changes.

The schema says which members there are, so that a new one is tried from its first day on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from graphql import (
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
)

from classbolt_schema.ids import decode_any, encode
from classbolt_schema.server.limits import MAX_ROOT_MUTATIONS

if TYPE_CHECKING:
    from tests.schema.api.conftest import Ask, Dump

    from examples import Examples, Input

pytestmark = pytest.mark.unmeasured  # they come by nothing new, but often

Path = tuple[str | int, ...]

NOWHERE = UUID("01890a5d-ac96-774b-bcce-b302099a8057")

BAD_IDS = {
    "empty": "",
    "a word": "northside",
    "another spelling": "Q291cnNlOg==",
    "a NUL": "Q291\0nNl",
    "emoji": "💃",
    "long": "Q" * 10_001,
    "a number": 7,
}
BAD_TEXTS = {
    "empty": "",
    "blank": " \t\n\u2003",
    "long": "x" * 10_001,
    "a NUL": "Ana\0",
    "a bell": "Ana\x07",
}
CODES = {"boltOn", "option", "paymentMethods", "timeZone"}
"""Members whose text is one of a few, and not a person's own words."""

BAD_CODES = {"emoji": "💃", "right to left": "مرحبا", "another case": "Course", "spaced": " x "}
BAD_INTS = {
    "nothing": 0,
    "minus one": -1,
    "the largest": 2**31 - 1,
    "the smallest": -(2**31),
}
BAD_TIMES = {"long ago": "1970-01-01T00:00:00Z", "now": "2027-01-10T12:00:00Z"}

NO_SUCH_VALUES: dict[str, dict[str, object]] = {
    "ID": {"a list": [["x"]], "an object": {}, "true": True, "a fraction": 1.5},
    "String": {"a number": 5, "true": True, "a list": [["x"]], "an object": {}},
    "Boolean": {"a text": "true", "a number": 1, "an object": {}},
    "Int": {
        "too large": 2**31,
        "much too large": 2**63,
        "absurd": 10**300,
        "too small": -(2**31) - 1,
        "a fraction": 1.5,
        "a text": "5",
        "true": True,
    },
    "DateTime": {
        "naive": "2027-03-01T18:30:00",
        "a date": "2027-03-01",
        "year 1": "0001-01-01T00:00:00Z",
        "year 1 in the east": "0001-01-01T00:00:00+14:00",
        "year 9999": "9999-12-31T23:59:59Z",
        "year 9999 in the west": "9999-12-31T23:59:59-14:00",
        "no such day": "2027-02-30T18:30:00Z",
        "no such offset": "2027-03-01T18:30:00+25:00",
        "seconds": 1_804_444_200,
        "empty": "",
        "words": "next Monday",
        "a NUL": "2027-03-01T18:30:00Z\0",
        "Arabic digits": "٢٠٢٧-03-01T18:30:00Z",
    },
    "enum": {"unknown": "SOMETIMES", "lower case": "policy", "a number": 1, "empty": ""},
    "input": {"a text": "x", "a number": 1, "an unknown member": {"nobody": 1}},
}
"""What is no value of a type at all: the request is refused before anything is run."""

FINE = {
    "empty": {"description"},
    "blank": {"description"},
    "nothing": {"priceMinor", "opensBefore", "notice", "minDaysAfterCreditBack"},
}
"""What is a fine value for these members, though not for others of their type."""


@dataclass(frozen=True)
class Member:
    """A value in an example: where it stands, and what the schema says of it."""

    path: Path
    type_name: str
    kind: str
    is_required: bool
    value: object


def members(type_: GraphQLInputType, value: Any, path: Path = ()) -> Iterator[Member]:
    """Walk an example along its type."""
    is_required = isinstance(type_, GraphQLNonNull)
    inner: Any = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    if isinstance(inner, GraphQLList):
        for index, each in enumerate(value):
            yield from members(inner.of_type, each, (*path, index))
    elif isinstance(inner, GraphQLInputObjectType):
        yield Member(path, inner.name, "input", is_required, value)
        for name, each in value.items():
            yield from members(inner.fields[name].type, each, (*path, name))
    else:
        kind = "enum" if hasattr(inner, "values") else inner.name
        yield Member(path, inner.name, kind, is_required, value)


def replaced(example: Input, path: Path, value: object) -> Any:
    """Give the example with another value in one place."""
    if not path:
        return value
    changed = deepcopy(example)
    inside: Any = changed
    for step in path[:-1]:
        inside = inside[step]
    inside[path[-1]] = value
    return changed


def input_of(schema: GraphQLSchema, mutation: str) -> GraphQLInputType:
    assert schema.mutation_type is not None
    found: GraphQLInputType = schema.mutation_type.fields[mutation].args["input"].type
    return found


def bad_values(member: Member, foreign: Mapping[str, str]) -> dict[str, object]:
    """Give what the member could hold by its type, but cannot by any rule."""
    by_kind: dict[str, dict[str, object]] = {
        "ID": {**BAD_IDS, **other_ids(str(member.value), foreign)},
        "String": {**BAD_TEXTS, **(BAD_CODES if CODES & set(member.path) else {})},
        "Int": {**BAD_INTS},
        "DateTime": {**BAD_TIMES},
    }
    return {
        label: value
        for label, value in by_kind.get(member.kind, {}).items()
        if not FINE.get(label, set()) & set(member.path)
    }


def other_ids(valid: str, foreign: Mapping[str, str]) -> dict[str, object]:
    """Give ids that look like a valid one."""
    if (found := decode_any(valid)) is None:
        return {}
    type_name, key = found
    return {
        "unknown": encode(type_name, NOWHERE),
        "another account's": foreign[type_name],
        "of another type": encode("Course" if type_name != "Course" else "Session", key),
        "padded": f"{valid}==",
    }


def complaint(refusals: list[dict[str, Any]], member: Member) -> str | None:
    """Say what is wrong with the answer to a value that breaks a rule; None if nothing is."""
    if len(refusals) != 1:
        return f"refused {len(refusals)} times"
    (refusal,) = refusals
    place = ["input", *map(str, member.path)]
    path = refusal["path"] or []
    if not refusal["__typename"].endswith("Error") or refusal["__typename"] == "OtherError":
        return f"has no type: {refusal}"
    if member.kind == "ID" and refusal["code"] != "NOT_FOUND":
        return f"an id is found or not: {refusal}"
    if len(path) < 2 or path != place[: len(path)]:
        return f"the path does not lead to {place}: {refusal}"
    return None


def members_of(
    schema: GraphQLSchema, examples: Examples
) -> Iterator[tuple[str, Input, Member]]:
    """Give each member of each mutation's input once, with an example that mentions it."""
    seen: set[tuple[str, Path]] = set()
    for mutation, inputs in examples.items():
        for example in inputs:
            for member in members(input_of(schema, mutation), example):
                if (mutation, member.path) not in seen:
                    seen.add((mutation, member.path))
                    yield mutation, example, member


def batches(values: Mapping[str, object]) -> Iterator[dict[str, object]]:
    """Cut values into as many as one document may have mutations."""
    remaining = iter(values.items())
    while batch := dict(islice(remaining, MAX_ROOT_MUTATIONS)):
        yield batch


async def test_the_examples_mention_every_member_and_all_succeed(
    schema: GraphQLSchema, examples: Examples, ask: Ask
) -> None:
    assert schema.mutation_type is not None
    assert set(examples) == set(schema.mutation_type.fields)
    mentioned = {
        (member.type_name, name)
        for mutation, inputs in examples.items()
        for example in inputs
        for member in members(input_of(schema, mutation), example)
        if isinstance(member.value, dict)
        for name in member.value
    }

    there = {
        (type_.name, name)
        for type_ in schema.type_map.values()
        if isinstance(type_, GraphQLInputObjectType)
        for name in type_.fields
    }
    assert mentioned == there

    for mutation, inputs in examples.items():
        for payload in (await ask(mutation, *inputs)).data.values():
            assert payload["userErrors"] == [], mutation


async def test_what_breaks_a_rule_is_refused_with_its_place_and_changes_nothing(
    schema: GraphQLSchema,
    examples: Examples,
    foreign: Mapping[str, str],
    ask: Ask,
    dump: Dump,
) -> None:
    complaints: dict[str, object] = {}
    before = await dump()
    for mutation, inputs in examples.items():
        for _, example, member in members_of(schema, {mutation: inputs}):
            for batch in batches(bad_values(member, foreign)):
                asked = [replaced(example, member.path, value) for value in batch.values()]
                payloads = (await ask(mutation, *asked)).data.values()
                for label, payload in zip(batch, payloads, strict=True):
                    if found := complaint(payload["userErrors"], member):
                        complaints[f"{mutation} {member.path}: {label}"] = found
        if (after := await dump()) != before:
            complaints[mutation] = "rows have changed"
            before = after

    assert complaints == {}


async def test_what_is_no_value_at_all_is_refused_before_anything_is_run(
    schema: GraphQLSchema, examples: Examples, ask: Ask, dump: Dump
) -> None:
    complaints: dict[str, object] = {}
    before = await dump()
    for mutation, example, member in members_of(schema, examples):
        null = {"null": None} if member.is_required else {}
        for batch in batches({**NO_SUCH_VALUES[member.kind], **null}):
            inputs = [replaced(example, member.path, value) for value in batch.values()]
            answer = await ask(mutation, *inputs)
            refused = {error["message"].split()[1] for error in answer.body.get("errors", ())}
            if (
                answer.status != 200
                or "data" in answer.body
                or set(answer.error_codes) != {"BAD_USER_INPUT"}
                or len(refused) != len(batch)
            ):
                complaints[f"{mutation} {member.path}"] = (answer.status, answer.body)

    assert complaints == {}
    assert await dump() == before
