"""The rules that Classbolt holds to, and the tests that show each: they name its number.

A number anywhere in the docstring of a test counts, and so does each of a range: B2, J1-J7,
E1 to E5. C alone, the table of what comes back, is cited with a colon or in brackets.
This file is also the program that writes docs/rules.md.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
RULES = ROOT / "docs" / "rules.toml"
PAGE = ROOT / "docs" / "rules.md"

NUMBER = r"(?<![\w-])([A-JSX])(\d+)"
CITATION = re.compile(rf"{NUMBER}(?:(?:-| to )([A-JSX])(\d+))?(?!\w)|(?<![\w-])(C)(?=[:,)])")

HEAD = """\
# Rules

What Classbolt holds to, and the tests that show it: their docstrings name the rule's number.
Made by `make rules` from [rules.toml](rules.toml) and the tests; do not edit it by hand.
"""


@dataclass(frozen=True, slots=True)
class Rule:
    """What Classbolt keeps, or will.

    Attributes:
        later: What the rule waits for; None if it is kept.
    """

    number: str
    says: str
    later: str | None = None


def groups() -> dict[str, list[Rule]]:
    """Read the rules, in their order, under the titles of their groups."""
    read = tomllib.loads(RULES.read_text("utf-8"))
    return {
        f"{group['letter']}. {group['title']}": [
            Rule(number, says) if isinstance(says, str) else Rule(number, **says)
            for number, says in group["rules"].items()
        ]
        for group in read["group"]
    }


def cited(docstring: str) -> Iterator[str]:
    """Give the numbers that a docstring names."""
    for letter, first, to, last, table in CITATION.findall(docstring):
        if table:
            yield table
        elif to and to != letter:
            raise ValueError(f"{letter}{first} to {to}{last} is no range")
        else:
            yield from (f"{letter}{n}" for n in range(int(first), int(last or first) + 1))


def where_shown() -> Mapping[str, list[str]]:
    """Give for each number that is cited the tests that cite it, as pytest names them."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if node.name.startswith("test_"):
                name = f"{file.relative_to(ROOT).as_posix()}::{node.name}"
                for number in dict.fromkeys(cited(ast.get_docstring(node) or "")):
                    found[number].append(name)
    return found


def page() -> str:
    """Write the page."""
    tests = where_shown()
    return HEAD + "".join(
        f"\n## {title}\n" + "".join(f"\n{_entry(rule, tests)}" for rule in rules)
        for title, rules in groups().items()
    )


def _entry(rule: Rule, tests: Mapping[str, list[str]]) -> str:
    later = f" _Later, with {rule.later}._" if rule.later else ""
    lines = [f"**{rule.number}** {rule.says}{later}\n"]
    if rule.number in tests:
        lines += ["\n", *(f"- `{name}`\n" for name in tests[rule.number])]
    return "".join(lines)


if __name__ == "__main__":
    sys.stdout.write(page())
