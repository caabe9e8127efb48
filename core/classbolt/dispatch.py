"""Ask the enabled bolt-ons of an account in turn, and hold each to what it may answer.

pluggy registers and validates; calling is ours, because its loop knows neither accounts nor
awaiting nor who raised. Which implementations an account's set of bolt-ons has is looked up
once per set and shared by all accounts with that set, so an account that switches a bolt-on
simply gets another table with its next transaction. Awaits are sequential: all of a
transaction's statements travel on one connection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy.exc import DBAPIError

from classbolt.answers import objection
from classbolt.contention import is_contention
from classbolt.errors import BoltOnFailed, Refusal, Refusals
from classbolt.facts import (
    BookingDraft,
    BookingFacts,
    CourseFacts,
    PaymentOption,
    SessionFacts,
    SetupCheck,
    Terms,
    WayToBook,
)
from classbolt.given import Given

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from classbolt.bookings import Booking
    from classbolt.cancellations import Cancellation
    from classbolt.db import Tx
    from classbolt.outbox import Delivery

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Implementation:
    """One bolt-on's answer to one hook."""

    bolt_on: str
    hook: str
    function: Callable[..., Awaitable[Any]]
    argument_names: tuple[str, ...]

    async def call(self, given: Mapping[str, Any]) -> Any:
        """Call the hook with those arguments that the bolt-on asked for.

        Raises:
            Refusal: The bolt-on says no.
            BoltOnFailed: It raised something else; core's transaction is rolled back with it.
        """
        try:
            return await self.function(*[given[name] for name in self.argument_names])
        except (Refusal, Refusals):
            raise
        except Exception as failure:  # strangers' code may raise anything
            # It is logged and ends as a refusal. Only contention passes: the edge does the
            # whole transaction again.
            if isinstance(failure, DBAPIError) and is_contention(failure):
                raise
            raise self.failed("it raised", failure) from failure

    def failed(self, what: str, failure: Exception | None = None) -> BoltOnFailed:
        """Log what went wrong, for the operator, and make the refusal, for the client."""
        report = log.bind(bolt_on=self.bolt_on, hook=self.hook, exc_info=failure)
        report.error("bolt_on_failed", what=what)
        return BoltOnFailed(self.bolt_on)


