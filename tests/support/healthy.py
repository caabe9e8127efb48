"""A small studio row by row, every table in use, for tests that break one row or the other.

Ana bought a course and cancelled one session of it for a credit (H1). She spent that on SAT,
cancelled in time, got it back and spent it again. She also spent one of ten credits (H2) on a
session that was then called off, for which she was refunded by hand. Ben and Cam sit in a
session whose capacity was lowered. Ben bought ten credits. Cam is of two customers, paid by
card, got a part back, another one in cash since it did not reach his card, and had a bundle
revoked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Executable, Insert, NullPool, Table, Update, insert, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from classbolt import tables as t
from classbolt.bolt_ons import BoltOns
from classbolt.doctor import Keys
from classbolt.migrate import components
from classbolt.sealed import Seal
from classbolt.testing.databases import Seed

Deed = Callable[[AsyncConnection], Awaitable[None]]

NORTH, SOUTH = 1, 2
NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
BEFORE = NOW - timedelta(days=5)
LATER = NOW + timedelta(days=5)
KEYS = Keys(has_stripe_key=True, seal=Seal())
"""What there is to use its link with: it goes by the installation's own key."""

_numbers = count(1)


def key() -> UUID:
    """Make an id that is the same in every run."""
    return UUID(int=next(_numbers))


NOBODY = key()
OWNER, ANA, BEN, CAM, MERGED, STRANGER = key(), key(), key(), key(), key(), key()
BEG, RB, TEN = key(), key(), key()
MON, SAT, ELSEWHERE = key(), key(), key()
MON_1, MON_2, SAT_1, OFF = key(), key(), key(), key()
OF_ANA, MORE_OF_ANA, OF_BEN, OF_CAM = key(), key(), key(), key()
LINK = key()
COURSE_BOOKING = key()
H1, H2, OF_BEN_TOO, REVOKED = key(), key(), key(), key()
GIVEN_UP, KEPT, SWAPPED, AGAIN, CALLED_OFF = key(), key(), key(), key(), key()
BENS, CAMS = key(), key()
FOR_GIVEN_UP, FOR_SWAPPED, FOR_CALLED_OFF = key(), key(), key()
ISSUE_1, SPEND_1, BACK_1, SPEND_2 = key(), key(), key(), key()
ISSUE_2, SPEND_3, ISSUE_3, ISSUE_4, TAKEN = key(), key(), key(), key(), key()
FOR_TEN, BOUGHT, PART, MADE_GOOD = key(), key(), key(), key()

BY_NAME = {
    table.name: table
    for component in components(BoltOns.discover().installed.values())
    for table in component.metadata.tables.values()
}
"""Every table, of core and of the installed bolt-ons."""


def line(
    id_: UUID, held: UUID, kind: str, amount: int, booking: UUID | None = None
) -> dict[str, Any]:
    """Write a line of the ledger."""
    return {
        "id": id_,
        "customer_bundle_id": held,
        "kind": kind,
        "amount": amount,
        "booking_id": booking,
        "correlation_id": key(),
        "actor_kind": "CUSTOMER",
        "entered_at": BEFORE,
    }


def booking(id_: UUID, session: UUID, customer: UUID, **more: Any) -> dict[str, Any]:
    """Write a booking."""
    plain = {"id": id_, "session_id": session, "customer_id": customer, "way": "drop_in"}
    return {**plain, "status": "BOOKED", "booked_at": BEFORE, **more}


def cancellation(id_: UUID, of: UUID, outcome: str, held: UUID | None) -> dict[str, Any]:
    """Write a cancellation."""
    return {
        "id": id_,
        "booking_id": of,
        "cancelled_at": BEFORE,
        "actor_kind": "CUSTOMER",
        "by_business": False,
        "outcome": outcome,
        "reason": None if held else "BOLT_ON_OFF",
        "customer_bundle_id": held,
    }


