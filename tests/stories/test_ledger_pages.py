"""The ledger as people read it: what moved a balance, who did it, and what is still owed."""

from __future__ import annotations

from typing import Any

from classbolt import switches
from classbolt.bolt_ons import BoltOns
from classbolt.db import Caller
from classbolt.values import SYSTEM
from studio import Studio, codes_of

ACTOR = "actor { kind staff { name role } customer { name } }"
LINES = f"""query ($id: ID!) {{ customer(id: $id) {{ bundles {{ edges {{ node {{
  entries {{ edges {{ node {{ kind amount note by {ACTOR}
    booking {{ session {{ startsAt }} cancellation {{ by {ACTOR} }} }}
  }} }} }} }} }} }} }} }}"""
OWED = """{ bundles { edges { node { name
  outstanding { credits customerBundles expiringWithin30Days expired }
  holders { edges { node { balance expiresAt customer { name } } } } } } } }"""


async def lines(studio: Studio, name: str, *, as_: str) -> list[dict[str, Any]]:
    """Read the ledger of the first bundle that a customer holds."""
    found = await studio.query(LINES, as_=as_, id=studio.ids.customers[name])
    entries = found["customer"]["bundles"]["edges"][0]["node"]["entries"]
    return [edge["node"] for edge in entries["edges"]]


async def give(studio: Studio, name: str, bundle: str, *, note: str | None = None) -> None:
    """Give a bundle as a member of staff."""
    ids = studio.ids
    asked = {"customer": ids.customers[name], "bundle": ids.bundles[bundle], "note": note}
    await studio.do("giveBundle", asked, as_="staff")


async def owed(studio: Studio) -> dict[str, Any]:
    """Read what is owed on each bundle, and to whom."""
    found = await studio.query(OWED, as_="staff")
    return {edge["node"]["name"]: edge["node"] for edge in found["bundles"]["edges"]}


async def test_staff_see_who_did_what_and_what_they_noted(northside: Studio) -> None:
    """J2: a line for each time the balance moved, with its cause, its actor and its booking."""
    northside.clock.set("2027-01-22T09:00")
    await give(northside, "Ana", "TEN", note="Sorry for the heating")
    await northside.book("Ana", "THU", 3)
    await northside.cancel("Ana", "THU", 3, by="manager")

    given, spent, back = await lines(northside, "Ana", as_="owner")

    staff = {"kind": "STAFF", "staff": {"name": "staff", "role": "STAFF"}, "customer": None}
    assert given == {
        "kind": "ISSUE",
        "amount": 10,
        "note": "Sorry for the heating",
        "by": "STAFF",
        "actor": staff,
        "booking": None,
    }
    manager = {**staff, "staff": {"name": "manager", "role": "MANAGER"}}
    booking = {
        "session": {"startsAt": "2027-01-28T19:00:00Z"},
        "cancellation": {"by": "STAFF", "actor": manager},
    }
    assert spent == {
        "kind": "SPEND",
        "amount": -1,
        "note": None,
        "by": "CUSTOMER",
        "actor": {"kind": "CUSTOMER", "staff": None, "customer": {"name": "Ana"}},
        "booking": booking,
    }
    assert back == {
        "kind": "CREDIT_BACK",
        "amount": 1,
        "note": None,
        "by": "STAFF",
        "actor": manager,
        "booking": booking,
    }


async def test_a_customer_sees_the_same_lines_without_who_of_the_staff_and_why(
    northside: Studio,
) -> None:
    northside.clock.set("2027-01-22T09:00")
    await give(northside, "Ana", "TEN", note="Complains a lot")
    await northside.book("Ana", "THU", 3)

    given, spent = await lines(northside, "Ana", as_="Ana")

    assert (given["kind"], given["by"], given["note"]) == ("ISSUE", "STAFF", None)
    assert given["actor"] == {"kind": "STAFF", "staff": None, "customer": None}
    assert spent["actor"] == {"kind": "CUSTOMER", "staff": None, "customer": {"name": "Ana"}}
    assert spent["booking"]["session"] == {"startsAt": "2027-01-28T19:00:00Z"}


