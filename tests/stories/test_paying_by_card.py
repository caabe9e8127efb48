"""Customers pay by card: held, then booked; too late, declined, given up, told three times.

S24, S6, H3, H4. Stripe is played by the double, through the official SDK; the server and its
database are real.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from classbolt.testing.stripe_double import Refused
from counter import Counter, held_of, intent_of
from studio import codes_of

TOO_LATE = "2027-01-08T10:16"
WEDNESDAY = "2027-01-22T09:00"
"""When the Wednesday session of the 27th can be booked, but by who has no credit."""


# A course


async def test_a_course_is_held_until_it_is_paid(ola: Counter) -> None:
    """H4: the seats are taken, and nobody is told yet."""
    before = await ola.free()

    booked = await ola.book_course("Ola", "MON")

    held = booked["courseBooking"]
    assert held["status"] == "HELD"
    assert held["payment"] == {
        "id": held["payment"]["id"],
        "method": "card",
        "state": "PENDING",
        "holdUntil": "2027-01-08T10:15:00Z",
        "paidAt": None,
        "amount": {"amountMinor": 6000, "currency": "GBP"},
        "refunds": [],
    }
    assert booked["cardPayment"] == {
        "clientSecret": booked["cardPayment"]["clientSecret"],
        "publishableKey": "pk_test_double",
        "stripeAccount": None,
        "holdUntil": "2027-01-08T10:15:00Z",
    }
    assert await ola.free() == [each - 1 for each in before]
    assert await ola.places("Ola") == ["HELD"] * 6
    assert await ola.studio.attendees("MON", 1) == ["Ana"]


async def test_a_seat_is_not_held_beyond_the_end_of_its_session(ola: Counter) -> None:
    """Nobody should pay for what is over, however long the business holds seats."""
    await ola.hold_for(minutes=120)
    ola.studio.clock.set("2027-01-27T19:30")

    booked = await ola.book("Ola", "WED", 3)

    ends = await ola.studio.ends_at("WED", 3)
    until = datetime.fromisoformat(booked["cardPayment"]["holdUntil"])
    assert until == ends < ola.studio.clock.now + timedelta(minutes=120)


async def test_a_course_is_held_until_its_last_session_has_ended_at_most(ola: Counter) -> None:
    """However soon the first of them ends; and of a course that is joined late the last one."""
    await ola.hold_for(minutes=120)
    await ola.studio.change_course("MON", lateJoining="PRO_RATA")
    ends = [await ola.studio.ends_at("MON", number) for number in (1, 6)]

    ola.studio.clock.now = ends[0] - timedelta(minutes=100)
    first = await ola.book_course("Ola", "MON")
    ola.studio.clock.now = ends[1] - timedelta(minutes=100)
    last = await ola.book_course("Pat", "MON")

    until = [datetime.fromisoformat(each["cardPayment"]["holdUntil"]) for each in (first, last)]
    assert until == [ends[0] + timedelta(minutes=20), ends[1]]


async def test_a_payment_told_of_three_times_books_a_course_once(ola: Counter) -> None:
    """S24: one course booking, six places, one payment."""
    booked = await ola.book_course("Ola", "MON")
    ola.pay(booked)
    (news,) = ola.news("payment_intent.succeeded")

    answers = await ola.tell([news, news, news])

    assert answers == [200, 200, 200]
    payment = await ola.payment("Ola", booked)
    assert (payment["state"], payment["paidAt"]) == ("PAID", "2027-01-08T10:00:00Z")
    assert await ola.status("Ola", booked) == "BOOKED"
    assert await ola.places("Ola") == ["BOOKED"] * 6
    assert await ola.studio.attendees("MON", 1) == ["Ana", "Ola"]


async def test_who_comes_back_from_paying_need_not_wait_for_the_news(ola: Counter) -> None:
    booked = await ola.book_course("Ola", "MON")
    ola.pay(booked)

    answer = await ola.refresh("Ola", booked)

    assert (answer["payment"]["state"], answer["cardPayment"]) == ("PAID", None)
    assert await ola.places("Ola") == ["BOOKED"] * 6


async def test_a_page_that_was_reloaded_goes_on_with_the_same_payment(ola: Counter) -> None:
    booked = await ola.book_course("Ola", "MON")

    answer = await ola.refresh("Ola", booked)

    assert answer["payment"]["state"] == "PENDING"
    assert answer["cardPayment"] == booked["cardPayment"]


async def test_seats_are_free_again_when_nobody_pays(ola: Counter) -> None:
    """S24: Pat abandons; B1."""
    before = await ola.free()
    booked = await ola.book_course("Pat", "MON")

    ola.studio.clock.set("2027-01-08T10:14")
    await ola.work()
    assert await ola.places("Pat") == ["HELD"] * 6
    ola.studio.clock.set(TOO_LATE)
    await ola.work()

    assert await ola.free() == before
    assert await ola.status("Pat", booked) == "EXPIRED"
    assert (await ola.payment("Pat", booked))["state"] == "EXPIRED"
    with pytest.raises(Refused):
        ola.pay(booked)


async def test_a_payment_that_comes_too_late_takes_the_places_if_they_are_free(
    ola: Counter,
) -> None:
    """H4: Stripe took the money while nobody looked, and the hold ran out."""
    booked = await ola.book_course("Pat", "MON")
    await ola.expire(booked)
    ola.pay(booked)

    await ola.tell(ola.news("payment_intent.succeeded"))

    assert await ola.status("Pat", booked) == "BOOKED"
    assert await ola.places("Pat") == ["BOOKED"] * 6
    assert ola.refunded() == []


async def test_a_payment_that_comes_too_late_goes_back_if_a_session_is_full(
    ola: Counter,
) -> None:
    """S24: one full refund under one key, no booking, never 11 of 10."""
    booked = await ola.book_course("Pat", "MON")
    await ola.expire(booked)
    await ola.studio.change("MON", 3, capacity=1)
    ola.pay(booked)
    news = ola.news("payment_intent.succeeded")

    await ola.tell(news)
    await ola.work()
    # A seat is free again: what was decided stays.
    await ola.studio.change("MON", 3, capacity=10)
    await ola.tell(news)
    await ola.refresh("Pat", booked)
    await ola.work()

    payment = await ola.payment("Pat", booked)
    assert payment["state"] == "RETURNED"
    assert payment["refunds"] == [
        {
            "amount": {"amountMinor": 6000},
            "cause": "LATE",
            "state": "SUCCEEDED",
        }
    ]
    assert ola.refunded() == [6000]
    assert await ola.places("Pat") == ["EXPIRED"] * 6


async def test_a_payment_that_comes_too_late_goes_back_if_the_customer_has_booked_again(
    ola: Counter,
) -> None:
    first = await ola.book_course("Pat", "MON")
    await ola.expire(first)
    again = await ola.book_course("Pat", "MON")
    ola.pay(again)
    ola.pay(first)

    await ola.tell(ola.news("payment_intent.succeeded"))
    await ola.work()

    assert await ola.status("Pat", again) == "BOOKED"
    assert (await ola.payment("Pat", first))["state"] == "RETURNED"
    assert ola.refunded() == [6000]


async def test_who_gives_a_payment_up_frees_the_seats_at_once(ola: Counter) -> None:
    before = await ola.free()
    booked = await ola.book_course("Ola", "MON")

    answer = await ola.abandon("Ola", booked)

    assert answer["payment"]["state"] == "EXPIRED"
    assert await ola.free() == before
    assert codes_of(await ola.book_course("Ola", "MON")) == []


async def test_who_gives_a_payment_up_that_was_made_has_paid(ola: Counter) -> None:
    booked = await ola.book_course("Ola", "MON")
    ola.pay(booked)

    answer = await ola.abandon("Ola", booked)

    assert answer["payment"]["state"] == "PAID"
    assert await ola.places("Ola") == ["BOOKED"] * 6


async def test_a_declined_card_leaves_the_places_held_for_another_one(ola: Counter) -> None:
    booked = await ola.book_course("Ola", "MON")
    with pytest.raises(Refused):
        ola.pay(booked, "pm_card_chargeDeclined")
    await ola.tell(ola.news())
    assert await ola.places("Ola") == ["HELD"] * 6

    ola.pay(booked)
    await ola.tell(ola.news())

    assert await ola.places("Ola") == ["BOOKED"] * 6


async def test_a_bank_may_want_to_hear_from_the_customer_first(ola: Counter) -> None:
    """3-D Secure."""
    booked = await ola.book_course("Ola", "MON")
    ola.pay(booked, "pm_card_authenticationRequired")
    await ola.tell(ola.news())
    assert await ola.places("Ola") == ["HELD"] * 6

    ola.double.authenticate(intent_of(booked))
    await ola.tell(ola.news())

    assert await ola.places("Ola") == ["BOOKED"] * 6


async def test_what_stripe_never_tells_is_found_by_looking(ola: Counter) -> None:
    """All webhooks are lost, the hold goes on; every five minutes all is compared."""
    booked = await ola.book_course("Ola", "MON")
    ola.pay(booked)
    ola.news()

    ola.studio.clock.set("2027-01-08T10:06")
    await ola.promise()
    await ola.work()

    assert await ola.places("Ola") == ["BOOKED"] * 6


# A session


async def test_a_drop_in_pays_by_card(ola: Counter) -> None:
    """S6: 1400 minor units of the account's currency."""
    ola.studio.clock.set(WEDNESDAY)

    booked = await ola.book("Pat", "WED", 3)
    ola.pay(booked)
    await ola.tell(ola.news())

    assert held_of(booked)["payment"]["amount"] == {"amountMinor": 1400, "currency": "GBP"}
    assert await ola.places("Pat", "WED") == ["BOOKED"]
    assert await ola.studio.attendees("WED", 3) == ["Pat"]


