"""What owners do about the link of their account with Stripe."""

from typing import Final

import strawberry
import structlog

from classbolt import stripe_links
from classbolt.errors import InvalidInput, TryAgain
from classbolt.paying import STRIPE_IS_SILENT
from classbolt.stripe_facts import StripeKeyRefused, StripeRefused, StripeUnclear
from classbolt.stripe_links import USUAL_HOLD, LinkChanges, NewLink, StripeKeys
from classbolt.values import StripeLinkId
from classbolt_schema.compose.info import Info
from classbolt_schema.compose.mutation import Ask, Payload, mutation
from classbolt_schema.ids import decode
from classbolt_schema.mutations.inputs import is_given, required
from classbolt_schema.relations import EXTENSION
from classbolt_schema.types.account import Account

HELD_FOR = "For how many minutes seats are held while they are being paid for, 5 to 120."
SIGNED_WITH = (
    "The signing secret of the webhook endpoint that you made at Stripe for this account's"
    " `webhookPath`; it begins with whsec_."
)

STRIPE_REFUSES: Final = "Stripe does not know this key, or it may not read PaymentIntents."

log = structlog.get_logger(__name__)


@strawberry.input(
    description="Keys of the business's own account at Stripe, both for tests or neither."
)
class LinkStripeInput:
    """Keys of the business's own account at Stripe."""

    restricted_key: str = strawberry.field(
        description="A restricted key that may write PaymentIntents and Refunds and read"
        " Charges and Disputes: rk_… A secret key works too. It is kept sealed, and shown to"
        " nobody."
    )
    publishable_key: str = strawberry.field(
        description="The publishable key of the same account; it begins with pk_."
    )
    webhook_secret: str | None = strawberry.field(
        default=None,
        description=f"{SIGNED_WITH} It can also be given later, with updateStripeLink.",
    )
    hold_minutes: int = strawberry.field(default=USUAL_HOLD, description=HELD_FOR)

    def __repr__(self) -> str:
        """Keep the keys out of whatever is printed."""
        return "LinkStripeInput(…)"

    @property
    def new(self) -> NewLink:
        """Give the link that is asked for."""
        keys = StripeKeys(self.restricted_key, self.publishable_key, self.webhook_secret)
        return NewLink(keys=keys, hold_minutes=self.hold_minutes)


@strawberry.type(description="What became of a request to link the account with Stripe.")
class LinkStripePayload(Payload):
    """The account."""

    account: Account | None = strawberry.field(default=None, description="The linked account.")


async def _try_new_key(info: Info, asked: LinkStripeInput) -> None:
    """Ask Stripe about the key, if nothing else stands in the way of the link."""
    context = info.context
    tx = await context.reading()
    columns = stripe_links.check_new(tx.actor, asked.new, seal=context.app.seal)
    await _try_key(info, columns["sealed_key"])


@EXTENSION.mutation
@mutation(
    description="Link the account with the business's own account at Stripe, so that customers"
    " can pay by card. It takes the place of a link before it; what was paid through that one"
    " can still be refunded. Stripe is asked first whether it takes the key. For owners.",
    first=_try_new_key,
)
async def link_stripe(ask: Ask, asked: LinkStripeInput) -> LinkStripePayload:
    """Link the account with Stripe."""
    seal = ask.info.context.app.seal
    await stripe_links.link(ask.tx, ask.actor, asked.new, seal=seal, now=ask.now)
    return LinkStripePayload(account=Account.of(ask.tx.account))


