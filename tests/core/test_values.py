"""Ids, periods, and what each kind of actor may do."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import RFC_4122

import pytest

from classbolt.errors import Forbidden, Unauthenticated
from classbolt.values import (
    ANONYMOUS,
    SYSTEM,
    Actor,
    CustomerId,
    Period,
    Permission,
    Role,
    StaffId,
    Unit,
    new_id,
)

ANA = CustomerId(new_id())
BEN = CustomerId(new_id())
CUSTOMER = Actor(customer_id=ANA)
PERSON = StaffId(new_id())


def staff(role: Role) -> Actor:
    return Actor(staff_id=PERSON, role=role)


def test_an_id_says_when_it_was_made_and_that_it_is_a_uuid_of_version_7() -> None:
    earliest = time.time_ns() // 1_000_000

    made = new_id()

    assert earliest <= made.int >> 80 <= time.time_ns() // 1_000_000
    assert (made.version, made.variant) == (7, RFC_4122)


def test_ids_made_one_after_the_other_are_in_order_even_within_a_millisecond() -> None:
    found = []
    for _ in range(50):
        found.append(new_id())
        tick = time.time_ns()
        while time.time_ns() - tick < 1_000:  # a quarter of what an id tells apart
            continue

    assert found == sorted(found)
    assert len({each.int >> 80 for each in found}) < len(found)


def test_ids_made_at_the_same_time_are_different() -> None:
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: new_id(), range(20_000)))

    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (24, Unit.HOURS, "24 hours"),
        (1, Unit.HOURS, "1 hour"),
        (1, Unit.DAYS, "1 day"),
        (2, Unit.WEEKS, "2 weeks"),
        (1, Unit.MONTHS, "1 month"),
        (0, Unit.DAYS, "0 days"),
    ],
)
def test_a_period_reads_as_a_person_would_say_it(value: int, unit: Unit, text: str) -> None:
    assert str(Period(value, unit)) == text


@pytest.mark.parametrize(
    ("actor", "kind"),
    [
        (SYSTEM, "SYSTEM"),
        (staff(Role.OWNER), "STAFF"),
        (CUSTOMER, "CUSTOMER"),
        (ANONYMOUS, "ANONYMOUS"),
    ],
)
def test_histories_name_the_kind_of_actor(actor: Actor, kind: str) -> None:
    assert actor.kind == kind


def test_histories_name_the_person_behind_an_actor() -> None:
    assert staff(Role.STAFF).id == PERSON
    assert CUSTOMER.id == ANA
    assert SYSTEM.id is None
    assert ANONYMOUS.id is None


@pytest.mark.parametrize(
    ("actor", "permissions"),
    [
        (SYSTEM, set(Permission)),
        (staff(Role.OWNER), set(Permission)),
        (staff(Role.MANAGER), {Permission.SET_UP, Permission.SERVE_CUSTOMERS}),
        (staff(Role.STAFF), {Permission.SERVE_CUSTOMERS}),
        (CUSTOMER, set()),
        (ANONYMOUS, set()),
    ],
)
def test_what_an_actor_may_do_follows_from_who_they_are(
    actor: Actor, permissions: set[Permission]
) -> None:
    assert {each for each in Permission if actor.may(each)} == permissions


def test_whoever_lacks_a_permission_is_refused() -> None:
    staff(Role.OWNER).require(Permission.SWITCH_BOLT_ONS)

    for actor in (staff(Role.MANAGER), staff(Role.STAFF), CUSTOMER):
        with pytest.raises(Forbidden):
            actor.require(Permission.SWITCH_BOLT_ONS)


def test_somebody_unknown_is_asked_who_they_are_first() -> None:
    with pytest.raises(Unauthenticated):
        ANONYMOUS.require(Permission.SERVE_CUSTOMERS)


def test_customers_see_what_is_theirs_and_staff_see_what_is_anybodys() -> None:
    assert CUSTOMER.sees(ANA)
    assert not CUSTOMER.sees(BEN)
    assert not ANONYMOUS.sees(ANA)
    assert staff(Role.STAFF).sees(ANA)
    assert SYSTEM.sees(BEN)


def test_only_those_who_act_for_the_business_are_staff() -> None:
    assert [each.is_staff for each in (SYSTEM, staff(Role.STAFF), CUSTOMER, ANONYMOUS)] == [
        True,
        True,
        False,
        False,
    ]
