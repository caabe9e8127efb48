"""Stripe does not answer, or knows of more than of our payments (H4)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from classbolt import comparing, duties
from classbolt.comparing import (
    COMPARE_OLD_EVERY,
    DAY,
    LOOKS_BACK,
    LOOKS_FAR_BACK,
    compare,
    days_ago,
)
from classbolt.testing.stripe_double import stripe_client
from classbolt.testing.stripe_double.accounts import PLATFORM
from classbolt_drop_in import bolt_on
from counter import KEY, Counter, intent_of
from fixture_f import SLUG
from studio import codes_of

TOO_LATE = "2027-01-08T10:16"
INTENTS = "/v1/payment_intents"
NOBODYS = "01890a5d-ac96-774b-bcce-b302099a8057"


async def test_a_payment_is_not_lost_when_stripe_does_not_answer(ola: Counter) -> None:
    first = await ola.book_course("Ola", "MON", idempotencyKey="once")
    ola.double.fail_next(503, n=2, path_prefix=f"{INTENTS}/{intent_of(first)}")

    unclear = await ola.book_course("Ola", "MON", idempotencyKey="once")
    again = await ola.book_course("Ola", "MON", idempotencyKey="once")

    assert codes_of(unclear) == ["TRY_AGAIN"]
    assert again == first
    assert await ola.places("Ola") == ["HELD"] * 6


async def test_one_payment_that_stripe_does_not_clear_keeps_no_other_from_it(
    ola: Counter,
) -> None:
    olas, pats = [await ola.book_course(name, "MON") for name in ("Ola", "Pat")]
    ola.studio.clock.set(TOO_LATE)
    ola.double.fail_next(503, n=2, path_prefix=f"{INTENTS}/{intent_of(olas)}")

    with capture_logs() as logs:
        await compare(ola.till, SLUG, back=LOOKS_BACK, now=ola.studio.clock.now)

    assert "payment_not_compared" in {each["event"] for each in logs}
    assert (await ola.payment("Ola", olas))["state"] == "PENDING"
    assert (await ola.payment("Pat", pats))["state"] == "EXPIRED"


async def test_a_bolt_on_that_fails_keeps_no_other_payment_waiting(
    ola: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked whether a drop-in that was paid too late can still come."""
    ola.studio.clock.set("2027-01-22T09:00")
    late = await ola.book("Pat", "WED", 3)
    await ola.expire(late)
    booked = await ola.book("Ola", "WED", 3)
    ola.pay(late)
    news = ola.news("payment_intent.succeeded")
    ola.pay(booked)
    ola.news()

    def fail(*_: object) -> None:
        raise LookupError

    with monkeypatch.context() as broken, capture_logs():
        broken.setattr(bolt_on, "against", fail)
        assert await ola.tell(news) == [503]
        await compare(ola.till, SLUG, back=LOOKS_BACK, now=ola.studio.clock.now)
    assert await ola.status("Ola", booked) == "BOOKED"
    assert await ola.status("Pat", late) == "EXPIRED"

    assert await ola.tell(news) == [200]
    assert await ola.status("Pat", late) == "BOOKED"


async def test_payments_are_compared_again_when_stripe_did_not_answer(ola: Counter) -> None:
    booked = await ola.book_course("Ola", "MON")
    ola.pay(booked)
    ola.news()
    ola.double.fail_next(503, n=4, path_prefix=INTENTS)

    with capture_logs() as logs:
        await ola.promise()
        await ola.work()
    assert "payments_not_compared" in {each["event"] for each in logs}
    ola.studio.clock.set("2027-01-08T10:06")
    await ola.promise()
    await ola.work()

    assert await ola.places("Ola") == ["BOOKED"] * 6