@strawberry.input(
    description="Changes to a link with Stripe; what is left out stays as it is. For other keys"
    " make a new link."
)
class UpdateStripeLinkInput:
    """Changes to a link with Stripe."""

    link: strawberry.ID = strawberry.field(description="Which link.")
    restricted_key: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Another restricted key of the same account at Stripe, in place of one that"
        " is rolled or was seen by others. What was begun before goes by it too, which it would"
        " not after linkStripe.",
    )
    webhook_secret: str | None = strawberry.field(
        default=strawberry.UNSET, description=SIGNED_WITH
    )
    hold_minutes: int | None = strawberry.field(
        default=strawberry.UNSET, description=f"{HELD_FOR} It counts from the next payment on."
    )

    def __repr__(self) -> str:
        """Keep the secrets out of whatever is printed."""
        return "UpdateStripeLinkInput(…)"

    @property
    def link_id(self) -> StripeLinkId:
        """Say which link it is about."""
        return StripeLinkId(decode("StripeLink", self.link))

    @property
    def changes(self) -> LinkChanges:
        """Give what is to change.

        Raises:
            InvalidInput: Something is to become nothing.
        """
        changes: LinkChanges = {}
        if is_given(self.restricted_key):
            changes["key"] = required(self.restricted_key, "restrictedKey")
        if is_given(self.webhook_secret):
            changes["webhook_secret"] = required(self.webhook_secret, "webhookSecret")
        if is_given(self.hold_minutes):
            changes["hold_minutes"] = required(self.hold_minutes, "holdMinutes")
        return changes


@strawberry.type(description="What became of a request to change a link with Stripe.")
class UpdateStripeLinkPayload(Payload):
    """The account."""

    account: Account | None = strawberry.field(
        default=None, description="The account that is linked."
    )


async def _try_other_key(info: Info, asked: UpdateStripeLinkInput) -> None:
    """Ask Stripe about the key, if there is another one and nothing else stands in its way."""
    if not is_given(asked.restricted_key):
        return
    context = info.context
    tx = await context.reading()
    _, columns = await stripe_links.check_changes(
        tx, tx.actor, asked.link_id, asked.changes, seal=context.app.seal
    )
    await _try_key(info, columns["sealed_key"])


@EXTENSION.mutation
@mutation(
    description="Change a link with Stripe, also one that has ended: what was begun through it"
    " is still told of. Stripe is asked first whether it takes another key. For owners.",
    first=_try_other_key,
)
async def update_stripe_link(ask: Ask, asked: UpdateStripeLinkInput) -> UpdateStripeLinkPayload:
    """Change a link with Stripe."""
    seal = ask.info.context.app.seal
    await stripe_links.update_link(ask.tx, ask.actor, asked.link_id, asked.changes, seal=seal)
    return UpdateStripeLinkPayload(account=Account.of(ask.tx.account))


@strawberry.input(description="A link with Stripe that is to end.")
class UnlinkStripeInput:
    """A link with Stripe that is to end."""

    link: strawberry.ID = strawberry.field(description="Which link.")


@strawberry.type(description="What became of a request to end a link with Stripe.")
class UnlinkStripePayload(Payload):
    """The account."""

    account: Account | None = strawberry.field(
        default=None, description="The account that is no longer linked."
    )


@EXTENSION.mutation
@mutation(
    description="End a link with Stripe: from then on cards are not taken. What was begun can"
    " still be paid, and what was paid can still be refunded. A link that has ended stays as it"
    " is. For owners."
)
async def unlink_stripe(ask: Ask, asked: UnlinkStripeInput) -> UnlinkStripePayload:
    """End a link with Stripe."""
    link_id = StripeLinkId(decode("StripeLink", asked.link))
    await stripe_links.unlink(ask.tx, ask.actor, link_id, now=ask.now)
    return UnlinkStripePayload(account=Account.of(ask.tx.account))


async def _try_key(info: Info, sealed_key: str) -> None:
    """Ask Stripe whether it takes a key, with no snapshot open meanwhile.

    Raises:
        InvalidInput: It does not.
        TryAgain: It gave no clear answer.
    """
    context = info.context
    await context.renew()
    try:
        await context.app.gateway.try_key(sealed_key)
    except StripeKeyRefused as no:
        raise InvalidInput(STRIPE_REFUSES, "restrictedKey") from no
    except (StripeRefused, StripeUnclear) as no:
        log.warning("stripe_key_not_tried", account=context.caller.account, reason=str(no))
        raise TryAgain(STRIPE_IS_SILENT) from no
