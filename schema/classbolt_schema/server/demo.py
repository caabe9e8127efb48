"""The demo account: a dance studio with two levels, set up through the GraphQL API itself.

One of its courses takes transfers only, the others also take money at the door. Its dates are
relative to the day it is opened. What belongs to a bolt-on that is not installed is left out.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from classbolt import customers, opening, stripe_links
from classbolt.bolt_ons import BoltOns
from classbolt.config import Settings
from classbolt.db import Caller, Database, Tx
from classbolt.errors import InvalidInput
from classbolt.sealed import Seal
from classbolt.stripe_gateway import StripeGateway
from classbolt.stripe_links import NewLink
from classbolt.values import SYSTEM, CustomerId, Role
from classbolt_schema.compose.schema import build_schema
from classbolt_schema.ids import decode
from classbolt_schema.server.auth import TokenVerifier
from classbolt_schema.server.context import Application, Context
from classbolt_schema.server.keys import DEVELOPMENT_ISSUER, issue_token, trusted_issuer

Call = Callable[[str, Mapping[str, Any]], Awaitable[Any]]
"""Runs a mutation as the owner and gives its payload; anything but success is an error."""

SLUG = "northside"
NAME = "Northside Dance"
ZONE = ZoneInfo("Europe/London")
DEMO_TOKEN_LIFETIME = timedelta(days=7)
AHEAD = timedelta(days=10)
"""How far ahead the first Monday lies at least, so that the courses can be booked."""

CREATE_TAG = """mutation ($input: CreateTagInput!) {
  createTag(input: $input) { tag { id } userErrors { code message path } }
}"""
CREATE_BUNDLE = """mutation ($input: CreateBundleInput!) {
  createBundle(input: $input) { bundle { id } userErrors { code message path } }
}"""
CREATE_COURSE = """mutation ($input: CreateCourseInput!) {
  createCourse(input: $input) {
    course { id sessions(first: 100) { edges { node { id } } } }
    userErrors { code message path }
  }
}"""
CREATE_CUSTOMER = """mutation ($input: CreateCustomerInput!) {
  createCustomer(input: $input) { customer { id } userErrors { code message path } }
}"""
BOOK_COURSE = """mutation ($input: BookCourseInput!) {
  bookCourse(input: $input) {
    courseBooking { id payment { id } } userErrors { code message path }
  }
}"""
MARK_PAID = """mutation ($input: MarkPaidInput!) {
  markPaid(input: $input) { payment { paidAt } userErrors { code message path } }
}"""
ENABLE_BOLT_ON = """mutation ($input: EnableBoltOnInput!) {
  enableBoltOn(input: $input) { boltOn { enabled } userErrors { code message path } }
}"""
DAY = {"value": 24, "unit": "HOURS"}
WEEK = {"value": 7, "unit": "DAYS"}
FOUR_WEEKS = {"value": 4, "unit": "WEEKS"}
"""When the demo's drop-ins open: so early that a newcomer can swap a session at once."""


@dataclass(frozen=True, slots=True)
class CoursePlan:
    """A course of the studio: six weekly sessions.

    Attributes:
        day: Days after the first Monday.
        offer: What a drop-in costs and how it can be paid; None takes none.
        refunds_drop_ins: Whether the policy covers people who did not buy the course.
    """

    title: str
    tag: str
    price: int
    seats: int
    day: int
    at: time
    offer: tuple[int, list[str]] | None = None
    refunds_drop_ins: bool = True


PLANS = {
    "MON": CoursePlan(
        "Beginners, Mondays", "BEG", 6000, 10, 0, time(18, 30), refunds_drop_ins=False
    ),
    "THU": CoursePlan(
        "Beginners, Thursdays", "BEG", 6000, 10, 3, time(19), offer=(1200, ["credit"])
    ),
    "WED": CoursePlan(
        "Advanced, Wednesdays", "ADV", 7200, 8, 2, time(20), (1400, ["credit", "offline"])
    ),
    "SAT": CoursePlan(
        "Beginners, Saturdays", "BEG", 6000, 10, 5, time(10), (1200, ["credit", "offline"])
    ),
}
TAGS = {"BEG": "Beginners", "ADV": "Advanced"}
BUYERS = {"Ana": "MON", "Ben": "THU", "Hal": "SAT"}


@dataclass(slots=True)
class Studio:
    """The ids of what was set up, by the short names of the plans above."""

    tags: dict[str, str] = field(default_factory=dict)
    bundles: dict[str, str] = field(default_factory=dict)
    courses: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, list[str]] = field(default_factory=dict)
    customers: dict[str, str] = field(default_factory=dict)


