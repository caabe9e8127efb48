"""Refund policies of courses: read, written, and checked when they are set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import bindparam, delete, select

from classbolt import (
    Bundle,
    BundleId,
    CourseId,
    InvalidInput,
    NotFound,
    Period,
    Refusal,
    Tx,
    Unit,
    check_period,
    find_bundles,
    mine,
)
from classbolt_auto_refund.policy import OPTIONS, Method, RefundPolicy, Rule
from classbolt_auto_refund.tables import policies, rules

PLACE = "autoRefund"
"""Where in the input of a course a policy stands."""


class RefundBundleInvalid(Refusal):
    """A refund bundle must hold exactly one credit (A10)."""

    code = "REFUND_BUNDLE_INVALID"

    def __init__(self) -> None:
        super().__init__("A refund bundle must hold exactly one credit.")


POLICIES = (
    select(
        policies.c.course_id,
        policies.c.notice_value,
        policies.c.notice_unit,
        rules.c.option,
        rules.c.method,
        rules.c.bundle_id,
    )
    .join(
        rules,
        (rules.c.account_id == policies.c.account_id)
        & (rules.c.course_id == policies.c.course_id),
    )
    .where(mine(policies), policies.c.course_id.in_(bindparam("ids", expanding=True)))
)
COURSES_USING = (
    select(rules.c.bundle_id, rules.c.course_id)
    .where(mine(rules), rules.c.bundle_id.in_(bindparam("ids", expanding=True)))
    .distinct()
)
DELETE_RULES = delete(rules).where(mine(rules), rules.c.course_id == bindparam("course"))
DELETE_POLICY = delete(policies).where(
    mine(policies), policies.c.course_id == bindparam("course")
)


async def find_policies(
    tx: Tx,
    course_ids: Collection[CourseId],
) -> Mapping[CourseId, RefundPolicy]:
    """Find the policies of courses."""
    notices: dict[CourseId, Period] = {}
    found: dict[CourseId, dict[str, Rule]] = defaultdict(dict)
    for row in await tx.all(POLICIES, {"ids": list(course_ids)}):
        notices[row.course_id] = Period(row.notice_value, Unit(row.notice_unit))
        found[row.course_id][row.option] = Rule(Method(row.method), row.bundle_id)
    return {
        course_id: RefundPolicy(notices[course_id], found[course_id]) for course_id in found
    }


async def bundles_of(tx: Tx, found: Collection[RefundPolicy]) -> Mapping[BundleId, Bundle]:
    """Find the bundles that policies name."""
    ids = {
        rule.bundle_id for policy in found for rule in policy.rules.values() if rule.bundle_id
    }
    return await find_bundles(tx, ids) if ids else {}


async def courses_using(
    tx: Tx,
    bundle_ids: Sequence[BundleId],
) -> Mapping[BundleId, list[CourseId]]:
    """Say for bundles which courses issue them as a refund (A9)."""
    found: dict[BundleId, list[CourseId]] = defaultdict(list)
    for row in await tx.all(COURSES_USING, {"ids": list(bundle_ids)}):
        found[row.bundle_id].append(row.course_id)
    return found


async def set_policy(tx: Tx, course_id: CourseId, policy: RefundPolicy | None) -> None:
    """Give a course a policy in place of the one it had, or none.

    Raises:
        InvalidInput: The policy refunds nothing, or not in this way.
        NotFound: A bundle is unknown.
        RefundBundleInvalid: A bundle holds more than one credit.
    """
    if policy is not None:
        await _check(tx, policy)
    await tx.execute(DELETE_RULES, {"course": course_id})
    await tx.execute(DELETE_POLICY, {"course": course_id})
    if policy is None:
        return
    notice = {"notice_value": policy.notice.value, "notice_unit": policy.notice.unit.value}
    await tx.insert(policies, {"course_id": course_id, **notice})
    await tx.insert(
        rules,
        *(
            {
                "course_id": course_id,
                "option": option,
                "method": rule.method.value,
                "bundle_id": rule.bundle_id,
            }
            for option, rule in policy.rules.items()
        ),
    )


async def _check(tx: Tx, policy: RefundPolicy) -> None:
    check_period(policy.notice, PLACE, "notice")
    if policy.notice.unit is Unit.MONTHS:
        raise InvalidInput("Notice is in hours, days or weeks.", PLACE, "notice", "unit")
    if not policy.rules:
        raise InvalidInput("Name at least one kind of booking to refund.", PLACE, "refunds")
    if not set(policy.rules) <= set(OPTIONS):
        raise InvalidInput(f"Options are: {', '.join(OPTIONS)}.", PLACE, "refunds")
    found = await bundles_of(tx, [policy])
    for option, rule in policy.rules.items():
        if rule.method is Method.ORIGINAL and option != "DROP_IN_CREDIT":
            reason = "Only what a credit paid for can be credited back to its bundle."
            raise InvalidInput(reason, PLACE, "refunds")
        if rule.method is Method.NEW_BUNDLE and rule.bundle_id is None:
            raise InvalidInput("Name the bundle to issue.", PLACE, "refunds")
        if rule.bundle_id is not None and rule.bundle_id not in found:
            raise NotFound().at(PLACE, "refunds")
    if any(bundle.credits != 1 for bundle in found.values()):
        raise RefundBundleInvalid().at(PLACE, "refunds")
