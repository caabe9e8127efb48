"""Lengths of time as people say them."""

from typing import Self

import strawberry

from classbolt import values
from classbolt.values import Unit

strawberry.enum(
    Unit,
    name="TimeUnit",
    description="Hours elapse; days, weeks and months are read off a calendar in the account's"
    " time zone, so that a day before 18:30 is 18:30, also when the clocks change.",
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
