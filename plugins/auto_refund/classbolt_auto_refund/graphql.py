"""What auto-refund adds to the schema: policies on courses, and what they decided."""

from collections.abc import Sequence
from datetime import datetime

import strawberry

from classbolt import BundleId, Given, InvalidInput, Unit, find_courses
from classbolt_auto_refund import policies, policy
from classbolt_auto_refund.policy import Anchor, Method
from classbolt_schema.api import (
    UNSET,
    Bundle,
    Cancellation,
    Course,
    CreateCourseInput,
    Info,
    Period,
    PeriodInput,
    SchemaExtension,
    UnsetType,
    UpdateCourseInput,
    decode,
    show_enum,
)

schema = SchemaExtension("auto_refund")

for refusal in (
    policy.NoPolicy,
    policy.Unpaid,
    policy.NothingPaid,
    policy.OptionNotRefunded,
    policy.NoticeTooShort,
    policy.RefundCapReached,
    policy.OriginalNotLive,
    policies.RefundBundleInvalid,
):
    schema.refusal(refusal)

show_enum(
    Method,
    name="RefundMethod",
    description="What a refund is given as.",
    values={
        Method.ORIGINAL: "The credit goes back onto the bundle that paid.",
        Method.ORIGINAL_PAYMENT: "The card gets back what it paid for the place.",
        Method.NEW_BUNDLE: "A copy of a bundle is issued.",
    },
)
ANCHOR = "From when on the validity of an issued bundle counts, never from before its issue."
show_enum(
    Anchor,
    name="ValidityAnchor",
    description=ANCHOR,
    values={
        Anchor.ISSUED_AT: "From the moment of issue.",
        Anchor.CANCELLED_SESSION_START: "From the start of the cancelled session.",
        Anchor.COURSE_END: "From the end of the course's last session.",
    },
)
MAX_REFUNDS = (
    "How many refunds one course booking earns, also those for places that its credits paid"
    " for; null for any number. What the business or goodwill gives does not count."
)
POLICY = "What a course gives to those who cancel one of its sessions in time."
NOTICE = "How long before the start a cancellation is still in time."
OPTION = (
    "The kind of booking: COURSE for customers who bought the course; DROP_IN_CARD,"
    " DROP_IN_CREDIT and DROP_IN_OFFLINE for drop-ins by what paid for them."
)
BUNDLE = (
    "What NEW_BUNDLE issues, a bundle of exactly one credit; for ORIGINAL what is issued if the"
    " original is no longer valid, for ORIGINAL_PAYMENT what is issued if no card paid."
)
MIN_DAYS = "For how many days at least a credit that goes back onto its bundle is valid."
FREE_TOO = "Whether places that cost nothing are refunded like paid ones."


@strawberry.type(description="How a refund policy treats one kind of booking.")
class RefundRule:
    """A rule as clients see it."""

    option: str = strawberry.field(description=OPTION)
    method: Method = strawberry.field(description="What is given back.")
    bundle: Bundle | None = strawberry.field(description=BUNDLE)


@strawberry.type(description=POLICY)
class RefundPolicy:
    """A policy as clients see it."""

    notice: Period = strawberry.field(description=NOTICE)
    refunds: list[RefundRule] = strawberry.field(
        description="Which kinds of booking are refunded; the others get nothing."
    )
    validity_anchor: Anchor = strawberry.field(description=ANCHOR)
    max_refunds_per_course_booking: int | None = strawberry.field(description=MAX_REFUNDS)
    min_days_after_credit_back: int = strawberry.field(description=MIN_DAYS)
    refund_free_bookings: bool = strawberry.field(description=FREE_TOO)


@strawberry.type(description="How a refund policy decided about a cancellation.")
class AutoRefundDecision:
    """A decision as clients see it."""

    option: str | None = strawberry.field(description="Which kind of booking it was.")
    deadline: datetime | None = strawberry.field(description="Until when it was in time.")
    notice: Period | None = strawberry.field(
        description="The notice that the policy asked for at that moment."
    )
    reason: str | None = strawberry.field(
        description="Why nothing was given, as a code; null if something was."
    )


@strawberry.input(description="How a refund policy treats one kind of booking.")
class RefundRuleInput:
    """A rule as clients give it."""

    option: str = strawberry.field(description=OPTION)
    method: Method = strawberry.field(description="What is given back.")
    bundle: strawberry.ID | None = strawberry.field(default=None, description=BUNDLE)


