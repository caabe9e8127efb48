"""How an account is linked with Stripe: whose account there is paid, and with which key.

An account has at most one link in force. A new one takes the place of the one before, which
stays: what was paid through it can still be looked up and refunded, and its webhooks still
come. Keys and signing secrets are kept sealed, and nothing here opens them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from re import Pattern
from typing import Any, Final, TypedDict

from sqlalchemy import bindparam, or_, select, update

from classbolt import schedules
from classbolt.checks import mine
from classbolt.columns import AnyRow
from classbolt.db import Tx
from classbolt.errors import Forbidden, InvalidInput, NotFound
from classbolt.sealed import Seal
from classbolt.stripe_keys import (
    PUBLISHABLE_KEY,
    SECRET_KEY,
    STRIPE_ACCOUNT,
    WEBHOOK_SECRET,
    are_of_one_mode,
)
from classbolt.tables import accounts, stripe_links
from classbolt.values import Actor, Permission, StripeLinkId, new_id

LEAST_HOLD: Final = 5
USUAL_HOLD: Final = 15
MOST_HOLD: Final = 120
"""For how many minutes seats are held while they are being paid for (H4)."""

NO_SEAL: Final = Seal()
COMPARE: Final = "payments.compare"
COMPARE_OLD: Final = "payments.compare_old"
"""The kinds of the jobs that compare what we have with what Stripe has."""
Columns = dict[str, Any]


class LinkKind(StrEnum):
    """Whose account at Stripe it is, and with which key we act there."""

    OWN = "OWN"
    CONNECTED = "CONNECTED"
    KEY = "KEY"


@dataclass(frozen=True, slots=True)
class StripeLink:
    """A link of an account with Stripe.

    Attributes:
        stripe_account: Whom the installation's platform acts for, if it is CONNECTED.
        publishable_key: What frontends show Stripe; None: the installation's own.
        sealed_webhook_secret: What Stripe signs the webhooks of this account with, if it was
            given; None of other kinds than KEY.
        hold: How long seats are held while they are being paid for.
    """

    id: StripeLinkId
    kind: LinkKind
    stripe_account: str | None
    publishable_key: str | None
    sealed_key: str | None = field(repr=False)
    sealed_webhook_secret: str | None = field(repr=False)
    hold: timedelta
    linked_at: datetime
    unlinked_at: datetime | None


@dataclass(frozen=True, slots=True)
class StripeKeys:
    """What a business gives of its own account at Stripe: a restricted key is enough."""

    key: str = field(repr=False)
    publishable_key: str
    webhook_secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link to be made: of the installation's own account, unless one is named.

    Attributes:
        stripe_account: The connected account that the installation's platform is to act for.
        keys: The keys of the business's own account.
    """

    stripe_account: str | None = None
    keys: StripeKeys | None = None
    hold_minutes: int = USUAL_HOLD

    @property
    def kind(self) -> LinkKind:
        """Say which kind of link it becomes."""
        if self.keys is not None:
            return LinkKind.KEY
        return LinkKind.OWN if self.stripe_account is None else LinkKind.CONNECTED


class LinkChanges(TypedDict, total=False):
    """What may change about a link; the key only to another one of the same account."""

    key: str
    webhook_secret: str
    hold_minutes: int


LINK = (
    stripe_links.c.id,
    stripe_links.c.kind,
    stripe_links.c.stripe_account,
    stripe_links.c.publishable_key,
    stripe_links.c.sealed_key,
    stripe_links.c.sealed_webhook_secret,
    stripe_links.c.hold_minutes,
    stripe_links.c.linked_at,
    stripe_links.c.unlinked_at,
)
IS_IN_FORCE = (mine(stripe_links), stripe_links.c.unlinked_at.is_(None))
IN_FORCE = select(*LINK).where(*IS_IN_FORCE)
NOT_LONG_ENDED = (
    select(*LINK)
    .where(
        mine(stripe_links),
        or_(
            stripe_links.c.unlinked_at.is_(None),
            stripe_links.c.unlinked_at > bindparam("since"),
        ),
    )
    .order_by(stripe_links.c.linked_at.desc(), stripe_links.c.id.desc())
)
WITH_SECRETS = (
    select(*LINK)
    .where(mine(stripe_links), stripe_links.c.sealed_webhook_secret.is_not(None))
    .order_by(stripe_links.c.linked_at.desc(), stripe_links.c.id.desc())
)
THAT_ONE = (mine(stripe_links), stripe_links.c.id == bindparam("link"))
BY_ID = select(*LINK).where(*THAT_ONE)
LOCK_ACCOUNT = (
    select(accounts.c.id)
    .where(accounts.c.id == bindparam("account"))
    .with_for_update(key_share=True)
)
REPLACE = update(stripe_links).where(*IS_IN_FORCE).values(unlinked_at=bindparam("now"))
UNLINK = (
    update(stripe_links)
    .where(*THAT_ONE, stripe_links.c.unlinked_at.is_(None))
    .values(unlinked_at=bindparam("now"))
    .returning(*LINK)
)