def session(id_: UUID, course: UUID, seats: int, taken: int, **more: Any) -> dict[str, Any]:
    """Write a session."""
    times = {"starts_at": LATER, "ends_at": LATER + timedelta(hours=1), "created_at": BEFORE}
    counts = {"capacity": seats, "over_capacity": 0, "seats_taken": taken}
    return {"id": id_, "course_id": course, **times, **counts, **more}


def _named(**ids: UUID) -> list[dict[str, Any]]:
    return [
        {"id": each, "name": name.title(), "created_at": BEFORE} for name, each in ids.items()
    ]


def _bundle(id_: UUID, credits: int) -> dict[str, Any]:
    validity = {"validity_value": 30, "validity_unit": "DAYS"}
    made = {
        "name": "Bundle",
        "on_sale": False,
        "created_at": BEFORE,
        "payment_methods": ["offline"],
    }
    return {"id": id_, "credits": credits, **validity, **made}


def _course(id_: UUID) -> dict[str, Any]:
    texts = {"title": "Course", "description": "", "payment_methods": ["offline"]}
    return {"id": id_, "tag_id": BEG, "price_minor": 6000, "created_at": BEFORE, **texts}


def payment(id_: UUID, customer: UUID) -> dict[str, Any]:
    """Write a payment."""
    paid = {"method": "offline", "amount_minor": 1200, "paid_at": BEFORE}
    return {"id": id_, "customer_id": customer, "created_at": BEFORE, **paid}


def by_card(id_: UUID, customer: UUID) -> dict[str, Any]:
    """Write a payment by card that nothing came of so far."""
    return {**payment(id_, customer), "method": "card", "paid_at": None}


def card(of: UUID, state: str, intent: str, captured: int = 0, **more: Any) -> dict[str, Any]:
    """Write how a payment by card stands."""
    row = {"payment_id": of, "link_id": LINK, "state": state, "hold_until": LATER}
    return {**row, "intent_id": intent, "captured_minor": captured, **more}


def refund(id_: UUID, of: UUID, amount: int, cause: str, name: str) -> dict[str, Any]:
    """Write a refund that has reached its card."""
    row = {"id": id_, "payment_id": of, "amount_minor": amount, "cause": cause}
    there = {"state": "SUCCEEDED", "stripe_refund_id": name}
    return {**row, **there, "requested_at": BEFORE, "settled_at": BEFORE}


def purchase(
    id_: UUID, customer: UUID, payment: UUID, status: str, issued: UUID | None
) -> dict[str, Any]:
    """Write that a customer bought ten credits."""
    row = {"id": id_, "customer_id": customer, "bundle_id": TEN, "payment_id": payment}
    return {**row, "status": status, "customer_bundle_id": issued, "bought_at": BEFORE}


def _held(id_: UUID, customer: UUID, bundle: UUID, credits: int, left: int) -> dict[str, Any]:
    lives = {"issued_at": BEFORE, "expires_at": LATER}
    counts = {"credits": credits, "balance": left}
    return {"id": id_, "customer_id": customer, "bundle_id": bundle, **lives, **counts}


def _on(code: str) -> dict[str, Any]:
    return {"code": code, "enabled": True, "changed_at": BEFORE}


