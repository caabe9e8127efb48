"""Paying by card: what follows a booking, and what customers do about it later."""

from collections.abc import Iterator
from contextlib import contextmanager

import strawberry
import structlog

from classbolt import paying, payments, staff_refunds
from classbolt.bookings import EXPIRED, HELD
from classbolt.card_rules import Because, State
from classbolt.errors import (
    NotFound,
    NotPaidByCard,
    PaymentExpired,
    PaymentFailed,
    TryAgain,
)
from classbolt.facts import CARD
from classbolt.paying import STRIPE_IS_SILENT, Till
from classbolt.stripe_facts import StripeRefused, StripeUnclear
from classbolt.values import PaymentId
from classbolt_schema.compose.info import Info
from classbolt_schema.compose.mutation import After, Ask, Payload, mutation
from classbolt_schema.compose.once import Keyed
from classbolt_schema.ids import decode
from classbolt_schema.relations import EXTENSION
from classbolt_schema.types.booking import Payment
from classbolt_schema.types.card_payment import CardPayment

log = structlog.get_logger(__name__)


async def card_payment(
    after: After, status: str | None, payment_id: PaymentId | None
) -> CardPayment | None:
    """Give what is needed to pay for what was booked or bought; None if a card is not to pay.

    Args:
        status: How what was booked stands, or the payment by card itself.

    Raises:
        PaymentExpired: It is held no longer.
        PaymentFailed: The payment could not be begun, and nothing is held.
        TryAgain: Nobody knows whether it was begun.
    """
    if status == EXPIRED:
        raise PaymentExpired
    if status not in {HELD, State.PENDING} or payment_id is None:
        return None
    till, account = _till(after.info)
    return CardPayment.of(await paying.let_pay(till, account, payment_id, now=after.now))


@strawberry.input(description="A payment by card to look after.")
class RefreshPaymentInput:
    """A payment by card."""

    payment: strawberry.ID = strawberry.field(description="Which payment.")


@strawberry.type(description="How a payment by card stands.")
class RefreshPaymentPayload(Payload):
    """The payment."""

    payment: Payment | None = strawberry.field(default=None, description="The payment.")
    card_payment: CardPayment | None = strawberry.field(
        default=None, description="What is needed to pay it; null if it cannot be paid now."
    )


async def _refresh(after: After, payload: RefreshPaymentPayload) -> None:
    """Ask Stripe how a payment stands; as long as it can be made, give the means."""
    assert payload.payment is not None
    payment_id = payload.payment.payment.id
    till, account = _till(after.info)
    with _or_try_again(payment_id):
        await paying.sync(till, account, payment_id, now=after.now)
    payload.payment = await _found_again(after, payment_id)
    if payload.payment.payment.card_state is not State.PENDING:
        return
    try:
        to_pay = await paying.let_pay(till, account, payment_id, now=after.now)
    except (PaymentExpired, PaymentFailed):
        payload.payment = await _found_again(after, payment_id)
    else:
        payload.card_payment = CardPayment.of(to_pay)


@EXTENSION.mutation
@mutation(
    description="Ask Stripe how a payment by card stands, and bring the booking there. Call it"
    " when the customer comes back from paying: the booking is then confirmed without waiting"
    " for Stripe to tell us. Of a payment that is not made yet it gives `cardPayment` again,"
    " for a page that was reloaded.",
    then=_refresh,
)
async def refresh_payment(ask: Ask, asked: RefreshPaymentInput) -> RefreshPaymentPayload:
    """Find the payment; Stripe is asked afterwards."""
    return RefreshPaymentPayload(payment=await _payment(ask, asked.payment))


@strawberry.input(description="A payment by card to give up.")
class AbandonPaymentInput:
    """A payment by card."""

    payment: strawberry.ID = strawberry.field(description="Which payment.")


