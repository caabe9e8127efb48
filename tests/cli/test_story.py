"""The story that must work, played as a user plays it: `classbolt story`, in a process."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import classbolt_drop_in
from classbolt.bolt_ons import ENTRY_POINTS
from classbolt.testing.postgres import PostgresServer
from installation import Installation

COMMAND = "from classbolt_schema.server.cli import main; main()"
SECONDS = 180

CARELESS = '''
"""A drop-in that forgot about tags."""

from dataclasses import replace

from classbolt_drop_in import DropIn
from classbolt_drop_in.matching import TagMismatch


class Careless(DropIn):
    async def payment_options(self, tx, drafts, now):
        return [
            [
                replace(
                    option,
                    refusals=tuple(
                        each for each in option.refusals if not isinstance(each, TagMismatch)
                    ),
                )
                if option.action
                else option
                for option in options
            ]
            for options in await super().payment_options(tx, drafts, now)
        ]
'''


def play(data: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Play the story in a clean environment and say how it ended."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if name != "DATABASE_URL" and not name.startswith("CLASSBOLT_")
    }
    return subprocess.run(
        [sys.executable, "-c", COMMAND, "story"],
        cwd=data,
        env=ours | environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def installed(folder: Path, **bolt_ons: str) -> str:
    """Make an installation of Classbolt that offers other bolt-ons, as a PYTHONPATH."""
    here = folder / "classbolt-0.1.0.dist-info"
    here.mkdir()
    (here / "METADATA").write_text("Metadata-Version: 2.1\nName: classbolt\nVersion: 0.1.0\n")
    lines = [f"{code} = {place}" for code, place in bolt_ons.items()]
    (here / "entry_points.txt").write_text("\n".join([f"[{ENTRY_POINTS}]", *lines, ""]))
    return str(folder)


def ours() -> dict[str, str]:
    return {each.name: each.value for each in entry_points(group=ENTRY_POINTS)}


def test_the_story_holds_on_a_new_file(tmp_path: Path) -> None:
    played = play(tmp_path)

    assert played.returncode == 0, played.stdout + played.stderr
    assert "The story holds" in played.stdout
    assert "✗" not in played.stdout
    assert played.stderr == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.unmeasured  # the story is measured where it holds
async def test_the_story_holds_on_postgresql_again_and_again(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    name = f"story_{secrets.token_hex(4)}"
    await postgres.create_database(name)
    try:
        for _ in range(2):
            played = play(tmp_path, DATABASE_URL=postgres.url(name))

            assert played.returncode == 0, played.stdout + played.stderr
    finally:
        await postgres.drop_database(name)


@pytest.mark.unmeasured  # the story is measured where it holds
def test_without_one_of_the_bolt_ons_the_story_breaks_where_it_is_needed(
    tmp_path: Path,
) -> None:
    drop_in = {"drop_in": ours()["drop_in"]}

    played = play(tmp_path, PYTHONPATH=installed(tmp_path, **drop_in))

    assert played.returncode == 1
    assert (
        played.stderr == "classbolt: the story breaks: step 1: The bolt-on auto_refund is on.\n"
    )


@pytest.mark.unmeasured  # the story is measured where it holds
def test_with_a_bolt_on_that_forgets_a_rule_the_story_breaks_at_that_rule(
    tmp_path: Path,
) -> None:
    (tmp_path / "careless.py").write_text(CARELESS)
    shutil.copytree(
        Path(classbolt_drop_in.__file__).with_name("migrations"), tmp_path / "migrations"
    )
    swapped = ours() | {"drop_in": "careless:Careless"}

    played = play(tmp_path, PYTHONPATH=installed(tmp_path, **swapped))

    assert played.returncode == 1
    assert "why her credit is not for the advanced course" in played.stderr


def test_nobody_plays_in_production(tmp_path: Path) -> None:
    production = Installation(tmp_path).in_production()

    assert "does not exist in production" in production.refuses("story")
