"""One credit pays for one place, in however many sessions it is spent at once (J2)."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import bindparam, update

from classbolt import credits
from classbolt.checks import mine
from classbolt.tables import customer_bundles
from invariants import broken
from races import ROUNDS, add_course, add_crowd, at_once, is_seen, outcome
from studio import Studio

TARGETS = range(1, 7)
NO_CREDIT_LEFT = {"INSUFFICIENT_CREDITS", "NO_MATCHING_CREDIT"}

SPEND_UNGUARDED = (
    update(customer_bundles)
    .where(
        mine(customer_bundles),
        customer_bundles.c.id == bindparam("customer_bundle_id"),
    )
    .values(balance=customer_bundles.c.balance - 1)
    .returning(customer_bundles.c.balance)
)


async def race_for_six_sessions(studio: Studio) -> tuple[str, Counter[str]]:
    """Let a new customer with one credit book six sessions at once, and give their name."""
    (name,) = await add_crowd(studio, 1, bundle="RB-BEG")
    payloads = await at_once([studio.book(name, "SIX", number) for number in TARGETS])
    return name, Counter(outcome(payload) for payload in payloads)


async def test_one_credit_pays_for_one_of_many_sessions(northside: Studio) -> None:
    await add_course(northside, "SIX", sessions=len(TARGETS), seats=10)

    for _ in ROUNDS:
        name, outcomes = await race_for_six_sessions(northside)

        assert outcomes.pop("DONE") == 1
        assert set(" ".join(outcomes).split()) <= NO_CREDIT_LEFT
        assert [held["balance"] for held in await northside.bundles(name)] == [0]


async def test_one_credit_pays_for_many_sessions_where_nothing_protects_it(
    unprotected: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_course(unprotected, "SIX", sessions=len(TARGETS), seats=40)
    monkeypatch.setattr(credits, "SPEND", SPEND_UNGUARDED)

    async def pays_twice(_number: int) -> bool:
        _name, outcomes = await race_for_six_sessions(unprotected)
        return outcomes["DONE"] > 1

    assert await is_seen(pays_twice)
    found = await broken(unprotected.database.url)
    assert "J2 a balance is the sum of its ledger, and never negative" in found
