"""People who never stop asking: customers who book, cancel and swap, staff who sell and switch.

Each asks one thing after the other, until the server is gone or they are told to stop. What
they were told, and what they never heard of again, is noted in a history.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import httpx

from classbolt_schema.server.context import utc_now
from classbolt_schema.server.keys import issue_token
from histories import BOOKED, Asked, Rows
from studio import Studio

CUSTOMERS = 10
SESSIONS = 12
CAPACITY = 1000
MOST_PLACES = 6
PATIENCE_SECONDS = 60
BOLT_ONS = ("auto_refund", "drop_in")
AHEAD = timedelta(days=14)
A_MONTH = {"value": 30, "unit": "DAYS"}

OPEN = "Open to drop-ins"
SOLD = "Sold as a whole"
TEN = "Ten classes"
ONE = "One class"
"""The courses and the bundles of the crowd's studio."""

REFUND = "cancellation { refund { outcome customerBundle { id } } }"
PLACE = "booking { id customerBundle { id } }"
FIELDS = {
    "createCustomer": "customer { id }",
    "giveBundle": "customerBundle { id }",
    "bookCourse": "courseBooking { id payment { id } bookings { edges { node { id } } } }",
    "markPaid": "payment { id }",
    "bookSession": PLACE,
    "cancelBooking": REFUND,
    "swapBooking": f"{REFUND} {PLACE}",
    "enableBoltOn": "boltOn { enabled }",
    "disableBoltOn": "boltOn { enabled }",
}


class ServerIsGoneError(Exception):
    """Nobody answers any more."""


@dataclass
class Crowd:
    """Those who ask, and what came of it.

    Attributes:
        history: What was acknowledged, and what no answer came to.
        refused: How often the answer was no.
        failed: Answers that should not be: errors that are no refusals.
        places: The places that each customer believes to have, and their sessions.
    """

    studio: Studio
    history: list[Asked] = field(default_factory=list)
    refused: int = 0
    failed: list[Any] = field(default_factory=list)
    places: dict[str, dict[str, str]] = field(default_factory=dict)
    _is_over: bool = False
    _heard: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def ask(
        self, mutation: str, wanted: Mapping[str, Any], *, as_: str, customer: str | None = None
    ) -> Any:
        """Send a mutation and note what comes of it; give the payload if it was done.

        Raises:
            ServerIsGoneError: No answer came.
        """
        kind = mutation[0].upper() + mutation[1:]
        document = (
            f"mutation ($input: {kind}Input!) {{ {mutation}(input: $input)"
            f" {{ {FIELDS[mutation]} userErrors {{ code }} }} }}"
        )
        try:
            answer = await self.studio.ask(document, {"input": wanted}, as_=as_)
        except httpx.ConnectError as gone:
            raise ServerIsGoneError from gone  # it was not asked
        except httpx.TransportError as gone:
            self.history.append(Asked(mutation, wanted, customer))
            raise ServerIsGoneError from gone
        self._heard.release()
        if "errors" in answer.body:
            self.history.append(Asked(mutation, wanted, customer))
            self.failed.append(answer.body["errors"])
            return None
        payload = answer.data[mutation]
        if payload["userErrors"]:
            self.refused += 1
            return None
        self.history.append(Asked(mutation, wanted, customer, payload))
        return payload

    async def ask_until(
        self, moment: Callable[[], Awaitable[None]], *, switching: bool
    ) -> None:
        """Let everybody ask until a moment has come, and all answers are in or lost.

        Args:
            moment: Waits for it.
            switching: Whether bolt-ons are switched meanwhile.
        """
        self._is_over, self._heard = False, asyncio.Semaphore(0)
        staff = [self._sell, *([self._switch] if switching else [])]
        async with asyncio.TaskGroup() as asking:
            for name in self.places:
                asking.create_task(self._go_on(partial(self._visit, name)))
            for work in staff:
                asking.create_task(self._go_on(work))
            async with asyncio.timeout(PATIENCE_SECONDS):
                await moment()
            self._is_over = True

    async def hear(self, number: int) -> None:
        """Wait until so many answers have come."""
        for _ in range(number):
            await self._heard.acquire()

    def learn(self, rows: Rows) -> None:
        """Look up which places everybody has, for an answer may not have come."""
        for name, places in self.places.items():
            customer = self.studio.ids.customers[name]
            places.clear()
            places |= {
                booking: found.session
                for booking, found in rows.bookings.items()
                if (found.customer, found.status) == (customer, BOOKED)
            }

    async def _go_on(self, work: Callable[[], Awaitable[None]]) -> None:
        with suppress(ServerIsGoneError):
            while not self._is_over:
                await work()

    async def _visit(self, name: str) -> None:
        """Book, cancel or swap as a customer."""
        places, customer = self.places[name], self.studio.ids.customers[name]
        free = [each for each in self.studio.ids.sessions[OPEN] if each not in places.values()]
        wishes = ["book"] if not places else ["cancel", "swap", "swap"]
        if len(places) < MOST_PLACES:
            wishes += ["book", "book"]
        wish, session = random.choice(wishes), random.choice(free)
        if wish == "book":
            asked = {"session": session, "payWith": {"credit": {}}}
            if done := await self.ask("bookSession", asked, as_=name, customer=customer):
                places[done["booking"]["id"]] = session
            return
        booking = random.choice(list(places))
        if wish == "cancel":
            if await self.ask("cancelBooking", {"booking": booking}, as_=name):
                del places[booking]
            return
        asked = {"booking": booking, "toSession": session}
        if done := await self.ask("swapBooking", asked, as_=name, customer=customer):
            del places[booking]
            places[done["booking"]["id"]] = session

    async def _sell(self) -> None:
        """Sell a course to somebody new, then change two of its places for them."""
        ids = self.studio.ids
        made = await self.ask("createCustomer", {"name": "Somebody new"}, as_="owner")
        if made is None:
            return
        customer = made["customer"]["id"]

        async def ask(mutation: str, **wanted: Any) -> Any:
            return await self.ask(mutation, wanted, as_="owner", customer=customer)

        await ask("giveBundle", customer=customer, bundle=ids.bundles[ONE])
        sold = await ask(
            "bookCourse",
            course=ids.courses[SOLD],
            customer=customer,
            payWith={"offline": True},
        )
        if sold is None:
            return
        await ask("markPaid", payment=sold["courseBooking"]["payment"]["id"])
        edges = sold["courseBooking"]["bookings"]["edges"]
        first, second, *_ = (edge["node"]["id"] for edge in edges)
        await ask("swapBooking", booking=first, toSession=random.choice(ids.sessions[OPEN]))
        await ask("cancelBooking", booking=second)

    async def _switch(self) -> None:
        """Switch a bolt-on off and on again, and make good for the credits that are missed."""
        ids = self.studio.ids
        for code in BOLT_ONS:
            await self.ask("enableBoltOn", {"boltOn": code}, as_="owner")
        customer = ids.customers[random.choice(list(self.places))]
        asked = {"customer": customer, "bundle": ids.bundles[TEN]}
        await self.ask("giveBundle", asked, as_="owner", customer=customer)
        code = random.choice(BOLT_ONS)
        await self.ask("disableBoltOn", {"boltOn": code}, as_="owner")
        await self.ask("enableBoltOn", {"boltOn": code}, as_="owner")


