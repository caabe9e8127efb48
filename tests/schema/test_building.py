"""Core and bolt-ons become one schema, or the start is stopped and the culprit named."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, ClassVar

import pytest
import strawberry
from graphql import build_schema as parse_sdl

from classbolt.bolt_ons import BadBoltOn, BoltOn, BoltOnInfo
from classbolt.errors import Refusal
from classbolt_schema.api import (
    UNSET,
    Ask,
    Info,
    Payload,
    SchemaExtension,
    UserError,
    mutation,
)
from classbolt_schema.compose.schema import Core, build_schema, export_sdl

# A small core: nothing of it is ever run


@strawberry.type(description="A session.")
class Session:
    id: str = strawberry.field(description="Its id.")


@strawberry.type(description="A course.")
class Course:
    id: str = strawberry.field(description="Its id.")


async def all_courses() -> list[Course]:
    raise NotImplementedError


@strawberry.type(description="What can be asked.")
class Query:
    courses: list[Course] = strawberry.field(resolver=all_courses, description="Courses.")


@strawberry.input(one_of=True, description="How to pay.")
class PayWithInput:
    offline: bool | None = strawberry.field(default=UNSET, description="In person.")


@strawberry.input(description="A course to add.")
class CreateCourseInput:
    title: str = strawberry.field(description="Its title.")
    pay_with: PayWithInput | None = strawberry.field(default=None, description="How to pay.")


@strawberry.type(description="What became of it.")
class CreateCoursePayload(Payload):
    course: Course | None = strawberry.field(default=None, description="The course.")
    seen_at: datetime | None = strawberry.field(default=None, description="When.")


@mutation(description="Add a course.")
async def create_course(ask: Ask, asked: CreateCourseInput) -> CreateCoursePayload:
    raise NotImplementedError


@strawberry.type(description="What can be done.")
class Mutation:
    create_course = create_course


relations = SchemaExtension(None)


@relations.field(Course, description="Its sessions.")
async def sessions(courses: Sequence[Course], info: Info) -> Sequence[list[Session]]:
    raise NotImplementedError


CORE = Core(Query, Mutation, relations)


# A bolt-on


@strawberry.type(description="A credit.")
class Credit:
    left: int = strawberry.field(description="How many are left.")


@strawberry.type(description="A way to drop in.")
class DropInOffer:
    price: int = strawberry.field(description="What it costs.")
    credit: Credit | None = strawberry.field(default=None, description="What pays for it.")


@strawberry.enum(description="Who may drop in.")
class Who(Enum):
    ALL = "all"
    MEMBERS = "members"


@strawberry.input(description="Which offers.")
class OfferFilterInput:
    who: Who = strawberry.field(default=Who.ALL, description="For whom.")
    tags: list[str] = strawberry.field(default_factory=list, description="With which tags.")


@strawberry.input(description="A credit to pay with.")
class CreditInput:
    bundle: str | None = strawberry.field(default=UNSET, description="The bundle.")


@strawberry.type(description="There was no credit.")
class NoCredit(UserError):
    tag: str = strawberry.field(description="Its tag.")


class DropInNotOpen(Refusal):
    """It is too early to drop in."""

    code = "DROP_IN_NOT_OPEN"
    facts: ClassVar[Mapping[str, type]] = {"opens_at": datetime}

    def __init__(self, opens_at: datetime) -> None:
        super().__init__("It opens later.")
        self.opens_at = opens_at


@strawberry.input(description="What to forget.")
class ForgetOffersInput:
    session: str = strawberry.field(description="The session.")


@strawberry.type(description="What became of it.")
class ForgetOffersPayload(Payload):
    forgotten: int | None = strawberry.field(default=None, description="How many.")


drop_in = SchemaExtension("drop_in")
drop_in.refusal(DropInNotOpen)
drop_in.type(NoCredit)
drop_in.choice(PayWithInput, "credit", CreditInput, description="With a credit.")
drop_in.input_field(CreateCourseInput, "levels", list[str], description="Levels.")


@drop_in.field(Session, description="The offer to drop in.")
async def offer(
    sessions: Sequence[Session],
    info: Info,
    wanted: Annotated[
        OfferFilterInput | None, strawberry.argument(description="Only such.")
    ] = None,
) -> Sequence[DropInOffer | None]:
    raise NotImplementedError


@drop_in.query(description="What is open.")
async def open_drop_ins(info: Info) -> list[DropInOffer]:
    raise NotImplementedError


@drop_in.mutation
@mutation(description="Forget offers.")
async def forget_offers(ask: Ask, asked: ForgetOffersInput) -> ForgetOffersPayload:
    raise NotImplementedError


def bolt_on(code: str, extend: Callable[[SchemaExtension], None]) -> BoltOn:
    class AddsToTheSchema(BoltOn):
        info = BoltOnInfo(code=code, title=code, summary=code, version="1.0")

        def extend_schema(self, schema: SchemaExtension) -> None:
            extend(schema)

    return AddsToTheSchema()


DROP_IN = bolt_on("drop_in", lambda schema: schema.include(drop_in))
SDL = export_sdl(build_schema([DROP_IN], CORE))


def test_the_schema_can_be_built_twice_and_prints_the_same() -> None:
    sdl = export_sdl(build_schema([DROP_IN], CORE))

    assert sdl == export_sdl(build_schema([DROP_IN], CORE))
    assert "DropInOffer" in parse_sdl(sdl, assume_valid_sdl=True).type_map


def test_a_schema_without_the_bolt_on_knows_nothing_of_it() -> None:
    sdl = export_sdl(build_schema([], CORE))

    assert "rop" not in sdl.replace("drop_in", "")


def test_the_order_in_which_bolt_ons_are_found_does_not_matter() -> None:
    extension = SchemaExtension("autumn")
    extension.input_field(CreateCourseInput, "leaves", int, description="How many.")
    autumn = bolt_on("autumn", lambda schema: schema.include(extension))

    one = export_sdl(build_schema([DROP_IN, autumn], CORE))
    other = export_sdl(build_schema([autumn, DROP_IN], CORE))

    assert one == other


MARKED = '@boltOn(name: "drop_in")'


@pytest.mark.parametrize(
    "element",
    [
        f"): DropInOffer {MARKED}",
        f"  openDropIns: [DropInOffer!]! {MARKED}",
        f"): ForgetOffersPayload! {MARKED}",
        f"  levels: [String!] {MARKED}",
        f"  credit: CreditInput {MARKED}",
        f"type DropInOffer {MARKED} {{",
        f"type Credit {MARKED} {{",
        f"type DropInNotOpenError implements UserError {MARKED} {{",
        f"type NoCredit implements UserError {MARKED} {{",
        f"input CreditInput {MARKED} {{",
        f"input OfferFilterInput {MARKED} {{",
        f"enum Who {MARKED} {{",
    ],
)
def test_the_printed_schema_marks_what_belongs_to_a_bolt_on(element: str) -> None:
    assert element in SDL


@pytest.mark.parametrize(
    "element",
    ["type Session {", "type SessionFullError implements UserError {", "input PayWithInput {"],
)
def test_the_printed_schema_does_not_mark_what_is_cores(element: str) -> None:
    assert element in SDL.replace(" @oneOf", "")


def test_user_errors_come_last_in_every_payload() -> None:
    payload = SDL.split("type CreateCoursePayload {")[1].split("}")[0]

    names = [line.split(":")[0] for line in payload.splitlines() if line.startswith("  ")]
    assert [name.strip() for name in names if '"""' not in name] == [
        "course",
        "seenAt",
        "userErrors",
    ]


