"""Accounts: one business each, who belongs to it, and which bolt-ons it has switched on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import and_, bindparam, exists, select

from classbolt.columns import AnyRow
from classbolt.errors import NotFound, Unauthenticated
from classbolt.tables import accounts, bolt_on_switches, memberships, staff, stripe_links
from classbolt.values import ANONYMOUS, AccountId, Actor, CustomerId, Role, StaffId


@dataclass(frozen=True, slots=True)
class Account:
    """One business, with the bolt-ons that are on at this moment.

    Attributes:
        takes_cards: Whether it is linked with Stripe (H3).
    """

    id: AccountId
    slug: str
    name: str
    time_zone: ZoneInfo
    currency: str
    enabled: frozenset[str]
    takes_cards: bool = False


@dataclass(frozen=True, slots=True)
class Caller:
    """Who knocks: the account they want, and what their token proves, if they sent one.

    Attributes:
        account: The account's slug.
        issuer: Who vouches for the subject; None for an anonymous caller.
        subject: The issuer's name for the person.
    """

    account: str
    issuer: str | None = None
    subject: str | None = None


# Account, switches and membership in one statement: it opens every transaction, so that each
# decides with the bolt-ons and the role of its own moment. One row per bolt-on that is on.
OPEN_ACCOUNT = (
    select(
        accounts.c.id,
        accounts.c.slug,
        accounts.c.name,
        accounts.c.time_zone,
        accounts.c.currency,
        bolt_on_switches.c.code,
        memberships.c.customer_id,
        memberships.c.staff_id,
        staff.c.role,
        exists()
        .where(stripe_links.c.account_id == accounts.c.id, stripe_links.c.unlinked_at.is_(None))
        .label("takes_cards"),
    )
    .select_from(accounts)
    .outerjoin(
        bolt_on_switches,
        and_(bolt_on_switches.c.account_id == accounts.c.id, bolt_on_switches.c.enabled),
    )
    .outerjoin(
        memberships,
        and_(
            memberships.c.account_id == accounts.c.id,
            memberships.c.issuer == bindparam("issuer"),
            memberships.c.subject == bindparam("subject"),
        ),
    )
    .outerjoin(
        staff,
        and_(
            staff.c.account_id == memberships.c.account_id, staff.c.id == memberships.c.staff_id
        ),
    )
    .where(accounts.c.slug == bindparam("slug"))
)


def open_account(caller: Caller, rows: Sequence[AnyRow]) -> tuple[Account, Actor]:
    """Read the account and the actor from what OPEN_ACCOUNT found.

    Raises:
        NotFound: There is no such account.
        Unauthenticated: The account does not know the person whom the token names.
    """
    if not rows:
        raise NotFound("There is no such account.")
    first = rows[0]
    account = Account(
        id=AccountId(first.id),
        slug=first.slug,
        name=first.name,
        time_zone=ZoneInfo(first.time_zone),
        currency=first.currency,
        enabled=frozenset(row.code for row in rows if row.code is not None),
        takes_cards=first.takes_cards,
    )
    if caller.subject is None:
        return account, ANONYMOUS
    if first.staff_id is not None:
        return account, Actor(staff_id=StaffId(first.staff_id), role=Role(first.role))
    if first.customer_id is not None:
        return account, Actor(customer_id=CustomerId(first.customer_id))
    raise Unauthenticated
