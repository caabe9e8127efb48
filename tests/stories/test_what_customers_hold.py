"""What a bundle is, and what becomes of the copies that customers hold."""

from __future__ import annotations

from typing import Any

from studio import Studio, codes_of

IN_JANUARY = "2027-01-22T09:00"
"""When THU 28 Jan is open to drop-ins."""


async def test_a_bundle_is_a_number_of_credits_with_a_validity(northside: Studio) -> None:
    """D1, D3: neither can be left out, nor be nothing."""
    whole = {"name": "Five", "credits": 5, "validity": {"value": 60, "unit": "DAYS"}}
    document = "mutation ($it: CreateBundleInput!) {"
    document += " createBundle(input: $it) { userErrors { code path } } }"

    async def add(**changes: Any) -> Any:
        given = {name: value for name, value in {**whole, **changes}.items() if value != ()}
        answer = await northside.ask(document, {"it": given}, as_="owner")
        if answer.error_codes:
            return answer.error_codes
        errors = answer.data["createBundle"]["userErrors"]
        return [(each["code"], each["path"][-1]) for each in errors]

    assert await add() == []
    assert await add(credits=()) == await add(validity=()) == ["BAD_USER_INPUT"]
    assert await add(credits=None) == await add(validity=None) == ["BAD_USER_INPUT"]
    assert await add(credits=0) == [("INVALID_INPUT", "credits")]
    assert await add(validity={"value": 0, "unit": "DAYS"}) == [("INVALID_INPUT", "value")]


async def test_a_copy_is_valid_from_the_very_moment_it_is_given(northside: Studio) -> None:
    """D2: and no longer than its validity."""
    northside.clock.set("2027-01-22T09:00:00.000001")
    await northside.give("Ana", "RB-BEG")

    (held,) = await northside.bundles("Ana")

    assert held["expiresAt"] == "2027-02-21T09:00:00.000001Z"


async def test_copies_that_are_out_keep_their_credits_and_their_expiry(
    northside: Studio,
) -> None:
    """E6: only what is issued from now on is as the bundle now says."""
    northside.clock.set(IN_JANUARY)
    await northside.give("Ana", "TEN")
    shorter = {"value": 1, "unit": "WEEKS"}
    changes = {"bundle": northside.ids.bundles["TEN"], "validity": shorter}

    await northside.do("updateBundle", changes, as_="owner")
    await northside.give("Ben", "TEN")

    assert await northside.holdings("Ana") == [("TEN", 10, "2027-04-22T08:00:00Z", "ISSUE")]
    assert await northside.holdings("Ben") == [("TEN", 10, "2027-01-29T09:00:00Z", "ISSUE")]


async def test_what_has_expired_is_seen_and_not_spent(northside: Studio) -> None:
    """D9, D4: from the very moment on, though nothing has run in between."""
    await northside.add_bundle("SIX DAYS", 6, "BEG")
    northside.clock.set(IN_JANUARY)
    await northside.give("Ana", "SIX DAYS")
    await northside.change("THU", 3, startsAt="2027-01-28T12:00Z")
    northside.clock.set("2027-01-28T09:00")

    refused = codes_of(await northside.book("Ana", "THU", 3))

    assert refused == ["NO_MATCHING_CREDIT", "CREDIT_EXPIRED"]
    assert await northside.holdings("Ana") == [("SIX DAYS", 1, "2027-01-28T09:00:00Z", "ISSUE")]


async def test_a_booking_stands_whatever_becomes_of_the_bundle_that_paid(
    northside: Studio,
) -> None:
    """D10, X16: archived, of other tags, and expired before the session takes place."""
    northside.clock.set(IN_JANUARY)
    await northside.give("Ana", "RB-BEG")
    await northside.book("Ana", "THU", 3)
    bundle = {"bundle": northside.ids.bundles["RB-BEG"]}
    await northside.do("updateBundle", {**bundle, "tags": []}, as_="owner")
    await northside.do("archiveBundle", bundle, as_="owner")
    await northside.change("THU", 3, startsAt="2027-03-04T19:00Z")

    northside.clock.set("2027-03-04T12:00")

    assert await northside.attendees("THU", 3) == ["Ben", "Ana"]
    assert await northside.holdings("Ana") == [
        ("RB-BEG", 0, "2027-02-21T09:00:00Z", "ISSUE SPEND")
    ]


