"""A studio under test: a real server on a real socket, and fixture F in its own words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any

import httpx
from sqlalchemy import event

from classbolt import opening
from classbolt.config import Settings
from classbolt.db import Database
from classbolt_schema.server import demo
from frontend import SOLD_ON, Answer, Clock, Frontend, at, codes_of
from served import SECRET_KEY, serving

__all__ = [
    "MONDAY",
    "SECRET_KEY",
    "SOLD_ON",
    "ZONE",
    "Answer",
    "Clock",
    "Studio",
    "at",
    "codes_of",
    "open_studio",
    "serving",
]

MONDAY = date(2027, 1, 11)
"""The first Monday of fixture F."""
ZONE = "Europe/London"

CANCELLATION = (
    "cancelledAt by sessionCalledOff autoRefund { option deadline reason }"
    " refund { outcome reason { code } customerBundle { id balance expiresAt } }"
)


class Studio(Frontend):
    """A dance studio, with the courses and the people of fixture F by their short names."""

    async def add_customer(self, name: str) -> str:
        """Add a customer and give their id."""
        made = await self.do("createCustomer", {"name": name}, "customer { id }", as_="owner")
        self.ids.customers[name] = made["customer"]["id"]
        return self.ids.customers[name]

    async def add_buyer(self, name: str, course: str) -> None:
        """Add a customer who bought a course of fixture F and paid for it."""
        await demo.add_buyer(self._as_owner, self.ids, name, course)

    async def _as_owner(self, document: str, wanted: Mapping[str, Any]) -> Any:
        answer = await self.ask(document, {"input": wanted}, as_="owner")
        return demo.payload_of(answer.body.get("data"), answer.body.get("errors"))

    async def set_up(self, *, bolt_ons: list[str], monday: date = MONDAY) -> None:
        """Set up fixture F."""
        self.ids = await demo.set_up(self._as_owner, monday, bolt_ons)

    # Courses, sessions and what customers hold, in the words of fixture F

    def session(self, course: str, number: int) -> str:
        """Give the id of a session of a course, counted from 1."""
        return self.ids.sessions[course][number - 1]

    async def bookings(self, name: str, course: str) -> list[dict[str, Any]]:
        """List a customer's bookings in a course, cancelled ones too, each with its number."""
        found = await self.query(
            "{ me { bookings(first: 100) { edges { node {"
            " id status way session { id } payment { id } } } } } }",
            as_=name,
        )
        numbers = {key: n for n, key in enumerate(self.ids.sessions[course], start=1)}
        nodes = [edge["node"] for edge in found["me"]["bookings"]["edges"]]
        return [
            {**node, "number": numbers[node["session"]["id"]]}
            for node in nodes
            if node["session"]["id"] in numbers
        ]

    async def booking(self, name: str, course: str, number: int) -> str:
        """Give the id of a customer's newest booking of a session."""
        found = await self.bookings(name, course)
        return str([each["id"] for each in found if each["number"] == number][-1])

    async def places(self, name: str, course: str) -> list[int]:
        """Say in which sessions of a course a customer has a place, counted from 1."""
        found = await self.bookings(name, course)
        return [each["number"] for each in found if each["status"] == "BOOKED"]

    async def bundles(self, name: str) -> list[dict[str, Any]]:
        """List what a customer holds."""
        found = await self.query(
            "{ me { bundles(first: 100) { edges { node {"
            " id balance expiresAt bundle { id name }"
            " entries { edges { node { kind amount correlationId by } } } } } } } }",
            as_=name,
        )
        return [edge["node"] for edge in found["me"]["bundles"]["edges"]]

    async def holdings(self, name: str) -> list[tuple[str, int, str, str]]:
        """Sum up what a customer holds: of which bundle, the balance, expiry and ledger."""
        names = {key: short for short, key in self.ids.bundles.items()}
        return [
            (
                names[each["bundle"]["id"]],
                each["balance"],
                each["expiresAt"],
                " ".join(edge["node"]["kind"] for edge in each["entries"]["edges"]),
            )
            for each in await self.bundles(name)
        ]

    async def seats_left(self, course: str, number: int) -> int:
        """Say how many seats of a session are free."""
        return int((await self.look_at(course, number, "seatsLeft"))["seatsLeft"])

    async def look_at(
        self, course: str, number: int, fields: str, *, as_: str | None = None
    ) -> dict[str, Any]:
        """Look at a session."""
        document = f"query ($id: ID!) {{ session(id: $id) {{ {fields} }} }}"
        found = await self.query(document, id=self.session(course, number), as_=as_)
        return dict(found["session"])

    async def attendees(self, course: str, number: int) -> list[str]:
        """List who has a place in a session, in the order of booking."""
        fields = "attendees { edges { node { customer { name } } } }"
        found = await self.look_at(course, number, fields, as_="owner")
        return [edge["node"]["customer"]["name"] for edge in found["attendees"]["edges"]]

    async def preview(self, name: str, course: str, number: int) -> dict[str, Any]:
        """Ask what cancelling a customer's booking would give back."""
        found = await self.query(
            "query ($id: ID!) { cancellationPreview(booking: $id) { outcome reason { code }"
            " deadline expiresAt bundle { id } customerBundle { id } userErrors { code } } }",
            id=await self.booking(name, course, number),
            as_=name,
        )
        return dict(found["cancellationPreview"])

    async def course_booking(self, name: str) -> str:
        """Give the id of the course booking that a customer's first place came with."""
        found = await self.query(
            "{ me { bookings(first: 1) { edges { node { courseBooking { id } } } } } }",
            as_=name,
        )
        (edge,) = found["me"]["bookings"]["edges"]
        return str(edge["node"]["courseBooking"]["id"])

    async def quote(self, name: str, course: str, number: int) -> str:
        """Give the quote for cancelling a customer's booking now."""
        found = await self.query(
            "query ($id: ID!) { cancellationPreview(booking: $id) { quote } }",
            id=await self.booking(name, course, number),
            as_=name,
        )
        return str(found["cancellationPreview"]["quote"])

    async def options(self, name: str, course: str, number: int) -> dict[str, Any]:
        """Ask how a customer could book a session."""
        found = await self.query(
            "query ($id: ID!) { bookingOptions(session: $id) { way opensAt"
            " price { amountMinor currency } userErrors { code } paymentOptions {"
            " method customerBundle { id } userErrors { code } } } }",
            id=self.session(course, number),
            as_=name,
        )
        return dict(found["bookingOptions"])

    # What the business does

    async def give(self, name: str, bundle: str) -> str:
        """Give a customer a copy of a bundle, and give the copy's id."""
        asked = {"customer": self.ids.customers[name], "bundle": self.ids.bundles[bundle]}
        given = await self.do("giveBundle", asked, "customerBundle { id }", as_="owner")
        return str(given["customerBundle"]["id"])

    async def add_bundle(self, short: str, days: int, *tags: str) -> None:
        """Add a bundle of one credit that pays for sessions of some tags."""
        asked = {
            "name": short,
            "credits": 1,
            "validity": {"value": days, "unit": "DAYS"},
            "tags": [self.ids.tags[tag] for tag in tags],
        }
        made = await self.do("createBundle", asked, "bundle { id }", as_="owner")
        self.ids.bundles[short] = made["bundle"]["id"]

    async def add_course(self, short: str, *starts: str, **wanted: Any) -> None:
        """Add a course for beginners with sessions of ten seats that begin at these moments."""
        offer = wanted.pop("dropIn", None)
        session = {"capacity": 10, **({"dropIn": offer} if offer else {})}
        asked = {
            "title": short,
            "priceMinor": 6000,
            "tag": self.ids.tags["BEG"],
            "sessions": [{**session, "startsAt": at(start).isoformat()} for start in starts],
            **wanted,
        }
        fields = "course { id sessions(first: 100) { edges { node { id } } } }"
        made = (await self.do("createCourse", asked, fields, as_="owner"))["course"]
        self.ids.courses[short] = made["id"]
        self.ids.sessions[short] = [edge["node"]["id"] for edge in made["sessions"]["edges"]]

    async def change_course(self, course: str, **changes: Any) -> None:
        """Change a course."""
        asked = {"course": self.ids.courses[course], **changes}
        await self.do("updateCourse", asked, as_="owner")

    async def change(self, course: str, number: int, **changes: Any) -> None:
        """Change a session."""
        asked = {"session": self.session(course, number), **changes}
        await self.do("updateSession", asked, as_="owner")

    async def call_off(self, course: str, number: int, **chosen: str) -> dict[str, Any]:
        """Call a session off."""
        asked = {"session": self.session(course, number), **chosen}
        fields = f"session {{ calledOffAt seatsLeft }} cancellations {{ {CANCELLATION} }}"
        return await self.do("callOffSession", asked, fields, as_="owner")

    async def ends_at(self, course: str, number: int) -> datetime:
        """Say when a session ends."""
        document = "query ($id: ID!) { node(id: $id) { ... on Session { endsAt } } }"
        found = await self.query(document, id=self.session(course, number))
        return datetime.fromisoformat(found["node"]["endsAt"])

    async def mark_paid(self, payment: str) -> None:
        """Note that the money of a payment has come."""
        await self.do("markPaid", {"payment": payment}, as_="owner")

    async def switch(self, bolt_on: str, *, on: bool) -> None:
        """Switch a bolt-on."""
        mutation = "enableBoltOn" if on else "disableBoltOn"
        await self.do(mutation, {"boltOn": bolt_on}, as_="owner")

    # What customers do

    async def cancel(
        self, name: str, course: str, number: int, *, by: str | None = None, **chosen: str
    ) -> dict[str, Any]:
        """Cancel a customer's booking, as the customer unless somebody else is named."""
        asked = {"booking": await self.booking(name, course, number), **chosen}
        fields = f"alreadyCancelled booking {{ id status }} cancellation {{ {CANCELLATION} }}"
        return await self.do("cancelBooking", asked, fields, as_=by or name)

    async def book(
        self, name: str, course: str, number: int, pay_with: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Ask to book a session as a drop-in, by default with the best credit."""
        asked = {"session": self.session(course, number), "payWith": pay_with or {"credit": {}}}
        fields = (
            "booking { id status way customerBundle { id balance }"
            " payment { id method amount { amountMinor currency } paidAt } }"
        )
        return await self.mutate("bookSession", asked, fields, as_=name)

    async def book_course(
        self, name: str, course: str, pay_with: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Ask to book a course, by default to be paid offline."""
        asked = {"course": self.ids.courses[course], "payWith": pay_with or {"offline": True}}
        fields = "courseBooking { id payment { id amount { amountMinor currency } paidAt } }"
        return await self.mutate("bookCourse", asked, fields, as_=name)

    async def swap(
        self,
        name: str,
        booking: tuple[str, int],
        to: tuple[str, int],
        pay_with: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Ask to swap a customer's booking of a session for a place in another."""
        asked = {
            "booking": await self.booking(name, *booking),
            "toSession": self.session(*to),
            "payWith": pay_with,
        }
        fields = (
            f"cancellation {{ {CANCELLATION} }} booking {{ id status way"
            " customerBundle { id balance } payment { amount { amountMinor } } }"
        )
        return await self.mutate("swapBooking", asked, fields, as_=name)

    @asynccontextmanager
    async def counting(self) -> AsyncIterator[list[str]]:
        """Collect the statements that the database is sent."""
        statements: list[str] = []

        def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
            statements.append(statement)

        # Two engines may be two views of one pool; what is said to the first is heard by both.
        writer, reader = (each.sync_engine for each in self.database.engines)
        engines = {id(each.pool): each for each in (reader, writer)}
        for engine in engines.values():
            event.listen(engine, "before_cursor_execute", note)
        try:
            yield statements
        finally:
            for engine in engines.values():
                event.remove(engine, "before_cursor_execute", note)


async def open_studio(
    slug: str,
    client: httpx.AsyncClient,
    settings: Settings,
    database: Database,
    clock: Clock,
    *,
    zone: str = ZONE,
) -> Studio:
    """Open an account without anything in it."""
    await database.run(
        lambda connection: opening.create_account(
            connection, slug, slug.title(), time_zone=zone, currency="GBP", now=clock.now
        )
    )
    return Studio(slug, client, clock, settings, database)
