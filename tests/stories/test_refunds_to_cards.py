"""Money goes back to cards: by policy, by staff, for a whole course, and never twice (H5)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from classbolt import paying, refunds
from classbolt.card_shares import part_of
from classbolt.db import Caller
from classbolt.refunds import KEYS_ARE_KEPT
from classbolt.stripe_facts import StripeUnclear
from classbolt.tables import refunds as rows
from classbolt.values import RefundId, new_id
from classbolt_schema.ids import encode
from counter import PAYMENT, Counter, held_of
from studio import codes_of

REFUND = (
    "cancellation { refundDue refund { outcome reason { code }"
    " cardRefund { amount { amountMinor } state } } }"
)
POLICY = {"notice": {"value": 24, "unit": "HOURS"}}
A_WEEK = timedelta(days=7)
TO_CARDS = [{"option": "COURSE", "method": "ORIGINAL_PAYMENT"}]


@pytest.fixture
async def paid(ola: Counter) -> tuple[Counter, dict[str, Any]]:
    """Ola has paid for the Mondays, which give money back."""
    await policy(ola, TO_CARDS)
    return ola, await pay_for_course(ola, "Ola")


async def policy(counter: Counter, refunds: list[dict[str, Any]], course: str = "MON") -> None:
    await counter.studio.change_course(course, autoRefund={**POLICY, "refunds": refunds})


async def pay_for_course(counter: Counter, name: str) -> dict[str, Any]:
    booked = await counter.book_course(name, "MON")
    counter.pay(booked)
    assert set(await counter.tell(counter.news())) == {200}
    return booked


async def cancel(counter: Counter, name: str, number: int, **more: Any) -> dict[str, Any]:
    asked = {"booking": await counter.studio.booking(name, "MON", number), **more}
    answer = await counter.studio.do("cancelBooking", asked, REFUND, as_=name)
    found: dict[str, Any] = answer["cancellation"]["refund"]
    return found


async def refund(counter: Counter, booked: dict[str, Any], **more: Any) -> dict[str, Any]:
    asked = {"payment": held_of(booked)["payment"]["id"], **more}
    return await counter.studio.mutate("refundPayment", asked, PAYMENT, as_="owner")


async def test_a_place_of_a_course_gives_back_its_part_of_the_price(
    paid: tuple[Counter, dict[str, Any]],
) -> None:
    counter, _ = paid

    given = await cancel(counter, "Ola", 3)
    await counter.work()

    assert given["outcome"] == "PAID_BACK"
    assert given["cardRefund"] == {"amount": {"amountMinor": 1000}, "state": "REQUESTED"}
    assert counter.refunded() == [1000]
    assert await counter.studio.holdings("Ola") == []


async def test_the_preview_says_what_goes_back(paid: tuple[Counter, dict[str, Any]]) -> None:
    """S23: and cancelling holds to it."""
    counter, _ = paid
    document = (
        "query ($id: ID!) { cancellationPreview(booking: $id) {"
        " outcome quote amount { amountMinor currency } } }"
    )
    booking = await counter.studio.booking("Ola", "MON", 3)
    found = await counter.studio.query(document, id=booking, as_="Ola")
    preview = found["cancellationPreview"]

    given = await cancel(counter, "Ola", 3, expected=preview["quote"])

    assert preview["outcome"] == given["outcome"] == "PAID_BACK"
    assert preview["amount"] == {"amountMinor": 1000, "currency": "GBP"}


async def test_all_places_together_give_back_all_that_was_paid(ola: Counter) -> None:
    """Largest remainder: 61.00 over six is not six times the same."""
    await policy(ola, TO_CARDS)
    await ola.studio.change_course("MON", priceMinor=6103)
    await pay_for_course(ola, "Ola")

    for number in range(1, 7):
        await cancel(ola, "Ola", number)
    await ola.work()

    assert sorted(ola.refunded()) == [1017] * 5 + [1018]
    assert sum(ola.refunded()) == 6103


@pytest.mark.parametrize(
    ("amount", "number", "parts"),
    [(6000, 6, [1000] * 6), (5000, 7, [715, 715, 714, 714, 714, 714, 714]), (2, 3, [1, 1, 0])],
)
def test_parts_add_up(amount: int, number: int, parts: list[int]) -> None:
    assert [part_of(amount, number, each) for each in range(number)] == parts


async def test_what_no_card_has_paid_gives_the_bundle_that_the_policy_names(
    ola: Counter,
) -> None:
    """C2, H5."""
    bundle = {"bundle": ola.studio.ids.bundles["RB-BEG"]}
    await policy(ola, [{**TO_CARDS[0], **bundle}])
    ola.studio.clock.set("2027-01-20T10:00")

    given = await cancel(ola, "Ana", 3)

    assert (given["outcome"], given["cardRefund"]) == ("NEW_BUNDLE", None)


async def test_what_no_card_has_paid_gives_nothing_where_the_policy_names_nothing(
    ola: Counter,
) -> None:
    await policy(ola, TO_CARDS)
    ola.studio.clock.set("2027-01-20T10:00")

    given = await cancel(ola, "Ana", 3)

    assert given["reason"] == {"code": "NOT_PAID_BY_CARD"}


async def test_a_drop_in_paid_by_card_gets_its_price_back(ola: Counter) -> None:
    await policy(ola, [{"option": "DROP_IN_CARD", "method": "ORIGINAL_PAYMENT"}], "WED")
    ola.studio.clock.set("2027-01-22T09:00")
    ola.pay(await ola.book("Pat", "WED", 3))
    await ola.tell(ola.news())

    asked = {"booking": await ola.studio.booking("Pat", "WED", 3)}
    await ola.studio.do("cancelBooking", asked, REFUND, as_="Pat")
    await ola.work()

    assert ola.refunded() == [1400]


@pytest.mark.parametrize("option", ["DROP_IN_CREDIT", "DROP_IN_OFFLINE"])
async def test_only_what_a_card_pays_for_can_be_paid_back_to_it(
    ola: Counter, option: str
) -> None:
    asked = {
        "course": ola.studio.ids.courses["MON"],
        "autoRefund": {**POLICY, "refunds": [{"option": option, "method": "ORIGINAL_PAYMENT"}]},
    }

    answer = await ola.studio.mutate("updateCourse", asked, as_="owner")

    assert codes_of(answer) == ["INVALID_INPUT"]


async def test_money_back_is_no_credit_to_swap_with(
    paid: tuple[Counter, dict[str, Any]],
) -> None:
    counter, _ = paid
    counter.studio.clock.set("2027-01-22T09:00")

    answer = await counter.studio.swap("Ola", ("MON", 3), ("THU", 3))

    assert codes_of(answer) == ["NO_CREDIT_GIVEN"]
    assert 3 in await counter.studio.places("Ola", "MON")


async def test_the_business_calls_a_session_off_and_the_money_goes_back(
    paid: tuple[Counter, dict[str, Any]],
) -> None:
    """S18: notice is waived."""
    counter, _ = paid
    counter.studio.clock.set("2027-01-11T18:00")

    await counter.studio.call_off("MON", 1)
    await counter.work()

    assert counter.refunded() == [1000]


async def test_staff_cancel_a_whole_course_and_give_the_money_back(
    paid: tuple[Counter, dict[str, Any]],
) -> None:
    """G4: pro rata, for the sessions that are still to come."""
    counter, booked = paid
    counter.studio.clock.set("2027-01-19T12:00")
    asked = {"courseBooking": held_of(booked)["id"], "refund": {"cash": True}}

    await counter.studio.do("cancelCourseBooking", asked, as_="owner")
    await counter.work()

    assert counter.refunded() == [1000] * 4


async def test_a_course_no_card_has_paid_gives_no_cash(ola: Counter) -> None:
    ola.studio.clock.set("2027-01-19T12:00")
    asked = {
        "courseBooking": await ola.studio.course_booking("Ana"),
        "refund": {"cash": True},
    }

    answer = await ola.studio.do(
        "cancelCourseBooking",
        asked,
        "cancellations { refund { reason { code } } }",
        as_="owner",
    )

    reasons = {each["refund"]["reason"]["code"] for each in answer["cancellations"]}
    assert reasons == {"NOT_PAID_BY_CARD"}


async def test_staff_give_money_back_all_or_in_part(
    paid: tuple[Counter, dict[str, Any]],
) -> None:
    counter, booked = paid

    part = await refund(counter, booked, amountMinor=2500, note="A flood.")
    rest = await refund(counter, booked)
    await counter.work()

    assert (codes_of(part), codes_of(rest)) == ([], [])
    assert sorted(counter.refunded()) == [2500, 3500]
    assert await counter.places("Ola") == ["BOOKED"] * 6


async def test_never_more_goes_back_than_was_paid(
    paid: tuple[Counter, dict[str, Any]],
) -> None:
    counter, booked = paid
    await cancel(counter, "Ola", 3)

    too_much = await refund(counter, booked, amountMinor=5001)
    the_rest = await refund(counter, booked, amountMinor=5000)
    nothing_left = await refund(counter, booked)
    cancelled = await cancel(counter, "Ola", 4)
    await counter.work()

    assert codes_of(too_much) == codes_of(nothing_left) == ["REFUND_TOO_LARGE"]
    assert codes_of(the_rest) == []
    assert cancelled["reason"] == {"code": "ALREADY_REFUNDED"}
    assert sum(counter.refunded()) == 6000


async def test_what_was_given_back_in_stripes_dashboard_is_not_given_twice(
    paid: tuple[Counter, dict[str, Any]],
) -> None:
    counter, booked = paid
    await counter.refund_elsewhere(booked, 5500)
    await counter.tell(counter.news("refund.created"))

    given = await cancel(counter, "Ola", 3)
    await counter.work()

    assert given["cardRefund"]["amount"] == {"amountMinor": 500}
    assert sorted(counter.refunded()) == [500, 5500]


async def test_refunds_at_the_same_moment_give_no_more_than_was_paid(
    paid: tuple[Counter, dict[str, Any]],
) -> None:
    counter, booked = paid

    answers = await asyncio.gather(
        *(refund(counter, booked, amountMinor=1500) for _ in range(10))
    )
    await counter.work()

    assert [codes_of(each) for each in answers].count([]) == 4
    assert counter.refunded() == [1500] * 4


async def test_asked_again_under_its_key_money_goes_back_once(
    paid: tuple[Counter, dict[str, Any]],
) -> None:
    counter, booked = paid

    for _ in range(3):
        await refund(counter, booked, amountMinor=1000, idempotencyKey="once")
    await counter.work()

    assert counter.refunded() == [1000]


@pytest.mark.parametrize(("kept", "given"), [(KEYS_ARE_KEPT, [1000]), (A_WEEK, [1000, 1000])])
async def test_a_refund_asked_for_once_more_a_day_later_is_looked_up_first(
    paid: tuple[Counter, dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    kept: timedelta,
    given: list[int],
) -> None:
    """Stripe has forgotten the key by then: who trusts it for longer gives a part twice."""
    monkeypatch.setattr(refunds, "KEYS_ARE_KEPT", kept)
    counter, booked = paid
    await refund(counter, booked, amountMinor=1000)
    async with counter.till.database.read(Caller(counter.studio.slug)) as tx:
        refund_id = RefundId(await tx.scalar(select(rows.c.id)))
    again = partial(paying.refund, counter.till, counter.studio.slug, refund_id)
    counter.double.fail_next(is_lost=True, after_effect=True, n=2, path_prefix="/v1/refunds")
    with pytest.raises(StripeUnclear):
        await again(now=counter.studio.clock.now)

    counter.studio.clock.now += timedelta(hours=26)
    await again(now=counter.studio.clock.now)

    assert counter.refunded() == given


async def test_only_what_a_card_has_paid_can_be_given_back_to_it(ola: Counter) -> None:
    held = await ola.book_course("Ola", "MON")
    offline = await ola.studio.book_course("Pat", "MON")

    assert codes_of(await refund(ola, held)) == ["NOT_PAID_BY_CARD"]
    assert codes_of(await refund(ola, offline)) == ["NOT_PAID_BY_CARD"]
    nobodys = {"payment": {"id": encode("Payment", new_id())}}
    assert codes_of(await refund(ola, nobodys)) == ["NOT_FOUND"]


async def test_customers_give_themselves_nothing_back(
    paid: tuple[Counter, dict[str, Any]],
) -> None:
    counter, booked = paid
    asked = {"payment": held_of(booked)["payment"]["id"]}

    answer = await counter.studio.mutate("refundPayment", asked, as_="Ola")

    assert codes_of(answer) == ["FORBIDDEN"]
