"""What the tests of the API share: studios to ask, and all rows of the database."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias, cast

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
from examples import Examples, ExampleStudio, Input
from fixture_f import FixtureF
from furnished import TwoStudios
from invariants import broken
from neighbours import Neighbours
from played import CardReader, double, stripe_link
from played import gateway as gateway_to
from studio import Answer, Studio

Rows: TypeAlias = Mapping[str, list[str]]
Dump: TypeAlias = Callable[[], Awaitable[Rows]]
Ask: TypeAlias = Callable[..., Awaitable[Answer]]

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


@pytest.fixture(scope="session")
def example_studio(
    tmp_path_factory: pytest.TempPathFactory, bolt_ons: BoltOns
) -> ExampleStudio:
    """Fixture F with examples: the studio of whoever asks for them has them in it."""
    return ExampleStudio(bolt_ons, tmp_path_factory.mktemp("examples"))


@pytest.fixture
def furnished(request: pytest.FixtureRequest, furnished: FixtureF | None) -> FixtureF | None:
    """The examples, if the test, or any fixture of it, asks for them."""
    if "examples" in request.fixturenames:
        return cast("ExampleStudio", request.getfixturevalue("example_studio"))
    return furnished


@pytest.fixture
def examples(kind: Kind, northside: Studio, example_studio: ExampleStudio) -> Examples:
    """A valid input or two for each mutation."""
    del northside  # which has been filled with them
    return example_studio.examples(kind)


@pytest.fixture
def stripe(
    kind: Kind, database_url: str, furnished: FixtureF | None, tmp_path: Path
) -> Iterator[Double]:
    """A double of Stripe, with which owners can link their account."""
    del database_url  # which may have to be filled first
    opened = (
        furnished.stripe(kind, tmp_path) if isinstance(furnished, ExampleStudio) else double()
    )
    yield opened
    opened.close()


@pytest.fixture
def gateway(stripe: Double) -> StripeGateway:
    """The way to it, for the server."""
    return gateway_to(stripe)


@pytest.fixture
async def foreign(southside: Studio, stripe: Double, bolt_ons: BoltOns) -> Mapping[str, str]:
    """An id of each type, all of them of another account."""
    reader = CardReader(southside, stripe, bolt_ons)

    async def made(mutation: str, asked: Input, *steps: str) -> str:
        fields = " { ".join((*steps, "id")) + " }" * len(steps)
        found: Any = await southside.do(mutation, asked, fields, as_="owner")
        for step in (*steps, "id"):
            found = found[step]
        return str(found)

    tag = await made("createTag", {"name": "Beginners"}, "tag")
    validity = {"value": 30, "unit": "DAYS"}
    template = {"name": "One class", "credits": 1, "validity": validity, "tags": [tag]}
    sold = {"onSale": True, "priceMinor": 1200, "paymentMethods": ["card"]}
    bundle = await made("createBundle", {**template, **sold}, "bundle")
    customer = await southside.add_customer("Zoe")
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
    link = await stripe_link(southside)
    bought = await reader.hold("buyBundle", {"bundle": bundle}, "Zoe")
    await reader.pay(bought)
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
        "StripeLink": link,
        "CardRefund": await reader.refund(bought, 100, fails=True),
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
