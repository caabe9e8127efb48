"""The gate: what belongs to a bolt-on answers only accounts that have the bolt-on switched on.

It stands here and nowhere else. A bolt-on's own code never asks whether it is on: it is not
called when it is off.
"""

from collections.abc import Awaitable, Callable
from inspect import Parameter
from typing import Any, cast

from strawberry.annotation import StrawberryAnnotation
from strawberry.types.base import StrawberryList, StrawberryOptional
from strawberry.types.field import StrawberryField

from classbolt.bolt_ons import BadBoltOn
from classbolt.errors import BoltOnDisabled, refuse_if
from classbolt_schema.compose.fields import arguments_of, evaluated, make_field
from classbolt_schema.compose.info import Info, NotingInfo


def refuse_members_off(info: Info, enabled: frozenset[str]) -> None:
    """Refuse input members of bolt-ons that are off, wherever they were given, even as null.

    Raises:
        Refusals: The client gave such members; each reason says where.
    """
    refuse_if(
        BoltOnDisabled(owner).at(*path)
        for owner, path in cast("NotingInfo", info).members_given
        if owner is not None and owner not in enabled
    )


async def is_open(info: Info, owner: str | None) -> bool:
    """Say whether a field that the owner added answers for the account of the request.

    Raises:
        Refusals: The client gave input members of bolt-ons that are off.
    """
    if owner is None and not cast("NotingInfo", info).members_given:
        return True
    enabled = (await info.context.reading()).account.enabled
    refuse_members_off(info, enabled)
    return owner is None or owner in enabled


def answer_when_off(owner: str | None, where: str, returns: Any) -> list[Any] | None:
    """Give what a field answers while its owner is off: null, or an empty list.

    Raises:
        BadBoltOn: The field is neither nullable nor a list, so it could not answer at all.
    """
    kind = StrawberryAnnotation(returns).resolve()
    if owner is None or isinstance(kind, StrawberryOptional):
        return None
    if isinstance(kind, StrawberryList):
        return []
    raise BadBoltOn(
        f"{owner} adds {where} as {returns!r}: it must be nullable or a list, so that it can be"
        " null or empty while the bolt-on is off"
    )


def query_field(
    resolve: Callable[..., Awaitable[Any]], *, name: str, description: str, owner: str | None
) -> StrawberryField:
    """Make a root query field that passes the gate."""
    own = evaluated(resolve)
    nothing = answer_when_off(owner, f"Query.{name}", own.return_annotation)

    async def answer(info: Info, **arguments: Any) -> Any:
        return await resolve(info, **arguments) if await is_open(info, owner) else nothing

    parameters = [
        Parameter("info", Parameter.POSITIONAL_OR_KEYWORD, annotation=Info),
        *arguments_of([*own.parameters.values()][1:]),
    ]
    return make_field(
        answer,
        parameters,
        own.return_annotation,
        name=name,
        description=description,
        owner=owner,
        kind=StrawberryField,
    )
