"""What cancelling gives back: the facts of a place, and the answer to who asks.

Previews and cancellations ask the same questions in the same order, so that they cannot
disagree. Nothing is written here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import bindparam, select

from classbolt import bundles, holdings
from classbolt.bookings import BOOKED
from classbolt.card_shares import Share, card_shares
from classbolt.checks import mine
from classbolt.columns import AnyRow
from classbolt.db import Tx
from classbolt.errors import (
    AlreadyRefunded,
    BoltOnOff,
    InvalidInput,
    NotPaidByCard,
    RefundDeclined,
    Refusal,
    SessionStarted,
)
from classbolt.facts import (
    CARD,
    CREDIT,
    BookingFacts,
    IssueBundle,
    PayBack,
    SessionFacts,
    Terms,
)
from classbolt.tables import bookings, payments
from classbolt.times import after
from classbolt.values import BundleId, SessionId


class Choice(StrEnum):
    """What whoever cancels wants to come of the refund (B6, B7, G4)."""

    POLICY = "POLICY"
    NONE = "NONE"
    GOODWILL = "GOODWILL"
    CREDITS = "CREDITS"
    CASH = "CASH"


@dataclass(frozen=True, slots=True)
class Wish:
    """What whoever cancels wants to come of the refund; by default what the rules say.

    Attributes:
        note: Why staff want it so, in their words.
        bundle_id: Of which bundle a copy is issued, for GOODWILL and CREDITS.
        bundle_place: Where in the input the bundle stands, for a refusal of it.
        expected: The quote of a preview; anything less is refused.
    """

    choice: Choice = Choice.POLICY
    note: str | None = None
    bundle_id: BundleId | None = None
    bundle_place: tuple[str, ...] = ("bundle",)
    expected: str | None = None


BY_THE_RULES = Wish()

PLACES = (
    select(
        bookings.c.id,
        bookings.c.session_id,
        bookings.c.customer_id,
        bookings.c.course_booking_id,
        bookings.c.way,
        bookings.c.status,
        bookings.c.payment_id,
        bookings.c.customer_bundle_id,
        bookings.c.origin_id,
        bookings.c.booked_at,
        payments.c.method,
        payments.c.amount_minor,
        payments.c.paid_at,
    )
    .outerjoin(
        payments,
        (payments.c.account_id == bookings.c.account_id)
        & (payments.c.id == bookings.c.payment_id),
    )
    .where(mine(bookings))
    .order_by(bookings.c.id)
)
PLACE = PLACES.where(bookings.c.id == bindparam("booking_id"))
ACTIVE_PLACES = PLACES.where(bookings.c.status == BOOKED)
PLACES_OF_SESSIONS = ACTIVE_PLACES.where(
    bookings.c.session_id.in_(bindparam("session_ids", expanding=True))
)
PLACES_OF_COURSE_BOOKING = ACTIVE_PLACES.where(
    bookings.c.course_booking_id == bindparam("course_booking_id")
)


async def facts_of(
    tx: Tx,
    rows: Sequence[AnyRow],
    sessions: Mapping[SessionId, SessionFacts],
    *,
    now: datetime,
    by_business: bool = False,
    is_goodwill: bool = False,
) -> list[BookingFacts]:
    """Gather what the rules need to know of places that PLACES selected."""
    held = await holdings.find_held(
        tx, [row.customer_bundle_id for row in rows if row.customer_bundle_id]
    )
    by_card = [(row.payment_id, row.id) for row in rows if row.method == CARD]
    shares = await card_shares(tx, by_card)
    no_share = Share(0, is_refunded=False)
    return [
        BookingFacts(
            id=row.id,
            session=sessions[row.session_id],
            customer_id=row.customer_id,
            course_booking_id=row.course_booking_id,
            way=row.way,
            method=row.method or CREDIT,
            amount_minor=row.amount_minor or 0,
            is_settled=row.customer_bundle_id is not None or row.paid_at is not None,
            customer_bundle=held.get(row.customer_bundle_id),
            by_business=by_business,
            is_goodwill=is_goodwill,
            is_moved=_is_moved(sessions[row.session_id], row.booked_at, now),
            origin_id=row.origin_id,
            payment_id=row.payment_id,
            card_share_minor=shares.get(row.id, no_share).left_minor,
            is_refunded=shares.get(row.id, no_share).is_refunded,
        )
        for row in rows
    ]


async def terms_of(
    tx: Tx, facts: Sequence[BookingFacts], wish: Wish, *, now: datetime
) -> list[Terms]:
    """Say for each place what cancelling it gives back, as wished.

    Raises:
        NotFound: The bundle that staff named is unknown.
        InvalidInput: It is archived.
        Refusal: Staff want goodwill, and named no bundle where the rules know of none.
    """
    if wish.choice is Choice.NONE:
        return [Terms(refusal=RefundDeclined()) for _ in facts]
    if wish.choice is Choice.CASH:
        return [
            Terms(give_back=PayBack(each.card_share_minor))
            if each.card_share_minor
            else Terms(refusal=AlreadyRefunded() if each.method == CARD else NotPaidByCard())
            for each in facts
        ]
    if wish.bundle_id is not None:
        back = await _copy_of(tx, wish.bundle_id, wish.bundle_place, now)
        return [Terms(give_back=back) for _ in facts]
    answers = await tx.bolt_ons.cancellation_terms(tx, facts, now)
    terms = [answer or Terms(refusal=BoltOnOff()) for answer in answers]
    if wish.choice is Choice.GOODWILL:
        for each in terms:
            if each.refusal is not None:
                raise each.refusal.at("refund")
        return terms
    vetoes = await tx.bolt_ons.check_refund(tx, facts, terms, now)
    return [
        _unless(each, veto or _too_late(about, now) or _gone_back(about))
        for about, each, veto in zip(facts, terms, vetoes, strict=True)
    ]


async def _copy_of(
    tx: Tx, bundle_id: BundleId, place: tuple[str, ...], now: datetime
) -> IssueBundle:
    bundle = await bundles.get_bundle(tx, bundle_id, *place)
    if bundle.archived_at is not None:
        raise InvalidInput("This bundle is archived.", *place)
    return IssueBundle(bundle_id, after(now, bundle.validity, tx.account.time_zone))


def _unless(terms: Terms, veto: Refusal | None) -> Terms:
    if veto is None or terms.give_back is None:
        return terms
    return replace(terms, give_back=None, refusal=veto)


def _too_late(facts: BookingFacts, now: datetime) -> SessionStarted | None:
    """Give nothing by itself for what has begun, whatever the notice is (X6)."""
    return SessionStarted() if facts.session.starts_at <= now else None


def _gone_back(facts: BookingFacts) -> AlreadyRefunded | None:
    """Give nothing of worth for what has been given back already, whatever the policy is."""
    return AlreadyRefunded() if facts.is_refunded else None


def _is_moved(session: SessionFacts, booked_at: datetime, now: datetime) -> bool:
    """Say whether a session to come was moved after it was booked (X3)."""
    return (
        session.moved_at is not None
        and booked_at <= session.moved_at
        and now < session.starts_at
    )
