"""What happens while somebody pays by card, and between us and Stripe."""

from __future__ import annotations

import asyncio
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


async def test_who_pays_too_late_is_not_kept_from_places_by_a_booking_that_has_none(
    ola: Counter,
) -> None:
    """Pat books the course again meanwhile and gives up all of its places."""
    late = await ola.book_course("Pat", "MON")
    await ola.expire(late)
    await ola.studio.book_course("Pat", "MON")
    for number in range(1, 7):
        await ola.studio.cancel("Pat", "MON", number)
    ola.pay(late)

    assert await ola.tell(ola.news("payment_intent.succeeded")) == [200]

    assert await ola.status("Pat", late) == "BOOKED"
    assert (await ola.payment("Pat", late))["state"] == "PAID"


async def test_the_same_request_sent_twice_while_stripe_is_slow_holds_its_places(
    ola: Counter,
) -> None:
    ola.double.fail_next(delay=5, path_prefix="/v1/payment_intents", method="POST")
    first = asyncio.create_task(ola.book_course("Ola", "MON", idempotencyKey="once"))
    while not ola.double.in_flight:  # noqa: ASYNC110 it tells nobody
        await asyncio.sleep(0.01)

    second = await ola.book_course("Ola", "MON", idempotencyKey="once")

    assert codes_of(second) == ["TRY_AGAIN"]
    assert codes_of(await first) == []
    assert await ola.places("Ola") == ["HELD"] * 6
    assert await ola.book_course("Ola", "MON", idempotencyKey="once") == await first


async def test_who_has_paid_has_a_place_even_if_the_key_may_not_read_disputes(
    ola: Counter,
) -> None:
    booked = await ola.book_course("Ola", "MON")
    ola.pay(booked)
    ola.double.fail_next(403, path_prefix="/v1/disputes")

    assert codes_of(await ola.refresh("Ola", booked)) == ["TRY_AGAIN"]
    assert await ola.status("Ola", booked) == "BOOKED"
    assert await ola.tell(ola.news("payment_intent.succeeded")) == [200]


async def test_a_place_that_is_held_can_be_neither_cancelled_nor_swapped(ola: Counter) -> None:
    await ola.book_course("Ola", "MON")
    document = (
        "query ($id: ID!) { cancellationPreview(booking: $id) { userErrors { code } }"
        " swapTargets(booking: $id) { userErrors { code } } }"
    )

    found = await ola.studio.query(
        document, id=await ola.studio.booking("Ola", "MON", 2), as_="Ola"
    )

    held = {"userErrors": [{"code": "PLACE_HELD"}]}
    assert found == {"cancellationPreview": held, "swapTargets": held}


async def test_who_may_still_pay_for_a_place_is_not_erased(ola: Counter) -> None:
    """The session has begun by then, and the place is held for a little longer."""
    ola.studio.clock.set("2027-01-20T19:55")
    await ola.book("Ola", "WED", 2)
    ola.studio.clock.set("2027-01-20T20:05")
    customer = {"customer": ola.studio.ids.customers["Ola"]}

    assert await ola.studio.codes("eraseCustomer", customer, as_="owner") == [
        "CUSTOMER_HAS_BOOKINGS"
    ]
