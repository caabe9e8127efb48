"""What people send is checked before it is stored, and refused with its place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from classbolt import checks
from classbolt.db import Caller, Tx
from classbolt.errors import InvalidInput, NotFound
from classbolt.tables import tags
from classbolt.tags import create_tag
from classbolt.values import SYSTEM, Period, Unit, new_id
from studio import Studio, at, open_studio

NOW = at("2027-01-20T10:00")


def refused(check: Callable[[], Any]) -> InvalidInput:
    with pytest.raises(InvalidInput) as refusal:
        check()
    return refusal.value


def test_a_text_is_trimmed() -> None:
    assert checks.text("  Beginners \n", "name") == "Beginners"
    assert checks.text("first\r\nsecond\r\n", "description") == "first\nsecond"


def test_a_text_may_hold_any_language_and_line_breaks() -> None:
    for text in ("Zoë", "太極拳", "🧘 Yoga", "first\nsecond\tthird", "family 👩\u200d👧"):
        assert checks.text(text, "name") == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "\n",
        "x" * 201,
        "a\x00b",
        "a\x07b",
        "a\x85b",
        "a\ud800b",
    ],
)
def test_a_text_that_cannot_be_stored_is_refused_with_its_place(text: str) -> None:
    assert refused(lambda: checks.text(text, "customer", "name")).path == ("customer", "name")


def test_a_text_may_be_empty_where_that_is_allowed() -> None:
    assert checks.text("  ", "description", least=0, most=10) == ""
    refused(lambda: checks.text("x" * 11, "description", least=0, most=10))


@pytest.mark.parametrize("value", [1, 5, 10])
def test_a_number_within_its_range_passes(value: int) -> None:
    assert checks.number(value, "credits", least=1, most=10) == value


@pytest.mark.parametrize("value", [-1, 0, 11])
def test_a_number_outside_its_range_is_refused_with_the_range(value: int) -> None:
    no = refused(lambda: checks.number(value, "credits", least=1, most=10))

    assert no.message == "This must be between 1 and 10."
    assert no.path == ("credits",)


def test_a_price_is_from_nothing_to_a_million() -> None:
    for value in (0, 100_000_000):
        assert checks.price(value, "priceMinor") == value
    for value in (-1, 100_000_001):
        assert refused(lambda value=value: checks.price(value, "priceMinor")).path == (  # type: ignore[misc]
            "priceMinor",
        )


@pytest.mark.parametrize("unit", Unit)
def test_a_period_is_neither_negative_nor_longer_than_anybody_plans(unit: Unit) -> None:
    most = checks.MOST_PERIOD[unit]

    for value in (0, most):
        assert checks.period(Period(value, unit), "notice") == Period(value, unit)
    for value in (-1, most + 1):
        no = refused(lambda value=value: checks.period(Period(value, unit), "notice"))  # type: ignore[misc]
        assert no.path == ("notice", "value")
    refused(lambda: checks.period(Period(0, unit), "validity", least=1))


def test_payment_methods_are_named_once_and_in_order() -> None:
    assert checks.methods(["offline", "credit", "offline"], {"credit", "offline"}) == [
        "credit",
        "offline",
    ]


@pytest.mark.parametrize("methods", [[], ["card"], ["credit", "card"]])
def test_payment_methods_that_nobody_knows_are_refused(methods: list[str]) -> None:
    no = refused(lambda: checks.methods(methods, ["offline", "credit"], "paymentMethods"))

    assert no.message == "Name at least one of: credit, offline."


def test_the_future_begins_after_this_very_moment() -> None:
    soon = NOW + timedelta(microseconds=1)

    assert checks.future(soon, NOW, "startsAt") == soon
    assert refused(lambda: checks.future(NOW, NOW, "startsAt")).path == ("startsAt",)


async def test_an_id_that_is_unknown_or_anothers_is_answered_alike(studio: Studio) -> None:
    """J6."""
    other = await open_studio(
        "southside", studio.client, studio.settings, studio.database, studio.clock
    )

    async def add(tx: Tx) -> Any:
        return (await create_tag(tx, SYSTEM, "Beginners", now=NOW)).id

    mine = await studio.database.write(Caller(studio.slug), add)
    theirs = await studio.database.write(Caller(other.slug), add)

    async with studio.database.read(Caller(studio.slug)) as tx:
        await checks.must_exist(tx, tags, [mine, mine], "tags")
        await checks.must_exist(tx, tags, [], "tags")
        answers = []
        for wrong in (theirs, new_id()):
            with pytest.raises(NotFound) as no:
                await checks.must_exist(tx, tags, [mine, wrong], "tags")
            answers.append((no.value.message, no.value.path))

    assert answers[0] == answers[1]
    assert answers[0][1] == ("tags",)
