"""Set up two studios alike, so that whatever is asked for in one has its like in the other.

Both are fixture F, and in both Ben and Kim hold one of everything that a customer can hold.
They are set up once per database and process, then copied: it takes a hundred requests.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy import select

from at_work import dead_job
from classbolt.bolt_ons import BoltOns
from classbolt.db import Caller, Database, Tx
from classbolt.migrate import components
from classbolt.tables import accounts, staff
from classbolt.testing.databases import Kind, Seed
from classbolt.values import Role
from classbolt_schema.ids import encode
from classbolt_schema.server import demo
from neighbours import Ids, Neighbours
from studio import Clock, Studio, open_studio, serving

T = TypeVar("T")

SLUGS = ("north", "south")
NOW = "2027-01-10T12:00"
STRIPE_KEYS = {
    "restrictedKey": "rk_test_51Studio",
    "publishableKey": "pk_test_51Studio",
    "webhookSecret": "whsec_Studio",
}
PEOPLE = ("owner", "manager", "staff", "Ben", "Kim")


class Forgetful(Database):
    """A database that does every write and then forgets it: each is asked of the same rows."""

    async def _write(self, caller: Caller, work: Callable[[Tx], Awaitable[T]]) -> T:
        async with self._writer.connect() as connection:
            return await work(await self._open(connection, caller, writes=True))


@dataclass(frozen=True)
class Furnished:
    """What was set up in both studios.

    Attributes:
        ids: What there is in each, by short names.
        held: What Ben and Kim hold, in the north and then in the south.
    """

    ids: tuple[demo.Studio, demo.Studio]
    held: tuple[Ids, Ids, Ids, Ids]


class TwoStudios:
    """Sets both studios up once for each kind of database, and serves copies of them."""

    def __init__(self, bolt_ons: BoltOns, data: Path) -> None:
        self._bolt_ons = bolt_ons
        self._data = data
        self._furnished: dict[Kind, Furnished] = {}

    def seed(self, kind: Kind) -> Seed:
        """Say what fills a database of this kind."""
        return Seed("two studios", partial(self.fill, kind))

    async def fill(self, kind: Kind, url: str) -> None:
        """Set both studios up in a migrated database."""
        database, clock = Database(url, self._bolt_ons), Clock()
        clock.set(NOW)
        async with serving(database, self._data, self._bolt_ons, clock) as (client, settings):
            north, south = [
                await open_studio(slug, client, settings, database, clock) for slug in SLUGS
            ]
            held = (*await _furnish(north), *await _furnish(south))
        self._furnished[kind] = Furnished((north.ids, south.ids), held)

    @asynccontextmanager
    async def neighbours(self, kind: Kind, url: str) -> AsyncIterator[Neighbours]:
        """Serve both studios twice from one copy: once by a server that forgets."""
        found, clock = self._furnished[kind], Clock()
        clock.set(NOW)
        database, forgetful = Database(url, self._bolt_ons), Forgetful(url, self._bolt_ons)
        async with (
            serving(database, self._data, self._bolt_ons, clock) as (client, settings),
            serving(forgetful, self._data, self._bolt_ons, clock) as (asks_in_vain, _),
        ):
            north, south = [
                Studio(slug, client, clock, settings, database, deepcopy(ids))
                for slug, ids in zip(SLUGS, found.ids, strict=True)
            ]
            for studio in (north, south):
                studio.admitted = set(PEOPLE)
            yield Neighbours(
                north,
                south,
                *found.held,
                client=client,
                forgetful=asks_in_vain,
                tables=tuple(
                    table
                    for each in components(self._bolt_ons.installed.values())
                    for table in each.metadata.sorted_tables
                ),
            )


async def _furnish(studio: Studio) -> tuple[Ids, Ids]:
    """Set up fixture F, and let Ben and Kim hold one of everything."""
    await studio.set_up(bolt_ons=["auto_refund", "drop_in"])
    await _add_what_is_its_own(studio)
    offer = {
        "priceMinor": 1200,
        "opensBefore": {"value": 2, "unit": "WEEKS"},
        "paymentMethods": ["credit", "offline"],
        "cap": 5,
    }
    fridays = [f"2027-01-{day}T18:00" for day in (15, 22, 29)]
    await studio.add_course("FRI", *fridays, dropIn=offer)
    await studio.call_off("FRI", 3)
    await studio.change("SAT", 6, startsAt="2027-02-20T11:00:00Z")
    await studio.add_customer("Eve")
    for person in PEOPLE:
        await studio.token(person)
    thursdays = await studio.book_course("Kim", "THU")
    await studio.mark_paid(thursdays["courseBooking"]["payment"]["id"])
    bens, kims = await _serve(studio, "Ben"), await _serve(studio, "Kim")
    linked = {"StripeLink": await stripe_link(studio)}
    return {**bens, **linked}, {**kims, **linked}


async def stripe_link(studio: Studio) -> str:
    """Link a studio with Stripe, and give the link's id."""
    fields = "account { stripe { id } }"
    made = await studio.do("linkStripe", STRIPE_KEYS, fields, as_="owner")
    return str(made["account"]["stripe"]["id"])


