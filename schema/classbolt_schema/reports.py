"""What staff look up about the business: credits still owed, refunds given, denied and due."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import strawberry

from classbolt import bookings, disputes, payments, reports, staff_refunds
from classbolt.values import Permission
from classbolt_schema.compose.info import Info
from classbolt_schema.pagination import After, Connection, First, page
from classbolt_schema.people import sees_notes, staff_of
from classbolt_schema.relations import A_PAGE, EXTENSION, known
from classbolt_schema.types.booking import Booking, Cancellation, Payment
from classbolt_schema.types.bundle import Bundle, CustomerBundle
from classbolt_schema.types.card_payment import CardDispute, CardRefund
from classbolt_schema.types.report import Outstanding, RefundCount
from classbolt_schema.types.staff import Staff

From = Annotated[
    datetime | None,
    strawberry.argument(
        name="from", description="Only what was cancelled at this moment or later."
    ),
]
Until = Annotated[
    datetime | None, strawberry.argument(description="Only what was cancelled before this.")
]
OfOutcome = Annotated[
    str | None,
    strawberry.argument(
        description="Only those that gave this: NEW_BUNDLE, CREDIT_BACK, PAID_BACK or NONE."
    ),
]
ForReason = Annotated[
    str | None,
    strawberry.argument(
        description="Only those that gave nothing for this reason, such as NOTICE_TOO_SHORT."
    ),
]


# Credits still owed


@EXTENSION.field(
    Bundle,
    name="outstanding",
    description="The credits on copies of it that nobody has spent, at this moment. For staff.",
)
async def outstanding_of_bundle(
    parents: Sequence[Bundle], info: Info
) -> Sequence[Outstanding | None]:
    """Sum up what is left on the copies of bundles."""
    ids = [parent.bundle.id for parent in parents]
    tx = await info.context.reading()
    found = await reports.outstanding_of(tx, tx.actor, ids, now=info.context.now)
    return [Outstanding.of(found[key]) for key in ids]


@EXTENSION.field(
    Bundle,
    name="holders",
    description="The copies of it that can still be spent, the first to expire first. For"
    " staff.",
)
async def holders_of_bundle(
    parents: Sequence[Bundle], info: Info, first: First = A_PAGE, after: After = None
) -> Sequence[Connection[CustomerBundle] | None]:
    """List who still holds credits of bundles."""
    ids = [parent.bundle.id for parent in parents]
    tx = await info.context.reading()
    found = await reports.holders_of(
        tx, tx.actor, ids, page(first, after), now=info.context.now
    )
    return [Connection[CustomerBundle].of(found[key], CustomerBundle.of) for key in ids]


# Refunds


@EXTENSION.query(
    name="refunds",
    description="How bookings ended and what that gave back, or why nothing, the latest first."
    " For staff.",
)
async def list_refunds(
    info: Info,
    first: First = A_PAGE,
    after: After = None,
    since: From = None,
    until: Until = None,
    outcome: OfOutcome = None,
    reason: ForReason = None,
) -> Connection[Cancellation] | None:
    """List refunds given and denied."""
    tx = await info.context.reading()
    found = await reports.list_refunds(
        tx,
        tx.actor,
        page(first, after),
        since=since,
        until=until,
        outcome=outcome,
        reason=reason,
    )
    return Connection[Cancellation].of(found, Cancellation.of)


@EXTENSION.query(
    name="refundSummary",
    description="How many cancellations gave what, or nothing for which reason, the most"
    " frequent first. For staff.",
)
async def refund_summary(
    info: Info, since: From = None, until: Until = None
) -> list[RefundCount] | None:
    """Count refunds given and denied."""
    tx = await info.context.reading()
    found = await reports.count_refunds(tx, tx.actor, since=since, until=until)
    return [RefundCount.of(each) for each in found]


@EXTENSION.query(
    name="manualRefundsDue",
    description="What was paid for, is to be refunded because the business called it off or"
    " wants the money to go back, and could not be; without what staff have refunded by hand"
    " since, and what has gone back to the card with all of its payment. The oldest first. For"
    " staff.",
)
async def manual_refunds_due(
    info: Info, first: First = A_PAGE, after: After = None
) -> Connection[Cancellation] | None:
    """List the refunds that are due by hand."""
    tx = await info.context.reading()
    found = await reports.list_refunds_due(tx, tx.actor, page(first, after))
    return Connection[Cancellation].of(found, Cancellation.of)


@EXTENSION.query(
    name="failedRefunds",
    description="Refunds that did not reach the card, so that the business owes the money in"
    " another way, the latest first. They are listed until `markRefunded` has noted that they"
    " were made good, or nothing is left of the payment. For staff.",
)
async def failed_refunds(
    info: Info, first: First = A_PAGE, after: After = None
) -> Connection[CardRefund] | None:
    """List the refunds that failed."""
    tx = await info.context.reading()
    found = await staff_refunds.list_failed_refunds(tx, tx.actor, page(first, after))
    return Connection[CardRefund].of(found, CardRefund.of)


@EXTENSION.query(
    name="disputes",
    description="The disputes about payments by card, the latest first. For staff.",
)
async def list_disputes(
    info: Info, first: First = A_PAGE, after: After = None
) -> Connection[CardDispute] | None:
    """List the disputes."""
    tx = await info.context.reading()
    found = await disputes.list_disputes(tx, tx.actor, page(first, after))
    return Connection[CardDispute].of(found, CardDispute.of)


@EXTENSION.field(CardDispute, name="payment", description="The payment that is disputed.")
async def payment_of_dispute(parents: Sequence[CardDispute], info: Info) -> Sequence[Payment]:
    """Find the payments of disputes."""
    ids = [parent.dispute.payment_id for parent in parents]
    found = await payments.find_payments(await info.context.reading(), known(ids))
    return [Payment.of(found[key]) for key in ids]


@EXTENSION.field(
    Payment,
    name="disputes",
    description="The disputes about it. For staff; others are told of none.",
)
async def disputes_of_payment(
    parents: Sequence[Payment], info: Info
) -> Sequence[list[CardDispute]]:
    """List the disputes about payments."""
    tx = await info.context.reading()
    if not tx.actor.may(Permission.SERVE_CUSTOMERS):
        return [[] for _ in parents]
    ids = [parent.payment.id for parent in parents]
    found = await disputes.disputes_of(tx, known(ids))
    return [[CardDispute.of(each) for each in found[key]] for key in ids]


@EXTENSION.field(
    Payment,
    name="creditsGiven",
    description="The bundles that the customer holds because of it: bought with it, or given"
    " when what it paid for was cancelled. If the money goes back, see to them with"
    " `revokeCredits`.",
)
async def credits_of_payment(
    parents: Sequence[Payment], info: Info
) -> Sequence[list[CustomerBundle]]:
    """Find what payments have earned."""
    ids = [parent.payment.id for parent in parents]
    found = await disputes.credits_given(await info.context.reading(), known(ids))
    return [[CustomerBundle.of(each) for each in found[key]] for key in ids]


@EXTENSION.field(
    CardRefund, name="payment", description="The payment that it gives back, or a part of it."
)
async def payment_of_refund(parents: Sequence[CardRefund], info: Info) -> Sequence[Payment]:
    """Find the payments of refunds."""
    ids = [parent.refund.payment_id for parent in parents]
    found = await payments.find_payments(await info.context.reading(), known(ids))
    return [Payment.of(found[key]) for key in ids]


@EXTENSION.field(
    CardRefund,
    name="refundNote",
    description="How staff gave it back in another way, in their words; null if they said"
    " nothing, and for customers.",
)
async def refund_note_of_card_refund(
    parents: Sequence[CardRefund], info: Info
) -> Sequence[str | None]:
    """Show staff how they made good what failed."""
    may_see = sees_notes(await info.context.reading())
    return [parent.refund.refund_note if may_see else None for parent in parents]


@EXTENSION.field(
    CardRefund,
    name="refundedBy",
    description="Who noted that it was given back in another way; null if nobody did, and for"
    " customers.",
)
async def refunded_by_of_card_refund(
    parents: Sequence[CardRefund], info: Info
) -> Sequence[Staff | None]:
    """Find who made good what failed."""
    return await staff_of([parent.refund.refunded_by_id for parent in parents], info)


@EXTENSION.field(Cancellation, name="booking", description="The booking that ended.")
async def booking_of_cancellation(
    parents: Sequence[Cancellation], info: Info
) -> Sequence[Booking]:
    """Find the bookings that were cancelled."""
    ids = [parent.cancellation.booking_id for parent in parents]
    found = await bookings.find_bookings(await info.context.reading(), known(ids))
    return [Booking.of(found[key]) for key in ids]


@EXTENSION.field(
    Cancellation,
    name="note",
    description="Why staff cancelled it so, in their words; null if they said nothing, and for"
    " customers.",
)
async def note_of_cancellation(
    parents: Sequence[Cancellation], info: Info
) -> Sequence[str | None]:
    """Show staff what they noted."""
    may_see = sees_notes(await info.context.reading())
    return [parent.cancellation.note if may_see else None for parent in parents]


@EXTENSION.field(
    Cancellation,
    name="refundNote",
    description="How it was refunded in another way, in the words of staff; null if they said"
    " nothing, and for customers.",
)
async def refund_note_of_cancellation(
    parents: Sequence[Cancellation], info: Info
) -> Sequence[str | None]:
    """Show staff how they refunded."""
    may_see = sees_notes(await info.context.reading())
    return [parent.cancellation.refund_note if may_see else None for parent in parents]


@EXTENSION.field(
    Cancellation,
    name="refundedBy",
    description="Who noted that it was refunded in another way; null if nobody did, and for"
    " customers.",
)
async def refunded_by_of_cancellation(
    parents: Sequence[Cancellation], info: Info
) -> Sequence[Staff | None]:
    """Find who refunded by hand."""
    return await staff_of([parent.cancellation.refunded_by_id for parent in parents], info)
