"""The pages of staff and customers cost so many statements, whatever is on them."""

from __future__ import annotations

from typing import Any

import pytest

from studio import Studio

pytestmark = pytest.mark.unmeasured  # they come by nothing new, but often

OPENING = 1
"""Each transaction begins by reading the account, its switches and who the caller is."""

ACTOR = "actor { kind staff { name } customer { name } }"

CUSTOMERS = f"""query ($first: Int!) {{
  customers(first: $first, search: "a") {{ edges {{ node {{ name email
  bookings(first: 100, from: "2027-01-01T00:00:00Z") {{ edges {{ node {{ status
    session {{ startsAt course {{ title }} }}
    cancellation {{ note refundNote refundedBy {{ name }} {ACTOR} }} }} }} }}
  courseBookings {{ edges {{ node {{ status course {{ title }} payment {{ paidAt }} }} }} }}
  bundles(first: 100) {{ edges {{ node {{ balance revokedAt bundle {{ name }}
    entries {{ edges {{ node {{ kind note {ACTOR}
      booking {{ session {{ startsAt }} }} }} }} }} }} }} }} }} }} }} }}"""
OWED = """query ($first: Int!) { bundles(first: $first) { edges { node { name
  outstanding { credits customerBundles expiringWithin30Days expired }
  holders(first: 100) { edges { node { balance customer { name } } } } } } } }"""
REFUNDS = f"""query ($first: Int!) {{
  refunds(first: $first, outcome: "NEW_BUNDLE") {{ edges {{ node {{ note refundNote
    refundedBy {{ name }} refund {{ customerBundle {{ balance }} }} {ACTOR}
    booking {{ status customer {{ name }} session {{ startsAt }} }} }} }} }}
  refundSummary {{ outcome reason count }}
  manualRefundsDue(first: $first) {{ edges {{ node {{ refundDue
    booking {{ customer {{ name }} session {{ startsAt }} payment {{ method }} }} }} }} }} }}"""
SWITCHES = f"{{ boltOnChanges {{ code {ACTOR} }} }}"


async def cost(studio: Studio, document: str, *, as_: str, **variables: Any) -> tuple[int, int]:
    """Say how many statements an answer cost, and of how many objects it is made."""
    await studio.token(as_)
    async with studio.counting() as statements:
        answer = await studio.query(document, as_=as_, **variables)
    return len([each for each in statements if not each.startswith("BEGIN")]), size(answer)


def size(value: object) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(size, value.values()))
    return sum(map(size, value)) if isinstance(value, list) else 0


@pytest.fixture
async def busy(northside: Studio) -> Studio:
    """Fixture F, in which much was given, cancelled, refunded by hand and called off."""
    for name, course in (("Ada", "MON"), ("Zara", "MON"), ("Lara", "THU"), ("Maya", "THU")):
        await northside.add_buyer(name, course)
    northside.clock.set("2027-01-12T10:00")
    for name in ("Ana", "Ada", "Zara"):
        await northside.cancel(name, "MON", 3)
        await northside.cancel(name, "MON", 4, by="staff")
        note = {"booking": await northside.booking(name, "MON", 3), "note": "In cash"}
        await northside.do("markRefunded", note, as_="staff")
        ten = await northside.give(name, "TEN")
        await northside.do("revokeBundle", {"customerBundle": ten}, as_="staff")
        await northside.give(name, "TEN")
        await northside.give(name, "RB-ADV")
    await northside.call_off("THU", 4, refund="NONE")
    return northside


@pytest.mark.parametrize(
    ("document", "few", "many", "statements"),
    [
        pytest.param(CUSTOMERS, 1, 6, 19, id="customers with bookings, bundles and ledger"),
        pytest.param(OWED, 1, 3, 5, id="bundles with what is owed and to whom"),
        pytest.param(REFUNDS, 2, 6, 15, id="refunds given, denied and due"),
    ],
)
async def test_a_page_of_staff_costs_the_same_for_twice_the_rows(
    busy: Studio, document: str, few: int, many: int, statements: int
) -> None:
    of_few, small = await cost(busy, document, as_="staff", first=few)
    of_many, large = await cost(busy, document, as_="staff", first=many)

    assert (of_few, of_many) == (OPENING + statements,) * 2
    assert large > 2 * small


async def test_the_history_of_switches_costs_the_same_for_twice_the_rows(
    northside: Studio,
) -> None:
    few, small = await cost(northside, SWITCHES, as_="owner")
    for on in (False, True, False, True):
        await northside.switch("drop_in", on=on)
    many, large = await cost(northside, SWITCHES, as_="owner")

    assert few == many == OPENING + 2
    assert large > 2 * small


async def test_a_search_costs_what_the_whole_list_costs(busy: Studio) -> None:
    document = (
        "query ($search: String) { customers(search: $search) { edges { node { name } } } }"
    )

    assert (await cost(busy, document, as_="staff"))[0] == OPENING + 1
    assert (await cost(busy, document, as_="staff", search="ana"))[0] == OPENING + 1


async def test_what_a_customer_may_not_see_costs_nothing(busy: Studio) -> None:
    """Notes and names of staff are not even looked up."""
    document = f"""{{ me {{ bundles {{ edges {{ node {{ entries {{ edges {{ node {{
      note {ACTOR} }} }} }} }} }} }} }} }}"""
    without = """{ me { bundles { edges { node { entries { edges { node {
      actor { kind customer { name } } } } } } } } } }"""

    seen, _ = await cost(busy, document, as_="Ana")
    asked, _ = await cost(busy, without, as_="Ana")

    assert seen == asked
