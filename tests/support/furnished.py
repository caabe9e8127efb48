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
from played import CardReader, double, gateway, stripe_link
from studio import Clock, Studio, open_studio, serving

T = TypeVar("T")

SLUGS = ("north", "south")
NOW = "2027-01-10T12:00"
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
    held: tuple[Ids, ...]


class TwoStudios:
    """Sets both studios up once for each kind of database, and serves copies of them."""

    def __init__(self, bolt_ons: BoltOns, data: Path) -> None:
        self._bolt_ons = bolt_ons
        self._data = data
        self._furnished: dict[Kind, Furnished] = {}
        self._stripe = double()

    def seed(self, kind: Kind) -> Seed:
        """Say what fills a database of this kind."""
        return Seed("two studios", partial(self.fill, kind))

    async def fill(self, kind: Kind, url: str) -> None:
        """Set both studios up in a migrated database."""
        database, clock = Database(url, self._bolt_ons), Clock()
        clock.set(NOW)
        stripe = gateway(self._stripe)
        async with serving(database, self._data, self._bolt_ons, clock, gateway=stripe) as (
            client,
            settings,
        ):
            north, south = [
                await open_studio(slug, client, settings, database, clock) for slug in SLUGS
            ]
            readers = [
                CardReader(each, self._stripe, self._bolt_ons) for each in (north, south)
            ]
            held = [each for reader in readers for each in await _furnish(reader)]
        self._furnished[kind] = Furnished((north.ids, south.ids), tuple(held))

    @asynccontextmanager
    async def neighbours(self, kind: Kind, url: str) -> AsyncIterator[Neighbours]:
        """Serve both studios twice from one copy: once by a server that forgets."""
        found, clock = self._furnished[kind], Clock()
        clock.set(NOW)
        database, forgetful = Database(url, self._bolt_ons), Forgetful(url, self._bolt_ons)
        serve = partial(serving, data=self._data, bolt_ons=self._bolt_ons, clock=clock)
        async with (
            serve(database, gateway=gateway(self._stripe)) as (client, settings),
            serve(forgetful, gateway=gateway(self._stripe)) as (asks_in_vain, _),
        ):
            north, south = [
                Studio(slug, client, clock, settings, database, deepcopy(ids))
                for slug, ids in zip(SLUGS, found.ids, strict=True)
            ]
            for studio in (north, south):
                studio.admitted = set(PEOPLE)
            bens, kims, bens_in_south, kims_in_south = found.held
            yield Neighbours(
                north,
                south,
                bens,
                kims,
                bens_in_south,
                kims_in_south,
                client=client,
                forgetful=asks_in_vain,
                tables=tuple(
                    table
                    for each in components(self._bolt_ons.installed.values())
                    for table in each.metadata.sorted_tables
                ),
            )


async def _furnish(reader: CardReader) -> tuple[Ids, Ids]:
    """Set up fixture F, and let Ben and Kim hold one of everything."""
    studio = reader.studio
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
    tuesdays = ["2027-01-12T18:00", "2027-01-12T20:00", "2027-01-19T18:00", "2027-01-19T20:00"]
    back = {"option": "DROP_IN_CARD", "method": "ORIGINAL_PAYMENT"}
    await studio.add_course(
        "TUE",
        *tuesdays,
        dropIn={**offer, "paymentMethods": ["card"], "cap": None},
        autoRefund={"notice": {"value": 1, "unit": "HOURS"}, "refunds": [back]},
    )
    await studio.change("SAT", 6, startsAt="2027-02-20T11:00:00Z")
    await studio.add_customer("Eve")
    for person in PEOPLE:
        await studio.token(person)
    thursdays = await studio.book_course("Kim", "THU")
    await studio.mark_paid(thursdays["courseBooking"]["payment"]["id"])
    linked = {"StripeLink": await stripe_link(studio)}
    bens, kims = [
        {**await _serve(studio, name), **await _charge(reader, name), **linked}
        for name in ("Ben", "Kim")
    ]
    return bens, kims


async def _charge(reader: CardReader, name: str) -> Ids:
    """Let a customer pay by card: in part given back, disputed; two payments are under way."""
    to_pay, to_cancel, to_refresh, to_abandon = [
        await reader.hold("bookSession", {"session": session}, name)
        for session in reader.studio.ids.sessions["TUE"]
    ]
    await reader.pay(to_pay)
    await reader.pay(to_cancel)
    await reader.studio.cancel(name, "TUE", 2)
    await reader.refund(to_pay, 100)
    failed = await reader.refund(to_pay, 200, fails=True)
    made_good = {"refund": await reader.refund(to_pay, 300, fails=True)}
    note = f"A note on {name} of {reader.studio.slug}"
    await reader.studio.do("markRefunded", {**made_good, "note": note}, as_="staff")
    await reader.dispute(to_pay)
    return {
        "CardRefund": failed,
        "RefreshPaymentInput.payment": to_refresh,
        "AbandonPaymentInput.payment": to_abandon,
        "RefundPaymentInput.payment": to_pay,
    }


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
    ten = {"bundle": ids.bundles["TEN"], "payWith": {"offline": True}}
    bought = await studio.do("buyBundle", ten, "payment { id }", as_=name)
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
        "BuyBundleInput.bundle": ids.bundles["TEN"],
        "RevokeCreditsInput.payment": bought["payment"]["id"],
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
