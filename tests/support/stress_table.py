"""The table that `make stress` ends with: what was tried how often, and how often it broke."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

HEAD = ("race", "database", "rounds", "contenders", "processes", "try again", "broken", "twin")


@dataclass
class Row:
    """A race on a database.

    Attributes:
        tried: How often somebody was told to try again: the rows stayed contended.
        broken: In how many rounds a rule was broken where everything protects; must be 0.
        twin: Of how many rounds how many broke where the protection is off; must be some.
    """

    rounds: int | None = None
    contenders: int | None = None
    processes: int | None = None
    tried: int | None = None
    broken: int | None = None
    twin: tuple[int, int] = (0, 0)


@dataclass
class Table:
    """Rows by race and database, in the order in which the first word of them came."""

    rows: dict[tuple[str, str], Row] = field(default_factory=dict)

    def protected(
        self,
        race: str,
        database: str,
        *,
        rounds: int,
        contenders: int,
        processes: int,
        broken: int,
        tried: int | None = None,
    ) -> None:
        """Note what came of a race; what has been said of its twin stays."""
        row = self._row(race, database)
        row.rounds, row.contenders = rounds, contenders
        row.processes, row.tried, row.broken = processes, tried, broken

    def twin(self, race: str, database: str, *, rounds: int, broken: int) -> None:
        """Add what came of a race without protection: a race may have more twins than one."""
        row = self._row(race, database)
        row.twin = (row.twin[0] + broken, row.twin[1] + rounds)

    def __str__(self) -> str:
        cells = [HEAD, *(_cells(*names, row) for names, row in self.rows.items())]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        return "\n".join(
            " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            for line in cells
        )

    def _row(self, race: str, database: str) -> Row:
        return self.rows.setdefault((race, database), Row())


def table_of(config: pytest.Config) -> Table:
    """Give the table that a run of pytest fills."""
    return config.stash.setdefault(TABLE, Table())


TABLE = pytest.StashKey[Table]()


def _cells(race: str, database: str, row: Row) -> tuple[str, ...]:
    known = (row.rounds, row.contenders, row.processes, row.tried, row.broken)
    broke, rounds = row.twin
    return (
        race,
        database,
        *("-" if each is None else f"{each:,}" for each in known),
        f"{broke} of {rounds} rounds broke" if rounds else "-",
    )