async def link_in_force(tx: Tx) -> StripeLink | None:
    """Find the link that the account is paid through at this moment."""
    row = await tx.one(IN_FORCE)
    return None if row is None else _link(row)


async def links_since(tx: Tx, since: datetime) -> list[StripeLink]:
    """List the link in force and those that ended after a moment, the latest first."""
    return [_link(row) for row in await tx.all(NOT_LONG_ENDED, {"since": since})]


async def find_link(tx: Tx, link_id: StripeLinkId) -> StripeLink | None:
    """Find a link by its id, also one that is no longer in force."""
    row = await tx.one(BY_ID, {"link": link_id})
    return None if row is None else _link(row)


async def links_with_secrets(tx: Tx) -> list[StripeLink]:
    """List the links whose webhooks have a signing secret of their own, the latest first.

    Those that are no longer in force are among them: what was begun is still told of.
    """
    return [_link(row) for row in await tx.all(WITH_SECRETS)]


def check_new(actor: Actor, new: NewLink, *, seal: Seal = NO_SEAL) -> Columns:
    """Check a link that is to be made, and give what would be kept of it.

    Raises:
        Forbidden: The actor does not run the account. Only the system links with an account
            that is paid through the installation's key: it could be anybody's.
        CannotKeepSecrets: There are keys to keep, and no key to seal them with.
        InvalidInput: A key, the account at Stripe, or the time to hold seats is not one.
    """
    actor.require(Permission.RUN_ACCOUNT)
    if new.kind is not LinkKind.KEY and not actor.is_system:
        raise Forbidden
    return {
        "kind": new.kind.value,
        "hold_minutes": _minutes(new.hold_minutes),
        **(_sealed(new.keys, seal) if new.keys else _named(new.stripe_account)),
    }


async def link(
    tx: Tx, actor: Actor, new: NewLink, *, seal: Seal = NO_SEAL, now: datetime
) -> StripeLink:
    """Link the account with Stripe, in place of the link that is in force, if there is one.

    Two at once leave one in force: the account is locked first.

    Args:
        seal: Seals the keys, if the link is with keys.

    Raises:
        Refusal: As `check_new` says.
    """
    row = {"id": new_id(), "linked_at": now, **check_new(actor, new, seal=seal)}
    await tx.lock(LOCK_ACCOUNT)
    await tx.execute(REPLACE, {"now": now})
    await tx.insert(stripe_links, row)
    await _look_after(tx, now=now)
    tx.account = replace(tx.account, takes_cards=True)
    (made,) = await tx.all(BY_ID, {"link": row["id"]})
    return _link(made)


async def check_changes(
    tx: Tx,
    actor: Actor,
    link_id: StripeLinkId,
    changes: LinkChanges,
    *,
    seal: Seal = NO_SEAL,
) -> tuple[StripeLink, Columns]:
    """Check what is to change about a link, and give it with what would be kept instead.

    Raises:
        Forbidden: The actor does not run the account.
        NotFound: The account has no such link.
        CannotKeepSecrets: There is a secret to keep, and no key to seal it with.
        InvalidInput: The key, the secret or the time to hold seats is not one, or the link has
            none of its own.
    """
    actor.require(Permission.RUN_ACCOUNT)
    found = await find_link(tx, link_id)
    if found is None:
        raise NotFound().at("link")
    columns: Columns = {}
    if "hold_minutes" in changes:
        columns["hold_minutes"] = _minutes(changes["hold_minutes"])
    if "key" in changes:
        _refuse_without_keys(found, "restrictedKey")
        key = _shaped(SECRET_KEY, changes["key"], "restrictedKey")
        if not are_of_one_mode(key, str(found.publishable_key)):
            raise InvalidInput(OF_TWO_MODES, "restrictedKey")
        columns["sealed_key"] = seal.seal(key)
    if "webhook_secret" in changes:
        _refuse_without_keys(found, "webhookSecret")
        secret = _shaped(WEBHOOK_SECRET, changes["webhook_secret"], "webhookSecret")
        columns["sealed_webhook_secret"] = seal.seal(secret)
    return found, columns


