"""What the clock on the wall shows around its changes in three zones, worked out by hand (A7).

Each instant is written as people there read it, with the offset that holds then, so that a row
can be checked without a computer: days and weeks keep the time on the wall, and hours are off
by as much as the clocks were moved in between.
"""

from __future__ import annotations

from typing import NamedTuple

from classbolt.values import Period, Unit

LONDON = "Europe/London"
NEW_YORK = "America/New_York"
LORD_HOWE = "Australia/Lord_Howe"  # its clocks change by half an hour, and in the other season
ZONES = (LONDON, NEW_YORK, LORD_HOWE)


class Span(NamedTuple):
    """Two instants that lie a period apart in a zone."""

    zone: str
    earlier: str
    period: str
    later: str


SPANS = (
    # London, 28 March 2027: 01:00 becomes 02:00.
    Span(LONDON, "2027-03-27T18:30:00+00:00", "24 HOURS", "2027-03-28T19:30:00+01:00"),
    Span(LONDON, "2027-03-27T19:30:00+00:00", "1 DAYS", "2027-03-28T19:30:00+01:00"),
    Span(LONDON, "2027-03-21T19:30:00+00:00", "1 WEEKS", "2027-03-28T19:30:00+01:00"),
    # London, 31 October 2027: 02:00 becomes 01:00.
    Span(LONDON, "2027-10-30T11:00:00+01:00", "24 HOURS", "2027-10-31T10:00:00+00:00"),
    Span(LONDON, "2027-10-28T10:00:00+01:00", "3 DAYS", "2027-10-31T10:00:00+00:00"),
    Span(LONDON, "2027-10-17T10:00:00+01:00", "2 WEEKS", "2027-10-31T10:00:00+00:00"),
    # New York, 14 March 2027: 02:00 becomes 03:00.
    Span(NEW_YORK, "2027-03-13T17:15:00-05:00", "48 HOURS", "2027-03-15T18:15:00-04:00"),
    Span(NEW_YORK, "2027-03-13T18:15:00-05:00", "2 DAYS", "2027-03-15T18:15:00-04:00"),
    Span(NEW_YORK, "2027-03-08T18:15:00-05:00", "1 WEEKS", "2027-03-15T18:15:00-04:00"),
    # New York, 7 November 2027: 02:00 becomes 01:00.
    Span(NEW_YORK, "2027-11-06T13:00:00-04:00", "24 HOURS", "2027-11-07T12:00:00-05:00"),
    Span(NEW_YORK, "2027-11-06T12:00:00-04:00", "1 DAYS", "2027-11-07T12:00:00-05:00"),
    Span(NEW_YORK, "2027-10-31T12:00:00-04:00", "1 WEEKS", "2027-11-07T12:00:00-05:00"),
    # Lord Howe, 3 October 2027: 02:00 becomes 02:30.
    Span(LORD_HOWE, "2027-10-02T08:30:00+10:30", "24 HOURS", "2027-10-03T09:00:00+11:00"),
    Span(LORD_HOWE, "2027-10-02T09:00:00+10:30", "1 DAYS", "2027-10-03T09:00:00+11:00"),
    Span(LORD_HOWE, "2027-09-19T09:00:00+10:30", "2 WEEKS", "2027-10-03T09:00:00+11:00"),
    # Lord Howe, 4 April 2027: 02:00 becomes 01:30.
    Span(LORD_HOWE, "2027-04-03T09:30:00+11:00", "24 HOURS", "2027-04-04T09:00:00+10:30"),
    Span(LORD_HOWE, "2027-04-03T09:00:00+11:00", "1 DAYS", "2027-04-04T09:00:00+10:30"),
    Span(LORD_HOWE, "2027-03-28T09:00:00+11:00", "1 WEEKS", "2027-04-04T09:00:00+10:30"),
    # Forward and back again in between: the same time of day either way.
    Span(LONDON, "2027-03-01T19:00:00+00:00", "40 WEEKS", "2027-12-06T19:00:00+00:00"),
    Span(LONDON, "2027-03-01T19:00:00+00:00", "6720 HOURS", "2027-12-06T19:00:00+00:00"),
)

# A time that is skipped moves forward by the gap, and one that happens twice means the first.
CUT_OFFS = (
    *SPANS,
    Span(LONDON, "2027-03-28T02:30:00+01:00", "1 DAYS", "2027-03-29T01:30:00+01:00"),
    Span(LONDON, "2027-10-31T01:30:00+01:00", "1 DAYS", "2027-11-01T01:30:00+00:00"),
    Span(NEW_YORK, "2027-03-14T03:30:00-04:00", "1 WEEKS", "2027-03-21T02:30:00-04:00"),
    Span(NEW_YORK, "2027-11-07T01:30:00-04:00", "1 WEEKS", "2027-11-14T01:30:00-05:00"),
    Span(LORD_HOWE, "2027-10-03T02:45:00+11:00", "2 DAYS", "2027-10-05T02:15:00+11:00"),
    Span(LORD_HOWE, "2027-04-04T01:45:00+11:00", "2 DAYS", "2027-04-06T01:45:00+10:30"),
)
"""Later, and the cut-off that lies the period before it."""

VALIDITIES = (
    *SPANS,
    Span(LONDON, "2027-03-26T01:30:00+00:00", "2 DAYS", "2027-03-28T02:30:00+01:00"),
    Span(LONDON, "2027-10-30T01:30:00+01:00", "1 DAYS", "2027-10-31T01:30:00+01:00"),
    Span(NEW_YORK, "2027-03-07T02:30:00-05:00", "1 WEEKS", "2027-03-14T03:30:00-04:00"),
    Span(NEW_YORK, "2027-10-31T01:30:00-04:00", "1 WEEKS", "2027-11-07T01:30:00-04:00"),
    Span(LORD_HOWE, "2027-10-02T02:15:00+10:30", "1 DAYS", "2027-10-03T02:45:00+11:00"),
    Span(LORD_HOWE, "2027-04-03T01:45:00+11:00", "1 DAYS", "2027-04-04T01:45:00+11:00"),
)
"""Earlier, and the end of a validity that begins there."""


def period(text: str) -> Period:
    """Read a period as the rows write it."""
    value, unit = text.split()
    return Period(int(value), Unit(unit))
