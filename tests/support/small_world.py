"""A studio small enough for chance to meet every rule in it: three courses, three customers.

It is set up through the API once per process, kind of database and set of bolt-ons, and copied.
Seats are few, bundles expire and drop-ins open while a history goes on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from classbolt.bolt_ons import BoltOns
from classbolt.config import Settings
from classbolt.db import Database
from classbolt.testing.databases import Kind, Seed, Templates
from classbolt_schema.server import demo
from studio import Clock, Studio, open_studio, serving

SLUG = "northside"
CUSTOMERS = ("Ana", "Ben", "Hal")
EVENINGS: Mapping[str, tuple[str, ...]] = {
    "MON": ("2027-01-11T18:30Z", "2027-01-18T18:30Z"),
    "TUE": ("2027-01-12T18:30Z", "2027-01-19T18:30Z"),
    "ADV": ("2027-01-14T18:30Z",),
}
OFFER = {
    "priceMinor": 1200,
    "opensBefore": {"value": 2, "unit": "WEEKS"},
    "paymentMethods": ["credit", "offline"],
}


class SmallWorld:
    """Northside with the bolt-ons that are installed on, or with none.

    Mondays and Tuesdays are for beginners and have two seats, the advanced course has one. ONE
    pays for a beginners' session, THREE for three of any kind. Ana holds THREE and Hal ONE; Ben
    has bought the Mondays and paid. Mondays refund everybody, Tuesdays some, the advanced
    course nobody.
    """

    def __init__(self, bolt_ons: BoltOns, data: Path) -> None:
        self.bolt_ons = bolt_ons
        self._data = data
        self._ids: dict[Kind, demo.Studio] = {}
        self._tokens: dict[str, str] = {}

    @asynccontextmanager
    async def opened(self, kind: Kind, templates: Templates) -> AsyncIterator[Studio]:
        """Serve a copy, which is gone afterwards."""
        seed = Seed(f"small world in {self._data}", partial(self._fill, kind))
        async with templates.database(kind, seed) as url:
            database, clock = Database(url, self.bolt_ons), Clock()
            async with serving(database, self._data, self.bolt_ons, clock) as (
                client,
                settings,
            ):
                yield self._studio(kind, client, settings, database, clock)

    def _studio(
        self,
        kind: Kind,
        client: httpx.AsyncClient,
        settings: Settings,
        database: Database,
        clock: Clock,
    ) -> Studio:
        ids = deepcopy(self._ids[kind])
        admitted = {"owner", *CUSTOMERS}
        return Studio(SLUG, client, clock, settings, database, ids, self._tokens, admitted)

    async def _fill(self, kind: Kind, url: str) -> None:
        database, clock = Database(url, self.bolt_ons), Clock()
        async with serving(database, self._data, self.bolt_ons, clock) as (client, settings):
            studio = await open_studio(SLUG, client, settings, database, clock)
            await _set_up(studio, self.bolt_ons)
            self._ids[kind] = studio.ids
            self._tokens |= studio.tokens


async def _set_up(studio: Studio, bolt_ons: BoltOns) -> None:
    for code in bolt_ons.installed:
        await _made(studio, "enableBoltOn", {"boltOn": code}, "boltOn { enabled }")
    for name in CUSTOMERS:
        customer = await _made(studio, "createCustomer", {"name": name}, "customer { id }")
        studio.ids.customers[name] = customer["id"]
        await studio.token(name)
    for short in ("BEG", "ADV"):
        tag = await _made(studio, "createTag", {"name": short}, "tag { id }")
        studio.ids.tags[short] = tag["id"]
    for short, number, days, tags in (
        ("ONE", 1, 30, ["BEG"]),
        ("THREE", 3, 12, ["BEG", "ADV"]),
    ):
        bundle = {
            "name": short,
            "credits": number,
            "validity": {"value": days, "unit": "DAYS"},
            "tags": [studio.ids.tags[tag] for tag in tags],
        }
        made = await _made(studio, "createBundle", bundle, "bundle { id }")
        studio.ids.bundles[short] = made["id"]
    for short, course in _courses(studio, bolt_ons):
        fields = "course { id sessions { edges { node { id } } } }"
        made = await _made(studio, "createCourse", course, fields)
        studio.ids.courses[short] = made["id"]
        edges = made["sessions"]["edges"]
        studio.ids.sessions[short] = [edge["node"]["id"] for edge in edges]
    ana, ben, hal = (studio.ids.customers[name] for name in CUSTOMERS)
    for customer, short in ((ana, "THREE"), (hal, "ONE")):
        given = {"customer": customer, "bundle": studio.ids.bundles[short]}
        await _made(studio, "giveBundle", given, "customerBundle { id }")
    bought = {
        "course": studio.ids.courses["MON"],
        "customer": ben,
        "payWith": {"offline": True},
    }
    booked = await _made(studio, "bookCourse", bought, "courseBooking { payment { id } }")
    await _made(studio, "markPaid", {"payment": booked["payment"]["id"]}, "payment { id }")


def _courses(studio: Studio, bolt_ons: BoltOns) -> Iterator[tuple[str, Any]]:
    """Give what to create the courses with: nothing that a missing bolt-on would add."""
    one = {"method": "NEW_BUNDLE", "bundle": studio.ids.bundles["ONE"]}
    back = {"option": "DROP_IN_CREDIT", "method": "ORIGINAL"}
    policies = {
        "MON": {
            "notice": {"value": 24, "unit": "HOURS"},
            "refunds": [
                {"option": "COURSE", **one},
                back,
                {"option": "DROP_IN_OFFLINE", **one},
            ],
        },
        "TUE": {
            "notice": {"value": 2, "unit": "DAYS"},
            "refunds": [{"option": "COURSE", **one}, {**back, "bundle": one["bundle"]}],
        },
    }
    offer = {"dropIn": OFFER} if "drop_in" in bolt_ons.installed else {}
    for short, evenings in EVENINGS.items():
        seats = 1 if short == "ADV" else 2
        course = {
            "title": short,
            "priceMinor": 6000,
            "tag": studio.ids.tags["ADV" if short == "ADV" else "BEG"],
            "lateJoining": "PRO_RATA" if short == "TUE" else "NO",
            "sessions": [{"startsAt": each, "capacity": seats, **offer} for each in evenings],
        }
        if "auto_refund" in bolt_ons.installed and short in policies:
            course["autoRefund"] = policies[short]
        yield short, course


async def _made(studio: Studio, mutation: str, asked: Mapping[str, Any], fields: str) -> Any:
    """Run a mutation as the owner, in words that every installation understands."""
    kind = mutation[0].upper() + mutation[1:]
    document = f"mutation ($input: {kind}Input!) {{ {mutation}(input: $input) {{ {fields}"
    document += " userErrors { code message } } }"
    payload = (await studio.query(document, as_="owner", input=asked))[mutation]
    assert payload.pop("userErrors") == []
    (made,) = payload.values()
    return made
