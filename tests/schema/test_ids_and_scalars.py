from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from strawberry.exceptions import StrawberryInputCoercionError

from classbolt import values
from classbolt.values import new_id
from classbolt_schema import ids
from classbolt_schema.scalars import Money, parse_instant, write_instant

SESSION = UUID("01930000-0000-7000-8000-000000000001")


def test_an_id_says_its_type_and_can_be_read_back() -> None:
    raw = ids.encode("Session", SESSION)

    assert ids.decode("Session", raw) == SESSION
    assert ids.decode_any(raw) == ("Session", SESSION)
    assert "=" not in raw


def test_an_id_of_another_type_is_read_as_one_that_nobody_has() -> None:
    assert ids.decode("Session", ids.encode("Course", SESSION)) == ids.NOBODYS


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "1",
        "not base64!",
        "ünïcode",
        "U2Vzc2lvbg",
        "A" * 10_000,
        str(SESSION),
        ids.encode("Session", SESSION) + "=",
        ids.encode("Session", SESSION) + "\n",
        "U2Vzc2lvbjowMTkzMDAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDE",
    ],
)
def test_what_is_not_spelt_as_our_ids_are_is_read_as_one_that_nobody_has(raw: str) -> None:
    assert ids.decode_any(raw) is None
    assert ids.decode("Session", raw) == ids.NOBODYS


def test_no_row_is_ever_given_the_key_that_nobody_has() -> None:
    assert {new_id().version for _ in range(10)} == {7}
    assert ids.NOBODYS.version is None


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2027-01-25T18:30:00Z", datetime(2027, 1, 25, 18, 30, tzinfo=UTC)),
        ("2027-01-25T18:30Z", datetime(2027, 1, 25, 18, 30, tzinfo=UTC)),
        ("2027-01-25T18:30:00+01:00", datetime(2027, 1, 25, 17, 30, tzinfo=UTC)),
        ("2027-01-25T18:30:00.250-0530", datetime(2027, 1, 26, 0, 0, 0, 250_000, tzinfo=UTC)),
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_with_its_offset(text: str, instant: datetime) -> None:
    assert parse_instant(text) == instant
    assert parse_instant(text).tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        "2027-01-25T18:30:00",
        "2027-01-25",
        "2027-W04-1T18:30:00Z",
        "2027-02-30T18:30:00Z",
        "2027-01-25T25:30:00Z",
        "2027-01-25 18:30:00Z",
        "٢٠٢٧-01-25T18:30:00Z",
        "2027-01-25T18:30:00Z\n",
        "9999-12-31T23:59:59-12:00",
        "0001-01-01T00:00:00+12:00",
        "9900-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        1_800_000_000,
        None,
    ],
)
def test_what_does_not_say_which_instant_it_is_is_refused_without_repeating_it(
    value: object,
) -> None:
    with pytest.raises(StrawberryInputCoercionError) as refused:
        parse_instant(value)

    shown = str(refused.value).replace("2027-01-25T18:30:00Z", "an example")
    assert str(value) not in shown.replace("2027-01-25T18:30:00+01:00", "an example")


def test_every_instant_that_is_accepted_leaves_room_for_a_century_either_way() -> None:
    century = timedelta(days=36_500)

    latest = parse_instant("9899-12-31T23:59:59Z") + century
    earliest = parse_instant("1970-01-01T00:00:00Z") - century

    assert (earliest.year, latest.year) == (1870, 9999)


def test_an_instant_is_written_in_utc() -> None:
    paris = timezone(timedelta(hours=1))

    assert write_instant(datetime(2027, 1, 25, 18, 30, tzinfo=paris)) == "2027-01-25T17:30:00Z"


def test_a_naive_datetime_of_ours_is_a_bug() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        write_instant(datetime(2027, 1, 25, 18, 30))  # noqa: DTZ001


def test_money_is_shown_in_minor_units() -> None:
    shown = Money.of(values.Money(1_400, "GBP"))

    assert (shown.amount_minor, shown.currency) == (1_400, "GBP")
