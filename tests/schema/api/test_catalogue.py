"""Lists: paged through, they give everything once and in order, and they can be narrowed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from studio import Studio

if TYPE_CHECKING:
    from tests.schema.api.conftest import Examples

Read = Callable[[Any], Any]


async def paged(
    studio: Studio,
    document: str,
    read: Read,
    *,
    first: int,
    as_: str | None = None,
    **more: Any,
) -> list[Any]:
    """Page through a list to its end."""
    found: list[Any] = []
    after: str | None = None
    while True:
        answer = await studio.query(document, as_=as_, first=first, after=after, **more)
        connection = read(answer)
        assert len(connection["edges"]) <= first
        found += [edge["node"] for edge in connection["edges"]]
        info = connection["pageInfo"]
        if connection["edges"]:
            assert info["endCursor"] == connection["edges"][-1]["cursor"]
        if not info["hasNextPage"]:
            return found
        assert len(connection["edges"]) == first
        after = info["endCursor"]


def part(fields: str) -> str:
    return f"{{ edges {{ cursor node {{ {fields} }} }} pageInfo {{ hasNextPage endCursor }} }}"


ROOTS = {
    "courses": "id title",
    "sessions": "id startsAt",
    "openDropIns": "id startsAt",
    "customers": "id name",
    "bundles": "id name",
}


async def test_a_list_gives_everything_once_however_it_is_cut(
    northside: Studio, examples: Examples
) -> None:
    del examples
    for number in range(9):
        await northside.add_customer(f"Guest {number % 3}")  # names may be the same

    for name, fields in ROOTS.items():
        document = (
            f"query ($first: Int!, $after: String) {{ {name}(first: $first, after: $after)"
            f" {part(fields)} }}"
        )
        whole = await paged(
            northside, document, lambda answer, name=name: answer[name], first=100, as_="owner"
        )
        assert len(whole) == len({each["id"] for each in whole}) > 2
        key = fields.split()[1]
        assert [each[key] for each in whole] == sorted(each[key] for each in whole)
        for first in (1, 2, 5):
            cut = await paged(
                northside,
                document,
                lambda answer, name=name: answer[name],
                first=first,
                as_="owner",
            )
            assert cut == whole


NESTED = {
    "course { sessions }": "Course",
}
