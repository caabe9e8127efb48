"""Lists: paged through, they give everything once and in order, and they can be narrowed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from studio import Studio

if TYPE_CHECKING:
    from examples import Examples

pytestmark = pytest.mark.unmeasured  # they come by nothing new, but often

A_PART = """(first: $first, after: $after) {
  edges { cursor node { %s } } pageInfo { hasNextPage endCursor } }"""


async def paged(
    studio: Studio, field: str, fields: str, *, first: int, node: tuple[str, str] | None = None
) -> list[dict[str, Any]]:
    """Page through a list, or through one of an object's, to its end."""
    part = field + A_PART % fields
    if node is not None:
        part = f'node(id: "{node[1]}") {{ ... on {node[0]} {{ {part} }} }}'
    found: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        answer = await studio.query(
            f"query ($first: Int!, $after: String) {{ {part} }}",
            as_="owner",
            first=first,
            after=after,
        )
        connection = (answer if node is None else answer["node"])[field]
        edges, info = connection["edges"], connection["pageInfo"]
        found += [edge["node"] for edge in edges]
        assert info["endCursor"] == (edges[-1]["cursor"] if edges else None)
        if not info["hasNextPage"]:
            return found
        assert len(edges) == first
        after = info["endCursor"]


async def check(
    studio: Studio, field: str, fields: str, count: int, node: tuple[str, str] | None = None
) -> None:
    """See that a list gives as many things, in the order of the first field, cut or not."""
    whole = await paged(studio, field, fields, first=100, node=node)

    assert len({str(each) for each in whole}) == len(whole) == count, field
    order = [str(next(iter(each.values()))) for each in whole]
    assert order == sorted(order), field
    for first in (1, 2, 5):
        assert await paged(studio, field, fields, first=first, node=node) == whole


async def test_a_list_gives_everything_once_however_it_is_cut(
    northside: Studio, examples: Examples
) -> None:
    del examples
    for number in range(8):
        await northside.add_customer(f"Guest {number % 2}")  # names may be the same

    await check(northside, "courses", "title id", 4)
    await check(northside, "sessions", "startsAt id", 24)
    await check(northside, "openDropIns", "startsAt id", 3)
    await check(northside, "customers", "name id", 17)
    await check(northside, "bundles", "name id", 3)


async def test_the_lists_of_an_object_give_everything_once_too(
    northside: Studio, examples: Examples
) -> None:
    ana = ("Customer", northside.ids.customers["Ana"])
    await northside.do("bookSession", examples["bookSession"][0], as_="owner")
    for _ in range(3):
        await northside.give("Ana", "RB-BEG")  # all at one moment: they expire together
    for name in ("Ida", "Joe", "Kim"):
        await northside.add_buyer(name, "MON")
    ten = ("CustomerBundle", (await northside.bundles("Ana"))[-1]["id"])
    asked = "{ me { bookings(first: 1) { edges { node { courseBooking { id } } } } } }"
    (edge,) = (await northside.query(asked, as_="Hal"))["me"]["bookings"]["edges"]
    saturdays = ("CourseBooking", edge["node"]["courseBooking"]["id"])
    mondays = ("Course", northside.ids.courses["MON"])
    monday = ("Session", northside.session("MON", 1))

    await check(northside, "sessions", "startsAt id", 6, mondays)
    await check(northside, "attendees", "bookedAt id", 4, monday)
    await check(northside, "bookings", "session { startsAt } id", 7, ana)
    await check(northside, "bookings", "session { startsAt } id", 6, saturdays)
    await check(northside, "bundles", "expiresAt id", 4, ana)
    await check(northside, "entries", "enteredAt kind amount", 2, ten)


async def test_a_page_goes_on_where_the_last_one_ended_whatever_was_added_before_it(
    northside: Studio,
) -> None:
    asked = """query ($after: String) { courses(first: 2, after: $after) {
      edges { node { title } } pageInfo { endCursor } } }"""
    one = (await northside.query(asked))["courses"]
    course = {"title": "Aerobics", "priceMinor": 100}
    await northside.do("createCourse", course, as_="owner")

    two = (await northside.query(asked, after=one["pageInfo"]["endCursor"]))["courses"]

    assert [edge["node"]["title"] for edge in one["edges"] + two["edges"]] == [
        "Advanced, Wednesdays",
        "Beginners, Mondays",
        "Beginners, Saturdays",
        "Beginners, Thursdays",
    ]


async def test_one_cursor_cuts_the_list_of_every_object_at_the_same_place(
    northside: Studio,
) -> None:
    asked = """query ($after: String) { courses { edges { node { title
      sessions(first: 2, after: $after) { edges { node { startsAt } }
        pageInfo { endCursor } } } } } }"""
    before = (await northside.query(asked))["courses"]["edges"]
    (saturdays,) = (
        edge["node"]["sessions"]
        for edge in before
        if edge["node"]["title"] == "Beginners, Saturdays"
    )

    found = (await northside.query(asked, after=saturdays["pageInfo"]["endCursor"]))["courses"]

    assert [len(edge["node"]["sessions"]["edges"]) for edge in before] == [2, 2, 2, 2]
    firsts = [edge["node"]["sessions"]["edges"][0]["node"] for edge in found["edges"]]
    assert [each["startsAt"] for each in firsts] == [
        "2027-01-27T20:00:00Z",
        "2027-01-25T18:30:00Z",
        "2027-01-30T10:00:00Z",
        "2027-01-28T19:00:00Z",
    ]


