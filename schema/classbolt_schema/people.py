"""How customers lead to what they booked and hold, and histories to who did what.

A customer sees what is theirs. Who of the staff did something, and what they noted about it, is
for staff.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from classbolt import bookings, bundles, customers, holdings, ledger
from classbolt.db import Tx
from classbolt.values import CustomerId, Permission, StaffId
from classbolt_schema.compose.info import Info
from classbolt_schema.pagination import After, Connection, First, page
from classbolt_schema.relations import A_PAGE, EXTENSION, customers_of, known
from classbolt_schema.types.booking import Booking, CourseBooking
from classbolt_schema.types.bundle import Bundle, CreditEntry, CustomerBundle
from classbolt_schema.types.customer import Customer
from classbolt_schema.types.staff import Actor, Staff

From = Annotated[
    datetime | None,
    strawberry.argument(
        name="from", description="Only bookings of sessions that start at this or later."
    ),
]
Until = Annotated[
    datetime | None,
    strawberry.argument(description="Only bookings of sessions that start before this."),
]


def sees_notes(tx: Tx) -> bool:
    """Say whether the caller may read what staff wrote for each other, and who they are."""
    return tx.actor.may(Permission.SERVE_CUSTOMERS)


# Customers and what they hold


@EXTENSION.field(
    Customer,
    name="bookings",
    description="The customer's bookings, cancelled ones too, in the order of their sessions.",
)
async def bookings_of_customer(
    parents: Sequence[Customer],
    info: Info,
    first: First = A_PAGE,
    after: After = None,
    since: From = None,
    until: Until = None,
) -> Sequence[Connection[Booking]]:
    """List the bookings of customers."""
    ids = [parent.key for parent in parents]
    tx = await info.context.reading()
    found = await bookings.bookings_of_customers(
        tx, ids, page(first, after), since=since, until=until
    )
    return [Connection[Booking].of(found[key], Booking.of) for key in ids]


@EXTENSION.field(
    Customer,
    name="courseBookings",
    description="The courses that the customer booked, cancelled ones too, in the order they"
    " were booked.",
)
async def course_bookings_of_customer(
    parents: Sequence[Customer], info: Info, first: First = A_PAGE, after: After = None
) -> Sequence[Connection[CourseBooking]]:
    """List the course bookings of customers."""
    ids = [parent.key for parent in parents]
    tx = await info.context.reading()
    found = await bookings.course_bookings_of_customers(tx, ids, page(first, after))
    return [Connection[CourseBooking].of(found[key], CourseBooking.of) for key in ids]


@EXTENSION.field(
    Customer,
    name="bundles",
    description="The customer's bundles, empty and expired ones too, the first to expire"
    " first.",
)
async def bundles_of_customer(
    parents: Sequence[Customer], info: Info, first: First = A_PAGE, after: After = None
) -> Sequence[Connection[CustomerBundle]]:
    """List the bundles that customers hold."""
    ids = [parent.key for parent in parents]
    found = await holdings.list_held(await info.context.reading(), ids, page(first, after))
    return [Connection[CustomerBundle].of(found[key], CustomerBundle.of) for key in ids]


@EXTENSION.field(CustomerBundle, name="bundle", description="What it is a copy of.")
async def bundle_of_held(parents: Sequence[CustomerBundle], info: Info) -> Sequence[Bundle]:
    """Find the bundles that customer bundles are copies of."""
    ids = [parent.held.bundle_id for parent in parents]
    found = await bundles.find_bundles(await info.context.reading(), known(ids))
    return [Bundle.of(found[key]) for key in ids]


@EXTENSION.field(CustomerBundle, name="customer", description="Who holds it.")
async def customer_of_held(parents: Sequence[CustomerBundle], info: Info) -> Sequence[Customer]:
    """Find the holders of customer bundles."""
    return await customers_of([parent.held.customer_id for parent in parents], info)


@EXTENSION.field(
    CustomerBundle, name="entries", description="How its balance came about, in order."
)
async def entries_of_held(
    parents: Sequence[CustomerBundle], info: Info, first: First = A_PAGE, after: After = None
) -> Sequence[Connection[CreditEntry]]:
    """List the ledger of customer bundles."""
    ids = [parent.held.id for parent in parents]
    found = await ledger.list_entries(await info.context.reading(), ids, page(first, after))
    return [Connection[CreditEntry].of(found[key], CreditEntry.of) for key in ids]


@EXTENSION.field(
    CreditEntry, name="booking", description="The booking that caused it; null if none did."
)
async def booking_of_entry(
    parents: Sequence[CreditEntry], info: Info
) -> Sequence[Booking | None]:
    """Find the bookings behind lines of the ledger."""
    ids = [parent.entry.booking_id for parent in parents]
    found = await bookings.find_bookings(await info.context.reading(), known(ids))
    return [Booking.of(found[key]) if key else None for key in ids]


@EXTENSION.field(
    CreditEntry,
    name="note",
    description="Why staff did it, in their words; null if they said nothing, and for"
    " customers.",
)
async def note_of_entry(parents: Sequence[CreditEntry], info: Info) -> Sequence[str | None]:
    """Show staff what they noted."""
    may_see = sees_notes(await info.context.reading())
    return [parent.entry.note if may_see else None for parent in parents]


# Who did it


@EXTENSION.field(
    Actor, name="staff", description="The member of staff, for staff to see; null otherwise."
)
async def staff_of_actor(parents: Sequence[Actor], info: Info) -> Sequence[Staff | None]:
    """Find the people of the business who did things."""
    return await staff_of(
        [StaffId(key) if key else None for key in _who("STAFF", parents)], info
    )


@EXTENSION.field(
    Actor, name="customer", description="The customer, if it was one; null otherwise."
)
async def customer_of_actor(parents: Sequence[Actor], info: Info) -> Sequence[Customer | None]:
    """Find the customers who did things."""
    ids = [CustomerId(key) if key else None for key in _who("CUSTOMER", parents)]
    tx = await info.context.reading()
    found = await customers.find_customers(tx, known(ids))
    return [
        Customer.of(found[key])
        if key and key in found and tx.actor.sees(found[key].id)
        else None
        for key in ids
    ]


async def staff_of(ids: Sequence[StaffId | None], info: Info) -> list[Staff | None]:
    """Show staff the members of staff of these ids, in their order."""
    tx = await info.context.reading()
    found = await customers.find_staff(tx, known(ids)) if sees_notes(tx) else {}
    return [Staff.of(found[key]) if key and key in found else None for key in ids]


def _who(kind: str, actors: Sequence[Actor]) -> list[UUID | None]:
    return [each.person if each.kind == kind else None for each in actors]
