"""Look whether the keys are here that links with Stripe go by, for those that are in force.

Without its key an account seems to take cards, and every payment by card fails. Keys that
accounts gave are opened to see whether that can be done, and nothing of them is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from classbolt.columns import AnyRow
from classbolt.config import Settings
from classbolt.db import Database
from classbolt.sealed import CannotOpen, Seal
from classbolt.stripe_links import LinkKind
from classbolt.tables import accounts, stripe_links

NAMED: Final = 5
"""How many accounts a line of the log names at most."""

IN_FORCE = (
    select(
        stripe_links.c.account_id,
        accounts.c.slug,
        stripe_links.c.id,
        stripe_links.c.kind,
        stripe_links.c.sealed_key,
    )
    .join(accounts, accounts.c.id == stripe_links.c.account_id)
    .where(stripe_links.c.unlinked_at.is_(None))
    .order_by(stripe_links.c.account_id)
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Keys:
    """What an installation has to use links with.

    Attributes:
        has_stripe_key: Whether it has a key of its own at Stripe.
        seal: Opens the keys that accounts gave.
    """

    has_stripe_key: bool
    seal: Seal

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Say what the settings give."""
        return cls(settings.stripe_api_key is not None, Seal.of(settings))


class Lack(StrEnum):
    """Why a link cannot be used, by the name of the check that says so."""

    KEY_MISSING = "STRIPE_KEY_MISSING"
    KEY_NOT_OPENED = "STRIPE_KEY_NOT_OPENED"


@dataclass(frozen=True, slots=True)
class Unusable:
    """A link that is in force and cannot be used.

    Attributes:
        account: The account's slug.
        id: Which link.
    """

    lack: Lack
    account_id: int
    account: str
    id: str


async def unusable_links(connection: AsyncConnection, keys: Keys) -> list[Unusable]:
    """Find the links in force that the keys do not suffice for, by account."""
    rows = (await connection.execute(IN_FORCE)).all()
    return [
        Unusable(lack, row.account_id, row.slug, str(row.id))
        for row in rows
        if (lack := _lack(row, keys)) is not None
    ]


async def warn_of_unusable_links(database: Database, keys: Keys) -> None:
    """Log in one line that accounts seem to take cards and cannot, if any do."""
    async with database.look() as connection:
        found = await unusable_links(connection, keys)
    if found:
        log.warning(
            "stripe_links_unusable",
            count=len(found),
            accounts=[each.account for each in found[:NAMED]],
            reasons=sorted({each.lack.value for each in found}),
        )


def _lack(row: AnyRow, keys: Keys) -> Lack | None:
    if row.kind != LinkKind.KEY:
        return None if keys.has_stripe_key else Lack.KEY_MISSING
    try:
        keys.seal.open(row.sealed_key)
    except CannotOpen:
        return Lack.KEY_NOT_OPENED
    return None
