"""What a refusal is: one way in which the rules say no.

A refusal is an answer, not a failure. Core raises it, the transaction it was raised in is
rolled back, and the edge shows it to the client under its `code`. Anything else that escapes is
a bug: masked for the client, loud for us.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import ClassVar, Self


class Refusal(Exception):
    """The rules say no.

    Attributes:
        code: The name clients see, SCREAMING_SNAKE.
        facts: What else clients may see of it: attribute name -> its type.
        hint: What the person who is refused can do about it, in a sentence, if anything.
        path: Where in the input the reason lies, if it lies in one place.
    """

    code: ClassVar[str]
    facts: ClassVar[Mapping[str, type]] = {}
    hint: ClassVar[str | None] = None

    def __init_subclass__(cls) -> None:
        """Hold every refusal to a code, when its class is made."""
        super().__init_subclass__()
        if not re.fullmatch(r"[A-Z][A-Z0-9_]{1,59}", getattr(cls, "code", "")):
            raise TypeError(f"{cls.__name__} needs a code in capitals, such as SESSION_FULL")

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.path: tuple[str | int, ...] = ()

    @property
    def reasons(self) -> tuple[Refusal, ...]:
        """Give the refusal as the only one of its kind, so that one and several read alike."""
        return (self,)

    def at(self, *path: str | int) -> Self:
        """Say where in the input the reason lies."""
        self.path = path
        return self


class Refusals(Exception):
    """Several reasons to say no at once, so that a customer need not meet them one by one."""

    def __init__(self, reasons: Iterable[Refusal]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("; ".join(reason.message for reason in self.reasons))


def refuse_if(reasons: Iterable[Refusal]) -> None:
    """Raise the reasons, if there are any.

    Raises:
        Refusals: There was at least one reason.
    """
    if found := tuple(reasons):
        raise Refusals(found)
