"""Where a credit could go: sessions that it pays for, found by the rules that book them.

The credit may be one that nobody holds yet: what cancelling a booking would give. The bolt-ons
are asked as for a booking, with that credit as all that the customer has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from classbolt import bundles, holdings, sessions
from classbolt.booking_rules import against_session
from classbolt.bookings import places_of
from classbolt.cancel import Preview
from classbolt.db import Tx
from classbolt.errors import Refusal
from classbolt.facts import (
    CREDIT,
    BookingDraft,
    CreditBack,
    HeldBundle,
    IssueBundle,
    PaymentOption,
    SessionFacts,
    WayToBook,
)
from classbolt.pages import Page
from classbolt.values import Actor, CustomerBundleId, CustomerId, SessionId, new_id

MOST_SESSIONS = 500
"""How many sessions are looked at, at most; the ones that start first."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A session that takes more than its course's members, as somebody with a credit sees it.

    Attributes:
        opens_at: From when on it can be booked, if not at once.
        takes_credit: Whether it can be paid with credits at all.
        misfits: Why this credit does not pay for it; empty if it does.
        obstacles: What else stands against booking it now.
    """

    session: SessionFacts
    opens_at: datetime | None
    takes_credit: bool
    misfits: tuple[Refusal, ...]
    obstacles: tuple[Refusal, ...]

    @property
    def is_paid_for(self) -> bool:
        """Say whether the credit pays for a place here, be it now or later."""
        return self.takes_credit and not self.misfits and not self.session.is_full

    @property
    def is_open(self) -> bool:
        """Say whether a place could be booked with the credit at this moment."""
        return self.is_paid_for and not self.obstacles


async def credit_of(tx: Tx, preview: Preview, *, now: datetime) -> HeldBundle | None:
    """Give the bundle that the customer would hold after cancelling; None if nothing is given.

    One that would be issued has an id that nobody knows.
    """
    match preview.terms.give_back:
        case IssueBundle(bundle_id, expires_at):
            bundle = await bundles.get_bundle(tx, bundle_id)
            tags = (await bundles.tags_of_bundles(tx, [bundle_id])).get(bundle_id, [])
            return HeldBundle(
                id=CustomerBundleId(new_id()),
                customer_id=preview.customer_id,
                bundle_id=bundle_id,
                balance=bundle.credits,
                issued_at=now,
                expires_at=expires_at,
                tag_ids=frozenset(tag.id for tag in tags),
            )
        case CreditBack(customer_bundle_id, expires_at):
            held = (await holdings.find_held(tx, [customer_bundle_id]))[customer_bundle_id]
            until = max(held.expires_at, expires_at or held.expires_at)
            return replace(held, balance=held.balance + 1, expires_at=until)
    return None


async def destinations(
    tx: Tx,
    actor: Actor,
    credit: HeldBundle,
    customer_id: CustomerId | None,
    *,
    until: datetime | None = None,
    now: datetime,
) -> list[Destination]:
    """Find the sessions to come that offer a way to be booked, in the order they start.

    Args:
        credit: All that the customer has to pay with.
        customer_id: Who would book; None if that does not matter.
        until: Only sessions that start before this.
    """
    coming = [
        session
        for session in await _sessions_to_come(tx, until, now)
        if session.starts_at > now
    ]
    held = set[SessionId]()
    if customer_id is not None:
        held = await places_of(tx, customer_id, [session.id for session in coming])
    drafts = [
        BookingDraft(session, credit.customer_id, actor, session.id in held, (credit,))
        for session in coming
    ]
    offered = await _with_ways(tx, drafts, now)
    vetoes = await tx.bolt_ons.check_booking(tx, offered, now)
    options = await tx.bolt_ons.payment_options(tx, offered, now)
    return [
        _destination(draft, way, some, reasons, credit, now)
        for draft, some, reasons in zip(offered, options, vetoes, strict=True)
        if (way := draft.way) is not None
    ]


async def swap_targets(
    tx: Tx, actor: Actor, preview: Preview, *, most: int, now: datetime
) -> list[SessionFacts]:
    """Find sessions that a booking could be swapped for at this moment.

    They are ranked by how near they are to the session that would be given up.
    """
    credit = await credit_of(tx, preview, now=now)
    if credit is None:
        return []
    found = await destinations(
        tx, actor, credit, preview.customer_id, until=credit.expires_at, now=now
    )
    given_up = preview.session
    fitting = [each.session for each in found if each.is_open and each.session != given_up]
    fitting.sort(key=lambda each: (abs(each.starts_at - given_up.starts_at), each.id))
    return fitting[:most]


async def usable_sessions(tx: Tx, actor: Actor, preview: Preview, *, now: datetime) -> int:
    """Count the sessions that the credit of a cancellation would pay for (X8)."""
    credit = await credit_of(tx, preview, now=now)
    if credit is None:
        return 0
    found = await destinations(
        tx, actor, credit, preview.customer_id, until=credit.expires_at, now=now
    )
    return sum(each.is_paid_for and each.session != preview.session for each in found)


async def _sessions_to_come(
    tx: Tx, until: datetime | None, now: datetime
) -> Sequence[SessionFacts]:
    page = await sessions.list_sessions(tx, Page(MOST_SESSIONS), since=now, until=until)
    return page.rows


async def _with_ways(
    tx: Tx, drafts: Sequence[BookingDraft], now: datetime
) -> list[BookingDraft]:
    """Keep the drafts for which there is a way to book, and note it."""
    offers = await tx.bolt_ons.ways_to_book(tx, drafts, now)
    ways = [
        next((offer for offer in some if isinstance(offer, WayToBook)), None) for some in offers
    ]
    return [replace(draft, way=way) for draft, way in zip(drafts, ways, strict=True) if way]


def _destination(
    draft: BookingDraft,
    way: WayToBook,
    options: Sequence[PaymentOption],
    vetoes: Sequence[Refusal],
    credit: HeldBundle,
    now: datetime,
) -> Destination:
    by_credit = [option for option in options if option.method == CREDIT]
    with_this = next((each for each in by_credit if each.source == credit.id), None)
    return Destination(
        session=draft.session,
        opens_at=way.opens_at,
        takes_credit=with_this is not None,
        misfits=with_this.refusals if with_this else (),
        obstacles=(*against_session(draft, now), *vetoes),
    )
