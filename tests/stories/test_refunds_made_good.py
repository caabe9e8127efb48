"""Refunds that failed and that staff made good in another way are nobody's task any more."""

from __future__ import annotations

from typing import Any

import pytest

from classbolt.values import new_id
from classbolt_schema.ids import encode
from counter import Counter
from studio import codes_of

TO_DO = "{ failedRefunds { edges { node { id } } } }"
MARK = "refundedAt refundNote refundedBy { name }"
BY_ID = f"query ($id: ID!) {{ node(id: $id) {{ ... on CardRefund {{ state {MARK} }} }} }}"
OF_BOOKING = f"""query ($id: ID!) {{ node(id: $id) {{ ... on Booking {{ cancellation {{
  {MARK} refund {{ cardRefund {{ {MARK} }} }} }} }} }} }}"""
IN_CASH = {
    "refundedAt": "2027-01-08T10:00:00Z",
    "refundNote": "In cash",
    "refundedBy": {"name": "staff"},
}
UNMARKED = {"refundedAt": None, "refundNote": None, "refundedBy": None}


@pytest.fixture
async def shop(ola: Counter) -> Counter:
    """Ola has bought ten classes by card, and can cancel the Mondays for money."""
    ten = {"bundle": ola.studio.ids.bundles["TEN"], "paymentMethods": ["card"]}
    await ola.studio.do("updateBundle", ten, as_="owner")
    back = [{"option": "COURSE", "method": "ORIGINAL_PAYMENT"}]
    policy = {"notice": {"value": 24, "unit": "HOURS"}, "refunds": back}
    await ola.studio.change_course("MON", autoRefund=policy)
    return ola


async def buy(counter: Counter) -> str:
    """Let Ola pay for ten classes, and give the payment's id."""
    asked = {"bundle": counter.studio.ids.bundles["TEN"], "payWith": {"card": True}}
    fields = "payment { id } cardPayment { clientSecret }"
    bought = await counter.studio.do("buyBundle", asked, fields, as_="Ola")
    counter.pay(bought)
    await counter.tell(counter.news())
    return str(bought["payment"]["id"])


async def give_back(counter: Counter, payment: str, amount: int) -> str:
    """Give some of it back to the card, and give the refund's id."""
    asked = {"payment": payment, "amountMinor": amount}
    fields = "payment { refunds { id } }"
    given = await counter.studio.do("refundPayment", asked, fields, as_="owner")
    return str(given["payment"]["refunds"][-1]["id"])


async def fail(counter: Counter) -> None:
    """Let what goes back last not reach its card."""
    await counter.work()
    sent = counter.double.objects("refund")[-1]
    counter.double.move_refund(sent["id"], "failed", failure_reason="lost_or_stolen_card")
    await counter.tell(counter.news("refund.failed"))


async def failed(counter: Counter) -> str:
    """Let a part of what Ola paid for ten classes go back and not arrive."""
    refund = await give_back(counter, await buy(counter), 1000)
    await fail(counter)
    return refund


async def cancelled(counter: Counter) -> tuple[str, str]:
    """Let Ola's money for a Monday not arrive: give the ids of the booking and the refund."""
    counter.pay(await counter.book_course("Ola", "MON"))
    await counter.tell(counter.news())
    booking = await counter.studio.booking("Ola", "MON", 3)
    await counter.studio.cancel("Ola", "MON", 3)
    await fail(counter)
    (refund,) = await to_do(counter)
    return booking, refund


async def to_do(counter: Counter) -> list[str]:
    """List what staff still have to see to."""
    found = await counter.studio.query(TO_DO, as_="staff")
    return [edge["node"]["id"] for edge in found["failedRefunds"]["edges"]]


async def mark(counter: Counter, *, as_: str = "staff", **asked: Any) -> dict[str, Any]:
    fields = f"refund {{ state {MARK} }} cancellation {{ {MARK} }}"
    return await counter.studio.mutate("markRefunded", asked, fields, as_=as_)


async def seen(counter: Counter, refund: str, as_: str) -> Any:
    return (await counter.studio.query(BY_ID, id=refund, as_=as_))["node"]


async def of_booking(counter: Counter, booking: str) -> tuple[Any, Any]:
    """Give what is noted of a cancellation, and of the refund that it gave."""
    found = (await counter.studio.query(OF_BOOKING, id=booking, as_="staff"))["node"]
    refund = found["cancellation"].pop("refund")["cardRefund"]
    return found["cancellation"], refund


async def test_a_refund_that_failed_is_to_be_done_until_staff_made_it_good(
    shop: Counter,
) -> None:
    """H2: though nothing was cancelled, and most of the payment is still there."""
    refund = await failed(shop)
    before = await to_do(shop)

    marked = await mark(shop, refund=refund, note="In cash")

    assert before == [refund]
    assert marked == {
        "refund": {"state": "FAILED", **IN_CASH},
        "cancellation": None,
        "userErrors": [],
    }
    assert await to_do(shop) == []


async def test_one_that_was_asked_for_again_is_noted_without_a_word(shop: Counter) -> None:
    payment = await buy(shop)
    first = await give_back(shop, payment, 1000)
    await fail(shop)
    second = await give_back(shop, payment, 1000)
    await shop.work()

    marked = await mark(shop, refund=first)

    assert marked["refund"] == {"state": "FAILED", **IN_CASH, "refundNote": None}
    assert await to_do(shop) == []
    assert codes_of(await mark(shop, refund=second)) == ["NOT_FOUND"]


