"""What bolt-ons add to inputs arrives where it belongs, and nowhere else."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self, cast

import pytest
import strawberry
from strawberry.types import ExecutionResult

from classbolt.bolt_ons import BoltOn, BoltOnInfo
from classbolt_schema.api import (
    UNSET,
    Ask,
    Info,
    Payload,
    SchemaExtension,
    chosen,
    given_of,
    mutation,
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


# A small core


async def zero() -> int:
    return 0


@strawberry.type(description="What can be asked.")
class Query:
    zero: int = strawberry.field(resolver=zero, description="Nothing.")


@strawberry.input(description="A session to add.")
class NewSessionInput:
    title: str = strawberry.field(description="Its title.")


@strawberry.input(one_of=True, description="How to pay.")
class PayWithInput:
    offline: bool | None = strawberry.field(default=UNSET, description="In person.")


@strawberry.input(description="A course to add.")
class CreateCourseInput:
    title: str = strawberry.field(description="Its title.")
    tag: str | None = strawberry.field(default=UNSET, description="Its tag.")
    price: int | None = strawberry.field(description="Its price.")
    pay_with: PayWithInput | None = strawberry.field(default=None, description="How to pay.")
    sessions: list[NewSessionInput] = strawberry.field(
        default_factory=list, description="Its sessions."
    )


@strawberry.type(description="What became of it.")
class CreateCoursePayload(Payload):
    title: str | None = strawberry.field(default=None, description="Its title.")


@mutation(description="Add a course.")
async def create_course(ask: Ask, asked: CreateCourseInput) -> CreateCoursePayload:
    request_of(ask.info).ran.append(asked)
    return CreateCoursePayload(title=asked.title)


@strawberry.type(description="What can be done.")
class Mutation:
    create_course = create_course


CORE = Core(Query, Mutation, SchemaExtension(None))


# A bolt-on


@strawberry.input(description="A credit to pay with.")
class CreditInput:
    bundle: str | None = strawberry.field(default=UNSET, description="The bundle.")


@strawberry.input(description="Whether people may drop in.")
class DropInInput:
    price: int = strawberry.field(description="What it costs.")


drop_in = SchemaExtension("drop_in")
CREDIT = drop_in.choice(PayWithInput, "credit", CreditInput, description="With a credit.")
OPEN_TO = drop_in.input_field(NewSessionInput, "drop_in", DropInInput, description="Who may.")
GIVE = drop_in.input_field(CreditInput, "give", int, description="How many.")
LEVELS = drop_in.input_field(CreateCourseInput, "levels", list[str], description="Levels.")


def bolt_on(code: str, extension: SchemaExtension) -> BoltOn:
    class Adds(BoltOn):
        info = BoltOnInfo(code=code, title=code, summary=code, version="1.0")

        def extend_schema(self, schema: SchemaExtension) -> None:
            schema.include(extension)

    return Adds()


DROP_IN = bolt_on("drop_in", drop_in)
SCHEMA = build_schema([DROP_IN], CORE)


async def run(
    document: str,
    *,
    schema: ComposedSchema = SCHEMA,
    **variables: object,
) -> tuple[ExecutionResult, Request]:
    request = Request(frozenset({"drop_in", "calendar"}))
    return await schema.execute(document, variables, context_value=request), request


def data(answer: ExecutionResult) -> dict[str, Any]:
    assert answer.errors is None
    assert answer.data is not None
    return answer.data


CREATE = """
    mutation ($input: CreateCourseInput!) {
      createCourse(input: $input) { title userErrors { code path } } }
