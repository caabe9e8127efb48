"""Lengths of time as people say them."""

from typing import Self

import strawberry

from classbolt import values
from classbolt.values import Unit
from classbolt_schema.compose.enums import show_enum

show_enum(
    Unit,
    name="TimeUnit",
    description="Hours elapse; days, weeks and months are read off a calendar in the account's"
    " time zone, so that a day before 18:30 is 18:30, also when the clocks change.",
    values={
        Unit.HOURS: "So many times sixty minutes.",
        Unit.DAYS: "The same time of day, so many days away.",
        Unit.WEEKS: "The same time of the same weekday, so many weeks away.",
        Unit.MONTHS: "The same time and day, so many months away; a day that the month lacks"
        " becomes its last.",
    },
)


@strawberry.type(description="A length of time.")
class Period:
    """A length of time as clients see it."""

    value: int = strawberry.field(description="How many units.")
    unit: Unit = strawberry.field(description="Units of what.")

    @classmethod
    def of(cls, period: values.Period) -> Self:
        """Show core's period."""
        return cls(value=period.value, unit=period.unit)


@strawberry.input(description="A length of time.")
class PeriodInput:
    """A length of time as clients give it."""

    value: int = strawberry.field(description="How many units.")
    unit: Unit = strawberry.field(description="Units of what.")

    def to_period(self) -> values.Period:
        """Give core its period."""
        return values.Period(self.value, self.unit)
