"""What a bolt-on is: the typed class a third party subclasses.

Overriding one of its methods implements that hook.

This class *is* the hook specification, so a type checker checks a stranger's bolt-on against
it. Startup hooks run once per process and see no database. Read and write hooks run inside
core's transaction: read hooks decide and write nothing (previews ask the same hooks as the real
thing), write hooks write to the bolt-on's own tables only. Never commit, open a transaction or
use the network in them. Raising a `Refusal` says no; any other exception counts as a failure of
the bolt-on and rolls everything back. Hooks of the fourth kind are told of what has been
committed: there a bolt-on may reach outside, and if it fails it is told again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

import pluggy
from sqlalchemy import MetaData

from classbolt.errors import Refusal
from classbolt.facts import (
    BookingDraft,
    BookingFacts,
    CourseFacts,
    PaymentOption,
    SessionFacts,
    SetupCheck,
    Terms,
    WayToBook,
)
from classbolt.given import Given

if TYPE_CHECKING:
    from classbolt.bookings import Booking
    from classbolt.cancellations import Cancellation
    from classbolt.db import Tx
    from classbolt.events import BookingCancelled, BookingPlaced
    from classbolt.outbox import Delivery

PROJECT = "classbolt"
API = (1, 0)
"""The version of this class.

A bolt-on names the one it was written for; an older minor is accepted.
"""

_hook = pluggy.HookspecMarker(PROJECT)


@dataclass(frozen=True, slots=True)
class BoltOnInfo:
    """Who a bolt-on is.

    Attributes:
        code: Lower snake case; prefixes its tables and, in capitals, a third party's refusal
            codes.
        summary: One sentence for the admin who decides whether to switch it on.
        api: The version of the hooks it was written for, as 'major.minor'.
        requires: Codes of bolt-ons that must be on before this one can be.
        conflicts: Codes of bolt-ons that cannot be on together with this one.
    """

    code: str
    title: str
    summary: str
    version: str
    api: str = "1.0"
    requires: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()


class BoltOn:
    """A feature that accounts switch on and off."""

    info: ClassVar[BoltOnInfo]

    # Startup

    @_hook
    def tables(self) -> MetaData | None:
        """Give the bolt-on's own tables: named after its code, with an account_id first."""

    @_hook
    def extend_schema(self, schema: Any) -> None:
        """Add to the GraphQL schema.

        `schema` is a `classbolt_schema.api.SchemaExtension`, which core cannot name.
        """

    # Read: decide, write nothing

    @_hook
    async def ways_to_book(
        self,
        tx: Tx,
        drafts: Sequence[BookingDraft],
        now: datetime,
    ) -> Sequence[WayToBook | Refusal | None]:
        """Say for each draft how it can be booked, or why it cannot; None has no say."""
        return [None for _ in drafts]

    @_hook
    async def check_booking(
        self,
        tx: Tx,
        drafts: Sequence[BookingDraft],
        now: datetime,
    ) -> Sequence[Sequence[Refusal]]:
        """Give for each draft all reasons against it, whichever way it is booked.

        An empty sequence lets it pass.
        """
        return [() for _ in drafts]

    @_hook
    async def payment_options(
        self,
        tx: Tx,
        drafts: Sequence[BookingDraft],
        now: datetime,
    ) -> Sequence[Sequence[PaymentOption]]:
        """Give for each draft the ways to pay; those that cannot be taken say why."""
        return [() for _ in drafts]

    @_hook
    async def cancellation_terms(
        self,
        tx: Tx,
        bookings: Sequence[BookingFacts],
        now: datetime,
    ) -> Sequence[Terms | None]:
        """Say for each booking what cancelling it now gives back.

        One enabled bolt-on per account may answer this.
        """
        return [None for _ in bookings]

    @_hook
    async def check_refund(
        self,
        tx: Tx,
        bookings: Sequence[BookingFacts],
        terms: Sequence[Terms],
        now: datetime,
    ) -> Sequence[Refusal | None]:
        """Give for each booking a reason to give nothing back after all.

        The cancellation itself goes ahead.
        """
        return [None for _ in bookings]

    @_hook
    async def setup_checks(
        self,
        tx: Tx,
        courses: Sequence[CourseFacts],
        now: datetime,
    ) -> Sequence[Sequence[SetupCheck]]:
        """Give for each course what an admin should look at, passed or not."""
        return [() for _ in courses]

    # Write: after core's writes, before the commit; own tables only

    @_hook
    async def course_written(
        self, tx: Tx, course: CourseFacts, given: Given, now: datetime
    ) -> None:
        """Store what the bolt-on's own input fields say of a course, created or changed."""

    @_hook
    async def sessions_written(
        self,
        tx: Tx,
        sessions: Sequence[SessionFacts],
        given: Sequence[Given],
        now: datetime,
    ) -> None:
        """Store what was given for each session that was created, changed or moved."""

    @_hook
    async def bookings_written(
        self, tx: Tx, bookings: Sequence[Booking], now: datetime
    ) -> None:
        """React to bookings in the same transaction: one, or all sessions of a course."""

    @_hook
    async def cancellations_written(
        self, tx: Tx, cancellations: Sequence[Cancellation], now: datetime
    ) -> None:
        """React to cancellations in the same transaction: one, or all of a session."""

    # After: told by a worker once all of it is committed, and again until it succeeds

    @_hook
    async def booking_placed(self, delivery: Delivery, event: BookingPlaced) -> None:
        """React to a place that a customer has, such as with a message."""

    @_hook
    async def booking_cancelled(self, delivery: Delivery, event: BookingCancelled) -> None:
        """React to a place that was given up."""


STARTUP = frozenset({"tables", "extend_schema"})
AFTER = frozenset({"booking_placed", "booking_cancelled"})
EXCLUSIVE = frozenset({"cancellation_terms"})
"""Hooks that one enabled bolt-on per account may implement: two answers would pay twice."""
