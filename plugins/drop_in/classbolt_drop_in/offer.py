"""What a drop-in offer says: pure rules about when it is open and how a place is paid for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from zoneinfo import ZoneInfo

from classbolt import (
    CREDIT,
    FREE,
    OFFLINE,
    BookingDraft,
    Free,
    HeldBundle,
    Money,
    PaymentOption,
    Period,
    RecordOffline,
    Refusal,
    SessionFacts,
    SpendCredit,
    WayToBook,
    before,
)
from classbolt_drop_in.matching import NoMatchingCredit, match

DROP_IN = "drop_in"
METHODS = (CREDIT, OFFLINE)


@dataclass(frozen=True, slots=True)
class DropInOffer:
    """A session's readiness to take people who did not buy its course (F1).

    Attributes:
        price: Shown even where only credits are accepted, to say what a place is worth (F2).
        opens_before: How long before the start it opens.
        methods: What is accepted; only CREDIT makes the session open to transfers alone (F3).
    """

    price: Money
    opens_before: Period
    methods: frozenset[str]

    def opens_at(self, session: SessionFacts, zone: ZoneInfo) -> datetime:
        """Say from when on drop-ins may book (A7)."""
        return before(session.starts_at, self.opens_before, zone)


class DropInsNotAllowed(Refusal):
    """The session takes no drop-ins."""

    code = "DROP_INS_NOT_ALLOWED"

    def __init__(self) -> None:
        super().__init__("This session takes no drop-ins.")


class DropInNotOpen(Refusal):
    """Drop-ins cannot book the session yet."""

    code = "DROP_IN_NOT_OPEN"
    facts: ClassVar[Mapping[str, type]] = {"opens_at": datetime}

    def __init__(self, opens_at: datetime) -> None:
        self.opens_at = opens_at
        super().__init__("Drop-ins cannot book this session yet.")


def way_to_book(
    offer: DropInOffer | None,
    session: SessionFacts,
    zone: ZoneInfo,
) -> WayToBook | Refusal:
    """Offer a session to drop-ins, if it takes them."""
    if offer is None:
        return DropInsNotAllowed()
    return WayToBook(DROP_IN, offer.price, offer.opens_at(session, zone))


def against(draft: BookingDraft, now: datetime) -> list[Refusal]:
    """Give the reasons against a drop-in: it may be too early (F4)."""
    way = draft.way
    if way is None or way.code != DROP_IN or way.opens_at is None or now >= way.opens_at:
        return []
    return [DropInNotOpen(way.opens_at)]


def ways_to_pay(
    offer: DropInOffer,
    draft: BookingDraft,
    held: list[HeldBundle],
    now: datetime,
) -> list[PaymentOption]:
    """Give the ways to pay for a drop-in: the best bundle held, each of them, money."""
    options = []
    if CREDIT in offer.methods:
        matches = [
            (bundle, tuple(reasons)) for bundle, reasons in match(held, draft.session, now)
        ]
        best = next((bundle for bundle, reasons in matches if not reasons), None)
        if best is not None:
            options.append(PaymentOption(CREDIT, action=SpendCredit(best.id)))
        else:
            kinds = {type(reason): reason for _, reasons in matches for reason in reasons}
            refusals = (NoMatchingCredit(), *kinds.values())
            options.append(PaymentOption(CREDIT, refusals=refusals))
        options += [
            PaymentOption(CREDIT, bundle.id, SpendCredit(bundle.id), reasons)
            for bundle, reasons in matches
        ]
    if OFFLINE in offer.methods:
        free = offer.price.amount_minor == 0
        options.append(
            PaymentOption(FREE, action=Free())
            if free
            else PaymentOption(OFFLINE, action=RecordOffline(offer.price))
        )
    return options
