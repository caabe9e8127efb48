"""Refunds that did not reach their card, or Stripe, wait for staff and are never lost (H5)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from counter import PAYMENT, Counter, held_of
from studio import codes_of

POLICY = {
    "notice": {"value": 24, "unit": "HOURS"},
    "refunds": [{"option": "COURSE", "method": "ORIGINAL_PAYMENT"}],
}


@pytest.fixture
async def paid(ola: Counter) -> tuple[Counter, dict[str, Any]]:
    """Ola has paid for the Mondays, which give money back."""
    await ola.studio.change_course("MON", autoRefund=POLICY)
    booked = await ola.book_course("Ola", "MON")
    ola.pay(booked)
    assert set(await ola.tell(ola.news())) == {200}
    return ola, booked


async def refund(counter: Counter, booked: dict[str, Any], **more: Any) -> dict[str, Any]:
    asked = {"payment": held_of(booked)["payment"]["id"], **more}
    return await counter.studio.mutate("refundPayment", asked, PAYMENT, as_="owner")


async def test_a_refund_that_fails_is_listed_for_staff_and_can_be_made_again(
    paid: tuple[Counter, dict[str, Any]],
) -> None:
    counter, booked = paid
    await refund(counter, booked, amountMinor=1000)
    await counter.work()
    (sent,) = counter.double.objects("refund")
    counter.double.move_refund(sent["id"], "failed", failure_reason="expired_or_canceled_card")
    await counter.tell(counter.news("refund.failed"))

    document = (
        "{ failedRefunds { edges { node { amount { amountMinor } failure payment { id } } } } }"
    )
    found = await counter.studio.query(document, as_="owner")

    (edge,) = found["failedRefunds"]["edges"]
    assert edge["node"] == {
        "amount": {"amountMinor": 1000},
        "failure": "expired_or_canceled_card",
        "payment": {"id": held_of(booked)["payment"]["id"]},
    }
    assert codes_of(await refund(counter, booked)) == []


async def test_a_refund_that_failed_is_listed_no_more_once_it_is_noted_as_made(
    paid: tuple[Counter, dict[str, Any]],
) -> None:
    counter, _ = paid
    await counter.studio.cancel("Ola", "MON", 2)
    await counter.work()
    (sent,) = counter.double.objects("refund")
    counter.double.move_refund(sent["id"], "failed", failure_reason="lost_or_stolen_card")
    await counter.tell(counter.news("refund.failed"))
    document = "{ failedRefunds { edges { node { amount { amountMinor } } } } }"
    before = await counter.studio.query(document, as_="owner")

    booking = await counter.studio.booking("Ola", "MON", 2)
    await counter.studio.do("markRefunded", {"booking": booking}, as_="owner")

    after = await counter.studio.query(document, as_="owner")
    assert (len(before["failedRefunds"]["edges"]), after["failedRefunds"]["edges"]) == (1, [])


async def test_a_refund_that_was_never_made_is_not_discarded_and_can_be_retried(
    paid: tuple[Counter, dict[str, Any]],
) -> None:
    counter, booked = paid
    await refund(counter, booked, amountMinor=1000)
    counter.double.fail_next(503, 100, path_prefix="/v1/refunds")
    for _ in range(11):
        await counter.work()
        counter.studio.clock.now += timedelta(days=1)
    document = "{ deadJobs { edges { node { id kind } } } }"
    found = await counter.studio.query(document, as_="owner")
    (job,) = [edge["node"] for edge in found["deadJobs"]["edges"]]
    asked = {"job": job["id"]}

    assert job["kind"] == "payments.refund"
    assert await counter.studio.codes("discardJob", asked, as_="owner") == ["REFUND_OWED"]
    assert counter.refunded() == []

    counter.double.faults.clear()
    await counter.studio.do("retryJob", asked, as_="owner")
    await counter.work()
    assert counter.refunded() == [1000]
