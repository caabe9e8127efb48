"""A studio under test: a real server on a real socket, a clock that the test sets, people with tokens."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from sqlalchemy import event

from classbolt import customers, opening
from classbolt.bolt_ons import BoltOns
from classbolt.config import Settings
from classbolt.db import Caller, Database, Tx
from classbolt.values import CustomerId, Role, StaffId
from classbolt_schema.ids import decode
from classbolt_schema.server import demo
from classbolt_schema.server.app import create_app
from classbolt_schema.server.keys import DEVELOPMENT_ISSUER, issue_token

MONDAY = date(2027, 1, 11)
"""The first Monday of fixture F."""
SOLD_ON = datetime(2027, 1, 4, 12, tzinfo=UTC)
"""When the buyers of fixture F bought their courses."""
ZONE = "Europe/London"

CANCELLATION = (
    "cancelledAt by sessionCalledOff autoRefund { option deadline reason }"
    " refund { outcome reason { code } customerBundle { id balance expiresAt } }"
)


def codes_of(payload: Mapping[str, Any]) -> list[str]:
    """Give the codes of the refusals in a payload."""
    return [error["code"] for error in payload["userErrors"]]


def at(text: str) -> datetime:
    """Read an instant of a scenario: UTC unless it says otherwise."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@dataclass
class Clock:
    """A clock that stands until it is set."""

    now: datetime = SOLD_ON

    def __call__(self) -> datetime:
        return self.now

    def set(self, text: str) -> None:
        self.now = at(text)


@dataclass(frozen=True)
class Answer:
    """What came back over HTTP."""

    status: int
    body: dict[str, Any]

    @property
    def data(self) -> Any:
        """Give the data of an answer without errors."""
        assert "errors" not in self.body, self.body["errors"]
        return self.body["data"]

    @property
    def error_codes(self) -> list[str]:
        return [error["extensions"]["code"] for error in self.body.get("errors", [])]


@dataclass
class Studio:
    """An account as a frontend sees it, and what tests need beside it.

    Attributes:
        ids: What fixture F set up, by short names.
    """

    slug: str
    client: httpx.AsyncClient
    clock: Clock
    settings: Settings
    database: Database
    ids: demo.Studio = field(default_factory=demo.Studio)
    tokens: dict[str, str] = field(default_factory=dict)

    async def ask(
        self,
        document: str,
        variables: Mapping[str, Any] | None = None,
        *,
        as_: str | None = None,
    ) -> Answer:
        """Send a document as somebody: a customer's name, 'owner', a role, or nobody."""
        headers = {"Authorization": f"Bearer {await self.token(as_)}"} if as_ else {}
        response = await self.client.post(
            f"/graphql/{self.slug}",
            json={"query": document, "variables": variables or {}},
            headers=headers,
        )
        return Answer(response.status_code, response.json())

    async def query(self, document: str, *, as_: str | None = None, **variables: Any) -> Any:
        """Ask and give the data."""
        return (await self.ask(document, variables, as_=as_)).data

    async def mutate(
        self, mutation: str, asked: Mapping[str, Any], fields: str = "", *, as_: str | None
    ) -> dict[str, Any]:
        """Run one mutation and give its payload, user errors and all."""
        kind = mutation[0].upper() + mutation[1:]
        document = (
            f"mutation ($input: {kind}Input!) {{ {mutation}(input: $input) {{"
            f" {fields} userErrors {{ __typename code message path"
            " ... on DropInNotOpenError { opensAt } ... on NoticeTooShortError { deadline }"
            " ... on BoltOnDisabledError { boltOn }"
            " ... on CreditExpiredError { expiresAt }"
            " ... on CreditExpiresBeforeSessionError { expiresAt }"
            " ... on PaymentOptionNotAllowedError { allowed } } } }"
        )
        payload: dict[str, Any] = (await self.ask(document, {"input": asked}, as_=as_)).data[
            mutation
        ]
        return payload

    async def do(
        self, mutation: str, asked: Mapping[str, Any], fields: str = "", *, as_: str | None
    ) -> dict[str, Any]:
        """Run one mutation that succeeds."""
        payload = await self.mutate(mutation, asked, fields, as_=as_)
        assert payload["userErrors"] == []
        return payload

    async def codes(
        self, mutation: str, asked: Mapping[str, Any], *, as_: str | None
    ) -> list[str]:
        """Run one mutation and give the codes of its refusals."""
        return codes_of(await self.mutate(mutation, asked, as_=as_))

    # People

    async def token(self, name: str) -> str:
        """Give a token of somebody: a customer of this studio, or staff by role."""
        if name not in self.tokens:
            self.tokens[name] = await self._admit(name)
        return self.tokens[name]

    async def _admit(self, name: str) -> str:
        async def work(tx: Tx) -> None:
            now = self.clock.now
            if name in self.ids.customers:
                person = CustomerId(decode("Customer", self.ids.customers[name]))
                await customers.admit(
                    tx, DEVELOPMENT_ISSUER, name, person, is_staff=False, now=now
                )
            else:
                staff: StaffId = await customers.add_staff(tx, name, Role(name.upper()), now=now)
                await customers.admit(tx, DEVELOPMENT_ISSUER, name, staff, is_staff=True, now=now)

        await self.database.write(Caller(self.slug), work)
        lifetime = timedelta(days=1000)
        return issue_token(self.settings, self.slug, name, SOLD_ON, lifetime)

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
            "{ me { bundles(first: 100) { edges { node { id balance expiresAt bundle { id name }"
            " entries { edges { node { kind amount correlationId by } } } } } } } }",
            as_=name,
        )
        return [edge["node"] for edge in found["me"]["bundles"]["edges"]]

    async def holdings(self, name: str) -> list[tuple[str, int, str, str]]:
        """Sum up what a customer holds: of which bundle, the balance, the expiry, the ledger."""
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

    async def options(self, name: str, course: str, number: int) -> dict[str, Any]:
        """Ask how a customer could book a session."""
        found = await self.query(
            "query ($id: ID!) { bookingOptions(session: $id) { way price { amountMinor currency }"
            " opensAt userErrors { code } paymentOptions {"
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
        return await self.mutate(
            "bookCourse", asked, "courseBooking { id payment { id } }", as_=name
        )

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

        engines = {id(each.sync_engine): each.sync_engine for each in self.database.engines}
        for engine in engines.values():
            event.listen(engine, "before_cursor_execute", note)
        try:
            yield statements
        finally:
            for engine in engines.values():
                event.remove(engine, "before_cursor_execute", note)


@asynccontextmanager
async def serving(
    database: Database, data: Path, bolt_ons: BoltOns, clock: Clock
) -> AsyncIterator[tuple[httpx.AsyncClient, Settings]]:
    """Serve a database over HTTP on a port of its own."""
    settings = Settings(env="development", data=data, database_url=database.url)
    app = create_app(settings, clock=clock, bolt_ons=bolt_ons, database=database)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # Without it each answer waits 40 ms for an acknowledgement: asyncio sees to that only
        # for sockets it opened itself.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="on")
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            await asyncio.sleep(0.005)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            async with httpx.AsyncClient(base_url=address, timeout=60) as client:
                yield client, settings
        finally:
            server.should_exit = True
            await task


async def open_studio(
    slug: str,
    client: httpx.AsyncClient,
    settings: Settings,
    database: Database,
    clock: Clock,
) -> Studio:
    """Open an account without anything in it."""
    await database.run(
        lambda connection: opening.create_account(
            connection, slug, slug.title(), time_zone=ZONE, currency="GBP", now=clock.now
        )
    )
    return Studio(slug, client, clock, settings, database)
