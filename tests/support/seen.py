"""What can be seen of a studio at a moment, and what has changed between two moments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from classbolt.bolt_ons import BoltOns
from classbolt.db import Database
from classbolt.tables import metadata
from frontend import at
from studio import Studio

EVERYTHING = """{
  courses(first: 100) { edges { node { id sessions(first: 100) { edges { node {
    id startsAt capacity seatsLeft calledOffAt } } } } } }
  customers(first: 100) { edges { node { id
    bookings(first: 100) { pageInfo { hasNextPage } edges { node {
      id status way bookedAt session { id } customerBundle { id } courseBooking { id }
      payment { id method paidAt amount { amountMinor } }
      cancellation { cancelledAt by sessionCalledOff refund { outcome reason { code } } } } } }
    bundles(first: 100) { pageInfo { hasNextPage } edges { node {
      id balance expiresAt bundle { id credits }
      entries(first: 100) { edges { node { kind amount } } } } } } } } }
}"""


class Scheduled(NamedTuple):
    """A session."""

    course: str
    starts_at: str
    capacity: int
    is_called_off: bool


class Place(NamedTuple):
    """What never changes of a booking."""

    customer: str
    session: str
    way: str
    customer_bundle: str | None
    course_booking: str | None
    payment: str | None


class Held(NamedTuple):
    """What never changes of a bundle in a customer's hands."""

    customer: str
    bundle: str
    credits: int


@dataclass(frozen=True)
class Seen:
    """What the owner sees.

    Attributes:
        answer: All of it, as it was answered.
        active: The bookings that are not cancelled.
        paid: The payments that are paid.
    """

    answer: Any
    sessions: dict[str, Scheduled] = field(default_factory=dict)
    seats_left: dict[str, int] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    active: set[str] = field(default_factory=set)
    held: dict[str, Held] = field(default_factory=dict)
    balances: dict[str, int] = field(default_factory=dict)
    ledgers: dict[str, list[int]] = field(default_factory=dict)
    paid: set[str] = field(default_factory=set)

    def taken(self, session: str) -> set[str]:
        """Give the bookings that have a seat in a session."""
        return {each for each in self.active if self.places[each].session == session}


@dataclass
class Change:
    """What became different from one moment to the next; by default nothing.

    Attributes:
        booked: The bookings that are new.
        ended: The bookings that are cancelled now.
        credits: By how much balances went up or down; what is new came from 0.
        issued: Which bundles are new in somebody's hands.
        scheduled: The sessions that were moved, resized or called off.
        paid: The payments that were paid meanwhile, of bookings that had been there.
    """

    booked: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    credits: dict[str, int] = field(default_factory=dict)
    issued: set[str] = field(default_factory=set)
    scheduled: set[str] = field(default_factory=set)
    paid: set[str] = field(default_factory=set)


async def look(studio: Studio) -> Seen:
    """Look at everything as the owner."""
    answer = await studio.query(EVERYTHING, as_="owner")
    seen = Seen(answer)
    for course in _nodes(answer["courses"]):
        for session in _nodes(course["sessions"]):
            off = session["calledOffAt"] is not None
            facts = Scheduled(course["id"], session["startsAt"], session["capacity"], off)
            seen.sessions[session["id"]] = facts
            seen.seats_left[session["id"]] = session["seatsLeft"]
    for customer in _nodes(answer["customers"]):
        for booking in _nodes(customer["bookings"]):
            _note_booking(seen, customer["id"], booking)
        for held in _nodes(customer["bundles"]):
            facts_of_it = Held(customer["id"], held["bundle"]["id"], held["bundle"]["credits"])
            seen.held[held["id"]] = facts_of_it
            seen.balances[held["id"]] = held["balance"]
            seen.ledgers[held["id"]] = [each["amount"] for each in _nodes(held["entries"])]
    return seen


def _note_booking(seen: Seen, customer: str, booking: dict[str, Any]) -> None:
    payment, whole = booking["payment"], booking["courseBooking"]
    paid_with = booking["customerBundle"]
    seen.places[booking["id"]] = Place(
        customer,
        booking["session"]["id"],
        booking["way"],
        paid_with and paid_with["id"],
        whole and whole["id"],
        payment and payment["id"],
    )
    if booking["status"] == "BOOKED":
        seen.active.add(booking["id"])
    assert (booking["status"] == "CANCELLED") == (booking["cancellation"] is not None)
    if payment and payment["paidAt"] is not None:
        seen.paid.add(payment["id"])


