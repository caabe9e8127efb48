"""What must hold after everything: the doctor's rules about rows, asked all at once."""

from __future__ import annotations

from functools import cache

from sqlalchemy import NullPool, String, func, literal, make_url, select, union_all
from sqlalchemy.ext.asyncio import create_async_engine

from classbolt import tables
from classbolt.doctor.references import references
from classbolt.doctor.rows import INVARIANTS

RULES = (*INVARIANTS, references([tables.metadata]))


@cache
def counts(backend: str) -> str:
    """Put all rules into one statement, in words of the database.

    It is asked after every test, which has a database of its own: to put it together takes
    longer than to ask it.
    """
    each_counted = (
        select(literal(each.rule, String()).label("rule"), func.count().label("rows"))
        .select_from(each.wrong.subquery())
        .having(func.count() > 0)
        for each in RULES
    )
    dialect = make_url(f"{backend}://").get_dialect()()
    written = {"literal_binds": True}
    return str(union_all(*each_counted).compile(dialect=dialect, compile_kwargs=written))


async def broken(url: str) -> dict[str, int]:
    """Say which rules do not hold, and for how many rows."""
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        found = await connection.exec_driver_sql(counts(make_url(url).drivername))
    await engine.dispose()
    return {row.rule: row.rows for row in found}
