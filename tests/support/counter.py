"""A studio that takes cards: fixture F, linked with a double of Stripe that tests play with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import update

from classbolt import cards, schedules, stripe_links
from classbolt.bolt_ons import BoltOns
from classbolt.card_rules import Because
from classbolt.comparing import COMPARE_EVERY, COMPARE_OLD_EVERY, DAY, days_ago
from classbolt.db import Caller, Database, Tx
from classbolt.duties import duties
from classbolt.paying import Till
from classbolt.sealed import Seal
from classbolt.stripe_facts import Intent
from classbolt.stripe_gateway import StripeGateway
from classbolt.stripe_links import COMPARE, COMPARE_OLD, NewLink
from classbolt.tables import card_payments
from classbolt.testing.databases import Kind
from classbolt.testing.stripe_double import Delivery, Double, async_client, stripe_client
from classbolt.values import SYSTEM, PaymentId, StripeLinkId
from classbolt.worker import Worker
from classbolt_schema.ids import decode
from fixture_f import SLUG, FixtureF
from studio import SECRET_KEY, Clock, Studio, serving

KEY: Final = "sk_test_double"
PUBLISHABLE_KEY: Final = "pk_test_double"
STRIPE: Final = "http://stripe.invalid"
SIGNED_WITH: Final = "whsec_of_the_installation"
SETTINGS: Final = {
    "stripe_api_key": KEY,
    "stripe_publishable_key": PUBLISHABLE_KEY,
    "stripe_webhook_secrets": [SIGNED_WITH],
}
CARD_PAYMENT: Final = "cardPayment { clientSecret publishableKey stripeAccount holdUntil }"
PAYMENT: Final = (
    "payment { id method state holdUntil paidAt amount { amountMinor currency }"
    " refunds { amount { amountMinor } cause state } }"
)


@dataclass
class Counter:
    """Where customers pay by card, and Stripe behind it."""

    studio: Studio
    double: Double
    till: Till
    worker: Worker

    # What customers do

    async def book_course(self, name: str, course: str, **more: Any) -> dict[str, Any]:
        """Ask to book a course by card."""
        asked = {"course": self.studio.ids.courses[course], "payWith": {"card": True}, **more}
        fields = f"courseBooking {{ id status {PAYMENT} }} {CARD_PAYMENT}"
        return await self.studio.mutate("bookCourse", asked, fields, as_=name)

    async def book(self, name: str, course: str, number: int, **more: Any) -> dict[str, Any]:
        """Ask to book a session by card."""
        session = self.studio.session(course, number)
        asked = {"session": session, "payWith": {"card": True}, **more}
        fields = f"booking {{ id status way {PAYMENT} }} {CARD_PAYMENT}"
        return await self.studio.mutate("bookSession", asked, fields, as_=name)

    def pay(self, booked: dict[str, Any], card: str = "pm_card_visa") -> None:
        """Let the customer pay in their browser."""
        self.double.pay(intent_of(booked), card)

    async def refresh(self, name: str, booked: dict[str, Any]) -> dict[str, Any]:
        """Come back from paying, and ask how it stands."""
        return await self._about("refreshPayment", name, booked, f"{PAYMENT} {CARD_PAYMENT}")

    async def abandon(self, name: str, booked: dict[str, Any]) -> dict[str, Any]:
        """Change one's mind."""
        return await self._about("abandonPayment", name, booked, PAYMENT)

    async def payment(self, name: str, booked: dict[str, Any]) -> dict[str, Any]:
        """Look at the payment, without asking Stripe."""
        fields = PAYMENT.removeprefix("payment")
        document = f"query ($id: ID!) {{ node(id: $id) {{ ... on Payment {fields} }} }}"
        payment = held_of(booked)["payment"]["id"]
        return dict((await self.studio.query(document, id=payment, as_=name))["node"])

    async def status(self, name: str, booked: dict[str, Any]) -> str:
        """Say how the booking stands."""
        document = "query ($id: ID!) { node(id: $id) { ... on Booking { status }"
        document += " ... on CourseBooking { status } } }"
        found = await self.studio.query(document, id=held_of(booked)["id"], as_=name)
        return str(found["node"]["status"])

    async def places(self, name: str, course: str = "MON") -> list[str]:
        """Say how a customer's places in a course stand."""
        return [each["status"] for each in await self.studio.bookings(name, course)]

    async def free(self) -> list[int]:
        """Say how many seats are free on the Mondays."""
        return [await self.studio.seats_left("MON", number) for number in range(1, 7)]

    async def returned(self, card: str = "pm_card_visa") -> dict[str, Any]:
        """Let Pat pay when a session is full by then; the refund is promised, not yet made."""
        booked = await self.book_course("Pat", "MON")
        await self.expire(booked)
        await self.studio.change("MON", 3, capacity=1)
        self.pay(booked, card)
        await self.tell(self.news("payment_intent.succeeded"))
        return booked

    # What time and Stripe do

    def refunded(self) -> list[int]:
        """Say what has gone back at Stripe."""
        return [each["amount"] for each in self.double.objects("refund")]

    def is_cancelled(self, booked: dict[str, Any]) -> bool:
        """Say whether nobody can pay any more."""
        intents = {each["id"]: each for each in self.double.objects("payment_intent")}
        return bool(intents[intent_of(booked)]["status"] == "canceled")

    async def work(self) -> None:
        """Do what is due, until nothing is."""
        while await self.worker.work():
            pass

    async def promise(self) -> None:
        """Let what comes again and again be promised, if it is time for it."""
        await self.till.database.run(
            lambda connection: schedules.promise_due(
                connection,
                {COMPARE: COMPARE_EVERY, COMPARE_OLD: COMPARE_OLD_EVERY},
                now=self.studio.clock.now,
            )
        )

    async def look_back_at(self, since: datetime) -> None:
        """Let its turn come of what is as old as a moment, within a day, and do what is due."""
        began, clock = self.studio.clock.now, self.studio.clock
        while days_ago(clock.now) != (clock.now - since) // DAY:
            clock.now += COMPARE_OLD_EVERY
        assert clock.now < began + DAY
        await self.promise()
        await self.work()

    async def expire(self, booked: dict[str, Any]) -> None:
        """Let a hold run out while the payment can still be made at Stripe.

        That is how it looks if it was made in the moment between our two steps.
        """
        cancelled = Intent(intent_of(booked), "canceled", 0, "", {})
        settle = partial(
            cards.settle,
            payment_id=_payment_id(booked),
            seen=cancelled,
            because=Because.TIMEOUT,
            now=self.studio.clock.now,
        )
        await self.till.database.write(Caller(SLUG), settle)
        self.studio.clock.now += timedelta(minutes=16)

    async def forget_intent(self, booked: dict[str, Any]) -> None:
        """Leave a payment as a process does that dies before it writes down Stripe's name."""
        forget = (
            update(card_payments)
            .where(card_payments.c.payment_id == _payment_id(booked))
            .values(intent_id=None)
        )
        await self.till.database.run(lambda connection: connection.execute(forget))

    async def unlink(self) -> None:
        """End the link with Stripe."""

        async def work(tx: Tx) -> None:
            link_id = await _link(tx)
            await stripe_links.unlink(tx, SYSTEM, link_id, now=self.studio.clock.now)

        await self.till.database.write(Caller(SLUG), work)

    async def hold_for(self, *, minutes: int) -> None:
        """Hold seats for so long while they are being paid for."""

        async def work(tx: Tx) -> None:
            link_id = await _link(tx)
            await stripe_links.update_link(tx, SYSTEM, link_id, {"hold_minutes": minutes})

        await self.till.database.write(Caller(SLUG), work)

    async def refund_elsewhere(self, booked: dict[str, Any], amount_minor: int) -> None:
        """Give money back in Stripe's dashboard."""
        asked: Any = {"payment_intent": intent_of(booked), "amount": amount_minor}
        await stripe_client(self.double).v1.refunds.create_async(asked)

    def news(self, *kinds: str) -> list[Delivery]:
        """Take what Stripe has to tell, or only some kinds of it; the rest is lost."""
        found = self.double.take_deliveries()
        return [each for each in found if not kinds or each.event["type"] in kinds]

    async def tell(
        self,
        news: Iterable[Delivery],
        *,
        to: str = "/webhooks/stripe",
        secret: str = SIGNED_WITH,
    ) -> list[int]:
        """Tell the server, and give its answers."""
        return [
            (
                await self.studio.client.post(
                    to,
                    content=each.body,
                    headers=each.headers(at=self.studio.clock.now.timestamp(), secret=secret),
                )
            ).status_code
            for each in news
        ]

    async def _about(
        self, mutation: str, name: str, booked: dict[str, Any], fields: str
    ) -> dict[str, Any]:
        asked = {"payment": held_of(booked)["payment"]["id"]}
        return await self.studio.mutate(mutation, asked, fields, as_=name)


