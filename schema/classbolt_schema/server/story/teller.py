"""Tell a story step by step: show what is asked and answered, and hold it to what should be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import typer

from classbolt_schema.ids import decode_any
from classbolt_schema.server.story.stage import Stage

SOMETHING: Final = object()
"""Stands in an expectation for whatever is not null."""


class StoryBroken(Exception):
    """A state is not as it should be; the message names the step."""


class Teller:
    """Asks, shows and checks.

    Attributes:
        stage: Where the story is played.
        steps: How many claims have held so far.
    """

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.steps = 0
        self._names: dict[str, str] = {}

    def name(self, id_: str, name: str) -> str:
        """Show a name in place of an id from now on, and give the id."""
        self._names[id_] = name
        return id_

    def chapter(self, title: str) -> None:
        """Begin a part of the story."""
        typer.echo(f"\n{title}\n{'-' * len(title)}")

    def do(
        self,
        claim: str,
        document: str,
        wanted: Mapping[str, Any],
        expected: Mapping[str, Any],
        *,
        as_: str,
    ) -> Any:
        """Run a mutation and give its payload. It succeeds unless user errors are expected."""
        all_expected = {"userErrors": [], **expected}
        return self.ask(claim, document, all_expected, as_=as_, input=wanted)

    def ask(
        self,
        claim: str,
        document: str,
        expected: Mapping[str, Any],
        *,
        as_: str | None,
        **variables: Any,
    ) -> Any:
        """Run a document with one root field and give what the field answers.

        Raises:
            StoryBroken: The answer is not as expected.
        """
        typer.echo(f"\n  {as_ or 'anybody'}: {' '.join(document.split())}")
        if variables:
            typer.echo(f"    with {self._shown(variables)}")
        answer = self.stage.ask(document, variables, as_)
        typer.echo(f"    gets {self._shown(answer)}")
        (found,) = (answer.get("data") or {None: None}).values()
        self.hold(claim, found, expected)
        return found

    def hold(self, claim: str, found: Any, expected: Any) -> None:
        """Check that what was found is as expected, and say so.

        Raises:
            StoryBroken: It is not.
        """
        holds = matches(found, expected)
        typer.echo(f"  {'✓' if holds else '✗'} {claim}")
        if not holds:
            raise StoryBroken(f"step {self.steps + 1}: {claim}")
        self.steps += 1

    def _shown(self, value: Any) -> str:
        return json.dumps(self._without_ids(value), ensure_ascii=False)

    def _without_ids(self, value: Any) -> Any:
        """Put names, or at least types, where ids are: nobody reads an id."""
        match value:
            case dict():
                return {key: self._without_ids(each) for key, each in value.items()}
            case list():
                return [self._without_ids(each) for each in value]
            case str() if value in self._names:
                return f"<{self._names[value]}>"
            case str() if found := decode_any(value):
                return f"<{found[0]} …{found[1].hex[-4:]}>"
        return value


def matches(found: Any, expected: Any) -> bool:
    """Say whether something is as expected; of an object, only what is expected counts."""
    if expected is SOMETHING:
        return found is not None
    if isinstance(expected, Mapping):
        return isinstance(found, Mapping) and all(
            key in found and matches(found[key], each) for key, each in expected.items()
        )
    if isinstance(expected, list):
        return (
            isinstance(found, list)
            and len(found) == len(expected)
            and all(map(matches, found, expected))
        )
    return bool(found == expected)