async def test_no_credit_pays_where_none_is_accepted_or_no_tag_is_set(
    northside: Studio,
) -> None:
    """E2, E3: whatever tags the credit is for."""
    offer = {"priceMinor": 1200, "opensBefore": {"value": 30, "unit": "DAYS"}}
    for short, methods, tag in (
        ("MONEY", ["offline"], northside.ids.tags["BEG"]),
        ("UNTAGGED", ["credit"], None),
    ):
        drop_in = {**offer, "paymentMethods": methods}
        await northside.add_course(short, "2027-01-25T12:00", dropIn=drop_in, tag=tag)
    northside.clock.set(IN_JANUARY)
    await northside.give("Ana", "TEN")

    not_accepted = await northside.book("Ana", "MONEY", 1)
    without_tag = codes_of(await northside.book("Ana", "UNTAGGED", 1))

    assert codes_of(not_accepted) == ["PAYMENT_OPTION_NOT_ALLOWED"]
    assert not_accepted["userErrors"][0]["allowed"] == ["offline"]
    assert without_tag == ["NO_MATCHING_CREDIT", "TAG_MISMATCH"]


async def test_a_credit_is_worth_a_session_whatever_its_course_had_cost(
    northside: Studio,
) -> None:
    """G7: of a course for a penny it pays for a place at twelve pounds of the same tag."""
    northside.clock.set("2027-01-20T10:00")
    bundle = {"method": "NEW_BUNDLE", "bundle": northside.ids.bundles["RB-BEG"]}
    policy = {
        "notice": {"value": 1, "unit": "DAYS"},
        "refunds": [{"option": "COURSE", **bundle}],
    }
    await northside.add_course("CHEAP", "2027-01-25T12:00", priceMinor=1, autoRefund=policy)
    await northside.add_buyer("Eve", "CHEAP")
    northside.clock.set(IN_JANUARY)

    swapped = await northside.swap("Eve", ("CHEAP", 1), ("THU", 3))

    assert codes_of(swapped) == []
    assert (await northside.options("Ana", "THU", 3))["price"]["amountMinor"] == 1200
    assert await northside.attendees("THU", 3) == ["Ben", "Eve"]


async def test_of_a_session_that_runs_past_midnight_only_the_start_counts(
    northside: Studio,
) -> None:
    """X30: for the opening, the deadline, the end of a credit, and when it is too late."""
    day = {"value": 1, "unit": "DAYS"}
    bundle = {"method": "NEW_BUNDLE", "bundle": northside.ids.bundles["RB-BEG"]}
    await northside.add_course(
        "NIGHT",
        "2027-01-30T23:00",
        dropIn={"priceMinor": 1200, "opensBefore": day},
        autoRefund={"notice": day, "refunds": [{"option": "COURSE", **bundle}]},
    )
    await northside.change("NIGHT", 1, minutes=8 * 60)
    await northside.add_buyer("Eve", "NIGHT")
    await northside.add_bundle("EIGHT DAYS", 8, "BEG")
    northside.clock.set("2027-01-22T23:00:01")
    await northside.give("Ana", "EIGHT DAYS")  # until a second after the start

    shown = await northside.look_at("NIGHT", 1, "startsAt endsAt dropIn { opensAt }")
    deadline = (await northside.preview("Eve", "NIGHT", 1))["deadline"]
    northside.clock.set("2027-01-30T22:00")
    booked = codes_of(await northside.book("Ana", "NIGHT", 1))
    northside.clock.set("2027-01-31T01:00")
    asked = {"booking": await northside.booking("Eve", "NIGHT", 1)}
    too_late = await northside.codes("cancelBooking", asked, as_="Eve")

    assert shown == {
        "startsAt": "2027-01-30T23:00:00Z",
        "endsAt": "2027-01-31T07:00:00Z",
        "dropIn": {"opensAt": "2027-01-29T23:00:00Z"},
    }
    assert deadline == "2027-01-29T23:00:00Z"
    assert booked == []
    assert too_late == ["SESSION_STARTED"]
