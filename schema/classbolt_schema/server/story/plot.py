"""The story that must work: a customer moves a session from one course to another by herself.

It is played over HTTP against a server of its own, with the real clock, so the sessions lie
relative to this moment. Every step says what should be; the first that is not ends the story.
"""

from __future__ import annotations

from typing import Any, Final

import typer

from classbolt.config import Settings
from classbolt_schema.server.demo import (
    BOOK_COURSE,
    CREATE_CUSTOMER,
    ENABLE_BOLT_ON,
    MARK_PAID,
    Studio,
)
from classbolt_schema.server.story.by_card import tell_of_cards
from classbolt_schema.server.story.documents import (
    BOOK,
    CANCEL,
    CATALOGUE,
    CREDITS,
    DISABLE_BOLT_ON,
    LEDGER,
    OFFER,
    OPTIONS,
    PLACES,
    PREVIEW,
    SWAP,
)
from classbolt_schema.server.story.set_up import ADVANCED, ONE, SEATS, TWO, set_up
from classbolt_schema.server.story.stage import StageError, open_stage
from classbolt_schema.server.story.teller import SOMETHING, StoryBroken, Teller

REFUNDED: Final = {"outcome": "NEW_BUNDLE", "reason": None}


def play(settings: Settings) -> int:
    """Play the story and say whether it holds: 0 if every state was as it should be."""
    try:
        with open_stage(settings) as stage:
            tell = Teller(stage)
            typer.echo(f"The story is played in the account {stage.slug}.")
            _tell(tell)
    except (StageError, StoryBroken) as broken:
        typer.echo(f"classbolt: the story breaks: {broken}", err=True)
        return 1
    typer.echo(f"\nThe story holds: {tell.steps} steps, each as it should be.")
    return 0


def _tell(tell: Teller) -> None:
    studio = set_up(tell)
    places = _buy_a_course(tell, studio)
    held = _cancel_in_time(tell, places[1])
    _book_another_course(tell, studio, held)
    _cancel_too_late(tell, places[0])
    _switch_auto_refund(tell, places[2], places[3])
    _switch_drop_in(tell, studio)
    _swap(tell, studio, places[3])
    _look_back(tell)
    tell_of_cards(tell, studio)


def _buy_a_course(tell: Teller, studio: Studio) -> list[str]:
    """Let a customer buy the first course, and give her bookings in the order they start."""
    tell.chapter("Ana buys a course")
    made = tell.do(
        "Ana is a customer.",
        CREATE_CUSTOMER,
        {"name": "Ana"},
        {"customer": {"id": SOMETHING}},
        as_="owner",
    )
    tell.stage.admit("Ana", tell.name(made["customer"]["id"], "customer Ana"))
    booked = tell.do(
        "Ana has booked the whole course and owes its price.",
        BOOK_COURSE,
        {"course": studio.courses[ONE], "payWith": {"offline": True}},
        {"courseBooking": {"payment": {"id": SOMETHING}}},
        as_="Ana",
    )
    tell.do(
        "The money has come.",
        MARK_PAID,
        {"payment": booked["courseBooking"]["payment"]["id"]},
        {"payment": {"paidAt": SOMETHING}},
        as_="owner",
    )
    place = {"node": {"status": "BOOKED", "way": "course"}}
    mine = tell.ask(
        "Ana has a place in each of its four sessions.",
        PLACES,
        {"bookings": {"edges": [place] * 4}},
        as_="Ana",
    )
    return [
        tell.name(edge["node"]["id"], f"Ana's place {number}")
        for number, edge in enumerate(mine["bookings"]["edges"], 1)
    ]


def _cancel_in_time(tell: Teller, place: str) -> str:
    """Let her cancel a session in time, and give the bundle that she gets."""
    tell.chapter("Ana cancels one session in time")
    tell.ask(
        "She is told beforehand that she would get the refund bundle, and until when.",
        PREVIEW,
        {**REFUNDED, "deadline": SOMETHING, "bundle": {"name": "Swap, beginners"}},
        as_="Ana",
        booking=place,
    )
    done = tell.do(
        "The session is cancelled, and she has been given a bundle of one credit.",
        CANCEL,
        {"booking": place},
        {
            "booking": {"status": "CANCELLED"},
            "cancellation": {"refund": {**REFUNDED, "customerBundle": {"balance": 1}}},
        },
        as_="Ana",
    )
    tell.ask(
        "The credit is among what she holds, for beginners' sessions.",
        CREDITS,
        {
            "bundles": {
                "edges": [{"node": {"balance": 1, "bundle": {"tags": [{"name": "Beginners"}]}}}]
            }
        },
        as_="Ana",
    )
    refund = done["cancellation"]["refund"]
    return tell.name(refund["customerBundle"]["id"], "Ana's bundle")


