"""Who may do what: every mutation as nobody, as a customer and in each role of staff."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from graphql import GraphQLSchema

from classbolt.values import PERMISSIONS, Permission, Role
from studio import Studio

if TYPE_CHECKING:
    from tests.schema.api.conftest import Ask, Dump

    from examples import Examples, Input

pytestmark = pytest.mark.unmeasured  # they come by nothing new, but often

NEEDS = {
    "createTag": Permission.SET_UP,
    "createBundle": Permission.SET_UP,
    "updateBundle": Permission.SET_UP,
    "archiveBundle": Permission.SET_UP,
    "createCourse": Permission.SET_UP,
    "updateCourse": Permission.SET_UP,
    "addSessions": Permission.SET_UP,
    "updateSession": Permission.SET_UP,
    "updateSessions": Permission.SET_UP,
    "callOffSession": Permission.SET_UP,
    "callOffCourse": Permission.SET_UP,
    "createCustomer": Permission.SERVE_CUSTOMERS,
    "updateCustomer": Permission.SERVE_CUSTOMERS,
    "mergeCustomers": Permission.SET_UP,
    "eraseCustomer": Permission.RUN_ACCOUNT,
    "updateAccount": Permission.RUN_ACCOUNT,
    "linkStripe": Permission.RUN_ACCOUNT,
    "updateStripeLink": Permission.RUN_ACCOUNT,
    "unlinkStripe": Permission.RUN_ACCOUNT,
    "giveBundle": Permission.SERVE_CUSTOMERS,
    "extendBundle": Permission.SERVE_CUSTOMERS,
    "revokeBundle": Permission.SERVE_CUSTOMERS,
    "markPaid": Permission.SERVE_CUSTOMERS,
    "markRefunded": Permission.SERVE_CUSTOMERS,
    "refundPayment": Permission.SERVE_CUSTOMERS,
    "revokeCredits": Permission.SERVE_CUSTOMERS,
    "cancelCourseBooking": Permission.SERVE_CUSTOMERS,
    "enableBoltOn": Permission.SWITCH_BOLT_ONS,
    "disableBoltOn": Permission.SWITCH_BOLT_ONS,
    "retryJob": Permission.RUN_ACCOUNT,
    "discardJob": Permission.RUN_ACCOUNT,
}
FOR_CUSTOMERS_TOO = {
    "bookCourse": "UNAUTHENTICATED",
    "bookSession": "UNAUTHENTICATED",
    "buyBundle": "UNAUTHENTICATED",
    "refreshPayment": "NOT_FOUND",
    "abandonPayment": "NOT_FOUND",
    "cancelBooking": "NOT_FOUND",
    "swapBooking": "NOT_FOUND",
}
"""What customers do for themselves and staff for them, and what a stranger is told."""


async def outcomes(ask: Ask, examples: Examples, as_: str | None) -> dict[str, set[str]]:
    """Run every mutation as somebody, and give the codes of the refusals."""
    return {
        mutation: {
            error["code"]
            for payload in (await ask(mutation, *inputs, as_=as_)).data.values()
            for error in payload["userErrors"]
        }
        for mutation, inputs in examples.items()
    }


def test_it_is_known_for_every_mutation_who_may_do_it(schema: GraphQLSchema) -> None:
    assert schema.mutation_type is not None
    assert NEEDS.keys() | FOR_CUSTOMERS_TOO.keys() == schema.mutation_type.fields.keys()


def test_each_role_may_do_what_the_next_may_and_more() -> None:
    owner, manager, staff = (PERMISSIONS[role] for role in Role)

    assert owner > manager > staff
    assert staff == {Permission.SERVE_CUSTOMERS}


@pytest.mark.parametrize("role", list(Role))
async def test_a_role_may_do_exactly_what_its_permissions_say(
    examples: Examples, ask: Ask, role: Role
) -> None:
    may: dict[str, set[str]] = {
        mutation: set() if needed in PERMISSIONS[role] else {"FORBIDDEN"}
        for mutation, needed in NEEDS.items()
    }
    may |= {mutation: set() for mutation in FOR_CUSTOMERS_TOO}

    assert await outcomes(ask, examples, role.value.lower()) == may


async def test_nobody_we_know_may_change_nothing(
    examples: Examples, ask: Ask, dump: Dump
) -> None:
    before = await dump()

    refused = await outcomes(ask, examples, None)

    assert refused == {
        **{mutation: {"UNAUTHENTICATED"} for mutation in NEEDS},
        **{mutation: {code} for mutation, code in FOR_CUSTOMERS_TOO.items()},
    }
    assert await dump() == before


async def test_a_customer_may_do_nothing_for_the_business_and_nothing_for_others(
    northside: Studio, examples: Examples, ask: Ask, dump: Dump
) -> None:
    await northside.add_customer("Eve")
    await northside.token("Eve")
    before = await dump()

    refused = await outcomes(ask, examples, "Eve")

    assert refused == {
        **{mutation: {"FORBIDDEN"} for mutation in NEEDS},
        **{mutation: {"NOT_FOUND"} for mutation in FOR_CUSTOMERS_TOO},
    }
    assert await dump() == before


def for_themselves(inputs: list[Input]) -> list[Input]:
    return [
        {name: each for name, each in asked.items() if name != "customer"} for asked in inputs
    ]


async def test_a_customer_books_cancels_and_swaps_for_themselves(
    northside: Studio, examples: Examples, ask: Ask
) -> None:
    hal = for_themselves(examples["bookCourse"][:1])
    ana = {
        mutation: for_themselves(examples[mutation][:1])
        for mutation in ("bookSession", "cancelBooking", "swapBooking")
    }

    assert await outcomes(ask, {"bookCourse": hal}, "Hal") == {"bookCourse": set()}
    assert await outcomes(ask, ana, "Ana") == {mutation: set() for mutation in ana}
    found = await northside.query("{ me { bookings { edges { node { id } } } } }", as_="Ana")
    assert len(found["me"]["bookings"]["edges"]) == 6 + 2


async def test_a_customer_cannot_give_places_away_or_choose_their_refund(
    examples: Examples, ask: Ask, dump: Dump, northside: Studio
) -> None:
    await northside.token("Ana")
    before = await dump()
    (session,) = for_themselves(examples["bookSession"][:1])
    booking = examples["cancelBooking"][0]

    for mutation, asked, code in (
        ("bookSession", {**session, "payWith": {"free": True}}, "PAYMENT_OPTION_NOT_ALLOWED"),
        ("cancelBooking", {**booking, "refund": "NONE"}, "FORBIDDEN"),
    ):
        assert await outcomes(ask, {mutation: [asked]}, "Ana") == {mutation: {code}}

    assert await dump() == before