async def _link(tx: Tx) -> StripeLinkId:
    found = await stripe_links.link_in_force(tx)
    assert found is not None
    return found.id


def held_of(booked: dict[str, Any]) -> dict[str, Any]:
    """Give what of a payload has the payment: a booking of either kind, or itself."""
    found: dict[str, Any] = booked.get("courseBooking") or booked.get("booking") or booked
    return found


def _payment_id(booked: dict[str, Any]) -> PaymentId:
    return PaymentId(decode("Payment", held_of(booked)["payment"]["id"]))


def intent_of(booked: dict[str, Any]) -> str:
    """Read the PaymentIntent's id off the client's secret, as Stripe.js does."""
    return str(booked["cardPayment"]["clientSecret"]).partition("_secret_")[0]


def gateway_to(double: Double) -> StripeGateway:
    """Make a server's way to Stripe, which it closes when it ends."""
    return StripeGateway(
        seal=Seal((SECRET_KEY,)),
        api_key=KEY,
        publishable_key=PUBLISHABLE_KEY,
        base_url=STRIPE,
        make_http=partial(async_client, double),
    )


class TakingCards(FixtureF):
    """Fixture F where courses and advanced drop-ins can be paid for by card.

    Two more customers, Ola and Pat, have a card.
    """

    NAME = "fixture F, taking cards"

    async def furnish(self, kind: Kind, studio: Studio) -> None:
        """Set it up, link it with Stripe, and let cards be taken."""
        await super().furnish(kind, studio)
        link = partial(stripe_links.link, actor=SYSTEM, new=NewLink(), now=studio.clock.now)
        await studio.database.write(Caller(SLUG), link)
        for course in ("MON", "WED"):
            await studio.change_course(course, paymentMethods=["card", "offline"])
        offer = {
            "priceMinor": 1400,
            "opensBefore": {"value": 7, "unit": "DAYS"},
            "paymentMethods": ["card", "credit"],
        }
        asked = {"course": studio.ids.courses["WED"], "dropIn": offer}
        await studio.do("updateSessions", asked, as_="owner")
        for name in ("Ola", "Pat"):
            await studio.add_customer(name)
            await studio.admit(name)


@asynccontextmanager
async def counter_of(
    kind: Kind, url: str, taking_cards: TakingCards, data: Path, bolt_ons: BoltOns
) -> AsyncIterator[Counter]:
    """Open the studio that takes cards, in a copy of its database; nobody has paid yet."""
    clock, database = Clock(), Database(url, bolt_ons)
    double = Double(KEY, publishable_key=PUBLISHABLE_KEY, clock=clock)
    double.listen("https://classbolt.invalid/webhooks/stripe")
    gateway = gateway_to(double)
    till = Till(database, gateway)
    worker = Worker(database, bolt_ons, clock, duties(till))
    async with serving(database, data, bolt_ons, clock, gateway=gateway, stripe=SETTINGS) as (
        client,
        settings,
    ):
        studio = taking_cards.studio(kind, client, settings, database, clock)
        yield Counter(studio, double, till, worker)
    double.close()
