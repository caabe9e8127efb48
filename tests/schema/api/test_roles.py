"""The table of who may do and see what is what a server answers, and has a shape of its own."""

from __future__ import annotations

import pytest
from graphql import GraphQLSchema

from neighbours import Neighbours
from pages import rows, section
from permissions import COLUMNS, NOTHING, SOME, YES, ask_for_everything, on_the_page

pytestmark = pytest.mark.unmeasured  # they come by nothing new, but often

WITHOUT_A_VALUE = {
    "BookingOptions.userErrors",
    "Bundle.archivedAt",
    "CancellationPreview.amount",
    "CancellationPreview.customerBundle",
    "CancellationPreview.reason",
    "CancellationPreview.userErrors",
    "CourseBookingOptions.userErrors",
    "Customer.erasedAt",
    "RefundPolicy.maxRefundsPerCourseBooking",
    "SetupCheck.fix",
    "StripeLink.unlinkedAt",
    "SwapTargets.userErrors",
}
"""Fields without a value in the studios, of which the table cannot say whether it is hidden."""

FOR_STAFF = {"Payment: `disputes`"}
"""What is the business's alone, though it is about what is a customer's own."""

RANKS = {YES: 2, SOME: 1}
"""How much an answer tells; all others tell nothing."""


@pytest.mark.parametrize("kind", ["sqlite"])  # who may do what, no database decides
async def test_the_written_table_is_what_a_server_answers(
    both: Neighbours, schema: GraphQLSchema
) -> None:
    table = await ask_for_everything(both, schema)

    _, written = on_the_page()
    assert written == table.written(), "run `make permissions`"
    assert table.unset == WITHOUT_A_VALUE, "let furnished.py set a value, or say why not"


def told(title: str) -> dict[str, dict[str, str]]:
    """Give a table of the page: what each column is told, row by row."""
    _, written = on_the_page()
    return {
        name: dict(zip(COLUMNS, cells, strict=True))
        for name, *cells in rows(section(f"\n{written}", title))
    }


EVERYTHING = {
    name: cells
    for title in ("Mutations", "Queries", "Fields")
    for name, cells in told(title).items()
}


def rank(cell: str) -> int:
    return RANKS.get(cell, 0)


@pytest.mark.parametrize("name", EVERYTHING)
def test_each_role_may_do_and_see_what_the_next_may_and_more(name: str) -> None:
    cells = EVERYTHING[name]

    assert rank(cells["STAFF"]) <= rank(cells["MANAGER"]) <= rank(cells["OWNER"])


def test_everything_but_oneself_is_somebodys_to_do_and_see() -> None:
    nobodys = {name for name, cells in EVERYTHING.items() if cells["OWNER"] != YES}

    # Staff are no customers, and say for whom they book and buy.
    assert nobodys == {"`me`", "`bookCourse`", "`bookSession`", "`buyBundle`"}


@pytest.mark.parametrize("name", told("Fields"))
def test_a_customer_sees_no_more_of_others_than_anybody_does(name: str) -> None:
    cells = EVERYTHING[name]

    assert rank(cells["another customer"]) == rank(cells["anybody"])


@pytest.mark.parametrize("kind", ["Customer", "Booking", "CourseBooking", "Payment", "Refund"])
def test_what_is_a_customers_own_is_for_them_and_for_staff(kind: str) -> None:
    of_kind = {name for name in EVERYTHING if name.startswith(f"{kind}:")} - FOR_STAFF
    (cells,) = [EVERYTHING[name] for name in of_kind]

    assert list(cells.values()) == [NOTHING, YES, NOTHING, YES, YES, YES]


@pytest.mark.parametrize("name", told("Mutations"))
def test_nobody_we_know_may_change_nothing(name: str) -> None:
    assert rank(EVERYTHING[name]["anybody"]) == 0
