"""What staff are told about the business as a whole: sums and counts."""

from typing import Self

import strawberry

from classbolt import reports


@strawberry.type(
    description="The credits on copies of a bundle that nobody has spent, at one moment."
)
class Outstanding:
    """What is left on copies of a bundle."""

    credits: int = strawberry.field(description="How many can still be spent.")
    customer_bundles: int = strawberry.field(description="How many copies they are on.")
    expiring_within30_days: int = strawberry.field(
        description="How many of these credits expire within 30 days."
    )
    expired: int = strawberry.field(
        description="How many more were left on copies that have expired."
    )

    @classmethod
    def of(cls, found: reports.Outstanding) -> Self:
        """Show core's sums."""
        return cls(
            credits=found.credits,
            customer_bundles=found.customer_bundles,
            expiring_within30_days=found.expiring_soon,
            expired=found.expired,
        )


@strawberry.type(description="How many cancellations ended in one way, for one reason.")
class RefundCount:
    """A count of cancellations."""

    outcome: str = strawberry.field(description="NEW_BUNDLE, CREDIT_BACK, PAID_BACK or NONE.")
    reason: str | None = strawberry.field(
        description="The code of why nothing was given; null if something was."
    )
    count: int = strawberry.field(description="How many.")

    @classmethod
    def of(cls, found: reports.RefundCount) -> Self:
        """Show core's count."""
        return cls(outcome=found.outcome, reason=found.reason, count=found.count)
