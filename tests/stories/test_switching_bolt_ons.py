"""Bolt-ons switched off and on: behaviour is suspended, nothing is lost (S15, I3-I6)."""

from __future__ import annotations

from typing import Any

import pytest

from studio import Studio, codes_of

OFFER = {"priceMinor": 1200, "opensBefore": {"value": 7, "unit": "DAYS"}}


async def test_without_auto_refund_cancelling_gives_nothing(northside: Studio) -> None:
    """S15, A1, I3, I4, X18: credits of before are spent; nothing is made up for afterwards."""
    northside.clock.set("2027-01-15T10:00")
    await northside.cancel("Ana", "MON", 2)
    northside.clock.set("2027-01-19T10:00")
    await northside.switch("auto_refund", on=False)

    northside.clock.set("2027-01-20T10:00")
    off = await northside.cancel("Ana", "MON", 3)
    assert off["booking"]["status"] == "CANCELLED"
    assert off["cancellation"]["refund"]["outcome"] == "NONE"
    assert off["cancellation"]["refund"]["reason"] == {"code": "BOLT_ON_OFF"}
    assert off["cancellation"]["autoRefund"] is None
    assert await northside.seats_left("MON", 3) == 10
    assert await northside.holdings("Ana") == [("RB-BEG", 1, "2027-02-14T10:00:00Z", "ISSUE")]

    northside.clock.set("2027-01-22T09:00")
    assert codes_of(await northside.book("Ana", "THU", 3)) == []

    northside.clock.set("2027-01-23T10:00")
    await northside.switch("auto_refund", on=True)
    northside.clock.set("2027-01-25T10:00")
    on = await northside.cancel("Ana", "MON", 4)
    again = await northside.cancel("Ana", "MON", 3)
    assert on["cancellation"]["refund"]["outcome"] == "NEW_BUNDLE"
    assert again["alreadyCancelled"] is True
    assert again["cancellation"]["refund"] == off["cancellation"]["refund"]
    assert await northside.holdings("Ana") == [
        ("RB-BEG", 0, "2027-02-14T10:00:00Z", "ISSUE SPEND"),
        ("RB-BEG", 1, "2027-02-24T10:00:00Z", "ISSUE"),
    ]


async def test_without_auto_refund_a_session_is_called_off_without_refunds(
    northside: Studio,
) -> None:
    """I4, X13: nobody decides, so nothing is given."""
    await northside.switch("auto_refund", on=False)

    called_off = await northside.call_off("SAT", 3)

    (ended,) = called_off["cancellations"]
    assert ended["refund"]["reason"] == {"code": "BOLT_ON_OFF"}
    assert await northside.holdings("Hal") == []


async def test_without_auto_refund_policies_are_hidden_and_kept(northside: Studio) -> None:
    """I3, I4: on again, everything is as it was."""
    northside.clock.set("2027-01-20T10:00")
    await northside.cancel("Ana", "MON", 3)
    before = await _policies(northside)
    await northside.switch("auto_refund", on=False)

    off = await _policies(northside)
    await northside.switch("auto_refund", on=True)

    assert off == {"refundPolicy": None, "usedForAutoRefund": [], "autoRefund": None}
    assert before["refundPolicy"]["notice"] == {"value": 24, "unit": "HOURS"}
    assert len(before["usedForAutoRefund"]) == 3
    assert before["autoRefund"] == {"deadline": "2027-01-24T18:30:00Z"}
    assert await _policies(northside) == before


@pytest.mark.parametrize(
    "policy", [None, {"notice": {"value": 1, "unit": "HOURS"}, "refunds": []}]
)
async def test_without_auto_refund_no_policy_can_be_set(
    northside: Studio, policy: dict[str, Any] | None
) -> None:
    """I4: it is refused, never ignored, and nothing else of the request is done."""
    before = await _policies(northside)
    await northside.switch("auto_refund", on=False)
    changes = {"course": northside.ids.courses["MON"], "title": "Renamed", "autoRefund": policy}
    new = {"title": "New", "priceMinor": 6000, "autoRefund": policy}

    changed = await northside.mutate("updateCourse", changes, as_="owner")
    created = await northside.mutate("createCourse", new, as_="owner")

    for refused in (changed, created):
        assert codes_of(refused) == ["BOLT_ON_DISABLED"]
        assert refused["userErrors"][0]["boltOn"] == "auto_refund"
        assert refused["userErrors"][0]["path"] == ["input", "autoRefund"]
    assert not {"Renamed", "New"} & set(await _titles(northside))
    await northside.switch("auto_refund", on=True)
    assert await _policies(northside) == before


