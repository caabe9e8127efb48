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
from studio import at

LONDON = "Europe/London"
NEW_YORK = "America/New_York"
LORD_HOWE = "Australia/Lord_Howe"  # its clocks change by half an hour, and in the other season
ZONES = (LONDON, NEW_YORK, LORD_HOWE)


def period(text: str) -> Period:
    value, unit = text.split()
    return Period(int(value), Unit(unit))


@pytest.fixture(params=["UTC", "Asia/Kathmandu", NEW_YORK])
def process_zone(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Run the test in a process that stands in another time zone."""
    with monkeypatch.context() as environment:
        environment.setenv("TZ", request.param)
        time.tzset()
        yield request.param
    time.tzset()


@pytest.mark.parametrize(
    ("zone", "start", "notice", "deadline"),
    [
        # London, 28 March 2027: 01:00 becomes 02:00.
        (LONDON, "2027-03-28T18:00", "24 HOURS", "2027-03-27T18:00"),
        (LONDON, "2027-03-28T18:00", "1 DAYS", "2027-03-27T19:00"),
        (LONDON, "2027-04-01T18:00", "7 DAYS", "2027-03-25T19:00"),
        (LONDON, "2027-04-01T18:00", "1 WEEKS", "2027-03-25T19:00"),
        (LONDON, "2027-04-01T18:00", "168 HOURS", "2027-03-25T18:00"),
        (LONDON, "2027-04-20T18:00", "1 MONTHS", "2027-03-20T19:00"),
        # London, 31 October 2027: 02:00 becomes 01:00.
        (LONDON, "2027-10-31T10:00", "24 HOURS", "2027-10-30T10:00"),
        (LONDON, "2027-10-31T10:00", "1 DAYS", "2027-10-30T09:00"),
        (LONDON, "2027-11-10T10:00", "2 WEEKS", "2027-10-27T09:00"),
        (LONDON, "2027-11-10T10:00", "1 MONTHS", "2027-10-10T09:00"),
        # New York, 14 March and 7 November 2027.
        (NEW_YORK, "2027-03-14T16:00", "24 HOURS", "2027-03-13T16:00"),
        (NEW_YORK, "2027-03-14T16:00", "1 DAYS", "2027-03-13T17:00"),
        (NEW_YORK, "2027-11-07T17:00", "1 DAYS", "2027-11-06T16:00"),
        # Lord Howe, 4 April and 3 October 2027.
        (LORD_HOWE, "2027-04-04T01:30", "24 HOURS", "2027-04-03T01:30"),
        (LORD_HOWE, "2027-04-04T01:30", "1 DAYS", "2027-04-03T01:00"),
        (LORD_HOWE, "2027-10-03T01:00", "1 WEEKS", "2027-09-26T01:30"),
        # Nowhere near a change, all say the same.
        (LONDON, "2027-01-25T18:30", "24 HOURS", "2027-01-24T18:30"),
        (LONDON, "2027-01-25T18:30", "1 DAYS", "2027-01-24T18:30"),
        (LONDON, "2027-01-25T18:30", "0 HOURS", "2027-01-25T18:30"),
        (LONDON, "2027-01-25T18:30", "0 DAYS", "2027-01-25T18:30"),
    ],
)
@pytest.mark.usefixtures("process_zone")
def test_hours_elapse_and_days_are_read_off_the_wall(
    zone: str, start: str, notice: str, deadline: str
) -> None:
    assert before(at(start), period(notice), ZoneInfo(zone)) == at(deadline)


@pytest.mark.parametrize(
    ("zone", "issued", "validity", "expiry"),
    [
        (LONDON, "2027-01-20T10:00", "30 DAYS", "2027-02-19T10:00"),
        (LONDON, "2027-01-10T09:00", "90 DAYS", "2027-04-10T08:00"),
        (LONDON, "2027-03-27T12:00", "24 HOURS", "2027-03-28T12:00"),
        (LONDON, "2027-03-27T12:00", "1 DAYS", "2027-03-28T11:00"),
        (LONDON, "2027-10-30T11:00", "1 DAYS", "2027-10-31T12:00"),
        (NEW_YORK, "2027-11-01T16:00", "1 WEEKS", "2027-11-08T17:00"),
        (LORD_HOWE, "2027-04-03T01:00", "1 MONTHS", "2027-05-03T01:30"),
    ],
)
@pytest.mark.usefixtures("process_zone")
def test_a_validity_ends_by_the_same_arithmetic(
    zone: str, issued: str, validity: str, expiry: str
) -> None:
    assert after(at(issued), period(validity), ZoneInfo(zone)) == at(expiry)


@pytest.mark.parametrize(
    ("zone", "start", "skipped"),
    [
        (LONDON, "2027-03-29T00:30", "2027-03-28T01:30"),  # 01:30 is skipped: it is 02:30
        (NEW_YORK, "2027-03-15T06:30", "2027-03-14T07:30"),  # 02:30 is skipped: it is 03:30
        (LORD_HOWE, "2027-10-03T15:15", "2027-10-02T15:45"),  # 02:15 is skipped: it is 02:45
    ],
)
@pytest.mark.usefixtures("process_zone")
def test_a_time_that_is_skipped_moves_forward_by_the_gap(
    zone: str, start: str, skipped: str
) -> None:
    assert before(at(start), Period(1, Unit.DAYS), ZoneInfo(zone)) == at(skipped)


@pytest.mark.parametrize(
    ("zone", "start", "first"),
    [
        (LONDON, "2027-11-01T01:30", "2027-10-31T00:30"),
        (NEW_YORK, "2027-11-08T06:30", "2027-11-07T05:30"),
        (LORD_HOWE, "2027-04-04T15:15", "2027-04-03T14:45"),
    ],
)
@pytest.mark.usefixtures("process_zone")
def test_a_time_that_happens_twice_means_the_first(zone: str, start: str, first: str) -> None:
    assert before(at(start), Period(1, Unit.DAYS), ZoneInfo(zone)) == at(first)


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