async def _text(parents: Sequence[Any], info: Info) -> Sequence[str | None]:
    raise NotImplementedError


async def _sure(parents: Sequence[Any], info: Info) -> Sequence[str]:
    raise NotImplementedError


async def _list(parents: Sequence[Any], info: Info) -> list[str]:
    raise NotImplementedError


def _clash_in_an_input(schema: SchemaExtension) -> None:
    schema.input_field(CreateCourseInput, "levels", int, description="Another.")


def _clash_in_the_query(schema: SchemaExtension) -> None:
    @schema.query(description="Another.")
    async def courses(info: Info) -> list[str]:
        raise NotImplementedError


def _clash_of_types(schema: SchemaExtension) -> None:
    schema.type(OtherCredit)


@strawberry.type(name="Credit", description="Another.")
class OtherCredit:
    id: str = strawberry.field(description="Its id.")


@pytest.mark.parametrize(
    ("extend", "message"),
    [
        (
            lambda schema: schema.field(Session, description="Other.", name="offer")(_text),
            r"waitlist adds Session\.offer, which drop_in adds already",
        ),
        (
            lambda schema: schema.field(Session, description="Other.", name="id")(_text),
            r"waitlist adds Session\.id, which .*test_building\.Session has already",
        ),
        (
            lambda schema: schema.field(Course, description="Other.", name="sessions")(_text),
            r"waitlist adds Course\.sessions, which core adds already",
        ),
        (_clash_in_an_input, r"waitlist adds CreateCourseInput\.levels, which drop_in adds"),
        (_clash_in_the_query, r"waitlist adds Query\.courses, which .*\.Query has already"),
        (
            lambda schema: schema.mutation(create_course),
            r"waitlist adds Mutation\.createCourse",
        ),
        (_clash_of_types, r"test_building\.Credit and .*OtherCredit have the same name"),
        (
            lambda schema: schema.field(Session, description="Sure.", name="sure")(_sure),
            r"waitlist adds Session\.sure as .*str.*: it must be nullable or a list",
        ),
        (
            lambda schema: schema.field(CreditInput, description="X.", name="x")(_text),
            r"waitlist adds a field to .*\.CreditInput.*, which is no GraphQL object type",
        ),
        (
            lambda schema: schema.field(Person, description="X.", name="x")(_text),
            r"waitlist adds a field to .*\.Person.*, which is no GraphQL object type",
        ),
        (
            lambda schema: schema.field(Lonely, description="X.", name="x")(_text),
            r"something is added to .*\.Lonely, which no field leads to",
        ),
        (
            lambda schema: schema.choice(CreateCourseInput, "x", int, description="X."),
            r"waitlist adds CreateCourseInput\.x: CreateCourseInput is not a @oneOf input",
        ),
        (
            lambda schema: schema.input_field(PayWithInput, "x", int, description="X."),
            r"PayWithInput is not an input that is not @oneOf",
        ),
        (lambda schema: schema.include(drop_in), "waitlist cannot add .* drop_in"),
    ],
)
def test_a_bolt_on_that_does_not_fit_stops_the_start_and_is_named(
    extend: Callable[[SchemaExtension], None], message: str
) -> None:
    with pytest.raises(BadBoltOn, match=message):
        build_schema([DROP_IN, bolt_on("waitlist", extend)], CORE)


class Person:
    """No GraphQL type."""


@strawberry.type(description="Nobody leads here.")
class Lonely:
    id: str = strawberry.field(description="Its id.")


def test_a_batch_resolver_says_that_it_gives_one_value_per_parent() -> None:
    extension = SchemaExtension(None)
    extension.field(Session, description="X.", name="x")(_list)

    with pytest.raises(TypeError, match=r"Session\.x: a batch resolver returns Sequence"):
        build_schema([], Core(Query, Mutation, extension))


def test_a_payload_must_be_able_to_hold_user_errors_alone() -> None:
    @strawberry.type(description="Too sure of itself.")
    class SurePayload(Payload):
        session: Session = strawberry.field(description="The session.")

    async def be_sure(ask: Ask, asked: CreateCourseInput) -> SurePayload:
        raise NotImplementedError

    with pytest.raises(TypeError, match=r"SurePayload\.session must have the default None"):
        mutation(description="Be sure.")(be_sure)
