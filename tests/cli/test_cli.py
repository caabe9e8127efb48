"""The command line, as a person or a container runs it: real processes on a fresh database."""

from __future__ import annotations

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

from classbolt_schema.server import cli

CLASSBOLT = Path(sys.executable).with_name("classbolt")
SDL = Path(__file__).parents[2] / "schema" / "schema.graphql"
START_SECONDS = 60
STOP_SECONDS = 30

HEADS = [
    *(f"core {number}" for number in ("0001", "0002", "0003")),
    *(f"{code} {number}" for code in ("auto_refund", "drop_in") for number in ("0001", "0002")),
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
            if not name.startswith("CLASSBOLT_") and name != "DATABASE_URL"
        }
        return {**inherited, "CLASSBOLT_DATA": str(self.folder / "data"), **self.settings}

    def run(self, *arguments: str) -> Done:
        """Run a command to its end, in this process: starting one takes longer than most."""
        out, err, code = StringIO(), StringIO(), 0
        with pytest.MonkeyPatch.context() as here, redirect_stdout(out), redirect_stderr(err):
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
    def serving(self, *arguments: str) -> Iterator[Server]:
        """Serve on a free port until the end, then stop the server as a container is."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        output, log = self.folder / "output", self.folder / "log"
        with output.open("w") as out, log.open("w") as err:
            process = subprocess.Popen(
                [CLASSBOLT, "serve", "--port", str(port), *arguments],
                env=self.environment,
                cwd=self.folder,
                stdout=out,
                stderr=err,
            )
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
                server = Server(process, client, output, log)
                server.wait_until_ready()
                yield server
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(STOP_SECONDS)
        assert code == 0, log.read_text()


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


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation that was never migrated."""
    return Installation(tmp_path_factory.mktemp("empty"))


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation with an account in it."""
    installation = Installation(tmp_path_factory.mktemp("opened"))
    assert installation.does("migrate").splitlines() == HEADS
    assert installation.does("account", "create", "studio", "--name", "Studio") == (
        "Opened studio."
    )
    return installation


@pytest.fixture(scope="module")
def owner(opened: Installation) -> str:
    """The id of somebody who runs the account."""
    return opened.does(
        "staff", "add", "--account", "studio", "--name", "Olga", "--role", "OWNER"
    )


def test_a_database_that_is_not_migrated_is_not_served(empty: Installation) -> None:
    said = said_no(empty.start("serve"))

    assert said == f"migrations are pending ({', '.join(HEADS)}): classbolt migrate"
    assert not (empty.folder / "data" / "classbolt.db").exists()


def test_a_database_of_a_newer_release_is_left_alone(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    installation.does("migrate")
    with closing(sqlite3.connect(tmp_path / "data" / "classbolt.db")) as database:
        database.execute("UPDATE core_schema_version SET version_num = '0007'")
        database.commit()

    assert "'0007'" in installation.refuses("migrate")


def test_migrating_twice_does_nothing(opened: Installation) -> None:
    assert opened.does("migrate") == "Nothing to do."


def test_an_account_that_cannot_be_opened_is_refused(opened: Installation) -> None:
    for arguments, said in (
        (["Studio One", "--name", "Studio"], "A slug is 3 to 40 lower-case letters"),
        (["two", "--name", "Studio", "--time-zone", "Mars/Base"], "This is not a time zone"),
        (["two", "--name", "Studio", "--currency", "pounds"], "A currency is three capital"),
        (["two", "--name", " "], "A name is 1 to 200 characters."),
    ):
        assert opened.refuses("account", "create", *arguments).startswith(said)
    twice = opened.start("account", "create", "studio", "--name", "Studio")
    assert said_no(twice) == "There is an account of this slug already."


def test_staff_are_added_to_an_account_that_exists(opened: Installation) -> None:
    assert opened.refuses("staff", "add", "--account", "nowhere", "--name", "Olga") == (
        "There is no such account."
    )


def test_tokens_are_given_to_people_of_the_account(opened: Installation, owner: str) -> None:
    unknown = "There is nothing with this id."

    assert opened.refuses("token", "--account", "studio", "--staff", "nobody") == unknown
    assert opened.refuses("token", "--account", "studio", "--customer", owner) == unknown
    neither = opened.run("token", "--account", "studio")
    assert neither.code == 2
    assert "Name a customer or a member of staff." in neither.err


def test_production_knows_no_tokens_of_ours_and_no_demo(
    opened: Installation, owner: str
) -> None:
    production = opened.in_production()
    refused = "the development issuer does not exist in production"

    token = production.refuses("token", "--account", "studio", "--staff", owner)
    demo = said_no(production.start("serve", "--demo"))

    assert token.startswith(refused)
    assert demo.startswith(refused)
    assert opened.refuses("bolt-ons", "list", "--account", "northside") == (
        "There is no such account."
    )


def test_bolt_ons_are_listed_and_switched(opened: Installation) -> None:
    of_studio = ("--account", "studio")

    def shown() -> list[str]:
        lines = opened.does("bolt-ons", "list", *of_studio).splitlines()
        return [" ".join(line.split()[:2]) for line in lines]

    assert shown() == ["off auto_refund", "off drop_in"]
    assert opened.does("bolt-ons", "enable", "drop_in", *of_studio) == "drop_in is on."
    assert shown() == ["off auto_refund", "on drop_in"]
    assert opened.does("bolt-ons", "disable", "drop_in", *of_studio) == "drop_in is off."
    assert opened.refuses("bolt-ons", "enable", "waitlist", *of_studio) == (
        "No bolt-on of this name is installed."
    )


def test_the_schema_that_is_exported_is_the_one_that_is_kept(opened: Installation) -> None:
    exported = opened.run("schema", "export")

    assert exported == Done(0, SDL.read_text("utf-8"), "")


def test_a_setting_that_is_misspelt_is_named(opened: Installation) -> None:
    misspelt = Installation(opened.folder, {"CLASSBOLT_ISUER": "https://id.example"})

    assert misspelt.refuses("migrate") == (
        "CLASSBOLT_ISUER is not a setting of Classbolt; did you mean CLASSBOLT_ISSUER?"
    )


def test_what_was_set_up_is_served_until_it_is_stopped(
    opened: Installation, owner: str
) -> None:
    token = opened.does("token", "--account", "studio", "--staff", owner)

    with opened.serving() as server:
        assert server.ask("studio", "{ account { name } }") == {"account": {"name": "Studio"}}
        assert server.ask("studio", "{ customers { edges { cursor } } }", token) == {
            "customers": {"edges": []}
        }


def test_the_demo_prints_tokens_that_work_in_all_its_processes(
    tmp_path: Path,
) -> None:
    me = "{ me { name bookings(first: 9) { edges { node { way } } } } }"

    with Installation(tmp_path).serving("--demo", "--workers", "2") as server:
        printed = [line.strip() for line in server.output.read_text().splitlines()]
        ana = printed[printed.index("Ana, who bought the Mondays:") + 1]
        owner = printed[printed.index("The owner:") + 1]

        for _ in range(6):
            found = server.ask("northside", me, ana)["me"]
            assert found["name"] == "Ana"
            assert len(found["bookings"]["edges"]) == 6
        names = server.ask("northside", "{ customers { edges { node { name } } } }", owner)
        assert len(names["customers"]["edges"]) == 3
        assert server.client.base_url.port is not None
        assert str(server.client.base_url.port) in server.output.read_text()
