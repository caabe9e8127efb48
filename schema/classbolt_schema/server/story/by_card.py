"""The story of cards: bought with one, declined, authenticated, abandoned, and paid too late.

Stripe is a double on this machine, and told by a browser of nobody's. Only time is helped
along: nobody waits a quarter of an hour for a hold to end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from classbolt_schema.server.demo import CREATE_CUSTOMER, Studio
from classbolt_schema.server.story.documents import BOOK, CANCEL
from classbolt_schema.server.story.set_up import ONE, TWO
from classbolt_schema.server.story.teller import SOMETHING, Teller, matches

UPDATE_COURSE: Final = """mutation ($input: UpdateCourseInput!) {
  updateCourse(input: $input) { course { paymentMethods } userErrors { code message path } }
}"""
UPDATE_SESSION: Final = """mutation ($input: UpdateSessionInput!) {
  updateSession(input: $input) { session { seatsLeft } userErrors { code message path } }
}"""
BOOK_BY_CARD: Final = """mutation ($input: BookCourseInput!) {
  bookCourse(input: $input) {
    courseBooking { id status payment { id state holdUntil } }
    cardPayment { clientSecret publishableKey holdUntil }
    userErrors { code message path }
  }
}"""
REFRESH: Final = """mutation ($input: RefreshPaymentInput!) {
  refreshPayment(input: $input) {
    payment { state paidAt } cardPayment { holdUntil } userErrors { code message path }
  }
}"""
BOOKED: Final = """query ($id: ID!) { node(id: $id) { ... on CourseBooking {
  status
  payment { state refunds { amount { amountMinor } cause state } }
  bookings { edges { node { id status } } }
} } }"""
GOOD: Final = "pm_card_visa"
DECLINED: Final = "pm_card_chargeDeclined"
ASKS_THE_BANK: Final = "pm_card_authenticationRequired"
PRICE: Final = 6000


def tell_of_cards(tell: Teller, studio: Studio) -> None:
    """Play what customers do with cards."""
    tell.chapter("The owner lets the first course be paid for by card")
    tell.do(
        "The course accepts cards.",
        UPDATE_COURSE,
        {"course": studio.courses[ONE], "paymentMethods": ["card", "offline"]},
        {"course": {"paymentMethods": ["card", "offline"]}},
        as_="owner",
    )
    places = _pay(tell, studio)
    _cancel_and_move(tell, studio, places[1])
    _abandon(tell, studio)
    _pay_late(tell, studio)
    _pay_too_late(tell, studio)


def _pay(tell: Teller, studio: Studio) -> list[str]:
    """Let Bea pay at the third try, and give her places."""
    tell.chapter("Bea buys the course by card: declined, then 3-D Secure")
    booking, payment, secret = _hold(tell, studio, "Bea")
    declined = tell.stage.stripe.pay(secret, DECLINED)
    tell.hold("Decline: Stripe refuses the first card.", declined.status_code, 402)
    held = {"status": "HELD", "payment": {"state": "PENDING"}}
    tell.ask("Her places are still held.", BOOKED, held, as_="Bea", id=booking)
    asked = tell.stage.stripe.pay(secret, ASKS_THE_BANK).json()
    tell.hold("3-D Secure: the bank asks first.", asked["status"], "requires_action")
    tell.stage.stripe.control("authenticate", {"payment_intent": asked["id"]})
    tell.do(
        "She comes back from her bank, and the course is hers.",
        REFRESH,
        {"payment": payment},
        {"payment": {"state": "PAID", "paidAt": SOMETHING}, "cardPayment": None},
        as_="Bea",
    )
    place = {"node": {"status": "BOOKED"}}
    paid = {"status": "BOOKED", "bookings": {"edges": [place] * 4}}
    found = tell.ask(
        "She has a place in each of its sessions.", BOOKED, paid, as_="Bea", id=booking
    )
    return [
        tell.name(edge["node"]["id"], f"Bea's place {number}")
        for number, edge in enumerate(found["bookings"]["edges"], 1)
    ]


def _cancel_and_move(tell: Teller, studio: Studio, place: str) -> None:
    tell.chapter("Bea moves a session, as who paid otherwise does")
    tell.do(
        "She cancels in time and gets the credit.",
        CANCEL,
        {"booking": place},
        {"cancellation": {"refund": {"outcome": "NEW_BUNDLE"}}},
        as_="Bea",
    )
    tell.do(
        "The credit pays for a session of the other course.",
        BOOK,
        {"session": studio.sessions[TWO][1], "payWith": {"credit": {}}},
        {"booking": {"status": "BOOKED"}},
        as_="Bea",
    )


def _abandon(tell: Teller, studio: Studio) -> None:
    tell.chapter("Cleo abandons her payment")
    booking, payment, secret = _hold(tell, studio, "Cleo")
    tell.stage.end_hold(payment)
    _until(
        tell,
        "Abandonment: her time is over, and a job gives her places up.",
        {"status": "EXPIRED", "payment": {"state": "EXPIRED", "refunds": []}},
        booking,
        as_="Cleo",
    )
    late = tell.stage.stripe.pay(secret, GOOD)
    tell.hold("Her card can no longer be charged.", late.status_code, 400)


def _pay_late(tell: Teller, studio: Studio) -> None:
    tell.chapter("Dan pays late, and the places are still free")
    booking, payment, secret = _hold(tell, studio, "Dan")
    tell.stage.give_up(payment)
    tell.stage.stripe.pay(secret, GOOD)
    _until(
        tell,
        "Late payment: Stripe tells of it, and the free places are his.",
        {"status": "BOOKED", "payment": {"state": "PAID", "refunds": []}},
        booking,
        as_="Dan",
    )


def _pay_too_late(tell: Teller, studio: Studio) -> None:
    tell.chapter("Eli pays too late, and a session is full")
    booking, payment, secret = _hold(tell, studio, "Eli")
    tell.stage.give_up(payment)
    tell.do(
        "Meanwhile a session has become full.",
        UPDATE_SESSION,
        {"session": studio.sessions[ONE][2], "capacity": 1},
        {"session": {"seatsLeft": 0}},
        as_="owner",
    )
    tell.stage.stripe.pay(secret, GOOD)
    refund = {"amount": {"amountMinor": PRICE}, "cause": "LATE", "state": "SUCCEEDED"}
    _until(
        tell,
        "Late payment without a seat: all of the money goes back, once.",
        {"status": "EXPIRED", "payment": {"state": "RETURNED", "refunds": [refund]}},
        booking,
        as_="Eli",
    )


def _hold(tell: Teller, studio: Studio, name: str) -> tuple[str, str, str]:
    """Let a new customer hold the course, and give booking, payment and the means to pay."""
    made = tell.do(
        f"{name} is a customer.",
        CREATE_CUSTOMER,
        {"name": name},
        {"customer": {"id": SOMETHING}},
        as_="owner",
    )
    tell.stage.admit(name, tell.name(made["customer"]["id"], f"customer {name}"))
    booked = tell.do(
        f"The course is held for {name}, who can pay now.",
        BOOK_BY_CARD,
        {"course": studio.courses[ONE], "payWith": {"card": True}},
        {
            "courseBooking": {"status": "HELD", "payment": {"state": "PENDING"}},
            "cardPayment": {"clientSecret": SOMETHING, "publishableKey": SOMETHING},
        },
        as_=name,
    )
    held = booked["courseBooking"]
    return (
        tell.name(held["id"], f"{name}'s course booking"),
        tell.name(held["payment"]["id"], f"{name}'s payment"),
        booked["cardPayment"]["clientSecret"],
    )


def _until(
    tell: Teller, claim: str, expected: Mapping[str, Any], booking: str, *, as_: str
) -> None:
    """Wait for what comes by itself, then tell of it."""
    tell.stage.ask_until(
        BOOKED,
        {"id": booking},
        as_,
        is_so=lambda answer: matches((answer.get("data") or {}).get("node"), expected),
    )
    tell.ask(claim, BOOKED, expected, as_=as_, id=booking)