@strawberry.type(description="What became of a request to give a payment by card up.")
class AbandonPaymentPayload(Payload):
    """The payment."""

    payment: Payment | None = strawberry.field(default=None, description="The payment.")


async def _abandon(after: After, payload: AbandonPaymentPayload) -> None:
    """See to it that nobody can pay any more, then give the places up."""
    assert payload.payment is not None
    payment_id = payload.payment.payment.id
    till, account = _till(after.info)
    with _or_try_again(payment_id):
        await paying.give_up(till, account, payment_id, Because.ABANDONED, now=after.now)
    payload.payment = await _found_again(after, payment_id)


@EXTENSION.mutation
@mutation(
    description="Give up a payment by card that is not made yet: its places are free for others"
    " at once. If it was made in the meantime, it stays, and the payment says PAID.",
    then=_abandon,
)
async def abandon_payment(ask: Ask, asked: AbandonPaymentInput) -> AbandonPaymentPayload:
    """Find the payment; Stripe is told afterwards."""
    return AbandonPaymentPayload(payment=await _payment(ask, asked.payment))


@strawberry.input(description="Money to give back to a card.")
class RefundPaymentInput(Keyed):
    """Money to give back."""

    payment: strawberry.ID = strawberry.field(description="The payment that the card made.")
    amount_minor: int | None = strawberry.field(
        default=None, description="How much, in minor units; null for all that is left of it."
    )
    note: str | None = strawberry.field(
        default=None, description="Why, up to 500 characters, for staff to read."
    )


@strawberry.type(description="What became of a request to give money back.")
class RefundPaymentPayload(Payload):
    """The payment."""

    payment: Payment | None = strawberry.field(
        default=None, description="The payment; its `refunds` say how far they are."
    )


@EXTENSION.mutation
@mutation(
    description="Give money back to the card that paid, all or some of it, and never more than"
    " was paid. What it paid for stays as it is. Stripe is asked afterwards, until it is done."
    " For staff."
)
async def refund_payment(ask: Ask, asked: RefundPaymentInput) -> RefundPaymentPayload:
    """Promise to give money back."""
    payment_id = PaymentId(decode("Payment", asked.payment))
    await staff_refunds.refund_payment(
        ask.tx, ask.actor, payment_id, asked.amount_minor, note=asked.note, now=ask.now
    )
    found = await payments.find_payments(ask.tx, [payment_id])
    return RefundPaymentPayload(payment=Payment.of(found[payment_id]))


async def _payment(ask: Ask, id_: strawberry.ID) -> Payment:
    """Find a payment that is the actor's and made by card.

    Raises:
        NotFound: There is none.
        NotPaidByCard: It is made in another way.
    """
    payment_id = PaymentId(decode("Payment", id_))
    found = (await payments.find_payments(ask.tx, [payment_id])).get(payment_id)
    if found is None or not ask.actor.sees(found.customer_id):
        raise NotFound().at("payment")
    if found.method != CARD:
        raise NotPaidByCard().at("payment")
    return Payment.of(found)


async def _found_again(after: After, payment_id: PaymentId) -> Payment:
    """Show a payment as it stands by now."""
    context = after.info.context
    await context.renew()
    found = await payments.find_payments(await context.reading(), [payment_id])
    # Whatever comes next may speak with Stripe: no snapshot is kept open meanwhile.
    await context.renew()
    return Payment.of(found[payment_id])


@contextmanager
def _or_try_again(payment_id: PaymentId) -> Iterator[None]:
    """Let the client ask again where Stripe gave no clear answer.

    Raises:
        TryAgain: It gave none.
    """
    try:
        yield
    except (StripeRefused, StripeUnclear) as no:
        log.warning("stripe_not_clear", payment=str(payment_id), reason=str(no))
        raise TryAgain(STRIPE_IS_SILENT) from no


def _till(info: Info) -> tuple[Till, str]:
    app = info.context.app
    return Till(app.database, app.gateway), info.context.caller.account
