"""Every rule that we keep has a test that names it, and the page of the rules says which."""

from __future__ import annotations

import ast
import re
from collections import Counter

import pytest

from rules import PAGE, ROOT, cited, groups, page, where_shown

MISSING: set[str] = set()
"""Rules that are being built: they have no test yet. None may be here for long."""

RULES = {rule.number: rule for rules in groups().values() for rule in rules}


def test_the_page_is_up_to_date() -> None:
    assert page() == PAGE.read_text("utf-8"), "run `make rules`"


def test_a_rule_that_is_kept_has_a_test_that_names_it() -> None:
    tests = where_shown()

    untested = {rule.number for rule in RULES.values() if not rule.later} - {*tests}

    assert untested <= MISSING


def test_a_rule_that_comes_later_is_named_by_no_test() -> None:
    later = {rule.number for rule in RULES.values() if rule.later}

    assert later & {*where_shown()} == set()


def test_a_number_that_is_named_is_that_of_a_rule() -> None:
    places = {
        number: file.name
        for folder in ("core", "plugins", "schema", "tests")
        for file in (ROOT / folder).rglob("*.py")
        for number in cited(_docstrings(file.read_text("utf-8")))
        if number not in RULES
    }

    assert places == {}


def test_a_number_is_given_once_and_in_its_group() -> None:
    for title, rules in groups().items():
        assert [rule.number[0] for rule in rules] == [title[0]] * len(rules)
    numbers = Counter(rule.number for rules in groups().values() for rule in rules)
    assert numbers.most_common(1)[0][1] == 1


def test_a_rule_is_one_sentence() -> None:
    for rule in RULES.values():
        assert re.fullmatch(r"[A-Z][^.]+\.", rule.says), rule.number


@pytest.mark.parametrize(
    ("docstring", "numbers"),
    [
        ("B2, X2: and one microsecond later is not.", ["B2", "X2"]),
        ("S12 (a), X11: to the same bundle.", ["S12", "X11"]),
        ("It stays on the list (I5).", ["I5"]),
        ("J1-J3, E4 to E5.", ["J1", "J2", "J3", "E4", "E5"]),
        ("C, C3: the table.", ["C", "C3"]),
        ("C: the table.", ["C"]),
        ("What comes back (C).", ["C"]),
        ("Written in C or B, not at UTF-8, nor for a US$5 of S3A, in 2027-B2.", []),
    ],
)
def test_what_is_read_off_a_docstring(docstring: str, numbers: list[str]) -> None:
    assert list(cited(docstring)) == numbers


def test_a_range_stays_in_its_group() -> None:
    with pytest.raises(ValueError, match="is no range"):
        list(cited("E1 to F2."))


def _docstrings(source: str) -> str:
    """Give all docstrings of a file."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    found = [ast.get_docstring(n) for n in ast.walk(ast.parse(source)) if isinstance(n, kinds)]
    return "\n".join(each for each in found if each)
