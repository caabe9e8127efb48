"""Money that somebody gives back in Stripe's dashboard, and refunds of which nobody tells.

H4, H5, X27. What others gave back is never given twice, and what they left is still owed.
Webhooks may be lost: the regular look at everything finds refunds and disputes as well.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from classbolt import paying
from classbolt.comparing import COMPARE_EVERY
from classbolt.db import Caller
from classbolt.tables import refunds
from classbolt.values import RefundId
from counter import Counter

FAILED = "{ failedRefunds { edges { node { amount { amountMinor } } } } }"
DISPUTES = "{ disputes { edges { node { status } } } }"


@pytest.fixture
async def late(ola: Counter) -> tuple[Counter, dict[str, Any]]:
    """Pat has paid too late, and all is to go back; Stripe is not asked for it yet."""
    return ola, await ola.returned()


@pytest.fixture
async def paid(ola: Counter) -> tuple[Counter, dict[str, Any]]:
    """Ola has paid for the Mondays."""
    booked = await ola.book_course("Ola", "MON")
    ola.pay(booked)
    await ola.tell(ola.news())
    return ola, booked


async def noted(counter: Counter, booked: dict[str, Any]) -> list[tuple[str, str, int]]:
    """List what staff see of refunds: why, how it stands, and how much."""
    document = "query ($id: ID!) { node(id: $id) { ... on Payment { refunds"
    document += " { cause state amount { amountMinor } } } } }"
    payment = booked["courseBooking"]["payment"]["id"]
    found = (await counter.studio.query(document, id=payment, as_="owner"))["node"]["refunds"]
    return sorted(
        (each["cause"], each["state"], each["amount"]["amountMinor"]) for each in found
    )


async def failed(counter: Counter) -> list[int]:
    """List what staff are told to see to."""
    found = await counter.studio.query(FAILED, as_="owner")
    return [edge["node"]["amount"]["amountMinor"] for edge in found["failedRefunds"]["edges"]]


async def look(counter: Counter) -> None:
    """Let the regular look at everything come."""
    counter.studio.clock.now += COMPARE_EVERY
    await counter.promise()
    await counter.work()


async def fail(counter: Counter, amount: int) -> None:
    """Let the bank send a refund back, and nobody tell of it."""
    (made,) = [each for each in counter.double.objects("refund") if each["amount"] == amount]
    counter.double.move_refund(made["id"], "failed", failure_reason="lost_or_stolen_card")
    counter.news()


def dispute(counter: Counter) -> str:
    """Let the customer's bank want the money back."""
    (charge,) = counter.double.objects("charge")
    return str(counter.double.open_dispute(charge["id"])["id"])


async def only_refund(counter: Counter) -> RefundId:
    """Find the one refund that is promised."""
    async with counter.till.database.read(Caller(counter.studio.slug)) as tx:
        return RefundId(await tx.scalar(select(refunds.c.id)))


# Who paid too late


async def test_who_paid_too_late_gets_what_others_have_not_given_back(ola: Counter) -> None:
    booked = await ola.book_course("Pat", "MON")
    await ola.expire(booked)
    await ola.studio.change("MON", 3, capacity=1)
    ola.pay(booked)
    await ola.refund_elsewhere(booked, 500)

    await ola.tell(ola.news("payment_intent.succeeded"))
    await ola.work()

    assert ola.refunded() == [500, 5500]
    assert await noted(ola, booked) == [
        ("ELSEWHERE", "SUCCEEDED", 500),
        ("LATE", "SUCCEEDED", 5500),
    ]


async def test_also_if_it_was_given_after_we_had_promised_all(
    late: tuple[Counter, dict[str, Any]],
) -> None:
    """Stripe refuses the whole of it then, and is asked for the rest."""
    counter, booked = late
    await counter.refund_elsewhere(booked, 500)

    await counter.work()

    assert counter.refunded() == [500, 5500]
    assert await noted(counter, booked) == [
        ("ELSEWHERE", "SUCCEEDED", 500),
        ("LATE", "SUCCEEDED", 5500),
    ]
    assert await failed(counter) == []


async def test_if_others_gave_all_back_nothing_is_left_to_give(
    late: tuple[Counter, dict[str, Any]],
) -> None:
    counter, booked = late
    await counter.refund_elsewhere(booked, 6000)

    await counter.work()

    assert counter.refunded() == [6000]
    assert await noted(counter, booked) == [("ELSEWHERE", "SUCCEEDED", 6000)]
    assert await failed(counter) == []


async def test_what_others_gave_back_and_the_bank_did_not_take_is_owed_again(
    late: tuple[Counter, dict[str, Any]],
) -> None:
    counter, booked = late
    await counter.refund_elsewhere(booked, 500)
    await counter.work()
    await fail(counter, 500)

    await look(counter)

    assert counter.refunded() == [500, 5500, 500]
    assert await noted(counter, booked) == [
        ("ELSEWHERE", "FAILED", 500),
        ("LATE", "SUCCEEDED", 500),
        ("LATE", "SUCCEEDED", 5500),
    ]


