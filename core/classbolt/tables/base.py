"""What all tables share: names of constraints, the account they belong to, references."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    String,
    Table,
)

from classbolt.columns import Instant, Key

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(naming_convention=NAMING)

# SQLite gives a table its own row ids only when the key is spelt INTEGER.
AccountKey = BigInteger().with_variant(Integer, "sqlite")


def account_column() -> Column[int]:
    """Make the column that every table of an account begins with, also a bolt-on's."""
    return Column(
        "account_id",
        AccountKey,
        ForeignKey(accounts.c.id),
        primary_key=True,
        autoincrement=False,
    )


def id_column() -> Column[object]:
    """Make the second half of a key: the row's own id."""
    return Column("id", Key, primary_key=True)


def refers_to(table: Table, *columns: str) -> ForeignKeyConstraint:
    """Point at a row of the same account."""
    return ForeignKeyConstraint(
        ["account_id", *columns], [table.c.account_id, *_other_keys(table)]
    )


def _other_keys(table: Table) -> list[Column[object]]:
    return [column for column in table.primary_key.columns if column.name != "account_id"]


accounts = Table(
    "accounts",
    metadata,
    Column("id", AccountKey, primary_key=True),
    Column("slug", String(40), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("created_at", Instant, nullable=False),
)
