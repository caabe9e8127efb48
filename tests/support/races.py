"""Races: who takes part, what they ask for at the same moment, and how often it is tried.

What a race is, and when it is fair, stands in `tests/races/`: once for the servers that protect
and for those that do not, for the few rounds of `make test` and the many of `make stress`.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import func, select

from classbolt import credits, customers
from classbolt.bookings import BOOKED
from classbolt.checks import mine
from classbolt.columns import AnyRow
from classbolt.db import Caller, Tx
from classbolt.tables import bookings, customer_bundles, sessions
from classbolt.values import SYSTEM, BundleId, CustomerId
from classbolt_schema.ids import decode, encode
from classbolt_schema.server.keys import DEVELOPMENT_ISSUER, issue_token
from doors import Doors, Line, open_lines, request
from invariants import broken
from stress_table import Table
from studio import SOLD_ON, Studio

T = TypeVar("T")
Answers = Sequence[Mapping[str, Any]]

FIRST = datetime.fromisoformat("2027-01-18T09:00:00Z")
TWO_MONTHS = {"value": 60, "unit": "DAYS"}
TOKEN_LIFETIME = timedelta(days=1000)
MOST_SESSIONS = 100
"""As many as a course shows at once."""
MANY_CREDITS = 1000

CREDIT: Mapping[str, Any] = {"credit": {}}
OFFLINE = {"offline": True}
DONE, FAILED, TRY_AGAIN, DEADLOCK = "DONE", "FAILED", "TRY_AGAIN", "40P01"

Hosting = Callable[..., AbstractAsyncContextManager["Arena"]]
"""Serves a new database in the test's process, as what it is given makes of it."""


@dataclass(frozen=True)
class Scale:
    """How often a race is run, and how many take part.

    Attributes:
        sightings: After how many broken rounds we believe a twin; it ends there.
    """

    rounds: int = 10
    contenders: int = 8
    twin_rounds: int = 20
    sightings: int = 1


@dataclass(frozen=True)
class Ask:
    """A mutation that somebody is to ask for.

    Attributes:
        document: The whole document, for those who ask for more than one mutation; what is
            asked are then its variables.
    """

    as_: str
    mutation: str
    asked: Mapping[str, Any]
    fields: str = ""
    document: str = ""

    def written(self, studio: Studio) -> bytes:
        """Write the request down."""
        document, variables = self.document, self.asked
        if not document:
            document = (
                f"mutation ($input: {input_of(self.mutation)}!) {{ {self.mutation}(input:"
                f" $input) {{ {self.fields} userErrors {{ code }} }} }}"
            )
            variables = {"input": self.asked}
        return request(studio.slug, studio.tokens[self.as_], document, variables)


def input_of(mutation: str) -> str:
    """Give the name of a mutation's input."""
    return f"{mutation[0].upper()}{mutation[1:]}Input"


def book(name: str, session: str, pay_with: Mapping[str, Any] = CREDIT) -> Ask:
    """Ask for a place in a session."""
    asked = {"session": session, "payWith": pay_with}
    return Ask(name, "bookSession", asked, "booking { id }")


def swap(name: str, booking: str, to_session: str) -> Ask:
    """Ask to give up a booking for a place in another session."""
    asked = {"booking": booking, "toSession": to_session}
    return Ask(name, "swapBooking", asked, "booking { id }")


def outcome(answer: Mapping[str, Any]) -> str:
    """Put what came of the last mutation into a word: DONE, or the reasons why not.

    An answer with errors, as only a twin may get it, is FAILED.
    """
    if "errors" in answer:
        return FAILED
    *_, payload = answer["data"].values()
    return " ".join(error["code"] for error in payload["userErrors"]) or DONE


