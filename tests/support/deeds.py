"""What people do in a studio, drawn by lot: three numbers choose among what there is.

A number is taken modulo the choices, so that every number means something and the smallest
ones, which hypothesis shrinks to, mean the plainest thing. Most numbers choose what can still
be booked, cancelled or swapped: a history of refusals shows little.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeAlias, TypeVar

from seen import Seen, is_to_come
from studio import Studio

T = TypeVar("T")

OWNER = "owner"
MOST = 23
"""The largest number that is drawn."""
ODD = 20
"""From this number on, the choice is among everything, whether it makes sense or not."""
PLACES = "bookings(first: 100) { edges { node { id status session { id } } } }"
PAYMENT = "payment { id method paidAt amount { amountMinor currency } }"
BOOKING = (
    "id status way bookedAt session { id seatsLeft } customer { id }"
    f" customerBundle {{ id balance }} {PAYMENT}"
)
CANCELLATION = (
    "cancelledAt by sessionCalledOff refund { outcome reason { code message }"
    " customerBundle { id balance expiresAt bundle { id credits } } }"
)
SESSION = "id startsAt endsAt capacity seatsLeft calledOffAt movedAt"
FIELDS: Mapping[str, str] = {
    "bookSession": f"booking {{ {BOOKING} }}",
    "bookCourse": f"courseBooking {{ id bookedAt {PAYMENT} {PLACES} }}",
    "swapBooking": f"cancellation {{ {CANCELLATION} }} booking {{ {BOOKING} }}",
    "cancelBooking": (
        f"alreadyCancelled booking {{ {BOOKING} }} cancellation {{ {CANCELLATION} }}"
    ),
    "cancelCourseBooking": (
        f"alreadyCancelled courseBooking {{ id {PLACES} }} cancellations {{ {CANCELLATION} }}"
    ),
    "callOffSession": f"session {{ {SESSION} }} cancellations {{ {CANCELLATION} }}",
    "callOffCourse": f"sessions {{ {SESSION} }} cancellations {{ {CANCELLATION} }}",
    "giveBundle": "customerBundle { id balance expiresAt customer { id } bundle { id } }",
    "updateSession": f"session {{ {SESSION} }}",
    "markPaid": PAYMENT,
    "enableBoltOn": "boltOn { code enabled }",
    "disableBoltOn": "boltOn { code enabled }",
}
"""What is asked back. Every installation understands it, whatever is installed."""


@dataclass(frozen=True)
class Deed:
    """A mutation, and who asks for it."""

    mutation: str
    asked: dict[str, Any]
    by: str


@dataclass
class Known:
    """What there is to choose among, each list in an order that is the same in every run.

    Attributes:
        takes_credits: Whether it may be asked to pay with credits.
    """

    studio: Studio
    seen: Seen
    takes_credits: bool = True
    bookings: list[str] = field(default_factory=list)
    course_bookings: list[str] = field(default_factory=list)
    payments: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        ids = self.studio.ids
        self.names = {customer: name for name, customer in ids.customers.items()}
        self.sessions = [each for some in ids.sessions.values() for each in some]
        self.courses = list(ids.courses.values())
        self.bundles = list(ids.bundles.values())
        self.learn(self.seen)

    def learn(self, seen: Seen) -> None:
        """Note what is new."""
        self.seen = seen
        customers = list(self.names)
        new = [each for each in seen.places if each not in self.bookings]
        for each in sorted(
            new,
            key=lambda each: (
                customers.index(seen.places[each].customer),
                self.sessions.index(seen.places[each].session),
            ),
        ):
            place = seen.places[each]
            self.bookings.append(each)
            if place.course_booking and place.course_booking not in self.course_bookings:
                self.course_bookings.append(place.course_booking)
            if place.payment and place.payment not in self.payments:
                self.payments.append(place.payment)
        issued = [each for each in seen.held if each not in self.held]
        self.held += sorted(
            issued,
            key=lambda each: (
                customers.index(seen.held[each].customer),
                self.bundles.index(seen.held[each].bundle),
            ),
        )

    def booking(self, number: int) -> str:
        """Choose a booking: mostly one that stands, at times any."""
        standing = [each for each in self.bookings if each in self.seen.active]
        return pick(self.bookings if number >= ODD or not standing else standing, number)

    def session(self, number: int) -> str:
        """Choose a session: mostly one that can still be booked, at times any."""
        coming = [each for each in self.sessions if is_to_come(self.seen, each, self.studio)]
        return pick(self.sessions if number >= ODD or not coming else coming, number)

    def holder(self, booking: str) -> str:
        """Name who has a booking."""
        return self.names[self.seen.places[booking].customer]

    def held_by(self, customer: str) -> list[str]:
        """List the bundles of a customer."""
        return [each for each in self.held if self.seen.held[each].customer == customer]


Draw: TypeAlias = Callable[[Known, int, int, int], Deed | None]


def pick(choices: Sequence[T], number: int) -> T:
    """Choose one."""
    return choices[number % len(choices)]


async def do(studio: Studio, deed: Deed) -> dict[str, Any]:
    """Ask for it over HTTP and give the payload."""
    kind = deed.mutation[0].upper() + deed.mutation[1:]
    document = (
        f"mutation ($input: {kind}Input!) {{ {deed.mutation}(input: $input) {{"
        f" {FIELDS[deed.mutation]} userErrors {{ __typename code message path hint }} }} }}"
    )
    answer = await studio.ask(document, {"input": deed.asked}, as_=deed.by)
    payload: dict[str, Any] = answer.data[deed.mutation]
    return payload


# What customers do, themselves or through staff


def book_session(known: Known, who: int, session: int, how: int) -> Deed:
    customer = pick(list(known.names), who)
    ways = _payments(known, customer)
    asked = {"session": known.session(session), "payWith": pick(ways, how)}
    return _for(known, "bookSession", asked, customer, how // len(ways))


def book_course(known: Known, who: int, course: int, how: int) -> Deed:
    customer = pick(list(known.names), who)
    ways = [{"offline": True}, {"free": True}]
    asked = {"course": pick(known.courses, course), "payWith": pick(ways, how)}
    return _for(known, "bookCourse", asked, customer, how // len(ways))


def cancel_booking(known: Known, booking: int, by: int, _: int) -> Deed | None:
    if not known.bookings:
        return None
    chosen = known.booking(booking)
    return Deed("cancelBooking", {"booking": chosen}, pick([known.holder(chosen), OWNER], by))


def choose_refund(known: Known, booking: int, choice: int, bundle: int) -> Deed | None:
    """Cancel as staff may, who need not follow the policy."""
    if not known.bookings:
        return None
    kind = {"refund": "GOODWILL", "reason": "Ill"}
    choices = [{"refund": "NONE"}, kind, {**kind, "bundle": pick(known.bundles, bundle)}]
    asked = {"booking": known.booking(booking), **pick(choices, choice)}
    return Deed("cancelBooking", asked, OWNER)


def cancel_course_booking(known: Known, which: int, refund: int, _: int) -> Deed | None:
    if not known.course_bookings:
        return None
    refunds = [{"none": True}, *({"credits": {"bundle": each}} for each in known.bundles)]
    asked = {
        "courseBooking": pick(known.course_bookings, which),
        "refund": pick(refunds, refund),
    }
    return Deed("cancelCourseBooking", asked, OWNER)


def swap_booking(known: Known, booking: int, session: int, how: int) -> Deed | None:
    if not known.bookings:
        return None
    chosen = known.booking(booking)
    customer = known.seen.places[chosen].customer
    ways = [None, *_payments(known, customer)]
    asked = {
        "booking": chosen,
        "toSession": known.session(session),
        "payWith": pick(ways, how),
    }
    return Deed("swapBooking", asked, pick([known.names[customer], OWNER], how // len(ways)))


def _payments(known: Known, customer: str) -> list[dict[str, Any]]:
    money: list[dict[str, Any]] = [{"offline": True}, {"free": True}]
    if not known.takes_credits:
        return money
    own = [{"credit": {"customerBundle": each}} for each in known.held_by(customer)]
    return [{"credit": {}}, *money, *own]


def _for(known: Known, mutation: str, asked: dict[str, Any], customer: str, by: int) -> Deed:
    """Let customers ask for themselves or the owner for them."""
    for_customer = Deed(mutation, {**asked, "customer": customer}, OWNER)
    return pick([Deed(mutation, asked, known.names[customer]), for_customer], by)


# What the business does


def give_bundle(known: Known, who: int, bundle: int, _: int) -> Deed:
    customer = pick(list(known.names), who)
    asked = {"customer": customer, "bundle": pick(known.bundles, bundle)}
    return Deed("giveBundle", asked, OWNER)


def mark_paid(known: Known, payment: int, _a: int, _b: int) -> Deed | None:
    if not known.payments:
        return None
    return Deed("markPaid", {"payment": pick(known.payments, payment)}, OWNER)


def move_session(known: Known, session: int, when: int, minor: int) -> Deed:
    start = known.studio.clock.now + timedelta(hours=pick([36, 3, 72, 24, 240], when))
    asked = {
        "session": known.session(session),
        "startsAt": start.isoformat(),
        "isMinorMove": pick([False, True], minor),
    }
    return Deed("updateSession", asked, OWNER)


def resize_session(known: Known, session: int, seats: int, _: int) -> Deed:
    asked = {"session": known.session(session), "capacity": pick([1, 2, 3], seats)}
    return Deed("updateSession", asked, OWNER)


def call_off_session(known: Known, session: int, refund: int, _: int) -> Deed:
    choice = pick(["POLICY", "NONE"], refund)
    asked = {"session": known.session(session), "refund": choice}
    return Deed("callOffSession", asked, OWNER)


def call_off_course(known: Known, course: int, refund: int, _: int) -> Deed:
    choice = pick(["POLICY", "NONE"], refund)
    asked = {"course": pick(known.courses, course), "refund": choice}
    return Deed("callOffCourse", asked, OWNER)


def toggle(bolt_on: str, *, on: bool) -> Deed:
    """Switch a bolt-on; no part of what is drawn, for not every installation has one."""
    return Deed("enableBoltOn" if on else "disableBoltOn", {"boltOn": bolt_on}, OWNER)


DEEDS: tuple[Draw, ...] = (
    book_session,
    book_course,
    cancel_booking,
    swap_booking,
    choose_refund,
    cancel_course_booking,
    give_bundle,
    mark_paid,
    move_session,
    resize_session,
    call_off_session,
    call_off_course,
)
HOURS = (1, 3, 6, 24, 48)
"""How long nothing happens at a time."""
