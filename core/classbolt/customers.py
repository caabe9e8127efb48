"""Customers, staff, and the memberships that say whom a token's subject stands for.

A customer's row may be merged into another or erased (see `departures`). Whatever is written
for a customer holds the row first, so that nothing is written for one who is gone.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict

from sqlalchemy import bindparam, func, select, update

from classbolt import checks
from classbolt.checks import mine
from classbolt.db import Tx
from classbolt.errors import Forbidden, InvalidInput, NotFound, TryAgain, Unauthenticated
from classbolt.pages import Page, PageOf, fetch_page
from classbolt.tables import customers, memberships, staff
from classbolt.values import Actor, CustomerId, Permission, Role, StaffId, new_id

LONGEST_SEARCH = 100
LONGEST_SEARCH_TEXT = 600
PLAIN = str.maketrans(
    {
        "æ": "ae",
        "ð": "d",
        "đ": "d",
        "ħ": "h",
        "\u0131": "i",
        "ł": "l",
        "ø": "o",
        "œ": "oe",
        "þ": "th",
    }
)
"""Letters that Unicode does not take for accented ones, and people on other keyboards do."""


@dataclass(frozen=True, slots=True)
class Customer:
    """A person who books with the account.

    Attributes:
        erased_at: When everything that names the person was erased.
    """

    id: CustomerId
    name: str
    email: str | None
    erased_at: datetime | None = None


class CustomerChanges(TypedDict, total=False):
    """What may change about a customer."""

    name: str
    email: str | None


@dataclass(frozen=True, slots=True)
class Staff:
    """A person who runs the account."""

    id: StaffId
    name: str
    role: Role


STILL_THERE = (customers.c.erased_at.is_(None), customers.c.merged_into_id.is_(None))
COLUMNS = (customers.c.id, customers.c.name, customers.c.email, customers.c.erased_at)
CUSTOMERS = select(*COLUMNS).where(mine(customers), *STILL_THERE)
# Histories go on naming a customer who was merged into another: the other one is meant now.
ASKED = customers.alias("asked")
CUSTOMERS_BY_ID = (
    select(ASKED.c.id.label("asked_id"), *COLUMNS)
    .join(
        customers,
        (customers.c.account_id == ASKED.c.account_id)
        & (customers.c.id == func.coalesce(ASKED.c.merged_into_id, ASKED.c.id)),
    )
    .where(
        ASKED.c.account_id == bindparam("account"),
        ASKED.c.id.in_(bindparam("ids", expanding=True)),
    )
)
THERE = select(customers.c.id).where(
    mine(customers), customers.c.id == bindparam("customer_id"), *STILL_THERE
)
# Shared by all who write for the customer; it keeps out who merges, erases or renames. LOCK
# lets pass who only writes a row that points at the customer: a cancellation that issues a
# bundle has locked its session, and must not wait for a merge that waits for the session.
HOLD = THERE.with_for_update(read=True)
LOCK = (
    CUSTOMERS.where(customers.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(customers.c.id)
    .with_for_update(key_share=True)
)
STAFF_BY_ID = select(staff.c.id, staff.c.name, staff.c.role).where(
    mine(staff), staff.c.id.in_(bindparam("ids", expanding=True))
)


async def create_customer(
    tx: Tx, actor: Actor, name: str, email: str | None, *, now: datetime
) -> Customer:
    """Add a customer to the account.

    Raises:
        Forbidden: The actor does not serve customers.
        InvalidInput: The name or the address cannot be stored.
    """
    actor.require(Permission.SERVE_CUSTOMERS)
    customer = _checked(Customer(CustomerId(new_id()), name, email))
    row = {"id": customer.id, "created_at": now, **_columns(customer)}
    await tx.insert(customers, row)
    return customer


async def update_customer(
    tx: Tx, actor: Actor, customer_id: CustomerId, changes: CustomerChanges
) -> Customer:
    """Change a customer's name or address; what is not given stays.

    Raises:
        Forbidden: The actor does not serve customers.
        NotFound: The customer is unknown or gone.
        InvalidInput: The name or the address cannot be stored.
    """
    actor.require(Permission.SERVE_CUSTOMERS)
    kept = (await lock_customers(tx, [customer_id])).get(customer_id)
    if kept is None:
        raise NotFound().at("customer")
    customer = _checked(
        Customer(customer_id, changes.get("name", kept.name), changes.get("email", kept.email))
    )
    await tx.execute(
        update(customers)
        .where(mine(customers), customers.c.id == bindparam("customer_id"))
        .values(_columns(customer)),
        {"customer_id": customer_id},
    )
    return customer


async def find_customers(tx: Tx, ids: Collection[CustomerId]) -> Mapping[CustomerId, Customer]:
    """Find customers by id, erased ones too; for one who was merged, whom they became."""
    rows = await tx.all(CUSTOMERS_BY_ID, {"ids": list(ids)}) if ids else []
    return {row.asked_id: Customer(*row[1:]) for row in rows}


async def list_customers(
    tx: Tx, actor: Actor, page: Page, *, search: str | None = None
) -> PageOf[Customer]:
    """List the account's customers by name.

    Args:
        search: Only those whose name or address has this text in it; case and accents do not
            matter.

    Raises:
        Forbidden: The actor does not serve customers.
        InvalidInput: Nothing can be searched for with this text.
    """
    actor.require(Permission.SERVE_CUSTOMERS)
    statement = CUSTOMERS
    if search is not None:
        wanted = folded(checks.text(search, "search", most=LONGEST_SEARCH))
        if not wanted:
            raise InvalidInput("There are no letters to search for in this.", "search")
        statement = CUSTOMERS.where(customers.c.search_text.contains(wanted, autoescape=True))
    rows = await fetch_page(tx, statement, (customers.c.name, customers.c.id), page)
    return rows.map(lambda row: Customer(*row[:4]))


def folded(text: str) -> str:
    """Give a text as a search reads it: without case, accents, and gaps wider than a space."""
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    letters = "".join(each for each in apart if not unicodedata.combining(each))
    return " ".join(letters.translate(PLAIN).split())


def search_text(name: str, email: str | None) -> str:
    """Give what a search for a customer looks through."""
    # A line break is never searched for, so no match reaches from one into the other.
    return "\n".join(folded(each) for each in (name, email) if each)[:LONGEST_SEARCH_TEXT]


async def whom(tx: Tx, actor: Actor, customer_id: CustomerId | None) -> CustomerId:
    """Say for whom the actor acts: a customer for themselves, staff for the customer they name.

    Where something may be written, the customer is held until the transaction ends.

    Raises:
        Unauthenticated: Nobody we know asks.
        InvalidInput: Staff named nobody.
        NotFound: The customer is unknown or gone, or not the actor.
        Forbidden: The member of staff does not serve customers.
        TryAgain: The actor was merged or erased at this very moment.
    """
    if actor.kind == "ANONYMOUS":
        raise Unauthenticated
    if actor.customer_id is not None:
        if customer_id not in {None, actor.customer_id}:
            raise NotFound().at("customer")
        customer_id = actor.customer_id
    elif not actor.may(Permission.SERVE_CUSTOMERS):
        raise Forbidden
    elif customer_id is None:
        raise InvalidInput("Name the customer for whom you act.", "customer")
    if not await hold(tx, customer_id):
        # A customer's token was good when the transaction began. Asked again, it stands for
        # whom they became, or for nobody.
        raise TryAgain if customer_id == actor.customer_id else NotFound().at("customer")
    return customer_id


async def hold(tx: Tx, customer_id: CustomerId) -> bool:
    """Say whether a customer is there; if so, they stay until the transaction ends.

    It comes before the locks on sessions. In a snapshot nothing changes, so it only looks.
    """
    statement = HOLD if tx.writes else THERE
    return await tx.scalar(statement, {"customer_id": customer_id}) is not None


async def lock_customers(tx: Tx, ids: Iterable[CustomerId]) -> Mapping[CustomerId, Customer]:
    """Lock those of these customers that are there, before anything else is locked."""
    return {row.id: Customer(*row) for row in await tx.all(LOCK, {"ids": sorted(set(ids))})}


# Staff, and who is who


async def add_staff(tx: Tx, name: str, role: Role, *, now: datetime) -> StaffId:
    """Add a person who runs the account."""
    staff_id = StaffId(new_id())
    row = {
        "id": staff_id,
        "name": checks.text(name, "name"),
        "role": role.value,
        "created_at": now,
    }
    await tx.insert(staff, row)
    return staff_id


async def find_staff(tx: Tx, ids: Collection[StaffId]) -> Mapping[StaffId, Staff]:
    """Find the people who run the account by id."""
    rows = await tx.all(STAFF_BY_ID, {"ids": list(ids)}) if ids else []
    return {row.id: Staff(row.id, row.name, Role(row.role)) for row in rows}


async def admit(
    tx: Tx,
    issuer: str,
    subject: str,
    person: CustomerId | StaffId,
    *,
    is_staff: bool,
    now: datetime,
) -> None:
    """Let a token's subject act as a customer or a member of staff from now on.

    Raises:
        NotFound: There is no such person in the account.
    """
    if is_staff:
        await checks.must_exist(tx, staff, [person], "staff")
    elif not await hold(tx, CustomerId(person)):
        raise NotFound().at("customer")
    await tx.insert_new(
        memberships,
        {
            "issuer": issuer,
            "subject": subject,
            "staff_id": person if is_staff else None,
            "customer_id": None if is_staff else person,
            "created_at": now,
        },
    )


def _checked(customer: Customer) -> Customer:
    """Trim what names a customer and refuse what cannot be stored."""
    name = checks.text(customer.name, "name")
    if customer.email is None:
        return Customer(customer.id, name, None)
    email = checks.text(customer.email, "email", most=254)
    if email.count("@") != 1 or email.startswith("@") or email.endswith("@") or " " in email:
        raise InvalidInput("This is not an e-mail address.", "email")
    return Customer(customer.id, name, email)


def _columns(customer: Customer) -> dict[str, Any]:
    return {
        "name": customer.name,
        "email": customer.email,
        "search_text": search_text(customer.name, customer.email),
    }
