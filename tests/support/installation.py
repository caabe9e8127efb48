"""An installation in a folder, and its command line: real processes on a fresh database."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
import structlog

from classbolt_schema.server import cli

CLASSBOLT = Path(sys.executable).with_name("classbolt")
START_SECONDS = 120
STOP_SECONDS = 120
SCRIPTS = {"core": 10, "auto_refund": 3, "drop_in": 3}
HEADS = [
    f"{name} {number:04}" for name, most in SCRIPTS.items() for number in range(1, most + 1)
]


class Done(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


def said_no(done: Done) -> str:
    """Hold a "no" to its form: exit code 1, and one line for people on the error stream."""
    assert (done.code, done.out) == (1, "")
    (line,) = done.err.splitlines()
    assert line.startswith("classbolt: ")
    return line.removeprefix("classbolt: ")


@dataclass(frozen=True)
class Installation:
    """A folder with a database in it, and an environment that names no other."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("CLASSBOLT_", "STRIPE_")) and name != "DATABASE_URL"
        }
        return {**inherited, "CLASSBOLT_DATA": str(self.folder / "data"), **self.settings}

    def run(self, *arguments: str) -> Done:
        """Run a command to its end, in this process: starting one takes longer than most."""
        out, err, code = StringIO(), StringIO(), 0
        with (
            pytest.MonkeyPatch.context() as here,
            redirect_stdout(out),
            redirect_stderr(err),
            _logging_as_before(),
        ):
            for name in {*os.environ} - {*self.environment}:
                here.delenv(name)
            for name, value in self.environment.items():
                here.setenv(name, value)
            here.setattr(sys, "argv", ["classbolt", *arguments])
            try:
                cli.main()
            except SystemExit as end:
                code = int(end.code or 0)
        return Done(code, out.getvalue(), err.getvalue())

    def start(self, *arguments: str) -> Done:
        """Run a command to its end, in a process of its own, as a person would."""
        done = subprocess.run(
            [CLASSBOLT, *arguments],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=START_SECONDS,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def does(self, *arguments: str) -> str:
        """Run a command that succeeds and give what it prints."""
        done = self.run(*arguments)
        assert (done.code, done.err) == (0, "")
        return done.out.strip()

    def refuses(self, *arguments: str) -> str:
        """Run a command that says no, and give the one line it says."""
        return said_no(self.run(*arguments))

    def in_production(self) -> Installation:
        """The same, as it is set up for customers."""
        keys = self.folder / "jwks.json"
        keys.write_text('{"keys": []}')
        return Installation(
            self.folder,
            {
                "CLASSBOLT_ENV": "production",
                "CLASSBOLT_ISSUER": "https://id.example",
                "CLASSBOLT_JWKS_FILE": str(keys),
            },
        )

    @contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a command until the end, then stop it as a container is."""
        output, log = self.folder / "output", self.folder / "log"
        with output.open("w") as out, log.open("w") as err:
            process = subprocess.Popen(
                [CLASSBOLT, *arguments],
                env=self.environment,
                cwd=self.folder,
                stdout=out,
                stderr=err,
            )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                code = process.wait(STOP_SECONDS)
            finally:
                process.kill()  # which does nothing to one that has ended
                process.wait()
        assert code == 0, log.read_text()

    @contextmanager
    def serving(self, *arguments: str) -> Iterator[Server]:
        """Serve on a free port."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        with (
            self.running("serve", "--port", str(port), *arguments) as process,
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
        ):
            server = Server(process, client, self.folder / "output", self.folder / "log")
            server.wait_until_ready()
            yield server

    def count(self, table: str) -> int:
        """Count the rows of a table."""
        with closing(sqlite3.connect(self.folder / "data" / "classbolt.db")) as database:
            (found,) = database.execute(f"SELECT COUNT(*) FROM {table}").fetchone()  # noqa: S608
        return int(found)


@contextmanager
def _logging_as_before() -> Iterator[None]:
    """Take back how a command sets up the log of its whole process."""
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()  # which a command would close
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.configure(**before)


@dataclass(frozen=True)
class Server:
    """A server process and how to ask it."""

    process: subprocess.Popen[bytes]
    client: httpx.Client
    output: Path
    log: Path

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if self.client.get("/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError(self.log.read_text())

    def ask(self, account: str, document: str, token: str | None = None) -> dict[str, Any]:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        answer = self.client.post(
            f"/graphql/{account}", json={"query": document}, headers=headers
        )
        found: dict[str, Any] = answer.json()
        assert "errors" not in found, found
        return dict(found["data"])
