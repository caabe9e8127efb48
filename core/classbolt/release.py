"""End places: cancel them, free their seats, give back what was agreed, keep what was decided.

The UPDATE that cancels says whether this transaction was the one that did it. Sessions are
locked before, then the bundles that paid, then the course bookings that refunds are counted by.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, update

from classbolt import credits, holdings, refunds, sessions
from classbolt.bookings import BOOKED, CANCELLED, lock_course_bookings
from classbolt.cancellations import (
    CREDIT_BACK,
    NEW_BUNDLE,
    NONE,
    PAID_BACK,
    Cancellation,
    write_cancellations,
)
from classbolt.checks import mine
from classbolt.db import Tx
from classbolt.errors import AlreadyRefunded, RefundTooLarge, TryAgain
from classbolt.facts import BookingFacts, CreditBack, IssueBundle, PayBack, Terms
from classbolt.outbox import tell_cancelled
from classbolt.tables import bookings
from classbolt.terms import Choice, Wish
from classbolt.values import Actor, BookingId, CancellationId, CustomerBundleId, new_id

LONGEST_REASON = 500

OUTCOMES: Mapping[type, str] = {
    IssueBundle: NEW_BUNDLE,
    CreditBack: CREDIT_BACK,
    PayBack: PAID_BACK,
}

CANCEL = (
    update(bookings)
    .where(
        mine(bookings),
        bookings.c.id.in_(bindparam("booking_ids", expanding=True)),
        bookings.c.status == BOOKED,
    )
    .values(status=CANCELLED)
    .returning(bookings.c.id)
)


async def lock_for_release(tx: Tx, facts: Sequence[BookingFacts]) -> None:
    """Lock what ending these places may give credits to, and what caps count by."""
    paid = [each.customer_bundle.id for each in facts if each.customer_bundle]
    await holdings.lock_bundles(tx, paid)
    await lock_course_bookings(tx, [each.origin_id for each in facts if each.origin_id])


async def release(
    tx: Tx,
    actor: Actor,
    facts: Sequence[BookingFacts],
    terms: Sequence[Terms],
    wish: Wish,
    *,
    now: datetime,
) -> list[Cancellation]:
    """End places on terms that were asked for under lock.

    Raises:
        TryAgain: One of them was ended, or paid back, by a request that ran at the same time.
    """
    if not facts:
        return []
    cancelled = await tx.all(CANCEL, {"booking_ids": [each.id for each in facts]})
    if len(cancelled) != len(facts):
        raise TryAgain
    await sessions.free_seats(tx, Counter(each.session.id for each in facts))
    received = await _give_back(tx, actor, facts, terms, wish, now=now)
    written = [
        _cancellation(actor, each, agreed, wish, received.get(each.id), now)
        for each, agreed in zip(facts, terms, strict=True)
    ]
    await write_cancellations(tx, written)
    await _pay_back(tx, facts, terms, written, now=now)
    await tx.bolt_ons.cancellations_written(tx, written, now)
    await tell_cancelled(tx, facts, now=now)
    return written


async def _give_back(
    tx: Tx,
    actor: Actor,
    facts: Sequence[BookingFacts],
    terms: Sequence[Terms],
    wish: Wish,
    *,
    now: datetime,
) -> dict[BookingId, CustomerBundleId]:
    """Issue and credit back what the terms say, and tell which bundle received the credit."""
    agreed = list(zip(facts, terms, strict=True))
    issues = {
        each.id: credits.Issue(
            each.customer_id,
            back.bundle_id,
            back.expires_at,
            each.id,
            each.origin_id,
            wish.note,
        )
        for each, found in agreed
        if isinstance(back := found.give_back, IssueBundle)
    }
    backs = [
        credits.Back(back.customer_bundle_id, each.id, back.expires_at, wish.note)
        for each, found in agreed
        if isinstance(back := found.give_back, CreditBack)
    ]
    issued = await credits.issue(tx, actor, list(issues.values()), now=now)
    await credits.credit_back(tx, actor, backs, now=now)
    received = {each.booking_id: each.customer_bundle_id for each in backs}
    return received | dict(zip(issues, issued, strict=True))


async def _pay_back(
    tx: Tx,
    facts: Sequence[BookingFacts],
    terms: Sequence[Terms],
    written: Sequence[Cancellation],
    *,
    now: datetime,
) -> None:
    """Promise to give money back where the terms say so; Stripe is asked after the commit.

    Raises:
        TryAgain: Money went back for something else at the same time.
    """
    for about, agreed, cancellation in zip(facts, terms, written, strict=True):
        if not isinstance(agreed.give_back, PayBack):
            continue
        assert about.payment_id is not None
        wanted = refunds.NewRefund(
            about.payment_id,
            agreed.give_back.amount_minor,
            refunds.CANCELLATION,
            cancellation_id=cancellation.id,
        )
        try:
            await refunds.request(tx, wanted, now=now)
        except RefundTooLarge as gone:
            raise TryAgain from gone


def _cancellation(
    actor: Actor,
    facts: BookingFacts,
    terms: Terms,
    wish: Wish,
    received: CustomerBundleId | None,
    now: datetime,
) -> Cancellation:
    outcome = NONE if terms.give_back is None else OUTCOMES[type(terms.give_back)]
    return Cancellation(
        id=CancellationId(new_id()),
        booking_id=facts.id,
        cancelled_at=now,
        actor_kind=actor.kind,
        actor_id=actor.id,
        by_business=facts.by_business,
        choice=wish.choice.value,
        note=wish.note,
        outcome=outcome,
        reason=terms.refusal.code if terms.refusal else None,
        reason_text=terms.refusal.message[:LONGEST_REASON] if terms.refusal else None,
        option=terms.option,
        deadline=terms.deadline,
        decided_by=terms.decided_by,
        policy=dict(terms.policy),
        customer_bundle_id=received,
        refund_due=_is_due(facts, terms, wish),
    )


def _is_due(facts: BookingFacts, terms: Terms, wish: Wish) -> bool:
    """Say whether staff owe a refund by hand: it is wanted, and nothing is given (X13).

    Nothing is owed for what cost nothing, was not paid, or has gone back already.
    """
    is_wanted = facts.by_business or wish.choice is Choice.CASH
    if not is_wanted or terms.give_back is not None or facts.is_refunded:
        return False
    if isinstance(terms.refusal, AlreadyRefunded):
        return False
    return facts.is_settled and (facts.customer_bundle is not None or facts.amount_minor > 0)
