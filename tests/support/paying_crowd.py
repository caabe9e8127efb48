"""Customers who pay by card while the server is killed: they book, pay, come back and cancel.

Each does one thing after the other until the server is gone. Who got no answer to a booking
asks again with the same key; who was given the means to pay may do so while no server runs.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import httpx

from classbolt_schema.server.context import utc_now
from classbolt_schema.server.keys import issue_token
from crowd import ServerIsGoneError
from stripe_process import StripeProcess
from studio import Studio

CUSTOMERS: Final = 8
SESSIONS: Final = 6
CAPACITY: Final = 4
COURSE: Final = "Tango"
AHEAD: Final = timedelta(days=60)
TOKEN_LIFETIME: Final = timedelta(days=60)
"""Longer than clocks are moved on altogether."""
PATIENCE_SECONDS: Final = 60
CARDS: Final = (*["pm_card_visa"] * 5, "pm_card_chargeDeclined", "pm_card_pendingRefund")

MEANS: Final = "cardPayment"
TO_PAY: Final = f"{MEANS} {{ clientSecret publishableKey }}"
FIELDS: Final = {
    "bookSession": f"booking {{ id payment {{ id }} }} {TO_PAY}",
    "bookCourse": "courseBooking { id payment { id } bookings { edges { node { id } } } }"
    f" {TO_PAY}",
    "refreshPayment": f"payment {{ id state }} {TO_PAY}",
    "abandonPayment": "payment { id state }",
    "cancelBooking": "booking { id status }",
    "callOffSession": "session { id }",
    "addSessions": "sessions { id }",
}


@dataclass
class Payer:
    """A customer, and what they know.

    Attributes:
        wish: What they asked for and have no answer to, to ask again with the same key.
        payment: What they are paying.
        means: What they can pay it with.
        places: What they will have booked once it is paid, or have.
    """

    name: str
    wish: tuple[str, dict[str, Any]] | None = None
    payment: str | None = None
    means: dict[str, Any] | None = None
    places: list[str] = field(default_factory=list)


@dataclass
class PayingCrowd:
    """All of them.

    Attributes:
        told: How many answers came.
        unknown: How many did not.
        paid: The payments of which somebody was told that they are made.
        handed_out: The PaymentIntents that somebody was given the means to pay.
    """

    studio: Studio
    stripe: StripeProcess
    payers: list[Payer] = field(default_factory=list)
    told: int = 0
    unknown: int = 0
    paid: set[str] = field(default_factory=set)
    handed_out: set[str] = field(default_factory=set)
    _is_over: bool = False
    _heard: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def ask_until(self, moment: Callable[[], Awaitable[None]]) -> None:
        """Let everybody ask until a moment has passed, or nobody answers any more."""
        self._is_over = False
        async with asyncio.TaskGroup() as asking:
            for payer in self.payers:
                asking.create_task(self._go_on(payer))
            asking.create_task(self._call_off())
            async with asyncio.timeout(PATIENCE_SECONDS):
                await moment()
            self._is_over = True

    async def hear(self, number: int) -> None:
        """Wait until so many answers have come."""
        for _ in range(number):
            await self._heard.acquire()

    async def pay_meanwhile(self) -> None:
        """Let some pay while nobody serves."""
        for payer in self.payers:
            if payer.means and random.random() < 0.5:
                await self._pay(payer)

    async def _go_on(self, payer: Payer) -> None:
        with suppress(ServerIsGoneError):
            while not self._is_over:
                await self._visit(payer)

    async def _call_off(self) -> None:
        """Offer one more session, and call another one off."""
        ids = self.studio.ids
        with suppress(ServerIsGoneError):
            await asyncio.sleep(random.uniform(0, 0.5))
            asked = {"course": ids.courses[COURSE], "sessions": [_session()]}
            added = await self._ask("addSessions", asked, as_="owner")
            if added is None:
                return
            ids.sessions[COURSE] += [each["id"] for each in added["sessions"]]
            gone = ids.sessions[COURSE].pop(random.randrange(SESSIONS))
            await self._ask("callOffSession", {"session": gone}, as_="owner")

    async def _visit(self, payer: Payer) -> None:
        """Go one step further."""
        if payer.payment is None:
            await self._order(payer)
        elif payer.means is None:
            await self._come_back(payer)
        elif random.random() < 0.1:
            asked = {"payment": payer.payment}
            await self._ask("abandonPayment", asked, as_=payer.name)
            payer.payment = payer.means = None
        else:
            is_paid = await self._pay(payer)
            if is_paid and random.random() < 0.3:
                payer.payment = payer.means = None  # they do not come back
            else:
                await self._come_back(payer)

    async def _order(self, payer: Payer) -> None:
        """Book something by card, or cancel a place."""
        if payer.wish is None:
            if payer.places and random.random() < 0.6:
                booking = payer.places.pop()
                await self._ask("cancelBooking", {"booking": booking}, as_=payer.name)
                return
            payer.wish = self._wish()
        done = await self._ask(*payer.wish, as_=payer.name)
        payer.wish = None
        if done is None or done[MEANS] is None:
            return
        booked = done.get("booking") or done["courseBooking"]
        payer.payment, payer.means = booked["payment"]["id"], done[MEANS]
        edges = booked.get("bookings", {"edges": [{"node": booked}]})["edges"]
        payer.places += [edge["node"]["id"] for edge in edges]

    def _wish(self) -> tuple[str, dict[str, Any]]:
        ids, by_card = self.studio.ids, {"payWith": {"card": True}}
        key = {"idempotencyKey": str(uuid4())}
        if random.random() < 0.2:
            return "bookCourse", {"course": ids.courses[COURSE], **by_card, **key}
        session = random.choice(ids.sessions[COURSE])
        return "bookSession", {"session": session, **by_card, **key}

    async def _pay(self, payer: Payer) -> bool:
        assert payer.means is not None
        return await self.stripe.pay(payer.means, random.choice(CARDS))

    async def _come_back(self, payer: Payer) -> None:
        """Ask how the payment stands, and go on with it if it is not made."""
        asked = {"payment": payer.payment}
        done = await self._ask("refreshPayment", asked, as_=payer.name)
        if done is None:
            payer.means = None  # the server could not say: they ask again
            return
        if done["payment"]["state"] == "PAID":
            self.paid.add(done["payment"]["id"])
        payer.means = done[MEANS]
        if done["payment"]["state"] != "PENDING":
            payer.payment = None

    async def _ask(
        self, mutation: str, asked: dict[str, Any], *, as_: str
    ) -> dict[str, Any] | None:
        """Send a mutation, and give the payload if it was done.

        Raises:
            ServerIsGoneError: No answer came.
        """
        try:
            done = await self.studio.mutate(mutation, asked, FIELDS[mutation], as_=as_)
        except httpx.TransportError as gone:
            self.unknown += not isinstance(gone, httpx.ConnectError)
            raise ServerIsGoneError from gone
        self.told += 1
        self._heard.release()
        if done["userErrors"]:
            return None
        if means := done.get(MEANS):
            self.handed_out.add(means["clientSecret"].partition("_secret_")[0])
        return done


async def gather_payers(studio: Studio, stripe: StripeProcess) -> PayingCrowd:
    """Set up a course that can be paid by card, and those who come to it."""
    await _admit(studio, "owner")
    await studio.switch("drop_in", on=True)
    asked = {
        "title": COURSE,
        "priceMinor": 6000,
        "paymentMethods": ["card"],
        "sessions": [_session() for _ in range(SESSIONS)],
    }
    fields = "course { id sessions(first: 100) { edges { node { id } } } }"
    course = (await studio.do("createCourse", asked, fields, as_="owner"))["course"]
    studio.ids.courses[COURSE] = course["id"]
    studio.ids.sessions[COURSE] = [edge["node"]["id"] for edge in course["sessions"]["edges"]]
    crowd = PayingCrowd(studio, stripe)
    for number in range(CUSTOMERS):
        name = f"Customer {number}"
        crowd.payers.append(Payer(name))
        await studio.add_customer(name)
        await _admit(studio, name)
    return crowd


async def _admit(studio: Studio, name: str) -> None:
    """Let somebody in with a token that outlives the test."""
    await studio.token(name)
    studio.tokens[name] = issue_token(
        studio.settings, studio.slug, name, utc_now(), TOKEN_LIFETIME
    )


def _session() -> dict[str, Any]:
    """Write down a session that drop-ins may book at once."""
    offer = {
        "priceMinor": 1400,
        "opensBefore": {"value": 90, "unit": "DAYS"},
        "paymentMethods": ["card"],
    }
    starts_at = utc_now() + AHEAD + timedelta(minutes=random.randint(0, 1000))
    return {"startsAt": starts_at.isoformat(), "capacity": CAPACITY, "dropIn": offer}
