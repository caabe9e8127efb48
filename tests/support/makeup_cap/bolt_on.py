"""A stranger's bolt-on: of each course somebody bought, two missed sessions are made up for.

It imports what any third party may. Only courses that are bought while it is on are counted.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    Integer,
    MetaData,
    Table,
    bindparam,
    select,
    update,
)

from classbolt import (
    BoltOn,
    BoltOnInfo,
    Booking,
    BookingFacts,
    Cancellation,
    Refusal,
    Terms,
    Tx,
    mine,
)
from classbolt.columns import Key
from classbolt.tables import NAMING, account_column, bookings, course_bookings, refers_to
from classbolt_schema.api import CourseBooking, Info, SchemaExtension

LIMIT = 2

metadata = MetaData(naming_convention=NAMING)
counts = Table(
    "makeup_cap_counts",
    metadata,
    account_column(),
    Column("course_booking_id", Key, primary_key=True),
    Column("refunds", Integer, nullable=False),
    refers_to(course_bookings, "course_booking_id"),
    CheckConstraint("refunds >= 0", name="refunds"),
)

REFUNDS = select(counts.c.course_booking_id, counts.c.refunds).where(
    mine(counts), counts.c.course_booking_id.in_(bindparam("ids", expanding=True))
)
COUNT = (
    update(counts)
    .where(
        mine(counts),
        counts.c.course_booking_id
        == select(bookings.c.course_booking_id)
        .where(mine(bookings), bookings.c.id == bindparam("booking"))
        .scalar_subquery(),
    )
    .values(refunds=counts.c.refunds + 1)
    .returning(counts.c.refunds)
)


class MakeupCapReached(Refusal):
    """Enough sessions of this course were made up for already."""

    code = "MAKEUP_CAP_REACHED"

    def __init__(self) -> None:
        super().__init__(f"No more than {LIMIT} sessions of a course are made up for.")


extension = SchemaExtension("makeup_cap")
extension.refusal(MakeupCapReached)


@extension.field(
    CourseBooking, description="How many missed sessions can still be made up for."
)
async def makeups_left(booked: Sequence[CourseBooking], info: Info) -> Sequence[int | None]:
    """Show what is left to customers; null for courses that are not counted."""
    found = await find_refunds(
        await info.context.reading(), [each.booking.id for each in booked]
    )
    return [
        LIMIT - found[each.booking.id] if each.booking.id in found else None for each in booked
    ]


class MakeupCap(BoltOn):
    """Refuse further credits to whoever has had two for a course."""

    info: ClassVar[BoltOnInfo] = BoltOnInfo(
        code="makeup_cap",
        title="Make-up cap",
        summary="No more than two missed sessions of a course are made up for.",
        version="0.3.1",
        requires=("auto_refund",),
    )

    def tables(self) -> MetaData:
        """Count credits by the course that was bought."""
        return metadata

    def extend_schema(self, schema: SchemaExtension) -> None:
        """Show what is left, and the reason when nothing is."""
        schema.include(extension)

    async def check_refund(
        self,
        tx: Tx,
        bookings: Sequence[BookingFacts],
        terms: Sequence[Terms],
        now: datetime,
    ) -> Sequence[Refusal | None]:
        """Give nothing to whoever has had enough; previews say so too."""
        del terms, now
        ids = [each.course_booking_id for each in bookings if each.course_booking_id]
        found = await find_refunds(tx, ids)
        return [
            MakeupCapReached()
            if each.course_booking_id and found.get(each.course_booking_id, 0) >= LIMIT
            else None
            for each in bookings
        ]

    async def bookings_written(
        self, tx: Tx, bookings: Sequence[Booking], now: datetime
    ) -> None:
        """Begin to count when a course is bought."""
        del now
        begun = {each.course_booking_id for each in bookings if each.course_booking_id}
        if begun:
            await tx.insert(
                counts, *({"course_booking_id": key, "refunds": 0} for key in begun)
            )

    async def cancellations_written(
        self, tx: Tx, cancellations: Sequence[Cancellation], now: datetime
    ) -> None:
        """Count what was given.

        Raises:
            MakeupCapReached: Somebody else was given the last one since we were asked.
        """
        del now
        for each in cancellations:
            if each.customer_bundle_id is not None:
                refunds = await tx.scalar(COUNT, {"booking": each.booking_id})
                if refunds is not None and refunds > LIMIT:
                    raise MakeupCapReached


async def find_refunds(tx: Tx, ids: Collection[UUID]) -> Mapping[UUID, int]:
    """Say how many credits were given for courses that were bought."""
    rows = await tx.all(REFUNDS, {"ids": list(ids)})
    return {row.course_booking_id: row.refunds for row in rows}
