"""Customers."""

from datetime import datetime
from typing import Self

import strawberry

from classbolt import customers
from classbolt.values import CustomerId
from classbolt_schema.ids import encode
from classbolt_schema.types.node import Node


@strawberry.type(description="A person who books with the business.")
class Customer(Node):
    """A customer."""

    name: str = strawberry.field(description="What the person is called.")
    email: str | None = strawberry.field(description="Where the person can be written to.")
    erased_at: datetime | None = strawberry.field(
        description="When everything that names the person was erased; null if it was not."
    )
    key: strawberry.Private[CustomerId]

    @classmethod
    def of(cls, customer: customers.Customer) -> Self:
        """Show core's customer."""
        return cls(
            id=strawberry.ID(encode("Customer", customer.id)),
            name=customer.name,
            email=customer.email,
            erased_at=customer.erased_at,
            key=customer.id,
        )
