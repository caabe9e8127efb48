"""What becomes of a payment by card: a pure rule over what we have and what Stripe says.

A payment may be made after its seats were given up, be told of three times, or never. Whatever
the order, what was decided once is final: a payment that goes back never becomes a place again,
also if a seat is free by the time that Stripe tells of it once more.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a payment by card stands."""

    PENDING = "PENDING"
    PAID = "PAID"
    EXPIRED = "EXPIRED"
    RETURNED = "RETURNED"


class Because(StrEnum):
    """Why no place came of a payment."""

    TIMEOUT = "TIMEOUT"
    ABANDONED = "ABANDONED"
    NOT_BEGUN = "NOT_BEGUN"
    CANCELLED = "CANCELLED"
    CALLED_OFF = "CALLED_OFF"


class Fate(StrEnum):
    """What is to be done about a payment."""

    NOTHING = "NOTHING"
    BOOK = "BOOK"
    BOOK_AGAIN = "BOOK_AGAIN"
    GIVE_UP = "GIVE_UP"
    RETURN = "RETURN"


@dataclass(frozen=True, slots=True)
class Standing:
    """A payment as it stands here, with its seats.

    Attributes:
        because: Why its seats were given up, if they were.
        is_whole: Whether all its places are held.
        can_be_booked_again: Whether all places that were given up could be had at this moment,
            by the rules that hold for everybody.
    """

    state: State
    because: Because | None
    is_whole: bool
    can_be_booked_again: bool


def fate(standing: Standing, *, is_paid: bool, is_cancelled: bool) -> Fate:
    """Say what is to be done about a payment, given what Stripe says of it (H4).

    Only a payment that ran out of time gets places once more: who gave it up, or whose session
    was called off meanwhile, gets the money.

    Args:
        is_paid: Whether Stripe has taken the money.
        is_cancelled: Whether it never will.
    """
    if standing.state is State.PENDING:
        if is_paid:
            return Fate.BOOK if standing.is_whole else Fate.RETURN
        return Fate.GIVE_UP if is_cancelled else Fate.NOTHING
    if standing.state is State.EXPIRED and is_paid:
        again = standing.because is Because.TIMEOUT and standing.can_be_booked_again
        return Fate.BOOK_AGAIN if again else Fate.RETURN
    return Fate.NOTHING