def _book_another_course(tell: Teller, studio: Studio, held: str) -> None:
    tell.chapter("Ana books a session of another course with the credit")
    mismatch = [{"code": "TAG_MISMATCH"}]
    advanced, other = studio.sessions[ADVANCED][0], studio.sessions[TWO][0]
    tell.ask(
        "She can see why her credit is not for the advanced course.",
        OPTIONS,
        {
            "way": "drop_in",
            "paymentOptions": [
                {
                    "method": "credit",
                    "customerBundle": None,
                    "userErrors": [{"code": "NO_MATCHING_CREDIT"}, *mismatch],
                },
                {
                    "method": "credit",
                    "customerBundle": {"id": held},
                    "userErrors": mismatch,
                },
                {"method": "offline", "userErrors": []},
            ],
        },
        as_="Ana",
        session=advanced,
    )
    tell.do(
        "The wrong level is refused, with the reason.",
        BOOK,
        {"session": advanced, "payWith": {"credit": {"customerBundle": held}}},
        {"booking": None, "userErrors": mismatch},
        as_="Ana",
    )
    tell.do(
        "Money is refused where only transfers are welcome.",
        BOOK,
        {"session": other, "payWith": {"offline": True}},
        {
            "booking": None,
            "userErrors": [{"code": "PAYMENT_OPTION_NOT_ALLOWED", "allowed": ["credit"]}],
        },
        as_="Ana",
    )
    tell.do(
        "The right level is booked, and the credit is spent.",
        BOOK,
        {"session": other, "payWith": {"credit": {}}},
        {
            "booking": {
                "status": "BOOKED",
                "way": "drop_in",
                "session": {"course": {"title": TWO}},
                "customerBundle": {"balance": 0},
            }
        },
        as_="Ana",
    )


def _cancel_too_late(tell: Teller, place: str) -> None:
    tell.chapter("Ana cancels another session too late")
    tell.do(
        "The session, which starts in a few hours, is cancelled but gives nothing back.",
        CANCEL,
        {"booking": place},
        {"booking": {"status": "CANCELLED"}, **_nothing("NOTICE_TOO_SHORT")},
        as_="Ana",
    )


def _switch_auto_refund(tell: Teller, place: str, next_place: str) -> None:
    tell.chapter("The owner switches auto-refund off, and on again")
    _switch(tell, "auto_refund", on=False)
    tell.do(
        "Off means off: cancelling in time gives nothing back.",
        CANCEL,
        {"booking": place},
        {"booking": {"status": "CANCELLED"}, **_nothing("BOLT_ON_OFF")},
        as_="Ana",
    )
    _switch(tell, "auto_refund", on=True)
    tell.ask(
        "It is as before: the policy is still there, and cancelling would give a credit.",
        PREVIEW,
        {**REFUNDED, "bundle": {"name": "Swap, beginners"}},
        as_="Ana",
        booking=next_place,
    )


def _switch_drop_in(tell: Teller, studio: Studio) -> None:
    tell.chapter("The owner switches drop-in off, and on again")
    session = studio.sessions[TWO][1]
    _switch(tell, "drop_in", on=False)
    tell.do(
        "Credits cannot be spent while it is off.",
        BOOK,
        {"session": session, "payWith": {"credit": {}}},
        {
            "booking": None,
            "userErrors": [
                {
                    "code": "BOLT_ON_DISABLED",
                    "boltOn": "drop_in",
                    "path": ["input", "payWith", "credit"],
                }
            ],
        },
        as_="Ana",
    )
    tell.ask("No offer is shown.", OFFER, {"dropIn": None}, as_=None, session=session)
    _switch(tell, "drop_in", on=True)
    tell.ask(
        "The offer is as before.",
        OFFER,
        {
            "dropIn": {
                "price": {"amountMinor": 1200, "currency": "GBP"},
                "paymentMethods": ["credit"],
                "isOpen": True,
            }
        },
        as_=None,
        session=session,
    )


def _swap(tell: Teller, studio: Studio, place: str) -> None:
    tell.chapter("Ana swaps a session in one step")
    tell.do(
        "One session is given up, and its credit has paid for the other.",
        SWAP,
        {"booking": place, "toSession": studio.sessions[TWO][1]},
        {
            "cancellation": {"refund": {"outcome": "NEW_BUNDLE"}},
            "booking": {
                "status": "BOOKED",
                "session": {"course": {"title": TWO}},
                "customerBundle": {"balance": 0},
            },
        },
        as_="Ana",
    )


def _look_back(tell: Teller) -> None:
    tell.chapter("What is left")
    tell.ask(
        "Anybody can read the catalogue: every seat given up is free, both new ones taken.",
        CATALOGUE,
        {
            "edges": [
                _course_shown(ADVANCED, SEATS),
                _course_shown(ONE, SEATS, SEATS, SEATS, SEATS),
                _course_shown(TWO, SEATS - 1, SEATS - 1),
            ]
        },
        as_=None,
    )
    lines = [
        {"node": {"kind": "ISSUE", "amount": 1, "by": "CUSTOMER"}},
        {"node": {"kind": "SPEND", "amount": -1, "by": "CUSTOMER"}},
    ]
    spent = {"node": {"balance": 0, "entries": {"edges": lines}}}
    mine = tell.ask(
        "The ledger accounts for both credits: issued once, spent once.",
        LEDGER,
        {"bundles": {"edges": [spent, spent]}},
        as_="Ana",
    )
    entries = mine["bundles"]["edges"][1]["node"]["entries"]["edges"]
    issued, used = (edge["node"]["correlationId"] for edge in entries)
    tell.hold("Both lines of the swap were written by one operation.", issued, used)


def _switch(tell: Teller, code: str, *, on: bool) -> None:
    tell.do(
        f"The bolt-on {code} is {'on' if on else 'off'}.",
        ENABLE_BOLT_ON if on else DISABLE_BOLT_ON,
        {"boltOn": code},
        {"boltOn": {"enabled": on}},
        as_="owner",
    )


def _nothing(reason: str) -> dict[str, Any]:
    refund = {"outcome": "NONE", "reason": {"code": reason}, "customerBundle": None}
    return {"cancellation": {"refund": refund}}


def _course_shown(title: str, *seats_left: int) -> dict[str, Any]:
    sessions = [{"node": {"seatsLeft": seats}} for seats in seats_left]
    return {"node": {"title": title, "sessions": {"edges": sessions}}}
