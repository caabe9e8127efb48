"""Customers, staff, and the memberships that say whom a token's subject stands for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select

from classbolt import checks
from classbolt.checks import mine
from classbolt.db import Tx
from classbolt.errors import Forbidden, InvalidInput, NotFound, Unauthenticated
from classbolt.pages import Page, PageOf, fetch_page
from classbolt.tables import customers, memberships, staff
from classbolt.values import Actor, CustomerId, Permission, Role, StaffId, new_id


@dataclass(frozen=True, slots=True)
class Customer:
    """A person who books with the account."""

    id: CustomerId
    name: str
    email: str | None


CUSTOMERS = select(customers.c.id, customers.c.name, customers.c.email).where(mine(customers))
CUSTOMERS_BY_ID = CUSTOMERS.where(customers.c.id.in_(bindparam("ids", expanding=True)))


async def create_customer(
    tx: Tx, actor: Actor, name: str, email: str | None, *, now: datetime
) -> Customer:
    """Add a customer to the account.

    Raises:
        Forbidden: The actor does not serve customers.
        InvalidInput: The name or the address cannot be stored.
    """
    actor.require(Permission.SERVE_CUSTOMERS)
    name = checks.text(name, "name")
    if email is not None:
        email = checks.text(email, "email", most=254)
        if (
            email.count("@") != 1
            or email.startswith("@")
            or email.endswith("@")
            or " " in email
        ):
            raise InvalidInput("This is not an e-mail address.", "email")
    customer = Customer(CustomerId(new_id()), name, email)
    await tx.insert(
        customers, {"id": customer.id, "name": name, "email": email, "created_at": now}
    )
    return customer


async def find_customers(tx: Tx, ids: Sequence[CustomerId]) -> Mapping[CustomerId, Customer]:
    """Find customers by id."""
    return {row.id: Customer(*row) for row in await tx.all(CUSTOMERS_BY_ID, {"ids": list(ids)})}


async def list_customers(tx: Tx, actor: Actor, page: Page) -> PageOf[Customer]:
    """List the account's customers by name.

    Raises:
        Forbidden: The actor does not serve customers.
    """
    actor.require(Permission.SERVE_CUSTOMERS)
    rows = await fetch_page(tx, CUSTOMERS, (customers.c.name, customers.c.id), page)
    return rows.map(lambda row: Customer(*row[:3]))


async def whom(tx: Tx, actor: Actor, customer_id: CustomerId | None) -> CustomerId:
    """Say for whom the actor acts: a customer for themselves, staff for the customer they name.

    Raises:
        Unauthenticated: Nobody we know asks.
        InvalidInput: Staff named nobody.
        NotFound: The customer is unknown, or not the actor.
        Forbidden: The member of staff does not serve customers.
    """
    if actor.kind == "ANONYMOUS":
        raise Unauthenticated
    if actor.customer_id is not None:
        if customer_id not in {None, actor.customer_id}:
            raise NotFound().at("customer")
        return actor.customer_id
    if not actor.may(Permission.SERVE_CUSTOMERS):
        raise Forbidden
    if customer_id is None:
        raise InvalidInput("Name the customer for whom you act.", "customer")
    await checks.must_exist(tx, customers, [customer_id], "customer")
    return customer_id


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
    await checks.must_exist(
        tx, staff if is_staff else customers, [person], "staff" if is_staff else "customer"
    )
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
