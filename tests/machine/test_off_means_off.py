"""Off means off: with a bolt-on off, all is as if it had never been installed (I3, I7).

Two studios live through the same history, drawn by lot. The one has both bolt-ons, set up
refunds and drop-ins with them, and switched them off. The other's server and database never
knew them. Every question and every deed is answered alike, and all that the owner sees is the
same. Only what lists the bolt-ons that are there, `boltOns` and `courseSetupCheck`, differs.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

import deeds
from classbolt.bolt_ons import BoltOns
from classbolt.migrate import components
from classbolt.testing.databases import Kind, Templates
from classbolt.testing.scratch import scratch_folder
from classbolt_schema.ids import decode_any
from deeds import DEEDS, HOURS, MOST, OWNER, Draw, Known, pick
from invariants import broken
from seen import look
from small_world import SmallWorld
from studio import Studio

Step: TypeAlias = tuple[Draw | None, int, int, int]
"""What is done, and what is drawn for it; None lets time pass."""

NUMBERS = st.integers(0, MOST)
HISTORIES = st.lists(
    st.tuples(st.sampled_from([*DEEDS, None]), NUMBERS, NUMBERS, NUMBERS), max_size=12
)
ERRORS = "userErrors { __typename code message path hint }"
OPTIONS = f"price {{ amountMinor }} {ERRORS} paymentOptions {{ method {ERRORS} }}"
CAN_BOOK = f"""query ($session: ID!, $course: ID!, $customer: ID!) {{
  bookingOptions(session: $session, customer: $customer) {{ way opensAt {OPTIONS} }}
  courseBookingOptions(course: $course, customer: $customer) {{
    sessionsLeft sessionsTotal {OPTIONS} }}
}}"""
CAN_CANCEL = f"""query ($booking: ID!) {{
  cancellationPreview(booking: $booking) {{
    outcome reason {{ code message }} deadline expiresAt quote usableSessions
    bundle {{ id }} customerBundle {{ id }} {ERRORS} }}
  swapTargets(booking: $booking) {{ sessions {{ id }} {ERRORS} }}
}}"""


class Life:
    """A studio that goes through a history, and what it answers: with numbers for ids."""

    def __init__(self, studio: Studio, known: Known) -> None:
        self.studio = studio
        self._known = known
        self._numbers: dict[str, int] = {}

    async def go_through(self, step: Step) -> list[Any]:
        """Ask what could be done, do something, look at everything; give the answers."""
        draw, *numbers = step
        first, second, third = numbers
        answers = [await self._could_book(first, second)]
        if self._known.bookings:
            booking = self._known.booking(first)
            answers.append(await self.studio.query(CAN_CANCEL, as_=OWNER, booking=booking))
        if draw is None:
            self.studio.clock.now += timedelta(hours=pick(HOURS, first))
        elif deed := draw(self._known, first, second, third):
            answers.append(await deeds.do(self.studio, deed))
        seen = await look(self.studio)
        self._known.learn(seen)
        return [self._numbered(each) for each in (*answers, seen.answer)]

    async def _could_book(self, first: int, second: int) -> Any:
        ids = self.studio.ids
        return await self.studio.query(
            CAN_BOOK,
            as_=OWNER,
            session=self._known.session(second),
            course=pick(self._known.courses, second),
            customer=pick(list(ids.customers.values()), first),
        )

    def _numbered(self, answer: Any) -> Any:
        """Put in the place of each id when it was first seen, and of what type it is."""
        if isinstance(answer, dict):
            return {key: self._numbered(each) for key, each in answer.items()}
        if isinstance(answer, list):
            return [self._numbered(each) for each in answer]
        found = decode_any(answer) if isinstance(answer, str) else None
        if found is None:
            return answer
        number = self._numbers.setdefault(answer, len(self._numbers) + 1)
        return f"{found[0]} {number}"


class TwoLives:
    """Where both kinds of studio come from."""

    def __init__(self, bolt_ons: BoltOns, data: Path) -> None:
        self._switched_off = SmallWorld(bolt_ons, data / "switched_off")
        self._without = SmallWorld(BoltOns([]), data / "without")

    async def compare(
        self, kind: Kind, templates: Templates, never: Templates, history: Sequence[Step]
    ) -> None:
        """Let both go through a history, step by step, and compare what they answer."""
        async with AsyncExitStack() as stack:
            off = await stack.enter_async_context(self._switched_off.opened(kind, templates))
            none = await stack.enter_async_context(self._without.opened(kind, never))
            for code in ("auto_refund", "drop_in"):
                await deeds.do(off, deeds.toggle(code, on=False))
            lives = [
                Life(studio, Known(studio, await look(studio), takes_credits=False))
                for studio in (off, none)
            ]
            for step in history:
                with_it_off, without_it = [await life.go_through(step) for life in lives]
                assert with_it_off == without_it
            for studio in (off, none):
                assert await broken(studio.database.url) == {}


@pytest.fixture(scope="module")
def two_lives(bolt_ons: BoltOns, tmp_path_factory: pytest.TempPathFactory) -> TwoLives:
    return TwoLives(bolt_ons, tmp_path_factory.mktemp("two_lives"))


@pytest.fixture(scope="module")
def never(request: pytest.FixtureRequest) -> Iterator[Templates]:
    """Databases that never had a bolt-on's tables."""
    with TemporaryDirectory(prefix="classbolt-databases-", dir=scratch_folder()) as folder:
        templates = Templates(
            components([]),
            folder=Path(folder),
            postgres=lambda: request.getfixturevalue("postgres"),
        )
        yield templates
        asyncio.run(templates.close())


def compare_lives(
    two_lives: TwoLives, kind: Kind, templates: Templates, never: Templates, *, histories: int
) -> None:
    """Draw histories and compare."""

    @settings(
        max_examples=int(os.environ.get("HISTORIES", histories)),
        deadline=None,  # the machine that tests run on may be busy
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(history=HISTORIES)
    def compare(history: list[Step]) -> None:
        # With a loop of its own; those of the tests around us are left alone.
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            runner.run(two_lives.compare(kind, templates, never, history))

    with capture_logs():  # else a failure would be buried under a line for each request
        compare()


def test_a_bolt_on_that_is_off_answers_as_if_it_had_never_been_there(
    two_lives: TwoLives, kind: Kind, templates: Templates, never: Templates
) -> None:
    """I3, I7."""
    compare_lives(two_lives, kind, templates, never, histories=5)
