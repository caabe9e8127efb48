"""Statements are compiled once per process here, not once per test.

An engine remembers what it has compiled. Each test has engines of its own, and would spend a
tenth of its time on compiling what the tests before it have compiled.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from sqlalchemy import Connection, Engine, event


class _ForAllEngines(dict[tuple[Hashable, ...], Any]):
    """What was compiled, by statement and kind of database.

    A key begins with the dialect, of which each engine has one of its own.
    """

    def get(self, key: tuple[Hashable, ...], default: Any = None) -> Any:
        """Find what any engine of this kind has compiled."""
        return super().get(_shared(key), default)

    def __setitem__(self, key: tuple[Hashable, ...], compiled: Any) -> None:
        super().__setitem__(_shared(key), compiled)


def _shared(key: tuple[Hashable, ...]) -> tuple[Hashable, ...]:
    dialect, *rest = key
    return type(dialect), *rest


def share() -> None:
    """Let all engines of this process remember together."""
    compiled = _ForAllEngines()

    def remember(connection: Connection) -> None:
        connection.execution_options(compiled_cache=compiled)

    event.listen(Engine, "engine_connect", remember)
