"""Work after the commit, done by processes of its own or by those that serve."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from classbolt.worker import POLL_SECONDS
from installation import START_SECONDS, Installation

HERALD = """
from pathlib import Path
from classbolt import BoltOn, BoltOnInfo

class Herald(BoltOn):
    info = BoltOnInfo("herald", "Herald", "It writes down what it is told.", "1.0.0")

    async def booking_placed(self, delivery, event):
        with Path(__file__).with_name("told").open("a") as told:
            told.write(f"{event.booking_id}\\n")
"""


@pytest.fixture
def heard(tmp_path: Path) -> Installation:
    """The demo studio, with a stranger's bolt-on installed and on."""
    (tmp_path / "herald_of_tests.py").write_text(HERALD)
    about = tmp_path / "herald-1.0.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: herald\nVersion: 1.0.0\n")
    (about / "entry_points.txt").write_text(
        "[classbolt.bolt_ons]\nherald = herald_of_tests:Herald\n"
    )
    return Installation(tmp_path, {"PYTHONPATH": str(tmp_path)})


def told(installation: Installation) -> list[str]:
    """Give what the bolt-on has been told."""
    file = installation.folder / "told"
    return file.read_text().split() if file.exists() else []


def is_told(installation: Installation, number: int) -> bool:
    """Wait until the bolt-on has been told so much, and nothing is promised any more."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if len(told(installation)) == number and installation.count("jobs") == 0:
            return True
        time.sleep(0.05)
    return False


def test_a_worker_refuses_a_database_that_is_not_migrated(empty: Installation) -> None:
    assert empty.refuses("worker").startswith("migrations are pending")


@pytest.mark.unmeasured  # each process is measured elsewhere
def test_what_was_promised_is_done_by_whoever_works_and_by_nobody_else(
    heard: Installation,
) -> None:
    """The demo's customers buy their courses while it is set up, before anything is served."""
    idle = Installation(heard.folder, {**heard.settings, "CLASSBOLT_WORKER": "false"})
    with idle.serving("--demo"):
        promised = idle.count("jobs")
        time.sleep(2 * POLL_SECONDS)
        assert idle.count("jobs") == promised == idle.count("bookings") > 1
        assert told(idle) == []

        with heard.running("worker"):
            assert is_told(heard, promised)
    assert len(set(told(heard))) == promised


def test_a_server_does_what_was_promised(heard: Installation) -> None:
    with heard.serving("--demo"):
        assert is_told(heard, heard.count("bookings"))
