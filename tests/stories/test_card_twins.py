"""Whoever asks again under a key pays once: fifty twins at once, at two servers, and later.

A purchase of a bundle is what anybody may ask for as often as they like, so that its twins
without a key show what the key is there for.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from classbolt.bolt_ons import BoltOns
from classbolt.db import Database
from counter import CARD_PAYMENT, PAYMENT, SETTINGS, Counter, gateway_to
from studio import Studio, codes_of, serving

pytestmark = pytest.mark.unmeasured  # they come by nothing new, but often

TWINS = 25
"""At each of two servers."""
KEY = "Ola, this one time"


@asynccontextmanager
async def another_server(
    counter: Counter, folder: Path, bolt_ons: BoltOns
) -> AsyncIterator[Studio]:
    """Serve the same studio from a process of its own, as far as the database can tell."""
    known = counter.studio
    database = Database(known.database.url, bolt_ons)
    async with serving(
        database,
        folder,
        bolt_ons,
        known.clock,
        gateway=gateway_to(counter.double),
        stripe=SETTINGS,
    ) as (client, settings):
        another = Studio(known.slug, client, known.clock, settings, database, known.ids)
        another.admitted = known.admitted
        yield another


async def buy(studio: Studio, key: str | None) -> dict[str, Any]:
    asked = {
        "bundle": studio.ids.bundles["TEN"],
        "payWith": {"card": True},
        "idempotencyKey": key,
    }
    return await studio.mutate("buyBundle", asked, f"{PAYMENT} {CARD_PAYMENT}", as_="Ola")


async def book(studio: Studio, key: str | None) -> dict[str, Any]:
    asked = {
        "course": studio.ids.courses["MON"],
        "payWith": {"card": True},
        "idempotencyKey": key,
    }
    fields = f"courseBooking {{ id {PAYMENT} }} {CARD_PAYMENT}"
    return await studio.mutate("bookCourse", asked, fields, as_="Ola")


def answered(answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out who is to ask again, as a frontend does; nothing else may be answered."""
    assert {code for each in answers for code in codes_of(each)} <= {"TRY_AGAIN"}
    return [each for each in answers if not codes_of(each)]


@pytest.fixture
async def shop(ola: Counter) -> Counter:
    """Ten classes can be bought by card."""
    asked = {"bundle": ola.studio.ids.bundles["TEN"], "paymentMethods": ["card"]}
    await ola.studio.do("updateBundle", asked, as_="owner")
    await ola.studio.token("Ola")
    return ola


@pytest.mark.parametrize("ask", [book, buy])
async def test_of_fifty_twins_with_one_key_one_pays_also_across_a_restart(
    shop: Counter, bolt_ons: BoltOns, tmp_path: Path, ask: Any
) -> None:
    async with another_server(shop, tmp_path, bolt_ons) as beside:
        asked = [ask(each, KEY) for each in (shop.studio, beside) for _ in range(TWINS)]
        answers = answered(await asyncio.gather(*asked))
    async with another_server(shop, tmp_path, bolt_ons) as later:
        answers.append(await ask(later, KEY))

    assert len(answers) > 1
    assert all(each == answers[0] for each in answers)
    assert codes_of(answers[0]) == []
    assert len(shop.double.objects("payment_intent")) == 1


async def test_of_fifty_twins_without_a_key_each_pays(
    shop: Counter, bolt_ons: BoltOns, tmp_path: Path
) -> None:
    """The twin of the race above, where nothing tells that they are one."""
    async with another_server(shop, tmp_path, bolt_ons) as beside:
        asked = [buy(each, None) for each in (shop.studio, beside) for _ in range(TWINS)]
        answers = answered(await asyncio.gather(*asked))

    secrets = {each["cardPayment"]["clientSecret"] for each in answers}
    assert len(secrets) == len(answers) > 1
