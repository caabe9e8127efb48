"""How batch resolvers and mutations run, core's and those of bolt-ons."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Any, ClassVar, Self, cast

import pytest
import strawberry
from strawberry.types import ExecutionResult

from classbolt.bolt_ons import BoltOn, BoltOnInfo
from classbolt.errors import InvalidInput, Refusal, Refusals, SessionFull
from classbolt.pages import PageOf
from classbolt_schema.api import (
    After,
    Ask,
    Connection,
    First,
    Info,
    Payload,
    SchemaExtension,
    mutation,
    page,
)
from classbolt_schema.compose.schema import ComposedSchema, Core, build_schema

NOON = datetime(2027, 1, 25, 12, tzinfo=UTC)


# What stands in for the server


@dataclass
class Request:
    """A context that is also its own application, database, transaction and account."""

    enabled: frozenset[str]
    ran: list[Any] = field(default_factory=list)
    loaders: dict[Any, Any] = field(default_factory=dict)
    renewals: int = 0
    caller: None = None
    actor: None = None

    def __getattr__(self, name: str) -> Self:
        if name not in {"app", "database", "account"}:
            raise AttributeError(name)
        return self

    def clock(self) -> datetime:
        return NOON

    async def reading(self) -> Self:
        return self

    async def write(self, _caller: None, work: Callable[[Self], Awaitable[Any]]) -> Any:
        return await work(self)

    async def renew(self) -> None:
        self.renewals += 1
        self.loaders.clear()


def request_of(info: Info) -> Request:
    return cast("Request", info.context)


# A small core: courses and their sessions


@strawberry.type(description="A session.")
class Session:
    id: str = strawberry.field(description="Its id.")


@strawberry.type(description="A course.")
class Course:
    id: str = strawberry.field(description="Its id.")


async def all_courses() -> list[Course]:
    return [Course(id=f"c{n}") for n in range(20)]


@strawberry.type(description="What can be asked.")
class Query:
    courses: list[Course] = strawberry.field(resolver=all_courses, description="Courses.")


@strawberry.input(description="A place to book.")
class BookInput:
    session: str = strawberry.field(description="The session.")


@strawberry.type(description="What became of it.")
class BookPayload(Payload):
    course: Course | None = strawberry.field(default=None, description="The course.")
    seen_at: datetime | None = strawberry.field(default=None, description="When.")


@mutation(description="Book a place.")
async def book(ask: Ask, asked: BookInput) -> BookPayload:
    request_of(ask.info).ran.append(asked.session)
    match asked.session:
        case "full":
            raise SessionFull
        case "closed":
            raise Refusals([InvalidInput("No.", "input", "session"), DropInNotOpen(NOON)])
        case "secret":
            raise Secret
        case "broken":
            raise ZeroDivisionError
    return BookPayload(course=Course(id=asked.session), seen_at=ask.now)


@strawberry.type(description="What can be done.")
class Mutation:
    book = book


relations = SchemaExtension(None)


@relations.field(Course, description="Its sessions.")
async def sessions(
    courses: Sequence[Course], info: Info, first: First = 10, after: After = None
) -> Sequence[Connection[Session]]:
    request_of(info).ran.append(("sessions", len(courses)))
    numbers = range(page(first, after).first)
    part = PageOf[int](numbers, keys=[(n,) for n in numbers], has_next=False, end=None)
    return [Connection[Session].of(part, _maker(course)) for course in courses]


def _maker(course: Course) -> Callable[[int], Session]:
    return lambda n: Session(id=f"{course.id}s{n}")


CORE = Core(Query, Mutation, relations)


# A bolt-on


@strawberry.type(description="A way to drop in.")
class DropInOffer:
    price: int = strawberry.field(description="What it costs.")


@strawberry.enum(description="Who may drop in.")
class Who(Enum):
    ALL = "all"
    MEMBERS = "members"


@strawberry.input(description="Which offers.")
class OfferFilterInput:
    who: Who = strawberry.field(default=Who.ALL, description="For whom.")
    tags: list[str] = strawberry.field(default_factory=list, description="With which tags.")


class DropInNotOpen(Refusal):
    """It is too early to drop in."""

    code = "DROP_IN_NOT_OPEN"
    facts: ClassVar[Mapping[str, type]] = {"opens_at": datetime}

    def __init__(self, opens_at: datetime) -> None:
        super().__init__("It opens later.")
        self.opens_at = opens_at


class Secret(Refusal):
    """Nobody registered this one."""

    code = "SECRET"

    def __init__(self) -> None:
        super().__init__("Not that way.")


drop_in = SchemaExtension("drop_in")
drop_in.refusal(DropInNotOpen)


@drop_in.field(Session, description="The offer to drop in.", name="drop_in")
async def drop_in_offers(
    sessions: Sequence[Session],
    info: Info,
    wanted: Annotated[
        OfferFilterInput | None, strawberry.argument(description="Only such.")
    ] = None,
) -> Sequence[DropInOffer | None]:
    request_of(info).ran.append(("drop_in", len(sessions)))
    price = len(wanted.tags) if wanted else 0
    return [DropInOffer(price=price) if each.id.endswith("0") else None for each in sessions]


def bolt_on(code: str, extension: SchemaExtension) -> BoltOn:
    class Adds(BoltOn):
        info = BoltOnInfo(code=code, title=code, summary=code, version="1.0")

        def extend_schema(self, schema: SchemaExtension) -> None:
            schema.include(extension)

    return Adds()


SCHEMA = build_schema([bolt_on("drop_in", drop_in)], CORE)


async def run(
    document: str,
    *,
    schema: ComposedSchema = SCHEMA,
    enabled: Sequence[str] = ("drop_in",),
    **variables: object,
) -> tuple[ExecutionResult, Request]:
    request = Request(frozenset(enabled))
    return await schema.execute(document, variables, context_value=request), request


def data(answer: ExecutionResult) -> dict[str, Any]:
    assert answer.errors is None
    assert answer.data is not None
    return answer.data


# Batch resolvers


async def test_the_two_hundred_sessions_of_a_response_are_one_call() -> None:
    answer, request = await run(
        "{ courses { id sessions { edges { node { id dropIn { price } } } } } }"
    )

    assert request.ran == [("sessions", 20), ("drop_in", 200)]
    offers = [
        edge["node"]["dropIn"]
        for course in data(answer)["courses"]
        for edge in course["sessions"]["edges"]
    ]
    assert offers == ([{"price": 0}] + [None] * 9) * 20


async def test_other_arguments_are_another_call_and_equal_ones_are_not() -> None:
    document = """
        query ($x: OfferFilterInput) {
          courses { sessions(first: 1) { edges { node {
            one: dropIn(wanted: {tags: ["A", "B"]}) { price }
            two: dropIn(wanted: {tags: ["A"], who: MEMBERS}) { price }
            three: dropIn(wanted: {who: ALL, tags: ["A", "B"]}) { price }
            four: dropIn(wanted: $x) { price }
            five: dropIn { price }
          } } } } }
    """
    answer, request = await run(document, x={"tags": ["A", "B"]})

    assert sorted(request.ran) == [
        *[("drop_in", 20)] * 2,
        ("drop_in", 60),
        ("sessions", 20),
    ]
    node = data(answer)["courses"][0]["sessions"]["edges"][0]["node"]
    assert [node[name]["price"] for name in ("one", "two", "three", "four")] == [2, 1, 2, 2]


async def test_a_batch_resolver_that_gives_too_few_values_is_named() -> None:
    extension = SchemaExtension("hasty")

    @extension.field(Course, description="Notes.")
    async def notes(courses: Sequence[Course], info: Info) -> Sequence[str | None]:
        del info
        return [None for _ in courses[1:]]

    hasty = bolt_on("hasty", extension)
    answer, _ = await run(
        "{ courses { notes } }", schema=build_schema([hasty], CORE), enabled=["hasty"]
    )

    assert answer.errors is not None
    assert answer.errors[0].message == "Course.notes: 19 values for 20 parents"


# Mutations


async def test_a_mutation_is_one_transaction_and_what_was_read_before_it_is_forgotten() -> None:
    answer, request = await run("""
        mutation {
          one: book(input: {session: "A"}) { course { sessions(first: 1) { edges {
            node { id } } } } userErrors { code } }
          two: book(input: {session: "B"}) { course { sessions(first: 1) { edges {
            node { id } } } } }
        }
    """)

    assert data(answer)["one"] == {
        "course": {"sessions": {"edges": [{"node": {"id": "As0"}}]}},
        "userErrors": [],
    }
    assert request.ran == ["A", ("sessions", 1), "B", ("sessions", 1)]
    assert request.renewals >= 2


BOOK = """
    mutation ($input: BookInput!) { book(input: $input) {
      course { id }
      seenAt
      userErrors {
        __typename code message path
        ... on DropInNotOpenError { opensAt }
      }
    } }
