"""Comparing: what we have with what Stripe has, to mend what nobody told us of.

Webhooks get lost, and processes die before they write down what they did. So all that is new
is looked at every few minutes: payments that were begun, refunds that were made, by us or by
others, and disputes. What is older has its turn about once a day for some weeks, because banks
may take that long: one day of it after the other, so that there is never too much at once. What
is not as we have it is brought there by `paying.sync`, as any other news is. A dispute is
looked at for as long as it is open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeVar
from uuid import UUID

import structlog

from classbolt import cards, disputes, paying, refund_news
from classbolt.card_rules import Because, State
from classbolt.cards import CardPayment
from classbolt.db import Caller
from classbolt.errors import Refusal
from classbolt.paying import Till
from classbolt.stripe_facts import (
    ACCOUNT,
    PAYMENT,
    Intent,
    Span,
    StripeDispute,
    StripeRefund,
    StripeRefused,
    StripeUnclear,
)
from classbolt.stripe_links import StripeLink, links_since
from classbolt.values import PaymentId

COMPARE_EVERY: Final = timedelta(minutes=5)
LOOKS_BACK: Final = timedelta(hours=25)
DAY: Final = timedelta(days=1)
LOOKS_FAR_BACK: Final = 35 * DAY
"""Banks can take a month to say that a refund did not arrive."""
COMPARE_OLD_EVERY: Final = timedelta(minutes=30)
"""Each of these days has its turn at other hours than the day before: who sleeps every night
would otherwise never look at the same ones."""
AT_ONCE: Final = 500
"""How many are looked for in one statement."""

log = structlog.get_logger(__name__)
T = TypeVar("T")


async def compare_day(till: Till, account: str, *, now: datetime) -> None:
    """Compare one of the last days: each has its turn about once a day.

    The last day itself is compared every few minutes anyway. Its turn goes to the disputes that
    are open, however old: banks take months.

    Raises:
        StripeRefused: Stripe does not let us look at all of it.
        StripeUnclear: Stripe does not answer, or not for all of it.
    """
    ago = days_ago(now)
    if not ago:
        async with till.database.read(Caller(account)) as tx:
            undecided = await disputes.still_open(tx)
        await _sync_all(till, account, undecided, now)
        return
    await compare(till, account, back=(ago + 1) * DAY, until=ago * DAY, now=now)


def days_ago(now: datetime) -> int:
    """Say which of the last days has its turn: that which ended so many days ago."""
    turn = int(now.timestamp() / COMPARE_OLD_EVERY.total_seconds())
    return turn % (LOOKS_FAR_BACK // DAY)


async def compare(
    till: Till,
    account: str,
    *,
    back: timedelta,
    until: timedelta = timedelta(),
    now: datetime,
) -> None:
    """Compare what was begun, made or opened lately, also through links that have ended since.

    Args:
        back: How long ago that may have been, at most.
        until: How long ago it must have been, at least.

    Raises:
        StripeRefused: Stripe does not let us look at all of it.
        StripeUnclear: Stripe does not answer, or not for all of it.
    """
    async with till.database.read(Caller(account)) as tx:
        links = await links_since(tx, now - LOOKS_FAR_BACK)
        late = await cards.overdue(tx, now=now)
    for payment_id in late:
        with _keeping_nobody(payment_id):
            await paying.give_up(till, account, payment_id, Because.TIMEOUT, now=now)
    span = Span(now - back, now - until if until else None)
    failures: list[StripeRefused | StripeUnclear] = []
    for link in links:
        try:
            await _compare_payments(till, account, link, span, now)
            await _compare_aftermath(till, account, link, span, now)
        except (StripeRefused, StripeUnclear) as no:  # the key of one may be gone
            failures.append(no)
    if failures:
        raise failures[0]


async def _compare_payments(
    till: Till, account: str, link: StripeLink, span: Span, now: datetime
) -> None:
    """Look at the payments that were begun in a span of time."""
    intents: dict[PaymentId, Intent] = {}
    async for each in till.gateway.intents_begun(link, span):
        if (named := _payment_of(each.metadata, account)) is not None:
            intents[named] = each
    async with till.database.read(Caller(account)) as tx:
        known: dict[PaymentId, CardPayment] = {}
        for some in _slices(list(intents)):
            known |= await cards.find_card_payments(tx, some)
    for payment_id, card in known.items():
        with _keeping_nobody(payment_id):
            await _compare(till, account, card, link, intents[payment_id], now)


@contextmanager
def _keeping_nobody(payment_id: PaymentId) -> Iterator[None]:
    """Let no payment keep the others waiting; it is looked at again the next time."""
    try:
        yield
    except (StripeRefused, StripeUnclear, Refusal) as no:
        log.warning("payment_not_compared", payment=str(payment_id), reason=str(no))
    except Exception:  # whatever it is, the money of all others still waits
        log.exception("payment_not_compared", payment=str(payment_id), reason="a bug")


async def _compare(
    till: Till,
    account: str,
    card: CardPayment,
    link: StripeLink,
    intent: Intent,
    now: datetime,
) -> None:
    """Bring a payment to where Stripe is, or Stripe to where we are."""
    if _is_news(card, intent):
        # Who made it may have died before they wrote down what Stripe calls it.
        note = partial(cards.note_intent, payment_id=card.id, intent_id=intent.id)
        await till.database.write(Caller(account), note)
        await paying.sync(till, account, card.id, now=now)
    elif card.state is State.EXPIRED and not (intent.is_paid or intent.is_cancelled):
        await till.gateway.cancel_intent(link, intent.id)


async def _compare_aftermath(
    till: Till, account: str, link: StripeLink, span: Span, now: datetime
) -> None:
    """Hear of refunds and disputes that are not as we have them."""
    made = await till.gateway.refunds_made(link, span)
    async with till.database.read(Caller(account)) as tx:
        news = [
            each for some in _slices(made) for each in await refund_news.only_news(tx, some)
        ]
    await _sync_those_of(till, account, news, now)
    # Apart: a key that may not read disputes still tells of refunds.
    opened = await till.gateway.disputes_opened(link, span)
    async with till.database.read(Caller(account)) as tx:
        unknown = [
            each for some in _slices(opened) for each in await disputes.only_news(tx, some)
        ]
    await _sync_those_of(till, account, unknown, now)


async def _sync_those_of(
    till: Till,
    account: str,
    told: Sequence[StripeRefund | StripeDispute],
    now: datetime,
) -> None:
    """Bring the payments that something is told of to where Stripe is."""
    intents = list({each.intent_id for each in told if each.intent_id is not None})
    async with till.database.read(Caller(account)) as tx:
        news = [each for some in _slices(intents) for each in await cards.of_intents(tx, some)]
    await _sync_all(till, account, news, now)


async def _sync_all(
    till: Till, account: str, payment_ids: Sequence[PaymentId], now: datetime
) -> None:
    for payment_id in payment_ids:
        with _keeping_nobody(payment_id):
            await paying.sync(till, account, payment_id, now=now)


def _slices(found: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut what is too much for one statement."""
    for start in range(0, len(found), AT_ONCE):
        yield found[start : start + AT_ONCE]


def _is_news(card: CardPayment, intent: Intent) -> bool:
    """Say whether Stripe is further than we are."""
    if card.state is State.PENDING:
        return intent.is_paid or intent.is_cancelled
    return card.state is State.EXPIRED and intent.is_paid


def _payment_of(metadata: Mapping[str, str], account: str) -> PaymentId | None:
    """Read which payment of an account Stripe speaks of, if it is one of ours."""
    if metadata.get(ACCOUNT) != account:
        return None
    try:
        return PaymentId(UUID(metadata[PAYMENT]))
    except (KeyError, ValueError):
        return None