FROM_COURSE = {"origin_id": COURSE_BOOKING}
BY_COURSE = {"course_booking_id": COURSE_BOOKING, "way": "course", "payment_id": OF_ANA}
BY_COURSE |= FROM_COURSE
CANCELLED = {"status": "CANCELLED"}
ROWS: dict[str, list[dict[str, Any]]] = {
    "staff": [
        {"id": OWNER, "name": "The owner", "role": "OWNER", "created_at": BEFORE},
    ],
    "customers": [
        *_named(ana=ANA, ben=BEN, cam=CAM),
        {**_named(merged=MERGED)[0], "merged_into_id": CAM},
    ],
    "memberships": [
        {"issuer": "us", "subject": "ana", "customer_id": ANA, "created_at": BEFORE},
        {"issuer": "us", "subject": "owner", "staff_id": OWNER, "created_at": BEFORE},
    ],
    "tags": _named(beg=BEG),
    "bundles": [_bundle(RB, 1), _bundle(TEN, 10)],
    "bundle_tags": [{"bundle_id": RB, "tag_id": BEG}],
    "courses": [_course(MON), _course(SAT)],
    "sessions": [
        session(MON_1, MON, 1, 2, over_capacity=1, tag_id=BEG),
        session(MON_2, MON, 9, 1),
        session(SAT_1, SAT, 9, 1),
        session(OFF, SAT, 9, 0, called_off_at=BEFORE),
    ],
    "payments": [
        {**payment(OF_ANA, ANA), "marked_by_id": OWNER},
        payment(MORE_OF_ANA, ANA),
        payment(OF_BEN, BEN),
        payment(FOR_TEN, BEN),
        {**by_card(OF_CAM, CAM), "paid_at": BEFORE},
    ],
    "stripe_links": [{"id": LINK, "kind": "OWN", "linked_at": BEFORE}],
    "card_payments": [card(OF_CAM, "PAID", "pi_1", 1200, refunded_elsewhere_minor=200)],
    "refunds": [
        refund(PART, OF_CAM, 200, "ELSEWHERE", "re_1"),
        {
            **refund(MADE_GOOD, OF_CAM, 300, "STAFF", "re_4"),
            "staff_id": OWNER,
            "state": "FAILED",
            "failure": "lost_or_stolen_card",
            "refunded_at": BEFORE,
            "refunded_by_id": OWNER,
        },
    ],
    "disputes": [
        {
            "id": key(),
            "payment_id": OF_CAM,
            "stripe_dispute_id": "dp_1",
            "amount_minor": 1200,
            "reason": "fraudulent",
            "status": "won",
            "opened_at": BEFORE,
            "closed_at": BEFORE,
        }
    ],
    "stripe_events": [{"event_id": "evt_1", "received_at": BEFORE}],
    "course_bookings": [
        {
            "id": COURSE_BOOKING,
            "course_id": MON,
            "customer_id": ANA,
            "payment_id": OF_ANA,
            "booked_at": BEFORE,
        },
    ],
    "customer_bundles": [
        {**_held(H1, ANA, RB, 1, 0), **FROM_COURSE},
        _held(H2, ANA, TEN, 10, 9),
        _held(OF_BEN_TOO, BEN, TEN, 10, 10),
        {**_held(REVOKED, CAM, TEN, 10, 0), "revoked_at": BEFORE},
    ],
    "purchases": [purchase(BOUGHT, BEN, FOR_TEN, "ISSUED", OF_BEN_TOO)],
    "bookings": [
        booking(GIVEN_UP, MON_1, ANA, **BY_COURSE, **CANCELLED),
        booking(KEPT, MON_2, ANA, **BY_COURSE),
        booking(SWAPPED, SAT_1, ANA, customer_bundle_id=H1, **FROM_COURSE, **CANCELLED),
        booking(AGAIN, SAT_1, ANA, customer_bundle_id=H1, **FROM_COURSE),
        booking(CALLED_OFF, OFF, ANA, customer_bundle_id=H2, **CANCELLED),
        booking(BENS, MON_1, BEN, payment_id=OF_BEN),
        booking(CAMS, MON_1, CAM, payment_id=OF_CAM),
    ],
    "cancellations": [
        cancellation(FOR_GIVEN_UP, GIVEN_UP, "NEW_BUNDLE", H1),
        cancellation(FOR_SWAPPED, SWAPPED, "CREDIT_BACK", H1),
        {
            **cancellation(FOR_CALLED_OFF, CALLED_OFF, "NONE", None),
            "by_business": True,
            "refund_due": True,
            "refunded_at": BEFORE,
            "refunded_by_id": OWNER,
        },
    ],
    "credit_entries": [
        line(ISSUE_1, H1, "ISSUE", 1, GIVEN_UP),
        line(SPEND_1, H1, "SPEND", -1, SWAPPED),
        line(BACK_1, H1, "CREDIT_BACK", 1, SWAPPED),
        line(SPEND_2, H1, "SPEND", -1, AGAIN),
        line(ISSUE_2, H2, "ISSUE", 10),
        line(SPEND_3, H2, "SPEND", -1, CALLED_OFF),
        line(ISSUE_3, OF_BEN_TOO, "ISSUE", 10),
        line(ISSUE_4, REVOKED, "ISSUE", 10),
        line(TAKEN, REVOKED, "REVOKE", -10),
    ],
    "bolt_on_switches": [_on("auto_refund"), _on("drop_in")],
    "bolt_on_changes": [
        {"id": key(), "actor_kind": "SYSTEM", **_on("drop_in")},
    ],
    "idempotency_keys": [
        {
            "actor_id": OWNER,
            "key_digest": "1" * 64,
            "fingerprint": "0" * 64,
            "answer": {},
            "asked_at": BEFORE,
        }
    ],
    # It has been due for long, and waits until the account has that bolt-on on again.
    "jobs": [
        {
            "id": key(),
            "kind": "messenger.booking_placed",
            "bolt_on": "messenger",
            "payload": {},
            "enqueued_at": BEFORE,
            "run_at": BEFORE,
        }
    ],
    "schedules": [{"kind": "payments.compare", "next_at": LATER}],
    "auto_refund_policies": [{"course_id": MON, "notice_value": 24, "notice_unit": "HOURS"}],
    "auto_refund_rules": [
        {"course_id": MON, "option": "COURSE", "method": "NEW_BUNDLE", "bundle_id": RB}
    ],
    "drop_in_offers": [
        {
            "session_id": SAT_1,
            "price_minor": 1200,
            "opens_before_value": 7,
            "opens_before_unit": "DAYS",
            "payment_methods": ["credit"],
            "opens_at": BEFORE,
            "for_start": LATER,
            "for_zone": "Europe/London",
        }
    ],
}
OF_SOUTH: dict[str, list[dict[str, Any]]] = {
    "customers": _named(stranger=STRANGER),
    "courses": [{**_course(ELSEWHERE), "tag_id": None}],
}