async def test_what_the_bank_did_not_take_of_ours_is_left_to_staff(
    late: tuple[Counter, dict[str, Any]],
) -> None:
    """Asking again would fail again: the card is gone."""
    counter, _ = late
    await counter.work()
    await fail(counter, 6000)

    await look(counter)
    await look(counter)

    assert counter.refunded() == [6000]
    assert await failed(counter) == [6000]


async def test_staff_who_gave_the_money_back_themselves_have_nothing_left_to_do(
    late: tuple[Counter, dict[str, Any]],
) -> None:
    counter, booked = late
    await counter.work()
    await fail(counter, 6000)
    await look(counter)
    await counter.refund_elsewhere(booked, 6000)

    await look(counter)

    assert await failed(counter) == []


async def test_a_refund_that_stripe_refuses_for_another_reason_has_failed(
    late: tuple[Counter, dict[str, Any]],
) -> None:
    counter, booked = late
    await counter.refund_elsewhere(booked, 500)
    dispute(counter)

    await counter.work()

    assert await noted(counter, booked) == [
        ("ELSEWHERE", "SUCCEEDED", 500),
        ("LATE", "FAILED", 5500),
    ]
    assert await failed(counter) == [5500]


async def test_two_who_ask_for_the_same_refund_at_once_promise_the_rest_once(
    late: tuple[Counter, dict[str, Any]],
) -> None:
    """A lease can be lost while Stripe takes its time."""
    counter, booked = late
    await counter.refund_elsewhere(booked, 500)
    refund_id = await only_refund(counter)

    await asyncio.gather(
        *(
            paying.refund(
                counter.till, counter.studio.slug, refund_id, now=counter.studio.clock.now
            )
            for _ in range(4)
        )
    )
    await counter.work()

    assert counter.refunded() == [500, 5500]


# Others


async def test_what_a_cancellation_gives_has_failed_if_too_little_is_left(
    paid: tuple[Counter, dict[str, Any]],
) -> None:
    """Nobody but staff knows what the money from the dashboard was for."""
    counter, booked = paid
    asked = {"payment": booked["courseBooking"]["payment"]["id"], "amountMinor": 2000}
    await counter.studio.do("refundPayment", asked, as_="owner")
    await counter.refund_elsewhere(booked, 4500)

    await counter.work()

    assert await noted(counter, booked) == [
        ("ELSEWHERE", "SUCCEEDED", 4500),
        ("STAFF", "FAILED", 2000),
    ]
    assert await failed(counter) == [2000]


async def test_what_failed_because_all_was_given_back_is_nobodys_task(
    paid: tuple[Counter, dict[str, Any]],
) -> None:
    counter, booked = paid
    asked = {"payment": booked["courseBooking"]["payment"]["id"], "amountMinor": 2000}
    await counter.studio.do("refundPayment", asked, as_="owner")
    await counter.refund_elsewhere(booked, 6000)

    await counter.work()

    assert ("STAFF", "FAILED", 2000) in await noted(counter, booked)
    assert await failed(counter) == []


# Of which nobody tells


async def test_what_is_given_back_elsewhere_is_found_within_minutes(
    paid: tuple[Counter, dict[str, Any]],
) -> None:
    """H2: what staff give back at Stripe, they need not note here."""
    counter, booked = paid
    await look(counter)
    await counter.refund_elsewhere(booked, 2000)
    counter.news()

    await look(counter)

    assert await noted(counter, booked) == [("ELSEWHERE", "SUCCEEDED", 2000)]


async def test_a_refund_that_fails_weeks_later_is_found_within_a_day(
    paid: tuple[Counter, dict[str, Any]],
) -> None:
    counter, booked = paid
    await counter.studio.do(
        "refundPayment", {"payment": booked["courseBooking"]["payment"]["id"]}, as_="owner"
    )
    await look(counter)
    assert await noted(counter, booked) == [("STAFF", "SUCCEEDED", 6000)]
    made = counter.studio.clock.now
    counter.studio.clock.now += timedelta(days=20)
    await fail(counter, 6000)

    await counter.look_back_at(made)

    assert await noted(counter, booked) == [("STAFF", "FAILED", 6000)]
    assert await failed(counter) == [6000]


async def test_a_dispute_of_which_nobody_tells_is_found_and_how_it_ends_too(
    paid: tuple[Counter, dict[str, Any]],
) -> None:
    counter, _ = paid
    began = counter.studio.clock.now
    opened = dispute(counter)
    counter.news()

    await look(counter)
    found = await counter.studio.query(DISPUTES, as_="owner")
    assert [each["node"]["status"] for each in found["disputes"]["edges"]] == ["needs_response"]

    counter.double.close_dispute(opened, won=False)
    counter.news()
    counter.studio.clock.now += timedelta(days=20)
    await counter.look_back_at(began)
    found = await counter.studio.query(DISPUTES, as_="owner")
    assert [each["node"]["status"] for each in found["disputes"]["edges"]] == ["lost"]


async def test_what_is_given_back_through_a_link_that_has_ended_is_found_too(
    paid: tuple[Counter, dict[str, Any]],
) -> None:
    counter, booked = paid
    await counter.unlink()
    await counter.refund_elsewhere(booked, 1000)
    counter.news()

    await look(counter)

    assert await noted(counter, booked) == [("ELSEWHERE", "SUCCEEDED", 1000)]
