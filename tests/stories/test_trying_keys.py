"""A key that an owner gives is kept only if Stripe takes it; before, every payment failed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, cast

import pytest
from sqlalchemy import select

from classbolt.stripe_gateway import StripeGateway
from classbolt.tables import stripe_links
from classbolt.testing.stripe_double import Double
from played import AT_STRIPE, STRIPE_KEYS, stripe_link
from played import double as stripe_that_knows_the_keys
from played import gateway as gateway_to
from studio import Studio, codes_of

INVENTED = {**STRIPE_KEYS, "restrictedKey": "rk_test_invented"}
PAYMENT_INTENTS = "/v1/payment_intents"


@pytest.fixture
def stripe() -> Iterator[Double]:
    opened = stripe_that_knows_the_keys()
    yield opened
    opened.close()


@pytest.fixture
def gateway(stripe: Double) -> StripeGateway:
    return gateway_to(stripe)


async def links(studio: Studio) -> list[Any]:
    """Read all that is kept of links."""
    async with studio.database.look() as connection:
        found = await connection.execute(select(stripe_links).order_by(stripe_links.c.id))
    return list(found.all())


async def refusal(studio: Studio, mutation: str, asked: dict[str, Any]) -> tuple[Any, ...]:
    """Ask for what is refused, and give the code and the path."""
    refused = await studio.mutate(mutation, asked, "account { takesCards }", as_="owner")
    assert refused["account"] is None
    (reason,) = refused["userErrors"]
    return reason["code"], *reason["path"][1:]


async def test_a_key_that_stripe_does_not_know_links_nothing(studio: Studio) -> None:
    assert await refusal(studio, "linkStripe", INVENTED) == ("INVALID_INPUT", "restrictedKey")
    assert await links(studio) == []

    await stripe_link(studio)
    before = await links(studio)

    assert await refusal(studio, "linkStripe", INVENTED) == ("INVALID_INPUT", "restrictedKey")
    assert await links(studio) == before


async def test_a_key_that_may_not_read_payments_links_nothing(
    studio: Studio, stripe: Double
) -> None:
    stripe.fail_next(403, path_prefix=PAYMENT_INTENTS)

    refused = await refusal(studio, "linkStripe", STRIPE_KEYS)

    assert refused == ("INVALID_INPUT", "restrictedKey")
    assert await links(studio) == []


async def test_a_key_is_not_rolled_to_one_that_stripe_does_not_know(
    studio: Studio, stripe: Double
) -> None:
    rolled = {"link": await stripe_link(studio), "restrictedKey": "rk_test_new"}
    before = await links(studio)

    refused = await refusal(studio, "updateStripeLink", {**rolled, "holdMinutes": 30})

    assert refused == ("INVALID_INPUT", "restrictedKey")
    assert await links(studio) == before

    stripe.add_account(AT_STRIPE, keys=["rk_test_new"])
    assert await studio.codes("updateStripeLink", rolled, as_="owner") == []
    assert await links(studio) != before


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 429}, {"is_lost": True}])
async def test_where_stripe_does_not_answer_nothing_changes_and_one_may_ask_again(
    fault: dict[str, Any], studio: Studio, stripe: Double
) -> None:
    """The SDK asks twice by itself."""
    stripe.fail_next(n=2, path_prefix=PAYMENT_INTENTS, **fault)

    assert await studio.codes("linkStripe", STRIPE_KEYS, as_="owner") == ["TRY_AGAIN"]
    assert await links(studio) == []

    stripe.faults.clear()  # where it asked only once
    rolled = {"link": await stripe_link(studio), "restrictedKey": STRIPE_KEYS["restrictedKey"]}
    before = await links(studio)
    stripe.fail_next(n=2, path_prefix=PAYMENT_INTENTS, **fault)

    assert await studio.codes("updateStripeLink", rolled, as_="owner") == ["TRY_AGAIN"]
    assert await links(studio) == before


async def test_no_transaction_is_open_while_stripe_is_asked(
    studio: Studio, stripe: Double
) -> None:
    await studio.token("owner")
    stripe.fail_next(delay=1, path_prefix=PAYMENT_INTENTS)

    asking = asyncio.create_task(stripe_link(studio))
    while stripe.faults:  # noqa: ASYNC110 it tells nobody
        await asyncio.sleep(0.01)

    pools = [cast("Any", engine.sync_engine.pool) for engine in studio.database.engines]
    assert [pool.checkedout() for pool in pools] == [0, 0]
    assert not asking.done()
    assert await asking


async def test_stripe_is_asked_only_for_owners_and_only_about_what_can_be_used(
    northside: Studio, stripe: Double
) -> None:
    link = await stripe_link(northside)
    stripe.fail_next(503, n=99)
    rolled = {"link": link, "restrictedKey": STRIPE_KEYS["restrictedKey"]}

    for who, code in (
        (None, "UNAUTHENTICATED"),
        ("Ana", "FORBIDDEN"),
        ("manager", "FORBIDDEN"),
    ):
        assert await northside.codes("linkStripe", STRIPE_KEYS, as_=who) == [code]
        assert await northside.codes("updateStripeLink", rolled, as_=who) == [code]
    for member, value in (("publishableKey", "pk_live_other"), ("holdMinutes", 1)):
        refused = await refusal(northside, "linkStripe", {**STRIPE_KEYS, member: value})
        assert refused == ("INVALID_INPUT", member)
    for asked, code in (
        ({**rolled, "holdMinutes": 1}, "INVALID_INPUT"),
        ({**rolled, "link": "nowhere"}, "NOT_FOUND"),
    ):
        assert await northside.codes("updateStripeLink", asked, as_="owner") == [code]
    held = await northside.mutate(
        "updateStripeLink", {"link": link, "holdMinutes": 30}, as_="owner"
    )
    assert codes_of(held) == []

    assert [fault.left for fault in stripe.faults] == [99]
