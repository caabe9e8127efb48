"""`classbolt doctor`: what it prints, for people and for machines, and how it exits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import healthy as h
from classbolt.testing.databases import Kind, Templates
from healthy import HEALTHY, do
from installation import Done, Installation

Doctor = Callable[..., Done]
KEYS = {"STRIPE_API_KEY": "sk_test_51Own", "STRIPE_PUBLISHABLE_KEY": "pk_test_51Own"}
TAKE_A_SEAT = "UPDATE sessions SET seats_taken = 9 WHERE seats_taken = 1"


@pytest.fixture
async def url(kind: Kind, templates: Templates) -> AsyncIterator[str]:
    """A database with healthy rows."""
    async with templates.database(kind, HEALTHY) as url:
        yield url


@pytest.fixture
def doctor(url: str, tmp_path: Path) -> Doctor:
    """Run the command, and give its exit code and what it prints and complains of."""
    return partial(Installation(tmp_path, {"DATABASE_URL": url, **KEYS}).run, "doctor")


def as_object(printed: str) -> tuple[bool, dict[str, dict[str, Any]]]:
    """Read what machines are told."""
    found = json.loads(printed)
    return found["healthy"], {each["code"]: each for each in found["checks"]}


def test_a_healthy_database_exits_with_0_and_every_check_has_a_line(doctor: Doctor) -> None:
    code, printed, complaints = doctor()

    *lines, empty, verdict = printed.splitlines()
    assert (code, complaints, empty) == (0, "", "")
    assert "OK        J1 seats taken are the active bookings and those that are held" in lines
    assert {line.split()[0] for line in lines} == {"OK"}
    assert verdict == f"Healthy: {len(lines)} OK."


def test_a_problem_exits_with_1_and_says_where(url: str, doctor: Doctor) -> None:
    asyncio.run(do(url, TAKE_A_SEAT))

    code, printed, complaints = doctor()

    *lines, _, verdict = printed.splitlines()
    at = lines.index(
        "PROBLEM   SEATS_MISCOUNTED:"
        " 2 rows break the rule:"
        " J1 seats taken are the active bookings and those that are held."
    )
    assert lines[at + 1 : at + 3] == [
        f"          - sessions of account 1: {h.MON_2}",
        f"          - sessions of account 1: {h.SAT_1}",
    ]
    assert (code, complaints) == (1, "")
    assert verdict == f"Not healthy: {len(lines) - 3} OK, 1 PROBLEM."


def test_a_warning_exits_with_0(url: str, doctor: Doctor) -> None:
    asyncio.run(do(url, "UPDATE bolt_on_switches SET code = 'waitlist' WHERE code = 'drop_in'"))

    code, printed, _ = doctor()

    assert code == 0
    assert "WARNING   BOLT_ON_NOT_INSTALLED: " in printed
    assert "          - bolt_on_switches of account 1: waitlist" in printed
    assert printed.splitlines()[-1].startswith("Healthy: ")


def test_what_could_not_be_looked_at_is_said_to_be_left_out(url: str, doctor: Doctor) -> None:
    asyncio.run(do(url, "UPDATE core_schema_version SET version_num = '0777'"))

    code, printed, _ = doctor()

    assert code == 1
    assert "LEFT_OUT  J1 seats taken are the active bookings and those that are held" in printed
    assert " LEFT_OUT, 2 OK, 1 PROBLEM." in printed.splitlines()[-1]


def test_machines_are_told_of_health_in_one_object(doctor: Doctor) -> None:
    code, printed, complaints = doctor("--json")

    healthy, checks = as_object(printed)
    assert (code, complaints, healthy) == (0, "", True)
    assert {each["status"] for each in checks.values()} == {"OK"}
    assert checks["SEATS_MISCOUNTED"] == {
        "code": "SEATS_MISCOUNTED",
        "rule": "J1 seats taken are the active bookings and those that are held",
        "severity": "PROBLEM",
        "status": "OK",
        "message": None,
        "count": 0,
        "examples": [],
    }


def test_machines_are_told_what_is_wrong_and_where(url: str, doctor: Doctor) -> None:
    asyncio.run(do(url, TAKE_A_SEAT, "UPDATE accounts SET time_zone = 'Mars' WHERE id = 2"))

    code, printed, _ = doctor("--json")

    healthy, checks = as_object(printed)
    wrong = {name: each for name, each in checks.items() if each["status"] != "OK"}
    assert (code, healthy, set(wrong)) == (
        1,
        False,
        {"SEATS_MISCOUNTED", "TIME_ZONE_UNKNOWN"},
    )
    seats, zone = wrong["SEATS_MISCOUNTED"], wrong["TIME_ZONE_UNKNOWN"]
    assert (seats["status"], seats["count"]) == ("PROBLEM", 2)
    assert seats["message"].endswith(seats["rule"] + ".")
    assert seats["examples"] == [
        {"table": "sessions", "account": h.NORTH, "id": str(each)}
        for each in (h.MON_2, h.SAT_1)
    ]
    assert zone["examples"] == [{"table": "accounts", "account": h.SOUTH, "id": None}]


def test_without_the_key_that_a_link_goes_by_it_is_not_healthy(
    url: str, tmp_path: Path
) -> None:
    code, printed, _ = Installation(tmp_path, {"DATABASE_URL": url}).run("doctor")

    assert code == 1
    assert "PROBLEM   STRIPE_KEY_MISSING: " in printed


def test_a_demo_is_healthy_without_keys_of_stripe(tmp_path: Path) -> None:
    """Its account is linked through the key of a double, which each `serve --demo` brings."""
    demo = Installation(tmp_path)
    with demo.serving("--demo"):
        pass

    code, printed, _ = demo.run("doctor")

    assert code == 0, printed


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.usefixtures("bolt_on_that_is_gone")
def test_what_is_said_of_a_bolt_on_on_loading_does_not_get_into_the_report(
    doctor: Doctor,
) -> None:
    code, printed, complaints = doctor("--json")

    assert (code, as_object(printed)[0]) == (0, True)
    assert "bolt_on_not_loaded" in complaints


def test_settings_that_cannot_be_used_exit_with_1_and_one_line(tmp_path: Path) -> None:
    misspelt = Installation(tmp_path, {"CLASSBOLT_DATTA": "here"})

    assert misspelt.refuses("doctor", "--json").startswith("CLASSBOLT_DATTA is not a setting")
