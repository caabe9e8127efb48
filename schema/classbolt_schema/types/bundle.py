"""Bundles, the copies of them that customers hold, and the ledger of their credits."""

from datetime import datetime
from typing import Self

import strawberry

from classbolt import bundles, facts, ledger
from classbolt_schema.ids import encode
from classbolt_schema.scalars import Money
from classbolt_schema.types.node import Node
from classbolt_schema.types.staff import Actor
from classbolt_schema.types.time import Period


@strawberry.type(
    description="What the business sells or gives: a number of credits with a validity."
)
class Bundle(Node):
    """A bundle."""

    name: str = strawberry.field(description="What it is called.")
    credits: int = strawberry.field(description="How many credits a copy holds.")
    validity: Period = strawberry.field(
        description="How long a copy is valid from its issue on."
    )
    price: Money | None = strawberry.field(
        description="What it costs; null if it has no price."
    )
    on_sale: bool = strawberry.field(
        description="Whether customers can buy it. One that is not on sale can still be"
        " given, or issued as a refund."
    )
    payment_methods: list[str] = strawberry.field(
        description="What is accepted from who buys it, as the members of `payWith` are named."
    )
    archived_at: datetime | None = strawberry.field(
        description="When it was taken out of use; null if it was not."
    )
    bundle: strawberry.Private[bundles.Bundle]

    @classmethod
    def of(cls, bundle: bundles.Bundle) -> Self:
        """Show core's bundle."""
        return cls(
            id=strawberry.ID(encode("Bundle", bundle.id)),
            name=bundle.name,
            credits=bundle.credits,
            validity=Period.of(bundle.validity),
            price=None if bundle.price is None else Money.of(bundle.price),
            on_sale=bundle.on_sale,
            payment_methods=sorted(bundle.payment_methods),
            archived_at=bundle.archived_at,
            bundle=bundle,
        )


@strawberry.type(description="A customer's own copy of a bundle, with what is left of it.")
class CustomerBundle(Node):
    """A customer bundle."""

    balance: int = strawberry.field(description="How many credits are left.")
    issued_at: datetime = strawberry.field(description="Since when the copy is valid.")
    expires_at: datetime = strawberry.field(
        description="Its credits pay only for sessions that start before this."
    )
    revoked_at: datetime | None = strawberry.field(
        description="When the business took its credits away; null if it did not."
    )
    held: strawberry.Private[facts.HeldBundle]

    @classmethod
    def of(cls, held: facts.HeldBundle) -> Self:
        """Show core's customer bundle."""
        return cls(
            id=strawberry.ID(encode("CustomerBundle", held.id)),
            balance=held.balance,
            issued_at=held.issued_at,
            expires_at=held.expires_at,
            revoked_at=held.revoked_at,
            held=held,
        )


@strawberry.type(
    description="A line of the ledger: how the balance of a customer bundle moved, and why."
)
class CreditEntry:
    """A line of the ledger."""

    kind: str = strawberry.field(
        description="ISSUE when the copy was issued, SPEND when a credit paid for a booking,"
        " CREDIT_BACK when cancelling gave it back, REVOKE when the business took away all that"
        " was left."
    )
    amount: int = strawberry.field(
        description="By how much the balance moved; what is spent or revoked is negative."
    )
    correlation_id: strawberry.ID = strawberry.field(
        description="The same for all lines that one operation wrote, such as both of a swap."
    )
    by: str = strawberry.field(description="Who caused it: CUSTOMER, STAFF or SYSTEM.")
    actor: Actor = strawberry.field(description="Who caused it, with a name where it is due.")
    entered_at: datetime = strawberry.field(description="When.")
    entry: strawberry.Private[ledger.Entry]

    @classmethod
    def of(cls, entry: ledger.Entry) -> Self:
        """Show core's line."""
        return cls(
            kind=entry.kind,
            amount=entry.amount,
            correlation_id=strawberry.ID(entry.correlation_id.hex),
            by=entry.actor_kind,
            actor=Actor(kind=entry.actor_kind, person=entry.actor_id),
            entered_at=entry.entered_at,
            entry=entry,
        )
