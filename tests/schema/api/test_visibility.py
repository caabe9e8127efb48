"""Who may read what: the catalogue is for all, the rest for those it is about and staff."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphql import GraphQLSchema

from classbolt.values import PERMISSIONS, Permission, Role
from studio import Studio

if TYPE_CHECKING:
    from examples import Examples

CATALOGUE = """{
  account { slug name timeZone currency takesCards }
  boltOns { code enabled }
  tags { name }
  courses { edges { node { title price { amountMinor } paymentMethods tag { name }
    refundPolicy { notice { value } refunds { option bundle { name } } }
    sessions { edges { node { startsAt seatsLeft dropIn { price { amountMinor } } } } } } } }
  sessions { edges { node { startsAt tag { name } course { title }
    dropIn { price { amountMinor } opensAt isOpen paymentMethods } } } }
  openDropIns { edges { node { id } } }
  bundlesOnSale { edges { node { name price { amountMinor } paymentMethods } } }
}"""


async def test_anybody_may_read_the_whole_catalogue(
    northside: Studio, examples: Examples
) -> None:
    del examples
    options = "query ($id: ID!) { bookingOptions(session: $id) { price { amountMinor }"
    options += " paymentOptions { method userErrors { code } } userErrors { code } } }"

    read = await northside.query(CATALOGUE)
    asked = await northside.query(options, id=northside.session("SAT", 1))

    assert read["account"]["slug"] == "northside"
    assert [each["enabled"] for each in read["boltOns"]] == [True, True]
    assert len(read["courses"]["edges"]) == 4
    assert len(read["sessions"]["edges"]) == 24
    assert len(read["openDropIns"]["edges"]) == 3
    assert asked["bookingOptions"]["userErrors"] == []
    assert [each["method"] for each in asked["bookingOptions"]["paymentOptions"]] == [
        "credit",
        "offline",
    ]


async def everything_of(studio: Studio, name: str) -> dict[str, str]:
    """Find an object of each type that is a customer's own."""
    found: Any = await studio.query(
        "{ me { id bookings { edges { node { id courseBooking { id payment { id } } } } }"
        " bundles { edges { node { id } } } } }",
        as_=name,
    )
    booking = found["me"]["bookings"]["edges"][0]["node"]
    return {
        "Customer": found["me"]["id"],
        "Booking": booking["id"],
        "CourseBooking": booking["courseBooking"]["id"],
        "Payment": booking["courseBooking"]["payment"]["id"],
        "CustomerBundle": found["me"]["bundles"]["edges"][0]["node"]["id"],
    }


SEES = """query ($ids: [ID!]!, $customer: ID!, $booking: ID!, $session: ID!) {
  nodes(ids: $ids) { id }
  customer(id: $customer) { name }
  cancellationPreview(booking: $booking) { outcome }
  bookingOptions(session: $session, customer: $customer) { way }
}"""


async def test_what_is_a_customers_own_is_for_them_and_for_staff(
    northside: Studio, examples: Examples
) -> None:
    del examples
    anas = await everything_of(northside, "Ana")
    asked = {
        "ids": list(anas.values()),
        "customer": anas["Customer"],
        "booking": anas["Booking"],
        "session": northside.session("SAT", 1),
    }

    for who in ("Ana", "staff"):
        assert await northside.query(SEES, as_=who, **asked) == {
            "nodes": [{"id": each} for each in anas.values()],
            "customer": {"name": "Ana"},
            "cancellationPreview": {"outcome": "NEW_BUNDLE"},
            "bookingOptions": {"way": "drop_in"},
        }
    for stranger, codes in (("Ben", []), (None, ["UNAUTHENTICATED"])):  # who books logs in
        answer = await northside.ask(SEES, asked, as_=stranger)
        assert answer.error_codes == codes
        assert answer.body["data"] == {
            "nodes": [None] * len(anas),
            "customer": None,
            "cancellationPreview": None,
            "bookingOptions": None,
        }


FOR_STAFF = {
    "customers { edges { cursor } }": Permission.SERVE_CUSTOMERS,
    "bundles { edges { cursor } }": Permission.SERVE_CUSTOMERS,
    "sessions(first: 1) { edges { node { attendees { edges { node { id } } } } } }": (
        Permission.SERVE_CUSTOMERS
    ),
    "refunds { edges { cursor } }": Permission.SERVE_CUSTOMERS,
    "refundSummary { count }": Permission.SERVE_CUSTOMERS,
    "manualRefundsDue { edges { cursor } }": Permission.SERVE_CUSTOMERS,
    "failedRefunds { edges { cursor } }": Permission.SERVE_CUSTOMERS,
    "disputes { edges { cursor } }": Permission.SERVE_CUSTOMERS,
    "deadJobs { edges { cursor } }": Permission.RUN_ACCOUNT,
    "boltOnChanges { code }": Permission.SWITCH_BOLT_ONS,
    "account { stripe { id } }": Permission.RUN_ACCOUNT,
}


async def test_what_staff_read_is_refused_to_others_with_a_code(northside: Studio) -> None:
    for asked, needed in FOR_STAFF.items():
        document = f"{{ {asked} }}"
        assert (await northside.ask(document)).error_codes == ["UNAUTHENTICATED"]
        assert (await northside.ask(document, as_="Ana")).error_codes == ["FORBIDDEN"]
        for role in Role:
            expected = [] if needed in PERMISSIONS[role] else ["FORBIDDEN"]
            answer = await northside.ask(document, as_=role.value.lower())
            assert answer.error_codes == expected, (role, asked)


async def test_a_refused_field_leaves_the_rest_of_the_answer_as_it_is(
    northside: Studio,
) -> None:
    answer = await northside.ask(
        "{ customers { edges { cursor } } tags { name } boltOnChanges { code } }", as_="Ana"
    )

    assert answer.status == 200
    assert answer.error_codes == ["FORBIDDEN", "FORBIDDEN"]
    assert [error["path"] for error in answer.body["errors"]] == [
        ["customers"],
        ["boltOnChanges"],
    ]
    assert answer.body["data"] == {
        "customers": None,
        "tags": [{"name": "Advanced"}, {"name": "Beginners"}],
        "boltOnChanges": None,
    }


async def test_a_draft_is_for_staff_and_what_is_on_sale_for_everybody(
    northside: Studio,
) -> None:
    asked = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Bundle { name } } }"
    ids = [northside.ids.bundles["TEN"], northside.ids.bundles["RB-BEG"]]

    for who in (None, "Ana"):
        seen = await northside.query(asked, as_=who, ids=ids)
        assert seen["nodes"] == [{"name": "Ten classes"}, None]
    seen = await northside.query(asked, as_="staff", ids=ids)
    assert seen["nodes"] == [{"name": "Ten classes"}, {"name": "Swap, beginners"}]


async def test_only_a_customer_is_me(northside: Studio) -> None:
    assert await northside.query("{ me { name } }") == {"me": None}
    assert await northside.query("{ me { name } }", as_="owner") == {"me": None}
    assert await northside.query("{ me { name } }", as_="Ana") == {"me": {"name": "Ana"}}


def test_every_query_is_tried_by_somebody_who_may_not(schema: GraphQLSchema) -> None:
    assert schema.query_type is not None
    tried = "".join(
        (
            CATALOGUE,
            SEES,
            *FOR_STAFF,
            "me",
            "bookingOptions",
            "courseBookingOptions",
            "courseSetupCheck",
            "swapTargets",
            "course(",
            "session(",
            "node(",
        )
    )

    assert {name for name in schema.query_type.fields if name not in tried} == set()
