"""What happens while somebody pays by card, and between us and Stripe."""

from __future__ import annotations

from datetime import timedelta

import pytest

from classbolt.testing.stripe_double import Refused
from counter import Counter, held_of
from studio import codes_of

TOO_LATE = "2027-01-08T10:16"


# What the business does meanwhile


async def test_a_session_called_off_while_it_is_paid_for_gives_all_the_money_back(
    ola: Counter,
) -> None:
    booked = await ola.book_course("Ola", "MON")
    ola.pay(booked)

    await ola.studio.call_off("MON", 2)
    await ola.tell(ola.news("payment_intent.succeeded"))
    await ola.work()

    assert (await ola.payment("Ola", booked))["state"] == "RETURNED"
    assert await ola.places("Ola") == ["EXPIRED"] * 6
    assert ola.refunded() == [6000]


async def test_a_session_called_off_ends_a_payment_that_is_not_made(ola: Counter) -> None:
    booked = await ola.book_course("Ola", "MON")

    await ola.studio.call_off("MON", 2)
    await ola.work()

    assert (await ola.payment("Ola", booked))["state"] == "EXPIRED"
    with pytest.raises(Refused):
        ola.pay(booked)


async def test_cards_cannot_be_used_without_a_link(ola: Counter) -> None:
    """H3: shown with its reason, and refused."""
    await ola.unlink()

    answer = await ola.book_course("Ola", "MON")

    assert codes_of(answer) == ["CARD_UNAVAILABLE"]
    assert (await ola.studio.query("{ account { takesCards } }"))["account"] == {
        "takesCards": False
    }


async def test_what_was_begun_before_the_link_ended_can_still_be_paid(ola: Counter) -> None:
    booked = await ola.book_course("Ola", "MON")
    await ola.unlink()

    ola.pay(booked)
    await ola.tell(ola.news())

    assert await ola.places("Ola") == ["BOOKED"] * 6


async def test_what_a_card_pays_for_is_not_marked_paid_by_hand(ola: Counter) -> None:
    booked = await ola.book_course("Ola", "MON")

    asked = {"payment": held_of(booked)["payment"]["id"]}
    answer = await ola.studio.mutate("markPaid", asked, as_="owner")

    assert codes_of(answer) == ["PAYMENT_OPTION_NOT_ALLOWED"]


async def test_a_course_paid_by_card_earns_a_credit_like_any_other(ola: Counter) -> None:
    """B11."""
    booked = await ola.book_course("Ola", "MON")
    ola.pay(booked)
    await ola.tell(ola.news())

    cancelled = await ola.studio.cancel("Ola", "MON", 3)

    assert cancelled["cancellation"]["refund"]["outcome"] == "NEW_BUNDLE"


# What goes wrong between us and Stripe


async def test_nothing_is_held_if_the_payment_cannot_be_begun(ola: Counter) -> None:
    """Stripe's own failure is what it answers under this key from then on."""
    before = await ola.free()
    ola.double.fail_next(500, path_prefix="/v1/payment_intents")

    answer = await ola.book_course("Ola", "MON")

    assert codes_of(answer) == ["PAYMENT_FAILED"]
    assert await ola.free() == before
    assert codes_of(await ola.book_course("Ola", "MON")) == []


async def test_an_answer_that_was_lost_makes_no_second_payment(ola: Counter) -> None:
    """Stripe did it, the SDK asks again under our key."""
    ola.double.fail_next(is_lost=True, after_effect=True, path_prefix="/v1/payment_intents")

    booked = await ola.book_course("Ola", "MON")

    assert codes_of(booked) == []
    assert len(ola.double.objects("payment_intent")) == 1


async def test_asked_again_under_its_key_a_booking_gives_the_same_payment(ola: Counter) -> None:
    first = await ola.book_course("Ola", "MON", idempotencyKey="once")

    again = await ola.book_course("Ola", "MON", idempotencyKey="once")

    assert again == first


async def test_asked_again_after_it_ended_a_booking_says_so(ola: Counter) -> None:
    await ola.book_course("Ola", "MON", idempotencyKey="once")
    ola.studio.clock.set(TOO_LATE)
    await ola.work()

    again = await ola.book_course("Ola", "MON", idempotencyKey="once")

    assert codes_of(again) == ["PAYMENT_EXPIRED"]


async def test_a_refund_whose_answer_was_lost_is_given_once(ola: Counter) -> None:
    await ola.returned()
    ola.double.fail_next(is_lost=True, after_effect=True, n=2, path_prefix="/v1/refunds")

    await ola.work()
    ola.studio.clock.now += timedelta(seconds=2)
    await ola.work()

    assert ola.refunded() == [6000]


async def test_a_refund_that_fails_later_waits_for_staff(ola: Counter) -> None:
    booked = await ola.returned("pm_card_refundFail")
    await ola.work()
    (refund,) = ola.double.objects("refund")
    ola.double.move_refund(refund["id"], "failed", failure_reason="lost_or_stolen_card")

    await ola.tell(ola.news("refund.failed"))

    assert [each["state"] for each in (await ola.payment("Pat", booked))["refunds"]] == [
        "FAILED"
    ]


async def test_what_the_business_gives_back_in_stripes_dashboard_is_noted(
    ola: Counter,
) -> None:
    booked = await ola.book_course("Ola", "MON")
    ola.pay(booked)
    await ola.tell(ola.news())
    await ola.refund_elsewhere(booked, 1000)

    await ola.tell(ola.news("refund.created"))

    assert (await ola.payment("Ola", booked))["refunds"] == [
        {
            "amount": {"amountMinor": 1000},
            "cause": "ELSEWHERE",
            "state": "SUCCEEDED",
        }
    ]
