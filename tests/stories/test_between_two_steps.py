"""What else may happen between two steps of a payment by card (H4)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from classbolt import cards, customers, paying, payments
from classbolt.db import Caller, Tx
from classbolt.errors import CardUnavailable, NotFound, PaymentExpired, TryAgain
from classbolt.facts import CARD
from classbolt.paying import Till
from classbolt.sealed import Seal
from classbolt.stripe_facts import Intent
from classbolt.stripe_gateway import StripeGateway
from classbolt.tables import payments as payment_rows
from classbolt.tables import refunds
from classbolt.testing.stripe_double import async_client
from classbolt.values import SYSTEM, CustomerId, Money, PaymentId, RefundId
from classbolt_schema.ids import decode
from counter import KEY, PUBLISHABLE_KEY, STRIPE, Counter, held_of, intent_of
from fixture_f import SLUG
from studio import SECRET_KEY, codes_of

TOO_LATE = "2027-01-08T10:16"
WEDNESDAY = "2027-01-22T09:00"
NOBODYS = PaymentId(UUID("01890a5d-ac96-774b-bcce-b302099a8057"))


def payment_of(booked: dict[str, Any]) -> PaymentId:
    return PaymentId(decode("Payment", held_of(booked)["payment"]["id"]))


def own_customer(counter: Counter, name: str) -> CustomerId:
    return CustomerId(decode("Customer", counter.studio.ids.customers[name]))


async def write(counter: Counter, work: Callable[[Tx], Awaitable[Any]]) -> Any:
    return await counter.till.database.write(Caller(SLUG), work)


async def test_a_link_may_end_in_the_moment_in_which_a_card_is_chosen(ola: Counter) -> None:
    await ola.unlink()
    now = ola.studio.clock.now

    async def begin(tx: Tx) -> None:
        owed = own_customer(ola, "Ola"), CARD, Money(6000, "GBP")
        await cards.hold(tx, await payments.record(tx, *owed, now=now), now=now)

    with pytest.raises(CardUnavailable):
        await write(ola, begin)


async def test_who_comes_back_when_the_hold_is_over_cannot_pay_any_more(ola: Counter) -> None:
    """The seats are not given up yet: nobody has come to it."""
    booked = await ola.book_course("Ola", "MON")
    ola.studio.clock.set(TOO_LATE)

    answer = await ola.refresh("Ola", booked)

    assert (answer["payment"]["state"], answer["cardPayment"]) == ("PENDING", None)
    assert codes_of(answer) == []


async def test_who_comes_back_before_stripes_name_was_written_down_can_pay(
    ola: Counter,
) -> None:
    booked = await ola.book_course("Ola", "MON")
    await ola.forget_intent(booked)

    answer = await ola.refresh("Ola", booked)

    assert answer["cardPayment"] == booked["cardPayment"]
    assert len(ola.double.objects("payment_intent")) == 1


async def test_what_was_given_up_is_given_up_once(ola: Counter) -> None:
    booked = await ola.book_course("Ola", "MON")
    free = [each + 1 for each in await ola.free()]

    answers = [await ola.abandon("Ola", booked) for _ in range(2)]

    assert [each["payment"]["state"] for each in answers] == ["EXPIRED"] * 2
    assert await ola.free() == free


async def test_what_was_never_begun_is_given_up_without_asking_stripe(ola: Counter) -> None:
    booked = await ola.book_course("Ola", "MON")
    await ola.forget_intent(booked)
    ola.studio.clock.set(TOO_LATE)

    await ola.work()

    assert (await ola.payment("Ola", booked))["state"] == "EXPIRED"


async def test_a_payment_that_was_begun_meanwhile_is_not_given_up_unasked(
    ola: Counter,
) -> None:
    """Somebody holds the means to pay it."""
    booked = await ola.book_course("Ola", "MON")
    settle = partial(
        cards.settle, payment_id=payment_of(booked), seen=None, now=ola.studio.clock.now
    )

    with pytest.raises(TryAgain):
        await write(ola, settle)

    assert await ola.places("Ola") == ["HELD"] * 6


async def test_places_may_be_given_up_while_stripe_makes_the_payment(ola: Counter) -> None:
    """Nobody is given the means to pay it."""
    booked = await ola.book_course("Ola", "MON")
    await ola.forget_intent(booked)
    till = Till(ola.till.database, Slow(ola, meanwhile=partial(ola.expire, booked)))

    with pytest.raises(PaymentExpired):
        await paying.let_pay(till, SLUG, payment_of(booked), now=ola.studio.clock.now)

    assert ola.is_cancelled(booked)


class Slow(StripeGateway):
    """Makes a payment so slowly that something happens meanwhile."""

    def __init__(self, counter: Counter, meanwhile: Callable[[], Awaitable[None]]) -> None:
        super().__init__(
            seal=Seal((SECRET_KEY,)),
            api_key=KEY,
            publishable_key=PUBLISHABLE_KEY,
            base_url=STRIPE,
            make_http=partial(async_client, counter.double),
        )
        self._meanwhile = meanwhile

    async def create_intent(self, *asked: Any, **more: Any) -> Intent:
        made = await super().create_intent(*asked, **more)
        await self._meanwhile()
        return made


async def test_a_customer_may_be_merged_while_their_payment_is_looked_for(
    ola: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever was locked is not who pays by now."""
    booked = await ola.book_course("Ola", "MON")
    move = update(payment_rows).where(payment_rows.c.id == payment_of(booked))
    hold = customers.hold

    async def merge_and_hold(tx: Tx, customer_id: CustomerId) -> bool:
        await tx.execute(move.values(customer_id=own_customer(ola, "Pat")))
        return await hold(tx, customer_id)

    monkeypatch.setattr(customers, "hold", merge_and_hold)
    seen = Intent(intent_of(booked), "succeeded", 6000, "", {})
    settle = partial(
        cards.settle, payment_id=payment_of(booked), seen=seen, now=ola.studio.clock.now
    )

    with pytest.raises(TryAgain):
        await write(ola, settle)


