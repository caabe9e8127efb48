"""The ledger of credits: append-only lines that say how every balance came about.

The balance of a customer bundle is the sum of its lines (J2). Unique constraints hold what a
booking may cause: one spend, one credit back, one issue (J3, B9).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from classbolt.checks import mine
from classbolt.db import Tx
from classbolt.pages import Page, PageOf, fetch_pages
from classbolt.tables import credit_entries
from classbolt.values import Actor, BookingId, CustomerBundleId, new_id

ISSUE = "ISSUE"
SPEND = "SPEND"
CREDIT_BACK = "CREDIT_BACK"
REVOKE = "REVOKE"

LONGEST_NOTE = 500


@dataclass(frozen=True, slots=True)
class Line:
    """A line to be written.

    Attributes:
        amount: By how much the balance moved.
        booking_id: What caused it, if a booking did.
        note: Why staff did it, in their words.
    """

    customer_bundle_id: CustomerBundleId
    kind: str
    amount: int
    booking_id: BookingId | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A line as it was written, with who wrote it, and when.

    Attributes:
        kind: ISSUE, SPEND, CREDIT_BACK or REVOKE.
        correlation_id: The same for all lines of one operation.
    """

    id: UUID
    kind: str
    amount: int
    booking_id: BookingId | None
    correlation_id: UUID
    actor_kind: str
    actor_id: UUID | None
    note: str | None
    entered_at: datetime


ENTRIES = select(
    credit_entries.c.customer_bundle_id,
    credit_entries.c.id,
    credit_entries.c.kind,
    credit_entries.c.amount,
    credit_entries.c.booking_id,
    credit_entries.c.correlation_id,
    credit_entries.c.actor_kind,
    credit_entries.c.actor_id,
    credit_entries.c.note,
    credit_entries.c.entered_at,
).where(mine(credit_entries))


async def enter(tx: Tx, actor: Actor, lines: Sequence[Line], *, now: datetime) -> None:
    """Write lines into the ledger."""
    if lines:
        await tx.insert(
            credit_entries,
            *(
                {
                    "id": new_id(),
                    "customer_bundle_id": line.customer_bundle_id,
                    "kind": line.kind,
                    "amount": line.amount,
                    "booking_id": line.booking_id,
                    "correlation_id": tx.correlation_id,
                    "actor_kind": actor.kind,
                    "actor_id": actor.id,
                    "note": line.note,
                    "entered_at": now,
                }
                for line in lines
            ),
        )


async def list_entries(
    tx: Tx,
    bundle_ids: Sequence[CustomerBundleId],
    page: Page,
) -> Mapping[CustomerBundleId, PageOf[Entry]]:
    """List the ledger of customer bundles in the order it was written, a page for each."""
    keys = (credit_entries.c.entered_at, credit_entries.c.id)
    pages = await fetch_pages(
        tx, ENTRIES, credit_entries.c.customer_bundle_id, bundle_ids, keys=keys, page=page
    )
    return {
        CustomerBundleId(owner): rows.map(lambda row: Entry(*row[1:10]))
        for owner, rows in pages.items()
    }