async def at_once(runs: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Let all run from the same moment on, and give what they give in their order."""
    barrier = asyncio.Barrier(len(runs))

    async def start(run: Coroutine[Any, Any, T]) -> T:
        await barrier.wait()
        return await run

    # Everybody is waited for, also when one fails: nobody runs on into the next round.
    tasks = [asyncio.create_task(start(run)) for run in runs]
    await asyncio.wait(tasks)
    return [task.result() for task in tasks]


@dataclass
class Arena:
    """A studio, the servers that contenders ask, and their connections, spread over those.

    Attributes:
        tried: How many answers were TRY_AGAIN: the rows stayed contended, which may be.
    """

    studio: Studio
    doors: Doors
    database: str
    scale: Scale
    table: Table
    lines: list[Line] = field(default_factory=list)
    tried: int = 0

    # Rounds

    async def holds(self, race: str, is_fair: Callable[[int], Awaitable[None]]) -> None:
        """Run a race where everything protects: every round is fair, and the rows are whole.

        Nobody waits for each other either: a deadlock is resolved in time, but by luck.
        """
        wrong: list[AssertionError] = []
        before = await self._broken()
        noted = len(self.doors.contention())
        for number in range(self.scale.rounds):
            try:
                await is_fair(number)
            except AssertionError as unfair:
                wrong.append(unfair)
        found = await self._broken() - before  # others have raced on this database before
        if deadlocks := self.doors.contention()[noted:].count(DEADLOCK):
            found["operations lock in the same order"] = deadlocks
        self.table.protected(
            race,
            self.database,
            rounds=self.scale.rounds,
            contenders=self.scale.contenders,
            processes=self.doors.processes,
            tried=self.tried,
            broken=len(wrong) + found.total(),
        )
        if wrong:
            wrong[0].add_note(f"{race}: {len(wrong)} of {self.scale.rounds} rounds broke")
            raise wrong[0]
        assert not found, f"{race}: {found}"

    async def breaks(self, race: str, is_broken: Callable[[int], Awaitable[bool]]) -> None:
        """Run a race without protection until it has been seen to break often enough."""
        seen = rounds = 0
        while rounds < self.scale.twin_rounds and seen < self.scale.sightings:
            seen += await is_broken(rounds)
            rounds += 1
        self.table.twin(race, self.database, rounds=rounds, broken=seen)
        assert seen, f"{race}: none of {rounds} rounds broke without protection"

    @property
    def most_rounds(self) -> int:
        """Say for how many rounds there must be sessions, customers and bookings."""
        return self.scale.rounds if self.doors.processes else self.scale.twin_rounds

    # Asking

    async def ask(self, ask: Ask) -> dict[str, Any]:
        """Let one ask alone."""
        answer: dict[str, Any] = await self.lines[0].ask(ask.written(self.studio))
        return answer

    async def race(self, asks: Sequence[Ask], late: Sequence[Ask] = ()) -> list[dict[str, Any]]:
        """Let all ask at the same moment, and give the answers in the order of the asks.

        Args:
            asks: What is asked for at once.
            late: What is asked for as soon as the first of the asks has been answered.
        """
        everybody = [*asks, *late]
        answers: dict[int, dict[str, Any]] = {}
        is_first_answered = asyncio.Event()

        async def ask(place: int, line: Line, written: bytes) -> None:
            if place >= len(asks):
                await is_first_answered.wait()
            try:
                answers[place] = await line.ask(written)
            finally:
                if place == 0:
                    is_first_answered.set()

        # Whoever stands first in the list shall not always be first, nor at the same server.
        lines = random.sample(self.lines[: len(everybody)], len(everybody))
        runs = [
            ask(place, line, asked.written(self.studio))
            for place, (line, asked) in enumerate(zip(lines, everybody, strict=True))
        ]
        random.shuffle(runs)
        await at_once(runs)
        self.tried += sum(outcome(answer) == TRY_AGAIN for answer in answers.values())
        return [answers[place] for place in range(len(everybody))]

    # Whom and what it takes

    async def add_crowd(self, size: int, *, credits_each: int = 0) -> list[str]:
        """Add customers who are ready to ask, each with so many credits."""
        studio = self.studio
        names = [f"Customer {len(studio.ids.customers) + turn}" for turn in range(size)]
        bundles = [MANY_CREDITS] * (credits_each // MANY_CREDITS)
        bundles += [MANY_CREDITS if credits_each > 1 else 1] * bool(credits_each % MANY_CREDITS)
        now = studio.clock.now

        async def work(tx: Tx) -> dict[str, CustomerId]:
            found = {}
            for name in names:
                person = (await customers.create_customer(tx, SYSTEM, name, None, now=now)).id
                await customers.admit(
                    tx, DEVELOPMENT_ISSUER, name, person, is_staff=False, now=now
                )
                for held in bundles:
                    bundle = BundleId(decode("Bundle", studio.ids.bundles[f"OF {held}"]))
                    await credits.give_bundle(tx, SYSTEM, person, bundle, now=now)
                found[name] = person
            return found

        for name, person in (await self._write(work)).items():
            studio.ids.customers[name] = encode("Customer", person)
            studio.tokens[name] = issue_token(
                studio.settings, studio.slug, name, SOLD_ON, TOKEN_LIFETIME
            )
        return names

    async def add_sessions(self, number: int, *, seats: int) -> list[str]:
        """Add sessions that drop-ins may book at once, in as few courses as can be."""
        found: list[str] = []
        while len(found) < number:
            size = min(MOST_SESSIONS, number - len(found))
            found += (await self.add_course(size, seats=seats))[1]
        return found

    async def add_course(self, sessions: int, *, seats: int) -> tuple[str, list[str]]:
        """Add a course that drop-ins may book at once and that gives refunds."""
        refund = {"method": "NEW_BUNDLE", "bundle": self.studio.ids.bundles["OF 1"]}
        offer = {
            "priceMinor": 1200,
            "opensBefore": TWO_MONTHS,
            "paymentMethods": ["credit", "offline"],
        }
        asked = {
            "title": "A course to race for",
            "priceMinor": 6000,
            "tag": self.studio.ids.tags["BEG"],
            "sessions": [
                {
                    "startsAt": (FIRST + timedelta(hours=number)).isoformat(),
                    "capacity": seats,
                    "dropIn": offer,
                }
                for number in range(sessions)
            ],
            "autoRefund": {
                "notice": {"value": 24, "unit": "HOURS"},
                "refunds": [
                    {"option": "COURSE", **refund},
                    {"option": "DROP_IN_CREDIT", "method": "ORIGINAL"},
                ],
            },
        }
        fields = "course { id sessions(first: 100) { edges { node { id } } } }"
        made = (await self.studio.do("createCourse", asked, fields, as_="owner"))["course"]
        return made["id"], [edge["node"]["id"] for edge in made["sessions"]["edges"]]

    async def buy_courses(self, names: Sequence[str], sessions: int) -> list[str]:
        """Let customers buy, and pay for, courses with so many sessions altogether."""
        found: list[str] = []
        while len(found) < sessions:
            size = min(MOST_SESSIONS, sessions - len(found))
            course, there = await self.add_course(size, seats=len(names))
            found += there
            for name in names:
                asked = {"course": course, "payWith": OFFLINE}
                paid = "courseBooking { payment { id } }"
                booked = await self.studio.do("bookCourse", asked, paid, as_=name)
                await self.studio.mark_paid(booked["courseBooking"]["payment"]["id"])
        return found

    async def places(self, session: str | None = None) -> dict[tuple[str, str], str]:
        """Find all active bookings, or those of a session, by customer and session."""
        statement = select(bookings.c.customer_id, bookings.c.session_id, bookings.c.id).where(
            mine(bookings), bookings.c.status == BOOKED
        )
        if session is not None:
            statement = statement.where(bookings.c.session_id == decode("Session", session))
        names = {key: name for name, key in self.studio.ids.customers.items()}
        async with self.studio.database.read(Caller(self.studio.slug)) as tx:
            return {
                (names[encode("Customer", who)], encode("Session", where)): encode(
                    "Booking", booking
                )
                for who, where, booking in await tx.all(statement)
            }

    async def seats(self, session: str) -> AnyRow:
        """Give the counters of a session: capacity, over_capacity and seats_taken."""
        statement = select(
            sessions.c.capacity, sessions.c.over_capacity, sessions.c.seats_taken
        ).where(mine(sessions), sessions.c.id == decode("Session", session))
        async with self.studio.database.read(Caller(self.studio.slug)) as tx:
            found = await tx.one(statement)
        assert found is not None
        return found

    async def balance(self, *names: str) -> int:
        """Add up what customers have to spend."""
        ids = [decode("Customer", self.studio.ids.customers[name]) for name in names]
        statement = select(func.sum(customer_bundles.c.balance)).where(
            mine(customer_bundles), customer_bundles.c.customer_id.in_(ids)
        )
        async with self.studio.database.read(Caller(self.studio.slug)) as tx:
            return int(await tx.scalar(statement) or 0)

    async def _broken(self) -> Counter[str]:
        return Counter(await broken(self.doors.settings.database_url))

    async def _write(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        return await self.studio.database.write(Caller(self.studio.slug), work)


@asynccontextmanager
async def open_arena(
    studio: Studio, doors: Doors, database: str, scale: Scale, table: Table
) -> AsyncIterator[Arena]:
    """Set up a new account to race in, and connect a contender each to the servers."""
    for code in ("auto_refund", "drop_in"):
        await studio.switch(code, on=True)
    made = await studio.do("createTag", {"name": "Beginners"}, "tag { id }", as_="owner")
    studio.ids.tags["BEG"] = made["tag"]["id"]
    for size in (1, MANY_CREDITS):
        asked = {
            "name": f"Of {size}",
            "credits": size,
            "validity": {"value": 60, "unit": "DAYS"},
            "tags": [studio.ids.tags["BEG"]],
        }
        given = await studio.do("createBundle", asked, "bundle { id }", as_="owner")
        studio.ids.bundles[f"OF {size}"] = given["bundle"]["id"]
    lines = await open_lines(doors.addresses, scale.contenders)
    try:
        yield Arena(studio, doors, database, scale, table, lines)
    finally:
        await asyncio.gather(*(line.close() for line in lines))
