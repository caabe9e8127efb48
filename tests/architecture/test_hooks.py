"""Every hook is documented as it is, and does what the page says."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable

import pytest

from classbolt.bolt_ons import HOOKS, BoltOn, BoltOns
from classbolt.hooks import AFTER, EXCLUSIVE, STARTUP
from pages import read, section

PAGE = "docs/hooks.md"
HEADING = re.compile(r"^### (\w+)\((.*?)\)$", re.MULTILINE)


def arguments(hook: str) -> list[str]:
    return list(inspect.signature(getattr(BoltOn, hook)).parameters)[1:]


def entry(hook: str) -> str:
    """Give what the page says about a hook."""
    _, _, rest = read(PAGE).partition(f"\n### {hook}(")
    return re.split(r"\n##", rest, maxsplit=1)[0]


def test_every_hook_is_documented_with_its_signature_in_the_order_of_the_code() -> None:
    documented = {
        name: given.split(", ") if given else [] for name, given in HEADING.findall(read(PAGE))
    }

    assert documented == {hook: arguments(hook) for hook in HOOKS}
    assert list(documented) == [name for name in vars(BoltOn) if name in HOOKS]


@pytest.mark.parametrize(
    ("phase", "belongs"),
    [
        ("Startup", lambda hook: hook in STARTUP),
        ("Read", lambda hook: hook not in STARTUP | AFTER and not hook.endswith("_written")),
        ("Write", lambda hook: hook.endswith("_written")),
        ("After", lambda hook: hook in AFTER),
    ],
)
def test_a_hook_stands_under_its_phase(phase: str, belongs: Callable[[str], bool]) -> None:
    found = {name for name, _ in HEADING.findall(section(read(PAGE), phase))}

    assert found == {hook for hook in HOOKS if belongs(hook)}


@pytest.mark.parametrize("hook", sorted(HOOKS))
def test_the_page_says_which_of_our_bolt_ons_use_a_hook(hook: str, bolt_ons: BoltOns) -> None:
    using = [
        code
        for code, bolt_on in bolt_ons.installed.items()
        if getattr(type(bolt_on), hook) is not getattr(BoltOn, hook)
    ]

    assert f"\nUsed by: {', '.join(using) or 'none of ours'}.\n" in entry(hook) + "\n"


def test_the_page_says_which_hooks_are_exclusive() -> None:
    assert {hook for hook in HOOKS if "Exclusive:" in entry(hook)} == EXCLUSIVE
