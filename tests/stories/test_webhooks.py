"""What claims to come from Stripe: believed if signed, new, and about the sender's own."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import Any

import pytest
import structlog.testing
from cryptography.fernet import Fernet
from pydantic import SecretStr

from classbolt import stripe_links
from classbolt.db import Caller
from classbolt.sealed import Seal
from classbolt.stripe_links import NewLink, StripeKeys
from classbolt.testing.stripe_double import Delivery, sign
from classbolt.values import SYSTEM
from counter import SIGNED_WITH, Counter
from studio import SECRET_KEY, codes_of, open_studio

OWN_SECRET = "whsec_of_northside"
OWN_ADDRESS = "/webhooks/stripe/northside"


@pytest.fixture
async def paid(ola: Counter) -> tuple[Counter, dict[str, Any], Delivery]:
    """Ola has paid for the Mondays, and the server has not heard of it."""
    booked = await ola.book_course("Ola", "MON")
    ola.pay(booked)
    (news,) = ola.news("payment_intent.succeeded")
    return ola, booked, news


async def post(counter: Counter, body: bytes, signature: str | None, **more: Any) -> int:
    headers = {} if signature is None else {b"Stripe-Signature": signature.encode("latin-1")}
    to = more.pop("to", "/webhooks/stripe")
    return (await counter.studio.client.post(to, content=body, headers=headers)).status_code


def now(counter: Counter) -> float:
    return counter.studio.clock.now.timestamp()


async def test_what_nobody_we_trust_has_signed_changes_nothing(
    paid: tuple[Counter, dict[str, Any], Delivery],
) -> None:
    counter, booked, news = paid
    good = sign(news.body, SIGNED_WITH, at=now(counter))

    answers = [
        await post(counter, news.body, None),
        await post(counter, news.body, ""),
        await post(counter, news.body, "t=,v1="),
        await post(counter, news.body, "t=1,v1=é"),
        await post(counter, news.body, "v1=" + good.partition("v1=")[2]),
        await post(counter, news.body, sign(news.body, "whsec_forged", at=now(counter))),
        await post(counter, news.body.replace(b"succeeded", b"suceeeded"), good),
        await post(counter, news.body + b" ", good),
        await post(counter, b"\xff\xfe" + news.body, good),
    ]

    assert answers == [400] * len(answers)
    assert await counter.status("Ola", booked) == "HELD"


async def test_what_was_signed_long_ago_or_is_to_be_signed_yet_changes_nothing(
    paid: tuple[Counter, dict[str, Any], Delivery],
) -> None:
    counter, booked, news = paid

    answers = [
        await post(counter, news.body, sign(news.body, SIGNED_WITH, at=now(counter) + late))
        for late in (-301, 301)
    ]

    assert answers == [400, 400]
    assert await counter.status("Ola", booked) == "HELD"


async def test_what_is_signed_and_says_nothing_readable_is_refused(ola: Counter) -> None:
    bodies = [b"", b"{}", b"[]", b"null", b'{"id": 1}', b"not json", b'{"id":"evt_1"}']
    bodies.append(json.dumps({"id": "evt_1", "type": "x", "data": {"object": []}}).encode())

    answers = [await post(ola, body, sign(body, SIGNED_WITH, at=now(ola))) for body in bodies]

    assert answers == [400] * len(bodies)


async def test_what_is_too_large_is_refused_before_it_is_read(ola: Counter) -> None:
    body = b" " * 500_001

    assert await post(ola, body, sign(body, SIGNED_WITH, at=now(ola))) == 413


async def test_only_posts_are_taken(ola: Counter) -> None:
    assert (await ola.studio.client.get("/webhooks/stripe")).status_code == 405


async def test_what_is_none_of_ours_is_heard_and_changes_nothing(ola: Counter) -> None:
    """A studio may use its Stripe account for other things too."""
    asked: Any = {"amount": 500, "currency": "gbp", "payment_method": "pm_card_visa"}
    await ola.till.gateway._v1.payment_intents.create_async(asked)  # noqa: SLF001

    assert set(await ola.tell(ola.news())) == {200}


async def test_an_event_of_another_stripe_account_moves_nobodys_payment(
    paid: tuple[Counter, dict[str, Any], Delivery],
) -> None:
    """Who may sign for a connected account could otherwise confirm what others owe."""
    counter, booked, news = paid
    forged = {**json.loads(news.body), "account": "acct_of_somebody_else"}
    body = json.dumps(forged).encode()

    answer = await post(counter, body, sign(body, SIGNED_WITH, at=now(counter)))

    assert answer == 400
    assert await counter.status("Ola", booked) == "HELD"


async def test_an_account_with_keys_of_its_own_speaks_for_itself_only(
    paid: tuple[Counter, dict[str, Any], Delivery],
) -> None:
    counter, booked, news = paid
    studio = counter.studio
    other = await open_studio(
        "southside", studio.client, studio.settings, studio.database, studio.clock
    )
    await link_with_keys(counter, other.slug)
    signed = sign(news.body, OWN_SECRET, at=now(counter))

    at_their_address = await post(counter, news.body, signed, to="/webhooks/stripe/southside")
    at_ours = await post(counter, news.body, signed)
    at_northsides = await post(counter, news.body, signed, to=OWN_ADDRESS)
    nowhere = await post(counter, news.body, signed, to="/webhooks/stripe/nobody")

    assert (at_their_address, at_ours, at_northsides, nowhere) == (400, 400, 400, 400)
    assert await counter.status("Ola", booked) == "HELD"


async def test_an_account_with_keys_of_its_own_is_paid_with_them(ola: Counter) -> None:
    """H1."""
    own = ola.double.add_account(keys=["rk_test_northside", "pk_test_northside"])
    ola.double.listen("https://classbolt.invalid" + OWN_ADDRESS, account=own)
    await link_with_keys(ola, "northside")

    booked = await ola.book_course("Ola", "MON")
    ola.pay(booked)
    answers = await ola.tell(ola.news(), to=OWN_ADDRESS, secret=OWN_SECRET)

    assert booked["cardPayment"]["publishableKey"] == "pk_test_northside"
    assert set(answers) == {200}
    assert await ola.status("Ola", booked) == "BOOKED"
    assert [each["amount"] for each in ola.double.objects("charge", own)] == [6000]
    assert ola.double.objects("charge") == []


async def test_a_connected_account_is_paid_through_the_platform(ola: Counter) -> None:
    """H1: the money is the studio's own, and what goes back goes back from there."""
    connected = ola.double.add_account(connected=True)
    ola.double.listen("https://classbolt.invalid/connected", connect=True)
    await link(ola, "northside", NewLink(connected))

    booked = await ola.book_course("Ola", "MON")
    ola.pay(booked)
    news = ola.news("payment_intent.succeeded")
    answers = await ola.tell(news)

    assert booked["cardPayment"]["stripeAccount"] == connected
    assert [each.event["account"] for each in news] == [connected]
    assert answers == [200]
    assert await ola.status("Ola", booked) == "BOOKED"

    payment = booked["courseBooking"]["payment"]["id"]
    await ola.studio.do("refundPayment", {"payment": payment, "amountMinor": 500}, as_="owner")
    await ola.work()
    for kind, amount in (("charge", 6000), ("refund", 500)):
        assert [each["amount"] for each in ola.double.objects(kind, connected)] == [amount]
        assert ola.double.objects(kind) == []