async def test_who_was_erased_meanwhile_gets_the_money_back(ola: Counter) -> None:
    booked = await ola.book_course("Pat", "MON")
    await ola.expire(booked)
    asked = {"customer": ola.studio.ids.customers["Pat"]}
    await ola.studio.do("eraseCustomer", asked, as_="owner")
    ola.pay(booked)

    await ola.tell(ola.news("payment_intent.succeeded"))
    await ola.work()

    assert ola.refunded() == [6000]


async def test_a_drop_in_that_is_paid_too_late_gets_the_place_if_it_is_free(
    ola: Counter,
) -> None:
    ola.studio.clock.set(WEDNESDAY)
    booked = await ola.book("Pat", "WED", 3)
    await ola.expire(booked)
    ola.pay(booked)

    await ola.tell(ola.news("payment_intent.succeeded"))

    assert await ola.status("Pat", booked) == "BOOKED"
    assert await ola.studio.attendees("WED", 3) == ["Pat"]


async def test_a_drop_in_that_is_paid_too_late_obeys_what_holds_for_all(ola: Counter) -> None:
    """The offer was taken away meanwhile."""
    ola.studio.clock.set(WEDNESDAY)
    booked = await ola.book("Pat", "WED", 3)
    await ola.expire(booked)
    await ola.studio.change("WED", 3, dropIn=None)
    ola.pay(booked)

    await ola.tell(ola.news("payment_intent.succeeded"))
    await ola.work()

    assert (await ola.payment("Pat", booked))["state"] == "RETURNED"
    assert ola.refunded() == [1400]


async def test_a_drop_in_that_is_paid_too_late_goes_back_where_nobody_drops_in_any_more(
    ola: Counter,
) -> None:
    ola.studio.clock.set(WEDNESDAY)
    booked = await ola.book("Pat", "WED", 3)
    await ola.expire(booked)
    await ola.studio.switch("drop_in", on=False)
    ola.pay(booked)

    await ola.tell(ola.news("payment_intent.succeeded"))
    await ola.work()

    assert ola.refunded() == [1400]


async def test_what_is_no_payment_by_card_cannot_be_moved(ola: Counter) -> None:
    now = ola.studio.clock.now
    settle = partial(cards.settle, payment_id=NOBODYS, seen=None, now=now)

    with pytest.raises(NotFound):
        await write(ola, settle)
    with pytest.raises(NotFound):
        await paying.sync(ola.till, SLUG, NOBODYS, now=now)


async def test_what_nobody_owes_is_not_marked_paid(ola: Counter) -> None:
    now = ola.studio.clock.now
    mark = partial(payments.mark_paid, actor=SYSTEM, payment_id=NOBODYS, now=now)

    with pytest.raises(NotFound):
        await write(ola, mark)


async def test_a_refund_that_was_made_is_not_asked_for_again(ola: Counter) -> None:
    """Its job was done by a worker that was lost before it could say so."""
    await ola.returned()
    await ola.work()
    async with ola.till.database.look() as connection:
        made = (await connection.execute(select(refunds.c.id))).scalar_one()

    for refund in (RefundId(made), RefundId(NOBODYS)):
        await paying.refund(ola.till, SLUG, refund, now=ola.studio.clock.now)

    assert ola.refunded() == [6000]
