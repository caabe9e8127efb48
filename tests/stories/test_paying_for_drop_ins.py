"""How a drop-in is paid for: what a session accepts, and which of several credits pays."""

from __future__ import annotations

from typing import Any

from studio import Studio, codes_of


async def test_a_session_can_be_open_to_transfers_only(northside: Studio) -> None:
    """S6, F2, F3: the price says what a place is worth, and nobody can pay it."""
    await northside.add_customer("Eve")
    northside.clock.set("2027-01-22T09:00")

    options = await northside.options("Eve", "THU", 3)
    refused = await northside.book("Eve", "THU", 3, {"offline": True})

    assert options["way"] == "drop_in"
    assert options["price"] == {"amountMinor": 1200, "currency": "GBP"}
    assert options["userErrors"] == []
    assert _methods(options) == ["credit"]
    assert codes_of(refused) == ["PAYMENT_OPTION_NOT_ALLOWED"]
    assert refused["userErrors"][0]["allowed"] == ["credit"]
    assert refused["userErrors"][0]["path"] == ["input", "payWith"]
    assert await northside.seats_left("THU", 3) == 9


async def test_a_session_can_take_money_too(northside: Studio) -> None:
    """S6: what is owed is recorded, and staff note when it came."""
    await northside.add_customer("Eve")
    northside.clock.set("2027-01-22T09:00")

    options = await northside.options("Eve", "WED", 3)
    booked = await northside.book("Eve", "WED", 3, {"offline": True})

    assert _methods(options) == ["credit", "offline"]
    assert codes_of(booked) == []
    assert booked["booking"]["status"] == "BOOKED"
    assert booked["booking"]["customerBundle"] is None
    payment = booked["booking"]["payment"]
    assert payment["method"] == "offline"
    assert payment["amount"] == {"amountMinor": 1400, "currency": "GBP"}
    assert payment["paidAt"] is None
    assert await northside.seats_left("WED", 3) == 7


async def test_the_credit_that_expires_first_pays_first(northside: Studio) -> None:
    """S13, D11: unless the customer names another one."""
    await northside.add_customer("Fay")
    northside.clock.set("2027-01-10T09:00")
    ten = await northside.give("Fay", "TEN")
    northside.clock.set("2027-01-20T10:00")
    await northside.give("Fay", "RB-BEG")
    northside.clock.set("2027-01-25T12:00")

    await northside.book("Fay", "THU", 3)
    unnamed = await northside.holdings("Fay")
    await northside.book("Fay", "SAT", 3, {"credit": {"customerBundle": ten}})
    named = await northside.holdings("Fay")

    spent = ("RB-BEG", 0, "2027-02-19T10:00:00Z", "ISSUE SPEND")
    assert unnamed == [spent, ("TEN", 10, "2027-04-10T08:00:00Z", "ISSUE")]
    assert named == [spent, ("TEN", 9, "2027-04-10T08:00:00Z", "ISSUE SPEND")]


async def test_a_credit_can_be_named_that_would_not_have_been_chosen(
    northside: Studio,
) -> None:
    """D11, X9: the customer knows best."""
    await northside.add_customer("Fay")
    northside.clock.set("2027-01-22T09:00")
    ten = await northside.give("Fay", "TEN")
    await northside.give("Fay", "RB-BEG")

    await northside.book("Fay", "THU", 3, {"credit": {"customerBundle": ten}})

    assert await northside.holdings("Fay") == [
        ("RB-BEG", 1, "2027-02-21T09:00:00Z", "ISSUE"),
        ("TEN", 9, "2027-04-22T08:00:00Z", "ISSUE SPEND"),
    ]


async def test_of_credits_that_expire_together_the_most_restricted_pays_first(
    northside: Studio,
) -> None:
    """S13, D11: so that the one which fits more sessions is left."""
    await northside.add_customer("Fay")
    await northside.add_bundle("BOTH", 30, "BEG", "ADV")
    northside.clock.set("2027-01-22T09:00")
    await northside.give("Fay", "BOTH")
    await northside.give("Fay", "RB-BEG")

    await northside.book("Fay", "THU", 3)

    left = {bundle: balance for bundle, balance, _, _ in await northside.holdings("Fay")}
    assert left == {"BOTH": 1, "RB-BEG": 0}


async def test_of_credits_alike_the_one_issued_first_pays_first(northside: Studio) -> None:
    """D11: the older copy, even if it was entered later."""
    await northside.add_customer("Fay")
    await northside.add_bundle("SHORTER", 20, "BEG")
    northside.clock.set("2027-01-21T09:00")
    await northside.give("Fay", "SHORTER")
    northside.clock.set("2027-01-11T09:00")
    await northside.give("Fay", "RB-BEG")
    northside.clock.set("2027-01-22T09:00")

    await northside.book("Fay", "THU", 3)

    assert sorted(await northside.holdings("Fay")) == [
        ("RB-BEG", 0, "2027-02-10T09:00:00Z", "ISSUE SPEND"),
        ("SHORTER", 1, "2027-02-10T09:00:00Z", "ISSUE"),
    ]


