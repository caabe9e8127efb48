"""Look at what is around the rows: the file, the tables, clocks, time zones, bolt-ons, keys."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from sqlalchemy import DateTime, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from classbolt.bolt_ons import BoltOns
from classbolt.components import Component
from classbolt.doctor.links import Keys, Lack, unusable_links
from classbolt.doctor.report import Example, Finding
from classbolt.migrate import drift
from classbolt.tables import accounts, bolt_on_switches

EXAMPLES = 5
CLOCKS_MAY_DIFFER = timedelta(seconds=5)

FILE = text("PRAGMA quick_check")
# Checked since they were made, usable, not switched off: constraints, indexes, references.
NOT_ENFORCED = text(
    """
    SELECT conrelid::regclass || '.' || conname FROM pg_constraint
    WHERE connamespace = current_schema()::regnamespace AND NOT convalidated
    UNION
    SELECT indrelid::regclass || '.' || relname
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE relnamespace = current_schema()::regnamespace AND NOT indisvalid
    UNION
    SELECT conrelid::regclass || '.' || conname
    FROM pg_trigger JOIN pg_constraint ON pg_constraint.oid = tgconstraint
    WHERE connamespace = current_schema()::regnamespace AND tgenabled NOT IN ('O', 'A')
    ORDER BY 1
    """
)
CLOCK = select(func.clock_timestamp(type_=DateTime(timezone=True)))
ZONES = select(accounts.c.id, accounts.c.time_zone).order_by(accounts.c.id)
ENABLED = (
    select(bolt_on_switches.c.account_id, bolt_on_switches.c.code)
    .where(bolt_on_switches.c.enabled)
    .order_by(bolt_on_switches.c.account_id)
)


@dataclass(frozen=True, slots=True)
class Patient:
    """What is examined.

    Attributes:
        parts: What has tables in it.
        clock: Tells the time by this machine.
        keys: What the installation has to use links with Stripe with.
        connection: One snapshot of the database.
    """

    url: str
    bolt_ons: BoltOns
    parts: Sequence[Component]
    clock: Callable[[], datetime]
    keys: Keys
    connection: AsyncConnection


def zone_data() -> Finding | None:
    """Look for the time zones of the world on this machine."""
    if available_timezones():
        return None
    return Finding("This machine has no time zones. Install the package tzdata.", 1)


async def file_damage(patient: Patient) -> Finding | None:
    """Let SQLite look through its file."""
    lines = (await patient.connection.execute(FILE)).scalars().all()
    return _listing("SQLite finds in its file", [line for line in lines if line != "ok"])


async def not_enforced(patient: Patient) -> Finding | None:
    """Find what PostgreSQL takes on trust because it was told to."""
    names = (await patient.connection.execute(NOT_ENFORCED)).scalars().all()
    return _listing("PostgreSQL does not enforce", names)


async def tables_lack(patient: Patient) -> Finding | None:
    """Find what the tables lack. What an operator added, such as an index, does no harm."""
    return _listing(
        "The tables differ from this release's",
        [
            difference
            for difference in await drift(patient.url, patient.parts)
            if not difference.partition(": ")[2].startswith("remove")
        ],
    )


async def clocks_differ(patient: Patient) -> Finding | None:
    """Compare the database's clock with this machine's, half-way between asking and hearing."""
    asked = patient.clock()
    there = (await patient.connection.execute(CLOCK)).scalar_one()
    ahead = there - asked - (patient.clock() - asked) / 2
    if abs(ahead) <= CLOCKS_MAY_DIFFER:
        return None
    seconds = round(ahead.total_seconds())
    side = "ahead of" if seconds > 0 else "behind"
    return Finding(f"The database's clock is {abs(seconds)} seconds {side} this machine's.", 1)


async def unknown_zones(patient: Patient) -> Finding | None:
    """Find accounts in a time zone that cannot be loaded; no request of theirs is served."""
    rows = (await patient.connection.execute(ZONES)).all()
    found = [Example("accounts", row.id, None) for row in rows if not _is_zone(row.time_zone)]
    return _counting("Accounts in a time zone that this machine does not know", found)


async def not_installed(patient: Patient) -> Finding | None:
    """Find bolt-ons that are on and not installed: what they decided is no longer decided."""
    return await _switches(
        patient,
        "Switches of bolt-ons that are on but not installed",
        lambda bolt_ons, enabled: enabled - set(bolt_ons.installed),
    )


async def conflicts(patient: Patient) -> Finding | None:
    """Find bolt-ons that are on together and must not be: two may both give a refund."""
    return await _switches(
        patient,
        "Switches of bolt-ons that cannot be on together",
        _in_conflict,
    )


async def requirements_off(patient: Patient) -> Finding | None:
    """Find bolt-ons that are on without another one that they need."""
    return await _switches(
        patient,
        "Switches of bolt-ons that need another one to be on",
        _in_need,
    )


async def stripe_key_missing(patient: Patient) -> Finding | None:
    """Find links that go by the installation's key where it has none."""
    return await _unusable(
        patient,
        Lack.KEY_MISSING,
        "Links that go by STRIPE_API_KEY, which is not set",
        "Set it again, with STRIPE_PUBLISHABLE_KEY, or unlink these accounts.",
    )