async def test_what_a_bank_took_is_nobodys_task(shop: Counter) -> None:
    payment = await buy(shop)
    await give_back(shop, payment, 1000)
    await fail(shop)
    (charge,) = shop.double.objects("charge")
    dispute = shop.double.open_dispute(charge["id"])
    shop.double.close_dispute(dispute["id"], won=False)

    await shop.tell(shop.news())

    assert await to_do(shop) == []


async def test_what_came_too_late_and_did_not_go_back_can_be_made_good(ola: Counter) -> None:
    """H4."""
    await ola.returned()
    await fail(ola)
    (refund,) = await to_do(ola)

    assert codes_of(await mark(ola, refund=refund)) == []

    assert await to_do(ola) == []


async def test_only_what_is_marked_is_done(shop: Counter) -> None:
    payment = await buy(shop)
    refunds = []
    for amount in (1000, 2000):
        refunds.append(await give_back(shop, payment, amount))
        await fail(shop)

    await mark(shop, refund=refunds[0])

    assert await to_do(shop) == refunds[1:]
    assert await seen(shop, refunds[1], "staff") == {"state": "FAILED", **UNMARKED}


async def test_noting_it_again_changes_nothing(shop: Counter) -> None:
    """Who came first stays."""
    refund = await failed(shop)
    first = await mark(shop, refund=refund, note="In cash")
    shop.studio.clock.set("2027-01-09T10:00")

    again = await mark(shop, refund=refund, note="By bank transfer", as_="owner")

    assert again == first


async def test_either_a_booking_or_a_refund_is_named(shop: Counter) -> None:
    refund = await failed(shop)
    booking = await shop.studio.booking("Ana", "MON", 3)

    for asked in ({}, {"booking": booking, "refund": refund}, {"booking": None}):
        refused = await mark(shop, **asked)

        (error,) = refused["userErrors"]
        assert (error["code"], error["path"]) == ("INVALID_INPUT", ["input", "booking"])
    assert await to_do(shop) == [refund]


async def test_only_a_refund_that_has_failed_can_be_made_good(shop: Counter) -> None:
    """What is under way may still arrive, and then it would have gone back twice."""
    payment = await buy(shop)
    refund = await give_back(shop, payment, 1000)
    promised = await mark(shop, refund=refund)
    await shop.work()
    under_way = await mark(shop, refund=refund)
    nobodys = await mark(shop, refund=encode("CardRefund", new_id()))

    for refused in (promised, under_way, nobodys):
        (error,) = refused["userErrors"]
        assert (error["code"], error["path"]) == ("NOT_FOUND", ["input", "refund"])
    assert (await seen(shop, refund, "staff"))["refundedAt"] is None


async def test_a_note_that_cannot_be_kept_is_refused(shop: Counter) -> None:
    refund = await failed(shop)

    assert codes_of(await mark(shop, refund=refund, note="x" * 501)) == ["INVALID_INPUT"]

    assert await to_do(shop) == [refund]


# What a cancellation gave


async def test_to_make_good_what_a_cancellation_gave_counts_for_its_booking(
    shop: Counter,
) -> None:
    """H2: whoever looks at either of them sees it, so that nobody pays it twice."""
    booking, refund = await cancelled(shop)

    marked = await mark(shop, refund=refund, note="In cash")

    assert marked["refund"] == {"state": "FAILED", **IN_CASH}
    assert await of_booking(shop, booking) == (IN_CASH, IN_CASH)
    assert await to_do(shop) == []


async def test_to_refund_a_booking_by_hand_counts_for_what_failed_and_whoever_was_first_stays(
    shop: Counter,
) -> None:
    booking, refund = await cancelled(shop)

    first = await mark(shop, booking=booking, note="In cash")
    again = await mark(shop, refund=refund, note="By bank transfer", as_="owner")

    assert (first["cancellation"], first["refund"]) == (IN_CASH, None)
    assert again["refund"] == {"state": "FAILED", **IN_CASH}
    assert await of_booking(shop, booking) == (IN_CASH, IN_CASH)


# Who sees it


async def test_a_customer_sees_that_it_was_made_good_and_not_who_of_the_staff_did(
    shop: Counter,
) -> None:
    refund = await failed(shop)
    await mark(shop, refund=refund, note="She kept shouting")

    hers = await seen(shop, refund, "Ola")

    assert hers == {"state": "FAILED", **UNMARKED, "refundedAt": IN_CASH["refundedAt"]}
    assert await seen(shop, refund, "Pat") is None


async def test_what_was_noted_of_who_is_erased_is_erased_and_no_more_is_written(
    shop: Counter,
) -> None:
    """X26: that it was made good stays, and so does what was noted of others."""
    await shop.returned()
    await fail(shop)
    (pats,) = await to_do(shop)
    noted, later = await failed(shop), await failed(shop)
    for refund in (pats, noted):
        await mark(shop, refund=refund, note="In cash")
    erased = {"customer": shop.studio.ids.customers["Ola"]}
    assert await shop.studio.codes("eraseCustomer", erased, as_="owner") == []

    await mark(shop, refund=later, note="Ola came by")

    notes = [(await seen(shop, each, "staff"))["refundNote"] for each in (pats, noted, later)]
    assert notes == ["In cash", "Erased", None]
    assert await to_do(shop) == []
