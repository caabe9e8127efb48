"""Open an account: the one thing that is done outside of every account."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from classbolt.errors import InvalidInput
from classbolt.tables import accounts

LONGEST_NAME = 200
NO_PLACE = frozenset({"Factory", "localtime"})
"""Names among the zones that stand for no zone, or for the server's own."""
SLUG = re.compile(r"[a-z][a-z0-9-]{1,38}[a-z0-9]")


async def create_account(
    connection: AsyncConnection,
    slug: str,
    name: str,
    *,
    time_zone: str,
    currency: str,
    now: datetime,
) -> None:
    """Open an account. Its slug is part of its address and never changes.

    Raises:
        InvalidInput: The slug is taken or malformed, or the zone or currency is not one.
    """
    if not SLUG.fullmatch(slug):
        raise InvalidInput("A slug is 3 to 40 lower-case letters, digits and hyphens.", "slug")
    if not re.fullmatch(r"[A-Z]{3}", currency):
        raise InvalidInput("A currency is three capital letters, such as GBP.", "currency")
    zone_named(time_zone, "time_zone")
    if not 1 <= len(name.strip()) <= LONGEST_NAME:
        raise InvalidInput("A name is 1 to 200 characters.", "name")
    taken = await connection.execute(select(accounts.c.id).where(accounts.c.slug == slug))
    if taken.first() is not None:
        raise InvalidInput("There is an account of this slug already.", "slug")
    row = {"slug": slug, "name": name.strip(), "time_zone": time_zone, "currency": currency}
    await connection.execute(insert(accounts), {**row, "created_at": now})


def zone_named(name: str, *path: str | int) -> ZoneInfo:
    """Give the time zone of a name.

    Raises:
        InvalidInput: There is none.
    """
    # The list is asked, not ZoneInfo, which also takes what else lies in the zones' folder.
    if name not in available_timezones() - NO_PLACE:
        raise InvalidInput("This is not a time zone, such as Europe/London.", *path)
    return ZoneInfo(name)