async def test_payments_are_compared_again_soon_when_stripe_took_too_long(
    ola: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the job would be tried again only after hours, like any that takes too long."""
    monkeypatch.setattr(duties, "COMPARE_SECONDS", 1)
    booked = await ola.book_course("Ola", "MON")
    ola.pay(booked)
    ola.news()
    ola.double.fail_next(delay=5, path_prefix=INTENTS)

    with capture_logs() as logs:
        await ola.promise()
        await ola.work()
    assert "TimeoutError" in {each.get("reason") for each in logs}
    monkeypatch.undo()
    ola.studio.clock.set("2027-01-08T10:06")
    await ola.promise()
    await ola.work()

    assert await ola.places("Ola") == ["BOOKED"] * 6


async def test_what_is_days_old_is_looked_at_once_a_day_and_not_all_at_once(
    ola: Counter,
) -> None:
    """A business with thousands of payments could not be looked at in one go."""
    names = ("Ola", "Pat")
    paid = {name: await ola.book_course(name, "MON") for name in names}
    for booked in paid.values():
        ola.pay(booked)
    await ola.tell(ola.news())
    for booked in paid.values():
        ola.studio.clock.now += timedelta(days=3)
        await ola.refund_elsewhere(booked, 100)
    ola.news()
    ola.studio.clock.now += timedelta(hours=26)

    known = []
    for _ in range(LOOKS_FAR_BACK // DAY + 1):
        await comparing.compare_day(ola.till, SLUG, now=ola.studio.clock.now)
        seen = [await ola.payment(name, booked) for name, booked in paid.items()]
        known.append(sum(len(each["refunds"]) for each in seen))
        ola.studio.clock.now += COMPARE_OLD_EVERY

    assert COMPARE_OLD_EVERY * (len(known) - 1) < DAY
    assert known[-1] == len(paid)
    assert {now - before for before, now in pairwise([0, *known])} == {0, 1}


def test_who_sleeps_at_the_same_hours_every_day_looks_at_all_days_all_the_same() -> None:
    began = datetime(2027, 1, 1, tzinfo=UTC)
    turns = [began + COMPARE_OLD_EVERY * each for each in range(3 * 48)]

    seen = {days_ago(turn) for turn in turns if 6 <= turn.hour < 22}

    assert seen == set(range(LOOKS_FAR_BACK // DAY))


async def test_a_payment_that_nobody_foresaw_keeps_no_other_from_being_compared(
    ola: Counter,
) -> None:
    olas, pats = [await ola.book_course(name, "MON") for name in ("Ola", "Pat")]
    for booked in (olas, pats):
        ola.pay(booked)
    ola.news()
    _, intent = ola.double.store.find(intent_of(olas)) or ("", {})
    ola.double.store.put(PLATFORM, {**intent, "amount_received": None})

    with capture_logs() as logs:
        await compare(ola.till, SLUG, back=LOOKS_BACK, now=ola.studio.clock.now)

    assert "payment_not_compared" in {each["event"] for each in logs}
    assert await ola.status("Ola", olas) == "HELD"
    assert await ola.status("Pat", pats) == "BOOKED"


async def test_places_are_not_held_for_ever_where_stripe_never_answers(ola: Counter) -> None:
    """A key was rolled, say, or a business took back what we may do for it."""
    before = await ola.free()
    await ola.book_course("Ola", "MON")
    ola.double.fail_next(401, 10_000, path_prefix=INTENTS)

    ola.studio.clock.set("2027-01-08T16:10")
    await ola.promise()
    await ola.work()
    assert await ola.places("Ola") == ["HELD"] * 6

    ola.studio.clock.set("2027-01-08T16:20")
    await ola.promise()
    await ola.work()
    assert await ola.places("Ola") == ["EXPIRED"] * 6
    assert await ola.free() == before


@pytest.mark.parametrize(
    ("capacity", "state", "refunded"), [(10, "PAID", []), (1, "RETURNED", [6000])]
)
async def test_who_paid_while_stripe_never_answered_has_a_place_or_the_money(
    ola: Counter, capacity: int, state: str, refunded: list[int]
) -> None:
    booked = await ola.book_course("Ola", "MON")
    ola.double.fail_next(401, 10_000, path_prefix=INTENTS)
    ola.studio.clock.set("2027-01-08T16:20")
    ola.pay(booked)
    await ola.promise()
    await ola.work()
    await ola.studio.change("MON", 3, capacity=capacity)
    ola.double.faults.clear()

    await ola.tell(ola.news("payment_intent.succeeded"))
    await ola.work()

    assert (await ola.payment("Ola", booked))["state"] == state
    assert ola.refunded() == refunded


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refund_is_not_given_up_because_stripe_does_not_take_the_key(
    ola: Counter, status: int
) -> None:
    """Nothing is wrong with the refund: with another key it can be made."""
    booked = await ola.returned()
    ola.double.fail_next(status, path_prefix="/v1/refunds", method="POST")

    await ola.work()
    (refund,) = (await ola.payment("Pat", booked))["refunds"]
    assert (refund["state"], ola.refunded()) == ("REQUESTED", [])

    ola.studio.clock.now += timedelta(minutes=1)
    await ola.work()
    assert ola.refunded() == [6000]


async def test_without_a_link_what_is_held_for_too_long_is_given_up_all_the_same(
    ola: Counter,
) -> None:
    booked = await ola.book_course("Ola", "MON")
    await ola.unlink()
    ola.studio.clock.set(TOO_LATE)

    await compare(ola.till, SLUG, back=LOOKS_BACK, now=ola.studio.clock.now)

    assert (await ola.payment("Ola", booked))["state"] == "EXPIRED"


async def test_what_can_still_be_paid_though_it_is_over_is_cancelled(ola: Counter) -> None:
    booked = await ola.book_course("Ola", "MON")
    await ola.expire(booked)

    await compare(ola.till, SLUG, back=LOOKS_BACK, now=ola.studio.clock.now)

    assert ola.is_cancelled(booked)


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"classbolt_account": SLUG},
        {"classbolt_account": SLUG, "classbolt_payment": "the rent"},
        {"classbolt_account": SLUG, "classbolt_payment": NOBODYS},
        {"classbolt_account": "southside", "classbolt_payment": NOBODYS},
    ],
    ids=["of nobody", "of nothing", "of no id", "of none of ours", "of another account"],
)
async def test_what_is_paid_at_stripe_for_something_else_is_left_alone(
    metadata: dict[str, str], ola: Counter
) -> None:
    """Also if Stripe tells of it: the business may sell more than places."""
    await stripe_client(ola.double, KEY).v1.payment_intents.create_async(
        {
            "amount": 100,
            "currency": "gbp",
            "payment_method": "pm_card_visa",
            "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            "metadata": metadata,
        }
    )

    answers = await ola.tell(ola.news("payment_intent.succeeded"))
    await compare(ola.till, SLUG, back=LOOKS_BACK, now=ola.studio.clock.now)

    assert answers == [200]
    assert ola.refunded() == []


async def test_what_is_not_about_a_payment_is_heard(ola: Counter) -> None:
    """The endpoint may have been made for more kinds of events than are of use."""
    booked = await ola.book_course("Ola", "MON")
    ola.pay(booked)
    (news,) = ola.news("payment_intent.succeeded")
    about = {"object": {"id": "cus_1", "object": "customer"}}
    event = {**json.loads(news.body), "type": "customer.created", "data": about}

    answers = await ola.tell([replace(news, body=json.dumps(event).encode())])

    assert answers == [200]
    assert await ola.places("Ola") == ["HELD"] * 6
