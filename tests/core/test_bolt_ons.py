"""A bolt-on that breaks a rule is refused when it is registered, by name and with a remedy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import Column, Integer, MetaData, Table
from structlog.testing import capture_logs

from classbolt.bolt_ons import BadBoltOn, BoltOns
from classbolt.columns import Key
from classbolt.db import Tx
from classbolt.facts import BookingFacts, Terms
from classbolt.hooks import BoltOn, BoltOnInfo
from classbolt.tables import account_column


def a_bolt_on(
    code: str = "waitlist", *, api: str = "1.0", methods: dict[str, Any] | None = None
) -> BoltOn:
    """Make a bolt-on of a class of its own, with these methods."""
    info = BoltOnInfo(code, code.title(), "It is for tests.", "1.0.0", api)
    kind = type("Made", (BoltOn,), {"info": info, **(methods or {})})
    return cast("BoltOn", kind())


def having(make: Callable[[MetaData], object]) -> dict[str, Any]:
    """Give the hook that declares tables."""
    metadata = MetaData()
    make(metadata)
    return {"tables": lambda _self: metadata}


def refused(*bolt_ons: Any) -> str:
    with pytest.raises(BadBoltOn) as no:
        BoltOns(bolt_ons)
    return str(no.value)


async def a_coroutine(*_: object) -> list[object]:
    return []


def a_function(*_: object) -> None:
    return None


class Decides(BoltOn):
    """Answers the hook that only one may answer."""

    info = BoltOnInfo("decides", "Decides", "It is for tests.", "1.0.0")

    async def cancellation_terms(
        self, tx: Tx, bookings: Sequence[BookingFacts], now: datetime
    ) -> Sequence[Terms | None]:
        del tx, now
        return [None for _ in bookings]


class DecidesToo(Decides):
    info = BoltOnInfo("decides_too", "Decides too", "It is for tests.", "1.0.0")


def test_bolt_ons_are_kept_and_asked_in_the_order_of_their_codes() -> None:
    given = [a_bolt_on("zumba"), a_bolt_on("abseiling"), a_bolt_on("makeup_cap")]

    assert list(BoltOns(given).installed) == ["abseiling", "makeup_cap", "zumba"]


def test_an_installation_may_have_none() -> None:
    assert BoltOns().installed == {}


def test_a_hook_that_is_misspelt_is_refused_with_the_one_that_was_meant() -> None:
    said = refused(a_bolt_on(methods={"booking_writen": a_coroutine}))

    assert said.startswith(
        "waitlist.booking_writen is not a hook; did you mean bookings_written?"
    )


def test_a_public_method_that_is_like_no_hook_is_refused_too() -> None:
    said = refused(a_bolt_on(methods={"helper": a_function}))

    assert said == ("waitlist.helper is not a hook (a helper's name begins with an underscore)")


def test_helpers_and_values_are_the_bolt_ons_own_business() -> None:
    BoltOns([a_bolt_on(methods={"_helper": a_function, "limit": 3})])


def test_a_hook_of_an_account_must_be_a_coroutine() -> None:
    said = refused(a_bolt_on(methods={"check_booking": a_function}))

    assert said == "waitlist.check_booking must be 'async def'"


@pytest.mark.parametrize("hook", ["tables", "extend_schema"])
def test_a_startup_hook_must_not_be_one(hook: str) -> None:
    said = refused(a_bolt_on(methods={hook: a_coroutine}))

    assert said == f"waitlist.{hook} must be a plain 'def'"


def test_a_hook_that_asks_for_something_unknown_is_refused() -> None:
    async def bookings_written(_self: object, tx: Tx, booking: object) -> None:
        del tx, booking

    said = refused(a_bolt_on(methods={"bookings_written": bookings_written}))

    assert said.startswith("Plugin 'waitlist' for hook 'bookings_written'")
    assert "Argument(s) {'booking'} are declared in the hookimpl" in said


@pytest.mark.parametrize("code", ["", "x", "Waitlist", "wait-list", "9lives", "_a", "a" * 41])
def test_a_code_is_short_lower_snake_case(code: str) -> None:
    assert "is not lower snake case" in refused(a_bolt_on(code))


@pytest.mark.parametrize("api", ["1.1", "2.0", "0.9", "1", "latest", "1.0.0", ""])
def test_a_bolt_on_for_hooks_that_we_do_not_have_is_refused(api: str) -> None:
    assert refused(a_bolt_on(api=api)) == (
        f"waitlist is written for hooks {api}, and here are 1.0"
    )


def test_two_bolt_ons_of_one_code_are_refused() -> None:
    assert "two bolt-ons are called 'waitlist'" in refused(a_bolt_on(), a_bolt_on())


def test_a_table_must_begin_with_the_code() -> None:
    said = refused(a_bolt_on(methods=having(lambda m: Table("places", m, account_column()))))

    assert said == "waitlist: the table places must be named waitlist_places"


def test_the_key_of_a_table_must_begin_with_the_account() -> None:
    def other_first(metadata: MetaData) -> Table:
        key = Column("id", Key, primary_key=True)
        return Table("waitlist_places", metadata, key, account_column())

    def without_key(metadata: MetaData) -> Table:
        return Table("waitlist_places", metadata, Column("account_id", Integer))

    for make in (other_first, without_key):
        assert refused(a_bolt_on(methods=having(make))) == (
            "waitlist: the primary key of waitlist_places must begin with account_id"
        )


def test_a_table_of_an_account_is_taken() -> None:
    BoltOns([a_bolt_on(methods=having(lambda m: Table("waitlist_a", m, account_column())))])


def test_what_is_no_bolt_on_is_refused() -> None:
    class NotOne:
        info = BoltOnInfo("not_one", "Not one", "It is for tests.", "1.0.0")

    class Nameless(BoltOn):
        pass

    for wrong in (NotOne(), Nameless(), object()):
        assert "is not a BoltOn with an info: BoltOnInfo" in refused(wrong)


def test_who_decides_the_same_is_a_rival() -> None:
    bolt_ons = BoltOns([Decides(), DecidesToo(), a_bolt_on()])
    everybody = frozenset(bolt_ons.installed)

    assert bolt_ons.rivals("decides", everybody) == ["decides_too"]
    assert bolt_ons.rivals("decides", frozenset({"decides", "waitlist"})) == []
    assert bolt_ons.rivals("waitlist", everybody) == []


def test_ours_are_found_as_a_strangers_would_be() -> None:
    assert {"auto_refund", "drop_in"} <= set(BoltOns.discover().installed)


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Install a distribution of a stranger: its entry points, and perhaps a module."""
    monkeypatch.syspath_prepend(tmp_path)

    def install(entry: str, module: str | None = None, text: str = "") -> None:
        folder = tmp_path / "stranger-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n"
        )
        (folder / "entry_points.txt").write_text(f"[classbolt.bolt_ons]\n{entry}\n")
        if module is not None:
            (tmp_path / f"{module}.py").write_text(text)

    return install


