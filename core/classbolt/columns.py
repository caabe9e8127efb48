"""Our two column types, an instant and a key: the same in SQLite and in PostgreSQL.

The danger is a type that sorts differently in the two: pages are cut, and rows are locked, in
the order that the database sees. Both types keep one order by how they are stored.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

from sqlalchemy import DateTime, LargeBinary, Row, String, TypeDecorator, Uuid

if TYPE_CHECKING:
    from sqlalchemy import Dialect
    from sqlalchemy.types import TypeEngine

AnyRow: TypeAlias = Row[*tuple[Any, ...]]
"""A row of a statement whose columns the type checker is not told."""

INSTANT_WIDTH = len("2026-01-31T18:30:00.000000Z")


class Instant(TypeDecorator[datetime]):
    """Keep a moment: an aware datetime goes in, an aware UTC datetime comes out.

    PostgreSQL has a type for it. SQLite has none, so there it is text of one width, such as
    2026-01-31T18:30:00.000000Z. It sorts as the moments do, and people and SQLite's own date
    functions can read it. Whole microseconds would be smaller but take three to four times as
    long to read back. Text cannot add: arithmetic on instants belongs in Python.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[datetime] | TypeEngine[str]:
        """Store text where the database has no type for a moment."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(INSTANT_WIDTH))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: object, dialect: Dialect) -> datetime | str | None:
        """Refuse what is not a moment; SQLite gets its text.

        Raises:
            TypeError: The value is no datetime, or a datetime that does not say its offset.
        """
        if value is None:
            return None
        if not isinstance(value, datetime) or value.utcoffset() is None:
            raise TypeError(f"an Instant needs a datetime with a time zone, not {value!r}")
        if dialect.name != "sqlite":
            return value
        text = value.astimezone(UTC).isoformat(timespec="microseconds")
        return text.removesuffix("+00:00") + "Z"

    def process_result_value(
        self, value: datetime | str | None, dialect: Dialect
    ) -> datetime | None:
        """Read SQLite's text; PostgreSQL's driver answers in UTC already."""
        del dialect
        return datetime.fromisoformat(value) if isinstance(value, str) else value


class Key(TypeDecorator[UUID]):
    """Keep a UUID: native in PostgreSQL, 16 bytes in SQLite.

    Both databases compare the bytes from left to right, so ORDER BY means the same in both, and
    keys made with `new_id` sort by when they were made.
    """

    impl = Uuid()
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[UUID] | TypeEngine[bytes]:
        """Store bytes where the database has no UUID."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(LargeBinary(16))
        return dialect.type_descriptor(Uuid())

    def process_bind_param(self, value: object, dialect: Dialect) -> UUID | bytes | None:
        """Refuse what is not a UUID; SQLite gets its bytes.

        Raises:
            TypeError: The value is something else, such as a UUID's text.
        """
        if value is None:
            return None
        if not isinstance(value, UUID):
            raise TypeError(f"a Key needs a UUID, not {value!r}")
        return value.bytes if dialect.name == "sqlite" else value

    def process_result_value(self, value: UUID | bytes | None, dialect: Dialect) -> UUID | None:
        """Read SQLite's bytes; PostgreSQL's driver answers with a UUID already."""
        del dialect
        return UUID(bytes=value) if isinstance(value, bytes) else value
