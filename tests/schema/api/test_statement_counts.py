"""How many statements an answer costs: so many, whatever the number of rows it is made of.

A number that grows with the rows is found by users on the day their studio has grown. When a
number here changes, it should be known why.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from classbolt.testing.databases import Kind
from studio import Studio

if TYPE_CHECKING:
    from tests.schema.api.conftest import Ask

    from examples import Examples

pytestmark = pytest.mark.unmeasured  # they come by nothing new, but often

OPENING = 1
"""Each transaction begins by reading the account, its switches and who the caller is."""

OF_SESSION = "startsAt seatsLeft tag { name } course { title }"
OF_OFFER = "dropIn { price { amountMinor } opensAt isOpen paymentMethods cap placesLeft }"
TIMETABLE = f"""query ($courses: Int!, $each: Int!, $all: Int!) {{
  courses(first: $courses) {{ edges {{ node {{ title tag {{ name }}
    refundPolicy {{ notice {{ value }} validityAnchor refunds {{ option bundle {{ name }} }} }}
    sessions(first: $each) {{ edges {{ node {{ {OF_SESSION} {OF_OFFER} }} }} }} }} }} }}
  sessions(first: $all) {{ edges {{ node {{ {OF_SESSION} {OF_OFFER} }} }} }}
}}"""
MINE = """{ me { name
  bookings(first: 100) { edges { node { status way
    session { startsAt course { title } tag { name } dropIn { isOpen } }
    payment { method } customerBundle { balance }
    cancellation { refund { outcome customerBundle { balance } } autoRefund { deadline } } } } }
  bundles(first: 100) { edges { node { balance bundle { name tags { name } }
    entries { edges { node { kind amount booking { status } } } } } } } } }"""
ATTENDEES = """query ($first: Int!) { sessions(first: $first) { edges { node { attendees {
  edges { node { customer { name } payment { paidAt } courseBooking { bookedAt }
    customerBundle { bundle { name } } } } } } } } }"""


async def cost(
    studio: Studio, document: str, *, as_: str | None = None, **variables: Any
) -> tuple[int, int]:
    """Say how many statements an answer cost, and of how many objects it is made."""
    if as_:
        await studio.token(as_)
    async with studio.counting() as statements:
        answer = await studio.query(document, as_=as_, **variables)
    return len([each for each in statements if not each.startswith("BEGIN")]), size(answer)


def size(value: object) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(size, value.values()))
    return sum(map(size, value)) if isinstance(value, list) else 0


async def test_the_timetable_costs_the_same_for_twice_the_rows(northside: Studio) -> None:
    few, small = await cost(northside, TIMETABLE, courses=2, each=3, all=12)
    many, large = await cost(northside, TIMETABLE, courses=4, each=6, all=24)

    assert few == many == OPENING + 12
    assert large > 2 * small


async def test_a_customers_page_costs_the_same_for_twice_the_rows(northside: Studio) -> None:
    northside.clock.set("2027-01-10T12:00")
    await northside.cancel("Ana", "MON", 3)
    await northside.book("Ana", "THU", 1)
    few, small = await cost(northside, MINE, as_="Ana")

    course = {"course": northside.ids.courses["SAT"], "payWith": {"offline": True}}
    await northside.do("bookCourse", course, as_="Ana")
    for number in (2, 4, 5, 6):
        await northside.cancel("Ana", "MON", number)
    await northside.give("Ana", "TEN")
    many, large = await cost(northside, MINE, as_="Ana")

    assert few == many == OPENING + 18
    assert large > 2 * small


async def test_the_lists_of_who_comes_cost_the_same_for_twice_the_rows(
    northside: Studio, examples: Examples, ask: Ask
) -> None:
    await ask("bookSession", *examples["bookSession"])

    few, small = await cost(northside, ATTENDEES, as_="staff", first=4)
    for name in ("Ida", "Joe", "Kim"):
        for course in ("MON", "WED", "THU", "SAT"):
            await northside.add_buyer(f"{name} {course}", course)
    many, large = await cost(northside, ATTENDEES, as_="staff", first=8)

    assert few == many == OPENING + 8
    assert large > 2 * small


MUTATIONS: Mapping[str, int] = {
    "createTag": 2,
    "createBundle": 4,
    "updateBundle": 6,
    "createCourse": 16,  # with a policy, and sessions with offers
    "updateCourse": 9,
    "addSessions": 8,
    "updateSession": 7,
    "updateSessions": 12,  # six of them update one session each
    "createCustomer": 1,
    "updateCustomer": 2,
    "giveBundle": 9,  # with a key, which costs two
    "bookCourse": 9,
    "bookSession": 12,  # with a credit
    "buyBundle": 13,  # by card: what Stripe calls it is noted in a transaction of its own
    "markPaid": 5,  # with a key
    "cancelBooking": 12,  # and a bundle is issued
    "swapBooking": 23,
    "callOffSession": 15,  # with a key
    "refreshPayment": 17,  # Stripe is asked in between, so that it takes five transactions
    "abandonPayment": 19,  # and the seats of a course are given up
    "refundPayment": 9,  # with a key
    "revokeCredits": 6,  # with a key; the payment has earned none
    "cancelCourseBooking": 12,
    "callOffCourse": 14,  # with a key
    "markRefunded": 5,  # of a refund
    "extendBundle": 5,  # with a key
    "revokeBundle": 6,  # with a key
    "mergeCustomers": 13,  # with a key
    "eraseCustomer": 11,  # with a key
    "updateAccount": 1,
    "updateStripeLink": 3,  # the link is read before Stripe is asked about a key, and after
    "unlinkStripe": 2,  # it has ended before
    "linkStripe": 5,
    "retryJob": 1,
    "discardJob": 1,
    "archiveBundle": 2,
    "disableBoltOn": 3,
    "enableBoltOn": 3,
}
"""What each example costs, beside reading once who asks and opening the transaction."""

LOCKS: Mapping[str, int] = {
    "updateBundle": 1,
    "createCourse": 1,
    "updateCourse": 1,
    "addSessions": 1,
    "bookSession": 1,
    "swapBooking": 3,
    "cancelBooking": 1,
    "cancelCourseBooking": 1,
    "callOffSession": 1,
    "callOffCourse": 1,
    "extendBundle": 1,
    "revokeBundle": 1,
    "mergeCustomers": 2,
    "eraseCustomer": 2,
    "linkStripe": 1,
    "disableBoltOn": 1,
    "enableBoltOn": 1,
}
"""What PostgreSQL is told to lock in a statement of its own; SQLite's writer is alone."""