async def test_a_session_for_transfers_only_takes_no_card(ola: Counter) -> None:
    """S6: PAYMENT_OPTION_NOT_ALLOWED, no call of Stripe, the count unchanged."""
    ola.studio.clock.set(WEDNESDAY)
    seats = await ola.studio.seats_left("THU", 3)

    answer = await ola.book("Pat", "THU", 3)

    assert codes_of(answer) == ["PAYMENT_OPTION_NOT_ALLOWED"]
    assert await ola.studio.seats_left("THU", 3) == seats
    assert ola.news() == []


async def test_a_place_that_is_held_is_neither_cancelled_nor_swapped(ola: Counter) -> None:
    ola.studio.clock.set(WEDNESDAY)
    booked = await ola.book("Pat", "WED", 3)
    asked = {"booking": held_of(booked)["id"]}

    cancelled = await ola.studio.mutate("cancelBooking", asked, "alreadyCancelled", as_="Pat")
    swapped = await ola.studio.swap("Pat", ("WED", 3), ("THU", 3))

    assert codes_of(cancelled) == ["PLACE_HELD"]
    assert codes_of(swapped) == ["PLACE_HELD"]


async def test_a_swap_cannot_wait_for_a_card(ola: Counter) -> None:
    ola.studio.clock.set("2027-01-20T10:00")

    answer = await ola.studio.swap("Ana", ("MON", 3), ("WED", 3), {"card": True})

    assert codes_of(answer) == ["PAYMENT_OPTION_NOT_ALLOWED"]
    assert 3 in await ola.studio.places("Ana", "MON")


# Who may


async def test_nobody_sees_or_moves_the_payments_of_others(ola: Counter) -> None:
    booked = await ola.book_course("Ola", "MON")

    for answer in (await ola.refresh("Pat", booked), await ola.abandon("Pat", booked)):
        assert codes_of(answer) == ["NOT_FOUND"]
    assert await ola.places("Ola") == ["HELD"] * 6


async def test_only_payments_by_card_are_refreshed(ola: Counter) -> None:
    offline = await ola.studio.book_course("Pat", "MON")

    answer = await ola.refresh("Pat", offline)

    assert codes_of(answer) == ["NOT_PAID_BY_CARD"]