async def test_twenty_of_the_same_at_once_have_one_effect(
    paid: tuple[Counter, dict[str, Any], Delivery],
) -> None:
    counter, booked, news = paid

    answers = await asyncio.gather(*(counter.tell([news]) for _ in range(20)))

    # What finds the rows busy is told again.
    assert {each for some in answers for each in some} <= {200, 503}
    assert await counter.tell([news]) == [200]
    assert await counter.status("Ola", booked) == "BOOKED"
    assert len(await counter.studio.places("Ola", "MON")) == 6


async def test_news_that_cannot_be_acted_on_is_told_again(
    paid: tuple[Counter, dict[str, Any], Delivery],
) -> None:
    counter, booked, news = paid
    counter.double.fail_next(503, 2, path_prefix="/v1/payment_intents")

    first = await counter.tell([news])
    second = await counter.tell([news])

    assert (first, second) == ([503], [200])
    assert await counter.status("Ola", booked) == "BOOKED"


async def test_news_of_what_stripe_calls_by_a_name_we_never_wrote_down_is_understood(
    paid: tuple[Counter, dict[str, Any], Delivery],
) -> None:
    """S24: the process died between Stripe's answer and our next transaction."""
    counter, booked, news = paid
    await counter.forget_intent(booked)

    assert await counter.tell([news]) == [200]

    assert await counter.status("Ola", booked) == "BOOKED"