async def test_every_mutation_costs_as_many_statements_as_is_known(
    examples: Examples, northside: Studio, ask: Ask, kind: Kind
) -> None:
    costs = {}
    for mutation, inputs in examples.items():
        async with northside.counting() as statements:
            answer = await ask(mutation, inputs[0])
        assert answer.data["asked0"]["userErrors"] == []
        costs[mutation] = len([each for each in statements if not each.startswith("BEGIN")])

    locks = LOCKS if kind == "postgresql" else {}
    assert costs == {
        mutation: 2 * OPENING + known + locks.get(mutation, 0)
        for mutation, known in MUTATIONS.items()
    }


async def test_what_is_done_to_many_sessions_or_bookings_costs_the_same_for_twice_as_many(
    northside: Studio,
) -> None:
    costs: list[list[int]] = []
    for number, name in ((2, "Ida"), (4, "Joe")):
        sessions = [
            {
                "startsAt": f"2027-03-{day + 1:02}T18:30:00Z",
                "capacity": 9,
                "dropIn": {"priceMinor": 100, "opensBefore": {"value": 1, "unit": "DAYS"}},
            }
            for day in range(number)
        ]
        course = {"title": "Yoga", "priceMinor": 100, "sessions": sessions}
        bundle = {"method": "NEW_BUNDLE", "bundle": northside.ids.bundles["RB-BEG"]}
        refund = {"notice": {"value": 1, "unit": "DAYS"}}
        course["autoRefund"] = {**refund, "refunds": [{"option": "COURSE", **bundle}]}
        async with northside.counting() as creating:
            fields = "course { id sessions { edges { node { id } } } }"
            made = (await northside.do("createCourse", course, fields, as_="owner"))["course"]
        northside.ids.courses[name] = made["id"]
        async with northside.counting() as booking:
            await northside.add_buyer(f"{name} 1", name)
        for other in range(2, number + 1):
            await northside.add_buyer(f"{name} {other}", name)
        session = {"session": made["sessions"]["edges"][0]["node"]["id"]}
        async with northside.counting() as calling_off:
            fields = "cancellations { refund { outcome } }"
            done = await northside.do("callOffSession", session, fields, as_="owner")
        assert [each["refund"]["outcome"] for each in done["cancellations"]] == [
            "NEW_BUNDLE"
        ] * number
        costs.append([len(creating), len(booking), len(calling_off)])

    assert costs[0] == costs[1]
