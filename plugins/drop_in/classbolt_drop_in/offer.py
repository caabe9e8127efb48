"""What a drop-in offer says: pure rules about when it is open and how a place is paid for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from zoneinfo import ZoneInfo

from classbolt import (
    CARD,
    CREDIT,
    FREE,
    OFFLINE,
    BookingDraft,
    Free,
    Money,
    PaymentOption,
    Period,
    RecordOffline,
    Refusal,
    SessionFacts,
    SpendCredit,
    TakeCard,
    WayToBook,
    before,
)
from classbolt_drop_in.matching import NoMatchingCredit, match

DROP_IN = "drop_in"
METHODS = (CARD, CREDIT, OFFLINE)


@dataclass(frozen=True, slots=True)
class DropInOffer:
    """A session's readiness to take people who did not buy its course (F1).

    Attributes:
        price: Shown even where only credits are accepted, to say what a place is worth (F2).
        opens_before: How long before the start it opens.
        methods: What is accepted; only CREDIT makes the session open to transfers alone (F3).
        cap: How many drop-ins it takes at most; None for as many as there are seats (F7).
        taken: How many drop-ins have a place; counted only where there is a cap.
    """

    price: Money
    opens_before: Period
    methods: frozenset[str]
    cap: int | None = None
    taken: int = 0

    def opens_at(self, session: SessionFacts, zone: ZoneInfo) -> datetime:
        """Say from when on drop-ins may book (A7)."""
        return before(session.starts_at, self.opens_before, zone)

    def places_left(self, session: SessionFacts) -> int:
        """Say how many more drop-ins can come: free seats, and no more than the cap leaves."""
        seats = session.capacity - session.seats_taken
        return max(0, seats if self.cap is None else min(seats, self.cap - self.taken))


class DropInsNotAllowed(Refusal):
    """The session takes no drop-ins."""

    code = "DROP_INS_NOT_ALLOWED"
    hint = "Choose another session, or book the whole course."

    def __init__(self) -> None:
        super().__init__("This session takes no drop-ins.")


class DropInNotOpen(Refusal):
    """Drop-ins cannot book the session yet."""

    code = "DROP_IN_NOT_OPEN"
    hint = "Come back when it opens."
    facts: ClassVar[Mapping[str, type]] = {"opens_at": datetime}

    def __init__(self, opens_at: datetime) -> None:
        self.opens_at = opens_at
        super().__init__("Drop-ins cannot book this session yet.")


class DropInCapReached(Refusal):
    """The session has as many drop-ins as it takes, though it may have free seats (F7)."""

    code = "DROP_IN_CAP_REACHED"
    hint = "Choose another session, or try again when a drop-in has cancelled."
    facts: ClassVar[Mapping[str, type]] = {"cap": int}

    def __init__(self, cap: int) -> None:
        self.cap = cap
        super().__init__("This session takes no more drop-ins.")


def way_to_book(
    offer: DropInOffer | None, session: SessionFacts, zone: ZoneInfo
) -> WayToBook | Refusal:
    """Offer a session to drop-ins, if it takes them."""
    if offer is None:
        return DropInsNotAllowed()
    return WayToBook(DROP_IN, offer.price, offer.opens_at(session, zone))


def is_drop_in(draft: BookingDraft) -> bool:
    """Say whether a draft is for a place of ours."""
    return draft.way is not None and draft.way.code == DROP_IN


def against(
    offer: DropInOffer, draft: BookingDraft, zone: ZoneInfo, now: datetime
) -> list[Refusal]:
    """Give the reasons against a drop-in: it is too early, or too many come already (F4, F7).

    Staff know what they do: when a session opens, and how many come to it, is theirs to say
    (F9). Seats, tags, expiry and what is accepted hold for them too.
    """
    reasons: list[Refusal] = []
    if draft.actor.is_staff:
        return reasons
    if now < (opens_at := offer.opens_at(draft.session, zone)):
        reasons.append(DropInNotOpen(opens_at))
    if offer.cap is not None and offer.taken >= offer.cap:
        reasons.append(DropInCapReached(offer.cap))
    return reasons


def ways_to_pay(offer: DropInOffer, draft: BookingDraft, now: datetime) -> list[PaymentOption]:
    """Give the ways to pay for a drop-in: the best bundle held, each of them, money."""
    options = []
    if CREDIT in offer.methods:
        matches = [
            (bundle, tuple(reasons))
            for bundle, reasons in match(draft.held, draft.session, now)
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
    if offer.price.amount_minor == 0:
        if offer.methods & {CARD, OFFLINE}:
            options.append(PaymentOption(FREE, action=Free()))
        return options
    if CARD in offer.methods:
        options.append(PaymentOption(CARD, action=TakeCard(offer.price)))
    if OFFLINE in offer.methods:
        options.append(PaymentOption(OFFLINE, action=RecordOffline(offer.price)))
    return options
