"""What people, processes and Stripe do around payments by card: one thing at a time.

A deed draws from lots of its own, so that what it chooses does not depend on what else happens
at the same moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any, Final

import stripe
from sqlalchemy import select

from classbolt import bundles, comparing, jobs, paying
from classbolt import sessions as session_rules
from classbolt.book import book_session
from classbolt.book_course import book_course
from classbolt.booking_rules import PayWith
from classbolt.bookings import BOOKED
from classbolt.buy import buy_bundle
from classbolt.call_off import call_off_session
from classbolt.cancel import cancel_booking
from classbolt.card_rules import Because
from classbolt.checks import mine
from classbolt.db import Caller, Tx
from classbolt.duties import duties
from classbolt.facts import CARD, OFFLINE
from classbolt.given import Given
from classbolt.paying import Till
from classbolt.staff_refunds import refund_payment
from classbolt.stripe_events import Source, hear
from classbolt.stripe_facts import PAYMENT
from classbolt.stripe_gateway import read_event
from classbolt.tables import bookings
from classbolt.testing.stripe_double import Delivery, Refused, stripe_client
from classbolt.values import Actor, BookingId, PaymentId
from frail import SLOW_SECONDS, Luck, with_luck
from money_trail import IS_OVER
from paying_business import KEY, LOSES, SEATS, SIGNED_WITH, Begun, Business

Deed = Callable[[Business, Random], Awaitable[None]]

DIES_AT_FIRST: Final = 0.2
"""How likely a process is to die before and after a payment is made at Stripe."""
IS_TOLD_AGAIN: Final = 0.3
IS_FRESH: Final = timedelta(hours=1)
"""For so long a customer may pay what the server asked Stripe for and never handed out."""
CARDS: Final = (
    *["pm_card_visa"] * 6,
    "pm_card_chargeDeclined",
    "pm_card_chargeDeclined",
    "pm_card_authenticationRequired",
    "pm_card_pendingRefund",
    "pm_card_refundFail",
)
FAULTS: Final[Sequence[dict[str, Any]]] = (
    {"is_lost": True, "after_effect": True, "n": 2},
    {"is_lost": True, "after_effect": True},
    {"is_lost": True, "n": 2},
    {"status": 503, "n": 2},
    {"status": 500},
    {"status": 500, "after_effect": True},
    {"delay": 0.02},
)
PATHS: Final = ("/v1/refunds", "/v1/payment_intents", "/v1/payment_intents")


# What customers do


async def book(business: Business, draw: Random) -> None:
    """Book the course or a session by card, and begin to pay."""
    session, is_course = draw.choice(business.sessions), draw.random() < 0.3
    actor, now = Actor(customer_id=draw.choice(business.customers)), business.clock.now

    async def work(tx: Tx) -> PaymentId | None:
        by_card = PayWith(CARD)
        if is_course:
            return (
                await book_course(tx, actor, business.course, None, by_card, now=now)
            ).payment_id
        return (await book_session(tx, actor, session, None, by_card, now=now)).payment_id

    await _start("book", business, draw, work)


async def buy(business: Business, draw: Random) -> None:
    """Buy a bundle by card, and begin to pay."""
    actor, now = Actor(customer_id=draw.choice(business.customers)), business.clock.now

    async def work(tx: Tx) -> PaymentId:
        bought = await buy_bundle(tx, actor, business.bundle, None, PayWith(CARD), now=now)
        return bought.payment_id

    await _start("buy", business, draw, work)


async def refresh(business: Business, draw: Random) -> None:
    """Come back to the page, perhaps in two windows."""
    begun = _one(business, draw)
    if begun is None:
        return

    async def look(till: Till) -> None:
        sync = partial(paying.sync, till, business.slug, begun.id, now=business.clock.now)
        if await business.ask("refresh", sync):
            await _begin(business, draw, begun, till)

    windows = draw.choice((1, 1, 2))
    await asyncio.gather(*(look(till) for till in business.tills[:windows]))


async def pay(business: Business, draw: Random) -> None:
    """Pay, also what the server died of before it noted it, if that is not long ago."""
    await asyncio.sleep(draw.uniform(0, SLOW_SECONDS))
    payable = {
        each["metadata"][PAYMENT]: each["id"]
        for each in business.double.objects("payment_intent")
        if each["status"] not in IS_OVER
    }
    since = business.clock.now - IS_FRESH
    begun = [
        each
        for each in business.begun
        if str(each.id) in payable and (each.intent or each.at > since)
    ]
    if not begun:
        return
    chosen, card = draw.choice(begun), draw.choice(CARDS)
    try:
        if draw.random() < 0.03:
            business.double.start_processing(payable[str(chosen.id)])
        else:
            business.double.pay(payable[str(chosen.id)], card)
        business.say("pay", f"{chosen.id} with {card}")
    except Refused as no:
        business.say("pay", no)


async def authenticate(business: Business, draw: Random) -> None:
    """Answer the bank, which asked; and let what takes its time be made, or fail."""
    await asyncio.sleep(draw.uniform(0, SLOW_SECONDS))
    go_on_paying(business, draw)


async def abandon(business: Business, draw: Random) -> None:
    """Change one's mind."""
    begun, till = _one(business, draw), draw.choice(business.tills)
    if begun is not None:
        give_up = partial(paying.give_up, till, business.slug, begun.id, Because.ABANDONED)
        await business.ask("abandon", partial(give_up, now=business.clock.now))


