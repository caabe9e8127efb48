"""What the tests of the API share: inputs for every mutation, and all rows of the database."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any, TypeAlias

import pytest
from graphql import GraphQLSchema
from graphql import build_schema as parse_sdl
from sqlalchemy import Select, column, inspect, select, table
from sqlalchemy.ext.asyncio import AsyncConnection

from at_work import dead_job
from classbolt.bolt_ons import BoltOns
from classbolt.stripe_gateway import StripeGateway
from classbolt.testing.databases import Kind, Templates
from classbolt.testing.stripe_double import Double
from classbolt_schema.compose.schema import build_schema, export_sdl
from furnished import TwoStudios
from invariants import broken
from neighbours import Neighbours
from played import STRIPE_KEYS, CardReader, double, payments_by_card, stripe_link
from played import gateway as gateway_to
from studio import Answer, Studio

Input: TypeAlias = dict[str, Any]
Examples: TypeAlias = Mapping[str, list[Input]]
Rows: TypeAlias = Mapping[str, list[str]]
Dump: TypeAlias = Callable[[], Awaitable[Rows]]
Ask: TypeAlias = Callable[..., Awaitable[Answer]]

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

USER_ERRORS = "{ userErrors { __typename code path ... on BoltOnDisabledError { boltOn } } }"

SCHEMA = parse_sdl(export_sdl(build_schema(BoltOns.discover().installed.values())))


@pytest.fixture(scope="session")
def schema() -> GraphQLSchema:
    """The schema as clients know it: read back from what is printed."""
    return SCHEMA


@pytest.fixture
def dump(studio: Studio) -> Dump:
    """Read every row of every table."""

    async def read(connection: AsyncConnection) -> Rows:
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        return {name: sorted(map(repr, await _all(connection, name))) for name in names}

    async def dump() -> Rows:
        await studio.token("owner")  # to be admitted writes rows too, once
        return await studio.database.run(read)

    return dump


async def _all(connection: AsyncConnection, name: str) -> list[Any]:
    everything: Select[Any] = select(column("*", is_literal=True)).select_from(table(name))
    return list((await connection.execute(everything)).all())


@pytest.fixture
def ask(studio: Studio) -> Ask:
    """Run a mutation for each input, in one document, with any text that JSON can carry."""

    async def run(mutation: str, *inputs: object, as_: str | None = "owner") -> Answer:
        kind = mutation[0].upper() + mutation[1:]
        names = [f"asked{number}" for number in range(len(inputs))]
        wanted = ", ".join(f"${name}: {kind}Input!" for name in names)
        fields = " ".join(f"{name}: {mutation}(input: ${name}) {USER_ERRORS}" for name in names)
        token = {"Authorization": f"Bearer {await studio.token(as_)}"} if as_ else {}
        response = await studio.client.post(
            f"/graphql/{studio.slug}",
            content=json.dumps(
                {
                    "query": f"mutation ({wanted}) {{ {fields} }}",
                    "variables": dict(zip(names, inputs, strict=True)),
                }
            ),
            headers={"Content-Type": "application/json", **token},
        )
        return Answer(response.status_code, response.json())

    return run


@pytest.fixture
def stripe() -> Iterator[Double]:
    """A double of Stripe, with which owners can link their account."""
    opened = double()
    yield opened
    opened.close()


@pytest.fixture
def gateway(stripe: Double) -> StripeGateway:
    """The way to it, for the server."""
    return gateway_to(stripe)


@pytest.fixture
async def examples(northside: Studio, stripe: Double, bolt_ons: BoltOns) -> Examples:
    """A valid input or two for each mutation.

    Together they mention every member of every input. All of them succeed when they are run one
    after the other in this order, as well as each alone.
    """
    northside.clock.set("2027-01-10T12:00")
    await northside.token("owner")
    ten = await northside.give("Ana", "TEN")
    owed = await northside.do(
        "bookCourse",
        {
            "course": northside.ids.courses["WED"],
            "customer": northside.ids.customers["Ben"],
            "payWith": {"offline": True},
        },
        "courseBooking { payment { id } }",
        as_="owner",
    )
    bookings = [await northside.booking("Ana", "MON", number) for number in (2, 3, 4, 5)]
    quote = await northside.quote("Ana", "MON", 2)
    await northside.cancel("Hal", "SAT", 5)
    refunded = await northside.booking("Hal", "SAT", 5)
    going = [await northside.add_customer(name) for name in ("Una", "Vera", "Will")]
    held = await northside.give("Hal", "TEN")
    ended = await stripe_link(northside)
    await stripe_link(northside)
    found = {
        **_set_up(northside),
        **_scheduled(northside),
        **_served(northside, ten, owed["courseBooking"]["payment"]["id"]),
        **_ended(northside, ten, bookings, quote),
        **await payments_by_card(CardReader(northside, stripe, bolt_ons)),
        **_ended_as_a_whole(
            northside, [await northside.course_booking(name) for name in ("Ben", "Hal", "Xia")]
        ),
        **_amended(held, refunded, going),
        **_linked(ended),
        "retryJob": [{"job": await dead_job(northside)}],
        "discardJob": [{"job": await dead_job(northside)}],
        "archiveBundle": [{"bundle": northside.ids.bundles["RB-ADV"]}],
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


def _amended(held: str, refunded: str, going: list[str]) -> dict[str, list[Input]]:
    merged, kept, erased = going
    later = "2027-12-31T00:00:00Z"
    return {
        "markRefunded": [{"booking": refunded, "note": "In cash"}],
        "extendBundle": [{"customerBundle": held, "expiresAt": later}],
        "revokeBundle": [{"customerBundle": held, "note": "Given by mistake"}],
        "mergeCustomers": [{"from": merged, "into": kept}],
        "eraseCustomer": [{"customer": erased}],
        "updateAccount": [{"name": "Northside", "timeZone": "Europe/Paris"}],
    }


def _linked(ended: str) -> dict[str, list[Input]]:
    """Change a link that has ended: the one in force is for the examples of payments."""
    changes = {"webhookSecret": STRIPE_KEYS["webhookSecret"], "holdMinutes": 30}
    return {
        "updateStripeLink": [{"link": ended, **changes}],
        "unlinkStripe": [{"link": ended}],
        "linkStripe": [{**STRIPE_KEYS, "holdMinutes": 20}],
    }


@pytest.fixture
async def foreign(southside: Studio) -> Mapping[str, str]:
    """An id of each type, all of them of another account."""

    async def made(mutation: str, asked: Input, *steps: str) -> str:
        fields = " { ".join((*steps, "id")) + " }" * len(steps)
        found: Any = await southside.do(mutation, asked, fields, as_="owner")
        for step in (*steps, "id"):
            found = found[step]
        return str(found)

    tag = await made("createTag", {"name": "Beginners"}, "tag")
    validity = {"value": 30, "unit": "DAYS"}
    template = {"name": "One class", "credits": 1, "validity": validity, "tags": [tag]}
    bundle = await made("createBundle", template, "bundle")
    customer = await made("createCustomer", {"name": "Zoe"}, "customer")
    session = {"startsAt": "2027-03-01T18:30:00Z", "capacity": 5}
    course = await southside.do(
        "createCourse",
        {"title": "Yoga", "priceMinor": 100, "sessions": [session]},
        "course { id sessions { edges { node { id } } } }",
        as_="owner",
    )
    booked = await southside.do(
        "bookCourse",
        {
            "course": course["course"]["id"],
            "customer": customer,
            "payWith": {"offline": True},
        },
        "courseBooking { id payment { id } bookings { edges { node { id } } } }",
        as_="owner",
    )
    given = {"customer": customer, "bundle": bundle}
    return {
        "Tag": tag,
        "Bundle": bundle,
        "Customer": customer,
        "Course": course["course"]["id"],
        "Session": course["course"]["sessions"]["edges"][0]["node"]["id"],
        "CourseBooking": booked["courseBooking"]["id"],
        "Payment": booked["courseBooking"]["payment"]["id"],
        "Booking": booked["courseBooking"]["bookings"]["edges"][0]["node"]["id"],
        "CustomerBundle": await made("giveBundle", given, "customerBundle"),
        "Job": await dead_job(southside),
        "StripeLink": await stripe_link(southside),
    }


@pytest.fixture(scope="session")
def two_studios(tmp_path_factory: pytest.TempPathFactory, bolt_ons: BoltOns) -> TwoStudios:
    return TwoStudios(bolt_ons, tmp_path_factory.mktemp("two_studios"))


@pytest.fixture
async def both(
    kind: Kind, templates: Templates, two_studios: TwoStudios
) -> AsyncIterator[Neighbours]:
    """Two studios on one server, alike and strangers to each other."""
    async with templates.database(kind, two_studios.seed(kind)) as url:
        async with two_studios.neighbours(kind, url) as found:
            yield found
        assert await broken(url) == {}
