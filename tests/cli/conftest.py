"""What tests of the command line begin with."""

from __future__ import annotations

import pytest

from installation import HEADS, Installation


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