async def cancel(business: Business, draw: Random) -> None:
    """Cancel somebody's place."""
    till, now = draw.choice(business.tills), business.clock.now
    places = select(bookings.c.id).where(mine(bookings), bookings.c.status == BOOKED)
    async with till.database.read(Caller(business.slug)) as tx:
        found = await tx.all(places.order_by(bookings.c.id))
    if found:
        booking = BookingId(draw.choice(found).id)
        await business.write(
            "cancel", till, lambda tx: cancel_booking(tx, business.owner, booking, now=now)
        )


# What the business does


async def walk_in(business: Business, draw: Random) -> None:
    """Take a seat for somebody who pays at the desk."""
    who, session = draw.choice(business.customers), draw.choice(business.sessions)
    till, now = draw.choice(business.tills), business.clock.now
    at_the_desk = PayWith(OFFLINE)
    await business.write(
        "walk in",
        till,
        lambda tx: book_session(tx, business.owner, session, who, at_the_desk, now=now),
    )


async def change_capacity(business: Business, draw: Random) -> None:
    """Let a session have more seats, or fewer."""
    session, seats = draw.choice(business.sessions), draw.choice(SEATS)
    business.most[session] = max(business.most[session], seats)
    await business.write(
        f"change to {seats} seats",
        draw.choice(business.tills),
        lambda tx: session_rules.update_session(
            tx,
            business.owner,
            session,
            {"capacity": seats},
            given=Given(),
            now=business.clock.now,
        ),
    )


async def call_off(business: Business, draw: Random) -> None:
    """Call a session off."""
    session, now = draw.choice(business.sessions), business.clock.now
    await business.write(
        "call off",
        draw.choice(business.tills),
        lambda tx: call_off_session(tx, business.owner, session, now=now),
    )


async def take_off_sale(business: Business, draw: Random) -> None:
    """Sell bundles no longer, or again."""
    is_sold, owner = draw.random() < 0.5, business.owner
    await business.write(
        "take off sale",
        draw.choice(business.tills),
        lambda tx: bundles.update_bundle(tx, owner, business.bundle, {"on_sale": is_sold}),
    )


async def refund(business: Business, draw: Random) -> None:
    """Give money back, a part of it or all that is left."""
    amount, now = draw.choice((300, 700, None)), business.clock.now
    charged = {each["metadata"][PAYMENT] for each in _charged(business)}
    paid = [each for each in business.begun if str(each.id) in charged]
    if paid:
        payment = draw.choice(paid).id
        await business.write(
            f"refund {amount or 'all'} of {payment}",
            draw.choice(business.tills),
            lambda tx: refund_payment(tx, business.owner, payment, amount, note=None, now=now),
        )


async def give_back(business: Business, draw: Random) -> None:
    """Give money back in Stripe's dashboard, a part of it or all that is left."""
    charged = _charged(business)
    if not charged:
        return
    charge = draw.choice(charged)
    left = charge["amount"] - charge["amount_refunded"]
    asked: Any = {"charge": charge["id"], "amount": draw.choice((100, 500, left))}
    try:
        await stripe_client(business.double, KEY).v1.refunds.create_async(asked)
        business.say("give back", f"{asked['amount']} of {charge['metadata'][PAYMENT]}")
    except stripe.StripeError as no:
        business.say("give back", type(no).__name__)


# What processes do, and what goes wrong with Stripe


async def tell(business: Business, draw: Random) -> None:
    """Tell some of the news, in any order, some of it twice, to either process."""
    draw.shuffle(business.news)
    number = draw.randint(1, 5)
    told, business.news = business.news[:number], business.news[number:]
    again = [each for each in told if draw.random() < IS_TOLD_AGAIN]
    await asyncio.gather(
        *(_tell(business, draw.choice(business.tills), each) for each in told + again)
    )


