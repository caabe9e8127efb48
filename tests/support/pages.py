"""The pages that people read, and the code that stands in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = ("core", "docs", "plugins", "schema", "tests")


def pages() -> Iterator[Path]:
    """Give every page that we wrote."""
    yield from sorted(ROOT.glob("*.md"))
    for folder in OURS:
        yield from sorted((ROOT / folder).rglob("*.md"))


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def blocks(text: str, language: str) -> list[str]:
    """Give the code blocks of a language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def section(text: str, title: str) -> str:
    """Give what stands under a heading, up to the next one of its level."""
    _, _, rest = text.partition(f"\n## {title}\n")
    assert rest, f"there is no section {title}"
    return rest.partition("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    """Give the rows of all tables, without their heads, cell by cell."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    heads = {position - 1 for position, row in enumerate(cells) if set(row) == {"---"}}
    return [
        row
        for position, row in enumerate(cells)
        if position not in heads and set(row) != {"---"}
    ]


def words(text: str) -> list[str]:
    """Give what is marked as code."""
    return re.findall(r"`([^`\n]+)`", text)
