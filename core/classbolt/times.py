"""Time arithmetic as people mean it (A7): hours elapse, days are read off a calendar.

A wall time that a clock change skips is moved forward by the gap; one that happens twice means
the first. Both are what `fold=0` does. Aware datetimes must not be added up directly: Python
then computes wall clock for hours too.
"""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from classbolt.values import Period, Unit


def before(instant: datetime, period: Period, zone: ZoneInfo) -> datetime:
    """Give the instant that lies the period earlier."""
    return _shift(instant, period, zone, sign=-1)


def after(instant: datetime, period: Period, zone: ZoneInfo) -> datetime:
    """Give the instant that lies the period later."""
    return _shift(instant, period, zone, sign=1)


def _shift(instant: datetime, period: Period, zone: ZoneInfo, *, sign: int) -> datetime:
    amount = sign * period.value
    # Nothing at all moves nothing: of a wall time that happens twice, the second stays so.
    if period.unit is Unit.HOURS or amount == 0:
        return instant.astimezone(UTC) + timedelta(hours=amount)
    wall = instant.astimezone(zone).replace(tzinfo=None)
    if period.unit is Unit.MONTHS:
        moved = _add_months(wall, amount)
    else:
        moved = wall + timedelta(days=amount * (7 if period.unit is Unit.WEEKS else 1))
    return moved.replace(tzinfo=zone, fold=0).astimezone(UTC)


def _add_months(wall: datetime, months: int) -> datetime:
    """Move by calendar months; a day that the month does not have becomes its last one."""
    year, month = divmod(wall.year * 12 + wall.month - 1 + months, 12)
    day = min(wall.day, calendar.monthrange(year, month + 1)[1])
    return wall.replace(year=year, month=month + 1, day=day)
