"""Policies over the API: set with a course, replaced, taken away, checked when they are set."""

from __future__ import annotations

from typing import Any

import pytest

from studio import Studio, open_studio

DAY = {"value": 24, "unit": "HOURS"}
POLICY = "{ notice { value unit } refunds { option method bundle { name } } }"
COURSE = f"course {{ id refundPolicy {POLICY} }}"


async def add_bundle(studio: Studio, name: str, credits: int = 1) -> str:
    validity = {"value": 30, "unit": "DAYS"}
    asked = {"name": name, "credits": credits, "validity": validity}
    made = await studio.do("createBundle", asked, "bundle { id }", as_="owner")
    return str(made["bundle"]["id"])


async def add_course(studio: Studio, title: str, **given: Any) -> dict[str, Any]:
    asked = {"title": title, "priceMinor": 6000, **given}
    made = await studio.do("createCourse", asked, COURSE, as_="owner")
    return dict(made["course"])


def rule(option: str, bundle: str | None = None, method: str = "NEW_BUNDLE") -> dict[str, Any]:
    return {"option": option, "method": method, "bundle": bundle}


def policy(*refunds: dict[str, Any], notice: dict[str, Any] = DAY) -> dict[str, Any]:
    return {"autoRefund": {"notice": notice, "refunds": list(refunds)}}


@pytest.fixture
async def opened(studio: Studio) -> Studio:
    """An account with auto-refund on and one bundle to issue."""
    await studio.switch("auto_refund", on=True)
    studio.ids.bundles["Swap"] = await add_bundle(studio, "Swap")
    return studio


async def update(studio: Studio, course: str, **given: Any) -> dict[str, Any] | None:
    asked = {"course": course, **given}
    changed = await studio.do("updateCourse", asked, COURSE, as_="owner")
    found: dict[str, Any] | None = changed["course"]["refundPolicy"]
    return found


async def test_a_policy_is_set_replaced_kept_and_taken_away(opened: Studio) -> None:
    swap = opened.ids.bundles["Swap"]
    first: dict[str, Any] = {
        "notice": DAY,
        "refunds": [
            {"option": "COURSE", "method": "NEW_BUNDLE", "bundle": {"name": "Swap"}},
            {"option": "DROP_IN_CREDIT", "method": "ORIGINAL", "bundle": None},
        ],
    }
    two_days = {"value": 2, "unit": "DAYS"}

    made = await add_course(
        opened,
        "Beginners",
        **policy(rule("DROP_IN_CREDIT", method="ORIGINAL"), rule("COURSE", swap)),
    )

    assert made["refundPolicy"] == first
    course = made["id"]
    assert await update(opened, course, title="Beginners, Mondays") == first
    assert await update(opened, course, **policy(rule("COURSE", swap), notice=two_days)) == {
        "notice": two_days,
        "refunds": first["refunds"][:1],
    }
    assert await update(opened, course, autoRefund=None) is None
    assert await update(opened, course, title="Beginners") is None


async def test_a_course_has_no_policy_until_one_is_set(opened: Studio) -> None:
    made = await add_course(opened, "Beginners")

    assert made["refundPolicy"] is None
    assert (await add_course(opened, "Advanced", autoRefund=None))["refundPolicy"] is None
    changed = await update(
        opened, made["id"], **policy(rule("DROP_IN_CREDIT", method="ORIGINAL"))
    )
    assert changed is not None


async def test_a_policy_that_cannot_work_is_refused_and_the_old_one_kept(
    opened: Studio,
) -> None:
    swap, ten = opened.ids.bundles["Swap"], await add_bundle(opened, "Ten classes", 10)
    made = await add_course(opened, "Beginners", **policy(rule("COURSE", swap)))
    other = await open_studio(
        "southside", opened.client, opened.settings, opened.database, opened.clock
    )
    foreign = await add_bundle(other, "Theirs")
    invalid, refunds = "INVALID_INPUT", ["input", "autoRefund", "refunds"]
    notice = ["input", "autoRefund", "notice", "value"]
    wrong: list[tuple[dict[str, Any], str, list[str]]] = [
        (policy(), invalid, refunds),
        (policy(rule("MEMBERSHIP", swap)), invalid, refunds),
        (policy(rule("COURSE", swap), rule("COURSE", swap)), invalid, refunds),
        (policy(rule("COURSE", method="ORIGINAL")), invalid, refunds),
        (policy(rule("DROP_IN_OFFLINE", swap, "ORIGINAL")), invalid, refunds),
        (policy(rule("COURSE")), invalid, refunds),
        (policy(rule("COURSE", "nonsense")), "NOT_FOUND", refunds),
        (policy(rule("COURSE", made["id"])), "NOT_FOUND", refunds),
        (policy(rule("COURSE", foreign)), "NOT_FOUND", refunds),
        (policy(rule("COURSE", ten)), "REFUND_BUNDLE_INVALID", refunds),
        (policy(rule("DROP_IN_CREDIT", ten, "ORIGINAL")), "REFUND_BUNDLE_INVALID", refunds),
        (policy(rule("COURSE", swap), notice={"value": -1, "unit": "DAYS"}), invalid, notice),
        (policy(rule("COURSE", swap), notice={"value": 61, "unit": "MONTHS"}), invalid, notice),
    ]

    for given, code, path in wrong:
        asked = {"course": made["id"], "title": "Changed", **given}
        refused = await opened.mutate("updateCourse", asked, as_="owner")

        assert [(each["code"], each["path"]) for each in refused["userErrors"]] == [
            (code, path)
        ], given
    shown = await opened.query(
        f"query ($id: ID!) {{ course(id: $id) {{ title refundPolicy {POLICY} }} }}",
        id=made["id"],
    )
    assert shown["course"] == {"title": "Beginners", "refundPolicy": made["refundPolicy"]}


async def test_a_bundle_tells_which_courses_issue_it(opened: Studio) -> None:
    """A9: also where it only stands in for an original that has expired."""
    swap, unused = opened.ids.bundles["Swap"], await add_bundle(opened, "Unused")
    issuing = await add_course(opened, "Beginners", **policy(rule("COURSE", swap)))
    await add_course(
        opened,
        "Advanced",
        **policy(rule("DROP_IN_CREDIT", swap, "ORIGINAL"), rule("DROP_IN_OFFLINE", swap)),
    )
    await add_course(opened, "Children", **policy(rule("DROP_IN_CREDIT", None, "ORIGINAL")))

    async def used() -> dict[str, list[str]]:
        found = await opened.query(
            "{ bundles { edges { node { name usedForAutoRefund { title } } } } }", as_="owner"
        )
        nodes = [edge["node"] for edge in found["bundles"]["edges"]]
        return {
            node["name"]: sorted(each["title"] for each in node["usedForAutoRefund"])
            for node in nodes
        }

    assert await used() == {"Swap": ["Advanced", "Beginners"], "Unused": []}
    await update(opened, issuing["id"], autoRefund=None)
    await update(opened, issuing["id"], **policy(rule("COURSE", unused)))
    assert await used() == {"Swap": ["Advanced"], "Unused": ["Beginners"]}