def change_between(before: Seen, after: Seen) -> Change:
    """Say what changed. What can never change is found to be as it was."""
    assert before.places.items() <= after.places.items()
    assert before.held.items() <= after.held.items()
    assert before.sessions.keys() == after.sessions.keys()
    new = after.places.keys() - before.places.keys()
    assert new <= after.active
    assert after.active - new <= before.active  # nobody comes back to a place
    known = {each.payment for each in before.places.values()}
    return Change(
        booked=new,
        ended=before.active - after.active,
        credits={
            each: by
            for each, balance in after.balances.items()
            if (by := balance - before.balances.get(each, 0))
        },
        issued=after.held.keys() - before.held.keys(),
        scheduled={
            each for each, facts in after.sessions.items() if before.sessions[each] != facts
        },
        paid={each for each in after.paid ^ before.paid if each in known},
    )


def gifts_of(cancellations: list[dict[str, Any]]) -> tuple[dict[str, int], set[str]]:
    """Say what cancellations tell they gave: credits by bundle, and which of these are new."""
    credits: dict[str, int] = {}
    issued: set[str] = set()
    for each in cancellations:
        refund = each["refund"]
        received = refund["customerBundle"]
        assert (received is None) == (refund["outcome"] == "NONE")
        assert (refund["reason"] is None) == (refund["outcome"] != "NONE")
        if received is None:
            continue
        number = 1
        if refund["outcome"] == "NEW_BUNDLE":
            assert received["id"] not in issued
            issued.add(received["id"])
            number = received["bundle"]["credits"]
        credits[received["id"]] = credits.get(received["id"], 0) + number
    return credits, issued


def contradictions(seen: Seen) -> list[str]:
    """Say what of a look does not fit together (J1, J2, J5)."""
    found = []
    for session, facts in seen.sessions.items():
        left = max(0, facts.capacity - len(seen.taken(session)))
        if seen.seats_left[session] != left:
            found.append(f"{session} has {left} seats left and says {seen.seats_left[session]}")
        if facts.is_called_off and seen.taken(session):
            found.append(f"{session} is called off and has bookings")
    people = [(seen.places[each].customer, seen.places[each].session) for each in seen.active]
    if len(people) != len(set(people)):
        found.append("somebody has two places in a session")
    for held, balance in seen.balances.items():
        if balance != sum(seen.ledgers[held]) or not 0 <= balance <= seen.held[held].credits:
            found.append(f"{held} has {balance} credits, and the ledger {seen.ledgers[held]}")
    return found


def has_begun(seen: Seen, session: str, studio: Studio) -> bool:
    """Say whether a session has started."""
    return at(seen.sessions[session].starts_at) <= studio.clock.now


def is_to_come(seen: Seen, session: str, studio: Studio) -> bool:
    """Say whether a session takes place and has not started."""
    return not seen.sessions[session].is_called_off and not has_begun(seen, session, studio)


async def rows_of(database: Database, bolt_ons: BoltOns) -> Mapping[str, list[str]]:
    """Read every row of every table, also what no customer and no owner ever sees."""
    known = [metadata, *(each.tables() for each in bolt_ons.installed.values())]
    tables = [table for each in known if each is not None for table in each.tables.values()]

    async def read(connection: AsyncConnection) -> dict[str, list[str]]:
        return {
            table.name: sorted(map(repr, (await connection.execute(select(table))).all()))
            for table in tables
        }

    return await database.run(read)


def _nodes(connection: dict[str, Any]) -> list[dict[str, Any]]:
    assert not connection.get("pageInfo", {}).get("hasNextPage", False)
    return [edge["node"] for edge in connection["edges"]]


def spent_by(booking: dict[str, Any]) -> dict[str, int]:
    """Say what a booking took from the bundle that paid for it."""
    return {booking["customerBundle"]["id"]: -1} if booking["customerBundle"] else {}


def summed(*moves: dict[str, int]) -> dict[str, int]:
    """Add up how balances moved; what comes out even did not move."""
    ids = {each for move in moves for each in move}
    total = {each: sum(move.get(each, 0) for move in moves) for each in ids}
    return {each: by for each, by in total.items() if by}
