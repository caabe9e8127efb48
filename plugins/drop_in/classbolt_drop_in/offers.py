"""Drop-in offers of sessions: read, listed while open, written with their sessions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, case, delete, func, or_, select

from classbolt import (
    TAKES_A_SEAT,
    Money,
    Page,
    PageOf,
    Period,
    SessionFacts,
    SessionId,
    TagId,
    Tx,
    Unit,
    list_sessions,
    mine,
)
from classbolt.tables import bookings, sessions
from classbolt_drop_in.offer import DROP_IN, DropInOffer
from classbolt_drop_in.tables import offers

# Nobody else can book while somebody does: every booking locks its session.
TAKEN = (
    select(func.count())
    .where(
        mine(bookings),
        bookings.c.session_id == offers.c.session_id,
        bookings.c.way == DROP_IN,
        bookings.c.status.in_(TAKES_A_SEAT),
    )
    .scalar_subquery()
)
OFFERS = select(
    offers.c.session_id,
    offers.c.price_minor,
    offers.c.opens_before_value,
    offers.c.opens_before_unit,
    offers.c.payment_methods,
    offers.c.cap,
    case((offers.c.cap.is_not(None), TAKEN), else_=0).label("taken"),
).where(mine(offers), offers.c.session_id.in_(bindparam("ids", expanding=True)))
# A session may have been moved while the bolt-on was off, and an account's zone may change; the
# stored opening then belongs to the old start or zone. Such offers are let through here and
# judged by the rule itself.
OPEN = (
    select(offers.c.session_id)
    .join(
        sessions,
        (sessions.c.account_id == offers.c.account_id) & (sessions.c.id == offers.c.session_id),
    )
    .where(
        mine(offers),
        or_(
            offers.c.opens_at <= bindparam("now"),
            offers.c.for_start != sessions.c.starts_at,
            offers.c.for_zone != bindparam("zone"),
        ),
        sessions.c.starts_at > bindparam("now"),
        sessions.c.seats_taken < sessions.c.capacity,
        or_(offers.c.cap.is_(None), offers.c.cap > TAKEN),
    )
)
DELETE = delete(offers).where(
    mine(offers), offers.c.session_id.in_(bindparam("ids", expanding=True))
)


async def find_offers(
    tx: Tx, session_ids: Collection[SessionId]
) -> Mapping[SessionId, DropInOffer]:
    """Find the offers of sessions; most sessions have none."""
    ids = list(session_ids)
    return {
        row.session_id: DropInOffer(
            price=Money(row.price_minor, tx.account.currency),
            opens_before=Period(row.opens_before_value, Unit(row.opens_before_unit)),
            methods=frozenset(row.payment_methods),
            cap=row.cap,
            taken=row.taken,
        )
        for row in (await tx.all(OFFERS, {"ids": ids}) if ids else ())
    }


async def list_open(
    tx: Tx,
    page: Page,
    *,
    since: datetime | None,
    until: datetime | None,
    tag_id: TagId | None,
    now: datetime,
) -> PageOf[SessionFacts]:
    """List sessions that drop-ins can book at this moment and that have a free seat."""
    zone = tx.account.time_zone
    found = await list_sessions(
        tx,
        page,
        since=since,
        until=until,
        tag_id=tag_id,
        among=OPEN.params(now=now, zone=zone.key, account=tx.account.id),
    )
    there = await find_offers(tx, [session.id for session in found.rows])
    return found.only(lambda session: there[session.id].opens_at(session, zone) <= now)


async def set_offers(tx: Tx, wanted: Sequence[tuple[SessionFacts, DropInOffer | None]]) -> None:
    """Give sessions offers in place of the ones they had, or none."""
    await tx.execute(DELETE, {"ids": [session.id for session, _ in wanted]})
    rows = [
        {
            "session_id": session.id,
            "price_minor": offer.price.amount_minor,
            "opens_before_value": offer.opens_before.value,
            "opens_before_unit": offer.opens_before.unit.value,
            "payment_methods": sorted(offer.methods),
            "opens_at": offer.opens_at(session, tx.account.time_zone),
            "for_start": session.starts_at,
            "for_zone": tx.account.time_zone.key,
            "cap": offer.cap,
        }
        for session, offer in wanted
        if offer is not None
    ]
    if rows:
        await tx.insert(offers, *rows)
