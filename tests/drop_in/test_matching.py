"""Which credit pays for which session, as tables: D4, D5, D11 and E1 to E5."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from classbolt import (
    BundleId,
    CourseId,
    CustomerBundleId,
    CustomerId,
    HeldBundle,
    SessionFacts,
    SessionId,
    TagId,
    after,
    new_id,
)
from classbolt_drop_in.matching import match, reasons_against
from clock_changes import VALIDITIES, Span, period
from studio import at

NOW = at("2027-01-22T09:00")
STARTS = at("2027-01-28T19:00")
INSTANT = timedelta(microseconds=1)
A_SECOND = timedelta(seconds=1)
BEGINNERS, ADVANCED, CHILDREN = (TagId(new_id()) for _ in range(3))

SESSION = SessionFacts(
    id=SessionId(new_id()),
    course_id=CourseId(new_id()),
    starts_at=STARTS,
    ends_at=at("2027-01-28T20:00"),
    capacity=10,
    seats_taken=1,
    tag_id=BEGINNERS,
    called_off_at=None,
)
SWAP = HeldBundle(
    id=CustomerBundleId(UUID(int=7)),
    customer_id=CustomerId(new_id()),
    bundle_id=BundleId(new_id()),
    balance=1,
    issued_at=at("2027-01-20T10:00"),
    expires_at=at("2027-02-19T10:00"),
    tag_ids=frozenset({BEGINNERS}),
)


def held(**changes: Any) -> HeldBundle:
    return replace(SWAP, **changes)


def codes(
    bundle: HeldBundle, session: SessionFacts = SESSION, now: datetime = NOW
) -> list[str]:
    return [reason.code for reason in reasons_against(bundle, session, now)]


@pytest.mark.parametrize(
    ("product", "bundle", "matches"),
    [
        (BEGINNERS, {BEGINNERS}, True),
        (BEGINNERS, {BEGINNERS, ADVANCED}, True),
        (BEGINNERS, {ADVANCED}, False),
        (BEGINNERS, {ADVANCED, CHILDREN}, False),
        (BEGINNERS, set(), False),
        (None, {BEGINNERS}, False),  # E3: no tag matches nothing
        (None, set(), False),
    ],
)
def test_a_credit_pays_for_sessions_whose_tag_its_bundle_has(
    product: TagId | None, bundle: set[TagId], *, matches: bool
) -> None:
    """E1, E3, E5: by id, which belongs to one account; names play no part."""
    found = codes(held(tag_ids=frozenset(bundle)), replace(SESSION, tag_id=product))

    assert found == ([] if matches else ["TAG_MISMATCH"])


@pytest.mark.parametrize(
    ("expires_at", "found"),
    [
        (STARTS + INSTANT, []),
        (STARTS, ["CREDIT_EXPIRES_BEFORE_SESSION"]),
        (STARTS - INSTANT, ["CREDIT_EXPIRES_BEFORE_SESSION"]),
        (NOW + INSTANT, ["CREDIT_EXPIRES_BEFORE_SESSION"]),
        (NOW, ["CREDIT_EXPIRED"]),
        (NOW - INSTANT, ["CREDIT_EXPIRED"]),
    ],
)
def test_a_credit_pays_for_sessions_that_start_before_it_expires(
    expires_at: datetime, found: list[str]
) -> None:
    """D4: strictly before, to the microsecond."""
    bundle = held(expires_at=expires_at)

    assert codes(bundle) == found
    for reason in reasons_against(bundle, SESSION, NOW):
        assert reason.expires_at == expires_at  # type: ignore[attr-defined]


@pytest.mark.parametrize("span", VALIDITIES)
def test_a_credit_ends_at_the_second_whatever_the_clocks_do_before(span: Span) -> None:
    """D4, C1, X1: in three zones, across both changes, in hours, days and weeks."""
    issued_at, ends_at = at(span.earlier), at(span.later)
    bundle = held(expires_at=after(issued_at, period(span.period), ZoneInfo(span.zone)))
    starts = (ends_at - A_SECOND, ends_at - INSTANT, ends_at, ends_at + A_SECOND)

    in_time = [codes(bundle, replace(SESSION, starts_at=each), issued_at) for each in starts]
    afterwards = [
        codes(bundle, replace(SESSION, starts_at=ends_at + A_SECOND), now)
        for now in (ends_at - A_SECOND, ends_at)
    ]

    assert in_time == [[], [], *[["CREDIT_EXPIRES_BEFORE_SESSION"]] * 2]
    assert afterwards == [["CREDIT_EXPIRES_BEFORE_SESSION"], ["CREDIT_EXPIRED"]]


@pytest.mark.parametrize(
    ("balance", "found"), [(0, ["INSUFFICIENT_CREDITS"]), (1, []), (10, [])]
)
def test_a_credit_must_be_left(balance: int, found: list[str]) -> None:
    """D5."""
    assert codes(held(balance=balance)) == found


def test_a_bundle_that_was_revoked_has_nothing_left() -> None:
    """D5, X24: its balance is zero, which is reason enough."""
    assert codes(held(balance=0, revoked_at=NOW - INSTANT)) == ["INSUFFICIENT_CREDITS"]


def test_all_reasons_are_given_at_once() -> None:
    """D4, D5, E1."""
    worst = held(tag_ids=frozenset(), expires_at=NOW, balance=0)

    assert codes(worst) == ["TAG_MISMATCH", "CREDIT_EXPIRED", "INSUFFICIENT_CREDITS"]


SOON, LATER = at("2027-02-10T10:00"), at("2027-03-10T10:00")
FEW, MANY = frozenset({BEGINNERS}), frozenset({BEGINNERS, ADVANCED})
OLD, NEW = at("2027-01-05T10:00"), at("2027-01-06T10:00")
FIRST, SECOND = CustomerBundleId(UUID(int=1)), CustomerBundleId(UUID(int=2))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(
            {"expires_at": SOON, "tag_ids": MANY, "issued_at": NEW, "id": SECOND},
            {"expires_at": LATER, "tag_ids": FEW, "issued_at": OLD, "id": FIRST},
            id="first to expire",
        ),
        pytest.param(
            {"tag_ids": FEW, "issued_at": NEW, "id": SECOND},
            {"tag_ids": MANY, "issued_at": OLD, "id": FIRST},
            id="then most restricted",
        ),
        pytest.param(
            {"issued_at": OLD, "id": SECOND},
            {"issued_at": NEW, "id": FIRST},
            id="then first issued",
        ),
        pytest.param({"id": FIRST}, {"id": SECOND}, id="then by id"),
    ],
)
def test_of_two_that_could_pay_one_goes_first(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    """D11, X9: each step decides only where the steps before it are equal."""
    one, two = held(**first), held(**second)

    for given in permutations([one, two]):
        assert [bundle for bundle, _ in match(given, SESSION, NOW)] == [one, two]


def test_the_order_of_spending_does_not_depend_on_the_order_of_reading() -> None:
    """D11."""
    ids = iter(range(100))
    bundles = [
        held(
            id=CustomerBundleId(UUID(int=next(ids))),
            expires_at=expires_at,
            tag_ids=tag_ids,
            issued_at=issued_at,
        )
        for expires_at in (SOON, LATER)
        for tag_ids in (FEW, MANY)
        for issued_at in (OLD, NEW)
        for _ in range(2)
    ]
    shuffled = random.Random(11).sample(bundles, len(bundles))

    assert [bundle for bundle, _ in match(shuffled, SESSION, NOW)] == bundles


def test_a_bundle_that_cannot_pay_keeps_its_place_with_its_reasons() -> None:
    empty = held(balance=0, expires_at=SOON)

    found = match([SWAP, empty], SESSION, NOW)

    assert [(bundle, [each.code for each in reasons]) for bundle, reasons in found] == [
        (empty, ["INSUFFICIENT_CREDITS"]),
        (SWAP, []),
    ]
    assert match([], SESSION, NOW) == []
