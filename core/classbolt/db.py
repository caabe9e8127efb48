"""Open transactions: the only file that begins, commits and rolls back.

Writes: SQLite has one write connection per process and takes the write lock at once (BEGIN
IMMEDIATE), because a transaction that read first and wrote later could only fail; PostgreSQL
locks rows. Reads: one snapshot per request, on connections of their own. A write runs as a task
of its own under a shield: a request that is cancelled in the middle of a statement would
otherwise leave the write lock held and stop the whole studio.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Executable, Result, Table, event, insert, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from classbolt.accounts import OPEN_ACCOUNT, Account, Caller, open_account
from classbolt.bolt_ons import BoltOns
from classbolt.columns import AnyRow
from classbolt.contention import is_contention
from classbolt.errors import TryAgain
from classbolt.values import Actor, new_id

__all__ = ["Caller", "Database", "Tx"]

T = TypeVar("T")
Params = Mapping[str, Any]

ATTEMPTS = 3
LOCK_WAIT_SECONDS = 3
CLOSE_SECONDS = 15


class Tx:
    """An open transaction of one account; what touches the database takes it first.

    Attributes:
        account: The account as this transaction sees it, with the bolt-ons that are on.
        actor: Who opened it.
        bolt_ons: The account's bolt-ons, ready to be asked.
        writes: Whether it can write, and lock; a snapshot cannot.
        has_promised: Whether there is work to do once it is committed.
        correlation_id: Ties together all that this transaction writes into histories.
    """

    def __init__(
        self,
        connection: AsyncConnection,
        account: Account,
        actor: Actor,
        bolt_ons: BoltOns,
        *,
        writes: bool,
    ) -> None:
        self._connection = connection
        # Siblings of a GraphQL query ask at the same time; a connection answers one after the
        # other.
        self._turn = asyncio.Lock()
        self.account = account
        self.actor = actor
        self.bolt_ons = bolt_ons.enabled(account.enabled)
        self.writes = writes
        self.has_promised = False
        self.correlation_id = new_id()

    async def execute(self, statement: Executable, params: Params | None = None) -> Result[Any]:
        """Run a statement.

        Its parameter `account`, if it has one, is always the transaction's own account.
        """
        async with self._turn:
            return await self._connection.execute(
                statement, {**(params or {}), "account": self.account.id}
            )

    async def all(
        self, statement: Executable, params: Params | None = None
    ) -> Sequence[AnyRow]:
        """Run a statement and give its rows."""
        return (await self.execute(statement, params)).all()

    async def one(self, statement: Executable, params: Params | None = None) -> AnyRow | None:
        """Run a statement and give its only row, if there is one."""
        return (await self.execute(statement, params)).one_or_none()

    async def scalar(self, statement: Executable, params: Params | None = None) -> Any:
        """Run a statement and give its only value, if there is one."""
        return (await self.execute(statement, params)).scalar_one_or_none()

    async def insert(self, table: Table, *rows: Params) -> None:
        """Insert rows of the account into one of its tables."""
        owned = [{**row, "account_id": self.account.id} for row in rows]
        async with self._turn:
            await self._connection.execute(insert(table), owned)

    async def insert_new(self, table: Table, *rows: Params) -> int:
        """Insert the rows that no unique constraint has yet, and say how many those were."""
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(table).on_conflict_do_nothing().returning(table.c.account_id)
        owned = [{**row, "account_id": self.account.id} for row in rows]
        async with self._turn:
            return len((await self._connection.execute(statement, owned)).all())

    async def lock(self, statement: Executable, params: Params | None = None) -> None:
        """Lock the rows that a SELECT ... FOR UPDATE names.

        On SQLite the writer is alone already.
        """
        if self._connection.dialect.name != "sqlite":
            await self.execute(statement, params)


class Database:
    """The engines behind one database address.

    Attributes:
        promised: Set when a transaction of this process has promised work and is committed.
    """

    def __init__(self, url: str, bolt_ons: BoltOns) -> None:
        self.url = url
        self._bolt_ons = bolt_ons
        self._writer, self._reader = _engines(url)
        self._writing: set[asyncio.Task[Any]] = set()
        self.promised = asyncio.Event()

    async def write(self, caller: Caller, work: Callable[[Tx], Awaitable[T]]) -> T:
        """Do the work in one write transaction and commit it, or leave everything as it was.

        The work may be done again from its beginning when others wanted the same rows at the
        same moment, so all that it does must go through its `tx`.

        Raises:
            TryAgain: The rows stayed contended.
        """
        task = asyncio.create_task(self._write(caller, work))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        return await asyncio.shield(task)

    async def _write(self, caller: Caller, work: Callable[[Tx], Awaitable[T]]) -> T:
        for _ in range(ATTEMPTS):
            try:
                async with self._writer.connect() as connection, connection.begin():
                    tx = await self._open(connection, caller, writes=True)
                    result = await work(tx)
            except PoolTimeout:
                break
            except DBAPIError as error:
                if not is_contention(error):
                    raise
            else:
                if tx.has_promised:
                    self.promised.set()
                return result
        raise TryAgain

    @asynccontextmanager
    async def read(self, caller: Caller) -> AsyncIterator[Tx]:
        """Open one snapshot to read from.

        Raises:
            TryAgain: Too many others are reading.
        """
        async with AsyncExitStack() as stack:
            try:
                connection = await stack.enter_async_context(self._reader.connect())
            except PoolTimeout as full:
                raise TryAgain from full
            await stack.enter_async_context(connection.begin())
            yield await self._open(connection, caller, writes=False)

    @asynccontextmanager
    async def look(self) -> AsyncIterator[AsyncConnection]:
        """Open one snapshot of what belongs to all accounts, to examine it."""
        async with self._reader.connect() as connection, connection.begin():
            yield connection

    async def run(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Do work that belongs to no account, such as opening one, in one write transaction."""
        async with self._writer.connect() as connection, connection.begin():
            return await work(connection)

    @property
    def engines(self) -> tuple[AsyncEngine, AsyncEngine]:
        """Give the engine that writes and the one that reads, to observe what they run."""
        return self._writer, self._reader

    async def close(self) -> None:
        """Wait a while for writes under way, then close all connections."""
        if self._writing:
            await asyncio.wait(self._writing, timeout=CLOSE_SECONDS)
        await self._writer.dispose()
        await self._reader.dispose()

    async def _open(self, connection: AsyncConnection, caller: Caller, *, writes: bool) -> Tx:
        found = await connection.execute(
            OPEN_ACCOUNT,
            {"slug": caller.account, "issuer": caller.issuer, "subject": caller.subject},
        )
        account, actor = open_account(caller, found.all())
        return Tx(connection, account, actor, self._bolt_ons, writes=writes)


