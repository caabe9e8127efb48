"""The bolt-on itself: which hooks it answers, each in a few lines."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from sqlalchemy import MetaData

from classbolt import (
    BoltOn,
    BoltOnInfo,
    BookingFacts,
    CourseFacts,
    Given,
    SetupCheck,
    Terms,
    Tx,
    tags_of_bundles,
)
from classbolt_auto_refund import graphql
from classbolt_auto_refund.policies import bundles_of, find_policies, read_basis, set_policy
from classbolt_auto_refund.policy import terms_of
from classbolt_auto_refund.setup import checks_of
from classbolt_auto_refund.tables import metadata
from classbolt_schema.api import SchemaExtension, UnsetType


class AutoRefund(BoltOn):
    """Give a credit to whoever cancels one session of a course in time."""

    info: ClassVar[BoltOnInfo] = BoltOnInfo(
        code="auto_refund",
        title="Auto-refund",
        summary="Who cancels one session of a course in time is given a credit for another.",
        version="1.0.0",
    )

    def tables(self) -> MetaData:
        """Keep refund policies."""
        return metadata

    def extend_schema(self, schema: SchemaExtension) -> None:
        """Let policies be set on courses, and say what they did."""
        schema.include(graphql.schema)

    async def cancellation_terms(
        self, tx: Tx, bookings: Sequence[BookingFacts], now: datetime
    ) -> Sequence[Terms]:
        """Let each course's policy decide."""
        basis = await read_basis(tx, bookings)
        return [terms_of(basis, each, now) for each in bookings]

    async def setup_checks(
        self, tx: Tx, courses: Sequence[CourseFacts], now: datetime
    ) -> Sequence[Sequence[SetupCheck]]:
        """Look at each course's policy and at the bundles that it issues."""
        policies = await find_policies(tx, [course.id for course in courses])
        bundles = await bundles_of(tx, policies.values())
        tagged = await tags_of_bundles(tx, bundles)
        return [checks_of(policies.get(course.id), bundles, tagged) for course in courses]

    async def course_written(
        self, tx: Tx, course: CourseFacts, given: Given, now: datetime
    ) -> None:
        """Store the policy that was given with a course."""
        policy = graphql.policy_given(given)
        if not isinstance(policy, UnsetType):
            await set_policy(tx, course.id, policy)