async def test_a_credit_pays_only_for_sessions_that_start_before_it_expires(
    northside: Studio,
) -> None:
    """D4, X7: strictly before."""
    await northside.add_customer("Fay")
    await northside.add_bundle("SIX DAYS", 6, "BEG")
    northside.clock.set("2027-01-22T19:00")
    held = await northside.give("Fay", "SIX DAYS")
    named = {"credit": {"customerBundle": held}}

    unnamed = codes_of(await northside.book("Fay", "THU", 3))
    too_short = await northside.book("Fay", "THU", 3, named)
    await northside.change("THU", 3, startsAt="2027-01-28T18:59:59Z")
    just_enough = codes_of(await northside.book("Fay", "THU", 3, named))

    assert unnamed == ["NO_MATCHING_CREDIT", "CREDIT_EXPIRES_BEFORE_SESSION"]
    assert codes_of(too_short) == ["CREDIT_EXPIRES_BEFORE_SESSION"]
    assert too_short["userErrors"][0]["expiresAt"] == "2027-01-28T19:00:00Z"
    assert just_enough == []


async def test_all_that_speaks_against_a_credit_is_said_at_once(northside: Studio) -> None:
    """D4, D9, E1: a customer need not meet the reasons one by one."""
    await northside.add_customer("Fay")
    await northside.add_bundle("FIVE DAYS", 5, "ADV")
    northside.clock.set("2027-01-14T09:00")
    held = await northside.give("Fay", "FIVE DAYS")
    northside.clock.set("2027-01-20T12:00")

    refused = await northside.book("Fay", "THU", 3, {"credit": {"customerBundle": held}})

    assert codes_of(refused) == ["DROP_IN_NOT_OPEN", "TAG_MISMATCH", "CREDIT_EXPIRED"]
    assert refused["userErrors"][0]["opensAt"] == "2027-01-21T19:00:00Z"
    assert refused["userErrors"][2]["expiresAt"] == "2027-01-19T09:00:00Z"
    assert await northside.holdings("Fay") == [
        ("FIVE DAYS", 1, "2027-01-19T09:00:00Z", "ISSUE")
    ]


async def test_a_credit_is_spent_once(northside: Studio) -> None:
    """D5, J2: and one who has none is told so."""
    await northside.add_customer("Fay")
    northside.clock.set("2027-01-23T10:00")
    await northside.give("Fay", "RB-BEG")
    await northside.book("Fay", "THU", 3)

    refused = codes_of(await northside.book("Fay", "SAT", 3))

    assert refused == ["NO_MATCHING_CREDIT", "INSUFFICIENT_CREDITS"]
    assert await northside.places("Fay", "SAT") == []
    assert await northside.seats_left("SAT", 3) == 9


async def test_nobody_pays_with_the_credit_of_somebody_else(northside: Studio) -> None:
    """It is answered like a credit that does not exist."""
    await northside.add_customer("Fay")
    northside.clock.set("2027-01-22T09:00")
    of_ana = await northside.give("Ana", "RB-BEG")

    refused = await northside.book("Fay", "THU", 3, {"credit": {"customerBundle": of_ana}})

    assert codes_of(refused) == ["NOT_FOUND"]
    assert await northside.seats_left("THU", 3) == 9


async def test_staff_book_for_a_customer_with_the_customers_credit(northside: Studio) -> None:
    """F9: or give the place away, which customers cannot (F8)."""
    northside.clock.set("2027-01-22T09:00")
    ana = northside.ids.customers["Ana"]
    eve = await northside.add_customer("Eve")
    await northside.give("Ana", "RB-BEG")
    asked = {"session": northside.session("THU", 3)}

    with_credit = {**asked, "customer": ana, "payWith": {"credit": {}}}
    paid = await northside.codes("bookSession", with_credit, as_="staff")
    for_free = {**asked, "customer": eve, "payWith": {"free": True}}
    given = await northside.codes("bookSession", for_free, as_="staff")
    taken = await northside.codes("bookSession", {**for_free, "customer": None}, as_="Hal")

    assert paid == []
    assert given == []
    assert taken == ["PAYMENT_OPTION_NOT_ALLOWED"]
    assert await northside.attendees("THU", 3) == ["Ben", "Ana", "Eve"]
    assert await northside.holdings("Ana") == [
        ("RB-BEG", 0, "2027-02-21T09:00:00Z", "ISSUE SPEND")
    ]


async def test_a_session_without_an_offer_takes_no_drop_ins(northside: Studio) -> None:
    """F1: MON is for those who bought it."""
    northside.clock.set("2027-01-22T09:00")
    await northside.give("Ben", "RB-BEG")

    refused = codes_of(await northside.book("Ben", "MON", 3))

    assert refused == ["DROP_INS_NOT_ALLOWED"]
    assert await northside.seats_left("MON", 3) == 9


def _methods(options: dict[str, Any]) -> list[str]:
    return [each["method"] for each in options["paymentOptions"]]