def _engines(url: str) -> tuple[AsyncEngine, AsyncEngine]:
    """Make the engine that writes and the one that reads."""
    if make_url(url).get_backend_name() == "sqlite":
        return _sqlite_engine(url, writes=True), _sqlite_engine(url, writes=False)
    engine = create_async_engine(
        url,
        pool_size=10,
        max_overflow=0,
        hide_parameters=True,
        connect_args={
            "server_settings": {"lock_timeout": f"{LOCK_WAIT_SECONDS}s", "timezone": "UTC"}
        },
    )
    return engine, engine.execution_options(
        isolation_level="REPEATABLE READ", postgresql_readonly=True
    )


def _sqlite_engine(url: str, *, writes: bool) -> AsyncEngine:
    if path := make_url(url).database:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(
        url,
        pool_size=1 if writes else 8,
        max_overflow=0,
        hide_parameters=True,  # an error in the log must not show what customers typed
    )

    @event.listens_for(engine.sync_engine, "connect")
    def set_up(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver must not begin transactions by itself
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "secure_delete=ON",  # what was erased must not linger in the file (X26)
            "foreign_keys=ON",  # without it a row that points into another account is accepted
            f"busy_timeout={LOCK_WAIT_SECONDS * 1000}",
            f"query_only={'OFF' if writes else 'ON'}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
