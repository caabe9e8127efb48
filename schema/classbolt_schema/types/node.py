"""What all objects with an id have in common."""

import strawberry


@strawberry.interface(description="An object that can be fetched again by its id.")
class Node:
    """An object with a global id."""

    id: strawberry.ID = strawberry.field(
        description="Names the object, in this account and for good. Opaque: do not take it"
        " apart."
    )
