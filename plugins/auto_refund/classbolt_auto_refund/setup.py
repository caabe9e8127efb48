"""Whether a course's refund policy is set up as people expect: pure checks, in their order."""

from collections.abc import Collection, Mapping

from classbolt import Bundle, BundleId, SetupCheck
from classbolt_auto_refund.policy import RefundPolicy


def checks_of(
    policy: RefundPolicy | None,
    bundles: Mapping[BundleId, Bundle],
    tagged: Collection[BundleId],
) -> list[SetupCheck]:
    """Check a policy up to the first thing to mend, since each check builds on those before.

    Args:
        policy: The course's policy, if it has one.
        bundles: The bundles that it names.
        tagged: Those of them that have a tag.
    """
    rules = policy.rules if policy else {}
    issued = {
        rule.bundle_id: bundles[rule.bundle_id] for rule in rules.values() if rule.bundle_id
    }
    untagged = [each.name for key, each in issued.items() if key not in tagged]
    archived = [each.name for each in issued.values() if each.archived_at]
    rows = [
        (
            "POLICY_SET",
            policy is not None,
            "The course has a refund policy.",
            "The course has no refund policy, so cancelling gives nothing back.",
            "Set a refund policy on the course.",
        ),
        (
            "COURSE_BUYERS_REFUNDED",
            "COURSE" in rules,
            "Who bought the course and cancels a session in time is given a credit.",
            "The refund policy leaves out those who bought the course.",
            "Add the option COURSE to the refund policy.",
        ),
        (
            "REFUND_BUNDLE_HAS_TAGS",
            not untagged,
            "Every refund bundle has a tag.",
            f"Refund bundles without a tag pay for nothing: {', '.join(untagged)}.",
            "Give them the tags of the sessions that their credits may pay for.",
        ),
        (
            "REFUND_BUNDLE_IN_USE",
            not archived,
            "No refund bundle is archived.",
            f"Refund bundles that are archived go on being issued: {', '.join(archived)}.",
            "Name other bundles in the refund policy, unless this is meant.",
        ),
    ]
    checks = [
        SetupCheck(code, passed, good if passed else bad, None if passed else fix)
        for code, passed, good, bad, fix in rows
    ]
    to_mend = next((n for n, check in enumerate(checks, 1) if not check.passed), None)
    return checks[:to_mend]