async def gather_crowd(studio: Studio) -> Crowd:
    """Set up a studio whose courses begin in two weeks, and those who come to it."""
    await _admit(studio, "owner")
    for code in BOLT_ONS:
        await studio.switch(code, on=True)
    tag = await studio.do("createTag", {"name": "Dance"}, "tag { id }", as_="owner")
    studio.ids.tags["BEG"] = tag["tag"]["id"]
    for name, credits in ((ONE, 1), (TEN, 10)):
        asked = {
            "name": name,
            "credits": credits,
            "validity": {"value": 90, "unit": "DAYS"},
            "tags": [studio.ids.tags["BEG"]],
        }
        made = await studio.do("createBundle", asked, "bundle { id }", as_="owner")
        studio.ids.bundles[name] = made["bundle"]["id"]
    await _add_course(studio, OPEN, SESSIONS)
    await _add_course(studio, SOLD, 3)
    crowd = Crowd(studio)
    for number in range(CUSTOMERS):
        name = f"Customer {number}"
        crowd.places[name] = {}
        await studio.add_customer(name)
        await studio.give(name, TEN)
        await _admit(studio, name)
    return crowd


async def _admit(studio: Studio, name: str) -> None:
    """Let somebody in with a token that the wall clock agrees with."""
    await studio.token(name)
    studio.tokens[name] = issue_token(
        studio.settings, studio.slug, name, utc_now(), timedelta(days=1)
    )


async def _add_course(studio: Studio, title: str, sessions: int) -> None:
    """Add a course that drop-ins may book at once and that gives refunds."""
    first = utc_now() + AHEAD
    starts = [(first + timedelta(hours=number)).isoformat() for number in range(sessions)]
    drop_in = {"priceMinor": 1200, "opensBefore": A_MONTH, "paymentMethods": ["credit"]}
    new_bundle = {"method": "NEW_BUNDLE", "bundle": studio.ids.bundles[ONE]}
    asked = {
        "title": title,
        "priceMinor": 6000,
        "tag": studio.ids.tags["BEG"],
        "sessions": [
            {"startsAt": start, "capacity": CAPACITY, "dropIn": drop_in} for start in starts
        ],
        "autoRefund": {
            "notice": {"value": 24, "unit": "HOURS"},
            "refunds": [
                {"option": "COURSE", **new_bundle},
                {"option": "DROP_IN_CREDIT", "method": "ORIGINAL"},
            ],
        },
    }
    fields = "course { id sessions(first: 100) { edges { node { id } } } }"
    course = (await studio.do("createCourse", asked, fields, as_="owner"))["course"]
    studio.ids.courses[title] = course["id"]
    edges = course["sessions"]["edges"]
    studio.ids.sessions[title] = [edge["node"]["id"] for edge in edges]
