"""Staff cancel for customers: by policy, for nothing, or out of goodwill with a reason."""

from __future__ import annotations

from typing import Any

import pytest

from studio import Studio, codes_of

LATE = "2027-01-28T12:00"
"""Seven hours before THU 28 Jan begins."""
KEPT = "by choice note refund { outcome reason { code } customerBundle { bundle { name } } }"


async def kept(studio: Studio, booking: str) -> dict[str, Any]:
    """Read what was kept of a cancellation."""
    document = f"""query ($id: ID!) {{
      node(id: $id) {{ ... on Booking {{ cancellation {{ {KEPT} }} }} }}
    }}"""
    found = await studio.query(document, id=booking, as_="owner")
    return dict(found["node"]["cancellation"])


async def test_staff_apply_the_policy_or_goodwill_or_nothing(northside: Studio) -> None:
    """S19, B6: Ben in time by policy; Kim late, first by policy, then goodwill; Lou nothing."""
    for name in ("Kim", "Max", "Lou"):
        await northside.add_buyer(name, "THU")
    northside.clock.set("2027-01-26T12:00")
    ben = await northside.cancel("Ben", "THU", 3, by="staff")
    lou = await northside.cancel("Lou", "THU", 3, by="staff", refund="NONE")
    northside.clock.set(LATE)
    kim = await northside.cancel("Kim", "THU", 3, by="staff")
    goodwill = {"refund": "GOODWILL", "reason": "A broken leg"}
    max_ = await northside.cancel("Max", "THU", 3, by="staff", **goodwill)

    outcomes = [each["cancellation"]["refund"] for each in (ben, lou, kim, max_)]
    assert [each["outcome"] for each in outcomes] == [
        "NEW_BUNDLE",
        "NONE",
        "NONE",
        "NEW_BUNDLE",
    ]
    assert outcomes[1]["reason"] == {"code": "REFUND_DECLINED"}
    assert outcomes[2]["reason"] == {"code": "NOTICE_TOO_SHORT"}
    assert await northside.holdings("Max") == [("RB-BEG", 1, "2027-02-27T12:00:00Z", "ISSUE")]
    assert await kept(northside, max_["booking"]["id"]) == {
        "by": "STAFF",
        "choice": "GOODWILL",
        "note": "A broken leg",
        "refund": {
            "outcome": "NEW_BUNDLE",
            "reason": None,
            "customerBundle": {"bundle": {"name": "Swap, beginners"}},
        },
    }


async def test_goodwill_can_name_the_bundle_whatever_the_rules_say(northside: Studio) -> None:
    """B6, I4: also where no bolt-on gives refunds, and for a place that was never paid."""
    await northside.switch("auto_refund", on=False)
    await northside.add_customer("Eve")
    await northside.book_course("Eve", "MON")
    northside.clock.set("2027-01-20T10:00")
    wish = {"refund": "GOODWILL", "reason": "Our mistake"}

    cancelled = await northside.cancel(
        "Eve", "MON", 3, by="staff", bundle=northside.ids.bundles["TEN"], **wish
    )

    assert cancelled["cancellation"]["refund"]["outcome"] == "NEW_BUNDLE"
    assert await northside.holdings("Eve") == [("TEN", 10, "2027-04-20T09:00:00Z", "ISSUE")]


async def test_goodwill_without_a_bundle_needs_rules_that_know_one(northside: Studio) -> None:
    """B6: staff are told why, and the booking stands until they name a bundle."""
    await northside.change_course("MON", autoRefund=None)
    northside.clock.set("2027-01-20T10:00")
    asked = {
        "booking": await northside.booking("Ana", "MON", 3),
        "refund": "GOODWILL",
        "reason": "A broken leg",
    }

    refused = await northside.mutate("cancelBooking", asked, as_="staff")

    assert codes_of(refused) == ["NO_POLICY"]
    assert refused["userErrors"][0]["path"] == ["input", "refund"]
    assert await northside.places("Ana", "MON") == [1, 2, 3, 4, 5, 6]