async def _add_what_is_its_own(studio: Studio) -> None:
    """Add words that only this studio has, to know them by wherever they turn up."""
    own = f"Only in {studio.slug}"
    bundle = {"name": own, "credits": 2, "validity": {"value": 9, "unit": "DAYS"}}
    await studio.do("createTag", {"name": own}, as_="owner")
    await studio.do("createBundle", {**bundle, "onSale": True}, as_="owner")
    await studio.do("createCourse", {"title": own, "priceMinor": 0}, as_="owner")
    for name in ("Ben", "Kim"):
        person = {
            "name": f"{name} of {studio.slug}",
            "email": f"{name.lower()}@{studio.slug}.example",
        }
        if name in studio.ids.customers:
            person["customer"] = studio.ids.customers[name]
            await studio.do("updateCustomer", person, as_="owner")
        else:
            made = await studio.do("createCustomer", person, "customer { id }", as_="owner")
            studio.ids.customers[name] = made["customer"]["id"]


async def _serve(studio: Studio, name: str) -> Ids:
    """Let a customer who bought the Thursdays hold one of everything else."""
    ids, note = studio.ids, f"A note on {name} of {studio.slug}"
    owed = (await studio.book_course(name, "MON"))["courseBooking"]
    held = await _give(studio, name, note)
    await studio.book(name, "WED", 1)
    await studio.cancel(name, "THU", 2)
    await studio.cancel(name, "THU", 5, by="staff", refund="GOODWILL", reason=note)
    await studio.cancel(name, "MON", 2)  # which gives nothing, for it is not paid
    refunded = await studio.booking(name, "MON", 2)
    await studio.do("markRefunded", {"booking": refunded, "note": note}, as_="staff")
    revoked = await _give(studio, name, note)
    await studio.do("revokeBundle", {"customerBundle": revoked}, as_="staff")
    return {
        "Staff": await _manager_of(studio),
        "Job": await dead_job(studio),
        "Tag": ids.tags["BEG"],
        "Bundle": ids.bundles["RB-BEG"],
        "Course": ids.courses["SAT"],
        "Session": studio.session("FRI", 1),
        "Customer": ids.customers[name],
        "CustomerBundle": held,
        "CourseBooking": owed["id"],
        "Payment": owed["payment"]["id"],
        "Booking": await studio.booking(name, "THU", 3),
        "MarkRefundedInput.booking": refunded,
        "MergeCustomersInput.into": ids.customers["Eve"],
        "EraseCustomerInput.customer": ids.customers["Eve"],
        "SwapBookingInput.booking": await studio.booking(name, "THU", 4),
        "SwapBookingInput.toSession": studio.session("FRI", 2),
    }


async def _give(studio: Studio, name: str, note: str) -> str:
    asked = {"customer": studio.ids.customers[name], "bundle": studio.ids.bundles["TEN"]}
    fields = "customerBundle { id }"
    given = await studio.do("giveBundle", {**asked, "note": note}, fields, as_="staff")
    return str(given["customerBundle"]["id"])


async def _manager_of(studio: Studio) -> str:
    manager = (
        select(staff.c.id)
        .join(accounts, accounts.c.id == staff.c.account_id)
        .where(accounts.c.slug == studio.slug, staff.c.role == Role.MANAGER)
    )
    found = await studio.database.run(lambda connection: connection.execute(manager))
    return encode("Staff", found.scalar_one())
