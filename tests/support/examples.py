"""A valid input or two for each mutation, and a studio in which they succeed.

To set that up takes sixty requests: it is done once for each process and kind of database, and
copied together with the double of Stripe that knows its payments.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, TypeAlias

from at_work import dead_job
from classbolt.bolt_ons import BoltOns
from classbolt.stripe_gateway import StripeGateway
from classbolt.testing.databases import Kind
from classbolt.testing.stripe_double import Double
from fixture_f import FixtureF
from played import STRIPE_KEYS, CardReader, double, gateway, payments_by_card, stripe_link
from studio import Studio

Input: TypeAlias = dict[str, Any]
Examples: TypeAlias = Mapping[str, list[Input]]

KEYED = (
    "bookCourse",
    "bookSession",
    "swapBooking",
    "cancelBooking",
    "cancelCourseBooking",
    "callOffSession",
    "callOffCourse",
    "giveBundle",
    "buyBundle",
    "refundPayment",
    "revokeCredits",
    "revokeBundle",
    "markPaid",
    "markRefunded",
    "extendBundle",
    "mergeCustomers",
    "eraseCustomer",
)
"""What can be asked again under a key."""


class ExampleStudio(FixtureF):
    """Fixture F, six days later: each mutation has something there to change."""

    NAME = "fixture F with examples"

    def __init__(self, bolt_ons: BoltOns, data: Path) -> None:
        super().__init__(bolt_ons, data)
        self._stripe: dict[Kind, Double] = {}
        self._examples: dict[Kind, Examples] = {}

    def examples(self, kind: Kind) -> Examples:
        """Give an input or two for each mutation.

        Together they mention every member of every input. All of them succeed when they are run
        one after the other in this order, as well as each alone.
        """
        return deepcopy(self._examples[kind])

    def stripe(self, kind: Kind, data: Path) -> Double:
        """Open a copy of the double of Stripe, as it was when the examples were made."""
        copy = data / "stripe.db"
        shutil.copy(self._stripe_file(kind), copy)
        return double(keep_in=copy)

    def gateway(self, kind: Kind) -> StripeGateway:
        """Give the way to the double that is copied."""
        self._stripe[kind] = double(keep_in=self._stripe_file(kind))
        return gateway(self._stripe[kind])

    async def furnish(self, kind: Kind, studio: Studio) -> None:
        """Set up fixture F, and what the examples change."""
        await super().furnish(kind, studio)
        stripe = self._stripe[kind]
        self._examples[kind] = await _examples(CardReader(studio, stripe, self.bolt_ons))
        stripe.close()

    def _stripe_file(self, kind: Kind) -> Path:
        return self.data / f"stripe-{kind}.db"


async def _examples(card: CardReader) -> Examples:
    studio = card.studio
    studio.clock.set("2027-01-10T12:00")
    await studio.token("owner")
    ten = await studio.give("Ana", "TEN")
    owed = await studio.do(
        "bookCourse",
        {
            "course": studio.ids.courses["WED"],
            "customer": studio.ids.customers["Ben"],
            "payWith": {"offline": True},
        },
        "courseBooking { payment { id } }",
        as_="owner",
    )
    bookings = [await studio.booking("Ana", "MON", number) for number in (2, 3, 4, 5)]
    quote = await studio.quote("Ana", "MON", 2)
    await studio.cancel("Hal", "SAT", 5)
    refunded = await studio.booking("Hal", "SAT", 5)
    going = [await studio.add_customer(name) for name in ("Una", "Vera", "Will")]
    held = await studio.give("Hal", "TEN")
    ended = await stripe_link(studio)
    await stripe_link(studio)
    by_card = await payments_by_card(card)
    failed = await card.refund(by_card["refundPayment"][0]["payment"], 200, fails=True)
    found = {
        **_set_up(studio),
        **_scheduled(studio),
        **_served(studio, ten, owed["courseBooking"]["payment"]["id"]),
        **_ended(studio, ten, bookings, quote),
        **by_card,
        **_ended_as_a_whole(
            studio, [await studio.course_booking(name) for name in ("Ben", "Hal", "Xia")]
        ),
        **_amended(held, (refunded, failed), going),
        **_linked(ended),
        "retryJob": [{"job": await dead_job(studio)}],
        "discardJob": [{"job": await dead_job(studio)}],
        "archiveBundle": [{"bundle": studio.ids.bundles["RB-ADV"]}],
        "disableBoltOn": [{"boltOn": "drop_in"}],
        "enableBoltOn": [{"boltOn": "drop_in"}],
    }
    for mutation in KEYED:
        found[mutation][-1]["idempotencyKey"] = f"To {mutation} once"
    return found


def _set_up(studio: Studio) -> dict[str, list[Input]]:
    bundle = {
        "name": "Five classes",
        "validity": {"value": 60, "unit": "DAYS"},
        "priceMinor": 5000,
        "onSale": True,
        "paymentMethods": ["card", "offline"],
        "tags": [studio.ids.tags["BEG"]],
    }
    return {
        "createTag": [{"name": "Improvers"}],
        "createBundle": [{**bundle, "credits": 5}],
        "updateBundle": [{**bundle, "bundle": studio.ids.bundles["TEN"]}],
    }


def _scheduled(studio: Studio) -> dict[str, list[Input]]:
    ids = studio.ids
    offer = {
        "priceMinor": 1300,
        "opensBefore": {"value": 2, "unit": "WEEKS"},
        "paymentMethods": ["credit", "offline"],
        "cap": 5,
    }
    session = {
        "startsAt": "2027-03-01T18:30:00Z",
        "minutes": 75,
        "capacity": 12,
        "tag": ids.tags["BEG"],
        "dropIn": offer,
    }
    rule = {"option": "COURSE", "method": "NEW_BUNDLE", "bundle": ids.bundles["RB-BEG"]}
    policy = {
        "notice": {"value": 1, "unit": "DAYS"},
        "refunds": [rule],
        "validityAnchor": "COURSE_END",
        "maxRefundsPerCourseBooking": 3,
        "minDaysAfterCreditBack": 14,
        "refundFreeBookings": True,
    }
    course = {
        "title": "Beginners, Fridays",
        "description": "Steps and turns.",
        "priceMinor": 6000,
        "tag": ids.tags["BEG"],
        "paymentMethods": ["offline"],
        "lateJoining": "PRO_RATA",
        "autoRefund": policy,
    }
    return {
        "createCourse": [{**course, "sessions": [session]}],
        "updateCourse": [{**course, "course": ids.courses["SAT"]}],
        "addSessions": [{"course": ids.courses["MON"], "sessions": [session]}],
        "updateSession": [
            {**session, "session": studio.session("SAT", 6), "isMinorMove": True}
        ],
        "updateSessions": [
            {"course": ids.courses["WED"], "minutes": 90, "capacity": 9, "dropIn": offer}
        ],
    }


def _served(studio: Studio, ten: str, owed: str) -> dict[str, list[Input]]:
    ids = studio.ids
    ana, ben, hal = (ids.customers[name] for name in ("Ana", "Ben", "Hal"))
    saturday = studio.session("SAT", 1)
    return {
        "createCustomer": [{"name": "Ida", "email": "ida@example.com"}],
        "updateCustomer": [{"customer": ana, "name": "Anna", "email": "anna@example.com"}],
        "giveBundle": [
            {"customer": ana, "bundle": ids.bundles["RB-BEG"], "note": "With apologies"}
        ],
        "bookCourse": [
            {"course": ids.courses["WED"], "customer": hal, "payWith": {"offline": True}},
            {"course": ids.courses["THU"], "customer": hal, "payWith": {"free": True}},
        ],
        "bookSession": [
            {
                "session": saturday,
                "customer": ana,
                "payWith": {"credit": {"customerBundle": ten}},
            },
            {"session": saturday, "customer": ben, "payWith": {"offline": True}},
        ],
        "buyBundle": [
            {"bundle": ids.bundles["TEN"], "customer": ana, "payWith": {"card": True}},
            {"bundle": ids.bundles["TEN"], "customer": ben, "payWith": {"offline": True}},
        ],
        "markPaid": [{"payment": owed}],
    }


def _ended(studio: Studio, ten: str, bookings: list[str], quote: str) -> dict[str, list[Input]]:
    to_cancel, to_swap, to_swap_too, to_be_kind = bookings
    goodwill = {"refund": "GOODWILL", "reason": "Ill", "bundle": studio.ids.bundles["RB-BEG"]}
    return {
        "cancelBooking": [
            {"booking": to_cancel, "refund": "POLICY", "expected": quote},
            {"booking": to_be_kind, **goodwill},
        ],
        "swapBooking": [
            {
                "booking": to_swap,
                "toSession": studio.session("THU", 1),
                "expected": quote,
                "payWith": {"credit": {"customerBundle": ten}},
            },
            {
                "booking": to_swap_too,
                "toSession": studio.session("WED", 1),
                "payWith": {"offline": True},
            },
        ],
        "callOffSession": [{"session": studio.session("THU", 6), "refund": "POLICY"}],
    }


def _ended_as_a_whole(studio: Studio, course_bookings: list[str]) -> dict[str, list[Input]]:
    with_credits, with_nothing, with_cash = course_bookings
    credits = {"credits": {"bundle": studio.ids.bundles["RB-BEG"]}}
    return {
        "cancelCourseBooking": [
            {"courseBooking": with_credits, "refund": credits, "reason": "Moved away"},
            {"courseBooking": with_nothing, "refund": {"none": True}},
            {"courseBooking": with_cash, "refund": {"cash": True}},
        ],
        "callOffCourse": [{"course": studio.ids.courses["WED"], "refund": "POLICY"}],
    }


def _amended(held: str, refunded: tuple[str, str], going: list[str]) -> dict[str, list[Input]]:
    booking, refund = refunded
    merged, kept, erased = going
    later = "2027-12-31T00:00:00Z"
    return {
        "markRefunded": [{"refund": refund}, {"booking": booking, "note": "In cash"}],
        "extendBundle": [{"customerBundle": held, "expiresAt": later}],
        "revokeBundle": [{"customerBundle": held, "note": "Given by mistake"}],
        "mergeCustomers": [{"from": merged, "into": kept}],
        "eraseCustomer": [{"customer": erased}],
        "updateAccount": [{"name": "Northside", "timeZone": "Europe/Paris"}],
    }


def _linked(ended: str) -> dict[str, list[Input]]:
    """Change a link that has ended: the one in force is for the examples of payments."""
    changes = {
        "restrictedKey": STRIPE_KEYS["restrictedKey"],
        "webhookSecret": STRIPE_KEYS["webhookSecret"],
        "holdMinutes": 30,
    }
    return {
        "updateStripeLink": [{"link": ended, **changes}],
        "unlinkStripe": [{"link": ended}],
        "linkStripe": [{**STRIPE_KEYS, "holdMinutes": 20}],
    }
