"""How core's objects lead to each other: batch resolvers, one statement for all of a level.

They are added as a bolt-on adds its fields, so that the modules of the types need not import
each other. Each function is named after the type it gives and the one it starts from.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from classbolt import (
    bookings,
    bundles,
    cancellations,
    courses,
    customers,
    holdings,
    payments,
    refunds,
    sold,
    stripe_links,
)
from classbolt import sessions as core_sessions
from classbolt import tags as core_tags
from classbolt.values import (
    CourseId,
    CustomerBundleId,
    CustomerId,
    PaymentId,
    Permission,
    TagId,
)
from classbolt_schema.compose.extension import SchemaExtension
from classbolt_schema.compose.info import Info
from classbolt_schema.pagination import After, Connection, First, page
from classbolt_schema.types.account import Account
from classbolt_schema.types.booking import (
    Booking,
    Cancellation,
    CourseBooking,
    Payment,
    Refund,
)
from classbolt_schema.types.bundle import Bundle, CustomerBundle
from classbolt_schema.types.card_payment import CardRefund
from classbolt_schema.types.course import Course, Session, Tag
from classbolt_schema.types.customer import Customer
from classbolt_schema.types.preview import CancellationPreview, PaymentOption
from classbolt_schema.types.stripe import StripeLink

EXTENSION = SchemaExtension(None)
A_PAGE = 25

K = TypeVar("K")


def known(keys: Sequence[K | None]) -> list[K]:
    """Give each key once, and leave out where there is none."""
    return list({key for key in keys if key is not None})


# The account


@EXTENSION.field(
    Account, name="stripe", description="Its link with Stripe, if it has one. For owners."
)
async def stripe_of_account(
    parents: Sequence[Account], info: Info
) -> Sequence[StripeLink | None]:
    """Find how the account is linked with Stripe."""
    tx = await info.context.reading()
    tx.actor.require(Permission.RUN_ACCOUNT)
    link = await stripe_links.link_in_force(tx)
    shown = None if link is None else StripeLink.of(link, tx.account.slug)
    return [shown] * len(parents)


# Courses and sessions


@EXTENSION.field(
    Course, name="tag", description="The tag of its sessions that have none of their own."
)
async def tag_of_course(parents: Sequence[Course], info: Info) -> Sequence[Tag | None]:
    """Find the tags of courses."""
    return await _tags([parent.facts.tag_id for parent in parents], info)


@EXTENSION.field(Course, name="sessions", description="Its sessions in the order they start.")
async def sessions_of_course(
    parents: Sequence[Course], info: Info, first: First = A_PAGE, after: After = None
) -> Sequence[Connection[Session]]:
    """List the sessions of courses."""
    ids = [parent.facts.id for parent in parents]
    tx = await info.context.reading()
    found = await core_sessions.sessions_of(tx, ids, page(first, after))
    return [Connection[Session].of(found[key], Session.of) for key in ids]


@EXTENSION.field(Session, name="tag", description="Its own tag, or else its course's.")
async def tag_of_session(parents: Sequence[Session], info: Info) -> Sequence[Tag | None]:
    """Find the tags of sessions."""
    return await _tags([parent.facts.tag_id for parent in parents], info)


@EXTENSION.field(Session, name="course", description="The course it belongs to.")
async def course_of_session(parents: Sequence[Session], info: Info) -> Sequence[Course]:
    """Find the courses of sessions."""
    return await _courses([parent.facts.course_id for parent in parents], info)


@EXTENSION.field(
    Session,
    name="attendees",
    description="The active bookings of the session in the order they were made. For staff.",
)
async def attendees_of_session(
    parents: Sequence[Session], info: Info, first: First = A_PAGE, after: After = None
) -> Sequence[Connection[Booking] | None]:
    """List who comes to sessions."""
    ids = [parent.facts.id for parent in parents]
    tx = await info.context.reading()
    tx.actor.require(Permission.SERVE_CUSTOMERS)
    found = await bookings.attendees_of(tx, ids, page(first, after))
    return [Connection[Booking].of(found[key], Booking.of) for key in ids]


# Bookings


@EXTENSION.field(Booking, name="session", description="The session that was booked.")
async def session_of_booking(parents: Sequence[Booking], info: Info) -> Sequence[Session]:
    """Find the sessions of bookings."""
    ids = [parent.booking.session_id for parent in parents]
    found = await core_sessions.find_sessions(await info.context.reading(), known(ids))
    return [Session.of(found[key]) for key in ids]


@EXTENSION.field(Booking, name="customer", description="Who holds the place.")
async def customer_of_booking(parents: Sequence[Booking], info: Info) -> Sequence[Customer]:
    """Find the holders of bookings."""
    return await customers_of([parent.booking.customer_id for parent in parents], info)


@EXTENSION.field(
    Booking,
    name="courseBooking",
    description="The course booking it came with; null for others.",
)
async def course_booking_of_booking(
    parents: Sequence[Booking], info: Info
) -> Sequence[CourseBooking | None]:
    """Find the course bookings that own bookings."""
    ids = [parent.booking.course_booking_id for parent in parents]
    tx = await info.context.reading()
    found = await bookings.find_course_bookings(tx, known(ids))
    return [CourseBooking.of(found[key]) if key else None for key in ids]


@EXTENSION.field(
    Booking,
    name="payment",
    description="What was paid, for a course's place the payment of the course; null if a"
    " credit paid.",
)
async def payment_of_booking(
    parents: Sequence[Booking], info: Info
) -> Sequence[Payment | None]:
    """Find the payments of bookings."""
    ids = [parent.booking.payment_id for parent in parents]
    found = await _payments(known(ids), info)
    return [found[key] if key else None for key in ids]


@EXTENSION.field(
    Booking, name="customerBundle", description="The bundle whose credit paid; null otherwise."
)
async def bundle_of_booking(
    parents: Sequence[Booking], info: Info
) -> Sequence[CustomerBundle | None]:
    """Find the bundles that paid for bookings."""
    return await _held([parent.booking.customer_bundle_id for parent in parents], info)


@EXTENSION.field(
    Booking, name="cancellation", description="How the booking ended; null while it is active."
)
async def cancellation_of_booking(
    parents: Sequence[Booking], info: Info
) -> Sequence[Cancellation | None]:
    """Find the cancellations of bookings."""
    ids = [parent.booking.id for parent in parents]
    tx = await info.context.reading()
    found = await cancellations.find_cancellations(tx, ids)
    return [Cancellation.of(found[key]) if key in found else None for key in ids]


@EXTENSION.field(
    Refund,
    name="customerBundle",
    description="The bundle that received the credit; null if nothing was given.",
)
async def bundle_of_refund(
    parents: Sequence[Refund], info: Info
) -> Sequence[CustomerBundle | None]:
    """Find the bundles that refunds went to."""
    return await _held([parent.cancellation.customer_bundle_id for parent in parents], info)


@EXTENSION.field(
    Refund,
    name="cardRefund",
    description="What goes back to the card; null if nothing does.",
)
async def card_refund_of_refund(
    parents: Sequence[Refund], info: Info
) -> Sequence[CardRefund | None]:
    """Find what cancellations gave back in money."""
    ids = [parent.cancellation.id for parent in parents]
    found = await refunds.refunds_by_cancellation(await info.context.reading(), ids)
    return [CardRefund.of(found[key]) if key in found else None for key in ids]


@EXTENSION.field(CourseBooking, name="course", description="The course that was booked.")
async def course_of_course_booking(
    parents: Sequence[CourseBooking], info: Info
) -> Sequence[Course]:
    """Find the courses of course bookings."""
    return await _courses([parent.booking.course_id for parent in parents], info)


@EXTENSION.field(CourseBooking, name="customer", description="Who holds the places.")
async def customer_of_course_booking(
    parents: Sequence[CourseBooking], info: Info
) -> Sequence[Customer]:
    """Find the holders of course bookings."""
    return await customers_of([parent.booking.customer_id for parent in parents], info)


@EXTENSION.field(
    Payment,
    name="customerBundle",
    description="The bundle that it bought, once it was issued; null if it pays for places.",
)
async def bundle_of_payment(
    parents: Sequence[Payment], info: Info
) -> Sequence[CustomerBundle | None]:
    """Find what was bought."""
    ids = [parent.payment.id for parent in parents]
    bought = await sold.find_purchases(await info.context.reading(), known(ids))
    return await _held(
        [bought[key].customer_bundle_id if key in bought else None for key in ids], info
    )


@EXTENSION.field(
    CustomerBundle,
    name="payment",
    description="How it was paid for; null if it was given, or issued as a refund.",
)
async def payment_of_bundle(
    parents: Sequence[CustomerBundle], info: Info
) -> Sequence[Payment | None]:
    """Find how bundles were paid for."""
    ids = [parent.held.id for parent in parents]
    bought = await sold.purchases_of(await info.context.reading(), known(ids))
    found = await _payments([each.payment_id for each in bought.values()], info)
    return [found[bought[key].payment_id] if key in bought else None for key in ids]


@EXTENSION.field(
    Payment,
    name="refunds",
    description="What goes back of it to the card, in the order it was decided.",
)
async def refunds_of_payment(
    parents: Sequence[Payment], info: Info
) -> Sequence[list[CardRefund]]:
    """List what goes back of payments."""
    ids = [parent.payment.id for parent in parents]
    found = await refunds.refunds_of(await info.context.reading(), known(ids))
    return [[CardRefund.of(each) for each in found[key]] for key in ids]


@EXTENSION.field(CourseBooking, name="payment", description="What was paid for the course.")
async def payment_of_course_booking(
    parents: Sequence[CourseBooking], info: Info
) -> Sequence[Payment]:
    """Find the payments of course bookings."""
    ids = [parent.booking.payment_id for parent in parents]
    found = await _payments(known(ids), info)
    return [found[key] for key in ids]


@EXTENSION.field(
    CourseBooking, name="bookings", description="Its places in the order of their sessions."
)
async def bookings_of_course_booking(
    parents: Sequence[CourseBooking], info: Info, first: First = A_PAGE, after: After = None
) -> Sequence[Connection[Booking]]:
    """List the places of course bookings."""
    ids = [parent.booking.id for parent in parents]
    tx = await info.context.reading()
    found = await bookings.bookings_of_course_bookings(tx, ids, page(first, after))
    return [Connection[Booking].of(found[key], Booking.of) for key in ids]


# Bundles


@EXTENSION.field(Bundle, name="tags", description="The tags of sessions its credits pay for.")
async def tags_of_bundle(parents: Sequence[Bundle], info: Info) -> Sequence[list[Tag]]:
    """Find the tags of bundles."""
    ids = [parent.bundle.id for parent in parents]
    found = await bundles.tags_of_bundles(await info.context.reading(), ids)
    return [[Tag.of(tag) for tag in found.get(key, [])] for key in ids]


# Previews


@EXTENSION.field(
    PaymentOption,
    name="customerBundle",
    description="The bundle that would pay; null where none is named.",
)
async def bundle_of_option(
    parents: Sequence[PaymentOption], info: Info
) -> Sequence[CustomerBundle | None]:
    """Find the bundles that options name."""
    return await _held([parent.customer_bundle_id for parent in parents], info)


@EXTENSION.field(
    CancellationPreview,
    name="bundle",
    description="The bundle of which a copy would be issued; null otherwise.",
)
async def bundle_of_preview(
    parents: Sequence[CancellationPreview], info: Info
) -> Sequence[Bundle | None]:
    """Find the bundles that would be issued."""
    ids = [parent.bundle_id for parent in parents]
    found = await bundles.find_bundles(await info.context.reading(), known(ids))
    return [Bundle.of(found[key]) if key else None for key in ids]


@EXTENSION.field(
    CancellationPreview,
    name="customerBundle",
    description="The customer's bundle that would get its credit back; null otherwise.",
)
async def held_of_preview(
    parents: Sequence[CancellationPreview], info: Info
) -> Sequence[CustomerBundle | None]:
    """Find the bundles that would be credited back to."""
    return await _held([parent.customer_bundle_id for parent in parents], info)


async def _tags(ids: Sequence[TagId | None], info: Info) -> list[Tag | None]:
    found = await core_tags.find_tags(await info.context.reading(), known(ids))
    return [Tag.of(found[key]) if key else None for key in ids]


async def _courses(ids: Sequence[CourseId], info: Info) -> list[Course]:
    found = await courses.find_courses(await info.context.reading(), known(ids))
    return [Course.of(found[key]) for key in ids]


async def customers_of(ids: Sequence[CustomerId], info: Info) -> list[Customer]:
    """Show the customers of these ids, in their order."""
    found = await customers.find_customers(await info.context.reading(), known(ids))
    return [Customer.of(found[key]) for key in ids]


async def _payments(ids: Sequence[PaymentId], info: Info) -> Mapping[PaymentId, Payment]:
    found = await payments.find_payments(await info.context.reading(), ids)
    return {key: Payment.of(payment) for key, payment in found.items()}


async def _held(
    ids: Sequence[CustomerBundleId | None], info: Info
) -> list[CustomerBundle | None]:
    found = await holdings.find_held(await info.context.reading(), known(ids))
    return [CustomerBundle.of(found[key]) if key else None for key in ids]
