"""The doctor says what is wrong with a database, and where, and names nobody."""

from __future__ import annotations

import socket
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

import healthy as h
from classbolt.bolt_ons import BoltOns
from classbolt.doctor import Example, Finding, Report, Severity, examine
from classbolt.migrate import components, downgrade
from classbolt.tables import customers, refunds
from classbolt.testing.databases import Kind
from classbolt_schema.server.context import utc_now
from healthy import KEYS, do
from pages import read, rows, section, words


def found(report: Report) -> dict[str, Finding]:
    """Give what was found, by code."""
    return {each.check.code: each.finding for each in report.results if each.finding}


def left_out(report: Report) -> set[str]:
    return {each.check.code for each in report.results if not each.is_done}


async def test_a_healthy_database_passes_every_check(
    url: str, kind: Kind, bolt_ons: BoltOns
) -> None:
    report = await examine(url, bolt_ons, clock=utc_now, keys=KEYS)

    assert (found(report), left_out(report), report.is_healthy) == ({}, set(), True)
    codes = [each.check.code for each in report.results]
    assert len(codes) == len(set(codes)) > 30
    assert ("FILE_DAMAGED" in codes, "CONSTRAINTS_OFF" in codes) == (
        kind == "sqlite",
        kind == "postgresql",
    )


async def test_a_finding_says_how_many_rows_there_are_and_where(
    url: str, bolt_ons: BoltOns
) -> None:
    await do(url, "UPDATE sessions SET seats_taken = seats_taken - 1 WHERE seats_taken = 1")

    report = await examine(url, bolt_ons, clock=utc_now, keys=KEYS)

    where = [Example("sessions", h.NORTH, str(each)) for each in (h.MON_2, h.SAT_1)]
    says = (
        "2 rows break the rule: J1 seats taken are the active bookings and those that are held."
    )
    assert found(report) == {"SEATS_MISCOUNTED": Finding(says, 2, tuple(where))}
    assert not report.is_healthy


async def test_no_more_than_five_rows_are_named(url: str, bolt_ons: BoltOns) -> None:
    for _ in range(7):
        row = {"id": h.key(), "name": "Customer", "created_at": h.LATER}
        await do(url, h.add(customers, row))

    report = await examine(url, bolt_ons, clock=lambda: h.NOW, keys=KEYS)

    ahead = found(report)["WRITTEN_AHEAD"]
    assert (ahead.count, len(ahead.examples)) == (7, 5)


async def test_a_report_names_nobody(url: str, bolt_ons: BoltOns) -> None:
    await do(
        url,
        update(customers).values(name="Ana Example", email="ana@example.com"),
        "UPDATE memberships SET subject = 'ana@example.com' WHERE customer_id IS NOT NULL",
        "UPDATE sessions SET seats_taken = 0",
        "UPDATE customer_bundles SET balance = 1 WHERE revoked_at IS NULL",
        "DELETE FROM cancellations",
    )

    report = await examine(url, bolt_ons, clock=lambda: h.BEFORE - timedelta(days=1), keys=KEYS)

    assert found(report).keys() >= {
        "BALANCE_NOT_IN_LEDGER",
        "CANCELLATION_MISCOUNTED",
        "SEATS_MISCOUNTED",
        "WRITTEN_AHEAD",
    }
    assert "Ana" not in str(report)
    assert "@" not in str(report)


@pytest.mark.parametrize(("seconds", "is_said"), [(60, False), (61, True)])
async def test_a_row_may_be_dated_a_minute_ahead_because_clocks_are(
    seconds: int, *, is_said: bool, url: str, bolt_ons: BoltOns
) -> None:
    await do(url, update(customers).values(created_at=h.NOW + timedelta(seconds=seconds)))

    report = await examine(url, bolt_ons, clock=lambda: h.NOW, keys=KEYS)

    assert ("WRITTEN_AHEAD" in found(report)) is is_said
    assert report.is_healthy


async def test_a_refund_that_failed_is_warned_of_unless_it_was_made_good(
    url: str, bolt_ons: BoltOns
) -> None:
    made_good = await examine(url, bolt_ons, clock=utc_now, keys=KEYS)
    await do(url, h.change(refunds, h.MADE_GOOD, refunded_at=None))

    report = await examine(url, bolt_ons, clock=utc_now, keys=KEYS)

    assert found(made_good) == {}
    where = (Example("refunds", h.NORTH, str(h.MADE_GOOD)),)
    assert found(report).keys() == {"REFUND_FAILED"}
    assert found(report)["REFUND_FAILED"].examples == where
    assert report.is_healthy


# The database


async def test_a_database_that_is_not_there_is_not_made(
    tmp_path: Path, bolt_ons: BoltOns
) -> None:
    missing = tmp_path / "missing.db"

    report = await examine(f"sqlite+aiosqlite:///{missing}", bolt_ons, clock=utc_now, keys=KEYS)

    assert found(report).keys() == {"MIGRATIONS_PENDING"}
    assert found(report)["MIGRATIONS_PENDING"].count > 3
    assert not missing.exists()


async def test_a_database_that_is_behind_is_not_looked_into(
    url: str, bolt_ons: BoltOns
) -> None:
    *_, drop_in = components(bolt_ons.installed.values())
    await downgrade(url, drop_in, "base")

    report = await examine(url, bolt_ons, clock=utc_now, keys=KEYS)

    assert found(report).keys() == {"MIGRATIONS_PENDING"}
    says = found(report)["MIGRATIONS_PENDING"].message
    assert says.startswith("Yet to be run: drop_in 0001")
    assert says.endswith("Run classbolt migrate.")
    assert "SEATS_MISCOUNTED" in left_out(report)
    assert not report.is_healthy


