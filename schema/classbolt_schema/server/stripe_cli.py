"""`classbolt stripe`: link accounts with Stripe through the installation's own key.

Only the command line links with an account that is named, or with the installation's own: an
owner could name anybody's. Owners link with keys of their own, through the API.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from classbolt import stripe_links
from classbolt.bolt_ons import BoltOns
from classbolt.config import SettingsError, load_settings
from classbolt.db import Caller, Database, Tx
from classbolt.stripe_links import USUAL_HOLD, LinkKind, NewLink, StripeLink
from classbolt.values import SYSTEM
from classbolt_schema.server.context import utc_now
from classbolt_schema.types.stripe import webhook_path

T = TypeVar("T")

stripe_app = typer.Typer(help="How accounts are linked with Stripe.", no_args_is_help=True)

OfAccount = Annotated[str, typer.Option("--account", help="The account's slug.")]


@stripe_app.command("link")
def link_stripe(
    *,
    account: OfAccount,
    connected: Annotated[
        str | None,
        typer.Option(help="The account at Stripe that is connected with ours: acct_…"),
    ] = None,
    own: Annotated[
        bool, typer.Option("--own", help="Link with the Stripe account of STRIPE_API_KEY.")
    ] = False,
    hold_minutes: Annotated[
        int, typer.Option(help="For how many minutes seats are held while they are paid for.")
    ] = USUAL_HOLD,
) -> None:
    """Link an account with Stripe, in place of the link that it has."""
    if (connected is None) != own:
        raise typer.BadParameter("Say either --own or --connected.")
    if load_settings().stripe_api_key is None:
        raise SettingsError("STRIPE_API_KEY must be set: such a link is used with its key")
    new = NewLink(stripe_account=connected, hold_minutes=hold_minutes)

    async def work(tx: Tx) -> StripeLink:
        return await stripe_links.link(tx, SYSTEM, new, now=utc_now())

    typer.echo(_shown(_in_account(account, work), account))


@stripe_app.command("unlink")
def unlink_stripe(account: OfAccount) -> None:
    """End the link that an account has with Stripe; what was paid can still be refunded."""

    async def work(tx: Tx) -> StripeLink | None:
        found = await stripe_links.link_in_force(tx)
        if found is None:
            return None
        return await stripe_links.unlink(tx, SYSTEM, found.id, now=utc_now())

    ended = _in_account(account, work)
    typer.echo(f"{account} is {'not' if ended is None else 'no longer'} linked with Stripe.")


@stripe_app.command("show")
def show_stripe(account: OfAccount) -> None:
    """Show how an account is linked with Stripe, without anything secret."""
    found = _in_account(account, stripe_links.link_in_force)
    typer.echo(_shown(found, account) if found else f"{account} is not linked with Stripe.")


def _shown(link: StripeLink, account: str) -> str:
    whose = {
        LinkKind.OWN: "the Stripe account of this installation",
        LinkKind.CONNECTED: f"{link.stripe_account}, which is connected with ours",
        LinkKind.KEY: f"a key of its own, beside {link.publishable_key}",
    }
    secret = "with" if link.sealed_webhook_secret else "without"
    signed = f", {secret} a signing secret" if link.kind is LinkKind.KEY else ""
    return "\n".join(
        [
            f"{account} is linked with {whose[link.kind]}.",
            f"since     {link.linked_at.isoformat(timespec='seconds')}",
            f"holds     {link.hold.total_seconds() / 60:.0f} minutes",
            f"webhooks  {webhook_path(link, account)}{signed}",
        ]
    )


def _in_account(slug: str, work: Callable[[Tx], Awaitable[T]]) -> T:
    """Do work in one write transaction of an account."""

    async def run() -> T:
        database = Database(load_settings().database_url, BoltOns())
        try:
            return await database.write(Caller(slug), work)
        finally:
            await database.close()

    return asyncio.run(run())
