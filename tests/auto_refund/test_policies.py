"""Policies over the API: set with a course, replaced, taken away, checked when they are set."""

from __future__ import annotations

from typing import Any

import pytest

from studio import Studio, open_studio

DAY = {"value": 24, "unit": "HOURS"}
POLICY = "{ notice { value unit } refunds { option method bundle { name } } }"
OPTIONS = "validityAnchor maxRefundsPerCourseBooking minDaysAfterCreditBack refundFreeBookings"
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
    """A3, A4, A8, A11: it is given with the course, and what it issues is a draft."""
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


async def test_what_a_policy_says_besides_is_kept_and_replaced_with_it(
    opened: Studio,
) -> None:
    """A12, X12: whoever leaves it out goes without it."""
    plain = policy(rule("COURSE", opened.ids.bundles["Swap"]))
    chosen = {
        "validityAnchor": "COURSE_END",
        "maxRefundsPerCourseBooking": 2,
        "minDaysAfterCreditBack": 14,
        "refundFreeBookings": True,
    }
    course = (await add_course(opened, "Beginners"))["id"]

    shown = []
    for given in (plain, {"autoRefund": {**plain["autoRefund"], **chosen}}, plain):
        fields = f"course {{ refundPolicy {{ {OPTIONS} }} }}"
        asked = {"course": course, **given}
        changed = await opened.do("updateCourse", asked, fields, as_="owner")
        shown.append(changed["course"]["refundPolicy"])

    nothing = {
        "validityAnchor": "ISSUED_AT",
        "maxRefundsPerCourseBooking": None,
        "minDaysAfterCreditBack": 0,
        "refundFreeBookings": False,
    }
    assert shown == [nothing, chosen, nothing]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("maxRefundsPerCourseBooking", 0),
        ("maxRefundsPerCourseBooking", 1001),
        ("minDaysAfterCreditBack", -1),
        ("minDaysAfterCreditBack", 367),
    ],
)
async def test_what_cannot_be_counted_to_is_refused(
    opened: Studio, option: str, value: int
) -> None:
    """A12: a cap of none would be a policy without those who bought the course."""
    made = await add_course(opened, "Beginners")
    given = policy(rule("COURSE", opened.ids.bundles["Swap"]))["autoRefund"]
    asked = {"course": made["id"], "autoRefund": {**given, option: value}}

    refused = await opened.mutate("updateCourse", asked, as_="owner")

    assert [(each["code"], each["path"]) for each in refused["userErrors"]] == [
        ("INVALID_INPUT", ["input", "autoRefund", option])
    ]


async def test_a_course_has_no_policy_until_one_is_set(opened: Studio) -> None:
    """A3: when the course is made, or later."""
    made = await add_course(opened, "Beginners")

    assert made["refundPolicy"] is None
    assert (await add_course(opened, "Advanced", autoRefund=None))["refundPolicy"] is None
    changed = await update(
        opened, made["id"], **policy(rule("DROP_IN_CREDIT", method="ORIGINAL"))
    )
    assert changed is not None


async def test_a_session_has_no_policy_of_its_own(opened: Studio) -> None:
    """A2: there is no place to give it one."""
    swap = opened.ids.bundles["Swap"]
    course = (await add_course(opened, "Beginners"))["id"]
    session = {
        "startsAt": "2027-03-01T18:30:00Z",
        "capacity": 5,
        **policy(rule("COURSE", swap)),
    }
    document = "mutation ($it: AddSessionsInput!) { addSessions(input: $it) {"
    document += " sessions { id } userErrors { code } } }"

    refused = await opened.ask(
        document, {"it": {"course": course, "sessions": [session]}}, as_="owner"
    )
    del session["autoRefund"]
    added = await opened.ask(
        document, {"it": {"course": course, "sessions": [session]}}, as_="owner"
    )

    assert refused.error_codes == ["BAD_USER_INPUT"]
    assert added.data["addSessions"]["userErrors"] == []


async def test_a_policy_that_cannot_work_is_refused_and_the_old_one_kept(
    opened: Studio,
) -> None:
    """A4, A6, A8, A10: each for its own reason."""
    swap, ten = opened.ids.bundles["Swap"], await add_bundle(opened, "Ten classes", 10)
    made = await add_course(opened, "Beginners", **policy(rule("COURSE", swap)))
    other = await open_studio(
        "southside", opened.client, opened.settings, opened.database, opened.clock
    )
    foreign = await add_bundle(other, "Theirs")
    invalid, refunds = "INVALID_INPUT", ["input", "autoRefund", "refunds"]
    notice = ["input", "autoRefund", "notice", "value"]
    months = {"value": 1, "unit": "MONTHS"}
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
        (policy(rule("COURSE", swap), notice=months), invalid, [*notice[:-1], "unit"]),
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
