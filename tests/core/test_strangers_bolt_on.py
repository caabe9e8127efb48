"""S25: a stranger's bolt-on does all that ours do, and one that fails harms nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from structlog.testing import capture_logs

from classbolt import BoltOn, BoltOnInfo, Booking, Tx, mine
from classbolt.bolt_ons import BoltOns
from classbolt.db import Caller, Database
from classbolt.migrate import components, downgrade, drift, upgrade
from classbolt.tables import bookings, cancellations, credit_entries
from classbolt_auto_refund import AutoRefund
from classbolt_drop_in import DropIn
from makeup_cap.bolt_on import LIMIT, MakeupCap, counts
from studio import Clock, Studio, codes_of, open_studio, serving

MAKEUPS = "{ me { bookings(first: 1) { edges { node { courseBooking { makeupsLeft } } } } } }"
ROWS = (bookings, cancellations, credit_entries, counts)


class Grumpy(BoltOn):
    """A bolt-on with a bug."""

    info = BoltOnInfo("grumpy", "Grumpy", "It fails at every booking.", "0.0.1")

    async def bookings_written(
        self, tx: Tx, bookings: Sequence[Booking], now: datetime
    ) -> None:
        del tx, now
        raise ZeroDivisionError(f"not again: {len(bookings)}")


INSTALLED = BoltOns([MakeupCap(), Grumpy(), AutoRefund(), DropIn()])
ALL = components(INSTALLED.installed.values())


@pytest.fixture
async def studio(database_url: str, tmp_path: Path) -> AsyncIterator[Studio]:
    """Serve an installation that has the strangers too."""
    await upgrade(database_url, ALL)
    clock, database = Clock(), Database(database_url, INSTALLED)
    async with serving(database, tmp_path, INSTALLED, clock) as (client, settings):
        yield await open_studio("northside", client, settings, database, clock)


@pytest.fixture
async def northside(studio: Studio) -> Studio:
    """Fixture F, with the cap on before Ana buys the Mondays."""
    await studio.set_up(bolt_ons=["auto_refund", "drop_in", "makeup_cap"])
    studio.clock.set("2027-01-05T10:00")
    return studio


async def counted(studio: Studio) -> list[int]:
    """Count the rows of the account that a booking or a cancellation would add to."""
    async with studio.database.read(Caller(studio.slug)) as tx:
        return [
            await tx.scalar(select(func.count()).select_from(table).where(mine(table)))
            for table in ROWS
        ]


async def makeups_left(studio: Studio, name: str) -> int | None:
    found = await studio.query(MAKEUPS, as_=name)
    (edge,) = found["me"]["bookings"]["edges"]
    left: int | None = edge["node"]["courseBooking"]["makeupsLeft"]
    return left


def refund(given: dict[str, Any]) -> tuple[str, str | None]:
    """Sum up what a cancellation gave, or a preview of it: the outcome and why nothing."""
    return given["outcome"], given["reason"] and given["reason"]["code"]


async def cancel(studio: Studio, name: str, number: int) -> tuple[str, str | None]:
    """Cancel a session of the Mondays and say what that gave."""
    cancelled = await studio.cancel(name, "MON", number)
    assert cancelled["booking"]["status"] == "CANCELLED"
    return refund(cancelled["cancellation"]["refund"])


async def test_the_third_cancellation_gives_nothing_and_the_preview_said_so(
    northside: Studio,
) -> None:
    """S25, B1: nor is a place swapped for a credit that would not be given."""
    assert await makeups_left(northside, "Ana") == LIMIT
    for number in (1, 2):
        assert await cancel(northside, "Ana", number) == ("NEW_BUNDLE", None)
    assert await makeups_left(northside, "Ana") == 0

    preview = await northside.preview("Ana", "MON", 3)
    third = await cancel(northside, "Ana", 3)

    assert refund(preview) == third == ("NONE", "MAKEUP_CAP_REACHED")
    assert await northside.seats_left("MON", 3) == 10
    assert [balance for _, balance, *_ in await northside.holdings("Ana")] == [1, 1]

    before = await counted(northside)
    swapped = await northside.swap("Ana", ("MON", 4), ("THU", 1))
    (error,) = swapped["userErrors"]
    assert (error["__typename"], error["code"]) == (
        "MakeupCapReachedError",
        "MAKEUP_CAP_REACHED",
    )
    assert await counted(northside) == before


async def test_credits_are_counted_by_the_course_that_was_bought(northside: Studio) -> None:
    """S25, B7: also when the business calls off; what was refused anyway does not count."""
    await northside.add_buyer("Kim", "MON")
    for number in (1, 2):
        await cancel(northside, "Ana", number)

    ended = (await northside.call_off("MON", 3))["cancellations"]

    assert {refund(each["refund"]) for each in ended} == {
        ("NEW_BUNDLE", None),
        ("NONE", "MAKEUP_CAP_REACHED"),
    }
    assert await makeups_left(northside, "Kim") == 1
    northside.clock.set("2027-01-31T20:00")
    assert await cancel(northside, "Kim", 4) == ("NONE", "NOTICE_TOO_SHORT")
    assert await makeups_left(northside, "Kim") == 1
    assert await makeups_left(northside, "Ben") == LIMIT


async def test_of_cancellations_at_once_no_more_than_the_cap_are_refunded(
    northside: Studio,
) -> None:
    """S25."""
    wanted = [await northside.booking("Ana", "MON", number) for number in range(1, 7)]

    await asyncio.gather(
        *(northside.mutate("cancelBooking", {"booking": each}, as_="Ana") for each in wanted)
    )

    assert len(await northside.holdings("Ana")) == LIMIT
    assert await makeups_left(northside, "Ana") == 0


async def test_an_account_that_did_not_switch_them_on_does_not_notice_them(
    northside: Studio,
) -> None:
    """S25, I2."""
    await northside.switch("grumpy", on=True)
    southside = await open_studio(
        "southside", northside.client, northside.settings, northside.database, northside.clock
    )
    southside.clock.set("2027-01-04T12:00")

    await southside.set_up(bolt_ons=["auto_refund", "drop_in"])
    for number in (1, 2, 3):
        assert await cancel(southside, "Ana", number) == ("NEW_BUNDLE", None)
    southside.clock.set("2027-01-22T09:00")
    assert codes_of(await southside.book("Ana", "THU", 3)) == []
    assert await makeups_left(southside, "Ana") is None

    await southside.switch("makeup_cap", on=True)
    assert await cancel(southside, "Ana", 5) == ("NEW_BUNDLE", None)
    assert await makeups_left(southside, "Ana") is None  # it was bought before
    assert await southside.codes("disableBoltOn", {"boltOn": "auto_refund"}, as_="owner") == [
        "BOLT_ON_CONFLICT"
    ]


async def test_a_bolt_on_that_fails_is_named_and_nothing_is_changed(northside: Studio) -> None:
    """S25, X28."""
    await cancel(northside, "Ana", 1)
    northside.clock.set("2027-01-22T09:00")
    await northside.switch("grumpy", on=True)
    before = await counted(northside)
    failed = "userErrors { code ... on BoltOnFailedError { boltOn } }"
    asked = {
        "bookSession": {"session": northside.session("THU", 3), "payWith": {"credit": {}}},
        "swapBooking": {
            "booking": await northside.booking("Ana", "MON", 4),
            "toSession": northside.session("THU", 3),
        },
    }

    for mutation, wanted in asked.items():
        kind = mutation[0].upper() + mutation[1:]
        document = f"mutation ($it: {kind}Input!) {{ {mutation}(input: $it) {{ {failed} }} }}"
        with capture_logs() as logs:
            answer = await northside.query(document, it=wanted, as_="Ana")

        assert answer[mutation]["userErrors"] == [
            {"code": "BOLT_ON_FAILED", "boltOn": "grumpy"}
        ]
        (line,) = [each for each in logs if each["event"] == "bolt_on_failed"]
        assert (line["bolt_on"], line["hook"]) == ("grumpy", "bookings_written")

    assert await counted(northside) == before
    assert await northside.places("Ana", "MON") == [2, 3, 4, 5, 6]
    assert [balance for _, balance, *_ in await northside.holdings("Ana")] == [1]

    await northside.switch("grumpy", on=False)
    assert codes_of(await northside.book("Ana", "THU", 3)) == []


async def test_its_tables_are_its_own_to_add_and_to_take_away(database_url: str) -> None:
    """S25, I8."""
    (cap,) = [each for each in ALL if each.name == "makeup_cap"]

    assert await upgrade(database_url, ALL) == ["makeup_cap 0001"]
    assert await drift(database_url, ALL) == []
    await downgrade(database_url, cap, "base")
    assert await drift(database_url, [each for each in ALL if each is not cap]) == []
