"""The bolt-on itself: which hooks it answers, each in a few lines."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from sqlalchemy import MetaData

from classbolt import (
    BoltOn,
    BoltOnInfo,
    BookingDraft,
    CourseFacts,
    Given,
    PaymentOption,
    Refusal,
    SessionFacts,
    SetupCheck,
    Tx,
    WayToBook,
    upcoming_sessions,
)
from classbolt_drop_in import graphql
from classbolt_drop_in.offer import against, is_drop_in, way_to_book, ways_to_pay
from classbolt_drop_in.offers import find_offers, set_offers
from classbolt_drop_in.setup import checks_of
from classbolt_drop_in.tables import metadata
from classbolt_schema.api import SchemaExtension, UnsetType


class DropIn(BoltOn):
    """Open sessions of a course to drop-ins, and let matching credits pay for them."""

    info: ClassVar[BoltOnInfo] = BoltOnInfo(
        code="drop_in",
        title="Drop-in",
        summary="Sessions of a course open to people who did not buy it; credits can pay.",
        version="1.0.0",
    )

    def tables(self) -> MetaData:
        """Keep offers."""
        return metadata

    def extend_schema(self, schema: SchemaExtension) -> None:
        """Let offers be set on sessions and listed, and credits be chosen to pay."""
        schema.include(graphql.schema)

    async def ways_to_book(
        self, tx: Tx, drafts: Sequence[BookingDraft], now: datetime
    ) -> Sequence[WayToBook | Refusal]:
        """Offer the sessions that have an offer."""
        offers = await find_offers(tx, [draft.session.id for draft in drafts])
        zone = tx.account.time_zone
        return [way_to_book(offers.get(each.session.id), each.session, zone) for each in drafts]

    async def check_booking(
        self, tx: Tx, drafts: Sequence[BookingDraft], now: datetime
    ) -> Sequence[Sequence[Refusal]]:
        """Hold drop-ins to the opening time and to the cap."""
        asked = [draft.session.id for draft in drafts if is_drop_in(draft)]
        offers, zone = await find_offers(tx, asked), tx.account.time_zone
        return [
            against(offers[draft.session.id], draft, zone, now) if is_drop_in(draft) else []
            for draft in drafts
        ]

    async def payment_options(
        self, tx: Tx, drafts: Sequence[BookingDraft], now: datetime
    ) -> Sequence[Sequence[PaymentOption]]:
        """Say how drop-ins can pay."""
        offers = await find_offers(tx, [each.session.id for each in drafts if is_drop_in(each)])
        return [
            ways_to_pay(offers[draft.session.id], draft, now) if is_drop_in(draft) else []
            for draft in drafts
        ]

    async def setup_checks(
        self, tx: Tx, courses: Sequence[CourseFacts], now: datetime
    ) -> Sequence[Sequence[SetupCheck]]:
        """Look at the offers of each course's sessions that are to come."""
        sessions = await upcoming_sessions(tx, [course.id for course in courses], now)
        offers = await find_offers(tx, [each.id for some in sessions.values() for each in some])
        return [checks_of(sessions.get(course.id, ()), offers) for course in courses]

    async def sessions_written(
        self, tx: Tx, sessions: Sequence[SessionFacts], given: Sequence[Given], now: datetime
    ) -> None:
        """Store the offers that were given with sessions, and follow sessions that moved."""
        kept = await find_offers(tx, [session.id for session in sessions])
        wanted = []
        for session, each in zip(sessions, given, strict=True):
            offer = graphql.offer_given(each, tx.account.currency)
            if not isinstance(offer, UnsetType):
                wanted.append((session, offer))
            elif session.id in kept:
                wanted.append((session, kept[session.id]))
        if wanted:
            await set_offers(tx, wanted)
