"""Whether a course's refund policy is set up as people expect, and how to mend it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import pytest

from classbolt import Bundle, BundleId, CourseId, Period, Tx, Unit, find_courses, new_id
from classbolt.db import Caller
from classbolt_auto_refund import AutoRefund
from classbolt_auto_refund.policy import Method, RefundPolicy, Rule
from classbolt_auto_refund.setup import checks_of
from classbolt_schema.ids import decode
from studio import SOLD_ON, Studio

SWAP, OTHER = BundleId(new_id()), BundleId(new_id())
DAY = Period(1, Unit.DAYS)
FOR_BUYERS = {"COURSE": Rule(Method.NEW_BUNDLE, SWAP)}
FOR_DROP_INS = {"DROP_IN_CREDIT": Rule(Method.ORIGINAL, OTHER)}
ORDER = [
    "POLICY_SET",
    "COURSE_BUYERS_REFUNDED",
    "REFUND_BUNDLE_HAS_TAGS",
    "REFUND_BUNDLE_IN_USE",
]


def a_bundle(key: BundleId, name: str, archived_at: datetime | None = None) -> Bundle:
    return Bundle(key, name, 1, DAY, None, on_sale=False, archived_at=archived_at)


BUNDLES = {SWAP: a_bundle(SWAP, "Swap"), OTHER: a_bundle(OTHER, "Other")}
ARCHIVED = {**BUNDLES, OTHER: a_bundle(OTHER, "Other", SOLD_ON)}
BOTH = {SWAP, OTHER}


@pytest.mark.parametrize(
    ("rules", "tagged", "bundles", "failed"),
    [
        pytest.param(None, BOTH, BUNDLES, "POLICY_SET", id="no policy"),
        pytest.param(FOR_DROP_INS, BOTH, BUNDLES, "COURSE_BUYERS_REFUNDED", id="drop-ins only"),
        pytest.param(FOR_BUYERS, {OTHER}, BUNDLES, "REFUND_BUNDLE_HAS_TAGS", id="no tag"),
        pytest.param(
            FOR_BUYERS | FOR_DROP_INS,
            {SWAP},
            BUNDLES,
            "REFUND_BUNDLE_HAS_TAGS",
            id="no tag where the original is dead",
        ),
        pytest.param(
            FOR_BUYERS | FOR_DROP_INS, BOTH, ARCHIVED, "REFUND_BUNDLE_IN_USE", id="archived"
        ),
        pytest.param(
            FOR_BUYERS, {SWAP}, ARCHIVED, None, id="what it does not issue is no matter"
        ),
        pytest.param(FOR_BUYERS | FOR_DROP_INS, BOTH, BUNDLES, None, id="all is well"),
    ],
)
def test_a_policy_is_checked_up_to_the_first_thing_to_mend(
    rules: dict[str, Rule] | None,
    tagged: Collection[BundleId],
    bundles: dict[BundleId, Bundle],
    failed: str | None,
) -> None:
    """X15: that a bundle is archived is a warning; it goes on being issued."""
    checks = checks_of(None if rules is None else RefundPolicy(DAY, rules), bundles, tagged)

    last = ORDER.index(failed) + 1 if failed else len(ORDER)
    assert [check.code for check in checks] == ORDER[:last]
    assert [check.code for check in checks if not check.passed] == ([failed] if failed else [])


def test_the_bundles_to_look_at_are_named() -> None:
    policy = RefundPolicy(DAY, FOR_BUYERS | FOR_DROP_INS)

    untagged = checks_of(policy, BUNDLES, set())[-1]
    archived = checks_of(policy, ARCHIVED, BOTH)[-1]

    assert untagged.message == "Refund bundles without a tag pay for nothing: Swap, Other."
    assert archived.message == "Refund bundles that are archived go on being issued: Other."


async def test_what_courses_are_checked_by_is_read_for_all_of_them_at_once(
    northside: Studio,
) -> None:
    """One has no policy, one issues bundles that are archived, one leaves buyers out."""
    ids = northside.ids
    refunds = [{"option": "DROP_IN_CREDIT", "method": "ORIGINAL"}]
    for_drop_ins = {"notice": {"value": 1, "unit": "DAYS"}, "refunds": refunds}
    await northside.change_course("MON", autoRefund=None)
    await northside.change_course("SAT", autoRefund=for_drop_ins)
    await northside.do("archiveBundle", {"bundle": ids.bundles["RB-ADV"]}, as_="owner")

    async def failed(tx: Tx, *courses: str) -> list[list[str]]:
        keys = [CourseId(decode("Course", ids.courses[course])) for course in courses]
        found = await find_courses(tx, keys)
        checks = await AutoRefund().setup_checks(tx, [found[key] for key in keys], SOLD_ON)
        return [[each.code for each in some if not each.passed] for some in checks]

    async with northside.database.read(Caller(northside.slug)) as tx:
        async with northside.counting() as for_one:
            assert await failed(tx, "THU") == [[]]
        async with northside.counting() as for_all:
            found = await failed(tx, "MON", "WED", "THU", "SAT")

    assert found == [
        ["POLICY_SET"],
        ["REFUND_BUNDLE_IN_USE"],
        [],
        ["COURSE_BUYERS_REFUNDED"],
    ]
    assert len(for_one) == len(for_all) == 4  # courses, policies, bundles, tags
