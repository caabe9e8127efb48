"""What tests of the command line begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from installation import HEADS, Installation

GONE = "[classbolt.bolt_ons]\ngone = a_module_that_is_gone:Gone\n"


@pytest.fixture
def empty(tmp_path: Path) -> Installation:
    """An installation that was never migrated.

    One to a test: a command may leave an empty database in it.
    """
    return Installation(tmp_path)


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


@pytest.fixture
def bolt_on_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an installed distribution offer a bolt-on that is no longer there."""
    package = tmp_path / "gone-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: gone\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text(GONE)
    monkeypatch.syspath_prepend(tmp_path)