async def set_up(
    call: Call,
    monday: date,
    installed: Collection[str],
    opens_before: Mapping[str, Any] = WEEK,
    *,
    cards: bool = False,
) -> Studio:
    """Set the studio up: bolt-ons on, tags, bundles, four courses and who bought them.

    Args:
        cards: Whether all that is sold for money can be paid for by card too.
    """
    studio = Studio()
    for code in installed:
        await call(ENABLE_BOLT_ON, {"boltOn": code})
    for short, name in TAGS.items():
        studio.tags[short] = (await call(CREATE_TAG, {"name": name}))["tag"]["id"]
    for short, wanted in _bundles(studio.tags).items():
        studio.bundles[short] = (await call(CREATE_BUNDLE, wanted))["bundle"]["id"]
    for short, plan in PLANS.items():
        course = _course(studio, plan, monday, installed, opens_before)
        made = await call(CREATE_COURSE, _with_cards(course) if cards else course)
        studio.courses[short] = made["course"]["id"]
        edges = made["course"]["sessions"]["edges"]
        studio.sessions[short] = [edge["node"]["id"] for edge in edges]
    for name, short in BUYERS.items():
        await add_buyer(call, studio, name, short)
    return studio


async def add_buyer(call: Call, studio: Studio, name: str, course: str) -> None:
    """Add a customer who has bought a course and paid for it."""
    studio.customers[name] = (await call(CREATE_CUSTOMER, {"name": name}))["customer"]["id"]
    wanted = {"course": studio.courses[course], "customer": studio.customers[name]}
    booked = await call(BOOK_COURSE, {**wanted, "payWith": {"offline": True}})
    await call(MARK_PAID, {"payment": booked["courseBooking"]["payment"]["id"]})