"""


async def test_a_refusal_is_a_user_error_and_all_other_fields_are_null() -> None:
    answer, request = await run(BOOK, input={"session": "full"})

    assert data(answer)["book"] == {
        "course": None,
        "seenAt": None,
        "userErrors": [
            {
                "__typename": "SessionFullError",
                "code": "SESSION_FULL",
                "message": "Every seat of this session is taken.",
                "path": None,
            }
        ],
    }
    assert request.renewals >= 1


async def test_several_reasons_are_shown_together_with_their_facts() -> None:
    answer, _ = await run(BOOK, input={"session": "closed"})

    invalid, closed = data(answer)["book"]["userErrors"]
    assert (invalid["code"], invalid["path"]) == ("INVALID_INPUT", ["input", "session"])
    assert closed == {
        "__typename": "DropInNotOpenError",
        "code": "DROP_IN_NOT_OPEN",
        "message": "It opens later.",
        "path": None,
        "opensAt": "2027-01-25T12:00:00Z",
    }


async def test_a_refusal_that_nobody_registered_still_has_its_code() -> None:
    answer, _ = await run(BOOK, input={"session": "secret"})

    (error,) = data(answer)["book"]["userErrors"]
    assert (error["__typename"], error["code"]) == ("OtherError", "SECRET")


async def test_bugs_are_logged_and_mistakes_of_clients_are_not(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The server silences this logger for its whole process, and reports bugs itself.
    monkeypatch.setattr(logging.getLogger("strawberry.execution"), "disabled", False)
    mistakes = [
        "{",
        "{ nope }",
        "query ($x: Int!) { courses { sessions(first: $x) { edges { cursor } } } }",
    ]
    with caplog.at_level(logging.DEBUG, logger="strawberry.execution"):
        for mistake in mistakes:
            answer, _ = await run(mistake)
            assert answer.errors
        assert caplog.messages == []

        answer, request = await run(BOOK, input={"session": "broken"})

    assert answer.errors
    assert len(caplog.messages) == 1
    assert request.renewals >= 1
