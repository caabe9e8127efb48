"""Every object has an id for good, and whoever may see it finds it by that id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphql import GraphQLInterfaceType, GraphQLSchema

from played import stripe_link
from studio import Studio

if TYPE_CHECKING:
    from examples import Examples

EVERYTHING = """{
  courses(first: 1) { edges { node { id title
    sessions(first: 1) { edges { node { id startsAt } } } } } }
  tags { id name }
  deadJobs(first: 1) { edges { node { id failure } } }
  failedRefunds(first: 1) { edges { node { id cause } } }
  account { stripe { id webhookPath } }
  customers(first: 1) { edges { node { id name
    bookings(first: 1) { edges { node { id status
      courseBooking { id bookedAt payment { id method } } } } }
    bundles(first: 1) { edges { node { id balance bundle { id name }
      entries(first: 1) { edges { node { actor { staff { id name } } } } } } } } } } }
}"""


def objects(value: Any) -> dict[str, Any]:
    """Collect from an answer the objects that have an id."""
    found = {}
    if isinstance(value, dict):
        if "id" in value:
            found[value["id"]] = value
        for each in value.values():
            found |= objects(each)
    elif isinstance(value, list):
        for each in value:
            found |= objects(each)
    return found


async def test_every_kind_of_object_is_found_again_by_its_id(
    northside: Studio, schema: GraphQLSchema, examples: Examples
) -> None:
    del examples
    await stripe_link(northside)
    node = schema.type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    kinds = {each.name for each in schema.get_implementations(node).objects}
    ids = list(objects(await northside.query(EVERYTHING, as_="owner")))

    found = await northside.query(
        "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", as_="owner", ids=ids
    )
    for each in found["nodes"]:
        one = await northside.query(
            "query ($id: ID!) { node(id: $id) { __typename id } }", as_="owner", id=each["id"]
        )
        assert one["node"] == each

    assert [each["id"] for each in found["nodes"]] == ids
    assert {each["__typename"] for each in found["nodes"]} == kinds


async def test_what_is_found_by_its_id_says_the_same_as_where_it_was_met(
    northside: Studio, examples: Examples
) -> None:
    del examples
    await stripe_link(northside)
    fields = {
        "Course": "title",
        "Session": "startsAt",
        "Tag": "name",
        "Customer": "name",
        "Booking": "status",
        "CourseBooking": "bookedAt",
        "Payment": "method",
        "Staff": "name",
        "CustomerBundle": "balance",
        "Bundle": "name",
        "CardRefund": "cause",
        "StripeLink": "webhookPath",
    }
    met = objects(await northside.query(EVERYTHING, as_="owner"))
    parts = " ".join(f"... on {kind} {{ {field} }}" for kind, field in fields.items())

    found = await northside.query(
        f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ id {parts} }} }}",
        as_="owner",
        ids=list(met),
    )

    for each in found["nodes"]:
        assert each.items() <= met[each["id"]].items()


async def test_nodes_answer_in_the_order_asked_with_null_for_what_is_not_there(
    northside: Studio,
) -> None:
    monday, thursday = northside.ids.courses["MON"], northside.ids.courses["THU"]

    found = await northside.query(
        "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }",
        ids=[thursday, "nothing", monday, thursday, northside.ids.customers["Ana"]],
    )

    assert [each and each["id"] for each in found["nodes"]] == [
        thursday,
        None,
        monday,
        thursday,
        None,
    ]


async def test_an_id_is_for_one_account_and_one_kind(
    northside: Studio, southside: Studio
) -> None:
    """J6."""
    monday = northside.ids.courses["MON"]

    assert (await northside.query(f'{{ course(id: "{monday}") {{ id }} }}'))["course"]
    assert (await northside.query(f'{{ session(id: "{monday}") {{ id }} }}'))["session"] is None
    assert (await southside.query(f'{{ course(id: "{monday}") {{ id }} }}'))["course"] is None
    assert (await southside.query(f'{{ node(id: "{monday}") {{ id }} }}'))["node"] is None