STRANGER = """
from classbolt import BoltOn, BoltOnInfo

class Stranger(BoltOn):
    info = BoltOnInfo("stranger", "Stranger", "It came by itself.", "1.0.0")
"""


def test_a_stranger_that_is_installed_is_found(distribution: Callable[..., None]) -> None:
    distribution("stranger = a_strangers_module:Stranger", "a_strangers_module", STRANGER)

    assert set(BoltOns.discover().installed) == {"auto_refund", "drop_in", "stranger"}


def test_a_bolt_on_that_cannot_be_imported_is_left_out_and_reported(
    distribution: Callable[..., None],
) -> None:
    distribution("gone = a_module_that_is_gone:Gone")

    with capture_logs() as logs:
        found = BoltOns.discover()

    assert set(found.installed) == {"auto_refund", "drop_in"}
    (line,) = logs
    assert (line["event"], line["bolt_on"], line["log_level"]) == (
        "bolt_on_not_loaded",
        "gone",
        "warning",
    )


def test_a_bolt_on_that_is_there_and_broken_stops_the_start(
    distribution: Callable[..., None],
) -> None:
    """Serving on without it would cost customers what it decides."""
    broken = f"import a_library_that_is_gone\n{STRANGER}"
    distribution("stranger = a_broken_module:Stranger", "a_broken_module", broken)

    with pytest.raises(ModuleNotFoundError, match="a_library_that_is_gone"):
        BoltOns.discover()
