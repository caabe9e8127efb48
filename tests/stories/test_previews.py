"""Previews say beforehand exactly what will happen, by the same rules."""

from __future__ import annotations

from typing import Any

import pytest

from studio import Studio, codes_of


async def test_the_preview_of_a_cancellation_is_what_cancelling_gives(
    northside: Studio,
) -> None:
    """S23: asked and done in the same instant."""
    northside.clock.set("2027-01-20T10:00")

    preview = await northside.preview("Ana", "MON", 3)
    nothing_yet = await northside.holdings("Ana")
    refund = (await northside.cancel("Ana", "MON", 3))["cancellation"]["refund"]

    assert preview == {
        "outcome": "NEW_BUNDLE",
        "reason": None,
        "deadline": "2027-01-24T18:30:00Z",
        "expiresAt": "2027-02-19T10:00:00Z",
        "bundle": {"id": northside.ids.bundles["RB-BEG"]},
        "customerBundle": None,
        "userErrors": [],
    }
    assert nothing_yet == []
    assert refund["outcome"] == preview["outcome"]
    assert refund["customerBundle"]["expiresAt"] == preview["expiresAt"]
    assert await northside.holdings("Ana") == [("RB-BEG", 1, "2027-02-19T10:00:00Z", "ISSUE")]


async def test_the_preview_says_that_it_is_too_late(northside: Studio) -> None:
    """S23: and until when it was not."""
    northside.clock.set("2027-01-24T18:31")

    preview = await northside.preview("Ana", "MON", 3)

    assert preview == {
        "outcome": "NONE",
        "reason": {"code": "NOTICE_TOO_SHORT"},
        "deadline": "2027-01-24T18:30:00Z",
        "expiresAt": None,
        "bundle": None,
        "customerBundle": None,
        "userErrors": [],
    }
    assert await northside.places("Ana", "MON") == [1, 2, 3, 4, 5, 6]


async def test_the_preview_names_the_bundle_that_gets_its_credit_back(
    northside: Studio,
) -> None:
    """C: no copy is issued, so there is none that would expire."""
    northside.clock.set("2027-01-22T09:00")
    held = await northside.give("Ana", "RB-BEG")
    await northside.book("Ana", "THU", 3)

    preview = await northside.preview("Ana", "THU", 3)

    assert preview["outcome"] == "CREDIT_BACK"
    assert preview["customerBundle"] == {"id": held}
    assert preview["deadline"] == "2027-01-27T19:00:00Z"
    assert preview["bundle"] is None
    assert preview["expiresAt"] is None


async def test_the_preview_says_why_something_cannot_be_cancelled(northside: Studio) -> None:
    """X6, X10: cancelled already, or started already."""
    northside.clock.set("2027-01-20T10:00")
    await northside.cancel("Ana", "MON", 3)

    cancelled = await northside.preview("Ana", "MON", 3)
    started = await northside.preview("Ana", "MON", 2)

    assert (cancelled["outcome"], cancelled["userErrors"]) == (None, [{"code": "NOT_BOOKED"}])
    assert (started["outcome"], started["userErrors"]) == (None, [{"code": "SESSION_STARTED"}])


async def test_a_preview_is_for_those_who_see_the_booking(northside: Studio) -> None:
    """Anybody else is answered as if it did not exist."""
    document = "query ($id: ID!) { cancellationPreview(booking: $id) { outcome } }"
    booking = await northside.booking("Ana", "MON", 3)

    answers = [
        (await northside.query(document, id=booking, as_=name))["cancellationPreview"]
        for name in ("Ana", "staff", "Ben", None)
    ]

    assert answers == [{"outcome": "NEW_BUNDLE"}, {"outcome": "NEW_BUNDLE"}, None, None]


async def test_booking_options_say_which_credit_would_pay(northside: Studio) -> None:
    """D11: one line for each bundle held, and one without a bundle for the best of them."""
    northside.clock.set("2027-01-22T09:00")
    advanced = await northside.give("Ana", "RB-ADV")
    beginners = await northside.give("Ana", "RB-BEG")

    options = await northside.options("Ana", "THU", 3)

    assert options["userErrors"] == []
    assert options["opensAt"] == "2027-01-21T19:00:00Z"
    best, *others = options["paymentOptions"]
    assert best == {"method": "credit", "customerBundle": None, "userErrors": []}
    assert sorted(others, key=_holder) == sorted(
        [_with(beginners), _with(advanced, "TAG_MISMATCH")], key=_holder
    )


@pytest.mark.parametrize(
    ("now", "reasons"),
    [
        ("2027-01-21T18:59:59", ["SESSION_FULL", "DROP_IN_NOT_OPEN"]),
        ("2027-01-22T09:00:00", ["SESSION_FULL"]),
        ("2027-01-28T19:00:00", ["SESSION_STARTED", "SESSION_FULL"]),
    ],
)
async def test_booking_options_say_all_that_booking_would_say(
    northside: Studio, now: str, reasons: list[str]
) -> None:
    """They are refused by one set of rules, so the answers cannot differ."""
    await northside.change("THU", 3, capacity=1)
    await northside.give("Ana", "RB-BEG")
    northside.clock.set(now)

    options = await northside.options("Ana", "THU", 3)
    refused = codes_of(await northside.book("Ana", "THU", 3))

    assert codes_of(options) == reasons
    assert refused == reasons


async def test_anybody_may_ask_how_a_session_could_be_booked(northside: Studio) -> None:
    """F2: the price is no secret; whoever has no credits learns that they need one."""
    northside.clock.set("2027-01-22T09:00")

    found = await northside.query(
        "query ($id: ID!) { bookingOptions(session: $id) { way price { amountMinor }"
        " userErrors { code } paymentOptions { method userErrors { code } } } }",
        id=northside.session("THU", 3),
    )

    assert found["bookingOptions"] == {
        "way": "drop_in",
        "price": {"amountMinor": 1200},
        "userErrors": [],
        "paymentOptions": [
            {"method": "credit", "userErrors": [{"code": "NO_MATCHING_CREDIT"}]}
        ],
    }


def _with(held: str, *reasons: str) -> dict[str, Any]:
    errors = [{"code": reason} for reason in reasons]
    return {"method": "credit", "customerBundle": {"id": held}, "userErrors": errors}


def _holder(option: dict[str, Any]) -> str:
    return str(option["customerBundle"]["id"])
