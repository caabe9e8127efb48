"""What Stripe tells of its own accord: that something happened to a payment.

Nothing in an event is believed but which payment it is about, and that only if it comes from
the Stripe account which the payment goes through: who owns another one could otherwise confirm
other people's bookings. How the payment stands is then asked of Stripe itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from classbolt import cards, paying
from classbolt.columns import AnyRow
from classbolt.db import Caller
from classbolt.paying import Till
from classbolt.stripe_facts import BadWebhook, StripeEvent
from classbolt.stripe_links import LinkKind
from classbolt.tables import accounts, card_payments, stripe_events, stripe_links
from classbolt.values import PaymentId


@dataclass(frozen=True, slots=True)
class Source:
    """Where an event came in.

    Attributes:
        account: Of whom, if they have an address of their own for events.
    """

    account: str | None = None

    def speaks_for(self, row: AnyRow, event: StripeEvent) -> bool:
        """Say whether an event that came in here may be about a payment."""
        if self.account is not None:
            return bool(row.slug == self.account and row.kind == LinkKind.KEY)
        if event.stripe_account is not None:
            return bool(row.stripe_account == event.stripe_account)
        return bool(row.kind == LinkKind.OWN)


PAYMENTS = (
    select(
        accounts.c.slug,
        card_payments.c.payment_id,
        card_payments.c.intent_id,
        stripe_links.c.kind,
        stripe_links.c.stripe_account,
    )
    .select_from(card_payments)
    .join(accounts, accounts.c.id == card_payments.c.account_id)
    .join(
        stripe_links,
        (stripe_links.c.account_id == card_payments.c.account_id)
        & (stripe_links.c.id == card_payments.c.link_id),
    )
)
BY_INTENT = PAYMENTS.where(card_payments.c.intent_id == bindparam("intent"))
BY_OUR_ID = PAYMENTS.where(
    accounts.c.slug == bindparam("slug"),
    card_payments.c.payment_id == bindparam("payment"),
    card_payments.c.intent_id.is_(None),
)
KEPT = timedelta(days=30)
"""For how long Stripe may tell the same once more."""
FORGET = delete(stripe_events).where(stripe_events.c.received_at <= bindparam("until"))


async def hear(till: Till, event: StripeEvent, source: Source, *, now: datetime) -> bool:
    """Act on an event, once, and say whether it was about a payment of ours.

    Raises:
        BadWebhook: It is about a payment that goes through somebody else's Stripe account.
        StripeRefused: Stripe does not know the payment.
        StripeUnclear: Stripe does not answer.
        TryAgain: The rows stayed contended.
    """
    found = await _payments(till, event)
    if not found:
        return False
    row = next((each for each in found if source.speaks_for(each, event)), None)
    if row is None:
        raise BadWebhook("the payment goes through another Stripe account")
    if await paying.has_heard(till, row.slug, event.id):
        return True
    payment_id = PaymentId(row.payment_id)
    if row.intent_id is None:
        # It was paid before we could write down what Stripe calls it.
        assert event.intent_id is not None
        name = event.intent_id
        await till.database.write(
            Caller(row.slug), lambda tx: cards.note_intent(tx, payment_id, name)
        )
    await paying.sync(till, row.slug, payment_id, event=event.id, now=now)
    return True


async def forget_old(connection: AsyncConnection, *, now: datetime) -> None:
    """Forget, in all accounts, the events that Stripe does not tell again."""
    await connection.execute(FORGET, {"until": now - KEPT})


async def _payments(till: Till, event: StripeEvent) -> Sequence[AnyRow]:
    """Find the payments that an event may be about, of whichever account."""
    if event.intent_id is None:
        return []
    async with till.database.look() as connection:
        found = (await connection.execute(BY_INTENT, {"intent": event.intent_id})).all()
        if found or event.account is None or (payment := _uuid(event.payment)) is None:
            return found
        named = {"slug": event.account, "payment": payment}
        return (await connection.execute(BY_OUR_ID, named)).all()


def _uuid(text: str | None) -> UUID | None:
    try:
        return None if text is None else UUID(text)
    except ValueError:
        return None
