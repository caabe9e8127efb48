"""What has tables and a history of them: core, and every bolt-on with tables of its own.

Each component has its own folder of scripts and its own version table. With one history for
all, a bolt-on whose package is gone would stop every later migration, for want of its scripts.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from alembic import op
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import Script, ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError
from sqlalchemy import Connection, MetaData, Table

from classbolt import tables
from classbolt.bolt_ons import BoltOn

CORE = "core"
VERSION_TABLE = "_schema_version"
BASE = "base"
"""Alembic's word for where a history begins."""


class MigrationError(Exception):
    """A database cannot be brought to the tables of this release; nothing was changed."""


@dataclass(frozen=True)
class Component:
    """What has tables of its own and a history of them.

    Attributes:
        name: 'core', or the bolt-on's code.
        metadata: Its tables as this release wants them.
        versions: The folder of its migration scripts.
        prefix: How its tables' names begin; core's have no prefix.
    """

    name: str
    metadata: MetaData
    versions: Path
    prefix: str

    @property
    def version_table(self) -> str:
        """Name the table that says where in its history a database is."""
        return self.name + VERSION_TABLE


def components(bolt_ons: Iterable[BoltOn]) -> tuple[Component, ...]:
    """List what there is to migrate, in order: core, then each bolt-on that has tables.

    Raises:
        MigrationError: The code of a bolt-on would claim tables of core.
    """
    found = [Component(CORE, tables.metadata, Path(__file__).with_name("migrations"), "")]
    for bolt_on in bolt_ons:
        code, metadata = bolt_on.info.code, bolt_on.tables()
        if metadata is None:
            continue
        for name in (CORE + VERSION_TABLE, *tables.metadata.tables):
            if name.startswith(f"{code}_"):
                raise MigrationError(f"a bolt-on cannot be called {code!r}: {name} is core's")
        home = Path(inspect.getfile(type(bolt_on))).parent
        found.append(Component(code, metadata, home / "migrations", f"{code}_"))
    return tuple(found)


def missing(connection: Connection, component: Component) -> list[Script]:
    """Find the scripts that a database has not run, oldest first.

    Raises:
        MigrationError: The database is at a revision that this release does not know.
    """
    with _told_plainly(component):
        newest_first = scripts(component).iterate_revisions(
            "head", current(connection, component)
        )
        return list(newest_first)[::-1]


def apply(connection: Connection, component: Component, to_run: Sequence[Script]) -> None:
    """Run scripts forth, and note in the version table how far the database is."""
    revisions = scripts(component).revision_map
    _run(
        connection, component, [MigrationStep.upgrade_from_script(revisions, s) for s in to_run]
    )


def revert(connection: Connection, component: Component, target: str) -> None:
    """Run scripts back. At 'base' even the version table goes: the component never was here.

    Raises:
        MigrationError: The component never was at that revision.
    """
    history = scripts(component)
    at = current(connection, component)
    with _told_plainly(component):
        to_undo = list(history.iterate_revisions(at, None if target == BASE else target))
    back = MigrationStep.downgrade_from_script
    _run(connection, component, [back(history.revision_map, script) for script in to_undo])
    if target == BASE:
        Table(component.version_table, MetaData()).drop(connection, checkfirst=True)


def current(connection: Connection, component: Component) -> str | None:
    """Tell the last script that a database has run."""
    return context(connection, component).get_current_revision()


def scripts(component: Component) -> ScriptDirectory:
    """Open the folder of a component's scripts.

    Raises:
        MigrationError: There is no such folder.
    """
    with _told_plainly(component):
        return ScriptDirectory(component.versions, version_locations=[component.versions])


def label(component: Component, script: Script) -> str:
    """Name a script for people, such as 'core 0001'."""
    return f"{component.name} {script.revision}"


def context(connection: Connection, component: Component, **options: Any) -> MigrationContext:
    """Tie Alembic to a connection and to the component's version table."""
    return MigrationContext.configure(
        connection, opts={"version_table": component.version_table, **options}
    )


def _run(connection: Connection, component: Component, steps: Sequence[MigrationStep]) -> None:
    migrations = context(connection, component, fn=lambda _heads, _context: steps)
    with Operations.context(migrations) as operations:
        # SQLite alters a table by making it anew. Alembic would read all tables that it points
        # at too, and those that they point at: more than half of the time.
        alone = {"resolve_fks": False}
        op.batch_alter_table = partial(operations.batch_alter_table, reflect_kwargs=alone)
        migrations.run_migrations()


@contextmanager
def _told_plainly(component: Component) -> Iterator[None]:
    """Say which component it is about when Alembic cannot make sense of a history."""
    try:
        yield
    except (CommandError, RevisionError) as error:
        raise MigrationError(
            f"{component.name}: {error} (its scripts are in {component.versions})"
        ) from error
