"""A preview can be held to: what was promised is given, or nothing is done at all (S23)."""

from __future__ import annotations

from typing import Any

import pytest

from studio import Studio, codes_of


async def cancel(studio: Studio, name: str, number: int, quote: str) -> dict[str, Any]:
    """Cancel a place on Mondays, as it was quoted."""
    asked = {"booking": await studio.booking(name, "MON", number), "expected": quote}
    return await studio.mutate("cancelBooking", asked, "booking { status }", as_=name)


async def test_a_quote_that_no_longer_holds_cancels_nothing(northside: Studio) -> None:
    """S23: the deadline has passed since."""
    northside.clock.set("2027-01-20T10:00")
    quote = await northside.quote("Ana", "MON", 3)
    northside.clock.set("2027-01-24T18:31")

    refused = await cancel(northside, "Ana", 3, quote)

    assert codes_of(refused) == ["QUOTE_CHANGED"]
    assert refused["userErrors"][0]["path"] == ["input", "expected"]
    assert await northside.places("Ana", "MON") == [1, 2, 3, 4, 5, 6]
    assert await northside.holdings("Ana") == []


async def test_a_quote_holds_for_as_long_as_it_gives_the_same(northside: Studio) -> None:
    """S23: a bundle that is issued later also expires later, which breaks no promise."""
    northside.clock.set("2027-01-20T10:00")
    quote = await northside.quote("Ana", "MON", 3)
    northside.clock.set("2027-01-20T10:05")

    assert codes_of(await cancel(northside, "Ana", 3, quote)) == []
    assert await northside.holdings("Ana") == [("RB-BEG", 1, "2027-02-19T10:05:00Z", "ISSUE")]


async def test_a_bundle_that_has_become_worth_less_is_not_what_was_quoted(
    northside: Studio,
) -> None:
    """S23: its validity was shortened in between; lengthened, it is welcome."""
    northside.clock.set("2027-01-20T10:00")
    quote = await northside.quote("Ana", "MON", 3)
    bundle = {"bundle": northside.ids.bundles["RB-BEG"]}
    shorter = {"validity": {"value": 29, "unit": "DAYS"}}
    longer = {"validity": {"value": 31, "unit": "DAYS"}}

    await northside.do("updateBundle", {**bundle, **shorter}, as_="owner")
    refused = codes_of(await cancel(northside, "Ana", 3, quote))
    await northside.do("updateBundle", {**bundle, **longer}, as_="owner")
    done = codes_of(await cancel(northside, "Ana", 3, quote))

    assert (refused, done) == (["QUOTE_CHANGED"], [])


async def test_another_bundle_is_not_what_was_quoted(northside: Studio) -> None:
    """S23: also if it were worth more to some."""
    northside.clock.set("2027-01-20T10:00")
    quote = await northside.quote("Ana", "MON", 3)
    rule = {
        "option": "COURSE",
        "method": "NEW_BUNDLE",
        "bundle": northside.ids.bundles["RB-ADV"],
    }
    policy = {"notice": {"value": 24, "unit": "HOURS"}, "refunds": [rule]}
    await northside.change_course("MON", autoRefund=policy)

    assert codes_of(await cancel(northside, "Ana", 3, quote)) == ["QUOTE_CHANGED"]


async def test_a_quote_of_nothing_is_not_an_offer_of_something(northside: Studio) -> None:
    """S23: who expects nothing is told when there is something after all."""
    northside.clock.set("2027-01-24T18:31")
    quote = await northside.quote("Ana", "MON", 3)
    assert codes_of(await cancel(northside, "Ana", 4, quote)) == ["QUOTE_CHANGED"]
    assert codes_of(await cancel(northside, "Ana", 3, quote)) == []


async def test_a_swap_is_held_to_the_quote_too(northside: Studio) -> None:
    """S22, S23: the quote is of the cancellation in it."""
    northside.clock.set("2027-01-22T09:00")
    await northside.give("Ana", "TEN")
    quote = await northside.quote("Ana", "MON", 3)
    await northside.change_course("MON", autoRefund=None)
    asked = {
        "booking": await northside.booking("Ana", "MON", 3),
        "toSession": northside.session("THU", 3),
        "payWith": {"credit": {}},
        "expected": quote,
    }

    refused = await northside.codes("swapBooking", asked, as_="Ana")

    assert refused == ["QUOTE_CHANGED"]
    assert await northside.places("Ana", "MON") == [1, 2, 3, 4, 5, 6]
    assert await northside.places("Ana", "THU") == []


async def test_cancelling_again_tells_of_the_first_time_whatever_is_expected(
    northside: Studio,
) -> None:
    """X10: the answer may have been lost on its way."""
    northside.clock.set("2027-01-20T10:00")
    quote = await northside.quote("Ana", "MON", 3)

    assert codes_of(await cancel(northside, "Ana", 3, quote)) == []
    northside.clock.set("2027-01-24T18:31")
    assert codes_of(await cancel(northside, "Ana", 3, quote)) == []
    assert len(await northside.holdings("Ana")) == 1


@pytest.mark.parametrize(
    "quote", ["", "x", "💃", "bnVsbA==", "WzEsMl0=", "W251bGwsICJ4Il0=", "W" * 5000]
)
async def test_what_is_no_quote_is_refused_as_such(northside: Studio, quote: str) -> None:
    northside.clock.set("2027-01-20T10:00")

    assert codes_of(await cancel(northside, "Ana", 3, quote)) == ["INVALID_INPUT"]
    assert await northside.places("Ana", "MON") == [1, 2, 3, 4, 5, 6]
