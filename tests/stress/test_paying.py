"""Whatever happens between us and Stripe: each charge is for a place, or goes back once.

Histories are drawn from seeds and lived by two processes at once, on both databases.
`SCHEDULES` says how many, over both of them; each test prints a line of what was seen.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from random import Random

import pytest
import stripe
from structlog.testing import capture_logs

from classbolt import cards
from classbolt.bolt_ons import BoltOns
from classbolt.card_rules import Fate, Standing, State, fate
from classbolt.testing.databases import Kind, Templates
from invariants import broken
from paying_business import open_business, two_processes
from paying_histories import AT_ONCE, live
from stress_table import table_of

pytestmark = pytest.mark.stress

SCHEDULES = max(int(os.environ.get("SCHEDULES", "20")) // 2, 1)
"""How many histories are lived on each database."""
FIRST_SEED = int(os.environ.get("FIRST_SEED", "0"))
ENOUGH = 500
"""After so many histories everything has been seen that may become of a payment."""
BREAKS_SOON = 20
"""With this seed it is seen at once what a rule is there for; else in one history of thirty."""
PATIENCE = 200
"""How many histories are lived, at most, until it is seen."""
IN_ONE_DATABASE = 40
"""How many accounts share a database, so that neither copies nor the doctor take long."""
TO_BE_DONE_AGAIN = {"Died", "StripeKeyRefused", "StripeUnclear", "TryAgain"}
"""What jobs may fail of in these histories."""
NAMES = {"payment_settled": None, "payment_given_up_unanswered": "UNANSWERED"}
"""What is logged of what becomes of a payment; the first says its fate."""
FATES = {each.value for each in Fate} - {Fate.NOTHING.value} | {"UNANSWERED"}
REVIVED = "has its places, and"
"""What is said of a place whose money went back."""


@dataclass(frozen=True)
class Seen:
    """A history, and what is wrong with it."""

    seed: int
    wrong: list[str]
    fates: Counter[str]
    payments: int
    tale: list[str]

    def __str__(self) -> str:
        return "\n".join([f"seed {self.seed}:", *self.wrong, *self.tale])


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Stripe's SDK not wait before it asks again."""
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0)


async def histories(
    kind: Kind, templates: Templates, bolt_ons: BoltOns, first_seed: int, number: int
) -> AsyncGenerator[Seen]:
    """Live so many histories, one after the other."""
    seeds = range(first_seed, first_seed + number)
    for first in seeds[::IN_ONE_DATABASE]:
        async with (
            templates.database(kind) as url,
            two_processes(url, bolt_ons) as databases,
        ):
            for seed in range(first, min(first + IN_ONE_DATABASE, seeds.stop)):
                draw = Random(seed)
                opened = open_business(databases, bolt_ons, f"history-{seed}", draw)
                async with opened as business:
                    with capture_logs() as lines:
                        wrong = await live(business, draw)
                    failures = {line["failure"] for line in lines if "failure" in line}
                    yield Seen(
                        seed,
                        [
                            *wrong,
                            *await broken(url),
                            *(f"a job failed: {each}" for each in failures - TO_BE_DONE_AGAIN),
                        ],
                        Counter(
                            NAMES[line["event"]] or line["fate"]
                            for line in lines
                            if line["event"] in NAMES
                        ),
                        len(business.begun),
                        business.tale,
                    )


async def test_each_charge_is_for_a_place_or_goes_back_once(
    kind: Kind,
    templates: Templates,
    bolt_ons: BoltOns,
    say: Callable[[str], None],
    pytestconfig: pytest.Config,
) -> None:
    """H4, S24: in any order, also when processes die and Stripe says nothing."""
    began = time.monotonic()
    bad, fates, payments = [], Counter[str](), 0
    async with aclosing(histories(kind, templates, bolt_ons, FIRST_SEED, SCHEDULES)) as found:
        async for seen in found:
            fates += seen.fates
            payments += seen.payments
            if seen.wrong:
                bad.append(seen)

    counted = ", ".join(f"{number} {name}" for name, number in sorted(fates.items()))
    say(
        f"paying | {kind} | {SCHEDULES} histories | {payments} payments | {counted}"
        f" | broken: {len(bad)} | {time.monotonic() - began:.0f} s"
    )
    table_of(pytestconfig).protected(
        "paying by card",
        kind,
        rounds=SCHEDULES,
        contenders=max(AT_ONCE),
        processes=2,
        broken=len(bad),
    )
    assert not bad, "\n\n".join(map(str, bad[:3]))
    assert SCHEDULES < ENOUGH or set(fates) == FATES


def never_final(standing: Standing, *, is_paid: bool, is_cancelled: bool) -> Fate:
    """Decide as the rule does, but let what goes back become a place again."""
    if standing.state is State.RETURNED and is_paid:
        return Fate.BOOK_AGAIN
    return fate(standing, is_paid=is_paid, is_cancelled=is_cancelled)


async def test_money_goes_back_for_places_that_stay_where_a_decision_is_not_final(
    kind: Kind,
    templates: Templates,
    bolt_ons: BoltOns,
    say: Callable[[str], None],
    pytestconfig: pytest.Config,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Take the one rule away that a payment which goes back never becomes a place again."""
    monkeypatch.setattr(cards, "fate", never_final)

    number = 0
    is_seen = False
    async with aclosing(histories(kind, templates, bolt_ons, BREAKS_SOON, PATIENCE)) as found:
        async for seen in found:
            number += 1
            if is_seen := any(REVIVED in each for each in seen.wrong):
                break

    say(f"paying, decisions are not final | {kind} | broken at history {number}")
    table_of(pytestconfig).twin("paying by card", kind, rounds=number, broken=int(is_seen))
    assert is_seen