async def test_without_drop_in_no_session_is_booked_on_its_own(northside: Studio) -> None:
    """I5: neither with money nor with a credit, which is kept for later (X19)."""
    northside.clock.set("2027-01-22T09:00")
    held = await northside.give("Ana", "RB-BEG")
    await northside.switch("drop_in", on=False)

    with_money = codes_of(await northside.book("Ana", "SAT", 2, {"offline": True}))
    with_best = await northside.book("Ana", "THU", 3)
    with_named = await northside.book("Ana", "THU", 3, {"credit": {"customerBundle": held}})
    kept = await northside.holdings("Ana")
    await northside.switch("drop_in", on=True)
    on_again = codes_of(await northside.book("Ana", "THU", 3))

    assert with_money == ["NO_WAY_TO_BOOK"]
    for refused in (with_best, with_named):
        assert codes_of(refused) == ["BOLT_ON_DISABLED"]
        assert refused["userErrors"][0]["boltOn"] == "drop_in"
        assert refused["userErrors"][0]["path"] == ["input", "payWith", "credit"]
    assert kept == [("RB-BEG", 1, "2027-02-21T09:00:00Z", "ISSUE")]
    assert on_again == []


async def test_without_drop_in_offers_are_hidden_and_kept(northside: Studio) -> None:
    """I3, I5: on again, everything is as it was."""
    northside.clock.set("2027-01-22T09:00")
    before = await _offers(northside)
    await northside.switch("drop_in", on=False)

    off = await _offers(northside)
    await northside.switch("drop_in", on=True)

    assert off == {"session": {"dropIn": None}, "openDropIns": None, "options": _no_way()}
    assert before["session"]["dropIn"]["price"] == {"amountMinor": 1200}
    assert len(before["openDropIns"]["edges"]) == 3
    assert before["options"]["way"] == "drop_in"
    assert await _offers(northside) == before


@pytest.mark.parametrize("offer", [None, OFFER], ids=["null", "an offer"])
async def test_without_drop_in_no_offer_can_be_set(
    northside: Studio, offer: dict[str, Any] | None
) -> None:
    """I5: wherever it stands in the input, be it only to take it away."""
    northside.clock.set("2027-01-22T09:00")
    before = await _offers(northside)
    await northside.switch("drop_in", on=False)
    course = {"course": northside.ids.courses["THU"]}
    session = {"startsAt": "2027-03-01T19:00:00Z", "capacity": 5, "dropIn": offer}
    asked: dict[str, dict[str, Any]] = {
        "updateSession": {
            "session": northside.session("THU", 3),
            "capacity": 5,
            "dropIn": offer,
        },
        "updateSessions": {**course, "capacity": 5, "dropIn": offer},
        "addSessions": {**course, "sessions": [session]},
        "createCourse": {"title": "New", "priceMinor": 0, "sessions": [session]},
    }

    refused = {
        name: await northside.mutate(name, each, as_="owner") for name, each in asked.items()
    }

    in_list = ["input", "sessions", "0", "dropIn"]
    paths = {name: each["userErrors"][0]["path"] for name, each in refused.items()}
    assert {tuple(codes_of(each)) for each in refused.values()} == {("BOLT_ON_DISABLED",)}
    assert paths == {
        "updateSession": ["input", "dropIn"],
        "updateSessions": ["input", "dropIn"],
        "addSessions": in_list,
        "createCourse": in_list,
    }
    await northside.switch("drop_in", on=True)
    assert await _offers(northside) == before
    assert await northside.seats_left("THU", 3) == 9
    assert "New" not in await _titles(northside)


