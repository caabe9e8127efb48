"""What an examination says: every check, what it found, and whether all is well."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is: a problem makes an installation unhealthy, a warning wants a look."""

    PROBLEM = "PROBLEM"
    WARNING = "WARNING"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is looked at.

    Attributes:
        code: Its name, SCREAMING_SNAKE: what is wrong if it finds something.
        rule: What is true as long as it finds nothing.
    """

    code: str
    rule: str
    severity: Severity = Severity.PROBLEM


@dataclass(frozen=True, slots=True)
class Example:
    """Where something is wrong; never what is written there, which may be personal.

    Attributes:
        id: The id of the row; None if it has none but its account's.
    """

    table: str
    account: int
    id: str | None


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: a sentence, how many there are of it, and where some of them are."""

    message: str
    count: int
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """How a check went.

    Attributes:
        finding: What is wrong, if anything is.
        is_done: Whether it could be made. After a problem with the database as such, the
            checks that come later are not.
    """

    check: Check
    finding: Finding | None
    is_done: bool


@dataclass(frozen=True, slots=True)
class Report:
    """The results of all checks, in the order in which they were made."""

    examined_at: datetime
    results: tuple[Result, ...]

    def found(self, severity: Severity) -> list[Result]:
        """Give the findings of a severity."""
        return [
            result
            for result in self.results
            if result.finding is not None and result.check.severity is severity
        ]

    @property
    def is_healthy(self) -> bool:
        """Say whether there is no problem; warnings do not count."""
        return not self.found(Severity.PROBLEM)
