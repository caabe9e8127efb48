"""Root queries: translate, ask core, translate back.

Anybody may read the catalogue: courses, sessions, seats left, prices. Customers see what is
theirs, staff what their role allows. What is not for the caller is answered like what does not
exist.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, TypeVar
from uuid import UUID

import strawberry

from classbolt import (
    bookings,
    bundles,
    cancellations,
    courses,
    customers,
    dead_jobs,
    holdings,
    payments,
    refunds,
    stripe_links,
    switches,
)
from classbolt import sessions as core_sessions
from classbolt import tags as core_tags
from classbolt.db import Tx
from classbolt.errors import InvalidInput
from classbolt.values import (
    BookingId,
    BundleId,
    CourseBookingId,
    CourseId,
    CustomerBundleId,
    CustomerId,
    JobId,
    PaymentId,
    Permission,
    RefundId,
    SessionId,
    StaffId,
    StripeLinkId,
    TagId,
)
from classbolt_schema.compose.info import Info
from classbolt_schema.compose.once import found_again
from classbolt_schema.ids import decode, decode_any, decode_optional, encode
from classbolt_schema.pagination import After, Connection, First, page
from classbolt_schema.relations import A_PAGE, EXTENSION
from classbolt_schema.types.account import Account, BoltOn, BoltOnChange
from classbolt_schema.types.booking import Booking, Cancellation, CourseBooking, Payment
from classbolt_schema.types.bundle import Bundle, CustomerBundle
from classbolt_schema.types.card_payment import CardRefund
from classbolt_schema.types.course import Course, Session, Tag
from classbolt_schema.types.customer import Customer
from classbolt_schema.types.job import Job
from classbolt_schema.types.node import Node
from classbolt_schema.types.staff import Staff
from classbolt_schema.types.stripe import StripeLink

N = TypeVar("N", bound=Node)


@strawberry.type(description="What can be asked.")
class Query:
    """The root of every query; its fields are added below."""


From = Annotated[
    datetime | None,
    strawberry.argument(name="from", description="Only sessions that start at this or later."),
]
Until = Annotated[
    datetime | None, strawberry.argument(description="Only sessions that start before this.")
]
OfTag = Annotated[
    strawberry.ID | None, strawberry.argument(description="Only what has this tag.")
]
Search = Annotated[
    str | None,
    strawberry.argument(
        description="Only those whose name or e-mail address has this in it, 1 to 100"
        " characters. Case and accents do not matter."
    ),
]
Id = Annotated[strawberry.ID, strawberry.argument(description="The object's id.")]


# The catalogue, for everybody


@EXTENSION.query(description="The business that this endpoint belongs to.")
async def account(info: Info) -> Account:
    """Show the account."""
    return Account.of((await info.context.reading()).account)


@EXTENSION.query(name="boltOns", description="The bolt-ons that are installed, on or off.")
async def bolt_ons(info: Info) -> list[BoltOn]:
    """List the bolt-ons."""
    tx = await info.context.reading()
    found = switches.list_switches(tx, info.context.app.bolt_ons)
    return [BoltOn.of(switch) for switch in found]


@EXTENSION.query(name="courses", description="The courses, by title.")
async def list_courses(
    info: Info, first: First = A_PAGE, after: After = None, tag: OfTag = None
) -> Connection[Course]:
    """List the courses."""
    tag_id = decode_optional(TagId, "Tag", tag)
    tx = await info.context.reading()
    found = await courses.list_courses(tx, page(first, after), tag_id=tag_id)
    return Connection[Course].of(found, Course.of)


@EXTENSION.query(description="One course; null if there is none of this id.")
async def course(info: Info, id: Id) -> Course | None:
    """Find a course."""
    return await _one(info, "Course", id, _course)


@EXTENSION.query(
    name="sessions",
    description="The timetable: sessions of all courses in the order they start, without"
    " the ones that were called off.",
)
async def list_sessions(
    info: Info,
    first: First = A_PAGE,
    after: After = None,
    since: From = None,
    until: Until = None,
    tag: OfTag = None,
) -> Connection[Session]:
    """List the timetable."""
    tag_id = decode_optional(TagId, "Tag", tag)
    found = await core_sessions.list_sessions(
        await info.context.reading(),
        page(first, after),
        since=since,
        until=until,
        tag_id=tag_id,
    )
    return Connection[Session].of(found, Session.of)


@EXTENSION.query(description="One session; null if there is none of this id.")
async def session(info: Info, id: Id) -> Session | None:
    """Find a session."""
    return await _one(info, "Session", id, _session)


@EXTENSION.query(name="tags", description="The business's tags, by name.")
async def list_tags(info: Info) -> list[Tag]:
    """List the tags."""
    return [Tag.of(tag) for tag in await core_tags.list_tags(await info.context.reading())]


# Customers' own, and staff


@EXTENSION.query(description="The customer who asks; null for anybody else.")
async def me(info: Info) -> Customer | None:
    """Find the customer who asks."""
    tx = await info.context.reading()
    return None if tx.actor.customer_id is None else await _customer(tx, tx.actor.customer_id)


@EXTENSION.query(name="customers", description="The customers, by name. For staff.")
async def list_customers(
    info: Info, first: First = A_PAGE, after: After = None, search: Search = None
) -> Connection[Customer] | None:
    """List the customers."""
    tx = await info.context.reading()
    found = await customers.list_customers(tx, tx.actor, page(first, after), search=search)
    return Connection[Customer].of(found, Customer.of)


@EXTENSION.query(description="One customer; null if there is none for the caller to see.")
async def customer(info: Info, id: Id) -> Customer | None:
    """Find a customer."""
    return await _one(info, "Customer", id, _customer)


@EXTENSION.query(
    name="bundlesOnSale", description="The bundles that customers can buy, by name."
)
async def list_bundles_on_sale(
    info: Info, first: First = A_PAGE, after: After = None
) -> Connection[Bundle]:
    """List what can be bought."""
    tx = await info.context.reading()
    found = await bundles.list_on_sale(tx, page(first, after))
    return Connection[Bundle].of(found, Bundle.of)


@EXTENSION.query(
    name="bundles", description="The bundles, drafts and archived ones too, by name. For staff."
)
async def list_bundles(
    info: Info, first: First = A_PAGE, after: After = None
) -> Connection[Bundle] | None:
    """List the bundles."""
    tx = await info.context.reading()
    found = await bundles.list_bundles(tx, tx.actor, page(first, after))
    return Connection[Bundle].of(found, Bundle.of)


@EXTENSION.query(
    name="boltOnChanges",
    description="The last hundred times a bolt-on was switched, the latest first. For owners.",
)
async def bolt_on_changes(info: Info) -> list[BoltOnChange] | None:
    """List the history of switches."""
    tx = await info.context.reading()
    return [BoltOnChange.of(change) for change in await switches.list_changes(tx, tx.actor)]


@EXTENSION.query(
    name="deadJobs",
    description="Work that was promised and never succeeded, the latest first. For owners.",
)
async def list_dead_jobs(
    info: Info, first: First = A_PAGE, after: After = None
) -> Connection[Job] | None:
    """List dead jobs."""
    tx = await info.context.reading()
    found = await dead_jobs.list_dead_jobs(tx, tx.actor, page(first, after))
    return Connection[Job].of(found, Job.of)


# Anything by its id


@EXTENSION.query(
    description="Any object by its id; null if there is none of this id for the caller to see."
)
async def node(info: Info, id: Id) -> Node | None:
    """Find an object."""
    tx = await info.context.reading()
    kind, key = decode_any(id) or ("", None)
    return await FINDERS[kind](tx, key) if key and kind in FINDERS else None


MOST_NODES = 100


@EXTENSION.query(
    description="Objects by their ids, in the order of the ids, at most a hundred; null stands"
    " where there is none for the caller to see."
)
async def nodes(
    info: Info,
    ids: Annotated[list[strawberry.ID], strawberry.argument(description="The objects' ids.")],
) -> list[Node | None]:
    """Find objects."""
    if len(ids) > MOST_NODES:
        raise InvalidInput(f"Ask for at most {MOST_NODES} at once.", "ids")
    return [await node(info, id_) for id_ in ids]


async def _course(tx: Tx, key: UUID) -> Course | None:
    found = await courses.find_courses(tx, [CourseId(key)])
    return next(map(Course.of, found.values()), None)


async def _session(tx: Tx, key: UUID) -> Session | None:
    found = await core_sessions.find_sessions(tx, [SessionId(key)])
    return next(map(Session.of, found.values()), None)


async def _tag(tx: Tx, key: UUID) -> Tag | None:
    found = await core_tags.find_tags(tx, [TagId(key)])
    return next(map(Tag.of, found.values()), None)


async def _customer(tx: Tx, key: UUID) -> Customer | None:
    if not tx.actor.sees(CustomerId(key)):
        return None
    found = await customers.find_customers(tx, [CustomerId(key)])
    # Who was merged into another is no longer there; histories lead to the other one.
    return next((Customer.of(each) for each in found.values() if each.id == key), None)


async def _booking(tx: Tx, key: UUID) -> Booking | None:
    found = await bookings.find_bookings(tx, [BookingId(key)])
    return next(
        (Booking.of(each) for each in found.values() if tx.actor.sees(each.customer_id)), None
    )


async def _course_booking(tx: Tx, key: UUID) -> CourseBooking | None:
    found = await bookings.find_course_bookings(tx, [CourseBookingId(key)])
    seen = (each for each in found.values() if tx.actor.sees(each.customer_id))
    return next(map(CourseBooking.of, seen), None)


async def _payment(tx: Tx, key: UUID) -> Payment | None:
    found = await payments.find_payments(tx, [PaymentId(key)])
    seen = (each for each in found.values() if tx.actor.sees(each.customer_id))
    return next(map(Payment.of, seen), None)


async def _card_refund(tx: Tx, key: UUID) -> CardRefund | None:
    """Find a refund for whoever sees its payment."""
    found = await refunds.find_refund(tx, RefundId(key))
    seen = found and await _payment(tx, found.payment_id)
    return CardRefund.of(found) if found and seen else None


async def _bundle(tx: Tx, key: UUID) -> Bundle | None:
    """Find a bundle; drafts are for staff."""
    found = await bundles.find_bundles(tx, [BundleId(key)])
    may_see = tx.actor.may(Permission.SERVE_CUSTOMERS)
    return next((Bundle.of(each) for each in found.values() if may_see or each.on_sale), None)


async def _customer_bundle(tx: Tx, key: UUID) -> CustomerBundle | None:
    found = await holdings.find_held(tx, [CustomerBundleId(key)])
    seen = (each for each in found.values() if tx.actor.sees(each.customer_id))
    return next(map(CustomerBundle.of, seen), None)


async def _staff(tx: Tx, key: UUID) -> Staff | None:
    if not tx.actor.may(Permission.SERVE_CUSTOMERS):
        return None
    found = await customers.find_staff(tx, [StaffId(key)])
    return next(map(Staff.of, found.values()), None)


async def _job(tx: Tx, key: UUID) -> Job | None:
    if not tx.actor.may(Permission.RUN_ACCOUNT):
        return None
    found = await dead_jobs.find_dead_job(tx, JobId(key))
    return None if found is None else Job.of(found)


async def _stripe_link(tx: Tx, key: UUID) -> StripeLink | None:
    if not tx.actor.may(Permission.RUN_ACCOUNT):
        return None
    found = await stripe_links.find_link(tx, StripeLinkId(key))
    return None if found is None else StripeLink.of(found, tx.account.slug)


FINDERS: dict[str, Callable[[Tx, UUID], Awaitable[Node | None]]] = {
    "Booking": _booking,
    "Bundle": _bundle,
    "CardRefund": _card_refund,
    "Course": _course,
    "CourseBooking": _course_booking,
    "Customer": _customer,
    "CustomerBundle": _customer_bundle,
    "Job": _job,
    "Payment": _payment,
    "Session": _session,
    "Staff": _staff,
    "StripeLink": _stripe_link,
    "Tag": _tag,
}


async def _nodes(tx: Tx, ids: Sequence[str]) -> Mapping[str, Node]:
    """Find what answers that are kept have named."""
    found = {}
    for id_ in ids:
        kind, key = decode_any(id_) or ("", None)
        if key and kind in FINDERS and (one := await FINDERS[kind](tx, key)) is not None:
            found[id_] = one
    return found


async def _cancellations(tx: Tx, booking_ids: Sequence[str]) -> Mapping[str, Cancellation]:
    """Find cancellations by their bookings."""
    keys = {BookingId(decode("Booking", each)): each for each in booking_ids}
    places = await bookings.find_bookings(tx, keys)
    seen = [each.id for each in places.values() if tx.actor.sees(each.customer_id)]
    found = await cancellations.find_cancellations(tx, seen)
    return {keys[key]: Cancellation.of(each) for key, each in found.items()}


found_again(Node, lambda node: str(node.id), _nodes)
found_again(
    Cancellation, lambda each: encode("Booking", each.cancellation.booking_id), _cancellations
)


async def _one(
    info: Info, type_name: str, id_: str, find: Callable[[Tx, UUID], Awaitable[N | None]]
) -> N | None:
    kind, key = decode_any(id_) or ("", None)
    return await find(await info.context.reading(), key) if key and kind == type_name else None
