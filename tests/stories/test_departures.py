"""Customers who go: two records become one, or somebody is forgotten; the ledger stays."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, func, make_url, select
from sqlalchemy.ext.asyncio import AsyncConnection

from classbolt import tables
from classbolt_schema.ids import decode
from studio import Studio, codes_of

OF_CUSTOMERS = (
    tables.bookings,
    tables.course_bookings,
    tables.payments,
    tables.customer_bundles,
    tables.memberships,
)


async def rows_of(studio: Studio, customer: str) -> dict[str, int]:
    """Count what belongs to a customer, table by table."""
    key = decode("Customer", customer)

    async def count(connection: AsyncConnection, table: Table) -> int:
        rows = select(func.count()).where(table.c.customer_id == key)
        return int((await connection.execute(rows)).scalar_one())

    async def work(connection: AsyncConnection) -> dict[str, int]:
        return {table.name: await count(connection, table) for table in OF_CUSTOMERS}

    return await studio.database.run(work)


async def merge(studio: Studio, gone: str, kept: str, *, as_: str = "manager") -> Any:
    """Ask to merge a customer into another."""
    ids = studio.ids.customers
    asked = {"from": ids[gone], "into": ids[kept]}
    return await studio.mutate("mergeCustomers", asked, "customer { id name }", as_=as_)


async def erase(studio: Studio, name: str, *, as_: str = "owner") -> Any:
    """Ask to erase a customer."""
    asked = {"customer": studio.ids.customers[name]}
    fields = "customer { id name email erasedAt }"
    return await studio.mutate("eraseCustomer", asked, fields, as_=as_)


async def listed(studio: Studio) -> list[str]:
    """Give the names of all customers."""
    found = await studio.query("{ customers { edges { node { name } } } }", as_="staff")
    return [edge["node"]["name"] for edge in found["customers"]["edges"]]


async def by_id(studio: Studio, name: str, *, as_: str = "staff") -> Any:
    """Look a customer up by id, both ways."""
    document = "query ($id: ID!) { customer(id: $id) { name } node(id: $id) { id } }"
    return await studio.query(document, id=studio.ids.customers[name], as_=as_)


# Merging


async def test_what_one_record_had_is_the_other_ones_from_then_on(northside: Studio) -> None:
    """X26: places, course, payments, bundles with their ledger, and the token."""
    northside.clock.set("2027-01-20T10:00")
    await northside.cancel("Ana", "MON", 3)
    northside.clock.set("2027-01-22T09:00")
    await northside.book("Ana", "THU", 3)
    anas = await rows_of(northside, northside.ids.customers["Ana"])
    hals = await rows_of(northside, northside.ids.customers["Hal"])
    holdings = await northside.holdings("Ana")

    merged = await merge(northside, "Ana", "Hal")

    assert merged["customer"] == {"id": northside.ids.customers["Hal"], "name": "Hal"}
    assert await rows_of(northside, northside.ids.customers["Ana"]) == dict.fromkeys(anas, 0)
    assert await rows_of(northside, northside.ids.customers["Hal"]) == {
        table: count + hals[table] for table, count in anas.items()
    }
    assert await northside.attendees("THU", 3) == ["Ben", "Hal"]
    for name in ("Ana", "Hal"):  # both tokens stand for one person now
        assert await northside.query("{ me { name } }", as_=name) == {"me": {"name": "Hal"}}
        assert await northside.holdings(name) == holdings
        assert await northside.places(name, "MON") == [1, 2, 4, 5, 6]
        assert await northside.places(name, "SAT") == [1, 2, 3, 4, 5, 6]


async def test_a_place_that_moved_along_is_cancelled_as_ever(northside: Studio) -> None:
    """X26, C1: the bundle for it goes to whom it is owed now."""
    northside.clock.set("2027-01-20T10:00")
    await merge(northside, "Ana", "Hal")

    cancelled = await northside.cancel("Hal", "MON", 3)

    assert cancelled["cancellation"]["refund"]["outcome"] == "NEW_BUNDLE"
    assert await northside.holdings("Hal") == [("RB-BEG", 1, "2027-02-19T10:00:00Z", "ISSUE")]


async def test_who_was_merged_is_no_longer_there(northside: Studio) -> None:
    """X26: not in lists, not by id, and nothing can be done for them."""
    await northside.add_customer("Ida")
    await merge(northside, "Ana", "Hal")

    assert await listed(northside) == ["Ben", "Hal", "Ida"]
    assert await by_id(northside, "Ana") == {"customer": None, "node": None}
    assert codes_of(await merge(northside, "Ana", "Ida")) == ["NOT_FOUND"]
    assert codes_of(await merge(northside, "Ida", "Ana")) == ["NOT_FOUND"]
    await _nothing_can_be_done_for(northside, "Ana")


async def _nothing_can_be_done_for(studio: Studio, name: str) -> None:
    customer = {"customer": studio.ids.customers[name]}
    acts: list[tuple[str, dict[str, Any]]] = [
        ("updateCustomer", {"name": "Ana"}),
        ("giveBundle", {"bundle": studio.ids.bundles["TEN"]}),
        ("bookSession", {"session": studio.session("SAT", 1), "payWith": {"offline": True}}),
        ("bookCourse", {"course": studio.ids.courses["WED"], "payWith": {"offline": True}}),
        ("eraseCustomer", {}),
    ]
    for mutation, asked in acts:
        refused = await studio.codes(mutation, customer | asked, as_="owner")
        assert refused == ["NOT_FOUND"], mutation
    preview = "query ($customer: ID!, $session: ID!) {"
    preview += " bookingOptions(session: $session, customer: $customer) { way } }"
    seen = await studio.query(
        preview, as_="staff", session=studio.session("SAT", 1), **customer
    )
    assert seen == {"bookingOptions": None}


async def test_histories_lead_to_whom_the_merged_became_also_over_two_steps(
    northside: Studio,
) -> None:
    """X26: the ledger is as it was; who is meant by it is who they are now."""
    northside.clock.set("2027-01-20T10:00")
    await northside.cancel("Ana", "MON", 3)
    northside.clock.set("2027-01-22T09:00")
    await northside.book("Ana", "THU", 3)
    await northside.add_customer("Ida")
    await merge(northside, "Ana", "Ida")
    await merge(northside, "Ida", "Hal")

    document = """{ me { bundles { edges { node { entries { edges { node {
      kind actor { kind customer { id name } } } } } } } } } }"""
    for who in ("Ana", "Hal"):
        (held,) = (await northside.query(document, as_=who))["me"]["bundles"]["edges"]
        actor = {
            "kind": "CUSTOMER",
            "customer": {"id": northside.ids.customers["Hal"], "name": "Hal"},
        }
        assert [edge["node"] for edge in held["node"]["entries"]["edges"]] == [
            {"kind": "ISSUE", "actor": actor},
            {"kind": "SPEND", "actor": actor},
        ]


async def test_two_who_share_a_session_or_a_course_are_not_merged(northside: Studio) -> None:
    """X26, J5: one of the places must be given up first; nothing has changed until then."""
    await northside.add_buyer("Ida", "MON")
    await northside.add_customer("Joe")
    northside.clock.set("2027-01-22T09:00")
    await northside.give("Joe", "TEN")
    assert codes_of(await northside.book("Joe", "THU", 3)) == []
    before = await rows_of(northside, northside.ids.customers["Ana"])

    same_course = await merge(northside, "Ana", "Ida")
    same_session = await merge(northside, "Joe", "Ben")

    for refused in (same_course, same_session):
        (reason,) = refused["userErrors"]
        assert (reason["code"], reason["path"]) == ("ALREADY_BOOKED", ["input", "from"])
        assert not {"Ana", "Ida", "Joe", "Ben"} & set(reason["message"].split())
    assert await rows_of(northside, northside.ids.customers["Ana"]) == before
    await northside.cancel("Joe", "THU", 3)
    assert codes_of(await merge(northside, "Joe", "Ben")) == []


async def test_nobody_is_merged_into_themselves(northside: Studio) -> None:
    refused = await merge(northside, "Ana", "Ana")

    assert [(each["code"], each["path"]) for each in refused["userErrors"]] == [
        ("INVALID_INPUT", ["input", "into"])
    ]
    assert await listed(northside) == ["Ana", "Ben", "Hal"]


# Erasing


async def test_nobody_is_erased_who_still_has_a_place(northside: Studio) -> None:
    """X26: in a session to come; what has started does not count."""
    northside.clock.set("2027-02-15T18:29:59")
    refused = await erase(northside, "Ana")
    northside.clock.set("2027-02-15T18:30")
    erased = await erase(northside, "Ana")

    assert [(each["code"], each["path"]) for each in refused["userErrors"]] == [
        ("CUSTOMER_HAS_BOOKINGS", ["input", "customer"])
    ]
    assert erased["customer"] == {
        "id": northside.ids.customers["Ana"],
        "name": "Erased",
        "email": None,
        "erasedAt": "2027-02-15T18:30:00Z",
    }


async def leave_traces(studio: Studio) -> None:
    """Let Ana have cancelled, booked with the credit and been given bundles; it is all over."""
    studio.clock.set("2027-01-20T10:00")
    await studio.cancel("Ana", "MON", 3)
    studio.clock.set("2027-01-22T09:00")
    await studio.book("Ana", "THU", 3)
    studio.clock.set("2027-02-20T12:00")
    await studio.give("Ana", "TEN")
    await studio.give("Ana", "TEN")


async def test_who_is_erased_holds_nothing_any_more_and_the_ledger_says_why(
    northside: Studio,
) -> None:
    """X26, J2, J7: the bundles end; bookings and ledger stay, without a name."""
    await leave_traces(northside)

    await erase(northside, "Ana")

    document = """query ($id: ID!) { customer(id: $id) { name erasedAt
      bookings(first: 100) { edges { node { id } } }
      bundles { edges { node { balance revokedAt entries { edges { node {
        kind amount actor { kind customer { name } staff { name } } } } } } } } } }"""
    ana = northside.ids.customers["Ana"]
    seen = (await northside.query(document, as_="staff", id=ana))["customer"]
    assert seen["name"] == "Erased"
    assert len(seen["bookings"]["edges"]) == 7
    bundles = [edge["node"] for edge in seen["bundles"]["edges"]]
    lines = [[edge["node"] for edge in each["entries"]["edges"]] for each in bundles]
    assert [(each["balance"], each["revokedAt"]) for each in bundles] == [
        (0, "2027-02-20T12:00:00Z")
    ] * 3
    assert [[(line["kind"], line["amount"]) for line in each] for each in lines] == [
        [("ISSUE", 1), ("SPEND", -1)],
        [("ISSUE", 10), ("REVOKE", -10)],
        [("ISSUE", 10), ("REVOKE", -10)],
    ]
    assert lines[0][0]["actor"] == {
        "kind": "CUSTOMER",
        "customer": {"name": "Erased"},
        "staff": None,
    }
    assert lines[1][1]["actor"] == {
        "kind": "STAFF",
        "customer": None,
        "staff": {"name": "owner"},
    }
    assert "Erased" in await northside.attendees("THU", 3)


async def test_who_is_erased_is_not_let_in_again(northside: Studio) -> None:
    """X26: the token names nobody, and nobody can be admitted in their place."""
    await leave_traces(northside)
    await erase(northside, "Ana")

    answer = await northside.ask("{ me { name } }", as_="Ana")

    assert (answer.status, answer.error_codes) == (401, ["UNAUTHENTICATED"])
    assert await listed(northside) == ["Ben", "Hal"]
    seen = await by_id(northside, "Ana")  # as past bookings lead there
    assert seen["customer"] == {"name": "Erased"}
    assert codes_of(await merge(northside, "Ana", "Ben")) == ["NOT_FOUND"]
    await _nothing_can_be_done_for(northside, "Ana")


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)  # PostgreSQL vacuums, some time
async def test_no_byte_of_a_name_is_left_in_the_file(
    northside: Studio, database_url: str
) -> None:
    """X26: not in free space, not in an index, not in the log; merged and erased alike."""
    file = Path(make_url(database_url).database or "")
    for name in ("Xanthippe", "Quetzalcoatl", "Ümläut-Zyx"):
        asked = {"name": name, "email": f"{name[0]}.vwxq@example.com"}
        made = await northside.do("createCustomer", asked, "customer { id }", as_="owner")
        northside.ids.customers[name] = made["customer"]["id"]
    await northside.admit("Xanthippe")
    await _be_noted(northside, "Xanthippe")
    before = bytes_of(file)

    await erase(northside, "Xanthippe")
    await merge(northside, "Quetzalcoatl", "Ben")
    named = {"customer": northside.ids.customers["Ümläut-Zyx"], "name": "Y", "email": None}
    await northside.do("updateCustomer", named, as_="owner")

    after = bytes_of(file)
    for piece in ("xanthippe", "quetzalcoatl", "mläut", "umlaut-zyx", "vwxq"):
        assert piece.encode() in before, piece
        assert piece.encode() not in after, piece


async def _be_noted(studio: Studio, name: str) -> None:
    """Leave a note wherever staff can write one; it is all over then."""
    note = f"For {name}, with thanks"
    key = {"idempotencyKey": f"{name} books the Mondays"}
    mondays = {"course": studio.ids.courses["MON"], "payWith": {"offline": True}, **key}
    paid = "courseBooking { payment { id } }"
    booked = await studio.do("bookCourse", mondays, paid, as_=name)
    await studio.mark_paid(booked["courseBooking"]["payment"]["id"])
    await studio.cancel(name, "MON", 1, by="staff", refund="GOODWILL", reason=note)
    await studio.cancel(name, "MON", 2, by="staff", refund="NONE")
    second = await studio.booking(name, "MON", 2)
    ten = {"bundle": studio.ids.bundles["TEN"], "customer": studio.ids.customers[name]}
    given = await studio.do(
        "giveBundle", {**ten, "note": note}, "customerBundle { id }", as_="staff"
    )
    await studio.do("markRefunded", {"booking": second, "note": note}, as_="staff")
    revoked = {"customerBundle": given["customerBundle"]["id"], "note": note}
    await studio.do("revokeBundle", revoked, as_="staff")
    studio.clock.set("2027-03-01T12:00")


def bytes_of(file: Path) -> bytes:
    """Read all that SQLite has written, in small letters, once the log is part of the file."""
    with closing(sqlite3.connect(file)) as connection:
        (busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert not busy
    files = sorted(file.parent.glob(f"{file.name}*"))
    return b"".join(each.read_bytes() for each in files).lower()
