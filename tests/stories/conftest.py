"""What stories ask for that go wrong on purpose, or go on after the commit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from classbolt.bolt_ons import BoltOns
from classbolt.db import Database
from classbolt.stripe_gateway import StripeGateway
from classbolt.testing.databases import Kind, Templates
from classbolt.worker import Worker
from classbolt_auto_refund import AutoRefund
from classbolt_drop_in import DropIn
from counter import Counter, TakingCards, counter_of
from fixture_f import FixtureF
from messenger import Post
from studio import Clock, Studio, serving


@pytest.fixture
async def unwatched(
    kind: Kind,
    templates: Templates,
    fixture_f: FixtureF,
    tmp_path: Path,
    bolt_ons: BoltOns,
    gateway: StripeGateway | None,
) -> AsyncIterator[Studio]:
    """Fixture F in a database that may be wrong in the end."""
    async with templates.database(kind, fixture_f.seed(kind)) as url:
        database, clock = Database(url, bolt_ons), Clock()
        async with serving(database, tmp_path, bolt_ons, clock, gateway=gateway) as (
            client,
            settings,
        ):
            yield fixture_f.studio(kind, client, settings, database, clock)


@pytest.fixture(scope="session")
def taking_cards(tmp_path_factory: pytest.TempPathFactory, bolt_ons: BoltOns) -> TakingCards:
    return TakingCards(bolt_ons, tmp_path_factory.mktemp("taking_cards"))


@pytest.fixture
def furnished(request: pytest.FixtureRequest, furnished: FixtureF | None) -> FixtureF | None:
    """The studio that takes cards, if the test, or any fixture of it, asks for its counter."""
    if "counter" in request.fixturenames:
        return cast("TakingCards", request.getfixturevalue("taking_cards"))
    return furnished


@pytest.fixture
async def counter(
    kind: Kind, database_url: str, taking_cards: TakingCards, tmp_path: Path, bolt_ons: BoltOns
) -> AsyncIterator[Counter]:
    """Fixture F, linked with Stripe."""
    async with counter_of(kind, database_url, taking_cards, tmp_path, bolt_ons) as found:
        yield found


@pytest.fixture
def ola(counter: Counter) -> Counter:
    """The counter on the day on which Ola and Pat want to book the Mondays."""
    counter.studio.clock.set("2027-01-08T10:00")
    return counter


@pytest.fixture(scope="session")
def strangers() -> Post:
    """The same for all tests, since the schema is built anew for each installation."""
    return Post()


@pytest.fixture
def post(strangers: Post) -> Post:
    strangers.begin()
    return strangers


@pytest.fixture(scope="session")
def installed(strangers: Post) -> BoltOns:
    return BoltOns([AutoRefund(), DropIn(), strangers.messenger, strangers.herald])


@pytest.fixture
async def mailing(
    kind: Kind,
    database_url: str,
    fixture_f: FixtureF,
    tmp_path: Path,
    post: Post,
    installed: BoltOns,
) -> AsyncIterator[Studio]:
    """Fixture F where both strangers are installed, and one of them is on."""
    del post  # which begins anew, whoever asks for it
    clock, database = Clock(), Database(database_url, installed)
    async with serving(database, tmp_path, installed, clock) as (client, settings):
        found = fixture_f.studio(kind, client, settings, database, clock)
        await found.switch("messenger", on=True)
        clock.set("2027-01-20T10:00")
        yield found


@pytest.fixture
def worker(mailing: Studio, installed: BoltOns) -> Worker:
    return Worker(mailing.database, installed, lambda: mailing.clock.now)