async def work(business: Business, draw: Random) -> None:
    """Do what is due."""
    worker = draw.choice(business.workers)
    while await worker.work():
        pass


async def take_along(business: Business, draw: Random) -> None:
    """Die with a job in hand, done or not: nobody ever says how it ended."""
    till, now = draw.choice(business.tills), business.clock.now
    known = duties(till)
    taken = await till.database.run(
        lambda connection: jobs.take(connection, list(known), most=1, now=now)
    )
    for job in taken:
        if draw.random() < 0.7:
            do = partial(known[job.kind].handler, job, now)
            await business.ask(f"take along {job.kind}", do)


async def reconcile(business: Business, draw: Random) -> None:
    """Look at everything."""
    till, now = draw.choice(business.tills), business.clock.now
    look = partial(comparing.compare, till, business.slug, back=comparing.LOOKS_BACK, now=now)
    await business.ask("reconcile", look)


async def lose_refund(business: Business, draw: Random) -> None:
    """Give a part back, and hear nothing of it: once Stripe forgets, it looks like new."""
    business.double.fail_next(is_lost=True, after_effect=True, n=8, path_prefix=PATHS[0])
    await refund(business, draw)
    await work(business, draw)


async def break_down(business: Business, draw: Random) -> None:
    """Let something go wrong with what Stripe is asked next."""
    path, method = draw.choice(PATHS), draw.choice(("POST", "POST", None))
    fault = draw.choice(FAULTS)
    business.double.fail_next(path_prefix=path, method=method, **fault)
    business.say("break down", f"{path} {method} {fault}")


DEEDS: Final[Sequence[tuple[Deed, float]]] = (
    (book, 8),
    (buy, 1.5),
    (pay, 9),
    (refresh, 2),
    (authenticate, 1),
    (abandon, 2),
    (cancel, 1),
    (walk_in, 2),
    (change_capacity, 1),
    (call_off, 0.8),
    (take_off_sale, 0.5),
    (refund, 0.7),
    (lose_refund, 1.5),
    (give_back, 1),
    (tell, 5),
    (work, 3),
    (take_along, 1),
    (reconcile, 1),
    (break_down, 2.5),
)
"""What may be done, and how often."""


# What several of them do


def go_on_paying(business: Business, draw: Random) -> None:
    """Let what waits for a bank be decided."""
    for each in business.double.objects("payment_intent"):
        succeeds = draw.random() < 0.7
        if each["status"] == "requires_action":
            business.double.authenticate(each["id"], succeeds=succeeds)
        elif each["status"] == "processing":
            business.double.finish_processing(each["id"], succeeds=succeeds)


async def _start(
    what: str,
    business: Business,
    draw: Random,
    work: Callable[[Tx], Awaitable[PaymentId | None]],
) -> None:
    """Order something by card, then begin to pay, if the process lives so long."""
    payment = await business.write(what, draw.choice(business.tills), work)
    if payment is None:
        return
    begun = Begun(payment, business.clock.now)
    business.begun.append(begun)
    business.say(what, payment)
    if draw.random() >= LOSES:
        await _begin(business, draw, begun, draw.choice(business.tills))


async def _begin(business: Business, draw: Random, begun: Begun, till: Till) -> None:
    """Ask for what a browser needs to pay; the answer may be lost on its way."""

    async def let_pay() -> None:
        to_pay = await paying.let_pay(till, business.slug, begun.id, now=business.clock.now)
        if draw.random() >= LOSES:
            begun.intent = to_pay.client_secret.partition("_secret_")[0]

    with with_luck(Luck(draw, DIES_AT_FIRST)):
        await business.ask(f"begin {begun.id}", let_pay)


async def _tell(business: Business, till: Till, news: Delivery) -> None:
    now = business.clock.now
    signature = news.headers(at=now.timestamp(), secret=SIGNED_WITH)["Stripe-Signature"]
    event = read_event(news.body, signature, [SIGNED_WITH], now)
    listen = partial(hear, till, event, Source(), now=now)
    if not await business.ask(f"tell {event.kind}", listen):
        business.news.append(news)  # Stripe tells again until it is heard


def _charged(business: Business) -> list[dict[str, Any]]:
    charges = business.double.objects("charge")
    return [each for each in charges if each["status"] == "succeeded"]


def _one(business: Business, draw: Random) -> Begun | None:
    """Choose a payment, more often one of the latest."""
    if not business.begun:
        return None
    return draw.choice(business.begun[-4:] if draw.random() < 0.8 else business.begun)
