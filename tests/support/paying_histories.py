"""Histories of a small business that takes cards: drawn from a seed, lived at the same time.

A history goes in rounds. In each a few things are done at once, by two processes on one
database; between them time passes, and Stripe tells what happened, twice, late, in another
order, or never. In the end everything works, nobody does anything, and time goes on until
nothing is left to do.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any, Final, TypeVar

import stripe
from sqlalchemy import func, select

from classbolt import (
    courses,
    customers,
    jobs,
    opening,
    paying,
    schedules,
    stripe_links,
    switches,
)
from classbolt import sessions as session_rows
from classbolt.bolt_ons import BoltOns
from classbolt.book import book_session
from classbolt.book_course import book_course
from classbolt.booking_rules import PayWith
from classbolt.bookings import BOOKED, HELD
from classbolt.call_off import call_off_session
from classbolt.cancel import cancel_booking
from classbolt.card_rules import Because
from classbolt.checks import mine
from classbolt.db import Caller, Database, Tx
from classbolt.duties import duties
from classbolt.errors import PaymentExpired, PaymentFailed, Refusal, Refusals, TryAgain
from classbolt.facts import CARD, OFFLINE
from classbolt.given import Given
from classbolt.paying import Till
from classbolt.sealed import Seal
from classbolt.sessions import NewSession
from classbolt.stripe_events import Source, hear
from classbolt.stripe_facts import PAYMENT, StripeRefused, StripeUnclear
from classbolt.stripe_gateway import read_event
from classbolt.stripe_links import COMPARE, NewLink
from classbolt.tables import bookings, sessions
from classbolt.tables import jobs as job_rows
from classbolt.testing.stripe_double import (
    Delivery,
    Double,
    Refused,
    async_client,
    stripe_client,
)
from classbolt.values import (
    SYSTEM,
    Actor,
    BookingId,
    CourseId,
    CustomerId,
    Money,
    PaymentId,
    Period,
    SessionId,
    Unit,
)
from classbolt.worker import Worker
from classbolt_drop_in.offer import DropInOffer
from classbolt_drop_in.offers import set_offers
from frail import SLOW_SECONDS, Died, FrailGateway, Luck, with_luck
from money_trail import IS_OVER, PROMISED, books_of, complaints
from studio import SECRET_KEY, Clock

T = TypeVar("T")
Deed = Callable[["Business", Random], Awaitable[None]]

KEY: Final = "sk_test_double"
STRIPE: Final = "http://stripe.invalid"
SIGNED_WITH: Final = "whsec_of_the_installation"

CUSTOMERS: Final = 4
ROUNDS: Final = (6, 14)
AT_ONCE: Final = (1, 4)
"""How many rounds a history has, and how much is done in one."""
DIES: Final = 0.06
DIES_AT_FIRST: Final = 0.2
"""How likely a process is to die before each step that it takes with Stripe, and after it; and
how likely where a payment begins.
"""
IS_LOST: Final = 0.1
"""How likely it is that Stripe never tells of something."""
IS_TOLD_AGAIN: Final = 0.3
PAUSES: Final = (0, 0, 30, 60, 300, 300, 960, 960, 7200)
"""How many seconds pass between two rounds."""
A_LONG_NIGHT: Final = timedelta(hours=26)
"""Long enough for Stripe to forget under which keys it was asked."""
AHEAD: Final = timedelta(days=60)
"""When the sessions are: no history lasts as long."""
IS_FRESH: Final = timedelta(hours=1)
CARDS: Final = (
    *["pm_card_visa"] * 6,
    "pm_card_chargeDeclined",
    "pm_card_chargeDeclined",
    "pm_card_authenticationRequired",
    "pm_card_pendingRefund",
    "pm_card_refundFail",
)
REFUND_FAILS: Final = "5126"
"""How that last card ends."""
NOES: Final = (TryAgain, PaymentExpired, PaymentFailed, StripeRefused, StripeUnclear, Died)
"""What somebody may be told who asks about a payment."""
FAILURES: Final = {"Died", "StripeUnclear", "TryAgain"}
"""What a job may fail of, to be done again."""


@dataclass
class Begun:
    """A payment that somebody began.

    Attributes:
        intent: What their browser knows, if the answer came.
    """

    id: PaymentId
    customer: CustomerId
    at: datetime
    intent: str | None = None


@dataclass
class Business:
    """An account with one course, two processes that serve it, and Stripe.

    Attributes:
        news: What Stripe has to tell and has not told yet.
        most: The largest capacity that each session had in this round.
        tale: What was done, to be read when something is wrong.
        wrong: What was wrong while it went on.
        outcomes: How often what came of it.
    """

    slug: str
    tills: Sequence[Till]
    workers: Sequence[Worker]
    double: Double
    clock: Clock
    course: CourseId
    sessions: list[SessionId]
    customers: list[CustomerId]
    most: dict[SessionId, int]
    begun: list[Begun] = field(default_factory=list)
    news: list[Delivery] = field(default_factory=list)
    taken: dict[SessionId, int] = field(default_factory=dict)
    tale: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)

    # What customers do

    async def book(self, draw: Random) -> None:
        """Book the course or a session by card, and begin to pay."""
        who, till = draw.choice(self.customers), draw.choice(self.tills)
        is_course, session = draw.random() < 0.3, draw.choice(self.sessions)
        actor, now = Actor(customer_id=who), self.clock.now

        async def work(tx: Tx) -> PaymentId:
            if is_course:
                course = await book_course(tx, actor, self.course, None, PayWith(CARD), now=now)
                return course.payment_id
            booked = await book_session(tx, actor, session, None, PayWith(CARD), now=now)
            assert booked.payment_id is not None
            return booked.payment_id

        try:
            payment = await till.database.write(Caller(self.slug), work)
        except (Refusal, Refusals) as no:
            return self._say("book", f"{no}")
        begun = Begun(payment, who, now)
        self.begun.append(begun)
        self._say("book", f"{payment} is held")
        if draw.random() < 0.9:
            await self._begin(draw, begun)

    async def refresh(self, draw: Random) -> None:
        """Come back to the page, perhaps in two windows."""
        begun = self._one(draw)
        if begun is None:
            return

        async def look(till: Till) -> None:
            if await self._try(
                "refresh", partial(paying.sync, till, self.slug, begun.id, now=self.clock.now)
            ):
                await self._begin(draw, begun, till)

        await asyncio.gather(*(look(till) for till in self.tills[: draw.choice((1, 1, 2))]))

    async def pay(self, draw: Random) -> None:
        """Pay, also what the server died of before it noted it, if it is not long ago."""
        await asyncio.sleep(draw.uniform(0, SLOW_SECONDS))
        payable = {
            each["metadata"][PAYMENT]: each["id"]
            for each in self.double.objects("payment_intent")
            if each["status"] not in IS_OVER
        }
        begun = [
            each
            for each in self.begun
            if str(each.id) in payable and (each.intent or self.clock.now < each.at + IS_FRESH)
        ]
        if not begun:
            return
        chosen = draw.choice(begun)
        intent, card = payable[str(chosen.id)], draw.choice(CARDS)
        try:
            if draw.random() < 0.03:
                self.double.start_processing(intent)
            else:
                self.double.pay(intent, card)
            self._say("pay", f"{chosen.id} with {card}")
        except Refused as no:
            self._say("pay", f"{no}")

    async def authenticate(self, draw: Random) -> None:
        """Answer the bank, which asked; and let what takes its time be made, or fail."""
        await asyncio.sleep(draw.uniform(0, SLOW_SECONDS))
        self._go_on_paying(draw, 0.7)

    async def abandon(self, draw: Random) -> None:
        begun, till = self._one(draw), draw.choice(self.tills)
        if begun is not None:
            gives_up = partial(paying.give_up, till, self.slug, begun.id, Because.ABANDONED)
            await self._try("abandon", partial(gives_up, now=self.clock.now))

    async def cancel(self, draw: Random) -> None:
        """Cancel a place."""
        till = draw.choice(self.tills)
        async with till.database.read(Caller(self.slug)) as tx:
            found = await tx.all(
                select(bookings.c.id).where(mine(bookings), bookings.c.status == BOOKED)
            )
        if found:
            booking = BookingId(draw.choice(found).id)
            await self._write(
                "cancel",
                till,
                lambda tx: cancel_booking(tx, SYSTEM, booking, now=self.clock.now),
            )

    # What the business does

    async def walk_in(self, draw: Random) -> None:
        """Take a seat for somebody who pays at the desk."""
        who, session = draw.choice(self.customers), draw.choice(self.sessions)
        till, now = draw.choice(self.tills), self.clock.now
        await self._write(
            "walk in",
            till,
            lambda tx: book_session(tx, SYSTEM, session, who, PayWith(OFFLINE), now=now),
        )

    async def change_capacity(self, draw: Random) -> None:
        session, seats = draw.choice(self.sessions), draw.choice((1, 1, 2, 3))
        self.most[session] = max(self.most[session], seats)
        await self._write(
            f"change to {seats} seats",
            draw.choice(self.tills),
            lambda tx: session_rows.update_session(
                tx, SYSTEM, session, {"capacity": seats}, given=Given(), now=self.clock.now
            ),
        )

    async def call_off(self, draw: Random) -> None:
        session = draw.choice(self.sessions)
        await self._write(
            "call off",
            draw.choice(self.tills),
            lambda tx: call_off_session(tx, SYSTEM, session, now=self.clock.now),
        )

    async def give_back(self, draw: Random) -> None:
        """Give money back in Stripe's dashboard."""
        charged = [
            each
            for each in self.double.objects("charge")
            if each["status"] == "succeeded"
            and each["payment_method_details"]["card"]["last4"] != REFUND_FAILS
        ]
        if not charged:
            return
        charge = draw.choice(charged)
        amount = draw.choice((100, 500, charge["amount"] - charge["amount_refunded"]))
        asked: Any = {"charge": charge["id"], "amount": amount}
        dashboard = stripe_client(self.double, KEY)
        try:
            await dashboard.v1.refunds.create_async(asked)
            self._say("give back", f"{amount} of {charge['metadata'][PAYMENT]}")
        except stripe.StripeError:
            self._say("give back", "refused")

    # What processes do

    async def tell(self, draw: Random) -> None:
        """Tell some of the news, in any order, some of it twice, to either process."""
        draw.shuffle(self.news)
        number = draw.randint(1, 5)
        now, self.news = self.news[:number], self.news[number:]
        again = [each for each in now if draw.random() < IS_TOLD_AGAIN]
        await asyncio.gather(
            *(self._tell(draw.choice(self.tills), each) for each in now + again)
        )

    async def work(self, draw: Random) -> None:
        worker = draw.choice(self.workers)
        while await worker.work():
            pass

    async def take_along(self, draw: Random) -> None:
        """Die with a job in hand, done or not: nobody ever says how it ended."""
        till, now = draw.choice(self.tills), self.clock.now
        known = duties(till)
        taken = await till.database.run(
            lambda connection: jobs.take(connection, list(known), most=1, now=now)
        )
        for job in taken:
            if draw.random() < 0.7:
                await self._try(
                    f"take along {job.kind}", partial(known[job.kind].handler, job, now)
                )

    async def reconcile(self, draw: Random) -> None:
        till = draw.choice(self.tills)
        await self._try(
            "reconcile", partial(paying.reconcile, till, self.slug, now=self.clock.now)
        )

    async def break_down(self, draw: Random) -> None:
        """Let something go wrong with what Stripe is asked next."""
        path = draw.choice(("/v1/refunds", "/v1/payment_intents", "/v1/payment_intents"))
        fault: dict[str, Any] = draw.choice(
            (
                {"is_lost": True, "after_effect": True, "n": 2},
                {"is_lost": True, "after_effect": True},
                {"is_lost": True, "n": 2},
                {"status": 503, "n": 2},
                {"status": 500},
                {"status": 500, "after_effect": True},
                {"delay": 0.02},
            )
        )
        method = draw.choice(("POST", "POST", None))
        self.double.fail_next(path_prefix=path, method=method, **fault)
        self._say("break down", f"{path} {method} {fault}")

    # How it goes on

    def plan(self, draw: Random) -> list[tuple[timedelta, list[tuple[Deed, float]]]]:
        """Draw the whole history before it begins, so that nothing in it depends on luck."""
        deeds, weights = zip(*DEEDS, strict=True)
        return [
            (
                A_LONG_NIGHT
                if draw.random() < 0.05
                else timedelta(seconds=draw.choice(PAUSES)),
                [
                    (deed, draw.random())
                    for deed in draw.choices(deeds, weights, k=draw.randint(*AT_ONCE))
                ],
            )
            for _ in range(draw.randint(*ROUNDS))
        ]

    async def live(self, draw: Random) -> list[str]:
        """Live a history to its end and say what is wrong with it."""
        for pause, deeds in self.plan(draw):
            if pause == A_LONG_NIGHT:
                # Whoever is away for longer than a day has looked before.
                await self.reconcile(draw)
            self._pass(pause)
            await asyncio.gather(*(self._do(deed, seed) for deed, seed in deeds))
            self._listen(draw)
            await self._count_seats()
        looked_at = await self._settle_down(draw)
        books = await books_of(self.tills[0].database, self.slug)
        now = self.clock.now
        self.wrong += complaints(books, self.double, now=now, looked_at=looked_at)
        return self.wrong

    async def _settle_down(self, draw: Random) -> datetime:
        """Let time pass, and everybody do their work, until nothing is left to do."""
        self.double.faults.clear()
        self._go_on_paying(draw, 0.5)
        is_deaf = draw.random() < 0.3
        looked_at = self.clock.now
        for hop in (0, 0.3, 0.3, *[7] * 10):
            self._pass(timedelta(hours=hop))
            self._listen(draw, loss=float(is_deaf))
            while self.news:
                await self.tell(draw)
            await self.work(draw)
            if hop < 1:
                looked_at = self.clock.now
            elif not await self._has_work():
                break
        await self.work(draw)
        stop = partial(schedules.stop, kind=COMPARE)
        await self.tills[0].database.write(Caller(self.slug), stop)
        return looked_at

    async def _has_work(self) -> bool:
        counting = select(func.count()).where(mine(job_rows), job_rows.c.kind.in_(PROMISED))
        async with self.tills[0].database.read(Caller(self.slug)) as tx:
            return bool(await tx.scalar(counting))

    async def _do(self, deed: Deed, seed: float) -> None:
        draw = Random(seed)
        with with_luck(Luck(Random(seed), DIES)):
            await deed(self, draw)

    def _pass(self, time: timedelta) -> None:
        self.clock.now += time
        self.tale.append(f"{self.clock.now:%d %H:%M:%S}")

    def _listen(self, draw: Random, loss: float = IS_LOST) -> None:
        """Take what Stripe has to tell; some of it is lost for good."""
        self.news += [each for each in self.double.take_deliveries() if draw.random() >= loss]

    async def _tell(self, till: Till, news: Delivery) -> None:
        now = self.clock.now
        signature = news.headers(at=now.timestamp(), secret=SIGNED_WITH)["Stripe-Signature"]
        event = read_event(news.body, signature, [SIGNED_WITH], now)
        is_heard = await self._try(
            f"tell {event.kind}", partial(hear, till, event, Source(), now=now)
        )
        if not is_heard:
            self.news.append(news)  # Stripe tells again until it is heard

    async def _begin(self, draw: Random, begun: Begun, till: Till | None = None) -> None:
        """Ask for what a browser needs to pay; the answer may be lost on its way."""
        till = till or draw.choice(self.tills)

        async def let_pay() -> None:
            given = await paying.let_pay(till, self.slug, begun.id, now=self.clock.now)
            if draw.random() < 0.9:
                begun.intent = given.client_secret.partition("_secret_")[0]

        with with_luck(Luck(draw, DIES_AT_FIRST)):
            await self._try(f"begin {begun.id}", let_pay)

    async def _try(self, what: str, ask: Callable[[], Awaitable[Any]]) -> bool:
        """Ask about a payment, and say whether that was done."""
        try:
            await ask()
        except NOES as no:
            self._say(what, f"{type(no).__name__} {no}")
            return False
        except Exception as error:  # noqa: BLE001 it is reported with the tale
            self.wrong.append(f"{what}: {error!r}")
            return False
        self._say(what, "done")
        return True

    async def _write(self, what: str, till: Till, work: Callable[[Tx], Awaitable[Any]]) -> None:
        try:
            await till.database.write(Caller(self.slug), work)
            self._say(what, "done")
        except (Refusal, Refusals) as no:
            self._say(what, f"{no}")

    async def _count_seats(self) -> None:
        """See that no seat was sold that is not there."""
        counting = (
            select(
                sessions.c.id,
                sessions.c.seats_taken,
                sessions.c.capacity,
                func.count(bookings.c.id),
            )
            .outerjoin(
                bookings,
                (bookings.c.account_id == sessions.c.account_id)
                & (bookings.c.session_id == sessions.c.id)
                & bookings.c.status.in_((BOOKED, HELD)),
            )
            .where(mine(sessions))
            .group_by(sessions.c.id, sessions.c.seats_taken, sessions.c.capacity)
        )
        async with self.tills[0].database.read(Caller(self.slug)) as tx:
            for session, counted, capacity, taken in await tx.all(counting):
                if taken != counted:
                    self.wrong.append(f"{counted} seats are counted, and {taken} are taken")
                if taken > max(self.most[session], self.taken.get(session, 0)):
                    self.wrong.append(f"{taken} seats are taken of {capacity}")
                self.taken[session], self.most[session] = taken, capacity

    def _one(self, draw: Random) -> Begun | None:
        """Choose a payment, more often one of the latest."""
        if not self.begun:
            return None
        return draw.choice(self.begun[-4:] if draw.random() < 0.8 else self.begun)

    def _go_on_paying(self, draw: Random, likely: float) -> None:
        for each in self.double.objects("payment_intent"):
            succeeds = draw.random() < likely
            if each["status"] == "requires_action":
                self.double.authenticate(each["id"], succeeds=succeeds)
            elif each["status"] == "processing":
                self.double.finish_processing(each["id"], succeeds=succeeds)

    def _say(self, what: str, outcome: str) -> None:
        self.outcomes[f"{what.partition(' ')[0]}"] += 1
        self.tale.append(f"  {what}: {outcome}")


