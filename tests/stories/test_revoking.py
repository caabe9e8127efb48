"""Staff take credits away or let them be valid for longer, and the ledger says who did."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from sqlalchemy import bindparam, update

from classbolt import amend, holdings
from classbolt.checks import mine
from classbolt.db import Tx
from classbolt.tables import customer_bundles
from classbolt.values import CustomerBundleId
from invariants import broken
from studio import Studio, codes_of

IN_JANUARY = "2027-01-22T09:00"
"""When THU 28 Jan is open to drop-ins."""
REVOKED = "customerBundle { balance revokedAt expiresAt }"
LEDGER = """{ me { bundles { edges { node { balance revokedAt entries { edges { node {
  kind amount by enteredAt booking { id } } } } } } } } }"""


async def held(studio: Studio, name: str) -> list[dict[str, Any]]:
    """Show what a customer holds, each with its ledger."""
    found = await studio.query(LEDGER, as_=name)
    return [
        {
            **edge["node"],
            "entries": [
                (line["node"]["kind"], line["node"]["amount"], line["node"]["by"])
                for line in edge["node"]["entries"]["edges"]
            ],
        }
        for edge in found["me"]["bundles"]["edges"]
    ]


async def revoke(studio: Studio, bundle: str, **more: str) -> dict[str, Any]:
    asked = {"customerBundle": bundle, **more}
    return await studio.do("revokeBundle", asked, REVOKED, as_="staff")


async def extend(studio: Studio, bundle: str, expires_at: str) -> dict[str, Any]:
    asked = {"customerBundle": bundle, "expiresAt": expires_at}
    return await studio.mutate("extendBundle", asked, REVOKED, as_="staff")


# Revoking


async def test_what_is_left_of_a_bundle_is_taken_away(northside: Studio) -> None:
    """X24, J2: what was spent before stays booked."""
    northside.clock.set(IN_JANUARY)
    ten = await northside.give("Ana", "TEN")
    await northside.book("Ana", "THU", 3)
    northside.clock.set("2027-01-23T09:00")

    revoked = await revoke(northside, ten, note="Given by mistake")

    assert revoked["customerBundle"] == {
        "balance": 0,
        "revokedAt": "2027-01-23T09:00:00Z",
        "expiresAt": "2027-04-22T08:00:00Z",
    }
    assert await held(northside, "Ana") == [
        {
            "balance": 0,
            "revokedAt": "2027-01-23T09:00:00Z",
            "entries": [
                ("ISSUE", 10, "STAFF"),
                ("SPEND", -1, "CUSTOMER"),
                ("REVOKE", -9, "STAFF"),
            ],
        }
    ]
    assert await northside.attendees("THU", 3) == ["Ben", "Ana"]


async def test_revoking_again_changes_nothing(northside: Studio) -> None:
    ten = await northside.give("Ana", "TEN")
    first = await revoke(northside, ten)
    before = await held(northside, "Ana")
    northside.clock.set(IN_JANUARY)

    again = await revoke(northside, ten, note="Really")

    assert again == first
    assert await held(northside, "Ana") == before


async def test_an_empty_bundle_is_revoked_without_a_line(northside: Studio) -> None:
    """The ledger tells how balances moved, and this one did not."""
    northside.clock.set(IN_JANUARY)
    bundle = await northside.give("Ana", "RB-BEG")
    await northside.book("Ana", "THU", 3)

    await revoke(northside, bundle)

    (only,) = await held(northside, "Ana")
    assert only["revokedAt"] == "2027-01-22T09:00:00Z"
    assert [kind for kind, *_ in only["entries"]] == ["ISSUE", "SPEND"]


async def test_what_was_revoked_pays_for_nothing(northside: Studio) -> None:
    """X24: named or not."""
    northside.clock.set(IN_JANUARY)
    ten = await northside.give("Ana", "TEN")
    await revoke(northside, ten)

    named = await northside.book("Ana", "THU", 3, {"credit": {"customerBundle": ten}})

    assert codes_of(named) == ["INSUFFICIENT_CREDITS"]
    assert "NO_MATCHING_CREDIT" in codes_of(await northside.book("Ana", "THU", 3))
    assert await northside.seats_left("THU", 3) == 9


async def test_a_note_that_cannot_be_kept_is_refused(northside: Studio) -> None:
    ten = await northside.give("Ana", "TEN")

    for note in ("", " ", "x" * 501, "\a"):
        asked = {"customerBundle": ten, "note": note}
        assert await northside.codes("revokeBundle", asked, as_="staff") == ["INVALID_INPUT"]
    assert [each["balance"] for each in await held(northside, "Ana")] == [10]
    await revoke(northside, ten, note="x" * 500)


async def test_staff_revoke_and_extend_what_is_their_own_business_only(
    northside: Studio, southside: Studio
) -> None:
    """J6."""
    ten = await northside.give("Ana", "TEN")
    later = "2027-12-31T00:00:00Z"

    for mutation, more in (("revokeBundle", {}), ("extendBundle", {"expiresAt": later})):
        asked = {"customerBundle": ten, **more}
        assert await southside.codes(mutation, asked, as_="owner") == ["NOT_FOUND"]
        assert await northside.codes(mutation, asked, as_="Ana") == ["FORBIDDEN"]
        assert await northside.codes(mutation, asked, as_=None) == ["UNAUTHENTICATED"]
    assert await northside.holdings("Ana") == [("TEN", 10, "2027-04-04T11:00:00Z", "ISSUE")]


# Extending


async def test_a_bundle_is_valid_until_the_later_moment(northside: Studio) -> None:
    """D8, D9: also one that had expired, whose credits can be spent again."""
    northside.clock.set("2027-01-10T12:00")
    await northside.add_bundle("SIX DAYS", 6, "BEG")
    bundle = await northside.give("Ana", "SIX DAYS")
    northside.clock.set(IN_JANUARY)
    expired = codes_of(await northside.book("Ana", "THU", 3))

    extended = await extend(northside, bundle, "2027-01-28T19:00:01Z")

    assert "CREDIT_EXPIRED" in expired
    assert extended["customerBundle"]["expiresAt"] == "2027-01-28T19:00:01Z"
    assert codes_of(await northside.book("Ana", "THU", 3)) == []
    assert await northside.holdings("Ana") == [
        ("SIX DAYS", 0, "2027-01-28T19:00:01Z", "ISSUE SPEND")
    ]


async def test_a_bundle_is_not_shortened_nor_extended_into_the_past(northside: Studio) -> None:
    """D8: to the moment that it has already is no harm."""
    ten = await northside.give("Ana", "TEN")
    expires_at = "2027-04-04T11:00:00Z"

    shorter = await extend(northside, ten, "2027-04-04T10:59:59Z")
    same = await extend(northside, ten, expires_at)
    northside.clock.set("2027-05-01T12:00")
    past = await extend(northside, ten, "2027-05-01T12:00:00Z")

    place = ("INVALID_INPUT", ["input", "expiresAt"])
    for refused in (shorter, past):
        assert [(each["code"], each["path"]) for each in refused["userErrors"]] == [place]
    assert same["customerBundle"]["expiresAt"] == expires_at
    assert await northside.holdings("Ana") == [("TEN", 10, expires_at, "ISSUE")]


async def test_what_was_revoked_is_not_extended(northside: Studio) -> None:
    """D8."""
    ten = await northside.give("Ana", "TEN")
    await revoke(northside, ten)

    refused = await extend(northside, ten, "2027-12-31T00:00:00Z")

    assert [(each["code"], each["path"]) for each in refused["userErrors"]] == [
        ("INVALID_INPUT", ["input", "customerBundle"])
    ]


# At the same moment


ROUNDS = 5
PATIENCE = 20
TARGETS = [("MANY", number) for number in range(1, 7)]
REVOKE_UNGUARDED = (
    update(customer_bundles)
    .where(
        mine(customer_bundles),
        customer_bundles.c.id.in_(bindparam("ids", expanding=True)),
        bindparam("left") >= 0,
    )
    .values(balance=0, revoked_at=bindparam("now"))
    .returning(customer_bundles.c.id)
)


async def open_many(studio: Studio) -> None:
    """Add a course of six sessions that credits can pay for at once."""
    offer = {"priceMinor": 1200, "opensBefore": {"value": 30, "unit": "DAYS"}}
    starts = [f"2027-01-25T{9 + number:02}:00" for _, number in TARGETS]
    await studio.add_course("MANY", *starts, dropIn=offer)
    studio.clock.set(IN_JANUARY)
    await studio.token("staff")


async def revoke_while_spending(
    studio: Studio, name: str
) -> tuple[Counter[str], dict[str, Any]]:
    """Revoke a bundle of ten credits while six are being spent, and show what is left."""
    await studio.add_customer(name)
    await studio.token(name)
    ten = await studio.give(name, "TEN")
    credit = {"credit": {"customerBundle": ten}}
    asks = [studio.book(name, *target, credit) for target in TARGETS]
    revoking = studio.mutate("revokeBundle", {"customerBundle": ten}, REVOKED, as_="staff")

    *booked, revoked = await asyncio.gather(*asks, revoking)

    assert codes_of(revoked) == []
    outcomes = Counter(" ".join(codes_of(each)) or "DONE" for each in booked)
    (only,) = await held(studio, name)
    return outcomes, only


async def test_what_is_revoked_while_it_is_spent_is_spent_or_revoked(northside: Studio) -> None:
    """X24, J2: who comes second finds the bundle empty; every credit is accounted for."""
    await open_many(northside)

    for number in range(ROUNDS):
        outcomes, left = await revoke_while_spending(northside, f"Guest {number}")

        assert set(outcomes) <= {"DONE", "INSUFFICIENT_CREDITS"}
        spent = outcomes["DONE"]
        assert left["balance"] == 0
        assert left["entries"] == [
            ("ISSUE", 10, "STAFF"),
            *[("SPEND", -1, "CUSTOMER")] * spent,
            ("REVOKE", spent - 10, "STAFF"),
        ]


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
async def test_credits_are_revoked_that_were_spent_if_nothing_guards_them(
    unwatched: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Say what lock and guard are for, on PostgreSQL: SQLite's writer is alone."""

    async def lock_nothing(_tx: Tx, _ids: Iterable[CustomerBundleId]) -> None:
        return

    monkeypatch.setattr(holdings, "lock_bundles", lock_nothing)
    monkeypatch.setattr(amend, "REVOKE", REVOKE_UNGUARDED)
    await open_many(unwatched)

    wrong: dict[str, int] = {}
    for number in range(PATIENCE):
        await revoke_while_spending(unwatched, f"Guest {number}")
        if wrong := await broken(unwatched.database.url):
            break

    assert "J2 a balance is the sum of its ledger, and never negative" in wrong
