"""Who books, cancels or swaps at the very moment at which they are merged or erased (X26)."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncConnection

from classbolt import customers, tables
from classbolt_schema.ids import decode
from studio import Studio

pytestmark = pytest.mark.unmeasured  # they come by nothing new, but often

ROUNDS = 5
PATIENCE = 20
TRY_AGAIN = "TRY_AGAIN"
DEADLOCK = "40P01"
TARGETS = [("SAT", 2), ("SAT", 3), ("WED", 2), ("WED", 3)]
OWNED = (tables.bookings, tables.payments, tables.customer_bundles, tables.course_bookings)


@pytest.fixture
async def open_studio(northside: Studio) -> Studio:
    """Fixture F before its courses begin; four sessions take drop-ins already."""
    return await opened(northside)


async def opened(northside: Studio) -> Studio:
    """Let four sessions take drop-ins already."""
    month = {"value": 30, "unit": "DAYS"}
    for course, number in TARGETS:
        offer = {"priceMinor": 1200, "opensBefore": month, "paymentMethods": ["offline"]}
        await northside.change(course, number, dropIn=offer)
    northside.clock.set("2027-01-08T12:00")
    for name in ("owner", "Hal"):
        await northside.token(name)
    return northside


async def at_once(asks: Sequence[Coroutine[Any, Any, dict[str, Any]]]) -> list[str]:
    """Let all ask at the same moment, and put each answer into a word."""
    payloads = await asyncio.gather(*asks)
    return [
        " ".join(error["code"] for error in payload["userErrors"]) or "DONE"
        for payload in payloads
    ]


async def left_with(studio: Studio, name: str) -> int:
    """Count the rows that belong to a customer, their token's apart."""
    key = decode("Customer", studio.ids.customers[name])

    async def count(connection: AsyncConnection) -> int:
        rows = [select(func.count()).where(table.c.customer_id == key) for table in OWNED]
        return sum([int((await connection.execute(each)).scalar_one()) for each in rows])

    return await studio.database.run(count)


@contextmanager
def contention(studio: Studio) -> Iterator[list[str]]:
    """Collect PostgreSQL's codes for deadlocks and the like; they are retried and not seen."""
    codes: list[str] = []

    def note(context: ExceptionContext) -> None:
        codes.append(str(getattr(context.original_exception, "sqlstate", "SQLite")))

    engine = studio.database.engines[0].sync_engine
    event.listen(engine, "handle_error", note)
    try:
        yield codes
    finally:
        event.remove(engine, "handle_error", note)


async def merge_while_booking(studio: Studio, name: str) -> list[str]:
    """Merge a newcomer into Hal's new namesake while they book four sessions."""
    kept = f"{name} again"
    await studio.add_customer(kept)
    await studio.add_customer(name)
    await studio.token(name)
    merge = {"from": studio.ids.customers[name], "into": studio.ids.customers[kept]}
    return await at_once(
        [
            *(studio.book(name, *target, {"offline": True}) for target in TARGETS),
            studio.mutate("mergeCustomers", merge, as_="owner"),
        ]
    )


async def test_whatever_is_booked_during_a_merge_belongs_to_who_stays(
    open_studio: Studio,
) -> None:
    """X26: what came before moves along, what came after is booked for the other one."""
    for number in range(ROUNDS):
        name = f"Guest {number}"

        *booked, merged = await merge_while_booking(open_studio, name)

        assert merged == "DONE"
        assert set(booked) <= {"DONE", TRY_AGAIN}
        assert await left_with(open_studio, name) == 0
        places = await open_studio.places(name, "SAT") + await open_studio.places(name, "WED")
        assert len(places) == booked.count("DONE")  # seen with the old token, by who they are


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
async def test_a_booking_slips_past_a_merge_if_nobody_holds_the_customer(
    unwatched: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Say why the row is held, on PostgreSQL: SQLite's writer is alone."""
    studio = await opened(unwatched)
    monkeypatch.setattr(customers, "HOLD", customers.THERE)
    left = 0

    for number in range(PATIENCE):
        await merge_while_booking(studio, f"Guest {number}")
        left = await left_with(studio, f"Guest {number}")
        if left:
            break

    assert left > 0


async def erase_while_booking(studio: Studio, name: str) -> list[str]:
    """Erase a newcomer while they book four sessions."""
    customer = {"customer": await studio.add_customer(name)}
    await studio.token(name)
    return await at_once(
        [
            *(
                studio.mutate(
                    "bookSession",
                    {
                        **customer,
                        "session": studio.session(*target),
                        "payWith": {"offline": True},
                    },
                    as_="owner",
                )
                for target in TARGETS
            ),
            studio.mutate("eraseCustomer", customer, as_="owner"),
        ]
    )


async def test_who_is_erased_has_no_place_and_who_has_a_place_is_not_erased(
    open_studio: Studio,
) -> None:
    """X26: one of the two comes first, and the other one is refused."""
    for number in range(ROUNDS):
        *booked, erased = await erase_while_booking(open_studio, f"Guest {number}")

        if erased == "DONE":
            assert set(booked) == {"NOT_FOUND"}
            assert await left_with(open_studio, f"Guest {number}") == 0
        else:
            assert erased == "CUSTOMER_HAS_BOOKINGS"
            assert set(booked) == {"DONE"}


async def test_a_cancellation_during_a_merge_gives_its_credit_to_who_stays(
    open_studio: Studio,
) -> None:
    """X26, J2: and neither waits for the other in a circle."""
    with contention(open_studio) as codes:
        for number in range(ROUNDS):
            name, kept = f"Guest {number}", f"Guest {number} again"
            await open_studio.add_customer(kept)
            await open_studio.add_buyer(name, "MON")
            await open_studio.token(name)
            bookings = [await open_studio.booking(name, "MON", each) for each in (3, 4, 5)]
            merge = {
                "from": open_studio.ids.customers[name],
                "into": open_studio.ids.customers[kept],
            }

            outcomes = await at_once(
                [
                    *(
                        open_studio.mutate("cancelBooking", {"booking": each}, as_="owner")
                        for each in bookings
                    ),
                    open_studio.mutate("mergeCustomers", merge, as_="owner"),
                ]
            )

            assert outcomes == ["DONE"] * 4
            assert await left_with(open_studio, name) == 0
            assert [each[:2] for each in await open_studio.holdings(name)] == [
                ("RB-BEG", 1)
            ] * 3
    assert DEADLOCK not in codes


async def test_a_swap_during_a_merge_ends_with_who_stays(open_studio: Studio) -> None:
    """X26: the new place as well as the credit that was given and spent for it."""
    for number in range(ROUNDS):
        name, kept = f"Guest {number}", f"Guest {number} again"
        await open_studio.add_customer(kept)
        await open_studio.add_buyer(name, "MON")
        await open_studio.token(name)
        merge = {
            "from": open_studio.ids.customers[name],
            "into": open_studio.ids.customers[kept],
        }
        swap = {
            "booking": await open_studio.booking(name, "MON", 3),
            "toSession": open_studio.session("THU", 1),
        }

        swapped, merged = await at_once(
            [
                open_studio.mutate("swapBooking", swap, as_="owner"),
                open_studio.mutate("mergeCustomers", merge, as_="owner"),
            ]
        )

        assert merged == "DONE"
        assert swapped in {"DONE", TRY_AGAIN}
        assert await left_with(open_studio, name) == 0
        assert await open_studio.places(name, "THU") == ([1] if swapped == "DONE" else [])
