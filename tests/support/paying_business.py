"""A small business that takes cards, and two processes that serve it from one database.

Each business is an account of its own, with a Stripe of its own, so that many histories can be
lived in one database, one after the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any, Final

from sqlalchemy import func, select

from classbolt import bundles, courses, customers, opening, stripe_links, switches
from classbolt import sessions as session_rules
from classbolt.bolt_ons import BoltOns
from classbolt.bookings import BOOKED, HELD
from classbolt.checks import mine
from classbolt.db import Caller, Database, Tx
from classbolt.duties import duties
from classbolt.errors import PaymentExpired, PaymentFailed, Refusal, Refusals, TryAgain
from classbolt.facts import CARD, OFFLINE
from classbolt.given import Given
from classbolt.paying import Till
from classbolt.sealed import Seal
from classbolt.sessions import NewSession
from classbolt.stripe_facts import StripeRefused, StripeUnclear
from classbolt.stripe_links import NewLink
from classbolt.tables import bookings, sessions
from classbolt.testing.stripe_double import Delivery, Double, async_client
from classbolt.values import (
    SYSTEM,
    Actor,
    BundleId,
    CourseId,
    CustomerId,
    Money,
    PaymentId,
    Period,
    Role,
    SessionId,
    Unit,
)
from classbolt.worker import Worker
from classbolt_drop_in.offer import DropInOffer
from classbolt_drop_in.offers import set_offers
from frail import Died, FrailGateway
from studio import SECRET_KEY, Clock

KEY: Final = "sk_test_double"
SIGNED_WITH: Final = "whsec_of_the_installation"
CUSTOMERS: Final = 4
SEATS: Final = (1, 1, 2, 3)
AHEAD: Final = timedelta(days=60)
"""When the sessions are: no history lasts as long."""
LOSES: Final = 0.1
"""How likely an answer is to be lost on its way to the browser."""
NOES: Final = (TryAgain, PaymentExpired, PaymentFailed, StripeRefused, StripeUnclear, Died)
"""What somebody may be told who asks about a payment."""
ACTIVE: Final = (BOOKED, HELD)
COUNT_SEATS = (
    select(
        sessions.c.id, sessions.c.seats_taken, sessions.c.capacity, func.count(bookings.c.id)
    )
    .outerjoin(
        bookings,
        (bookings.c.account_id == sessions.c.account_id)
        & (bookings.c.session_id == sessions.c.id)
        & bookings.c.status.in_(ACTIVE),
    )
    .where(mine(sessions))
    .group_by(sessions.c.id, sessions.c.seats_taken, sessions.c.capacity)
)


@dataclass
class Begun:
    """A payment that a customer began.

    Attributes:
        intent: What their browser knows it by, if the answer came.
    """

    id: PaymentId
    at: datetime
    intent: str | None = None


@dataclass
class Business:
    """An account that takes cards, and all that is known of it.

    Attributes:
        most: The largest capacity that each session had since seats were counted.
        taken: How many seats of each session were taken then.
        news: What Stripe has to tell and has not told yet.
        tale: What was done, to be read when something is wrong.
        wrong: What was wrong while it went on.
        outcomes: How often what was done.
    """

    slug: str
    tills: Sequence[Till]
    workers: Sequence[Worker]
    double: Double
    clock: Clock
    owner: Actor
    course: CourseId
    bundle: BundleId
    sessions: Sequence[SessionId]
    customers: Sequence[CustomerId]
    most: dict[SessionId, int]
    taken: dict[SessionId, int] = field(default_factory=dict)
    begun: list[Begun] = field(default_factory=list)
    news: list[Delivery] = field(default_factory=list)
    tale: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)

    def say(self, what: str, outcome: object) -> None:
        """Go on with the tale."""
        self.outcomes[what.partition(" ")[0]] += 1
        self.tale.append(f"  {what}: {outcome}")

    def wait(self, time: timedelta) -> None:
        """Let time pass."""
        self.clock.now += time
        self.tale.append(f"{self.clock.now:%d %H:%M:%S}")

    async def ask(self, what: str, about: Callable[[], Awaitable[Any]]) -> bool:
        """Ask about a payment, and say whether that was done."""
        try:
            await about()
        except NOES as no:
            self.say(what, f"{type(no).__name__} {no}")
            return False
        except Exception as error:  # noqa: BLE001 it is told with the tale
            self.wrong.append(f"{what}: {error!r}")
            return False
        self.say(what, "done")
        return True

    async def write(
        self, what: str, till: Till, work: Callable[[Tx], Awaitable[Any]]
    ) -> Any | None:
        """Do something in a transaction, and give what came of it; None if it was refused."""
        try:
            done = await till.database.write(Caller(self.slug), work)
        except (Refusal, Refusals) as no:
            self.say(what, no)
            return None
        self.say(what, "done")
        return done

    async def count_seats(self) -> None:
        """See that no seat was sold that is not there; places stand when there are fewer."""
        async with self.tills[0].database.read(Caller(self.slug)) as tx:
            found = await tx.all(COUNT_SEATS)
        for session, counted, capacity, taken in found:
            if taken != counted:
                self.wrong.append(f"{counted} seats are counted, and {taken} are taken")
            if taken > max(self.most[session], self.taken.get(session, 0)):
                self.wrong.append(f"{taken} seats are taken of {capacity}")
            self.taken[session], self.most[session] = taken, capacity


@asynccontextmanager
async def two_processes(
    url: str, bolt_ons: BoltOns
) -> AsyncIterator[tuple[Database, Database]]:
    """Connect to a database as two processes do, which share nothing else."""
    both = Database(url, bolt_ons), Database(url, bolt_ons)
    try:
        yield both
    finally:
        for each in both:
            await each.close()


@asynccontextmanager
async def open_business(
    databases: Sequence[Database], bolt_ons: BoltOns, slug: str, draw: Random
) -> AsyncIterator[Business]:
    """Open an account that takes cards, with few seats and a Stripe of its own."""
    clock = Clock()
    double = Double(KEY, clock=clock)
    double.listen("https://classbolt.invalid/webhooks/stripe")
    tills = [Till(each, _gateway(double)) for each in databases]
    await databases[0].run(
        lambda connection: opening.create_account(
            connection, slug, slug, time_zone="Europe/London", currency="GBP", now=clock.now
        )
    )
    seats = [draw.choice(SEATS) for _ in range(3)]
    fill = partial(_fill, bolt_ons=bolt_ons, seats=seats, now=clock.now)
    found = await databases[0].write(Caller(slug), fill)
    try:
        yield Business(
            slug=slug,
            tills=tills,
            workers=[Worker(each.database, bolt_ons, clock, duties(each)) for each in tills],
            double=double,
            clock=clock,
            most=dict(zip(found["sessions"], seats, strict=True)),
            **found,
        )
    finally:
        for till in tills:
            await till.gateway.close()
        double.close()


def _gateway(double: Double) -> FrailGateway:
    return FrailGateway(
        seal=Seal((SECRET_KEY,)),
        api_key=KEY,
        publishable_key="pk_test_double",
        base_url="http://stripe.invalid",
        make_http=partial(async_client, double),
    )


async def _fill(
    tx: Tx, *, bolt_ons: BoltOns, seats: Sequence[int], now: datetime
) -> dict[str, Any]:
    """Set up a course of sessions that drop-ins may book too, and those who come to it."""
    await switches.enable(tx, SYSTEM, "drop_in", bolt_ons, now=now)
    new = [
        NewSession(now + AHEAD + timedelta(days=number), minutes=60, capacity=capacity)
        for number, capacity in enumerate(seats)
    ]
    course = await courses.create_course(
        tx,
        SYSTEM,
        {"title": "Tango", "price_minor": 6000, "payment_methods": [CARD, OFFLINE]},
        new,
        given=Given(),
        now=now,
    )
    found = await session_rules.all_sessions_of(tx, course.id)
    offer = DropInOffer(Money(1400, "GBP"), Period(90, Unit.DAYS), frozenset({CARD, OFFLINE}))
    await set_offers(tx, [(each, offer) for each in found])
    people = [
        await customers.create_customer(tx, SYSTEM, f"Customer {number}", None, now=now)
        for number in range(CUSTOMERS)
    ]
    bundle = await bundles.create_bundle(
        tx,
        SYSTEM,
        name="Ten classes",
        credits=10,
        validity=Period(90, Unit.DAYS),
        price_minor=9000,
        on_sale=True,
        payment_methods=[CARD],
        tag_ids=[],
        now=now,
    )
    staff_id = await customers.add_staff(tx, "Owner", Role.OWNER, now=now)
    await stripe_links.link(tx, SYSTEM, NewLink(), now=now)
    return {
        "owner": Actor(staff_id=staff_id, role=Role.OWNER),
        "course": course.id,
        "bundle": bundle.id,
        "sessions": [each.id for each in found],
        "customers": [each.id for each in people],
    }
