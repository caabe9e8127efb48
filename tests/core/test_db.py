"""Transactions: all or nothing, of one account, whoever else wants the same rows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from datetime import timedelta

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from accounts_of import database_with
from classbolt import courses, customers
from classbolt.checks import mine
from classbolt.db import ATTEMPTS, Caller, Database, Tx
from classbolt.errors import NotFound, SessionFull, TryAgain, Unauthenticated
from classbolt.given import Given
from classbolt.tables import sessions, tags
from classbolt.testing.databases import Kind
from classbolt.values import ANONYMOUS, SYSTEM, Actor, Role, new_id
from studio import SOLD_ON

STUDIO = Caller("northside")
COUNT = select(func.count()).select_from(tags).where(mine(tags))
NAMES = select(tags.c.name).where(mine(tags)).order_by(tags.c.name)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with database_with(database_url, "northside", "southside") as database:
        yield database


async def add(tx: Tx, *names: str) -> None:
    for name in names:
        await tx.insert(tags, {"id": new_id(), "name": name, "created_at": SOLD_ON})


async def names(database: Database, account: str = "northside") -> list[str]:
    async with database.read(Caller(account)) as tx:
        return [row.name for row in await tx.all(NAMES)]


async def wait_less(database: Database, kind: Kind, milliseconds: int) -> None:
    """Make the connection that will be used next give up sooner on locks of others."""
    async with database.engines[0].connect() as connection:
        await connection.exec_driver_sql(
            f"PRAGMA busy_timeout = {milliseconds}"
            if kind == "sqlite"
            else f"SET lock_timeout = '{milliseconds}ms'"
        )
        await connection.commit()


@contextmanager
def failures(
    database: Database, after_each: Callable[[], None] = lambda: None
) -> Iterator[list[str]]:
    """Note what the database refuses to writers."""
    engine = database.engines[0].sync_engine
    found: list[str] = []

    def note(context: ExceptionContext) -> None:
        found.append(str(context.original_exception))
        after_each()

    event.listen(engine, "handle_error", note)
    try:
        yield found
    finally:
        event.remove(engine, "handle_error", note)


@asynccontextmanager
async def held_by_another(
    url: str, work: Callable[[Tx], Awaitable[object]]
) -> AsyncIterator[asyncio.Event]:
    """Let another process do this work first; it commits at the event, or at the end."""
    done, enough = asyncio.Event(), asyncio.Event()

    async def hold(tx: Tx) -> None:
        await work(tx)
        done.set()
        await enough.wait()

    async with database_with(url) as other:
        holder = asyncio.create_task(other.write(STUDIO, hold))
        await done.wait()
        try:
            yield enough
        finally:
            enough.set()
            await holder


# Who asks


async def test_an_account_that_does_not_exist_is_not_found(database: Database) -> None:
    with pytest.raises(NotFound):
        await database.write(Caller("eastside"), add)
    with pytest.raises(NotFound):
        async with database.read(Caller("eastside")):
            pass


async def test_a_person_whom_the_account_does_not_know_is_refused(database: Database) -> None:
    async def admit(tx: Tx) -> Actor:
        olga = await customers.add_staff(tx, "Olga", Role.MANAGER, now=SOLD_ON)
        await customers.admit(tx, "issuer", "olga", olga, is_staff=True, now=SOLD_ON)
        return Actor(staff_id=olga, role=Role.MANAGER)

    olga = await database.write(STUDIO, admit)

    async with database.read(Caller("northside", "issuer", "olga")) as tx:
        assert tx.actor == olga
    async with database.read(STUDIO) as tx:
        assert tx.actor is ANONYMOUS
    for stranger in (
        Caller("northside", "issuer", "nobody"),
        Caller("northside", "another issuer", "olga"),
        Caller("southside", "issuer", "olga"),
    ):
        with pytest.raises(Unauthenticated):
            await database.write(stranger, add)


# All or nothing


async def test_what_was_done_is_there_for_whoever_asks_next(database: Database) -> None:
    async def work(tx: Tx) -> str:
        await add(tx, "Beginners", "Advanced")
        return "done"

    assert await database.write(STUDIO, work) == "done"

    assert await names(database) == ["Advanced", "Beginners"]
    assert await names(database, "southside") == []


async def test_whatever_goes_wrong_leaves_everything_as_it_was(database: Database) -> None:
    for error in (SessionFull(), ZeroDivisionError()):

        async def work(tx: Tx, error: Exception = error) -> None:
            await add(tx, "Beginners")
            raise error

        with pytest.raises(type(error)):
            await database.write(STUDIO, work)

        assert await names(database) == []


async def test_a_transaction_has_a_name_of_its_own(database: Database) -> None:
    async def work(tx: Tx) -> object:
        return tx.correlation_id

    assert await database.write(STUDIO, work) != await database.write(STUDIO, work)


async def test_rows_that_are_there_already_are_passed_over(database: Database) -> None:
    def row(name: str) -> dict[str, object]:
        return {"id": new_id(), "name": name, "created_at": SOLD_ON}

    async def work(tx: Tx) -> list[int]:
        return [
            await tx.insert_new(tags, row("Beginners")),
            await tx.insert_new(tags, row("Beginners"), row("Advanced"), row("Children")),
            await tx.insert_new(tags, row("Beginners")),
        ]

    assert await database.write(STUDIO, work) == [1, 2, 0]
    assert await database.write(Caller("southside"), work) == [1, 2, 0]
    assert await names(database) == ["Advanced", "Beginners", "Children"]


# One account


async def test_the_database_refuses_a_row_that_points_into_another_account(
    database: Database,
) -> None:
    """J6."""

    async def add_course(tx: Tx) -> object:
        course = await courses.create_course(
            tx, SYSTEM, {"title": "Yoga", "price_minor": 0}, [], given=Given(), now=SOLD_ON
        )
        return course.id

    async def add_session(tx: Tx) -> None:
        row = {"starts_at": SOLD_ON, "ends_at": SOLD_ON + timedelta(hours=1), "capacity": 1}
        counts = {"over_capacity": 0, "seats_taken": 0, "created_at": SOLD_ON}
        await tx.insert(sessions, {"id": new_id(), "course_id": course, **row, **counts})

    course = await database.write(Caller("southside"), add_course)

    with pytest.raises(IntegrityError):
        await database.write(STUDIO, add_session)
    await database.write(Caller("southside"), add_session)


async def test_a_statement_is_about_the_transactions_own_account_whatever_it_is_given(
    database: Database,
) -> None:
    """J6."""
    await database.write(Caller("southside"), lambda tx: add(tx, "Theirs"))
    async with database.read(Caller("southside")) as tx:
        theirs = tx.account.id

    async with database.read(STUDIO) as tx:
        assert tx.account.id != theirs
        assert await tx.scalar(COUNT, {"account": theirs}) == 0


# Others at the same time


async def test_rows_that_stay_contended_are_given_up_after_some_attempts(
    database: Database, database_url: str, kind: Kind
) -> None:
    await wait_less(database, kind, 20)

    async with held_by_another(database_url, lambda tx: add(tx, "wanted by all")):
        with failures(database) as attempts, pytest.raises(TryAgain):
            await database.write(STUDIO, lambda tx: add(tx, "wanted by all"))

    assert len(attempts) == ATTEMPTS
    assert await names(database) == ["wanted by all"]


async def test_work_is_done_again_when_others_wanted_the_same_rows(
    database: Database, database_url: str, kind: Kind
) -> None:
    """The other one commits as soon as our first attempt has failed."""
    await wait_less(database, kind, 300)
    wanted = {"id": new_id(), "name": "wanted by all", "created_at": SOLD_ON}

    async with held_by_another(database_url, lambda tx: add(tx, "wanted by all")) as enough:
        with failures(database, enough.set) as attempts:
            found = await database.write(STUDIO, lambda tx: tx.insert_new(tags, wanted))

    assert found == 0
    assert 1 <= len(attempts) < ATTEMPTS


async def test_what_is_wrong_is_not_tried_again(database: Database) -> None:
    with failures(database) as attempts, pytest.raises(IntegrityError):
        await database.write(STUDIO, lambda tx: add(tx, "Beginners", "Beginners"))

    assert len(attempts) == 1


async def test_when_all_connections_are_taken_others_are_told_to_try_again(
    database: Database,
) -> None:
    for engine in database.engines:
        engine.sync_engine.pool._timeout = 0.05  # type: ignore[attr-defined]  # noqa: SLF001

    async with AsyncExitStack() as stack:
        for engine in database.engines:
            with suppress(PoolTimeout):
                while True:
                    await stack.enter_async_context(engine.connect())
        with pytest.raises(TryAgain):
            await database.write(STUDIO, add)
        with pytest.raises(TryAgain):
            await names(database)

    await names(database)
    await database.write(STUDIO, add)


# A request that is given up


async def test_a_request_that_is_cancelled_commits_all_or_nothing_and_holds_no_lock(
    database: Database,
) -> None:
    before = 0
    for steps in range(0, 60, 3):
        ten = [f"Tag {steps}.{number}" for number in range(10)]
        request = asyncio.create_task(
            database.write(STUDIO, lambda tx, ten=ten: add(tx, *ten))  # type: ignore[misc]
        )
        for _ in range(steps):
            await asyncio.sleep(0)

        request.cancel()
        await asyncio.gather(request, return_exceptions=True)

        async with asyncio.timeout(20):
            await database.write(Caller("southside"), lambda tx: tx.scalar(COUNT))
        await database.close()  # it waits for writes under way, and opens again by itself
        found = len(await names(database))
        assert found in {before, before + 10}
        before = found


async def test_a_write_goes_on_to_its_end_when_nobody_waits_for_it_any_more(
    database: Database,
) -> None:
    half, on = asyncio.Event(), asyncio.Event()

    async def work(tx: Tx) -> None:
        await add(tx, "Beginners")
        half.set()
        await on.wait()
        await add(tx, "Advanced")

    request = asyncio.create_task(database.write(STUDIO, work))
    await half.wait()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request

    assert await names(database) == []
    on.set()
    await database.close()
    assert await names(database) == ["Advanced", "Beginners"]


async def test_a_read_that_is_cancelled_gives_its_connection_back(database: Database) -> None:
    async def read() -> None:
        async with database.read(STUDIO) as tx:
            while True:
                await tx.scalar(COUNT)

    for _ in range(20):
        request = asyncio.create_task(read())
        await asyncio.sleep(0.005)
        request.cancel()
        await asyncio.gather(request, return_exceptions=True)

    async with asyncio.timeout(20):
        assert await names(database) == []


# Reading


async def test_reads_see_one_snapshot_whatever_is_written_meanwhile(database: Database) -> None:
    async with database.read(STUDIO) as tx:
        before = await tx.scalar(COUNT)
        await database.write(STUDIO, lambda tx: add(tx, "Beginners"))
        assert await names(database) == ["Beginners"]
        assert await tx.scalar(COUNT) == before == 0


async def test_a_snapshot_cannot_be_written_to(database: Database) -> None:
    async with database.read(STUDIO) as tx:
        with pytest.raises(DBAPIError, match=r"read-?only"):
            await add(tx, "Beginners")

    assert await names(database) == []


async def test_many_may_ask_one_transaction_at_once(database: Database) -> None:
    await database.write(STUDIO, lambda tx: add(tx, "Beginners"))

    async with database.read(STUDIO) as tx:
        found = await asyncio.gather(*(tx.scalar(COUNT) for _ in range(20)))

    assert found == [1] * 20


async def test_one_row_is_given_or_none(database: Database) -> None:
    await database.write(STUDIO, lambda tx: add(tx, "Beginners"))

    async with database.read(STUDIO) as tx:
        row = await tx.one(NAMES)
        nothing = await tx.one(NAMES.where(tags.c.name == "Advanced"))

    assert row is not None
    assert row.name == "Beginners"
    assert nothing is None


async def test_a_lock_that_is_asked_for_keeps_other_writers_waiting(
    database: Database, database_url: str, kind: Kind
) -> None:
    """On SQLite a writer is alone anyway; on PostgreSQL the rows are locked."""
    await database.write(STUDIO, lambda tx: add(tx, "Beginners"))
    await wait_less(database, kind, 20)
    lock = NAMES.with_for_update()

    async with held_by_another(database_url, lambda tx: tx.lock(lock)):
        with pytest.raises(TryAgain):
            await database.write(STUDIO, lambda tx: tx.lock(lock))
    await database.write(STUDIO, lambda tx: tx.lock(lock))
