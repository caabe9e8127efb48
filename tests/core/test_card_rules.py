"""What becomes of a payment by card, for every standing and all that Stripe may say."""

from __future__ import annotations

from itertools import product

import pytest

from classbolt.card_rules import Because, Fate, Standing, State, fate

PAID = {"is_paid": True, "is_cancelled": False}
OPEN = {"is_paid": False, "is_cancelled": False}
CANCELLED = {"is_paid": False, "is_cancelled": True}


def pending(*, whole: bool = True) -> Standing:
    return Standing(State.PENDING, None, is_whole=whole, can_be_booked_again=False)


def expired(because: Because = Because.TIMEOUT, *, free: bool = True) -> Standing:
    return Standing(State.EXPIRED, because, is_whole=False, can_be_booked_again=free)


@pytest.mark.parametrize(
    ("standing", "said", "becomes"),
    [
        (pending(), OPEN, Fate.NOTHING),
        (pending(), PAID, Fate.BOOK),
        (pending(whole=False), PAID, Fate.RETURN),
        (pending(), CANCELLED, Fate.GIVE_UP),
        (pending(whole=False), CANCELLED, Fate.GIVE_UP),
        (pending(whole=False), OPEN, Fate.NOTHING),
        (expired(), OPEN, Fate.NOTHING),
        (expired(), CANCELLED, Fate.NOTHING),
        (expired(), PAID, Fate.BOOK_AGAIN),
        (expired(free=False), PAID, Fate.RETURN),
    ],
)
def test_a_payment_goes_where_stripe_says_that_it_is(
    standing: Standing, said: dict[str, bool], becomes: Fate
) -> None:
    assert fate(standing, **said) is becomes


@pytest.mark.parametrize("because", [each for each in Because if each is not Because.TIMEOUT])
def test_only_what_ran_out_of_time_is_booked_again(because: Because) -> None:
    assert fate(expired(because), **PAID) is Fate.RETURN


@pytest.mark.parametrize(
    ("state", "free", "said"),
    list(product([State.PAID, State.RETURNED], [True, False], [OPEN, PAID, CANCELLED])),
)
def test_what_was_decided_is_final(state: State, *, free: bool, said: dict[str, bool]) -> None:
    because = Because.TIMEOUT if state is State.RETURNED else None
    standing = Standing(state, because, is_whole=True, can_be_booked_again=free)

    assert fate(standing, **said) is Fate.NOTHING