@strawberry.input(description=POLICY)
class AutoRefundInput:
    """A policy as clients give it."""

    notice: PeriodInput = strawberry.field(description=NOTICE)
    refunds: list[RefundRuleInput] = strawberry.field(
        description="Which kinds of booking are refunded, each once."
    )
    validity_anchor: Anchor = strawberry.field(default=Anchor.ISSUED_AT, description=ANCHOR)
    max_refunds_per_course_booking: int | None = strawberry.field(
        default=None, description=MAX_REFUNDS
    )
    min_days_after_credit_back: int = strawberry.field(default=0, description=MIN_DAYS)
    refund_free_bookings: bool = strawberry.field(default=False, description=FREE_TOO)


WHAT = (
    "The refund policy, for the whole course; null takes it away. It counts for every"
    " cancellation from now on, also of places booked before."
)
ON_CREATE = schema.input_field(
    CreateCourseInput, "auto_refund", AutoRefundInput, description=WHAT
)
ON_UPDATE = schema.input_field(
    UpdateCourseInput, "auto_refund", AutoRefundInput, description=WHAT
)


def policy_given(given: Given) -> policy.RefundPolicy | UnsetType | None:
    """Read the policy that was given with a course, if one was.

    Raises:
        NotFound: A bundle's id is none.
        InvalidInput: A kind of booking is named twice.
    """
    found = ON_CREATE.of(given)
    if found is UNSET:
        found = ON_UPDATE.of(given)
    if found is None or isinstance(found, UnsetType):
        return found
    rules = {each.option: _rule(each) for each in found.refunds}
    if len(rules) != len(found.refunds):
        raise InvalidInput("Name each kind of booking once.", policies.PLACE, "refunds")
    return policy.RefundPolicy(
        notice=found.notice.to_period(),
        rules=rules,
        validity_anchor=found.validity_anchor,
        max_refunds=found.max_refunds_per_course_booking,
        min_days_after_credit_back=found.min_days_after_credit_back,
        refund_free_bookings=found.refund_free_bookings,
    )


def _rule(given: RefundRuleInput) -> policy.Rule:
    bundle = given.bundle
    key = None if bundle is None else BundleId(decode("Bundle", bundle))
    return policy.Rule(given.method, key)


@schema.field(Course, description="The course's refund policy; null if it has none.")
async def refund_policy(courses: Sequence[Course], info: Info) -> Sequence[RefundPolicy | None]:
    """Show the policies of courses."""
    tx = await info.context.reading()
    found = await policies.find_policies(tx, [course.facts.id for course in courses])
    bundles = await policies.bundles_of(tx, found.values())
    shown = {
        course_id: RefundPolicy(
            notice=Period.of(each.notice),
            refunds=[
                RefundRule(
                    option=option,
                    method=rule.method,
                    bundle=Bundle.of(bundles[rule.bundle_id]) if rule.bundle_id else None,
                )
                for option, rule in sorted(each.rules.items())
            ],
            validity_anchor=each.validity_anchor,
            max_refunds_per_course_booking=each.max_refunds,
            min_days_after_credit_back=each.min_days_after_credit_back,
            refund_free_bookings=each.refund_free_bookings,
        )
        for course_id, each in found.items()
    }
    return [shown.get(course.facts.id) for course in courses]


@schema.field(Bundle, description="The courses that issue this bundle as a refund.")
async def used_for_auto_refund(bundles: Sequence[Bundle], info: Info) -> Sequence[list[Course]]:
    """Show which courses issue bundles (A9)."""
    tx = await info.context.reading()
    using = await policies.courses_using(tx, [bundle.bundle.id for bundle in bundles])
    courses = await find_courses(tx, {key for keys in using.values() for key in keys})
    return [
        [Course.of(courses[key]) for key in using.get(bundle.bundle.id, [])]
        for bundle in bundles
    ]


@schema.field(
    Cancellation, description="How the refund policy decided; null if none was asked."
)
async def auto_refund(
    cancellations: Sequence[Cancellation], _info: Info
) -> Sequence[AutoRefundDecision | None]:
    """Show what was stored with cancellations (B4, B8)."""
    return [_decision(each) for each in cancellations]


def _decision(shown: Cancellation) -> AutoRefundDecision | None:
    kept = shown.cancellation
    if kept.decided_by != schema.owner:
        return None
    notice = (kept.policy or {}).get("notice")
    return AutoRefundDecision(
        option=kept.option,
        deadline=kept.deadline,
        notice=notice and Period(value=notice["value"], unit=Unit(notice["unit"])),
        reason=kept.reason,
    )