async def stripe_key_not_opened(patient: Patient) -> Finding | None:
    """Find links whose own key was sealed under one that the installation does not have."""
    return await _unusable(
        patient,
        Lack.KEY_NOT_OPENED,
        "Links with a key that none in CLASSBOLT_SECRET_KEY opens",
        "Add the one that sealed it, or have the owners give theirs again: updateStripeLink.",
    )


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # the name of a folder is an OSError
        return False
    return True


def _in_conflict(bolt_ons: BoltOns, enabled: frozenset[str]) -> set[str]:
    there = {code: bolt_ons.installed[code].info for code in enabled & set(bolt_ons.installed)}
    declared = {
        code
        for one in there.values()
        for other in one.conflicts
        if other in there
        for code in (one.code, other)
    }
    return declared | {code for code in there if bolt_ons.rivals(code, frozenset(there))}


def _in_need(bolt_ons: BoltOns, enabled: frozenset[str]) -> set[str]:
    there = enabled & set(bolt_ons.installed)
    return {code for code in there if not set(bolt_ons.installed[code].info.requires) <= there}


async def _switches(
    patient: Patient,
    what: str,
    wrong: Callable[[BoltOns, frozenset[str]], AbstractSet[str]],
) -> Finding | None:
    """Find the switches that are wrong among those that an account has on."""
    enabled: dict[int, set[str]] = defaultdict(set)
    for row in (await patient.connection.execute(ENABLED)).all():
        enabled[row.account_id].add(row.code)
    # Many accounts have the same ones on: each set is judged once.
    sets = {frozenset(codes) for codes in enabled.values()}
    judged = {codes: sorted(wrong(patient.bolt_ons, codes)) for codes in sets}
    found = [
        Example("bolt_on_switches", account, code)
        for account, codes in enabled.items()
        for code in judged[frozenset(codes)]
    ]
    return _counting(what, found)


async def _unusable(patient: Patient, lack: Lack, what: str, to_do: str) -> Finding | None:
    """Find the links that cannot be used for one reason."""
    unusable = await unusable_links(patient.connection, patient.keys)
    found = [
        Example("stripe_links", each.account_id, each.id)
        for each in unusable
        if each.lack is lack
    ]
    return _counting(what, found, to_do)


def _counting(what: str, found: Sequence[Example], to_do: str = "") -> Finding | None:
    """Say how many there are, where the first of them are, and what can be done."""
    if not found:
        return None
    says = f"{what}: {len(found)}. {to_do}".rstrip()
    return Finding(says, len(found), tuple(found[:EXAMPLES]))


def _listing(what: str, lines: Sequence[str]) -> Finding | None:
    """Name the first of what has names, and say how many more there are."""
    if not lines:
        return None
    more = f" and {len(lines) - EXAMPLES} more" if len(lines) > EXAMPLES else ""
    return Finding(f"{what}: {', '.join(lines[:EXAMPLES])}{more}.", len(lines))
