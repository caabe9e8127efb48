"""A bank wants money back after credits were given for it: staff see it, and act (X27)."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from classbolt import disputes
from classbolt.comparing import LOOKS_FAR_BACK
from classbolt.db import Caller
from classbolt.stripe_facts import StripeDispute
from classbolt.values import PaymentId
from classbolt_schema.ids import decode
from counter import Counter, held_of, intent_of
from fixture_f import SLUG
from studio import codes_of

CREDITS = "creditsGiven { balance revokedAt entries { edges { node { kind } } } }"


@pytest.fixture
async def disputed(ola: Counter) -> tuple[Counter, dict[str, Any]]:
    """Ola paid by card, cancelled two places for credits and spent one; her bank says fraud."""
    booked = await ola.book_course("Ola", "MON")
    ola.pay(booked)
    await ola.tell(ola.news())
    await ola.studio.cancel("Ola", "MON", 3)
    await ola.studio.cancel("Ola", "MON", 4)
    ola.studio.clock.set("2027-01-22T09:00")
    await ola.studio.book("Ola", "THU", 3)
    (charge,) = [
        each
        for each in ola.double.objects("charge")
        if each["payment_intent"] == intent_of(booked)
    ]
    ola.double.open_dispute(charge["id"])
    assert set(await ola.tell(ola.news("charge.dispute.created"))) == {200}
    return ola, booked


async def shown(counter: Counter) -> list[dict[str, Any]]:
    document = f"""{{ disputes {{ edges {{ node {{
        amount {{ amountMinor }} reason status closedAt
        payment {{ id {CREDITS} }} }} }} }} }}"""
    found = await counter.studio.query(document, as_="owner")
    return [edge["node"] for edge in found["disputes"]["edges"]]


async def test_staff_see_a_dispute_and_what_the_payment_has_earned(
    disputed: tuple[Counter, dict[str, Any]],
) -> None:
    counter, booked = disputed

    (found,) = await shown(counter)

    assert found["amount"] == {"amountMinor": 6000}
    assert (found["reason"], found["status"]) == ("fraudulent", "needs_response")
    assert found["closedAt"] is None
    assert found["payment"]["id"] == held_of(booked)["payment"]["id"]
    assert sorted(each["balance"] for each in found["payment"]["creditsGiven"]) == [0, 1]


async def test_staff_take_away_what_is_left_and_what_was_spent_stays(
    disputed: tuple[Counter, dict[str, Any]],
) -> None:
    """X27."""
    counter, booked = disputed
    asked = {"payment": held_of(booked)["payment"]["id"], "note": "Disputed."}

    revoked = await counter.studio.do(
        "revokeCredits", asked, "customerBundles { balance revokedAt }", as_="owner"
    )

    bundles = revoked["customerBundles"]
    assert [each["balance"] for each in bundles] == [0, 0]
    assert all(each["revokedAt"] for each in bundles)
    kinds = sorted(kinds for _, _, _, kinds in await counter.studio.holdings("Ola"))
    assert kinds == ["ISSUE REVOKE", "ISSUE SPEND"]
    assert await counter.studio.places("Ola", "THU") == [3]


async def test_how_a_dispute_ends_is_noted(
    disputed: tuple[Counter, dict[str, Any]],
) -> None:
    counter, _ = disputed
    (dispute,) = counter.double.objects("dispute")
    counter.double.close_dispute(dispute["id"], won=False)

    await counter.tell(counter.news("charge.dispute.closed"))

    (found,) = await shown(counter)
    assert (found["status"], found["closedAt"]) == ("lost", "2027-01-22T09:00:00Z")


async def test_what_was_read_before_a_decision_does_not_take_it_back(
    disputed: tuple[Counter, dict[str, Any]],
) -> None:
    """Who reads at Stripe does so outside the transaction, and may write later than others."""
    counter, booked = disputed
    (before,) = counter.double.objects("dispute")
    counter.double.close_dispute(before["id"], won=False)
    await counter.tell(counter.news("charge.dispute.closed"))
    read = StripeDispute(
        before["id"], intent_of(booked), before["status"], before["reason"], before["amount"]
    )
    note = partial(
        disputes.note_all,
        payment_id=PaymentId(decode("Payment", held_of(booked)["payment"]["id"])),
        seen=[read],
        now=counter.studio.clock.now,
    )

    await counter.till.database.write(Caller(SLUG), note)

    assert [each["status"] for each in await shown(counter)] == ["lost"]


async def test_a_dispute_can_go_on_after_it_was_decided(
    disputed: tuple[Counter, dict[str, Any]],
) -> None:
    counter, booked = disputed
    (dispute,) = counter.double.objects("dispute")
    counter.double.close_dispute(dispute["id"], won=False)
    await counter.tell(counter.news("charge.dispute.closed"))
    refund = {"payment": held_of(booked)["payment"]["id"], "amountMinor": 100}

    counter.double.appeal_dispute(dispute["id"])
    await counter.tell(counter.news("charge.dispute.updated"))
    (appealed,) = await shown(counter)
    refused = await counter.studio.codes("refundPayment", refund, as_="owner")
    counter.double.close_dispute(dispute["id"], won=True)
    await counter.tell(counter.news("charge.dispute.closed"))

    assert (appealed["status"], appealed["closedAt"]) == ("appeal_under_review", None)
    assert refused == ["REFUND_TOO_LARGE"]
    assert [each["status"] for each in await shown(counter)] == ["won"]
    assert await counter.studio.codes("refundPayment", refund, as_="owner") == []


@pytest.mark.parametrize("was_decided", [True, False])
async def test_how_a_dispute_ends_is_found_though_it_takes_months_and_nobody_tells(
    disputed: tuple[Counter, dict[str, Any]], *, was_decided: bool
) -> None:
    counter, _ = disputed
    (dispute,) = counter.double.objects("dispute")
    if was_decided:
        counter.double.close_dispute(dispute["id"], won=False)
        await counter.tell(counter.news("charge.dispute.closed"))
        counter.double.appeal_dispute(dispute["id"])
        await counter.tell(counter.news("charge.dispute.updated"))
    counter.studio.clock.now += 2 * LOOKS_FAR_BACK
    counter.double.close_dispute(dispute["id"], won=was_decided)
    counter.news()

    await counter.look_back_at(counter.studio.clock.now)

    (found,) = await shown(counter)
    assert found["status"] == ("won" if was_decided else "lost")
    assert found["closedAt"] is not None


async def test_what_is_disputed_is_not_refunded_too(
    disputed: tuple[Counter, dict[str, Any]],
) -> None:
    """Stripe refuses, and staff read so."""
    counter, booked = disputed
    asked = {"payment": held_of(booked)["payment"]["id"]}
    await counter.studio.do("refundPayment", asked, as_="owner")

    await counter.work()

    payment = await counter.payment("Ola", booked)
    assert [each["state"] for each in payment["refunds"]] == ["FAILED"]
    assert counter.refunded() == []


async def test_bundles_that_were_bought_are_among_what_a_payment_earned(ola: Counter) -> None:
    bundle = ola.studio.ids.bundles["TEN"]
    asked = {"bundle": bundle, "payWith": {"offline": True}}
    fields = f"payment {{ id {CREDITS} }}"
    bought = await ola.studio.do("buyBundle", asked, fields, as_="Ola")

    assert [each["balance"] for each in bought["payment"]["creditsGiven"]] == [10]


async def test_customers_neither_see_disputes_nor_revoke(
    disputed: tuple[Counter, dict[str, Any]],
) -> None:
    counter, booked = disputed
    payment = held_of(booked)["payment"]["id"]
    document = "query ($id: ID!) { node(id: $id) { ... on Payment { disputes { status } } } }"

    found = await counter.studio.query(document, id=payment, as_="Ola")
    by_staff = await counter.studio.query(document, id=payment, as_="owner")
    answer = await counter.studio.mutate("revokeCredits", {"payment": payment}, as_="Ola")

    assert found["node"] == {"disputes": []}
    assert by_staff["node"] == {"disputes": [{"status": "needs_response"}]}
    assert codes_of(answer) == ["FORBIDDEN"]
