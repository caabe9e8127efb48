"""Customers buy bundles, offline or by card, and spend their credits (D1-D3)."""

from __future__ import annotations

from typing import Any

import pytest

from classbolt.testing.stripe_double import Refused
from counter import CARD_PAYMENT, Counter, intent_of
from studio import codes_of

FIELDS = (
    "payment { id method state amount { amountMinor } customerBundle {"
    f" id balance expiresAt }} }} {CARD_PAYMENT}"
)


@pytest.fixture
async def shop(ola: Counter) -> Counter:
    """Ten classes can be bought by card and offline."""
    await change(ola, paymentMethods=["card", "offline"])
    return ola


async def change(counter: Counter, **changes: Any) -> None:
    asked = {"bundle": counter.studio.ids.bundles["TEN"], **changes}
    await counter.studio.do("updateBundle", asked, as_="owner")


async def buy(counter: Counter, name: str, pay_with: str, **more: Any) -> dict[str, Any]:
    asked = {
        "bundle": counter.studio.ids.bundles[more.pop("bundle", "TEN")],
        "payWith": {pay_with: True},
        **more,
    }
    return await counter.studio.mutate("buyBundle", asked, FIELDS, as_=name)


async def balance(counter: Counter, name: str) -> list[tuple[str, int, str, str]]:
    return await counter.studio.holdings(name)


async def test_a_bundle_bought_offline_is_there_at_once(shop: Counter) -> None:
    """D2; staff note later that the money came."""
    bought = await buy(shop, "Ola", "offline")

    assert bought["payment"]["state"] == "OWED"
    assert bought["payment"]["amount"] == {"amountMinor": 9500}
    assert bought["payment"]["customerBundle"]["balance"] == 10
    assert await balance(shop, "Ola") == [("TEN", 10, "2027-04-08T09:00:00Z", "ISSUE")]
    await shop.studio.mark_paid(bought["payment"]["id"])


async def test_a_bundle_bought_by_card_is_there_once_it_is_paid(shop: Counter) -> None:
    """D2: it is valid from the moment of purchase."""
    bought = await buy(shop, "Ola", "card")
    assert bought["payment"]["customerBundle"] is None
    assert await balance(shop, "Ola") == []

    shop.studio.clock.set("2027-01-08T10:05")
    shop.pay(bought)
    (news,) = shop.news("payment_intent.succeeded")
    await shop.tell([news, news])

    assert await balance(shop, "Ola") == [("TEN", 10, "2027-04-08T09:05:00Z", "ISSUE")]


async def test_its_credits_pay_for_drop_ins(shop: Counter) -> None:
    shop.pay(await buy(shop, "Pat", "card"))
    await shop.tell(shop.news())
    shop.studio.clock.set("2027-01-22T09:00")

    booked = await shop.studio.book("Pat", "THU", 3)

    assert booked["booking"]["customerBundle"]["balance"] == 9


async def test_a_bundle_that_is_not_paid_for_is_never_issued(shop: Counter) -> None:
    bought = await buy(shop, "Ola", "card", idempotencyKey="once")
    shop.studio.clock.set("2027-01-08T10:16")
    await shop.work()

    assert await balance(shop, "Ola") == []
    with pytest.raises(Refused):
        shop.pay(bought)
    again = await buy(shop, "Ola", "card", idempotencyKey="once")
    assert codes_of(again) == ["PAYMENT_EXPIRED"]


@pytest.mark.parametrize("on_sale", [True, False])
async def test_a_bundle_that_is_paid_late_is_issued_while_it_is_on_sale(
    shop: Counter, *, on_sale: bool
) -> None:
    bought = await buy(shop, "Ola", "card")
    await shop.expire(bought)
    await change(shop, onSale=on_sale)

    shop.pay(bought)
    await shop.tell(shop.news("payment_intent.succeeded"))
    await shop.work()

    assert len(await balance(shop, "Ola")) == (1 if on_sale else 0)
    assert shop.refunded() == ([] if on_sale else [9500])


async def test_asked_again_under_its_key_a_bundle_is_bought_once(shop: Counter) -> None:
    first = await buy(shop, "Ola", "offline", idempotencyKey="once")

    again = await buy(shop, "Ola", "offline", idempotencyKey="once")

    assert again == first
    assert len(await balance(shop, "Ola")) == 1


async def test_a_card_payment_that_is_asked_for_again_is_the_same(shop: Counter) -> None:
    first = await buy(shop, "Ola", "card", idempotencyKey="once")

    again = await buy(shop, "Ola", "card", idempotencyKey="once")

    assert intent_of(again) == intent_of(first)


async def test_a_bundle_accepts_only_what_it_says(ola: Counter) -> None:
    await change(ola, paymentMethods=["offline"])

    assert codes_of(await buy(ola, "Ola", "card")) == ["PAYMENT_OPTION_NOT_ALLOWED"]


async def test_without_a_link_no_card_pays_for_a_bundle(shop: Counter) -> None:
    """H3."""
    await shop.unlink()

    assert codes_of(await buy(shop, "Ola", "card")) == ["CARD_UNAVAILABLE"]


async def test_drafts_are_not_sold_and_customers_do_not_hear_of_them(shop: Counter) -> None:
    customer = shop.studio.ids.customers["Ola"]

    assert codes_of(await buy(shop, "Ola", "offline", bundle="RB-BEG")) == ["NOT_FOUND"]
    by_staff = await buy(shop, "owner", "offline", bundle="RB-BEG", customer=customer)
    assert codes_of(by_staff) == ["BUNDLE_NOT_ON_SALE"]


async def test_a_bundle_for_nothing_is_free(shop: Counter) -> None:
    await change(shop, priceMinor=0)

    bought = await buy(shop, "Ola", "free")

    assert bought["payment"]["state"] == "PAID"
    assert len(await balance(shop, "Ola")) == 1


async def test_what_is_on_sale_is_listed_for_everybody(shop: Counter) -> None:
    document = "{ bundlesOnSale { edges { node { name paymentMethods } } } }"

    found = await shop.studio.query(document)

    (edge,) = found["bundlesOnSale"]["edges"]
    assert edge["node"] == {"name": "Ten classes", "paymentMethods": ["card", "offline"]}


async def test_a_customer_who_is_merged_takes_what_they_bought_along(shop: Counter) -> None:
    """X26."""
    bought = await buy(shop, "Ola", "card")
    ids = shop.studio.ids.customers
    merging = {"from": ids["Ola"], "into": ids["Pat"]}
    await shop.studio.do("mergeCustomers", merging, as_="owner")

    shop.pay(bought)
    await shop.tell(shop.news())

    assert [each[:2] for each in await balance(shop, "Pat")] == [("TEN", 10)]
    document = "{ me { bundles { edges { node { payment { state } } } } } }"
    found = await shop.studio.query(document, as_="Pat")
    assert found["me"]["bundles"]["edges"][0]["node"] == {"payment": {"state": "PAID"}}