async def test_without_drop_in_a_drop_in_keeps_its_place_and_its_refund(
    northside: Studio,
) -> None:
    """I5: it stays on the list, and is refunded by the policy as long as that is on."""
    northside.clock.set("2027-01-22T09:00")
    await northside.give("Ana", "RB-BEG")
    await northside.book("Ana", "THU", 3)
    await northside.switch("drop_in", on=False)
    attendees = await northside.attendees("THU", 3)

    cancelled = await northside.cancel("Ana", "THU", 3)

    assert attendees == ["Ben", "Ana"]
    assert cancelled["cancellation"]["refund"]["outcome"] == "CREDIT_BACK"
    assert await northside.holdings("Ana") == [
        ("RB-BEG", 1, "2027-02-21T09:00:00Z", "ISSUE SPEND CREDIT_BACK")
    ]


async def test_with_both_off_a_course_is_booked_and_cancelled_all_the_same(
    northside: Studio,
) -> None:
    """The core needs no bolt-on."""
    await northside.switch("auto_refund", on=False)
    await northside.switch("drop_in", on=False)
    await northside.add_buyer("Eve", "SAT")
    northside.clock.set("2027-01-20T10:00")

    cancelled = await northside.cancel("Eve", "SAT", 3)

    assert cancelled["cancellation"]["refund"]["reason"] == {"code": "BOLT_ON_OFF"}
    assert await northside.places("Eve", "SAT") == [1, 2, 4, 5, 6]


async def test_switching_is_for_owners_and_leaves_a_line_of_history(northside: Studio) -> None:
    """I1: what is as it should be already leaves none."""
    asked = {"boltOn": "drop_in"}
    refused = [
        await northside.codes("disableBoltOn", asked, as_=name) for name in ("manager", "Ana")
    ]
    northside.clock.set("2027-01-05T12:00")
    for _ in range(2):
        await northside.switch("drop_in", on=False)

    found = await northside.query(
        "{ boltOns { code enabled } boltOnChanges { code enabled by changedAt } }", as_="owner"
    )

    assert refused == [["FORBIDDEN"], ["FORBIDDEN"]]
    assert {each["code"]: each["enabled"] for each in found["boltOns"]} == {
        "auto_refund": True,
        "drop_in": False,
    }
    latest = {"code": "drop_in", "enabled": False, "by": "STAFF"}
    assert found["boltOnChanges"][0] == {**latest, "changedAt": "2027-01-05T12:00:00Z"}
    assert len(found["boltOnChanges"]) == 3


async def _policies(studio: Studio) -> dict[str, Any]:
    """Show everything that auto-refund adds to what is there already."""
    found = await studio.query(
        "query ($course: ID!, $bundle: ID!) { course(id: $course) { refundPolicy {"
        " notice { value unit } refunds { option method bundle { id } } } }"
        " node(id: $bundle) { ... on Bundle { usedForAutoRefund { id } } } }",
        course=studio.ids.courses["MON"],
        bundle=studio.ids.bundles["RB-BEG"],
        as_="owner",
    )
    bookings = await studio.query(
        "{ me { bookings { edges { node { cancellation { autoRefund { deadline } } } } } } }",
        as_="Ana",
    )
    nodes = [edge["node"]["cancellation"] for edge in bookings["me"]["bookings"]["edges"]]
    decided = next((each for each in nodes if each), {"autoRefund": None})
    return {**found["course"], **found["node"], **decided}


async def _offers(studio: Studio) -> dict[str, Any]:
    """Show everything that drop-in adds."""
    found = await studio.query(
        "query ($id: ID!) { session(id: $id) { dropIn {"
        " price { amountMinor } opensBefore { value unit } opensAt isOpen paymentMethods } }"
        " openDropIns { edges { node { id } } }"
        " options: bookingOptions(session: $id) { way opensAt price { amountMinor }"
        " paymentOptions { method } userErrors { code } } }",
        id=studio.session("THU", 3),
    )
    return dict(found)


def _no_way() -> dict[str, Any]:
    return {
        "way": None,
        "opensAt": None,
        "price": None,
        "paymentOptions": [],
        "userErrors": [{"code": "NO_WAY_TO_BOOK"}],
    }


async def _titles(studio: Studio) -> list[str]:
    found = await studio.query("{ courses(first: 100) { edges { node { title } } } }")
    return [edge["node"]["title"] for edge in found["courses"]["edges"]]
