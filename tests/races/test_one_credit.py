"""One credit pays for one place, in however many sessions it is spent at once (J2, X24)."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import bindparam, update

from classbolt import credits
from classbolt.checks import mine
from classbolt.tables import customer_bundles
from invariants import broken
from races import DONE, TRY_AGAIN, Arena, book, outcome

RACE = "one credit for many sessions"
NO_CREDIT_LEFT = {"INSUFFICIENT_CREDITS", "NO_MATCHING_CREDIT", TRY_AGAIN}
SPEND_UNGUARDED = (
    update(customer_bundles)
    .where(
        mine(customer_bundles),
        customer_bundles.c.id == bindparam("customer_bundle_id"),
    )
    .values(balance=customer_bundles.c.balance - 1)
    .returning(customer_bundles.c.balance)
)


async def race_to_spend(arena: Arena, name: str, targets: list[str]) -> Counter[str]:
    """Let a customer book many sessions at once."""
    answers = await arena.race([book(name, session) for session in targets])
    return Counter(outcome(answer) for answer in answers)


async def test_one_credit_pays_for_one_of_many_sessions(arena: Arena) -> None:
    """A balance is never negative; who comes late is told that none is left (J2, X24)."""
    targets = await arena.add_sessions(arena.scale.contenders, seats=arena.most_rounds)
    crowd = await arena.add_crowd(arena.most_rounds, credits_each=1)

    async def is_fair(number: int) -> None:
        outcomes = await race_to_spend(arena, crowd[number], targets)

        assert outcomes.pop(DONE) == 1
        assert set(" ".join(outcomes).split()) <= NO_CREDIT_LEFT
        assert await arena.balance(crowd[number]) == 0

    await arena.holds(RACE, is_fair)


async def test_one_credit_pays_for_many_sessions_where_nothing_protects_it(
    unprotected: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Take the guard off the statement that spends, with the transaction and the CHECK."""
    targets = await unprotected.add_sessions(
        unprotected.scale.contenders, seats=unprotected.most_rounds
    )
    crowd = await unprotected.add_crowd(unprotected.most_rounds, credits_each=1)
    monkeypatch.setattr(credits, "SPEND", SPEND_UNGUARDED)

    async def pays_twice(number: int) -> bool:
        return (await race_to_spend(unprotected, crowd[number], targets))[DONE] > 1

    await unprotected.breaks(RACE, pays_twice)
    found = await broken(unprotected.doors.settings.database_url)
    assert "J2 a balance is the sum of its ledger, and never negative" in found
