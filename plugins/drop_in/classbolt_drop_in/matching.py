"""Which credit pays for which session: pure rules on tags, expiry and spending order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from classbolt import (
    CreditExpired,
    CreditExpiresBeforeSession,
    HeldBundle,
    InsufficientCredits,
    Refusal,
    SessionFacts,
)


class TagMismatch(Refusal):
    """The session's tag is not among the bundle's (E1), or it has none (E3)."""

    code = "TAG_MISMATCH"
    hint = "Choose a session of the kind that the credit is for."

    def __init__(self) -> None:
        super().__init__("This credit is not for sessions of this kind.")


class NoMatchingCredit(Refusal):
    """The customer holds no credit that can pay for this session."""

    code = "NO_MATCHING_CREDIT"
    hint = "Choose another session, or another of the accepted ways to pay."

    def __init__(self) -> None:
        super().__init__("There is no credit that can pay for this session.")


def match(
    held: Iterable[HeldBundle], session: SessionFacts, now: datetime
) -> list[tuple[HeldBundle, list[Refusal]]]:
    """Put bundles into the order in which they are spent, each with all that is against it.

    The one that expires first goes first, then the one that is most restricted (D11).
    """
    in_order = sorted(held, key=spend_order)
    return [(bundle, reasons_against(bundle, session, now)) for bundle in in_order]


def spend_order(bundle: HeldBundle) -> tuple[datetime, int, datetime, bytes]:
    """Give what decides which of several bundles pays (D11)."""
    return (bundle.expires_at, len(bundle.tag_ids), bundle.issued_at, bundle.id.bytes)


def reasons_against(bundle: HeldBundle, session: SessionFacts, now: datetime) -> list[Refusal]:
    """Give every reason why a bundle cannot pay for a session (D4, D5, E1-E5)."""
    reasons: list[Refusal] = []
    if session.tag_id not in bundle.tag_ids:
        reasons.append(TagMismatch())
    if bundle.expires_at <= now:
        reasons.append(CreditExpired(bundle.expires_at))
    elif bundle.expires_at <= session.starts_at:
        reasons.append(CreditExpiresBeforeSession(bundle.expires_at))
    if bundle.balance < 1:
        reasons.append(InsufficientCredits())
    return reasons