async def test_a_customer_does_not_find_staff_by_id(northside: Studio) -> None:
    await give(northside, "Ana", "TEN")
    document = """query ($id: ID!) { customer(id: $id) { bundles { edges { node {
      entries { edges { node { actor { staff { id } } } } } } } } } }"""
    seen: Any = await northside.query(document, as_="owner", id=northside.ids.customers["Ana"])
    (bundle,) = seen["customer"]["bundles"]["edges"]
    (line,) = bundle["node"]["entries"]["edges"]
    asked = "query ($id: ID!) { node(id: $id) { ... on Staff { name role } } }"
    key = line["node"]["actor"]["staff"]["id"]

    assert await northside.query(asked, as_="Ana", id=key) == {"node": None}
    assert await northside.query(asked, id=key) == {"node": None}
    assert await northside.query(asked, as_="staff", id=key) == {
        "node": {"name": "staff", "role": "STAFF"}
    }


async def test_the_history_of_switches_says_who_switched(
    northside: Studio, bolt_ons: BoltOns
) -> None:
    await northside.switch("drop_in", on=False)
    await northside.database.write(
        Caller(northside.slug),
        lambda tx: switches.enable(tx, SYSTEM, "drop_in", bolt_ons, now=northside.clock.now),
    )

    document = f"{{ boltOnChanges {{ code enabled by {ACTOR} }} }}"
    on, off, *_ = (await northside.query(document, as_="owner"))["boltOnChanges"]

    owner = {"kind": "STAFF", "staff": {"name": "owner", "role": "OWNER"}, "customer": None}
    assert (off["enabled"], off["actor"]) == (False, owner)
    assert (on["enabled"], on["by"]) == (True, "SYSTEM")
    assert on["actor"] == {"kind": "SYSTEM", "staff": None, "customer": None}


async def test_a_note_is_kept_with_its_limits(northside: Studio) -> None:
    ids = northside.ids
    asked = {"customer": ids.customers["Ana"], "bundle": ids.bundles["TEN"]}

    for note in ("", "x" * 501):
        refused = await northside.codes("giveBundle", {**asked, "note": note}, as_="staff")
        assert refused == ["INVALID_INPUT"]
    assert await northside.holdings("Ana") == []


# What is still owed


async def test_what_is_owed_is_what_can_still_be_spent(northside: Studio) -> None:
    """D9, J7: what was spent, revoked or has expired is not; the last is shown apart."""
    northside.clock.set("2027-01-12T09:00")
    await give(northside, "Hal", "RB-BEG")
    northside.clock.set("2027-01-22T09:00")
    await give(northside, "Ana", "TEN")
    await give(northside, "Ben", "TEN")
    await give(northside, "Ana", "RB-BEG")
    await northside.book("Ana", "THU", 3)  # with the credit that expires first
    revoked = await northside.give("Hal", "TEN")
    await northside.do("revokeBundle", {"customerBundle": revoked}, as_="staff")

    now = await owed(northside)
    northside.clock.set("2027-02-11T09:00")
    later = await owed(northside)

    ten, beginners = now["Ten classes"], now["Swap, beginners"]
    assert ten["outstanding"] == {
        "credits": 20,
        "customerBundles": 2,
        "expiringWithin30Days": 0,
        "expired": 0,
    }
    assert [edge["node"] for edge in ten["holders"]["edges"]] == [
        {"balance": 10, "expiresAt": "2027-04-22T08:00:00Z", "customer": {"name": name}}
        for name in ("Ana", "Ben")
    ]
    assert beginners["outstanding"] == {
        "credits": 1,
        "customerBundles": 1,
        "expiringWithin30Days": 1,
        "expired": 0,
    }
    assert now["Swap, advanced"]["outstanding"] == dict.fromkeys(ten["outstanding"], 0)
    assert later["Swap, beginners"]["outstanding"] == {
        "credits": 0,
        "customerBundles": 0,
        "expiringWithin30Days": 0,
        "expired": 1,
    }
    assert later["Swap, beginners"]["holders"] == {"edges": []}