async def test_a_database_of_a_newer_release_is_not_looked_into(
    url: str, bolt_ons: BoltOns
) -> None:
    await do(url, "UPDATE core_schema_version SET version_num = '0777'")

    report = await examine(url, bolt_ons, clock=utc_now, keys=KEYS)

    assert found(report).keys() == {"MIGRATIONS_UNKNOWN"}
    assert "'0777'" in found(report)["MIGRATIONS_UNKNOWN"].message
    assert {"MIGRATIONS_PENDING", "SEATS_MISCOUNTED"} <= left_out(report)


async def test_a_database_that_does_not_answer_is_said_to(
    kind: Kind, tmp_path: Path, bolt_ons: BoltOns, request: pytest.FixtureRequest
) -> None:
    if kind == "sqlite":
        (tmp_path / "letter.db").write_text("Dear database, " * 100)
        url, says = f"sqlite+aiosqlite:///{tmp_path}/letter.db", "file is not a database"
    else:
        url = request.getfixturevalue("postgres").url("nowhere")
        says = 'database "nowhere" does not exist'

    report = await examine(url, bolt_ons, clock=utc_now, keys=KEYS)

    says = f"The database does not answer: {says}."
    assert found(report) == {"DATABASE_UNREADABLE": Finding(says, 1)}
    assert {"MIGRATIONS_PENDING", "SEATS_MISCOUNTED"} <= left_out(report)


async def test_a_server_that_is_not_there_is_said_to(bolt_ons: BoltOns) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    url = f"postgresql+asyncpg://somebody:secret@127.0.0.1:{port}/somewhere"

    report = await examine(url, bolt_ons, clock=utc_now, keys=KEYS)

    assert found(report).keys() == {"DATABASE_UNREADABLE"}
    assert "secret" not in str(report)


async def test_a_database_that_stops_answering_half_way_is_said_to(
    url: str, bolt_ons: BoltOns
) -> None:
    await do(url, "ALTER TABLE credit_entries RENAME COLUMN amount TO sum")

    report = await examine(url, bolt_ons, clock=utc_now, keys=KEYS)

    assert found(report).keys() == {"TABLES_INCOMPLETE", "DATABASE_UNREADABLE"}
    assert "amount" in found(report)["DATABASE_UNREADABLE"].message
    assert "SELECT" not in found(report)["DATABASE_UNREADABLE"].message
    assert "LEDGER_NOT_ACCOUNTED_FOR" in left_out(report)


async def test_the_tables_must_have_what_guards_seats_and_credits(
    url: str, kind: Kind, bolt_ons: BoltOns
) -> None:
    await do(url, "DROP INDEX uq_bookings_one_active_place")
    lost = ["uq_bookings_one_active_place"]
    if kind == "postgresql":
        await do(url, "ALTER TABLE sessions DROP CONSTRAINT ck_sessions_seats")
        lost.append("ck_sessions_seats")

    report = await examine(url, bolt_ons, clock=utc_now, keys=KEYS)

    assert found(report).keys() == {"TABLES_INCOMPLETE"}
    assert found(report)["TABLES_INCOMPLETE"].count == len(lost)
    for name in lost:
        assert name in found(report)["TABLES_INCOMPLETE"].message


async def test_an_index_of_the_operator_does_no_harm(url: str, bolt_ons: BoltOns) -> None:
    await do(url, "CREATE INDEX mine ON customers (email)")

    assert found(await examine(url, bolt_ons, clock=utc_now, keys=KEYS)) == {}


@pytest.mark.parametrize("kind", ["sqlite"])
async def test_sqlite_looks_through_its_file(url: str, bolt_ons: BoltOns) -> None:
    await do(url, "UPDATE payments SET amount_minor = -1")

    report = await examine(url, bolt_ons, clock=utc_now, keys=KEYS)

    assert found(report).keys() == {"FILE_DAMAGED"}
    assert "CHECK constraint failed in payments" in found(report)["FILE_DAMAGED"].message


@pytest.mark.parametrize("kind", ["postgresql"])
@pytest.mark.parametrize(
    ("off", "table", "name"),
    [
        (
            "UPDATE pg_constraint SET convalidated = false WHERE conname = '{}'",
            "bolt_on_switches",
            "fk_bolt_on_switches_account_id_accounts",
        ),
        (
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{}'::regclass",
            "tags",
            "ix_tags_account_id_name",
        ),
        (
            "ALTER TABLE bolt_on_switches DISABLE TRIGGER ALL",
            "bolt_on_switches",
            "fk_bolt_on_switches_account_id_accounts",
        ),
    ],
    ids=["a constraint", "an index", "a reference"],
)
async def test_postgresql_must_enforce_all_that_it_has(
    off: str, table: str, name: str, url: str, bolt_ons: BoltOns
) -> None:
    await do(url, off.format(name))

    report = await examine(url, bolt_ons, clock=utc_now, keys=KEYS)

    says = f"PostgreSQL does not enforce: {table}.{name}."
    assert found(report) == {"CONSTRAINTS_OFF": Finding(says, 1)}


# The page


async def test_every_code_is_explained_to_operators(bolt_ons: BoltOns) -> None:
    nowhere = ("sqlite+aiosqlite:////nowhere/at.all", "postgresql+asyncpg://127.0.0.1:1/none")
    reports = [await examine(url, bolt_ons, clock=utc_now, keys=KEYS) for url in nowhere]
    checks = {each.check for report in reports for each in report.results}

    table = rows(section(read("docs/operating.md"), "The doctor"))
    explained = {words(code)[0]: text for code, text in table if words(code)}

    assert explained.keys() == {each.code for each in checks}
    assert {code for code, text in explained.items() if text.startswith("Warning. ")} == {
        each.code for each in checks if each.severity is Severity.WARNING
    }
