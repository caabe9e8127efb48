"""A7: hours elapse; days, weeks and months are read off the wall of the account's zone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classbolt.times import after, before
from classbolt.values import Period, Unit
from clock_changes import (
    CUT_OFFS,
    LONDON,
    LORD_HOWE,
    NEW_YORK,
    SPANS,
    VALIDITIES,
    ZONES,
    Span,
    period,
)
from studio import at


@pytest.fixture(params=["UTC", "Pacific/Kiritimati", "America/St_Johns"])
def process_zone(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Run the test in a process that stands in another time zone."""
    with monkeypatch.context() as environment:
        environment.setenv("TZ", request.param)
        time.tzset()
        yield request.param
    time.tzset()


@pytest.mark.parametrize("span", CUT_OFFS)
@pytest.mark.usefixtures("process_zone")
def test_hours_elapse_and_days_are_read_off_the_wall(span: Span) -> None:
    """X1: a notice and an opening time count back from the start."""
    found = before(at(span.later), period(span.period), ZoneInfo(span.zone))

    assert found == at(span.earlier)


@pytest.mark.parametrize("span", VALIDITIES)
@pytest.mark.usefixtures("process_zone")
def test_a_validity_ends_by_the_same_arithmetic(span: Span) -> None:
    """C1, X1: a validity counts on from the issue."""
    found = after(at(span.earlier), period(span.period), ZoneInfo(span.zone))

    assert found == at(span.later)


@pytest.mark.parametrize("span", SPANS)
def test_the_rows_are_what_a_clock_on_the_wall_shows(span: Span) -> None:
    """Hold the rows themselves to plain arithmetic: offsets as published, walls as written."""
    earlier, later = at(span.earlier), at(span.later)
    length = period(span.period)
    lengths = {Unit.HOURS: "hours", Unit.DAYS: "days", Unit.WEEKS: "weeks"}
    expected = timedelta(**{lengths[length.unit]: length.value})

    for each in (earlier, later):
        assert each.astimezone(ZoneInfo(span.zone)).utcoffset() == each.utcoffset()
    if length.unit is Unit.HOURS:
        assert later - earlier == expected
    else:
        assert later.replace(tzinfo=None) - earlier.replace(tzinfo=None) == expected


@pytest.mark.parametrize(
    ("zone", "start", "unit", "moved"),
    [
        (LONDON, "2027-04-20T18:00", "MONTHS", "2027-03-20T19:00"),
        (LONDON, "2027-11-10T10:00", "MONTHS", "2027-10-10T09:00"),
        (LORD_HOWE, "2027-05-03T01:30", "MONTHS", "2027-04-03T01:00"),
        # Nowhere near a change, a day is 24 hours.
        (LONDON, "2027-01-25T18:30", "DAYS", "2027-01-24T18:30"),
    ],
)
@pytest.mark.usefixtures("process_zone")
def test_months_are_read_off_the_wall_too(zone: str, start: str, unit: str, moved: str) -> None:
    one = Period(1, Unit(unit))

    assert before(at(start), one, ZoneInfo(zone)) == at(moved)
    assert after(at(moved), one, ZoneInfo(zone)) == at(start)


@pytest.mark.parametrize("unit", list(Unit))
@pytest.mark.parametrize(
    ("zone", "instant"),
    [
        (LONDON, "2027-01-25T18:30:00+00:00"),
        (LONDON, "2027-10-31T01:30:00+00:00"),  # the second time that it is half past one
        (NEW_YORK, "2027-11-07T01:30:00-05:00"),
        (LORD_HOWE, "2027-04-04T01:45:00+10:30"),
    ],
)
def test_no_time_at_all_moves_nothing(zone: str, instant: str, unit: Unit) -> None:
    """A notice of 0 days ends at the start, also where the wall shows its time twice."""
    assert before(at(instant), Period(0, unit), ZoneInfo(zone)) == at(instant)
    assert after(at(instant), Period(0, unit), ZoneInfo(zone)) == at(instant)


@pytest.mark.parametrize(
    ("start", "months", "moved"),
    [
        ("2027-01-31T10:00", 1, "2027-02-28T10:00"),
        ("2028-01-31T10:00", 1, "2028-02-29T10:00"),
        ("2028-02-29T10:00", 12, "2029-02-28T10:00"),
        ("2027-01-30T10:00", 1, "2027-02-28T10:00"),
        ("2027-10-31T10:00", 1, "2027-11-30T10:00"),
        ("2027-11-15T10:00", 2, "2028-01-15T10:00"),
        ("2027-03-31T09:00", -1, "2027-02-28T10:00"),
        ("2027-01-15T10:00", -1, "2026-12-15T10:00"),
        ("2027-12-31T10:00", -1, "2027-11-30T10:00"),
        ("2027-12-31T10:00", 60, "2032-12-31T10:00"),
    ],
)
def test_a_day_that_a_month_does_not_have_becomes_its_last(
    start: str, months: int, moved: str
) -> None:
    shift = after if months > 0 else before

    assert shift(at(start), Period(abs(months), Unit.MONTHS), ZoneInfo(LONDON)) == at(moved)


def test_the_answer_is_utc_whatever_offset_was_asked_with() -> None:
    start = datetime(2027, 1, 25, 18, 30, tzinfo=ZoneInfo(LORD_HOWE))

    for unit in Unit:
        assert before(start, Period(1, unit), ZoneInfo(NEW_YORK)).tzinfo is UTC


instants = st.datetimes(
    datetime(2020, 1, 1),  # noqa: DTZ001  (hypothesis draws naive bounds and adds the zone)
    datetime(2040, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@given(start=instants, hours=st.integers(0, 10_000), zone=st.sampled_from(ZONES))
def test_hours_are_exactly_that_long_everywhere(start: datetime, hours: int, zone: str) -> None:
    period = Period(hours, Unit.HOURS)

    assert start - before(start, period, ZoneInfo(zone)) == timedelta(hours=hours)
    assert after(start, period, ZoneInfo(zone)) - start == timedelta(hours=hours)


@given(start=instants, days=st.integers(1, 2000), zone=st.sampled_from(ZONES))
def test_days_keep_the_time_on_the_wall_unless_it_is_skipped(
    start: datetime, days: int, zone: str
) -> None:
    here = ZoneInfo(zone)
    wanted = start.astimezone(here).replace(tzinfo=None) - timedelta(days=days)

    found = before(start, Period(days, Unit.DAYS), here).astimezone(here).replace(tzinfo=None)

    skipped = wanted.replace(tzinfo=here).astimezone(UTC).astimezone(here)
    assert found == wanted or skipped.replace(tzinfo=None) != wanted
    assert timedelta() <= found - wanted <= timedelta(hours=1)