async def test_thirty_days_are_read_off_the_calendar(northside: Studio) -> None:
    """A7: across the change of the clocks they are an hour short of 720."""
    northside.clock.set("2027-03-01T09:00")
    await northside.add_bundle("THIRTY", 30, "BEG")
    await give(northside, "Ana", "THIRTY")

    at_issue = (await owed(northside))["THIRTY"]["outstanding"]
    northside.clock.set("2027-03-01T08:59:59")  # from here it is 30 days and a second
    before = (await owed(northside))["THIRTY"]["outstanding"]

    assert at_issue["expiringWithin30Days"] == 1
    assert (before["credits"], before["expiringWithin30Days"]) == (1, 0)


async def test_who_holds_credits_is_cut_into_pages(northside: Studio) -> None:
    for number in range(5):
        name = f"Guest {number}"
        await northside.add_customer(name)
        northside.clock.set(f"2027-01-1{number // 2}T12:00")  # some expire together
        await give(northside, name, "TEN")
    document = """query ($id: ID!, $after: String) { node(id: $id) { ... on Bundle {
      holders(first: 2, after: $after) { edges { node { customer { name } } }
        pageInfo { hasNextPage endCursor } } } } }"""
    pages: list[list[str]] = []
    after = None

    while True:
        asked = {"id": northside.ids.bundles["TEN"], "after": after}
        part = (await northside.query(document, as_="staff", **asked))["node"]["holders"]
        pages.append([edge["node"]["customer"]["name"] for edge in part["edges"]])
        after = part["pageInfo"]["endCursor"]
        if not part["pageInfo"]["hasNextPage"]:
            break

    assert pages == [["Guest 0", "Guest 1"], ["Guest 2", "Guest 3"], ["Guest 4"]]


async def test_what_is_owed_is_for_staff(northside: Studio) -> None:
    """Also where the bundle itself is on sale, and seen by all."""
    for field in ("outstanding { credits }", "holders { edges { cursor } }"):
        document = (
            f"query ($id: ID!) {{ node(id: $id) {{ ... on Bundle {{ name {field} }} }} }}"
        )
        asked = {"id": northside.ids.bundles["TEN"]}
        for who, code in (("Ana", "FORBIDDEN"), (None, "UNAUTHENTICATED")):
            answer = await northside.ask(document, asked, as_=who)
            assert answer.error_codes == [code]
            name = field.split(maxsplit=1)[0]
            assert answer.body["data"] == {"node": {"name": "Ten classes", name: None}}


async def test_the_whole_ledger_adds_up_to_what_is_owed_spent_expired_and_revoked(
    northside: Studio,
) -> None:
    """J7: of all credits that were ever issued."""
    northside.clock.set("2027-01-12T09:00")
    for name in ("Ana", "Ben", "Hal"):
        await give(northside, name, "RB-BEG")
        await give(northside, name, "TEN")
    northside.clock.set("2027-01-22T09:00")
    assert codes_of(await northside.book("Ana", "THU", 3)) == []
    held = (await northside.bundles("Ben"))[-1]["id"]
    await northside.do("revokeBundle", {"customerBundle": held}, as_="staff")
    northside.clock.set("2027-03-01T12:00")

    sums = [each["outstanding"] for each in (await owed(northside)).values()]
    entries = [
        line for name in ("Ana", "Ben", "Hal") for line in await _all_lines(northside, name)
    ]

    issued = sum(amount for kind, amount in entries if kind == "ISSUE")
    gone = -sum(amount for kind, amount in entries if kind in {"SPEND", "REVOKE"})
    live = sum(each["credits"] for each in sums)
    expired = sum(each["expired"] for each in sums)
    assert (issued, gone, live, expired) == (33, 1 + 10, 20, 2)
    assert issued == gone + live + expired


async def _all_lines(studio: Studio, name: str) -> list[tuple[str, int]]:
    return [
        (edge["node"]["kind"], edge["node"]["amount"])
        for bundle in await studio.bundles(name)
        for edge in bundle["entries"]["edges"]
    ]
