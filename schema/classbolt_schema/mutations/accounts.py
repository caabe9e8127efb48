"""What owners change about their account."""

import strawberry

from classbolt import account_settings
from classbolt.account_settings import AccountChanges
from classbolt_schema.compose.mutation import Ask, Payload, mutation
from classbolt_schema.mutations.inputs import is_given, required
from classbolt_schema.relations import EXTENSION
from classbolt_schema.types.account import Account


@strawberry.input(
    description="Changes to the account; what is left out stays as it is. Its slug and its"
    " currency cannot change."
)
class UpdateAccountInput:
    """Changes to the account."""

    name: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="What the business calls itself, up to 200 characters.",
    )
    time_zone: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The IANA time zone in which notice periods, openings and validities are"
        " read from then on, such as Europe/London. What was issued keeps its expiry.",
    )


@strawberry.type(description="What became of a request to change the account.")
class UpdateAccountPayload(Payload):
    """The account."""

    account: Account | None = strawberry.field(default=None, description="The changed account.")


@EXTENSION.mutation
@mutation(description="Change the account's name or time zone. For owners.")
async def update_account(ask: Ask, asked: UpdateAccountInput) -> UpdateAccountPayload:
    """Change the account."""
    changes: AccountChanges = {}
    if is_given(asked.name):
        changes["name"] = required(asked.name, "name")
    if is_given(asked.time_zone):
        changes["time_zone"] = required(asked.time_zone, "timeZone")
    account = await account_settings.update_account(ask.tx, ask.actor, changes)
    return UpdateAccountPayload(account=Account.of(account))
