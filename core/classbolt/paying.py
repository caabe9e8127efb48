"""Paying by card, from the first step to the last: between Stripe and our own rows.

No transaction is open while Stripe is asked, so that each walk goes in steps: read, ask Stripe,
write. A process may die between any two of them. That is why there is one way only in which a
payment moves, `sync`: it asks Stripe how things stand and brings our rows there. Webhooks, a
customer who comes back, the end of a hold and the regular look at everything all end in it, in
any order and as often as they like.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog
from sqlalchemy import bindparam, select

from classbolt import cards, disputes, refund_news, refunds
from classbolt.card_rules import Because, Fate, State
from classbolt.cards import CardPayment
from classbolt.checks import mine
from classbolt.db import Caller, Database, Tx
from classbolt.errors import NotFound, PaymentExpired, PaymentFailed, TryAgain
from classbolt.stripe_facts import (
    CANCELLED,
    Intent,
    StripeDispute,
    StripeInUse,
    StripeRefund,
    StripeRefused,
    StripeUnclear,
)
from classbolt.stripe_gateway import StripeGateway
from classbolt.stripe_links import StripeLink, find_link
from classbolt.tables import stripe_events
from classbolt.values import PaymentId, RefundId

HEARD = select(stripe_events.c.event_id).where(
    mine(stripe_events), stripe_events.c.event_id == bindparam("event")
)

ANSWER_WITHIN: Final = timedelta(hours=6)
"""For so long after a hold Stripe is asked how it stands before its seats are given up."""
STRIPE_IS_SILENT: Final = (
    "Stripe gave no clear answer. Please try again; nothing is done twice."
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Till:
    """What paying needs: our rows, and Stripe."""

    database: Database
    gateway: StripeGateway


@dataclass(frozen=True, slots=True)
class ToPay:
    """What a frontend needs to let a customer pay.

    Attributes:
        client_secret: Lets whoever has it pay this one payment.
        publishable_key: The key that Stripe.js is started with.
        stripe_account: In whose name Stripe.js is started, if it is not the key's own.
        hold_until: Until when the places are held.
    """

    client_secret: str = field(repr=False)
    publishable_key: str | None
    stripe_account: str | None
    hold_until: datetime


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What became of a payment after it was made."""

    refunds: Sequence[StripeRefund] = ()
    disputes: Sequence[StripeDispute] = ()


NOTHING: Final = Aftermath()


async def let_pay(till: Till, account: str, payment_id: PaymentId, *, now: datetime) -> ToPay:
    """Let a payment begin that holds its seats; beginning it again gives the same one.

    Raises:
        PaymentExpired: Its seats are not held any more.
        PaymentFailed: It could not be begun; its seats were given up.
        TryAgain: Nobody knows whether it was begun.
    """
    card, link = await _read(till, account, payment_id)
    if card.state is not State.PENDING or card.hold_until <= now:
        raise PaymentExpired
    try:
        if card.intent_id is None:
            gateway = till.gateway
            intent = await gateway.create_intent(link, account, payment_id, card.amount)
            await _note_intent(till, account, card, link, intent)
        else:
            intent = await till.gateway.find_intent(link, card.intent_id)
    except (StripeRefused, StripeUnclear) as no:
        log.warning("payment_not_begun", payment=str(payment_id), reason=str(no))
        # The same request, sent twice at once, does not give up what the other one begins.
        if card.intent_id is not None or isinstance(no, StripeInUse):
            raise TryAgain(STRIPE_IS_SILENT) from no
        # Nobody has been given the means to pay it, so that nobody will.
        await _settle(till, account, payment_id, None, Because.NOT_BEGUN, now)
        raise PaymentFailed from no
    return ToPay(
        intent.client_secret,
        till.gateway.publishable_key(link),
        link.stripe_account,
        card.hold_until,
    )


async def sync(
    till: Till, account: str, payment_id: PaymentId, *, event: str | None = None, now: datetime
) -> None:
    """Bring a payment to where Stripe says that it is.

    Args:
        event: The id of the event that said there is news; it is acted on once.

    Raises:
        NotFound: There is no such payment by card.
        StripeRefused: Stripe does not know it.
        StripeUnclear: Stripe does not answer.
        TryAgain: The rows stayed contended.
    """
    card, link = await _read(till, account, payment_id)
    if card.intent_id is None:
        return
    intent = await till.gateway.find_intent(link, card.intent_id)
    aftermath, unclear = NOTHING, None
    # Also of what is only paid by this: the news of it may have been overtaken, or lost.
    if intent.is_paid:
        try:
            aftermath = Aftermath(await till.gateway.refunds_of(link, intent.id))
            opened = await till.gateway.disputes_of(link, intent.id)
            aftermath = replace(aftermath, disputes=opened)
        except (StripeRefused, StripeUnclear) as no:
            unclear = no
    # Who has paid has a place, even if Stripe does not say all of what came after.
    heard = event if unclear is None else None
    await _settle(till, account, payment_id, intent, Because.CANCELLED, now, aftermath, heard)
    if unclear is not None:
        raise unclear