async def test_a_secret_that_cannot_be_opened_keeps_no_other_news_away(ola: Counter) -> None:
    """The first link was made under a key that the server has lost."""
    own = ola.double.add_account(keys=["rk_test_northside", "pk_test_northside"])
    keys = StripeKeys("rk_test_northside", "pk_test_northside", "whsec_of_old")
    lost = SecretStr(Fernet.generate_key().decode())
    await link(ola, "northside", NewLink(keys=keys), key=lost)
    await link_with_keys(ola, "northside")
    ola.double.listen("https://classbolt.invalid" + OWN_ADDRESS, account=own)
    booked = await ola.book_course("Ola", "MON")
    ola.pay(booked)

    answers = await ola.tell(ola.news(), to=OWN_ADDRESS, secret=OWN_SECRET)

    assert set(answers) == {200}
    assert await ola.status("Ola", booked) == "BOOKED"


async def test_a_key_that_is_rolled_goes_on_with_what_was_begun(ola: Counter) -> None:
    own = ola.double.add_account(keys=["rk_test_northside", "pk_test_northside"])
    await link_with_keys(ola, "northside")
    booked = await ola.book_course("Ola", "MON")
    shown = await ola.studio.query("{ account { stripe { id } } }", as_="owner")
    rolled = {"link": shown["account"]["stripe"]["id"], "restrictedKey": "rk_test_new"}
    ola.double.store.run("DELETE FROM keys WHERE key = :key", key="rk_test_northside")
    ola.double.add_account(own, keys=["rk_test_new"])

    live = {**rolled, "restrictedKey": "rk_live_new"}
    assert await ola.studio.codes("updateStripeLink", live, as_="owner") == ["INVALID_INPUT"]
    assert codes_of(await ola.refresh("Ola", booked)) == ["TRY_AGAIN"]
    await ola.studio.do("updateStripeLink", rolled, as_="owner")
    ola.pay(booked)

    assert codes_of(await ola.refresh("Ola", booked)) == []
    assert await ola.status("Ola", booked) == "BOOKED"


async def test_no_secret_is_ever_logged(ola: Counter) -> None:
    own = ola.double.add_account(keys=["rk_test_northside", "pk_test_northside"])
    await link_with_keys(ola, "northside")
    with structlog.testing.capture_logs() as lines:
        booked = await ola.book_course("Ola", "MON", idempotencyKey="once")
        ola.double.fail_next(500, 4, path_prefix="/v1/")
        assert codes_of(await ola.refresh("Ola", booked)) == ["TRY_AGAIN"]
        ola.double.set_charges_enabled(own, enabled=False)
        await ola.tell(ola.news(), to=OWN_ADDRESS, secret="whsec_wrong")

    told = repr(lines)
    client_secret = booked["cardPayment"]["clientSecret"]
    assert lines
    for secret in ("rk_test_northside", OWN_SECRET, "whsec_", client_secret):
        assert secret not in told


async def link(
    counter: Counter, account: str, new: NewLink, key: SecretStr = SECRET_KEY
) -> None:
    work = partial(
        stripe_links.link,
        actor=SYSTEM,
        new=new,
        seal=Seal((key,)),
        now=counter.studio.clock.now,
    )
    await counter.till.database.write(Caller(account), work)


async def link_with_keys(counter: Counter, account: str) -> None:
    keys = StripeKeys("rk_test_northside", "pk_test_northside", OWN_SECRET)
    await link(counter, account, NewLink(keys=keys))
