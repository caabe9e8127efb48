"""The values GraphQL lacks: instants and money."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Self

import strawberry
from strawberry.exceptions import StrawberryInputCoercionError
from strawberry.types.scalar import ScalarDefinition

from classbolt import values

INSTANT = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d([.,]\d{1,9})?)?(Z|[+-]\d\d(:?\d\d)?)", re.ASCII
)
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9900, 1, 1, tzinfo=UTC)
"""A century short of what Python can count to, so that a period can be added safely."""


def parse_instant(value: object) -> datetime:
    """Read an instant as clients write it.

    Raises:
        StrawberryInputCoercionError: It is no instant. The text does not repeat what was sent.
    """
    if not isinstance(value, str) or not INSTANT.fullmatch(value):
        raise StrawberryInputCoercionError(
            "A DateTime is a date and a time with its offset from UTC, such as"
            " 2027-01-25T18:30:00Z or 2027-01-25T18:30:00+01:00."
        )
    try:
        instant = datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        raise StrawberryInputCoercionError("There is no such date or time.") from None
    if not EARLIEST <= instant < LATEST:
        raise StrawberryInputCoercionError("A DateTime lies between the years 1970 and 9899.")
    return instant


def write_instant(value: datetime) -> str:
    """Write an instant in UTC.

    Raises:
        ValueError: It has no offset, so nobody can say which instant it is.
    """
    if value.utcoffset() is None:
        raise ValueError(f"{value!r} has no time zone")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


SCALARS: Mapping[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description=(
            "An instant, in ISO 8601 with its offset from UTC: 2027-01-25T18:30:00Z. Answers"
            " are in UTC; to show an instant to people, use the time zone of the account."
        ),
        specified_by_url="https://scalars.graphql.org/andimarek/date-time",
        serialize=write_instant,
        parse_value=parse_instant,
    ),
}
"""Python types that are GraphQL scalars of ours."""


@strawberry.type(description="An amount of money.")
class Money:
    """An amount of money as clients see it."""

    amount_minor: int = strawberry.field(
        description="The amount in the currency's smallest unit, such as pence or cents."
    )
    currency: str = strawberry.field(description="The currency's ISO 4217 code, such as GBP.")

    @classmethod
    def of(cls, money: values.Money) -> Self:
        """Show core's money."""
        return cls(amount_minor=money.amount_minor, currency=money.currency)