def _bundles(tags: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    one = {"credits": 1, "validity": {"value": 30, "unit": "DAYS"}}
    return {
        "RB-BEG": {"name": "Swap, beginners", **one, "tags": [tags["BEG"]]},
        "RB-ADV": {"name": "Swap, advanced", **one, "tags": [tags["ADV"]]},
        "TEN": {
            "name": "Ten classes",
            "credits": 10,
            "validity": {"value": 90, "unit": "DAYS"},
            "priceMinor": 9500,
            "onSale": True,
            "tags": [tags["BEG"], tags["ADV"]],
        },
    }


def _course(
    studio: Studio,
    plan: CoursePlan,
    monday: date,
    installed: Collection[str],
    opens_before: Mapping[str, Any],
) -> dict[str, Any]:
    new_bundle = {"method": "NEW_BUNDLE", "bundle": studio.bundles[f"RB-{plan.tag}"]}
    refunds: list[dict[str, Any]] = [{"option": "COURSE", **new_bundle}]
    if plan.refunds_drop_ins:
        refunds.append({"option": "DROP_IN_OFFLINE", **new_bundle})
        refunds.append({"option": "DROP_IN_CREDIT", "method": "ORIGINAL"})
    session: dict[str, Any] = {"capacity": plan.seats}
    if plan.offer and "drop_in" in installed:
        price, methods = plan.offer
        session["dropIn"] = {
            "priceMinor": price,
            "opensBefore": opens_before,
            "paymentMethods": methods,
        }
    course: dict[str, Any] = {
        "title": plan.title,
        "priceMinor": plan.price,
        "tag": studio.tags[plan.tag],
        "sessions": [
            {**session, "startsAt": _start(monday, plan, week).isoformat()} for week in range(6)
        ],
    }
    if "auto_refund" in installed:
        course["autoRefund"] = {"notice": DAY, "refunds": refunds}
    return course


def _with_cards(course: dict[str, Any]) -> dict[str, Any]:
    """Let a course, and the places in it that are sold for money, be paid for by card too."""
    for session in course["sessions"]:
        methods = session.get("dropIn", {}).get("paymentMethods", [])
        if "offline" in methods and "card" not in methods:
            methods.append("card")
    return {**course, "paymentMethods": ["card", "offline"]}


def _start(monday: date, plan: CoursePlan, week: int) -> datetime:
    day = monday + timedelta(days=plan.day, weeks=week)
    return datetime.combine(day, plan.at, ZONE).astimezone(UTC)


# The demo account of `classbolt serve --demo`


@dataclass(frozen=True, slots=True)
class Demo:
    """What a newcomer needs to look around: tokens of the owner and of a customer."""

    owner_token: str
    customer_token: str


async def open_demo(
    settings: Settings, database: Database, bolt_ons: BoltOns, *, now: datetime
) -> Demo:
    """Open the demo account unless it is there already, and give tokens for it."""
    try:
        await database.run(
            lambda connection: opening.create_account(
                connection, SLUG, NAME, time_zone=ZONE.key, currency="GBP", now=now
            )
        )
    except InvalidInput:
        pass  # it was opened before, and keeps what was done in it since
    else:
        await _furnish(settings, database, bolt_ons, now)
    if settings.stripe_api_key is not None:
        await database.write(Caller(SLUG), partial(_link_with_stripe, now=now))
    tokens = (
        issue_token(settings, SLUG, subject, now, DEMO_TOKEN_LIFETIME)
        for subject in ("demo-owner", "demo-ana")
    )
    return Demo(*tokens)


async def _link_with_stripe(tx: Tx, now: datetime) -> None:
    """Let cards pay into the installation's own account at Stripe, unless a link is there."""
    if await stripe_links.link_in_force(tx) is None:
        await stripe_links.link(tx, SYSTEM, NewLink(), now=now)


async def _furnish(
    settings: Settings, database: Database, bolt_ons: BoltOns, now: datetime
) -> None:
    async def add_owner(tx: Tx) -> None:
        owner = await customers.add_staff(tx, "The owner", Role.OWNER, now=now)
        await customers.admit(
            tx, DEVELOPMENT_ISSUER, "demo-owner", owner, is_staff=True, now=now
        )

    await database.write(Caller(SLUG), add_owner)
    seal = Seal.of(settings)
    app = Application(
        settings=settings,
        database=database,
        schema=build_schema(bolt_ons.installed.values()),
        verifier=TokenVerifier(*trusted_issuer(settings)),
        clock=lambda: now,
        bolt_ons=bolt_ons,
        seal=seal,
        gateway=StripeGateway.of(settings, seal),
    )
    studio = await set_up(
        _as_owner(app, now),
        _monday_after(now),
        bolt_ons.installed,
        FOUR_WEEKS,
        cards=settings.stripe_api_key is not None,
    )
    ana = CustomerId(decode("Customer", studio.customers["Ana"]))
    await database.write(
        Caller(SLUG),
        lambda tx: customers.admit(
            tx, DEVELOPMENT_ISSUER, "demo-ana", ana, is_staff=False, now=now
        ),
    )


def _monday_after(now: datetime) -> date:
    day = (now + AHEAD).astimezone(ZONE).date()
    return day + timedelta(days=-day.weekday() % 7)


def _as_owner(app: Application, now: datetime) -> Call:
    """Run mutations in this process as the demo's owner."""
    caller = Caller(SLUG, DEVELOPMENT_ISSUER, "demo-owner")

    async def call(document: str, wanted: Mapping[str, Any]) -> Any:
        context = Context(app, caller, request_id="demo", now=now)
        try:
            result = await app.schema.execute(
                document, variable_values={"input": wanted}, context_value=context
            )
        finally:
            await context.close()
        return payload_of(result.data, result.errors)

    return call


def payload_of(data: Mapping[str, Any] | None, errors: object) -> Any:
    """Give the payload of a document with one mutation.

    Raises:
        RuntimeError: It did not succeed.
    """
    if data is None or errors:
        raise RuntimeError(f"the demo account could not be set up: {errors}")
    (payload,) = data.values()
    if payload["userErrors"]:
        raise RuntimeError(f"the demo account could not be set up: {payload['userErrors']}")
    return payload


def greeting(demo: Demo, port: int, stripe_url: str | None) -> str:
    """Say how to ask the first question, and who charges cards.

    Args:
        stripe_url: Where the double of Stripe is, if it is one.
    """
    address = f"http://localhost:{port}/graphql/{SLUG}"
    return f"""
{NAME} is open. In a browser, {address} shows GraphiQL. Or ask right here:

  curl -s {address} -H 'Content-Type: application/json' \\
    -d '{{"query": "{{ courses(first: 3) {{ edges {{ node {{ id title }} }} }} }}"}}'

To act as somebody, send the header Authorization: Bearer TOKEN.

  Ana, who bought the Mondays:
  {demo.customer_token}

  The owner:
  {demo.owner_token}
{_about_cards(stripe_url)}"""


def _about_cards(stripe_url: str | None) -> str:
    if stripe_url is None:
        return ""
    return f"""
There is no STRIPE_API_KEY, so a double of Stripe charges cards, and nobody's money moves:

  {stripe_url}

How a card is played there by hand: docs/payments.md.
"""