async def test_only_goodwill_refunds_what_has_begun(northside: Studio) -> None:
    """X6: for thirty days after the start; a policy without notice gives nothing by itself."""
    policy = {
        "notice": {"value": 0, "unit": "HOURS"},
        "refunds": [
            {
                "option": "COURSE",
                "method": "NEW_BUNDLE",
                "bundle": northside.ids.bundles["RB-BEG"],
            }
        ],
    }
    await northside.change_course("MON", autoRefund=policy)
    northside.clock.set("2027-01-25T18:30")
    by_policy = await northside.cancel("Ana", "MON", 3, by="staff")
    northside.clock.set("2027-02-17T18:29")
    goodwill = {"refund": "GOODWILL", "reason": "She was not there"}
    kind = await northside.cancel("Ana", "MON", 2, by="staff", **goodwill)
    northside.clock.set("2027-02-17T18:30")
    late = {"booking": await northside.booking("Ana", "MON", 2)}

    assert by_policy["cancellation"]["refund"]["reason"] == {"code": "SESSION_STARTED"}
    assert kind["cancellation"]["refund"]["outcome"] == "NEW_BUNDLE"
    assert (await northside.do("cancelBooking", late, "alreadyCancelled", as_="staff"))[
        "alreadyCancelled"
    ]
    first = {"booking": await northside.booking("Ana", "MON", 1), **goodwill}
    assert await northside.codes("cancelBooking", first, as_="staff") == ["SESSION_STARTED"]


async def test_a_credit_goes_back_out_of_goodwill(northside: Studio) -> None:
    """B6, C: what would have gone back in time goes back to the same bundle."""
    northside.clock.set("2027-01-22T09:00")
    await northside.give("Ana", "TEN")
    await northside.book("Ana", "THU", 3)
    northside.clock.set(LATE)

    kind = {"refund": "GOODWILL", "reason": "A broken leg"}
    cancelled = await northside.cancel("Ana", "THU", 3, by="staff", **kind)

    assert cancelled["cancellation"]["refund"]["outcome"] == "CREDIT_BACK"
    ((name, balance, _, ledger),) = await northside.holdings("Ana")
    assert (name, balance, ledger) == ("TEN", 10, "ISSUE SPEND CREDIT_BACK")


@pytest.mark.parametrize(
    ("wish", "codes", "path"),
    [
        ({"refund": "GOODWILL"}, ["INVALID_INPUT"], "reason"),
        ({"refund": "GOODWILL", "reason": "  "}, ["INVALID_INPUT"], "reason"),
        ({"refund": "NONE", "reason": "x" * 501}, ["INVALID_INPUT"], "reason"),
        ({"refund": "NONE", "bundle": "RB-BEG"}, ["INVALID_INPUT"], "bundle"),
        ({"bundle": "RB-BEG"}, ["INVALID_INPUT"], "bundle"),
    ],
)
async def test_a_wish_that_makes_no_sense_is_refused(
    northside: Studio, wish: dict[str, str], codes: list[str], path: str
) -> None:
    """B6: goodwill needs a reason, and a bundle needs goodwill."""
    northside.clock.set("2027-01-20T10:00")
    if "bundle" in wish:
        wish = {**wish, "bundle": northside.ids.bundles[wish["bundle"]]}
    asked = {"booking": await northside.booking("Ana", "MON", 3), **wish}

    refused = await northside.mutate("cancelBooking", asked, as_="staff")

    assert codes_of(refused) == codes
    assert refused["userErrors"][0]["path"] == ["input", path]
    assert await northside.places("Ana", "MON") == [1, 2, 3, 4, 5, 6]


async def test_an_archived_bundle_is_given_to_nobody(northside: Studio) -> None:
    """X15: only policies go on issuing it."""
    bundle = northside.ids.bundles["RB-BEG"]
    await northside.do("archiveBundle", {"bundle": bundle}, as_="owner")
    northside.clock.set("2027-01-20T10:00")
    wish = {"refund": "GOODWILL", "reason": "Ill", "bundle": bundle}
    asked = {"booking": await northside.booking("Ana", "MON", 3), **wish}

    assert await northside.codes("cancelBooking", asked, as_="staff") == ["INVALID_INPUT"]


async def test_customers_show_themselves_no_goodwill(northside: Studio) -> None:
    """B5, B6: for them the policy applies, and nothing else."""
    northside.clock.set(LATE)
    asked = {
        "booking": await northside.booking("Ben", "THU", 3),
        "refund": "GOODWILL",
        "reason": "I want it",
    }

    assert await northside.codes("cancelBooking", asked, as_="Ben") == ["FORBIDDEN"]
    assert await northside.places("Ben", "THU") == [1, 2, 3, 4, 5, 6]