class EnabledBoltOns:
    """The bolt-ons that are on for an account, ready to be asked."""

    def __init__(self, table: Mapping[str, tuple[Implementation, ...]]) -> None:
        self._table = table

    async def ways_to_book(
        self,
        tx: Tx,
        drafts: Sequence[BookingDraft],
        now: datetime,
    ) -> list[list[WayToBook | Refusal]]:
        """Collect for each draft the ways offered, and the reasons why others are not."""
        answers = await self._decide(
            "ways_to_book", drafts, WayToBook | Refusal | None, tx=tx, drafts=drafts, now=now
        )
        return [
            [answer for answer in column if answer is not None]
            for column in _columns(answers, drafts)
        ]

    async def check_booking(
        self,
        tx: Tx,
        drafts: Sequence[BookingDraft],
        now: datetime,
    ) -> list[list[Refusal]]:
        """Collect for each draft every bolt-on's reasons against it."""
        answers = await self._decide(
            "check_booking", drafts, list[Refusal], tx=tx, drafts=drafts, now=now
        )
        return [
            [reason for reasons in column for reason in reasons]
            for column in _columns(answers, drafts)
        ]

    async def payment_options(
        self,
        tx: Tx,
        drafts: Sequence[BookingDraft],
        now: datetime,
    ) -> list[list[PaymentOption]]:
        """Collect for each draft every bolt-on's ways to pay."""
        answers = await self._decide(
            "payment_options", drafts, list[PaymentOption], tx=tx, drafts=drafts, now=now
        )
        return [
            [option for options in column for option in options]
            for column in _columns(answers, drafts)
        ]

    async def cancellation_terms(
        self,
        tx: Tx,
        bookings: Sequence[BookingFacts],
        now: datetime,
    ) -> list[Terms | None]:
        """Get each booking's terms from the one bolt-on that may answer, if one is on."""
        answers = await self._decide(
            "cancellation_terms", bookings, Terms | None, tx=tx, bookings=bookings, now=now
        )
        return [next(filter(None, column), None) for column in _columns(answers, bookings)]

    async def check_refund(
        self,
        tx: Tx,
        bookings: Sequence[BookingFacts],
        terms: Sequence[Terms],
        now: datetime,
    ) -> list[Refusal | None]:
        """Get for each booking the first reason to give nothing back after all."""
        answers = await self._decide(
            "check_refund",
            bookings,
            Refusal | None,
            tx=tx,
            bookings=bookings,
            terms=terms,
            now=now,
        )
        return [next(filter(None, column), None) for column in _columns(answers, bookings)]

    async def setup_checks(
        self,
        tx: Tx,
        courses: Sequence[CourseFacts],
        now: datetime,
    ) -> list[list[SetupCheck]]:
        """Collect for each course every bolt-on's checks."""
        answers = await self._decide(
            "setup_checks", courses, list[SetupCheck], tx=tx, courses=courses, now=now
        )
        return [
            [check for checks in column for check in checks]
            for column in _columns(answers, courses)
        ]

    async def course_written(
        self, tx: Tx, course: CourseFacts, given: Given, now: datetime
    ) -> None:
        """Tell that a course was created or changed."""
        await self._tell("course_written", tx=tx, course=course, given=given, now=now)

    async def sessions_written(
        self,
        tx: Tx,
        sessions: Sequence[SessionFacts],
        given: Sequence[Given],
        now: datetime,
    ) -> None:
        """Tell that sessions were created, changed or moved."""
        await self._tell("sessions_written", tx=tx, sessions=sessions, given=given, now=now)

    async def bookings_written(
        self, tx: Tx, bookings: Sequence[Booking], now: datetime
    ) -> None:
        """Tell that places were booked."""
        await self._tell("bookings_written", tx=tx, bookings=bookings, now=now)

    async def cancellations_written(
        self, tx: Tx, cancellations: Sequence[Cancellation], now: datetime
    ) -> None:
        """Tell that bookings were cancelled."""
        await self._tell("cancellations_written", tx=tx, cancellations=cancellations, now=now)

    def answering(self, hook: str) -> list[str]:
        """List the bolt-ons that answer a hook."""
        return [each.bolt_on for each in self._table[hook]]

    async def deliver(self, hook: str, delivery: Delivery, event: object) -> None:
        """Tell of an event that has been committed.

        Raises:
            Refusal: A bolt-on failed, or says no.
        """
        await self._tell(hook, delivery=delivery, event=event)

    async def _tell(self, hook: str, **given: Any) -> None:
        for implementation in self._table[hook]:
            if await implementation.call(given) is not None:
                raise implementation.failed("it answers nothing")

    async def _decide(
        self, hook: str, batch: Sequence[Any], kind: Any, **given: Any
    ) -> list[Sequence[Any]]:
        """Ask each bolt-on for as many answers of a kind as there are things in the batch."""
        answers: list[Sequence[Any]] = []
        for implementation in self._table[hook] if batch else ():
            answer = await implementation.call(given)
            if not _is_list_of(answer, kind) or len(answer) != len(batch):
                raise implementation.failed(f"expected {len(batch)} answers of {kind}")
            for each, asked in zip(answer, batch, strict=True):
                for one in each if isinstance(each, list | tuple) else (each,):
                    if wrong := _objection(one, asked, given):
                        raise implementation.failed(wrong)
            answers.append([_signed(each, implementation.bolt_on) for each in answer])
        return answers


def _objection(answer: object, asked: object, given: Mapping[str, Any]) -> str | None:
    return objection(answer, asked, currency=given["tx"].account.currency, now=given["now"])


def _signed(answer: Any, bolt_on: str) -> Any:
    """Note who decided what a cancellation gives back; it is kept with it."""
    return replace(answer, decided_by=bolt_on) if isinstance(answer, Terms) else answer


def _is_list_of(answer: object, kind: Any) -> bool:
    if not isinstance(answer, list | tuple):
        return False
    if getattr(kind, "__origin__", None) is list:
        return all(_is_list_of(item, kind.__args__[0]) for item in answer)
    return all(isinstance(item, kind) for item in answer)


def _columns(answers: Sequence[Sequence[Any]], batch: Sequence[Any]) -> list[list[Any]]:
    """Turn one row of answers per bolt-on into one column per thing that was asked about."""
    return [[row[position] for row in answers] for position in range(len(batch))]
