"""Payments whose name at Stripe was never written down: the process died in between.

S24, H4. The customer may hold the means to pay all the same, and pay when nothing is held any
more: the money is found by what Stripe keeps along with it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from counter import Counter


async def paid_when_it_was_over(ola: Counter) -> dict[str, Any]:
    """Let Ola pay after her places were given up, without our knowing of the PaymentIntent."""
    booked = await ola.book_course("Ola", "MON")
    await ola.forget_intent(booked)
    await ola.expire(booked)
    ola.pay(booked)
    return booked


async def test_stripe_tells_of_a_payment_that_was_never_noted_and_is_over(ola: Counter) -> None:
    booked = await paid_when_it_was_over(ola)

    await ola.tell(ola.news("payment_intent.succeeded"))

    assert await ola.status("Ola", booked) == "BOOKED"
    assert await ola.places("Ola") == ["BOOKED"] * 6


async def test_a_payment_that_was_never_noted_goes_back_if_its_places_are_gone(
    ola: Counter,
) -> None:
    booked = await paid_when_it_was_over(ola)
    await ola.studio.change("MON", 3, capacity=1)

    await ola.tell(ola.news("payment_intent.succeeded"))
    await ola.work()

    assert (await ola.payment("Ola", booked))["state"] == "RETURNED"
    assert ola.refunded() == [6000]


async def test_a_payment_that_was_never_noted_is_found_when_all_are_looked_at(
    ola: Counter,
) -> None:
    """Nobody tells of it."""
    booked = await paid_when_it_was_over(ola)

    await ola.promise()
    await ola.work()

    assert await ola.status("Ola", booked) == "BOOKED"


async def test_a_payment_that_was_never_noted_is_found_though_it_was_begun_days_ago(
    ola: Counter,
) -> None:
    """A bank may take its time, and nobody tells of it."""
    began = ola.studio.clock.now
    booked = await ola.book_course("Ola", "MON")
    await ola.forget_intent(booked)
    await ola.expire(booked)
    ola.studio.clock.now += timedelta(hours=26)
    ola.pay(booked)
    ola.news()

    await ola.look_back_at(began)

    assert await ola.status("Ola", booked) == "BOOKED"
