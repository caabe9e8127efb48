"""Migration scripts are written for what has changed, in the component that changed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table

from classbolt import migrate, tables
from classbolt.columns import Instant, Key
from classbolt.migrate import (
    Component,
    MigrationError,
    components,
    drift,
    upgrade,
    write_revision,
)


def wanting(folder: Path, *more: Column[Any]) -> Component:
    metadata = MetaData(naming_convention=tables.NAMING)
    Table("sessions", metadata, Column("id", Key, primary_key=True), *more)
    return Component("core", metadata, folder / "migrations", "")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path}/scratch.db"


async def test_a_script_says_what_it_changes_and_how_to_undo_it(
    tmp_path: Path, url: str
) -> None:
    before = wanting(tmp_path)
    await write_revision(url, before, [before], "sessions")
    await upgrade(url, [before])
    core = wanting(tmp_path, Column("seats", Integer), Column("opens_at", Instant))

    written = await write_revision(url, core, [core], "sessions open for drop-ins")

    assert written == tmp_path / "migrations" / "0002_sessions_open_for_drop_ins.py"
    assert (
        written.read_text()
        == '''"""Sessions open for drop-ins."""

import sqlalchemy as sa
from alembic import op

from classbolt import columns

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.batch_alter_table('sessions') as batch_op:
        batch_op.add_column(sa.Column('seats', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('opens_at', columns.Instant(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('sessions') as batch_op:
        batch_op.drop_column('opens_at')
        batch_op.drop_column('seats')
'''
    )


async def test_no_script_is_written_when_nothing_has_changed(tmp_path: Path, url: str) -> None:
    core = wanting(tmp_path)
    await write_revision(url, core, [core], "sessions")
    await upgrade(url, [core])

    assert await write_revision(url, core, [core], "again") is None


async def test_scripts_follow_one_another(tmp_path: Path, url: str) -> None:
    core = wanting(tmp_path)
    await write_revision(url, core, [core], "sessions")

    with pytest.raises(MigrationError, match="has yet to run core 0001"):
        await write_revision(url, core, [core], "the same once more")


async def test_bolt_ons_whose_names_begin_alike_do_not_see_each_others_tables(
    tmp_path: Path, url: str
) -> None:
    def bolt_on_called(code: str) -> Component:
        metadata = MetaData(naming_convention=tables.NAMING)
        Table(f"{code}_offers", metadata, Column("id", Key, primary_key=True))
        return Component(code, metadata, tmp_path / code, f"{code}_")

    drop, drop_in = both = bolt_on_called("drop"), bolt_on_called("drop_in")
    for each in both:
        await write_revision(url, each, both, "offers")
    await upgrade(url, both)

    assert await drift(url, both) == []
    assert await drift(url, [drop]) == []  # the other's package is gone
    assert await drift(url, [drop_in]) == []


def test_a_developer_is_told_which_components_there_are() -> None:
    asked = subprocess.run(
        [sys.executable, "-m", "classbolt.migrate", "revision", "corr", "a typing error"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert asked.returncode == 1
    assert asked.stderr.startswith("no component is called 'corr'; there are core")


def bolt_on(code: str, metadata: MetaData | None) -> Any:
    """Stand in for a bolt-on, defined in this very file."""

    class Stranger:
        info = type("Info", (), {"code": code})()

        def tables(self) -> MetaData | None:
            return metadata

    return Stranger()


def test_core_comes_first_then_each_bolt_on_with_tables() -> None:
    own = MetaData()

    core, *others = components([bolt_on("waitlist", own), bolt_on("without_tables", None)])

    assert core.metadata is tables.metadata
    assert core.versions == Path(migrate.__file__).with_name("migrations")
    beside_this_file = Path(__file__).with_name("migrations")
    assert others == [Component("waitlist", own, beside_this_file, "waitlist_")]


@pytest.mark.parametrize("code", ["core", "course"])
def test_a_bolt_on_cannot_claim_the_tables_of_core(code: str) -> None:
    with pytest.raises(MigrationError, match=f"a bolt-on cannot be called '{code}'"):
        components([bolt_on(code, MetaData())])
