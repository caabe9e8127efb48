"""The account, and the bolt-ons it switches on and off."""

from datetime import datetime
from typing import Self

import strawberry

from classbolt import accounts, switches
from classbolt_schema.types.staff import Actor


@strawberry.type(description="The business that this endpoint belongs to.")
class Account:
    """One business."""

    slug: str = strawberry.field(
        description="The account's name in its address. It never changes."
    )
    name: str = strawberry.field(description="What the business calls itself.")
    time_zone: str = strawberry.field(
        description="The IANA time zone in which its notice periods and validities are read."
    )
    currency: str = strawberry.field(description="The ISO 4217 code of its one currency.")
    takes_cards: bool = strawberry.field(
        description="Whether customers can pay by card: whether it is linked with Stripe."
    )

    @classmethod
    def of(cls, account: accounts.Account) -> Self:
        """Show core's account."""
        return cls(
            slug=account.slug,
            name=account.name,
            time_zone=account.time_zone.key,
            currency=account.currency,
            takes_cards=account.takes_cards,
        )


@strawberry.type(
    description="A feature that is installed here and can be switched per account."
)
class BoltOn:
    """A bolt-on as an account sees it."""

    code: str = strawberry.field(description="Names the bolt-on; it never changes.")
    title: str = strawberry.field(description="What people call it.")
    summary: str = strawberry.field(description="What it does, in a sentence.")
    version: str = strawberry.field(description="The version that is installed.")
    enabled: bool = strawberry.field(description="Whether it is on for this account.")

    @classmethod
    def of(cls, switch: switches.Switch) -> Self:
        """Show core's switch."""
        return cls(
            code=switch.info.code,
            title=switch.info.title,
            summary=switch.info.summary,
            version=switch.info.version,
            enabled=switch.enabled,
        )


@strawberry.type(description="A line of the history of an account's bolt-ons.")
class BoltOnChange:
    """A switch that was moved."""

    code: str = strawberry.field(description="The bolt-on.")
    enabled: bool = strawberry.field(description="Whether it was switched on, or off.")
    by: str = strawberry.field(description="Who did it: STAFF, or SYSTEM for the command line.")
    actor: Actor = strawberry.field(description="Who did it, with a name if it was a person.")
    changed_at: datetime = strawberry.field(description="When.")

    @classmethod
    def of(cls, change: switches.Change) -> Self:
        """Show core's line."""
        return cls(
            code=change.code,
            enabled=change.enabled,
            by=change.actor_kind,
            actor=Actor(kind=change.actor_kind, person=change.actor_id),
            changed_at=change.changed_at,
        )