DEEDS: Final[Sequence[tuple[Deed, float]]] = (
    (Business.book, 8),
    (Business.pay, 7),
    (Business.tell, 5),
    (Business.refresh, 2),
    (Business.abandon, 2),
    (Business.cancel, 1),
    (Business.walk_in, 2),
    (Business.change_capacity, 1),
    (Business.call_off, 0.8),
    (Business.give_back, 1),
    (Business.work, 3),
    (Business.take_along, 1),
    (Business.reconcile, 1),
    (Business.authenticate, 1),
    (Business.break_down, 2.5),
)
"""What may be done, and how often."""


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
    tills = [
        Till(
            each,
            FrailGateway(
                seal=Seal((SECRET_KEY,)),
                api_key=KEY,
                publishable_key="pk_test_double",
                base_url=STRIPE,
                make_http=partial(async_client, double),
            ),
        )
        for each in databases
    ]
    await databases[0].run(
        lambda connection: opening.create_account(
            connection, slug, slug, time_zone="Europe/London", currency="GBP", now=clock.now
        )
    )
    seats = [draw.choice((1, 1, 2, 3)) for _ in range(3)]
    fill = partial(_fill, bolt_ons=bolt_ons, seats=seats, now=clock.now)
    course, found, people = await databases[0].write(Caller(slug), fill)
    try:
        yield Business(
            slug=slug,
            tills=tills,
            workers=[Worker(till.database, bolt_ons, clock, duties(till)) for till in tills],
            double=double,
            clock=clock,
            course=course,
            sessions=found,
            customers=people,
            most=dict(zip(found, seats, strict=True)),
        )
    finally:
        for till in tills:
            await till.gateway.close()
        double.close()


async def _fill(
    tx: Tx, *, bolt_ons: BoltOns, seats: Sequence[int], now: datetime
) -> tuple[CourseId, list[SessionId], list[CustomerId]]:
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
    found = await session_rows.all_sessions_of(tx, course.id)
    offer = DropInOffer(Money(1400, "GBP"), Period(90, Unit.DAYS), frozenset({CARD, OFFLINE}))
    await set_offers(tx, [(each, offer) for each in found])
    people = [
        await customers.create_customer(tx, SYSTEM, f"Customer {number}", None, now=now)
        for number in range(CUSTOMERS)
    ]
    await stripe_links.link(tx, SYSTEM, NewLink(), now=now)
    return course.id, [each.id for each in found], [each.id for each in people]
