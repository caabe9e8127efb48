"""Compare a database with the tables we want, and write the script that closes the difference.

A component sees its own tables only: whatever it does not see, Alembic would propose to drop.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, Literal

from alembic.autogenerate import compare_metadata, produce_migrations, render_python_code
from sqlalchemy import BLOB, VARCHAR, Connection, inspect

from classbolt import columns
from classbolt.components import CORE, VERSION_TABLE, Component, context, scripts

if TYPE_CHECKING:
    from alembic.autogenerate.api import AutogenContext
    from alembic.operations.ops import DowngradeOps, UpgradeOps
    from alembic.runtime.migration import MigrationContext

SCRIPT = '''"""{title}."""

{imports}

revision = "{revision}"
down_revision = {down_revision}


def upgrade() -> None:
    {upgrade}


def downgrade() -> None:
    {downgrade}
'''

IMPORTS = {
    "sa": "import sqlalchemy as sa",
    "op": "from alembic import op",
    "postgresql": "from sqlalchemy.dialects import postgresql",
    "sqlite": "from sqlalchemy.dialects import sqlite",
    "columns": "\nfrom classbolt import columns",
}


def differences(
    connection: Connection, component: Component, components: Sequence[Component]
) -> list[str]:
    """List what a migration would still have to do to a component's tables."""
    found = compare_metadata(_comparison(connection, component, components), component.metadata)
    return [
        _sentence(*each)
        for one_or_more in found
        for each in (one_or_more if isinstance(one_or_more, list) else [one_or_more])
    ]


def render_script(
    connection: Connection, component: Component, components: Sequence[Component], message: str
) -> str | None:
    """Render the script that takes a database to the tables we want; None if it is there."""
    comparison = _comparison(connection, component, components)
    operations = produce_migrations(comparison, component.metadata)
    forth, back = operations.upgrade_ops, operations.downgrade_ops
    if forth is None or back is None or forth.is_empty():
        return None
    upgrade, downgrade = _rendered(forth, comparison), _rendered(back, comparison)
    used = [name for name in IMPORTS if re.search(rf"\b{name}\.", upgrade + downgrade)]
    head = scripts(component).get_current_head()
    return SCRIPT.format(
        title=message[0].upper() + message[1:].rstrip("."),
        imports="\n".join(IMPORTS[name] for name in used),
        revision=next_revision(component),
        down_revision=f'"{head}"' if head else None,
        upgrade=upgrade,
        downgrade=downgrade,
    )


def next_revision(component: Component) -> str:
    """Number the next script of a component."""
    return f"{int(scripts(component).get_current_head() or 0) + 1:04}"


def _comparison(
    connection: Connection, component: Component, components: Sequence[Component]
) -> MigrationContext:
    owner = _owners(inspect(connection).get_table_names(), components)

    def is_ours(name: str | None, kind: str, _parents: object) -> bool:
        return kind != "table" or name is None or owner(name) == component.prefix

    return context(
        connection,
        component,
        target_metadata=component.metadata,
        include_name=is_ours,
        compare_server_default=True,
        # Seats and credits are guarded by CHECKs, which Alembic compares only when asked to.
        autogenerate_plugins=["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname"],
    )


def _owners(
    names: Collection[str], components: Sequence[Component]
) -> Callable[[str], str | None]:
    """Know whose a table is, by the owner's prefix; a version table belongs to nobody.

    The tables of a bolt-on whose package is gone are still its own: its version table tells.
    """
    owners = {table: each.prefix for each in components for table in each.metadata.tables}
    versions = {name for name in names if name.endswith(VERSION_TABLE)}
    gone = {name.removesuffix(VERSION_TABLE) + "_" for name in versions} - {CORE + "_"}
    prefixes = gone | {each.prefix for each in components}

    def owner(name: str) -> str | None:
        if name in versions:
            return None
        claims = (prefix for prefix in prefixes if name.startswith(prefix))
        return owners[name] if name in owners else max(claims, key=len, default="")

    return owner


def _sentence(kind: str, *about: Any) -> str:
    """Put one of Alembic's differences into words, such as 'add column sessions.seats'."""
    names = [getattr(each, "name", each) for each in about]
    if (table := getattr(about[0], "table", None)) is not None:
        names.insert(0, table.name)
    where = ".".join(name for name in names if isinstance(name, str))
    change = f": {about[-2]!r} -> {about[-1]!r}" if kind.startswith("modify") else ""
    return f"{kind.replace('_', ' ')} {where}{change}"


def _rendered(operations: UpgradeOps | DowngradeOps, comparison: MigrationContext) -> str:
    # In a batch, because SQLite can change a table only by copying it.
    code = render_python_code(
        operations, render_as_batch=True, render_item=_render, migration_context=comparison
    )
    without_comments = re.sub(r"^ *# .*\n?", "", code, flags=re.MULTILINE).strip()
    return without_comments.replace(", schema=None", "")


def _render(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Write our column types the way our tables do, and everything else as Alembic likes.

    A column that is about to be dropped is known only as SQLite stores it, so these are told by
    that: a script that goes back must make the column again on PostgreSQL too.
    """
    if kind != "type":
        return False
    if isinstance(item, columns.Key | BLOB):
        return "columns.Key()"
    if isinstance(item, columns.Instant) or (
        isinstance(item, VARCHAR) and item.length == columns.INSTANT_WIDTH
    ):
        return "columns.Instant()"
    return False
