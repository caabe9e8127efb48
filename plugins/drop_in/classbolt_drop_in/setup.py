"""Whether a course's sessions are open to drop-ins as people expect: pure checks."""

from collections.abc import Mapping, Sequence

from classbolt import CREDIT, SessionFacts, SessionId, SetupCheck
from classbolt_drop_in.offer import DropInOffer


def checks_of(
    sessions: Sequence[SessionFacts], offers: Mapping[SessionId, DropInOffer]
) -> list[SetupCheck]:
    """Check the sessions of a course that are to come; without an offer there is one thing."""
    offered = [(each, offers[each.id]) for each in sessions if each.id in offers]
    for_credits = [session for session, offer in offered if CREDIT in offer.methods]
    no_credit = len(offered) - len(for_credits)
    no_price = sum(offer.price.amount_minor == 0 for _, offer in offered)
    too_late = sum(offer.opens_before.value == 0 for _, offer in offered)
    no_tag = sum(session.tag_id is None for session in for_credits)
    rows = [
        (
            "DROP_INS_ALLOWED",
            bool(offered),
            f"Sessions to come that take drop-ins: {len(offered)} of {len(sessions)}.",
            "No session to come takes drop-ins, so nobody can swap into this course.",
            "Set a drop-in offer on its sessions.",
        ),
        (
            "CREDIT_ACCEPTED",
            not no_credit,
            "Drop-ins can pay with credits.",
            f"Sessions that take drop-ins but no credits: {no_credit}.",
            "Accept credit in their drop-in offers.",
        ),
        (
            "DROP_IN_PRICE_SET",
            not no_price,
            "Drop-ins have a price, which says what a place is worth.",
            f"Sessions whose drop-in price is 0: {no_price}.",
            "Set a price. It is shown even where only credits are accepted.",
        ),
        (
            "DROP_INS_OPEN_IN_TIME",
            not too_late,
            "Drop-ins can book before the sessions start.",
            f"Sessions that open to drop-ins only when they have started: {too_late}.",
            "Let them open earlier.",
        ),
        (
            "SESSIONS_HAVE_TAG",
            not no_tag,
            "Every session that accepts credits has a tag.",
            f"Sessions without a tag, for which no credit can pay: {no_tag}.",
            "Give the course or these sessions the tag of a refund bundle.",
        ),
    ]
    return [
        SetupCheck(code, passed, good if passed else bad, None if passed else fix)
        for code, passed, good, bad, fix in (rows if offered else rows[:1])
    ]
