"""What Stripe tells in another order than it happened, and customers who go while they pay."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from classbolt.tables import refunds
from counter import Counter, held_of, intent_of


async def test_money_given_back_is_noted_also_if_it_is_heard_of_before_the_payment(
    ola: Counter,
) -> None:
    """The news of the payment itself is lost; that of the refund comes first, and alone."""
    booked = await ola.book_course("Ola", "MON")
    ola.pay(booked)
    await ola.refund_elsewhere(booked, 1000)

    assert await ola.tell(ola.news("refund.created")) == [200]

    payment = await ola.payment("Ola", booked)
    assert payment["state"] == "PAID"
    assert [(each["cause"], each["amount"]) for each in payment["refunds"]] == [
        ("ELSEWHERE", {"amountMinor": 1000})
    ]


async def test_a_dispute_is_noted_also_if_it_is_heard_of_before_the_payment(
    ola: Counter,
) -> None:
    """X27."""
    booked = await ola.book_course("Ola", "MON")
    ola.pay(booked)
    (charge,) = [
        each
        for each in ola.double.objects("charge")
        if each["payment_intent"] == intent_of(booked)
    ]
    ola.double.open_dispute(charge["id"])

    await ola.tell(ola.news("charge.dispute.created"))

    found = await ola.studio.query("{ disputes { edges { node { status } } } }", as_="owner")
    assert [edge["node"]["status"] for edge in found["disputes"]["edges"]] == ["needs_response"]


async def erase(counter: Counter, name: str) -> None:
    asked = {"customer": counter.studio.ids.customers[name]}
    await counter.studio.do("eraseCustomer", asked, as_="owner")


async def test_what_staff_wrote_about_a_refund_goes_with_the_customer(ola: Counter) -> None:
    """X26."""
    booked = await ola.book_course("Ola", "MON")
    ola.pay(booked)
    await ola.tell(ola.news())
    payment = held_of(booked)["payment"]["id"]
    asked = {"payment": payment, "amountMinor": 500, "note": "Her knee again."}
    await ola.studio.do("refundPayment", asked, as_="owner")
    ola.studio.clock.set("2027-02-22T10:00")

    await erase(ola, "Ola")
    await ola.studio.do("refundPayment", asked, as_="owner")

    async with ola.till.database.look() as connection:
        notes = (await connection.execute(select(refunds.c.note))).scalars().all()
    assert set(notes) == {"Erased", None}


@pytest.mark.parametrize("is_late", [False, True])
async def test_who_is_erased_while_buying_a_bundle_gets_the_money_back_and_no_credits(
    ola: Counter, *, is_late: bool
) -> None:
    """X26: nobody is left to hold them."""
    bundle = ola.studio.ids.bundles["TEN"]
    change = {"bundle": bundle, "paymentMethods": ["card"]}
    await ola.studio.do("updateBundle", change, as_="owner")
    asked: dict[str, Any] = {"bundle": bundle, "payWith": {"card": True}}
    fields = "payment { id } cardPayment { clientSecret }"
    bought = await ola.studio.do("buyBundle", asked, fields, as_="Ola")
    if is_late:
        await ola.expire(bought)
    await erase(ola, "Ola")

    ola.pay(bought)
    await ola.tell(ola.news("payment_intent.succeeded"))
    await ola.work()

    document = (
        "query ($id: ID!) { node(id: $id) { ... on Payment { state creditsGiven { id } } } }"
    )
    found = await ola.studio.query(document, id=bought["payment"]["id"], as_="owner")
    assert found["node"] == {"state": "RETURNED", "creditsGiven": []}
    assert ola.refunded() == [9500]
