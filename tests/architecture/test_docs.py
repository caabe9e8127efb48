"""What the pages say is so: links, documents, refusals, settings, limits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from graphql import NoUnusedFragmentsRule, build_schema, parse, specified_rules, validate
from strawberry.utils.str_converters import to_camel_case

from classbolt import errors
from classbolt.bolt_ons import BoltOns
from classbolt.config import PREFIX, Settings
from classbolt.errors import Refusal
from classbolt_schema import pagination, queries
from classbolt_schema.compose import schema as composed
from classbolt_schema.compose.extension import SchemaExtension
from classbolt_schema.server import http, limits
from classbolt_schema.server.protocol import DeadlineH11
from pages import ROOT, blocks, pages, read, rows, section, words

DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
HEADINGS = ["Context", "Decision", "Consequences", "Alternatives"]
LONGEST_DECISION = 60
OF_EXAMPLES = "closesBefore"
"""The worked example's own field, which is tried with the example."""


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", list(pages()), ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8"))

    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", list(pages()), ids=named)
def test_graphql_fits_the_schema(page: Path, bolt_ons: BoltOns) -> None:
    sdl = composed.export_sdl(composed.build_schema(bolt_ons.installed.values()))
    schema = build_schema(sdl)
    rules = [rule for rule in specified_rules if rule is not NoUnusedFragmentsRule]
    written = blocks(page.read_text("utf-8"), "graphql")

    found = {
        document: validate(schema, parse(document), rules)
        for document in written
        if OF_EXAMPLES not in document
    }

    assert {document: wrong for document, wrong in found.items() if wrong} == {}


def listed(title: str) -> dict[str, set[str]]:
    """Give the codes that a section of the list of refusals has, each with its facts."""
    found = rows(section(read("docs/refusals.md"), title))
    return {words(code)[0]: set(words(facts)) for code, _, facts in found}


def told(refusals: Sequence[type[Refusal]]) -> dict[str, set[str]]:
    return {each.code: {to_camel_case(fact) for fact in each.facts} for each in refusals}


def test_every_refusal_of_core_is_listed_with_its_facts() -> None:
    assert listed("Core's") == told(errors.ALL)


@pytest.mark.parametrize(
    ("code", "title"), [("auto_refund", "Auto-refund's"), ("drop_in", "Drop-in's")]
)
def test_every_refusal_of_a_bolt_on_is_listed_with_its_facts(
    code: str, title: str, bolt_ons: BoltOns
) -> None:
    extension = SchemaExtension(code)
    bolt_ons.installed[code].extend_schema(extension)
    registered = {type_.__name__.removesuffix("Error") for type_ in extension.types}
    ours = [
        each
        for each in Refusal.__subclasses__()
        if each.__module__.startswith(f"classbolt_{code}.") and each.__name__ in registered
    ]

    assert len(ours) == len(registered)
    assert listed(title) == told(ours)


def test_every_code_of_a_request_error_is_listed() -> None:
    text = section(read("docs/refusals.md"), "Requests that never reach the rules")

    assert {*http.CODES.values(), limits.TOO_COMPLEX} - {"NOT_FOUND"} <= set(words(text))


def test_every_setting_is_explained() -> None:
    explained = [
        words(variable)[0]
        for variable, *_ in rows(section(read("docs/operating.md"), "Settings"))
    ]

    variables = [
        setting.validation_alias or PREFIX + name.upper()
        for name, setting in Settings.model_fields.items()
    ]
    assert explained == variables


def test_the_limits_are_the_ones_that_hold() -> None:
    text = section(read("docs/operating.md"), "Limits of a request")

    assert [int(number) for number in re.findall(r"\d+", text)] == [
        http.MAX_BODY_BYTES,
        int(DeadlineH11.receipt_seconds),
        limits.MAX_DOCUMENT_BYTES,
        limits.MAX_TOKENS,
        limits.MAX_DEPTH,
        limits.MAX_FIELDS,
        limits.MAX_ALIASES,
        limits.MAX_ROOT_MUTATIONS,
        http.MAX_VARIABLES,
        pagination.MOST,
        pagination.USUAL,
        queries.MOST_NODES,
    ]


@pytest.mark.parametrize("page", DECISIONS, ids=named)
def test_a_decision_is_short_and_says_what_else_there_was(page: Path) -> None:
    text = page.read_text("utf-8")

    assert text.startswith(f"# {page.name[:4]}: ")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == HEADINGS
    assert len(text.splitlines()) < LONGEST_DECISION


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [int(page.name[:4]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))
