"""What resolvers are told about the request they serve."""

from typing import TypeAlias

import strawberry

from classbolt_schema.server.context import Context

Info: TypeAlias = strawberry.Info[Context, None]
"""The type of every resolver's `info`."""


class NotingInfo(strawberry.Info[Context, None]):
    """Notes which added input members the client gave, for the gate.

    Strawberry makes one for each field that it resolves, converts the field's arguments with it
    and hands the same one to the resolver.

    Attributes:
        members_given: Who added the member, and where in the arguments it was given.
    """

    members_given: tuple[tuple[str | None, tuple[str | int, ...]], ...] = ()
