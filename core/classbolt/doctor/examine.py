"""Make all checks, each once, and never change anything.

A server may go on serving meanwhile: each check is one statement, or stands by itself, and sees
the rows as they were at one moment. A database that does not answer, or has other tables than
this release, is not looked into, and the report says what was left out.
"""

from __future__ import annotations

from asyncio import TaskGroup
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import func, make_url, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from classbolt.bolt_ons import BoltOns
from classbolt.components import Component, components
from classbolt.db import Database
from classbolt.doctor import installation
from classbolt.doctor.installation import EXAMPLES, Patient
from classbolt.doctor.invariant import Invariant
from classbolt.doctor.links import Keys, Lack
from classbolt.doctor.money import REFUND_FAILED
from classbolt.doctor.references import WRITTEN_AHEAD, references
from classbolt.doctor.report import Check, Example, Finding, Report, Result, Severity
from classbolt.doctor.rows import DEAD_JOBS, INVARIANTS, OVERDUE_JOBS
from classbolt.migrate import MigrationError, pending

CLOCKS_MAY_BE_AHEAD = timedelta(minutes=1)
JOBS_MAY_WAIT = timedelta(hours=1)

ZONE_DATA = Check("ZONE_DATA_MISSING", "this machine knows the time zones of the world")
UNREADABLE = Check("DATABASE_UNREADABLE", "the database answers")
PENDING = Check("MIGRATIONS_PENDING", "all migrations of this release have been run")
UNKNOWN = Check("MIGRATIONS_UNKNOWN", "no migration of another release has been run")

Look = Callable[[Patient], Awaitable[Finding | None]]
OF_SQLITE: dict[Check, Look] = {
    Check("FILE_DAMAGED", "the file is sound"): installation.file_damage,
}
OF_POSTGRESQL: dict[Check, Look] = {
    Check(
        "CONSTRAINTS_OFF", "constraints, indexes and references are enforced"
    ): installation.not_enforced,
    Check(
        "CLOCKS_DIFFER", "the database's clock and this machine's agree", Severity.WARNING
    ): installation.clocks_differ,
}
OF_BOTH: dict[Check, Look] = {
    Check(
        "TABLES_INCOMPLETE", "the tables have all columns, indexes and constraints"
    ): installation.tables_lack,
    Check(
        "TIME_ZONE_UNKNOWN", "every account is in a time zone that is known"
    ): installation.unknown_zones,
    Check(
        "BOLT_ON_NOT_INSTALLED", "every bolt-on that is on is installed", Severity.WARNING
    ): installation.not_installed,
    Check(
        "BOLT_ONS_IN_CONFLICT", "no bolt-ons are on that cannot be on together"
    ): installation.conflicts,
    Check(
        "BOLT_ON_REQUIREMENT_OFF", "every bolt-on that is on has the others it needs"
    ): installation.requirements_off,
    Check(
        Lack.KEY_MISSING.value, "the key of Stripe is set, where links go by the installation's"
    ): installation.stripe_key_missing,
    Check(
        Lack.KEY_NOT_OPENED.value, "every key of Stripe that an account gave can be opened"
    ): installation.stripe_key_not_opened,
}


async def examine(
    url: str, bolt_ons: BoltOns, *, clock: Callable[[], datetime], keys: Keys
) -> Report:
    """Examine a database and the installation around it.

    Args:
        keys: What the installation has to use links with Stripe with.

    Raises:
        MigrationError: The code of a bolt-on would claim tables of core.
    """
    examined_at = clock()
    parts = components(bolt_ons.installed.values())
    around, rows = _around(url), _rows(parts)
    found: dict[Check, Finding | None] = {ZONE_DATA: installation.zone_data()}
    try:
        found |= await _migrations(url, parts)
        if all(each in found and found[each] is None for each in (PENDING, UNKNOWN)):
            database = Database(url, bolt_ons)
            patient = partial(Patient, url, bolt_ons, parts, clock, keys)
            try:
                await _make(around, database, patient, found)
                await _make(rows, database, patient, found, at_once=2)
            finally:
                await database.close()
        found[UNREADABLE] = None
    except* (SQLAlchemyError, OSError) as errors:
        found[UNREADABLE] = Finding(f"The database does not answer: {_reason(errors)}.", 1)
    checks = (ZONE_DATA, UNREADABLE, PENDING, UNKNOWN, *around, *rows)
    return Report(
        examined_at,
        tuple(Result(each, found.get(each), is_done=each in found) for each in checks),
    )


async def _make(
    looks: Mapping[Check, Look],
    database: Database,
    patient: Callable[[AsyncConnection], Patient],
    found: dict[Check, Finding | None],
    *,
    at_once: int = 1,
) -> None:
    """Make checks, each on the first connection that is free."""
    left = iter(looks.items())

    async def work() -> None:
        async with database.look() as connection:
            for check, look in left:
                found[check] = await look(patient(connection))

    async with TaskGroup() as tasks:
        for _ in range(at_once):
            tasks.create_task(work())


def _around(url: str) -> dict[Check, Look]:
    """List the checks of what is around the rows."""
    is_sqlite = make_url(url).get_backend_name() == "sqlite"
    return {**(OF_SQLITE if is_sqlite else OF_POSTGRESQL), **OF_BOTH}


def _rows(parts: Sequence[Component]) -> dict[Check, Look]:
    """List the checks of rows; on a large database, each computes for a second or so."""
    always = (*INVARIANTS, references(part.metadata for part in parts))
    wanting_a_look = (DEAD_JOBS, OVERDUE_JOBS, REFUND_FAILED, WRITTEN_AHEAD)
    return {
        **{Check(each.code, each.rule): _look_for(each) for each in always},
        **{
            Check(each.code, each.rule, Severity.WARNING): _look_for(each)
            for each in wanting_a_look
        },
    }


def _look_for(invariant: Invariant) -> Look:
    """Make a look for rows that break a rule: all are counted, the first are named."""
    wrong = invariant.wrong.subquery("wrong")
    statement = (
        select(wrong, func.count().over().label("total"))
        .order_by(wrong.c.account_id, wrong.c.id)
        .limit(EXAMPLES)
    )

    async def look(patient: Patient) -> Finding | None:
        now = patient.clock()
        moments = {"latest": now + CLOCKS_MAY_BE_AHEAD, "overdue": now - JOBS_MAY_WAIT}
        rows = (await patient.connection.execute(statement, moments)).all()
        if not rows:
            return None
        total = rows[0].total
        examples = [
            Example(row.source, row.account_id, None if row.id is None else str(row.id))
            for row in rows
        ]
        many = f"{total} rows break" if total > 1 else "A row breaks"
        return Finding(f"{many} the rule: {invariant.rule}.", total, tuple(examples))

    return look


async def _migrations(url: str, parts: Sequence[Component]) -> dict[Check, Finding | None]:
    """Compare the scripts that were run with those of this release."""
    try:
        waiting = await pending(url, parts)
    except MigrationError as unknown:
        return {UNKNOWN: Finding(f"{unknown}.", 1)}
    if not waiting:
        return {PENDING: None, UNKNOWN: None}
    say = f"Yet to be run: {', '.join(waiting)}. Run classbolt migrate."
    return {PENDING: Finding(say, len(waiting)), UNKNOWN: None}


def _reason(errors: BaseExceptionGroup[Exception]) -> str:
    """Give the driver's own words, without the statement."""
    error = errors.exceptions[0]
    return str(error.orig if isinstance(error, DBAPIError) else error)
