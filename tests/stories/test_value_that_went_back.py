"""What went back to a card is worth nothing any more: no credit comes of it, nothing is due."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from counter import Counter, held_of, intent_of
from studio import codes_of

GIVEN = "cancellation { refund { outcome reason { code } } }"
COURSE_GIVEN = "cancellations { refundDue refund { outcome reason { code } } }"


@pytest.fixture
async def paid(ola: Counter) -> tuple[Counter, dict[str, Any]]:
    """Ola has paid 60.00 for the six Mondays, which give credits."""
    booked = await ola.book_course("Ola", "MON")
    ola.pay(booked)
    assert set(await ola.tell(ola.news())) == {200}
    return ola, booked


async def by_staff(counter: Counter, booked: dict[str, Any]) -> None:
    asked = {"payment": held_of(booked)["payment"]["id"]}
    await counter.studio.do("refundPayment", asked, as_="owner")


async def in_the_dashboard(counter: Counter, booked: dict[str, Any]) -> None:
    await counter.refund_elsewhere(booked, 6000)
    await counter.tell(counter.news("refund.created"))


async def to_the_bank(counter: Counter, booked: dict[str, Any]) -> None:
    await dispute(counter, booked, "lost")


async def dispute(counter: Counter, booked: dict[str, Any], ends: str) -> None:
    """Let her bank want the money back, and perhaps decide about it."""
    (charge,) = [
        each
        for each in counter.double.objects("charge")
        if each["payment_intent"] == intent_of(booked)
    ]
    opened = counter.double.open_dispute(charge["id"])
    if ends != "still open":
        counter.double.close_dispute(opened["id"], won=ends == "won")
    await counter.tell(counter.news())


async def in_vain(counter: Counter, booked: dict[str, Any]) -> None:
    await by_staff(counter, booked)
    await counter.work()
    (refund,) = counter.double.objects("refund")
    counter.double.move_refund(refund["id"], "failed", failure_reason="lost_or_stolen_card")
    await counter.tell(counter.news("refund.failed"))


WAYS = pytest.mark.parametrize("goes_back", [by_staff, in_the_dashboard, to_the_bank])
GoesBack = Callable[[Counter, dict[str, Any]], Awaitable[None]]


async def preview(counter: Counter, number: int) -> dict[str, Any]:
    document = (
        "query ($id: ID!) { cancellationPreview(booking: $id) { outcome reason { code } } }"
    )
    booking = await counter.studio.booking("Ola", "MON", number)
    found = await counter.studio.query(document, id=booking, as_="Ola")
    return dict(found["cancellationPreview"])


async def cancel(counter: Counter, number: int, **more: Any) -> dict[str, Any]:
    asked = {"booking": await counter.studio.booking("Ola", "MON", number), **more}
    as_ = "owner" if more else "Ola"
    answer = await counter.studio.do("cancelBooking", asked, GIVEN, as_=as_)
    return dict(answer["cancellation"]["refund"])


async def due(counter: Counter) -> list[str]:
    document = "{ manualRefundsDue { edges { node { refund { outcome } } } } }"
    found = await counter.studio.query(document, as_="owner")
    return [each["node"]["refund"]["outcome"] for each in found["manualRefundsDue"]["edges"]]


@WAYS
async def test_a_place_whose_money_went_back_gives_no_credit(
    paid: tuple[Counter, dict[str, Any]], goes_back: GoesBack
) -> None:
    """Else everybody could have a course for nothing, and others for it."""
    counter, booked = paid
    await goes_back(counter, booked)

    foreseen = await preview(counter, 3)
    given = await cancel(counter, 3)

    assert foreseen == given == {"outcome": "NONE", "reason": {"code": "ALREADY_REFUNDED"}}
    assert await counter.studio.holdings("Ola") == []


@WAYS
async def test_nothing_is_due_by_hand_for_what_went_back(
    paid: tuple[Counter, dict[str, Any]], goes_back: GoesBack
) -> None:
    counter, booked = paid
    await goes_back(counter, booked)

    await counter.studio.call_off("MON", 3)

    assert await due(counter) == []
    assert await counter.studio.holdings("Ola") == []


@pytest.mark.parametrize("goes_back", [by_staff, in_the_dashboard, to_the_bank, in_vain])
async def test_what_was_due_by_hand_is_due_no_more_once_all_has_gone_back(
    paid: tuple[Counter, dict[str, Any]], goes_back: GoesBack
) -> None:
    """Else somebody who goes through the list would give it once more."""
    counter, booked = paid
    await counter.studio.call_off("MON", 3, refund="NONE")
    of_all = await due(counter)

    await goes_back(counter, booked)

    assert len(of_all) == 2
    assert len(await due(counter)) == (2 if goes_back is in_vain else 1)


async def test_a_place_whose_money_went_back_cannot_be_swapped(
    paid: tuple[Counter, dict[str, Any]],
) -> None:
    counter, booked = paid
    await by_staff(counter, booked)
    counter.studio.clock.set("2027-01-22T09:00")

    answer = await counter.studio.swap("Ola", ("MON", 3), ("THU", 3))

    assert codes_of(answer) == ["ALREADY_REFUNDED"]
    assert 3 in await counter.studio.places("Ola", "MON")


@pytest.mark.parametrize("ends", ["won", "still open"])
async def test_a_dispute_that_is_not_lost_takes_no_credit_away(
    paid: tuple[Counter, dict[str, Any]], ends: str
) -> None:
    counter, booked = paid
    await dispute(counter, booked, ends)

    assert (await cancel(counter, 3))["outcome"] == "NEW_BUNDLE"


async def test_what_went_back_in_part_still_gives_a_credit(
    paid: tuple[Counter, dict[str, Any]],
) -> None:
    counter, booked = paid
    asked = {"payment": held_of(booked)["payment"]["id"], "amountMinor": 5999}
    await counter.studio.do("refundPayment", asked, as_="owner")

    assert (await cancel(counter, 3))["outcome"] == "NEW_BUNDLE"


async def test_money_that_did_not_arrive_has_not_gone_back(
    paid: tuple[Counter, dict[str, Any]],
) -> None:
    counter, booked = paid
    await in_vain(counter, booked)

    assert (await cancel(counter, 3))["outcome"] == "NEW_BUNDLE"


async def test_staff_can_give_a_credit_for_what_went_back_all_the_same(
    paid: tuple[Counter, dict[str, Any]],
) -> None:
    counter, booked = paid
    await by_staff(counter, booked)

    given = await cancel(counter, 3, refund="GOODWILL", reason="A hard winter.")

    assert given["outcome"] == "NEW_BUNDLE"


async def test_what_a_bank_took_is_not_given_back_too(
    paid: tuple[Counter, dict[str, Any]],
) -> None:
    counter, booked = paid
    await to_the_bank(counter, booked)
    asked = {"payment": held_of(booked)["payment"]["id"]}

    assert await counter.studio.codes("refundPayment", asked, as_="owner") == [
        "REFUND_TOO_LARGE"
    ]


@pytest.mark.parametrize("bundle", [None, "RB-BEG"])
async def test_a_card_that_has_its_money_back_gets_no_bundle_instead(
    paid: tuple[Counter, dict[str, Any]], bundle: str | None
) -> None:
    """Whether the places end one by one or all at once."""
    counter, booked = paid
    rule: dict[str, Any] = {"option": "COURSE", "method": "ORIGINAL_PAYMENT"}
    if bundle:
        rule["bundle"] = counter.studio.ids.bundles[bundle]
    policy = {"notice": {"value": 24, "unit": "HOURS"}, "refunds": [rule]}
    await counter.studio.change_course("MON", autoRefund=policy)
    asked = {"payment": held_of(booked)["payment"]["id"], "amountMinor": 4500}
    await counter.studio.do("refundPayment", asked, as_="owner")

    alone = await cancel(counter, 1)
    course = {"course": counter.studio.ids.courses["MON"]}
    called_off = await counter.studio.do("callOffCourse", course, COURSE_GIVEN, as_="owner")
    await counter.work()

    ended = called_off["cancellations"]
    gone = [each for each in ended if code_of(each) == "ALREADY_REFUNDED"]
    paid_back = [each for each in ended if each["refund"]["outcome"] == "PAID_BACK"]
    assert alone["outcome"] == "PAID_BACK"
    assert (len(paid_back), len(gone)) == (1, 4)
    assert not any(each["refundDue"] for each in gone)
    assert sorted(counter.refunded()) == [500, 1000, 4500]
    assert await counter.studio.holdings("Ola") == []


def code_of(ended: dict[str, Any]) -> str | None:
    reason = ended["refund"]["reason"]
    return reason["code"] if reason else None


async def cash(counter: Counter, name: str) -> list[dict[str, Any]]:
    asked = {
        "courseBooking": await counter.studio.course_booking(name),
        "refund": {"cash": True},
    }
    answer = await counter.studio.do("cancelCourseBooking", asked, COURSE_GIVEN, as_="owner")
    return list(answer["cancellations"])


async def test_money_that_came_in_cash_is_due_by_hand(ola: Counter) -> None:
    """G4, X13: no card can be asked, and staff want it to go back."""
    ola.studio.clock.set("2027-01-19T12:00")

    ended = await cash(ola, "Ana")

    assert {code_of(each) for each in ended} == {"NOT_PAID_BY_CARD"}
    assert await due(ola) == ["NONE"] * len(ended) != []


async def test_money_that_never_came_is_not_due(ola: Counter) -> None:
    await ola.studio.book_course("Pat", "MON")

    await cash(ola, "Pat")

    assert await due(ola) == []
