"""Lists and ids in queries: whatever is asked for, the answer is data or a coded error."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from graphql import GraphQLObjectType, GraphQLSchema

from classbolt.bolt_ons import BoltOns
from classbolt.testing.stripe_double import Double
from classbolt_schema.ids import encode
from classbolt_schema.pagination import decode_cursor
from played import CardReader
from studio import Studio

if TYPE_CHECKING:
    from examples import Examples

pytestmark = pytest.mark.unmeasured  # they come by nothing new, but often

NOWHERE = UUID("01890a5d-ac96-774b-bcce-b302099a8057")


def cursor(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


JUNK = {
    "empty": "",
    "a word": "abc",
    "emoji": "💃",
    "a NUL": "\0",
    "long": "Q" * 5_000,
    "no list": cursor("5"),
    "an object": cursor('{"a":1}'),
    "nested": cursor("[" * 500 + "]" * 500),
    "a large number": cursor("[9223372036854775808]"),
    "a NUL in a text": cursor('["sA\\u0000","u' + NOWHERE.hex + '"]'),
    "half a character": cursor('["sA\\ud83d","u' + NOWHERE.hex + '"]'),
    "a time out of range": cursor('["t9999-12-31T23:59:59-14:00","u' + NOWHERE.hex + '"]'),
    "a naive time": cursor('["t2027-01-01T00:00:00","u' + NOWHERE.hex + '"]'),
    "spaces in it": cursor('["sA", "u' + NOWHERE.hex + '"]'),
}
"""What no list of ours has ever made."""

WRONG_KEYS = {
    "none": cursor("[]"),
    "too few": cursor('["sA"]'),
    "too many": cursor('["sA","u' + NOWHERE.hex + '",1]'),
    "numbers": cursor("[5,5]"),
    "the wrong way round": cursor('["u' + NOWHERE.hex + '","sA"]'),
}
"""What is written as we do, but does not fit the order of any list."""


def lists(schema: GraphQLSchema) -> Iterator[tuple[str, str]]:
    """Give every field that is paged through, as type and name."""
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLObjectType):
            for name, field in type_.fields.items():
                if {"first", "after"} <= set(field.args):
                    yield type_.name, name


@pytest.fixture
async def parents(
    northside: Studio, examples: Examples, stripe: Double, bolt_ons: BoltOns
) -> dict[str, str]:
    """An object of each type that has lists of its own."""
    paid = examples["refundPayment"][0]["payment"]
    card = CardReader(northside, stripe, bolt_ons)
    await card.refund(paid, 200, fails=True)
    await card.dispute(paid)
    await northside.call_off("SAT", 6, refund="NONE")  # so that a refund by hand is due
    given = await northside.bundles("Ana")
    me = "{ me { bookings { edges { node { courseBooking { id } } } } } }"
    found = await northside.query(me, as_="Ana")
    (first, *_) = found["me"]["bookings"]["edges"]
    return {
        "Course": northside.ids.courses["MON"],
        "Session": northside.session("MON", 1),
        "Customer": northside.ids.customers["Ana"],
        "CustomerBundle": given[0]["id"],
        "CourseBooking": first["node"]["courseBooking"]["id"],
        "Bundle": northside.ids.bundles["TEN"],
    }


def document(type_name: str, field: str, parents: dict[str, str]) -> str:
    part = (
        f"{field}(first: $first, after: $after)"
        " { edges { cursor } pageInfo { endCursor hasNextPage } }"
    )
    if type_name != "Query":
        part = f'node(id: "{parents[type_name]}") {{ ... on {type_name} {{ {part} }} }}'
    return f"query ($first: Int, $after: String) {{ {part} }}"


async def test_a_list_gives_from_one_to_a_hundred_at_once(
    northside: Studio, schema: GraphQLSchema, parents: dict[str, str]
) -> None:
    for type_name, field in lists(schema):
        asked = document(type_name, field, parents)
        for first in (0, -1, 101, 2**31 - 1, -(2**31)):
            answer = await northside.ask(asked, {"first": first}, as_="owner")
            assert (answer.status, answer.error_codes) == (200, ["INVALID_INPUT"]), field
        for no_number in (2**31, 2**63, 1.5, "1"):
            answer = await northside.ask(asked, {"first": no_number}, as_="owner")
            assert (answer.status, answer.error_codes) == (200, ["BAD_USER_INPUT"]), field
        for enough in (1, 100, None):
            assert (await northside.ask(asked, {"first": enough}, as_="owner")).data


async def test_a_cursor_that_is_none_is_refused(
    northside: Studio, schema: GraphQLSchema, parents: dict[str, str]
) -> None:
    everywhere = list(lists(schema))
    tried = [(list_, after) for list_ in everywhere for after in WRONG_KEYS.values()]
    tried += [(("Query", "courses"), after) for after in JUNK.values()]
    tried += [(("Course", "sessions"), after) for after in JUNK.values()]

    for list_, after in tried:
        answer = await northside.ask(document(*list_, parents), {"after": after}, as_="owner")
        assert (answer.status, answer.error_codes) == (200, ["INVALID_CURSOR"]), (list_, after)


async def test_a_cursor_of_another_list_is_refused_unless_both_have_the_same_order(
    northside: Studio, schema: GraphQLSchema, parents: dict[str, str]
) -> None:
    found = {}
    for each in lists(schema):
        answer = await northside.query(document(*each, parents), as_="owner")
        connection = answer if each[0] == "Query" else answer["node"]
        found[each] = connection[each[1]]["pageInfo"]["endCursor"]
        assert found[each] is not None, each

    def order(raw: str) -> list[type]:
        return [type(key) for key in decode_cursor(raw)]

    for each, own in found.items():
        for other in set(found.values()):
            answer = await northside.ask(
                document(*each, parents), {"after": other}, as_="owner"
            )
            expected = [] if order(own) == order(other) else ["INVALID_CURSOR"]
            assert (answer.status, answer.error_codes) == (200, expected)
    assert len({tuple(order(raw)) for raw in found.values()}) > 1


BY_ID = """query ($id: ID!) {
  course(id: $id) { id } session(id: $id) { id } customer(id: $id) { id } node(id: $id) { id }
  bookingOptions(session: $id) { way } cancellationPreview(booking: $id) { outcome }
  nodes(ids: [$id]) { id }
}"""
FOR_CUSTOMER = """query ($id: ID!, $session: ID!) {
  bookingOptions(session: $session, customer: $id) { way } }"""
OF_TAG = """query ($id: ID!) {
  courses(tag: $id) { edges { cursor } } sessions(tag: $id) { edges { cursor } }
  openDropIns(tag: $id) { edges { cursor } } }"""


async def test_an_id_that_leads_nowhere_for_the_caller_is_answered_with_null(
    northside: Studio, foreign: dict[str, str]
) -> None:
    nothing = dict.fromkeys(
        ("course", "session", "customer", "node", "bookingOptions", "cancellationPreview")
    )
    unknown = [encode(kind, NOWHERE) for kind in foreign]
    malformed = ["", "x", "💃", "\0", "Q" * 5_000, "Q291cnNlOg==", "7"]

    for id_ in (*unknown, *foreign.values(), *malformed):
        answer = await northside.query(BY_ID, as_="owner", id=id_)
        assert answer == {**nothing, "nodes": [None]}, id_
        session = northside.session("MON", 1)
        answer = await northside.query(FOR_CUSTOMER, as_="owner", id=id_, session=session)
        assert answer == {"bookingOptions": None}, id_


async def test_lists_of_a_tag_that_is_not_there_are_empty(
    northside: Studio, foreign: dict[str, str]
) -> None:
    empty: dict[str, list[object]] = {"edges": []}
    others = (encode("Tag", NOWHERE), foreign["Tag"], northside.ids.courses["MON"])

    for id_ in (*others, "", "x", "💃"):
        answer = await northside.query(OF_TAG, id=id_)
        assert answer == {"courses": empty, "sessions": empty, "openDropIns": empty}, id_


async def test_at_most_a_hundred_nodes_are_given_at_once(studio: Studio) -> None:
    asked = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"

    assert await studio.query(asked, ids=[]) == {"nodes": []}
    assert await studio.query(asked, ids=["x"] * 100) == {"nodes": [None] * 100}
    refused = await studio.ask(asked, {"ids": ["x"] * 101})
    assert refused.error_codes == ["INVALID_INPUT"]


@pytest.mark.parametrize("name", ["from", "until"])
async def test_a_time_to_search_by_needs_its_offset_and_a_year_within_reason(
    studio: Studio, name: str
) -> None:
    asked = f"query ($at: DateTime) {{ sessions({name}: $at) {{ edges {{ cursor }} }} }}"
    bad: list[Any] = ["2027-01-01T00:00:00", "2027-01-01", "0001-01-01T00:00:00Z"]
    bad += ["9999-12-31T23:59:59Z", "2027-02-30T00:00:00Z", "", 1_800_000_000, "now"]

    for at in bad:
        answer = await studio.ask(asked, {"at": at})
        assert (answer.status, answer.error_codes) == (200, ["BAD_USER_INPUT"]), at
    for at in ("1970-01-01T00:00:00Z", "9899-12-31T23:59:59Z", None):
        answer = await studio.ask(asked, {"at": at})
        assert answer.data == {"sessions": {"edges": []}}