async def starts(studio: Studio, **narrowed: str) -> list[str]:
    """Give the days of the timetable."""
    found = await studio.query(
        """query ($from: DateTime, $until: DateTime, $tag: ID) {
          sessions(first: 100, from: $from, until: $until, tag: $tag) {
            edges { node { startsAt } } } }""",
        **narrowed,
    )
    return [edge["node"]["startsAt"][:10] for edge in found["sessions"]["edges"]]


async def test_the_timetable_can_be_narrowed_to_a_time_and_a_tag(northside: Studio) -> None:
    tags = northside.ids.tags
    week = {"from": "2027-01-11T00:00:00Z", "until": "2027-01-18T00:00:00Z"}
    everything = await starts(northside)

    assert len(everything) == 24
    assert await starts(northside, **week) == everything[:4]
    assert await starts(northside, **week, tag=tags["ADV"]) == ["2027-01-13"]
    assert len(await starts(northside, tag=tags["BEG"])) == 18
    # From a start on; up to a start, but without it.
    assert await starts(northside, until="2027-01-11T18:30:00Z") == []
    assert await starts(northside, until="2027-01-11T18:30:01Z") == ["2027-01-11"]
    assert len(await starts(northside, **{"from": "2027-01-11T18:30:00Z"})) == 24
    assert len(await starts(northside, **{"from": "2027-01-11T19:30:01+01:00"})) == 23
    assert await starts(northside, **{"from": week["until"], "until": week["from"]}) == []


async def test_courses_can_be_narrowed_to_a_tag(northside: Studio) -> None:
    found = await northside.query(
        "query ($tag: ID!) { courses(tag: $tag) { edges { node { title tag { name } } } } }",
        tag=northside.ids.tags["ADV"],
    )

    assert [edge["node"] for edge in found["courses"]["edges"]] == [
        {"title": "Advanced, Wednesdays", "tag": {"name": "Advanced"}}
    ]


async def test_a_session_has_its_own_tag_or_else_its_courses(northside: Studio) -> None:
    one, two = northside.session("MON", 1), northside.session("MON", 2)
    advanced = northside.ids.tags["ADV"]
    await northside.do("updateSession", {"session": one, "tag": advanced}, as_="owner")

    found = await northside.query(
        "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Session { tag { name } } } }",
        ids=[one, two],
    )

    assert [each["tag"]["name"] for each in found["nodes"]] == ["Advanced", "Beginners"]
    assert len(await starts(northside, tag=advanced)) == 7


async def test_a_session_that_is_called_off_leaves_the_timetable_and_stays_in_its_course(
    northside: Studio,
) -> None:
    await northside.do("callOffSession", {"session": northside.session("MON", 1)}, as_="owner")

    found = await northside.query(
        "query ($id: ID!) { course(id: $id) { sessions { edges { node { calledOffAt } } } } }",
        id=northside.ids.courses["MON"],
    )

    assert len(await starts(northside)) == 23
    off = [edge["node"]["calledOffAt"] for edge in found["course"]["sessions"]["edges"]]
    assert off == ["2027-01-04T12:00:00Z", None, None, None, None, None]


async def test_every_time_a_bolt_on_is_switched_leaves_a_line(studio: Studio) -> None:
    for minute, (mutation, code) in enumerate(
        [
            ("enableBoltOn", "drop_in"),
            ("enableBoltOn", "drop_in"),  # on already: nothing changes
            ("disableBoltOn", "auto_refund"),  # off already
            ("disableBoltOn", "drop_in"),
            ("enableBoltOn", "auto_refund"),
        ]
    ):
        studio.clock.set(f"2027-01-04T12:{minute:02}")
        done = await studio.do(mutation, {"boltOn": code}, "boltOn { enabled }", as_="owner")
        assert done["boltOn"]["enabled"] == (mutation == "enableBoltOn")

    found = await studio.query("{ boltOnChanges { code enabled by changedAt } }", as_="owner")

    assert [tuple(each.values()) for each in found["boltOnChanges"]] == [
        ("auto_refund", True, "STAFF", "2027-01-04T12:04:00Z"),
        ("drop_in", False, "STAFF", "2027-01-04T12:03:00Z"),
        ("drop_in", True, "STAFF", "2027-01-04T12:00:00Z"),
    ]
    switches = await studio.query("{ boltOns { code enabled } }")
    assert switches["boltOns"] == [
        {"code": "auto_refund", "enabled": True},
        {"code": "drop_in", "enabled": False},
    ]
