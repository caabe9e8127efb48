"""How an account is linked with Stripe; what is secret about it is never shown."""

from datetime import datetime
from typing import Self

import strawberry

from classbolt import stripe_links
from classbolt.stripe_links import LinkKind
from classbolt_schema.compose.enums import show_enum
from classbolt_schema.ids import encode
from classbolt_schema.types.node import Node

WEBHOOKS = "/webhooks/stripe"

show_enum(
    LinkKind,
    name="StripeLinkKind",
    description="Whose account at Stripe is paid, and with which key.",
    values={
        LinkKind.OWN: "The account of whoever runs this installation, with its own key.",
        LinkKind.CONNECTED: "An account that is connected with the installation's platform.",
        LinkKind.KEY: "The business's own account, with a key that it gave.",
    },
)


@strawberry.type(
    description="A link of the account with Stripe. Its keys and its signing secret are kept"
    " sealed, and nobody is shown them. For owners."
)
class StripeLink(Node):
    """A link with Stripe."""

    kind: LinkKind = strawberry.field(description="Whose account at Stripe it is.")
    linked_at: datetime = strawberry.field(description="When it was made.")
    unlinked_at: datetime | None = strawberry.field(
        description="When it ended; null while it is in force."
    )
    publishable_key: str | None = strawberry.field(
        description="The key that frontends show Stripe; null: the installation's own."
    )
    hold_minutes: int = strawberry.field(
        description="For how many minutes seats are held while they are being paid for."
    )
    has_webhook_secret: bool = strawberry.field(
        description="Whether the signing secret of its webhooks was given. Only a link of the"
        " kind KEY has one; the others' webhooks are signed with the installation's."
    )
    webhook_path: str = strawberry.field(
        description="Where on this server Stripe has to send its webhooks."
    )

    @classmethod
    def of(cls, link: stripe_links.StripeLink, slug: str) -> Self:
        """Show core's link of the account of this name."""
        return cls(
            id=strawberry.ID(encode("StripeLink", link.id)),
            kind=link.kind,
            linked_at=link.linked_at,
            unlinked_at=link.unlinked_at,
            publishable_key=link.publishable_key,
            hold_minutes=round(link.hold.total_seconds() / 60),
            has_webhook_secret=link.sealed_webhook_secret is not None,
            webhook_path=webhook_path(link, slug),
        )


def webhook_path(link: stripe_links.StripeLink, slug: str) -> str:
    """Say where Stripe sends its webhooks: an account with a key of its own has its own."""
    return f"{WEBHOOKS}/{slug}" if link.kind is LinkKind.KEY else WEBHOOKS
