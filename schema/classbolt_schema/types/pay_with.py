"""How somebody chooses to pay: a @oneOf input that bolt-ons add members to."""

from abc import abstractmethod
from uuid import UUID

import strawberry

from classbolt.booking_rules import PayWith
from classbolt.errors import InvalidInput
from classbolt_schema.compose.inputs import chosen


class PaySource:
    """What a bolt-on's member of `payWith` is, if it can name what pays."""

    @abstractmethod
    def source(self) -> UUID | None:
        """Give the id of what pays; None leaves the choice to the rules."""


@strawberry.input(
    one_of=True,
    description="How to pay: exactly one of the members. Ask `bookingOptions` which can be"
    " used.",
)
class PayWithInput:
    """A way to pay."""

    card: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="true: pay by card. The places are held for a while, and the payload's"
        " `cardPayment` lets the customer pay with Stripe.js.",
    )
    offline: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="true: pay the business outside of Classbolt; staff note when it came.",
    )
    free: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="true: there is nothing to pay, or staff give it away.",
    )


def to_pay_with(one_of: PayWithInput, *path: str) -> PayWith:
    """Give core what was chosen.

    Raises:
        InvalidInput: A member was named only to be denied.
    """
    method, value = chosen(one_of)
    if isinstance(value, PaySource):
        return PayWith(method, value.source())
    if value is not True:
        raise InvalidInput("Say true to choose this way to pay.", *path, method)
    return PayWith(method)
