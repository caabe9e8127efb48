"""What every test may ask for. Whatever needs a database runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import pytest
import structlog
from coverage import Coverage

from classbolt.bolt_ons import BoltOns
from classbolt.db import Database
from classbolt.migrate import components
from classbolt.stripe_gateway import StripeGateway
from classbolt.testing.databases import Kind, Templates
from classbolt.testing.postgres import PostgresServer
from classbolt.testing.scratch import scratch_folder
from compiled import share
from fixture_f import FixtureF
from invariants import broken
from studio import Clock, Studio, open_studio, serving

TESTS = Path(__file__).parent
UNMEASURED = ("architecture", "machine", "races", "stress")
"""Where tests come by nothing that others do not come by, but much more often."""
MEASURED_ON_BOTH = ("test_db", "test_doctor_installation", "test_migrate", "test_testing")
"""Where what is run depends on the kind of database; elsewhere SQLite only repeats.

Its driver is written in Python and would take half as long again to measure.
"""


@pytest.fixture(scope="session", autouse=True)
def compiled() -> Iterator[None]:
    """Keep what the processes that tests start compile, if not beside the sources.

    Without it each of them spends more time on compiling what it imports than on its work.
    """
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as environment:
        if sys.dont_write_bytecode:
            environment.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
            environment.setenv("PYTHONPYCACHEPREFIX", folder)
        yield


@pytest.fixture(scope="session", autouse=True)
def _tracebacks() -> None:
    """Log tracebacks as a server does, without the local variables of every frame.

    To draw those can take minutes.
    """
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
        ]
    )


@pytest.fixture(scope="session")
def start_postgres() -> Iterator[Callable[[], PostgresServer]]:
    """Give the server, which is started for the first that wants it."""
    with ExitStack() as stack:
        yield cache(lambda: stack.enter_context(PostgresServer()))


@pytest.fixture(scope="session")
def postgres(start_postgres: Callable[[], PostgresServer]) -> PostgresServer:
    return start_postgres()


@pytest.fixture(scope="session")
def bolt_ons() -> BoltOns:
    """What is installed: our two, found as a stranger's are."""
    return BoltOns.discover()


@pytest.fixture(scope="session")
def templates(
    start_postgres: Callable[[], PostgresServer], bolt_ons: BoltOns
) -> Iterator[Templates]:
    with TemporaryDirectory(prefix="classbolt-databases-", dir=scratch_folder()) as folder:
        made = Templates(
            components(bolt_ons.installed.values()),
            folder=Path(folder),
            postgres=start_postgres,
        )
        yield made
        asyncio.run(made.close())


@pytest.fixture(scope="session")
def fixture_f(tmp_path_factory: pytest.TempPathFactory, bolt_ons: BoltOns) -> FixtureF:
    """Fixture F: the database and the studio of whoever asks for it have it in them."""
    return FixtureF(bolt_ons, tmp_path_factory.mktemp("fixture_f"))


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """The database under test; each test that asks for it runs on both."""
    found: Kind = request.param
    return found


@pytest.fixture
def furnished(request: pytest.FixtureRequest) -> FixtureF | None:
    """Fixture F if the test, or any fixture of it, asks for that."""
    if "fixture_f" in request.fixturenames:
        return cast("FixtureF", request.getfixturevalue("fixture_f"))
    return None


@pytest.fixture
async def database_url(
    kind: Kind, templates: Templates, furnished: FixtureF | None
) -> AsyncIterator[str]:
    """A migrated database without rows; whatever was done to it, the invariants must hold."""
    seed = furnished.seed(kind) if furnished else None
    async with templates.database(kind, seed) as url:
        yield url
        assert await broken(url) == {}


@pytest.fixture
def gateway() -> StripeGateway | None:
    """The way to a double of Stripe, for tests that have one."""
    return None


@pytest.fixture
async def studio(
    kind: Kind,
    database_url: str,
    furnished: FixtureF | None,
    tmp_path: Path,
    bolt_ons: BoltOns,
    gateway: StripeGateway | None,
) -> AsyncIterator[Studio]:
    """An account called northside with nothing in it, served over HTTP."""
    clock = Clock()
    database = Database(database_url, bolt_ons)
    async with serving(database, tmp_path, bolt_ons, clock, gateway=gateway) as (
        client,
        settings,
    ):
        if furnished:
            yield furnished.studio(kind, client, settings, database, clock)
        else:
            yield await open_studio("northside", client, settings, database, clock)


@pytest.fixture
def northside(fixture_f: FixtureF, studio: Studio) -> Studio:
    """Fixture F: both bolt-ons on, two levels, four courses, three buyers."""
    del fixture_f  # to ask for it is enough
    return studio


@pytest.fixture
async def southside(northside: Studio) -> Studio:
    """Another account on the same server, its bolt-ons off."""
    return await open_studio(
        "southside", northside.client, northside.settings, northside.database, northside.clock
    )


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Let each worker be measured once only.

    Coverage begins there as in any process, and as in any run of tests, and below it a third
    time, which would be the only one to end for what is not to be measured.
    """
    if hasattr(session.config, "workerinput"):
        while begun := Coverage.current():
            begun.stop()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect tests without measuring: all of ours that they import has been imported here."""
    with _unmeasured():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, bool, bool]:
    """Measure what a test runs, its fixtures too, or nothing of it at all."""
    with nullcontext() if _is_measured(item) else _unmeasured():
        return (yield)


@pytest.fixture(autouse=True)
def _processes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the processes that a test starts be measured if itself is."""
    if not _is_measured(request.node):
        monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)


@contextmanager
def _unmeasured() -> Iterator[None]:
    """Do not measure what is run meanwhile."""
    measuring = Coverage.current()
    if measuring:
        measuring.stop()
    try:
        yield
    finally:
        if measuring:
            measuring.start()


def _is_measured(item: pytest.Item) -> bool:
    """Say whether a test may come by something new: most only repeat on the other database."""
    folder = item.path.relative_to(TESTS).parts[0]
    if item.get_closest_marker("unmeasured") or folder in UNMEASURED:
        return False
    return "sqlite" not in item.name or item.path.stem in MEASURED_ON_BOTH


def pytest_collection_finish() -> None:
    """Spare the tests what each of them would do again.

    The garbage collector need not go through all that was imported, nor SQLAlchemy compile the
    same statements for each database.
    """
    gc.freeze()
    share()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests passed on which database."""
    passed = [report.nodeid for report in terminalreporter.stats.get("passed", [])]
    for database in ("sqlite", "postgresql"):
        count = sum(database in nodeid.partition("[")[2] for nodeid in passed)
        terminalreporter.write_line(f"{database}: {count} passed")
