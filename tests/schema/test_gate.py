"""What belongs to a bolt-on answers accounts that have it on, and nobody else."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Self, cast

import pytest
import strawberry
from strawberry.types import ExecutionResult

from classbolt.bolt_ons import BoltOn, BoltOnInfo
from classbolt.errors import Refusals
from classbolt_schema.api import (
    UNSET,
    Ask,
    Info,
    Payload,
    SchemaExtension,
    mutation,
)
from classbolt_schema.compose.schema import Core, build_schema

# A small core


@strawberry.type(description="A session.")
class Session:
    id: str = strawberry.field(description="Its id.")


async def all_sessions() -> list[Session]:
    return [Session(id="a")]


@strawberry.type(description="What can be asked.")
class Query:
    sessions: list[Session] = strawberry.field(resolver=all_sessions, description="Sessions.")


@strawberry.input(description="A session to add.")
class NewSessionInput:
    title: str = strawberry.field(description="Its title.")


@strawberry.input(one_of=True, description="How to pay.")
class PayWithInput:
    offline: bool | None = strawberry.field(default=UNSET, description="In person.")


@strawberry.input(description="What to do.")
class SetUpInput:
    title: str = strawberry.field(description="Its title.")
    pay_with: PayWithInput | None = strawberry.field(default=None, description="How to pay.")
    sessions: list[NewSessionInput] = strawberry.field(
        default_factory=list, description="Its sessions."
    )


@strawberry.type(description="What became of it.")
class SetUpPayload(Payload):
    session: Session | None = strawberry.field(default=None, description="The session.")


@mutation(description="Set something up.")
async def set_up(ask: Ask, asked: SetUpInput) -> SetUpPayload:
    request_of(ask.info).ran.append(asked)
    return SetUpPayload(session=Session(id=asked.title))


@strawberry.type(description="What can be done.")
class Mutation:
    set_up = set_up


relations = SchemaExtension(None)


@relations.query(description="What it costs.")
async def price(info: Info, pay_with: PayWithInput) -> int:
    request_of(info).ran.append(pay_with)
    return 5


@relations.field(Session, description="How many to take along.")
async def seats(
    sessions: Sequence[Session], info: Info, pay_with: PayWithInput | None = None
) -> Sequence[int]:
    request_of(info).ran.append(pay_with)
    return [7 for _ in sessions]


CORE = Core(Query, Mutation, relations)


# Two bolt-ons


@strawberry.input(description="A credit.")
class CreditInput:
    bundle: str | None = strawberry.field(default=UNSET, description="The bundle.")


drop_in = SchemaExtension("drop_in")
drop_in.choice(PayWithInput, "credit", CreditInput, description="With a credit.")
drop_in.input_field(NewSessionInput, "open_to", list[str], description="Whom.")
refunds = SchemaExtension("auto_refund")
refunds.input_field(SetUpInput, "auto_refund", CreditInput, description="Refunds.")
refunds.input_field(CreditInput, "give", int, description="How many.")


@drop_in.field(Session, description="An offer.")
async def offer(sessions: Sequence[Session], info: Info) -> Sequence[str | None]:
    request_of(info).ran.append("offer")
    return ["yes" for _ in sessions]


@drop_in.field(Session, description="Tags.")
async def tags(sessions: Sequence[Session], info: Info) -> Sequence[list[str]]:
    request_of(info).ran.append("tags")
    return [["beginners"] for _ in sessions]


@drop_in.query(description="The next one.")
async def next_drop_in(info: Info) -> Session | None:
    request_of(info).ran.append("next_drop_in")
    return Session(id="next")


@drop_in.query(description="All of them.")
async def open_drop_ins(info: Info) -> list[Session]:
    request_of(info).ran.append("open_drop_ins")
    return [Session(id="open")]


@drop_in.mutation
@mutation(description="Forget.")
async def forget(ask: Ask, asked: SetUpInput) -> SetUpPayload:
    request_of(ask.info).ran.append(asked)
    return SetUpPayload(session=Session(id=asked.title))


def bolt_on(extension: SchemaExtension) -> BoltOn:
    code = extension.owner or ""

    class Adds(BoltOn):
        info = BoltOnInfo(code=code, title=code, summary=code, version="1.0")

        def extend_schema(self, schema: SchemaExtension) -> None:
            schema.include(extension)

    return Adds()


SCHEMA = build_schema([bolt_on(drop_in), bolt_on(refunds)], CORE)
BARE = build_schema([], CORE)


# What stands in for the server


@dataclass
class Request:
    """A context that is also its own application and database: `on_later` is for writing."""

    on: frozenset[str]
    on_later: frozenset[str]
    ran: list[Any] = field(default_factory=list)
    loaders: dict[Any, Any] = field(default_factory=dict)
    caller: None = None

    def __getattr__(self, name: str) -> Self:
        if name not in {"app", "database"}:
            raise AttributeError(name)
        return self

    def clock(self) -> datetime:
        return datetime(2027, 1, 25, tzinfo=UTC)

    async def reading(self) -> Any:
        return transaction(self.on)

    async def write(self, _caller: None, work: Callable[[Any], Awaitable[Any]]) -> Any:
        return await work(transaction(self.on_later))

    async def renew(self) -> None:
        self.loaders.clear()


def transaction(on: frozenset[str]) -> Any:
    return SimpleNamespace(account=SimpleNamespace(enabled=on), actor=None)


def request_of(info: Info) -> Request:
    return cast("Request", info.context)


async def run(
    document: str,
    on: Sequence[str] = (),
    *,
    on_later: Sequence[str] | None = None,
    **variables: object,
) -> tuple[ExecutionResult, Request]:
    request = Request(frozenset(on), frozenset(on if on_later is None else on_later))
    return await SCHEMA.execute(document, variables, context_value=request), request


# Fields


QUERY = "{ sessions { id offer tags } nextDropIn { id } openDropIns { id } }"


async def test_fields_of_a_bolt_on_that_is_off_are_null_or_empty_and_nothing_runs() -> None:
    answer, request = await run(QUERY)

    assert answer.errors is None
    assert answer.data == {
        "sessions": [{"id": "a", "offer": None, "tags": []}],
        "nextDropIn": None,
        "openDropIns": [],
    }
    assert request.ran == []


async def test_the_same_schema_answers_an_account_that_has_it_on() -> None:
    """I7."""
    answer, request = await run(QUERY, ["drop_in"])

    assert answer.data == {
        "sessions": [{"id": "a", "offer": "yes", "tags": ["beginners"]}],
        "nextDropIn": {"id": "next"},
        "openDropIns": [{"id": "open"}],
    }
    assert sorted(request.ran) == ["next_drop_in", "offer", "open_drop_ins", "tags"]


async def test_a_mutation_of_a_bolt_on_that_is_off_says_so_and_does_nothing() -> None:
    document = """
        mutation { forget(input: {title: "x"}) {
          session { id } userErrors { code path ... on BoltOnDisabledError { boltOn } } } }
    """
    answer, request = await run(document)

    assert answer.errors is None
    assert answer.data == {
        "forget": {
            "session": None,
            "userErrors": [{"code": "BOLT_ON_DISABLED", "path": None, "boltOn": "drop_in"}],
        }
    }
    assert request.ran == []


@pytest.mark.parametrize(("on", "later", "runs"), [("", "drop_in", 1), ("drop_in", "", 0)])
async def test_a_mutation_goes_by_what_is_on_in_its_own_transaction(
    on: str, later: str, runs: int
) -> None:
    """I6."""
    document = 'mutation { forget(input: {title: "x"}) { session { id } } }'

    _, request = await run(document, [on], on_later=[later])

    assert len(request.ran) == runs


# Members of inputs


SET_UP = """
    mutation ($input: SetUpInput!) { setUp(input: $input) {
      session { id } userErrors { code path ... on BoltOnDisabledError { boltOn } } } }
