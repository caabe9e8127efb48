"""The rules of the house that no linter knows."""

from __future__ import annotations

import ast
import io
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = ("core", "schema", "plugins")
BOLT_ONS = sorted(path.parent for path in (ROOT / "plugins").glob("*/classbolt_*"))

LONGEST_FILE = 400
LARGEST_BOLT_ON = 650
"""What each option needs from its table to the schema, and the checks of how it is set up."""

DB = "core/classbolt/db.py"

# Migrations run one after the other before anything is served: they have no `Tx` to stand in.
MAY_BEGIN = {DB, "core/classbolt/migrate.py"}

MAY_CATCH_EVERYTHING = {
    "core/classbolt/comparing.py": "reports it, and lets no payment keep all others waiting",
    "core/classbolt/dispatch.py": "names the bolt-on whose code failed",
    "core/classbolt/worker.py": "reports what failed, and has it done again",
    "schema/classbolt_schema/server/http.py": "masks a bug for the client and reports it to us",
}


def sources(*folders: str) -> Iterator[tuple[str, str]]:
    """Give the path and text of every source file; migrations are history and left alone."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if "/migrations/" not in name:
                yield name, path.read_text("utf-8")


def calls(method: str) -> Iterator[tuple[str, int]]:
    """Find where our code calls a method of that name, on whatever object."""
    for name, text in sources(*OURS):
        for node in ast.walk(ast.parse(text)):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == method
            ):
                yield name, node.lineno


def lines_of_code(text: str) -> int:
    """Count the lines that hold code: explaining it well must not count against a bolt-on."""
    quiet = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    held: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in quiet and not token.line.lstrip().startswith('"""'):
            held.update(range(token.start[0], token.end[0] + 1))
    return len(held)


def catches_everything(handler: ast.ExceptHandler) -> bool:
    """Say whether a handler stops what it does not know: to tidy up and raise again is fine."""
    raises_again = any(isinstance(node, ast.Raise) and not node.exc for node in handler.body)
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return not raises_again and any(
        kind is None
        or (isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"})
        for kind in caught
    )


def test_a_file_can_be_read_in_one_sitting() -> None:
    lengths = {name: text.count("\n") for name, text in sources(*OURS, "tests")}

    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}


@pytest.mark.parametrize("bolt_on", BOLT_ONS, ids=lambda path: path.name)
def test_a_bolt_on_stays_small(bolt_on: Path) -> None:
    lines = sum(lines_of_code(text) for _, text in sources(f"plugins/{bolt_on.name}"))

    assert lines <= LARGEST_BOLT_ON


def test_only_the_edge_commits() -> None:
    # A hook or a rule that commits half of a booking leaves the other half to luck.
    assert [place for place in calls("commit") if place[0] != DB] == []


def test_only_the_edge_begins_a_transaction() -> None:
    # Two transactions in one request can each see what the other has not done yet.
    assert [place for place in calls("begin") if place[0] not in MAY_BEGIN] == []


def test_nothing_swallows_what_it_does_not_know() -> None:
    found = [
        (name, node.lineno)
        for name, text in sources(*OURS)
        if name not in MAY_CATCH_EVERYTHING
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ExceptHandler) and catches_everything(node)
    ]

    assert found == []


@pytest.mark.parametrize(
    "folder",
    [ROOT / "core", ROOT / "schema", *BOLT_ONS],
    ids=lambda path: path.name,
)
def test_a_folder_says_why_it_is_there(folder: Path) -> None:
    assert (folder / "README.md").read_text("utf-8").strip()


def test_tests_are_not_packages() -> None:
    # pytest imports them by path; an __init__.py would give each a second name.
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_imports_follow_the_arrows() -> None:
    lint_imports = Path(sys.executable).with_name("lint-imports")

    outcome = subprocess.run(
        [lint_imports, "--no-cache", "--no-logo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
