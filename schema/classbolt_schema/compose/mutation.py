"""Root mutations: each is one write transaction, answered after its commit.

A refusal that crosses the transaction rolls it back and becomes `userErrors` here, and only
here. Anything else that escapes is a bug and goes on its way.
"""

import dataclasses
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from inspect import Parameter
from typing import Annotated, Any, TypeVar

import strawberry
from strawberry.types.field import StrawberryField

from classbolt.db import Tx
from classbolt.errors import BoltOnDisabled, Refusal, Refusals
from classbolt.values import Actor
from classbolt_schema.compose.fields import evaluated, make_field
from classbolt_schema.compose.gate import refuse_members_off
from classbolt_schema.compose.info import Info
from classbolt_schema.compose.once import Keyed, answer_once
from classbolt_schema.user_errors import UserError, to_user_error


@dataclass(frozen=True, slots=True)
class Ask:
    """What a mutation works with.

    Attributes:
        tx: The open write transaction. It is committed when the mutation returns.
        actor: Who asks.
        now: The moment of this mutation.
        info: What GraphQL knows of the request.
    """

    tx: Tx
    actor: Actor
    now: datetime
    info: Info


@strawberry.type(description="The outcome of a mutation.")
class Payload:
    """What every payload extends. Its other fields are null when there are user errors."""

    user_errors: list[UserError] = strawberry.field(
        default_factory=list,
        description="All reasons why nothing was done; empty if it was done.",
    )


@dataclass(frozen=True, slots=True)
class After:
    """What the second half of a mutation works with: no transaction is open any more.

    Attributes:
        now: The moment of the mutation.
        info: What GraphQL knows of the request.
    """

    now: datetime
    info: Info


I = TypeVar("I")  # noqa: E741  (the mutation's input)
P = TypeVar("P", bound=Payload)
First = Callable[[Info, Any], Awaitable[None]]
Then = Callable[[After, Any], Awaitable[None]]


class MutationField(StrawberryField):
    """A root mutation field, ready to be a member of `Mutation`.

    Attributes:
        owned_by: Makes the field again, for the bolt-on that adds it.
    """

    owned_by: Callable[[str | None], "MutationField"]


async def _nothing(*_: object) -> None:
    """Add nothing to what is done in the transaction."""


def mutation(
    *,
    description: str,
    name: str | None = None,
    first: First = _nothing,
    then: Then = _nothing,
) -> Callable[[Callable[[Ask, I], Awaitable[P]]], MutationField]:
    """Make a root mutation of a function from an `Ask` and the input to the payload.

    The function may run again from its beginning when others wanted the same rows, so all that
    it does goes through `ask.tx`.

    Args:
        first: What comes before the transaction, and is done once: asking others whether the
            input can be used. It is given the input, of which nothing has been checked yet,
            not even whether the caller may ask for this. Where it refuses, nothing is done.
        then: What follows the commit, such as speaking with others; it may complete the
            payload. It also follows when the mutation was done before under its key. Where it
            refuses, what was committed stays.
    """

    def make(work: Callable[[Ask, I], Awaitable[P]]) -> MutationField:
        def owned_by(owner: str | None) -> MutationField:
            field = _mutation_field(
                work,
                name=name or work.__name__,
                description=description,
                owner=owner,
                first=first,
                then=then,
            )
            field.owned_by = owned_by
            return field

        return owned_by(None)

    return make


def _mutation_field(
    work: Callable[[Ask, Any], Awaitable[Payload]],
    *,
    name: str,
    description: str,
    owner: str | None,
    first: First,
    then: Then,
) -> MutationField:
    own = evaluated(work)
    payload = own.return_annotation
    match [each.annotation for each in own.parameters.values()]:
        case [asking, wanted] if asking is Ask:
            _check_payload(name, payload)
        case _:
            raise TypeError(f"{name}: a mutation takes an Ask and its input, and nothing else")

    async def resolve(info: Info, **arguments: Any) -> Payload:
        context = info.context
        now = context.app.clock()

        async def in_transaction(tx: Tx) -> Payload:
            if owner is not None and owner not in tx.account.enabled:
                raise BoltOnDisabled(owner)
            asked = arguments["input"]

            async def do() -> Payload:
                refuse_members_off(info, tx.account.enabled)
                return await work(Ask(tx, tx.actor, now, info), asked)

            if not isinstance(asked, Keyed):
                return await do()
            return await answer_once(
                tx, asked, payload, do, actor=tx.actor, mutation=name, now=now
            )

        try:
            await first(info, arguments["input"])
            # A snapshot left open would hold a connection while the write waits for another.
            await context.renew()
            done = await context.app.database.write(context.caller, in_transaction)
            await then(After(now, info), done)
        except (Refusal, Refusals) as refused:
            refused_with: Payload = payload(
                user_errors=[to_user_error(_in_input(reason)) for reason in refused.reasons]
            )
            return refused_with
        else:
            return done
        finally:
            # The next field, or the payload's own, must not be answered from before the write.
            await context.renew()

    parameters = [
        Parameter("info", Parameter.POSITIONAL_OR_KEYWORD, annotation=Info),
        Parameter("input", Parameter.KEYWORD_ONLY, annotation=_described(wanted)),
    ]
    return make_field(
        resolve,
        parameters,
        payload,
        name=name,
        description=description,
        owner=owner,
        kind=MutationField,
    )


def _in_input(reason: Refusal) -> Refusal:
    """Say where a reason lies as the client sees it; core knows nothing of the word `input`."""
    if reason.path and reason.path[0] != "input":
        reason.at("input", *reason.path)
    return reason


def _described(input_: Any) -> Any:
    return Annotated[input_, strawberry.argument(description="What is wanted.")]


def _check_payload(name: str, payload: Any) -> None:
    """Refuse a payload that could not be given with user errors alone.

    Raises:
        TypeError: It is no `Payload`, or one of its fields is never null.
    """
    if not (isinstance(payload, type) and issubclass(payload, Payload)):
        raise TypeError(f"{name}: a mutation gives a Payload")
    for each in dataclasses.fields(payload):
        if each.name != "user_errors" and each.default is not None:
            raise TypeError(
                f"{name}: {payload.__name__}.{each.name} must have the default None"
            )
