"""What a server was asked and what it answered, held against what its database says.

An answer that came is a promise: all that it tells must be there. An answer that did not come
says nothing: what was asked may have happened or not, but never by halves. And nothing may be
there that nobody asked for.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

BOOKED = "BOOKED"
CANCELLED = "CANCELLED"
SPEND = "SPEND"
ENTRY_OF = {"CREDIT_BACK": "CREDIT_BACK", "NEW_BUNDLE": "ISSUE"}
"""What a cancellation says it gave, and the line of the ledger that says the same."""
SWITCHED = {"enableBoltOn": True, "disableBoltOn": False}


@dataclass(frozen=True)
class Asked:
    """One mutation that was sent.

    Attributes:
        customer: For whom, if for a customer.
        wanted: Its input.
        told: Its payload; None if no answer came. What was refused is no part of a history.
    """

    mutation: str
    wanted: Mapping[str, Any]
    customer: str | None = None
    told: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Booking:
    """A row of bookings: for what, whose, paid by which bundle."""

    session: str
    customer: str
    status: str = BOOKED
    bundle: str | None = None
    course_booking: str | None = None


@dataclass(frozen=True)
class Cancellation:
    """A row of cancellations: what it gave, and to which bundle."""

    outcome: str
    bundle: str | None = None


@dataclass(frozen=True)
class Entry:
    """A line of the ledger; those of one operation were written by one transaction."""

    bundle: str
    kind: str
    operation: str
    booking: str | None = None


@dataclass(frozen=True)
class Rows:
    """What the database says, by the ids that clients know.

    Attributes:
        sessions: The course of each.
        bundles: The holder of each customer bundle.
        cancellations: By their bookings.
        course_bookings: The course and the customer of each.
        paid: The payments that are settled.
        switches: Which bolt-ons are on or off.
        changes: What the last line about each bolt-on says in the history of switches.
    """

    sessions: Mapping[str, str] = field(default_factory=dict)
    customers: frozenset[str] = frozenset()
    bundles: Mapping[str, str] = field(default_factory=dict)
    bookings: Mapping[str, Booking] = field(default_factory=dict)
    cancellations: Mapping[str, Cancellation] = field(default_factory=dict)
    entries: Sequence[Entry] = ()
    course_bookings: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    paid: frozenset[str] = frozenset()
    switches: Mapping[str, bool] = field(default_factory=dict)
    changes: Mapping[str, bool] = field(default_factory=dict)

    @cached_property
    def spent(self) -> dict[str | None, Entry]:
        """Give the line that paid for each booking."""
        return {each.booking: each for each in self.entries if each.kind == SPEND}

    @cached_property
    def given(self) -> dict[str, Entry]:
        """Give the line that gave something back for each booking."""
        return {
            each.booking: each for each in self.entries if each.booking and each.kind != SPEND
        }

    @cached_property
    def swaps(self) -> dict[str, str]:
        """Pair the bookings that one operation gave up and made, the old one first."""
        made = {each.operation: each.booking for each in self.spent.values() if each.booking}
        return {
            booking: made[each.operation]
            for booking, each in self.given.items()
            if each.operation in made
        }


@dataclass(frozen=True)
class Verdict:
    """What was acknowledged and is not there, and what is there by halves or unasked."""

    lost: list[str]
    broken: list[str]


def judge(history: Sequence[Asked], rows: Rows) -> Verdict:
    """Hold a history against the rows that it left behind."""
    return Verdict(
        lost=[
            *(
                f"{asked.mutation}: {what}"
                for asked in history
                if asked.told is not None
                for what in _missing(asked, asked.told, rows)
            ),
            *_switched_back(history, rows),
        ],
        broken=[
            *_half_booked(rows),
            *_half_cancelled(rows),
            *_half_swapped(history, rows),
            *_unasked(history, rows),
            *(f"the switch of {code} has no line" for code in _untold_switches(rows)),
        ],
    )


# What was acknowledged


def _missing(asked: Asked, told: Mapping[str, Any], rows: Rows) -> Iterator[str]:
    """Say what an answer told that is not there."""
    wanted, customer = asked.wanted, asked.customer
    match asked.mutation:
        case "createCustomer" if told["customer"]["id"] not in rows.customers:
            yield "the customer is not there"
        case "giveBundle" if rows.bundles.get(told["customerBundle"]["id"]) != customer:
            yield "the bundle is not there"
        case "markPaid" if wanted["payment"] not in rows.paid:
            yield "the payment is not marked"
        case "bookCourse":
            booking = told["courseBooking"]["id"]
            if rows.course_bookings.get(booking) != (wanted["course"], customer):
                yield f"the course booking {booking} is not there"
        case "bookSession" | "cancelBooking" | "swapBooking":
            yield from _places_missing(asked, told, rows)


def _places_missing(asked: Asked, told: Mapping[str, Any], rows: Rows) -> Iterator[str]:
    wanted, made, ended = asked.wanted, told.get("booking"), told.get("cancellation")
    if made:
        session = wanted.get("session") or wanted["toSession"]
        yield from _not_placed(made, session, asked.customer, rows)
    if ended:
        yield from _not_ended(wanted["booking"], ended, rows)
    if made and ended and rows.swaps.get(wanted["booking"]) != made["id"]:
        yield f"{wanted['booking']} and {made['id']} are not one operation"


def _not_placed(
    told: Mapping[str, Any], session: str, customer: str | None, rows: Rows
) -> Iterator[str]:
    found = rows.bookings.get(told["id"])
    if found is None or (found.session, found.customer) != (session, customer):
        yield f"the booking {told['id']} is not there"
    elif found.bundle != told["customerBundle"]["id"]:
        yield f"the booking {told['id']} is not paid as it was told"


def _not_ended(booking: str, told: Mapping[str, Any], rows: Rows) -> Iterator[str]:
    """Look for the cancellation; that its booking and the ledger agree is looked at for all."""
    refund = told["refund"]
    bundle = refund["customerBundle"] and refund["customerBundle"]["id"]
    if rows.cancellations.get(booking) != Cancellation(refund["outcome"], bundle):
        yield f"the booking {booking} is not cancelled as it was told"


def _switched_back(history: Sequence[Asked], rows: Rows) -> Iterator[str]:
    """Find switches that are neither as was last told nor as was asked for since."""
    possible: dict[str, set[bool]] = {}
    for asked in history:
        if asked.mutation in SWITCHED:
            code, state = asked.wanted["boltOn"], SWITCHED[asked.mutation]
            if asked.told is not None:
                possible[code] = {state}
            elif code in possible:
                possible[code].add(state)
    for code, states in possible.items():
        if rows.switches.get(code) not in states:
            yield f"{code} is not switched as it was told"


# What is there by halves


def _half_booked(rows: Rows) -> Iterator[str]:
    """Find bookings without their spend, and course bookings without all their places."""
    for booking, found in rows.bookings.items():
        spent = rows.spent.get(booking)
        if found.bundle != (spent and spent.bundle):
            yield f"the booking {booking} and what was spent on it differ"
    sessions_of = Counter(rows.sessions.values())
    places = Counter(each.course_booking for each in rows.bookings.values())
    for booking, (course, _) in rows.course_bookings.items():
        if places[booking] != sessions_of[course]:
            yield f"the course booking {booking} has {places[booking]} places"
    issued = {each.bundle for each in rows.entries if each.kind == "ISSUE"}
    for bundle in rows.bundles.keys() - issued:
        yield f"the bundle {bundle} was never issued"


def _half_cancelled(rows: Rows) -> Iterator[str]:
    """Find bookings whose status, cancellation and line in the ledger do not say the same."""
    for booking, found in rows.bookings.items():
        ended = rows.cancellations.get(booking)
        if (found.status == CANCELLED) != (ended is not None):
            yield f"the booking {booking} is cancelled by halves"
        given = rows.given.get(booking)
        said = (ENTRY_OF.get(ended.outcome), ended.bundle) if ended else (None, None)
        if said != (given and given.kind, given and given.bundle):
            yield f"what cancelling {booking} gave is not what the ledger says"


def _half_swapped(history: Sequence[Asked], rows: Rows) -> Iterator[str]:
    """Find bookings that were given up for nothing, or for what nobody wanted."""
    asked_of: dict[str, list[Asked]] = defaultdict(list)
    for asked in history:
        if asked.mutation in {"cancelBooking", "swapBooking"}:
            asked_of[asked.wanted["booking"]].append(asked)
    for booking in rows.cancellations:
        targets = {asked.wanted.get("toSession") for asked in asked_of[booking]}
        made = rows.bookings.get(rows.swaps.get(booking, ""))
        if not targets:
            yield f"the booking {booking} was cancelled, and nobody asked for it"
        elif made is None and None not in targets:
            yield f"the booking {booking} was given up in half a swap"
        elif made is not None and made.session not in targets:
            yield f"the booking {booking} was swapped for what nobody asked for"


def _unasked(history: Sequence[Asked], rows: Rows) -> Iterator[str]:
    """Find bookings that no answer told and that no lost answer explains."""
    told: set[str] = set()
    unknown: Counter[tuple[str, Any, str | None]] = Counter()
    for asked in history:
        if asked.told is None:
            place = asked.wanted.get("session") or asked.wanted.get("course")
            unknown[asked.mutation, place, asked.customer] += 1
        elif made := asked.told.get("booking") or asked.told.get("courseBooking"):
            told.add(made["id"])
    explained = told | set(rows.swaps.values())
    there: Counter[tuple[str, Any, str | None]] = Counter(
        ("bookSession", found.session, found.customer)
        for booking, found in rows.bookings.items()
        if found.course_booking is None and booking not in explained
    )
    there.update(
        ("bookCourse", course, customer)
        for booking, (course, customer) in rows.course_bookings.items()
        if booking not in told
    )
    for (mutation, place, customer), count in (there - unknown).items():
        yield f"{count} of {mutation} {place} for {customer} that nobody asked for"


def _untold_switches(rows: Rows) -> list[str]:
    codes = rows.switches.keys() | rows.changes.keys()
    return sorted(code for code in codes if rows.switches.get(code) != rows.changes.get(code))