async def has_heard(till: Till, account: str, event: str) -> bool:
    """Say whether an event has been acted on already."""
    async with till.database.read(Caller(account)) as tx:
        return await tx.scalar(HEARD, {"event": event}) is not None


async def give_up(
    till: Till, account: str, payment_id: PaymentId, because: Because, *, now: datetime
) -> None:
    """Give up a payment that is not made: first nobody can pay any more, then the seats go.

    If it was paid in the meantime, it counts as paid. Where Stripe gives no clear answer long
    after the hold has ended, our access may be gone for good: then the seats go all the same.
    Who can still pay, and does, is seen to as anybody who pays too late (H4).

    Raises:
        NotFound: There is no such payment by card.
        StripeRefused: Stripe does not know it.
        StripeUnclear: Nobody knows whether it can still be paid.
        TryAgain: It was begun at this very moment, or the rows stayed contended.
    """
    card, link = await _read(till, account, payment_id)
    if card.state is not State.PENDING:
        return
    if card.intent_id is None:
        intent = None
    else:
        try:
            intent = await till.gateway.cancel_intent(link, card.intent_id)
        except (StripeRefused, StripeUnclear):
            if now < card.hold_until + ANSWER_WITHIN:
                raise
            log.warning("payment_given_up_unanswered", account=account, payment=str(payment_id))
            intent = Intent(card.intent_id, CANCELLED, captured_minor=0, client_secret="")
    await _settle(till, account, payment_id, intent, because, now)


async def refund(till: Till, account: str, refund_id: RefundId, *, now: datetime) -> None:
    """Ask Stripe for a refund that was promised.

    Stripe forgets the key of a request after a day. What may have been asked for before that is
    looked up first, or it would be paid twice.

    Raises:
        StripeUnclear: Nobody knows whether it was given; asked again, it is given once.
        TryAgain: The rows stayed contended.
    """
    async with till.database.read(Caller(account)) as tx:
        wanted = await refunds.find_refund(tx, refund_id)
    if wanted is None or wanted.state != refunds.REQUESTED:
        return
    card, link = await _read(till, account, wanted.payment_id)
    assert card.intent_id is not None, "nothing is refunded that was not paid"
    there: Sequence[StripeRefund] = ()
    code = ""
    if now - wanted.requested_at > refunds.KEYS_ARE_KEPT:
        there = await till.gateway.refunds_of(link, card.intent_id)
    given = _ours(there, refund_id)
    if given is None:
        try:
            given = await till.gateway.refund(
                link, refund_id, card.intent_id, wanted.amount.amount_minor
            )
        except StripeRefused as no:
            # It may be refused because it was given already, by a request that got no answer.
            there = await till.gateway.refunds_of(link, card.intent_id)
            given, code = _ours(there, refund_id), no.code

    async def note(tx: Tx) -> None:
        if given is None:
            await refund_news.note_refused(tx, wanted, code, there, now=now)
        else:
            await refund_news.note(tx, wanted, given, given.failure, now=now)

    await till.database.write(Caller(account), note)


async def _read(
    till: Till, account: str, payment_id: PaymentId
) -> tuple[CardPayment, StripeLink]:
    """Read a payment, and through which link it goes.

    Raises:
        NotFound: There is no such payment by card.
    """
    async with till.database.read(Caller(account)) as tx:
        card = (await cards.find_card_payments(tx, [payment_id])).get(payment_id)
        if card is None:
            raise NotFound().at("payment")
        link = await find_link(tx, card.link_id)
        assert link is not None
        return card, link


async def _note_intent(
    till: Till, account: str, card: CardPayment, link: StripeLink, intent: Intent
) -> None:
    """Keep what Stripe calls a payment, before anybody can pay it.

    Raises:
        PaymentExpired: Its seats were given up meanwhile.
    """
    note = partial(cards.note_intent, payment_id=card.id, intent_id=intent.id)
    if not await till.database.write(Caller(account), note):
        await till.gateway.cancel_intent(link, intent.id)
        raise PaymentExpired


async def _settle(
    till: Till,
    account: str,
    payment_id: PaymentId,
    intent: Intent | None,
    because: Because,
    now: datetime,
    aftermath: Aftermath = NOTHING,
    event: str | None = None,
) -> None:
    async def work(tx: Tx) -> Fate:
        if event is not None:
            told = {"event_id": event, "received_at": now}
            if not await tx.insert_new(stripe_events, told):
                return Fate.NOTHING
        found = await cards.settle(tx, payment_id, intent, because=because, now=now)
        await refund_news.note_all(tx, payment_id, aftermath.refunds, now=now)
        await disputes.note_all(tx, payment_id, aftermath.disputes, now=now)
        await refunds.return_rest(tx, payment_id, now=now)
        return found

    found = await till.database.write(Caller(account), work)
    if found is not Fate.NOTHING:
        log.info("payment_settled", account=account, payment=str(payment_id), fate=found.value)


def _ours(found: Sequence[StripeRefund], refund_id: RefundId) -> StripeRefund | None:
    """Look whether a refund of ours is among those that Stripe has."""
    return next((each for each in found if each.ours == str(refund_id)), None)
