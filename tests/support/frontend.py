"""An account as a frontend meets it: documents over HTTP, a token for each person, a clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from classbolt import customers
from classbolt.config import Settings
from classbolt.db import Caller, Database, Tx
from classbolt.values import CustomerId, Role, StaffId
from classbolt_schema.ids import decode
from classbolt_schema.server import demo
from classbolt_schema.server.keys import DEVELOPMENT_ISSUER, issue_token

SOLD_ON = datetime(2027, 1, 4, 12, tzinfo=UTC)
"""When the buyers of fixture F bought their courses."""


def codes_of(payload: Mapping[str, Any]) -> list[str]:
    """Give the codes of the refusals in a payload."""
    return [error["code"] for error in payload["userErrors"]]


def at(text: str) -> datetime:
    """Read an instant of a scenario: UTC unless it says otherwise."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@dataclass
class Clock:
    """A clock that stands until it is set."""

    now: datetime = SOLD_ON

    def __call__(self) -> datetime:
        return self.now

    def set(self, text: str) -> None:
        self.now = at(text)


@dataclass(frozen=True)
class Answer:
    """What came back over HTTP."""

    status: int
    body: dict[str, Any]

    @property
    def data(self) -> Any:
        """Give the data of an answer without errors."""
        assert "errors" not in self.body, self.body["errors"]
        return self.body["data"]

    @property
    def error_codes(self) -> list[str]:
        return [error["extensions"]["code"] for error in self.body.get("errors", [])]


@dataclass
class Frontend:
    """Who asks what, and what comes back.

    Attributes:
        ids: What was set up, by short names; customers are known by theirs.
        admitted: Who is known to the account already, whatever token they show.
    """

    slug: str
    client: httpx.AsyncClient
    clock: Clock
    settings: Settings
    database: Database
    ids: demo.Studio = field(default_factory=demo.Studio)
    tokens: dict[str, str] = field(default_factory=dict)
    admitted: set[str] = field(default_factory=set)

    async def ask(
        self,
        document: str,
        variables: Mapping[str, Any] | None = None,
        *,
        as_: str | None = None,
    ) -> Answer:
        """Send a document as somebody: a customer's name, 'owner', a role, or nobody."""
        headers = {"Authorization": f"Bearer {await self.token(as_)}"} if as_ else {}
        response = await self.client.post(
            f"/graphql/{self.slug}",
            json={"query": document, "variables": variables or {}},
            headers=headers,
        )
        return Answer(response.status_code, response.json())

    async def query(self, document: str, *, as_: str | None = None, **variables: Any) -> Any:
        """Ask and give the data."""
        return (await self.ask(document, variables, as_=as_)).data

    async def mutate(
        self, mutation: str, asked: Mapping[str, Any], fields: str = "", *, as_: str | None
    ) -> dict[str, Any]:
        """Run one mutation and give its payload, user errors and all."""
        kind = mutation[0].upper() + mutation[1:]
        document = (
            f"mutation ($input: {kind}Input!) {{ {mutation}(input: $input) {{"
            f" {fields} userErrors {{ __typename code message path"
            " ... on DropInNotOpenError { opensAt } ... on NoticeTooShortError { deadline }"
            " ... on BoltOnDisabledError { boltOn }"
            " ... on CreditExpiredError { expiresAt }"
            " ... on CreditExpiresBeforeSessionError { expiresAt }"
            " ... on PaymentOptionNotAllowedError { allowed } } } }"
        )
        payload: dict[str, Any] = (await self.ask(document, {"input": asked}, as_=as_)).data[
            mutation
        ]
        return payload

    async def do(
        self, mutation: str, asked: Mapping[str, Any], fields: str = "", *, as_: str | None
    ) -> dict[str, Any]:
        """Run one mutation that succeeds."""
        payload = await self.mutate(mutation, asked, fields, as_=as_)
        assert payload["userErrors"] == []
        return payload

    async def codes(
        self, mutation: str, asked: Mapping[str, Any], *, as_: str | None
    ) -> list[str]:
        """Run one mutation and give the codes of its refusals."""
        return codes_of(await self.mutate(mutation, asked, as_=as_))

    # People

    async def token(self, name: str) -> str:
        """Give a token of somebody: a customer of this studio, or staff by role."""
        if name not in self.tokens:
            await self.admit(name)
            lifetime = timedelta(days=1000)
            self.tokens[name] = issue_token(self.settings, self.slug, name, SOLD_ON, lifetime)
        return self.tokens[name]

    async def admit(self, name: str) -> None:
        """Let a customer in by a token, or make somebody staff; once is enough."""
        if name in self.admitted:
            return

        async def work(tx: Tx) -> None:
            now = self.clock.now
            if name in self.ids.customers:
                person = CustomerId(decode("Customer", self.ids.customers[name]))
                await customers.admit(
                    tx, DEVELOPMENT_ISSUER, name, person, is_staff=False, now=now
                )
            else:
                staff: StaffId = await customers.add_staff(
                    tx, name, Role(name.upper()), now=now
                )
                await customers.admit(
                    tx, DEVELOPMENT_ISSUER, name, staff, is_staff=True, now=now
                )

        await self.database.write(Caller(self.slug), work)
        self.admitted.add(name)
