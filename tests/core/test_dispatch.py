"""Enabled bolt-ons are asked in turn, held to an answer, and named when they fail."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from structlog.testing import capture_logs

from classbolt.bolt_ons import BoltOns
from classbolt.db import Tx
from classbolt.dispatch import EnabledBoltOns
from classbolt.errors import BoltOnFailed, Refusal, Refusals, SessionFull, SessionStarted
from classbolt.facts import (
    CreditBack,
    IssueBundle,
    PaymentOption,
    RecordOffline,
    Terms,
    WayToBook,
)
from classbolt.given import Given
from classbolt.hooks import BoltOn, BoltOnInfo
from classbolt.values import BundleId, CustomerBundleId, Money, new_id
from studio import at

NOW = at("2027-01-22T09:00")
TX = cast("Tx", SimpleNamespace(account=SimpleNamespace(currency="GBP")))
TWO: list[Any] = ["a draft", "another draft"]
WAY = WayToBook("drop_in", Money(1200, "GBP"))
BACK = Terms(give_back=IssueBundle(BundleId(new_id()), NOW + timedelta(days=30)))
EUROS = RecordOffline(Money(1200, "EUR"))
OPTION = PaymentOption("credit", refusals=(SessionFull(),))
DELIVERY: Any = "a delivery"
EVENT: Any = "an event"

Ask = Callable[[EnabledBoltOns], Awaitable[Any]]

READ: dict[str, Ask] = {
    "ways_to_book": lambda on: on.ways_to_book(TX, TWO, NOW),
    "check_booking": lambda on: on.check_booking(TX, TWO, NOW),
    "payment_options": lambda on: on.payment_options(TX, TWO, NOW),
    "cancellation_terms": lambda on: on.cancellation_terms(TX, TWO, NOW),
    "check_refund": lambda on: on.check_refund(TX, TWO, [BACK, BACK], NOW),
}
WRITE: dict[str, Ask] = {
    "course_written": lambda on: on.course_written(TX, cast("Any", "course"), Given(), NOW),
    "sessions_written": lambda on: on.sessions_written(TX, TWO, [Given(), Given()], NOW),
    "bookings_written": lambda on: on.bookings_written(TX, TWO, NOW),
    "cancellations_written": lambda on: on.cancellations_written(TX, TWO, NOW),
}
AFTER: dict[str, Ask] = {
    hook: lambda on, hook=hook: on.deliver(hook, DELIVERY, EVENT)  # type: ignore[misc]
    for hook in ("booking_placed", "booking_cancelled")
}
HOOKS = READ | WRITE | AFTER


def a_bolt_on(code: str, **methods: Any) -> BoltOn:
    info = BoltOnInfo(code, code, "It is for tests.", "1.0.0")
    return cast("BoltOn", type("Made", (BoltOn,), {"info": info, **methods})())


def answering(answer: object) -> Callable[..., Awaitable[object]]:
    async def hook(_self: object) -> object:
        return answer

    return hook


def raising(error: BaseException) -> Callable[..., Awaitable[object]]:
    async def hook(_self: object) -> object:
        raise error

    return hook


def on(*bolt_ons: BoltOn) -> EnabledBoltOns:
    installed = BoltOns(bolt_ons)
    return installed.enabled(frozenset(installed.installed))


async def failure(hook: str, method: object) -> list[Any]:
    """Ask a bolt-on that fails, beside one that does not, and give what is logged."""
    bolt_ons = on(a_bolt_on("broken", **{hook: method}), a_bolt_on("quiet"))
    with capture_logs() as logs, pytest.raises(BoltOnFailed) as failed:
        await HOOKS[hook](bolt_ons)
    assert failed.value.bolt_on == "broken"
    return cast("list[Any]", logs)


@pytest.mark.parametrize("hook", HOOKS)
async def test_a_bolt_on_that_raises_fails_under_its_own_name(hook: str) -> None:
    """X28."""
    bug = ZeroDivisionError("by accident")

    (line,) = await failure(hook, raising(bug))

    assert line["event"] == "bolt_on_failed"
    assert (line["log_level"], line["bolt_on"], line["hook"]) == ("error", "broken", hook)
    assert line["exc_info"] is bug


@pytest.mark.parametrize("hook", HOOKS)
async def test_a_refusal_is_an_answer_and_passes_through(hook: str) -> None:
    for no in (SessionFull(), Refusals([SessionFull(), SessionStarted()])):
        with capture_logs() as logs, pytest.raises(type(no)) as raised:
            await HOOKS[hook](on(a_bolt_on("strict", **{hook: raising(no)})))

        assert raised.value is no
        assert logs == []


@pytest.mark.parametrize(
    ("hook", "answer"),
    [
        ("ways_to_book", [None]),
        ("ways_to_book", [None, None, None]),
        ("ways_to_book", []),
        ("ways_to_book", None),
        ("ways_to_book", "ab"),
        ("ways_to_book", {1: None, 2: None}),
        ("ways_to_book", [WAY, "drop_in"]),
        ("check_booking", [None, None]),
        ("check_booking", [SessionFull(), SessionFull()]),
        ("check_booking", [[SessionFull()], ["SESSION_FULL"]]),
        ("check_booking", [[], [], []]),
        ("payment_options", [[OPTION], None]),
        ("payment_options", [[OPTION], [SessionFull()]]),
        ("cancellation_terms", [BACK]),
        ("cancellation_terms", [BACK, SessionFull()]),
        ("check_refund", [None, True]),
        ("check_refund", [SessionFull]),
    ],
)
async def test_an_answer_that_the_hook_does_not_take_is_a_failure(
    hook: str, answer: object
) -> None:
    (line,) = await failure(hook, answering(answer))

    assert line["what"].startswith("expected 2 answers of ")


@pytest.mark.parametrize(
    ("hook", "answer"),
    [
        ("ways_to_book", [WayToBook("course", WAY.price), None]),
        ("ways_to_book", [None, WayToBook("drop_in", Money(1200, "EUR"))]),
        ("payment_options", [[OPTION, PaymentOption("offline", action=EUROS)], ()]),
        ("cancellation_terms", [None, Terms(give_back=CreditBack(CustomerBundleId(new_id())))]),
    ],
)
async def test_an_answer_that_core_could_not_act_on_is_a_failure(
    hook: str, answer: object
) -> None:
    (line,) = await failure(hook, answering(answer))

    assert not line["what"].startswith("expected")


@pytest.mark.parametrize("hook", WRITE | AFTER)
async def test_a_hook_that_is_only_told_and_answers_has_misunderstood_something(
    hook: str,
) -> None:
    (line,) = await failure(hook, answering([]))

    assert line["what"] == "it answers nothing"


@pytest.mark.parametrize("hook", WRITE)
async def test_every_enabled_bolt_on_is_told(hook: str) -> None:
    told: list[str] = []

    def telling(name: str) -> Callable[..., Awaitable[None]]:
        async def method(_self: object, now: datetime) -> None:
            assert now == NOW
            told.append(name)

        return method

    second, first = (a_bolt_on(code, **{hook: telling(code)}) for code in ("zumba", "yoga"))
    await HOOKS[hook](on(second, a_bolt_on("quiet"), first))

    assert told == ["yoga", "zumba"]


@pytest.mark.parametrize("hook", HOOKS)
async def test_a_bolt_on_that_is_off_is_not_asked(hook: str) -> None:
    """I3."""
    installed = BoltOns([a_bolt_on("broken", **{hook: raising(ZeroDivisionError())})])

    await HOOKS[hook](installed.enabled(frozenset()))
    await HOOKS[hook](installed.enabled(frozenset({"no_longer_installed"})))
    with capture_logs(), pytest.raises(BoltOnFailed):
        await HOOKS[hook](installed.enabled(frozenset({"broken"})))


NO_SAY: dict[str, list[Any]] = {
    "ways_to_book": [[], []],
    "check_booking": [[], []],
    "payment_options": [[], []],
    "cancellation_terms": [None, None],
    "check_refund": [None, None],
}


@pytest.mark.parametrize("hook", READ)
async def test_nobody_to_ask_is_no_objection(hook: str) -> None:
    assert await READ[hook](on()) == NO_SAY[hook]
    assert await READ[hook](on(a_bolt_on("overrides_nothing"))) == NO_SAY[hook]


@pytest.mark.parametrize("hook", READ | WRITE)
async def test_what_a_bolt_on_inherits_has_no_say(hook: str) -> None:
    answer = await HOOKS[hook](cast("EnabledBoltOns", BoltOn()))

    assert (answer is None) == (hook in WRITE)
    if answer is not None:
        inheriting = on(a_bolt_on("asks_above", **{hook: answering(answer)}))
        assert await READ[hook](inheriting) == NO_SAY[hook]


async def test_nobody_is_asked_about_nothing() -> None:
    bolt_ons = on(a_bolt_on("broken", ways_to_book=raising(ZeroDivisionError())))

    assert await bolt_ons.ways_to_book(TX, [], NOW) == []


async def test_every_bolt_ons_answers_are_collected_in_the_order_of_their_codes() -> None:
    full, started = SessionFull(), SessionStarted()
    bolt_ons = on(
        a_bolt_on(
            "second", ways_to_book=answering([WAY, None]), check_booking=answering([[full], ()])
        ),
        a_bolt_on(
            "first",
            ways_to_book=answering((full, None)),
            check_booking=answering(([started], [started])),
            payment_options=answering([[OPTION, OPTION], []]),
        ),
    )

    assert await bolt_ons.ways_to_book(TX, TWO, NOW) == [[full, WAY], []]
    assert await bolt_ons.check_booking(TX, TWO, NOW) == [[started, full], [started]]
    assert await bolt_ons.payment_options(TX, TWO, NOW) == [[OPTION, OPTION], []]


async def test_the_first_reason_against_a_refund_is_given() -> None:
    full, started = SessionFull(), SessionStarted()
    bolt_ons = on(
        a_bolt_on("first", check_refund=answering([None, started])),
        a_bolt_on("second", check_refund=answering([full, full])),
        a_bolt_on("third", cancellation_terms=answering([BACK, None])),
    )

    assert await bolt_ons.check_refund(TX, TWO, [BACK, BACK], NOW) == [full, started]
    assert await bolt_ons.cancellation_terms(TX, TWO, NOW) == [
        replace(BACK, decided_by="third"),
        None,
    ]


def test_accounts_with_the_same_bolt_ons_share_what_was_looked_up() -> None:
    installed = BoltOns([a_bolt_on("first"), a_bolt_on("second")])
    both = frozenset(installed.installed)

    assert installed.enabled(both) is installed.enabled(frozenset([*both]))


@pytest.fixture
def busy(tmp_path: Path) -> DBAPIError:
    """Meet a database that somebody else is writing to."""
    file = tmp_path / "busy.db"
    with (
        closing(sqlite3.connect(file)) as one,
        closing(sqlite3.connect(file, timeout=0)) as two,
    ):
        one.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError) as locked:
            two.execute("BEGIN IMMEDIATE")
    return OperationalError("BEGIN IMMEDIATE", None, locked.value)


async def test_contention_passes_so_that_all_of_it_is_done_again(busy: DBAPIError) -> None:
    with capture_logs() as logs, pytest.raises(OperationalError) as raised:
        await WRITE["bookings_written"](on(a_bolt_on("writes", bookings_written=raising(busy))))

    assert raised.value is busy
    assert logs == []


async def test_any_other_database_error_is_the_bolt_ons() -> None:
    twice = IntegrityError("INSERT", None, sqlite3.IntegrityError("UNIQUE constraint failed"))

    await failure("bookings_written", raising(twice))


class Declined(Refusal):
    """A stranger's refusal."""

    code = "STRANGER_DECLINED"


async def test_a_strangers_refusal_is_as_good_as_ours() -> None:
    declined = Declined("Not today.")
    bolt_ons = on(a_bolt_on("stranger", check_booking=answering([[declined], []])))

    assert await bolt_ons.check_booking(TX, TWO, NOW) == [[declined], []]