async def write_healthy_rows(connection: AsyncConnection) -> None:
    """Write the studio, and a little of another account."""
    place = {"time_zone": "Europe/London", "currency": "GBP", "created_at": BEFORE}
    for account, slug in ((NORTH, "north"), (SOUTH, "south")):
        row = {"id": account, "slug": slug, "name": slug.title(), **place}
        await connection.execute(insert(t.accounts), row)
    await write(connection, NORTH, ROWS)
    await write(connection, SOUTH, OF_SOUTH)


async def write(
    connection: AsyncConnection, account: int, tables: dict[str, list[dict[str, Any]]]
) -> None:
    """Write rows of an account."""
    for name, rows in tables.items():
        for row in rows:
            await connection.execute(insert(BY_NAME[name]).values(account_id=account, **row))


async def do(url: str, *deeds: str | Executable | Deed) -> None:
    """Do something to a database that no rule of ours allows."""
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            await connection.execute(text("PRAGMA ignore_check_constraints = ON"))
        for deed in deeds:
            if isinstance(deed, str | Executable):
                await connection.execute(text(deed) if isinstance(deed, str) else deed)
            else:
                await deed(connection)
    await engine.dispose()


async def _fill(url: str) -> None:
    await do(url, write_healthy_rows)


HEALTHY: Final = Seed("healthy rows", _fill)
"""What a database has in it that is copied with the studio in it."""


def change(table: Table, id_: UUID, **values: Any) -> Update:
    """Change a row of the studio."""
    return update(table).where(table.c.id == id_).values(**values)


def add(table: Table, row: dict[str, Any]) -> Insert:
    """Add a row to the studio."""
    return insert(table).values(account_id=NORTH, **row)