async def update_link(
    tx: Tx,
    actor: Actor,
    link_id: StripeLinkId,
    changes: LinkChanges,
    *,
    seal: Seal = NO_SEAL,
) -> StripeLink:
    """Change a link, also one that is no longer in force: its webhooks still come.

    Raises:
        Refusal: As `check_changes` says.
    """
    found, columns = await check_changes(tx, actor, link_id, changes, seal=seal)
    if not columns:
        return found
    changing = update(stripe_links).where(*THAT_ONE).values(columns).returning(*LINK)
    (changed,) = await tx.all(changing, {"link": link_id})
    return _link(changed)


async def unlink(tx: Tx, actor: Actor, link_id: StripeLinkId, *, now: datetime) -> StripeLink:
    """End a link: nothing new is paid through it. If it has ended already, nothing changes.

    What was begun can still be paid, looked up and refunded.

    Raises:
        Forbidden: The actor does not run the account.
        NotFound: The account has no such link.
    """
    actor.require(Permission.RUN_ACCOUNT)
    row = await tx.one(UNLINK, {"link": link_id, "now": now})
    if row is not None:
        tx.account = replace(tx.account, takes_cards=False)
        return _link(row)
    ended = await find_link(tx, link_id)
    if ended is None:
        raise NotFound().at("link")
    return ended


async def _look_after(tx: Tx, *, now: datetime) -> None:
    """Begin what is done again and again for an account that is linked."""
    for kind in (COMPARE, COMPARE_OLD):
        await schedules.start(tx, kind, now=now)


def _refuse_without_keys(link: StripeLink, *path: str) -> None:
    if link.kind is not LinkKind.KEY:
        raise InvalidInput("This link goes by the installation's keys and secret.", *path)


def _sealed(keys: StripeKeys, seal: Seal) -> dict[str, str | None]:
    """Check the keys of a business and give what is kept of them."""
    key = _shaped(SECRET_KEY, keys.key, "restrictedKey")
    publishable_key = _shaped(PUBLISHABLE_KEY, keys.publishable_key, "publishableKey")
    if not are_of_one_mode(key, publishable_key):
        raise InvalidInput(OF_TWO_MODES, "publishableKey")
    secret = keys.webhook_secret
    if secret is not None:
        secret = seal.seal(_shaped(WEBHOOK_SECRET, secret, "webhookSecret"))
    return {
        "publishable_key": publishable_key,
        "sealed_key": seal.seal(key),
        "sealed_webhook_secret": secret,
    }


def _named(stripe_account: str | None) -> dict[str, str | None]:
    """Check the name of a connected account, if there is one."""
    if stripe_account is not None:
        _shaped(STRIPE_ACCOUNT, stripe_account, "stripeAccount")
    return {"stripe_account": stripe_account}


OF_TWO_MODES: Final = "One of the two keys is for tests, and the other is not."
SHOULD_BE: Final = {
    SECRET_KEY: "a restricted or secret key of Stripe: it begins with rk_ or sk_",
    PUBLISHABLE_KEY: "a publishable key of Stripe: it begins with pk_",
    WEBHOOK_SECRET: "the signing secret of a webhook endpoint: it begins with whsec_",
    STRIPE_ACCOUNT: "an account at Stripe: it begins with acct_",
}


def _shaped(shape: Pattern[str], value: str, *path: str) -> str:
    """Trim a key and refuse what cannot be one, without repeating it."""
    trimmed = value.strip()
    if not shape.fullmatch(trimmed):
        raise InvalidInput(f"This is not {SHOULD_BE[shape]}.", *path)
    return trimmed


def _minutes(minutes: int) -> int:
    if not LEAST_HOLD <= minutes <= MOST_HOLD:
        raise InvalidInput(
            f"Seats are held for {LEAST_HOLD} to {MOST_HOLD} minutes.", "holdMinutes"
        )
    return minutes


def _link(row: AnyRow) -> StripeLink:
    return StripeLink(
        id=StripeLinkId(row.id),
        kind=LinkKind(row.kind),
        stripe_account=row.stripe_account,
        publishable_key=row.publishable_key,
        sealed_key=row.sealed_key,
        sealed_webhook_secret=row.sealed_webhook_secret,
        hold=timedelta(minutes=row.hold_minutes),
        linked_at=row.linked_at,
        unlinked_at=row.unlinked_at,
    )