"""


async def test_what_is_given_for_an_added_member_arrives_wherever_the_input_is_nested() -> None:
    answer, request = await run(
        CREATE,
        input={
            "title": "A",
            "levels": ["beginners"],
            "sessions": [{"title": "1", "dropIn": {"price": 5}}, {"title": "2"}],
        },
    )

    assert data(answer)["createCourse"]["userErrors"] == []
    (course,) = request.ran
    assert LEVELS.of(given_of(course)) == ["beginners"]
    one, two = course.sessions
    assert OPEN_TO.of(given_of(one)) == DropInInput(price=5)
    assert OPEN_TO.of(given_of(two)) is UNSET
    assert (course.title, course.tag, course.price) == ("A", UNSET, None)


async def test_absent_is_not_null() -> None:
    _, request = await run("""
        mutation {
          a: createCourse(input: {title: "A"}) { title }
          b: createCourse(input: {title: "B", levels: null}) { title }
          c: createCourse(input: {title: "C", levels: []}) { title }
        }
    """)

    absent, null, empty = (LEVELS.of(given_of(each)) for each in request.ran)
    assert absent is UNSET
    assert null is None
    assert empty == []


@pytest.mark.parametrize(
    ("pay_with", "choice"),
    [
        ({"offline": True}, ("offline", True)),
        ({"credit": {"bundle": "b1"}}, ("credit", CreditInput(bundle="b1"))),
        ({"credit": {"give": 2}}, ("credit", CreditInput())),
    ],
)
async def test_core_sees_which_choice_was_made_also_if_it_was_added(
    pay_with: object, choice: object
) -> None:
    answer, request = await run(CREATE, input={"title": "A", "payWith": pay_with})

    assert data(answer)["createCourse"]["userErrors"] == []
    assert chosen(request.ran[0].pay_with) == choice


async def test_an_added_input_can_have_added_members_itself() -> None:
    _, request = await run(CREATE, input={"title": "A", "payWith": {"credit": {"give": 2}}})

    credit = CREDIT.of(given_of(request.ran[0].pay_with))
    assert credit == CreditInput(bundle=UNSET)
    assert GIVE.of(given_of(credit)) == 2


@pytest.mark.parametrize("pay_with", [{}, {"offline": True, "credit": {}}, {"credit": None}])
async def test_exactly_one_choice_must_be_made(pay_with: object) -> None:
    answer, request = await run(CREATE, input={"title": "A", "payWith": pay_with})

    assert answer.errors
    assert request.ran == []


LITERAL = 'mutation { createCourse(input: {title: "x", payWith: {credit: {}}}) { %s } }'
CHOICE = 'mutation ($v: PayWithInput) { createCourse(input: {title: "x", payWith: $v}) { %s } }'
MEMBER = """
    mutation ($v: CreditInput!) {
      createCourse(input: {title: "x", payWith: {credit: $v}}) { %s } }
"""
DEFAULT = """
    mutation ($v: PayWithInput = {credit: {}}) {
      createCourse(input: {title: "x", payWith: $v}) { %s } }
"""


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        (LITERAL, {}),
        (CHOICE, {"v": {"credit": {}}}),
        (MEMBER, {"v": {}}),
        (DEFAULT, {}),
    ],
)
async def test_no_way_of_writing_a_document_goes_around_the_gate(
    document: str, variables: dict[str, object]
) -> None:
    request = Request(frozenset())

    answer = await SCHEMA.execute(
        document % "userErrors { code path }", variables, context_value=request
    )

    assert answer.errors is None
    assert answer.data == {
        "createCourse": {
            "userErrors": [{"code": "BOLT_ON_DISABLED", "path": ["input", "payWith", "credit"]}]
        }
    }
    assert request.ran == []


async def test_an_input_with_added_members_is_for_fields_that_pass_the_gate() -> None:
    async def leak(pay_with: PayWithInput) -> int:
        raise NotImplementedError

    @strawberry.type(name="Query", description="Has a way around the gate.")
    class Leaky(Query):
        price: int = strawberry.field(resolver=leak, description="A price.")

    schema = build_schema([DROP_IN], Core(Leaky, Mutation, SchemaExtension(None)))

    answer, _ = await run("{ price(payWith: {credit: {}}) }", schema=schema)

    assert answer.errors
    assert "pass the gate" in answer.errors[0].message


async def test_a_datetime_without_an_offset_is_refused_before_anything_runs() -> None:
    extension = SchemaExtension("calendar")

    @extension.query(description="The day.")
    async def day(info: Info, at: datetime) -> str | None:
        del info
        return at.isoformat()

    calendar = bolt_on("calendar", extension)
    schema = build_schema([calendar], CORE)

    for at in ('"2027-01-25T18:30:00"', '"2027-01-25"', "1800000000"):
        answer, _ = await run(f"{{ day(at: {at}) }}", schema=schema)
        assert answer.errors
        assert "offset from UTC" in answer.errors[0].message
    answer, _ = await run('{ day(at: "2027-01-25T19:30:00+01:00") }', schema=schema)
    assert data(answer) == {"day": "2027-01-25T18:30:00+00:00"}
