"""Refund policies of courses: read, written, and checked when they are set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import bindparam, delete, select

from classbolt import (
    BookingFacts,
    Bundle,
    BundleId,
    CourseId,
    InvalidInput,
    NotFound,
    Period,
    Refusal,
    Tx,
    Unit,
    check_number,
    check_period,
    course_ends,
    find_bundles,
    mine,
    refunds_given,
)
from classbolt_auto_refund.policy import (
    REFUNDABLE,
    Anchor,
    Basis,
    Method,
    RefundPolicy,
    Rule,
)
from classbolt_auto_refund.tables import policies, rules

PLACE = "autoRefund"
"""Where in the input of a course a policy stands."""
MOST_REFUNDS = 1000
MOST_DAYS = 366


class RefundBundleInvalid(Refusal):
    """A refund bundle must hold exactly one credit (A10)."""

    code = "REFUND_BUNDLE_INVALID"

    def __init__(self) -> None:
        super().__init__("A refund bundle must hold exactly one credit.")


POLICIES = (
    select(policies, rules.c.option, rules.c.method, rules.c.bundle_id)
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
    tx: Tx, course_ids: Collection[CourseId]
) -> Mapping[CourseId, RefundPolicy]:
    """Find the policies of courses."""
    found: dict[CourseId, RefundPolicy] = {}
    rules_of: dict[CourseId, dict[str, Rule]] = defaultdict(dict)
    for row in await tx.all(POLICIES, {"ids": list(course_ids)}):
        rules_of[row.course_id][row.option] = Rule(Method(row.method), row.bundle_id)
        found[row.course_id] = RefundPolicy(
            notice=Period(row.notice_value, Unit(row.notice_unit)),
            rules=rules_of[row.course_id],
            validity_anchor=Anchor(row.validity_anchor),
            max_refunds=row.max_refunds,
            min_days_after_credit_back=row.min_days_after_credit_back,
            refund_free_bookings=row.refund_free_bookings,
        )
    return found


async def read_basis(tx: Tx, bookings: Sequence[BookingFacts]) -> Basis:
    """Read what decides about bookings; ends and refunds only where a policy asks for them."""
    found = await find_policies(tx, {each.session.course_id for each in bookings})
    by_end = [key for key, each in found.items() if each.validity_anchor is Anchor.COURSE_END]
    capped = {key for key, each in found.items() if each.max_refunds is not None}
    origins = {each.origin_id for each in bookings if each.session.course_id in capped}
    return Basis(
        policies=found,
        bundles=await bundles_of(tx, found.values()),
        ends=await course_ends(tx, by_end),
        refunds=await refunds_given(tx, [each for each in origins if each]),
        zone=tx.account.time_zone,
    )


async def bundles_of(tx: Tx, found: Collection[RefundPolicy]) -> Mapping[BundleId, Bundle]:
    """Find the bundles that policies name."""
    ids = {
        rule.bundle_id for policy in found for rule in policy.rules.values() if rule.bundle_id
    }
    return await find_bundles(tx, ids) if ids else {}


async def courses_using(
    tx: Tx, bundle_ids: Sequence[BundleId]
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
    await tx.insert(
        policies,
        {
            "course_id": course_id,
            "notice_value": policy.notice.value,
            "notice_unit": policy.notice.unit.value,
            "validity_anchor": policy.validity_anchor.value,
            "max_refunds": policy.max_refunds,
            "min_days_after_credit_back": policy.min_days_after_credit_back,
            "refund_free_bookings": policy.refund_free_bookings,
        },
    )
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
    if (most := policy.max_refunds) is not None:
        check_number(most, PLACE, "maxRefundsPerCourseBooking", least=1, most=MOST_REFUNDS)
    days = policy.min_days_after_credit_back
    check_number(days, PLACE, "minDaysAfterCreditBack", least=0, most=MOST_DAYS)
    if not policy.rules:
        raise InvalidInput("Name at least one kind of booking to refund.", PLACE, "refunds")
    found = await bundles_of(tx, [policy])
    for option, rule in policy.rules.items():
        if option not in REFUNDABLE[rule.method]:
            kinds = ", ".join(REFUNDABLE[rule.method])
            raise InvalidInput(f"{rule.method} refunds {kinds}.", PLACE, "refunds")
        if rule.method is Method.NEW_BUNDLE and rule.bundle_id is None:
            raise InvalidInput("Name the bundle to issue.", PLACE, "refunds")
        if rule.bundle_id is not None and rule.bundle_id not in found:
            raise NotFound().at(PLACE, "refunds")
    if any(bundle.credits != 1 for bundle in found.values()):
        raise RefundBundleInvalid().at(PLACE, "refunds")
