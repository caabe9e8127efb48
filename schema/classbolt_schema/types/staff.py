"""The people who run the account, and who did what is kept in its histories."""

from typing import Self
from uuid import UUID

import strawberry

from classbolt import customers
from classbolt_schema.ids import encode
from classbolt_schema.types.node import Node


@strawberry.type(description="A person who runs the business.")
class Staff(Node):
    """A member of staff."""

    name: str = strawberry.field(description="What the person is called.")
    role: str = strawberry.field(
        description="OWNER, MANAGER or STAFF. Each may do all that the later ones may."
    )

    @classmethod
    def of(cls, person: customers.Staff) -> Self:
        """Show core's member of staff."""
        return cls(
            id=strawberry.ID(encode("Staff", person.id)),
            name=person.name,
            role=person.role.value,
        )


@strawberry.type(description="Who did something.")
class Actor:
    """Who did something."""

    kind: str = strawberry.field(
        description="CUSTOMER, STAFF, or SYSTEM for what nobody did by hand."
    )
    person: strawberry.Private[UUID | None]