"""


@pytest.mark.parametrize(
    ("given", "bolt_on", "path"),
    [
        ({"payWith": {"credit": {"bundle": "b"}}}, "drop_in", "input.payWith.credit"),
        ({"payWith": {"credit": {}}}, "drop_in", "input.payWith.credit"),
        ({"autoRefund": {"bundle": "b"}}, "auto_refund", "input.autoRefund"),
        ({"autoRefund": None}, "auto_refund", "input.autoRefund"),
        ({"sessions": [{"title": "1", "openTo": []}]}, "drop_in", "input.sessions.0.openTo"),
        (
            {"sessions": [{"title": "1"}, {"title": "2", "openTo": None}]},
            "drop_in",
            "input.sessions.1.openTo",
        ),
    ],
)
async def test_a_member_of_a_bolt_on_that_is_off_is_refused_where_it_was_given_and_nothing_runs(
    given: dict[str, object], bolt_on: str, path: str
) -> None:
    answer, request = await run(SET_UP, input={"title": "x", **given})

    assert answer.errors is None
    assert answer.data == {
        "setUp": {
            "session": None,
            "userErrors": [
                {"code": "BOLT_ON_DISABLED", "boltOn": bolt_on, "path": path.split(".")}
            ],
        }
    }
    assert request.ran == []


async def test_all_members_that_are_off_are_told_at_once() -> None:
    everything = {
        "title": "x",
        "payWith": {"credit": {"give": 2}},
        "sessions": [{"title": "1", "openTo": ["A"]}],
        "autoRefund": {"give": 1},
    }

    answer, _ = await run(SET_UP, input=everything)
    partly, _ = await run(SET_UP, ["drop_in"], input=everything)

    assert _paths(answer) == {
        "input.payWith.credit",
        "input.payWith.credit.give",
        "input.sessions.0.openTo",
        "input.autoRefund",
        "input.autoRefund.give",
    }
    assert _paths(partly) == {
        "input.payWith.credit.give",
        "input.autoRefund",
        "input.autoRefund.give",
    }


def _paths(answer: ExecutionResult) -> set[str]:
    assert answer.data is not None
    return {".".join(error["path"]) for error in answer.data["setUp"]["userErrors"]}


async def test_each_mutation_of_a_document_answers_for_its_own_input() -> None:
    answer, request = await run("""
        mutation {
          one: setUp(input: {title: "1", autoRefund: {}}) { userErrors { code } }
          two: setUp(input: {title: "2"}) { userErrors { code } }
        }
    """)

    assert answer.data == {
        "one": {"userErrors": [{"code": "BOLT_ON_DISABLED"}]},
        "two": {"userErrors": []},
    }
    assert [asked.title for asked in request.ran] == ["2"]


@pytest.mark.parametrize(
    "document",
    ["{ price(payWith: {credit: {}}) }", "{ sessions { seats(payWith: {credit: {}}) } }"],
)
async def test_a_query_refuses_members_that_are_off_too(document: str) -> None:
    answer, request = await run(document)
    on, _ = await run(document, ["drop_in"])

    assert answer.errors
    refused = answer.errors[0].original_error
    assert isinstance(refused, Refusals)
    assert [(each.code, each.path[-2:]) for each in refused.reasons] == [
        ("BOLT_ON_DISABLED", ("payWith", "credit"))
    ]
    assert request.ran == []
    assert on.errors is None


# Off means off


@pytest.mark.parametrize(
    "document",
    [
        "{ sessions { id seats(payWith: {offline: true}) __typename } }",
        'mutation { setUp(input: {title: "x", sessions: [{title: "1"}]}) { session { id } } }',
        'mutation { setUp(input: {title: "x", payWith: {offline: true}}) { session { id } } }',
        '{ __type(name: "Query") { kind } price(payWith: {offline: false}) }',
        "{ price(payWith: {}) }",
        "{ price(payWith: {offline: null}) }",
    ],
)
async def test_while_all_are_off_the_answers_are_those_of_an_installation_without_bolt_ons(
    document: str,
) -> None:
    request = Request(frozenset(), frozenset())

    off, _ = await run(document)
    bare = await BARE.execute(document, context_value=request)

    assert off.data == bare.data
    assert [each.formatted for each in off.errors or ()] == [
        each.formatted for each in bare.errors or ()
    ]
