"""Root mutations, one module per part of the business; each adds its own to the root."""

import strawberry

from classbolt_schema.mutations import (
    accounts,
    booking,
    buying,
    cancelling,
    credits,
    jobs,
    paying,
    people,
    scheduling,
    setup,
    stripe,
    switching,
)

__all__ = [
    "Mutation",
    "accounts",
    "booking",
    "buying",
    "cancelling",
    "credits",
    "jobs",
    "paying",
    "people",
    "scheduling",
    "setup",
    "stripe",
    "switching",
]


@strawberry.type(description="What can be done.")
class Mutation:
    """The root of every mutation; the modules of this package add its fields."""
