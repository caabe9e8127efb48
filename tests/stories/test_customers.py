"""Staff look customers up and keep their data; customers see what is theirs."""

from __future__ import annotations

from typing import Any

import pytest

from studio import Studio, codes_of

FOUND = """query ($search: String, $first: Int, $after: String) {
  customers(search: $search, first: $first, after: $after) {
    edges { node { name } } pageInfo { hasNextPage endCursor } } }"""


async def add(studio: Studio, name: str, email: str | None = None) -> str:
    """Add a customer with an address."""
    asked = {"name": name, "email": email}
    made = await studio.do("createCustomer", asked, "customer { id }", as_="owner")
    studio.ids.customers[name] = made["customer"]["id"]
    return str(made["customer"]["id"])


async def found(studio: Studio, search: str) -> list[str]:
    """Search as staff, and give the names."""
    answer = await studio.query(FOUND, as_="staff", search=search)
    return [edge["node"]["name"] for edge in answer["customers"]["edges"]]


# Search


async def test_a_search_finds_names_and_addresses_whatever_their_case_and_accents(
    northside: Studio,
) -> None:
    await add(northside, "Zoë Ångström", "z.angstrom@example.com")
    await add(northside, "Jo Straße", "JO@Example.com")
    await add(northside, "Ngọc Ánh")

    assert await found(northside, "zoe") == ["Zoë Ångström"]
    assert await found(northside, "ÅNGSTRO\u0308M") == ["Zoë Ångström"]
    assert await found(northside, "ë a") == ["Zoë Ångström"]
    assert await found(northside, "STRASSE") == ["Jo Straße"]
    assert await found(northside, "  ngoc\u00a0anh ") == ["Ngọc Ánh"]
    assert await found(northside, "@EXAMPLE.") == ["Jo Straße", "Zoë Ångström"]
    assert await found(northside, "an") == ["Ana", "Ngọc Ánh", "Zoë Ångström"]
    assert await found(northside, "nobody") == []


async def test_what_databases_read_as_wildcards_a_search_takes_as_it_is(
    northside: Studio,
) -> None:
    await add(northside, "100% Ana_Maria", "a\\b/c@example.com")

    for piece in ("100%", "a_m", "\\", "/c", "0% a"):
        assert await found(northside, piece) == ["100% Ana_Maria"], piece
    for pattern in ("%", "1%0", "a_a", "_", "%%", "[a-z]", "n*"):
        exact = ["100% Ana_Maria"] if pattern in "100% ana_maria" else []
        assert await found(northside, pattern) == exact, pattern


async def test_no_match_reaches_from_a_name_into_the_address(northside: Studio) -> None:
    await add(northside, "Eve", "sam@example.com")

    assert await found(northside, "eve sam") == []
    assert await found(northside, "evesam") == []


async def test_a_search_is_cut_into_pages_like_the_whole_list(northside: Studio) -> None:
    for number in range(5):
        await add(northside, f"Guest {number % 2}", f"guest{number}@example.com")
    names: list[str] = []
    after = None

    while True:
        answer = await northside.query(FOUND, as_="staff", search="guest", first=2, after=after)
        part = answer["customers"]
        names += [edge["node"]["name"] for edge in part["edges"]]
        after = part["pageInfo"]["endCursor"]
        if not part["pageInfo"]["hasNextPage"]:
            break

    assert names == ["Guest 0", "Guest 0", "Guest 0", "Guest 1", "Guest 1"]


@pytest.mark.parametrize("search", ["", "   ", "x" * 101, "\0", "\u0301\u0308"])
async def test_what_cannot_be_searched_for_is_refused(northside: Studio, search: str) -> None:
    answer = await northside.ask(FOUND, {"search": search}, as_="staff")

    assert answer.error_codes == ["INVALID_INPUT"]
    assert await found(northside, "x" * 100) == []


async def test_the_longest_name_is_found_however_it_unfolds(northside: Studio) -> None:
    """One sign of this name is eighteen letters to a search; what fits is searched."""
    name = "\ufdfa" * 200
    await add(northside, name)

    assert await found(northside, "\ufdfa") == [name]


async def test_a_search_stays_in_its_account(northside: Studio, southside: Studio) -> None:
    """J6."""
    await add(southside, "Anabel")

    assert await found(northside, "ana") == ["Ana"]


# Their data


async def test_a_changed_customer_is_found_by_the_new_name_only(northside: Studio) -> None:
    ana = {"customer": northside.ids.customers["Ana"]}
    fields = "customer { name email }"

    named = await northside.do(
        "updateCustomer", {**ana, "name": " Żaneta "}, fields, as_="staff"
    )
    address = {**ana, "email": "ana@example.com"}
    reached = await northside.do("updateCustomer", address, fields, as_="staff")
    same = await northside.do("updateCustomer", ana, fields, as_="staff")
    by_address = await found(northside, "ana@")
    gone = await northside.do("updateCustomer", {**ana, "email": None}, fields, as_="staff")

    assert named["customer"] == {"name": "Żaneta", "email": None}
    assert reached == same
    assert same["customer"] == {"name": "Żaneta", "email": "ana@example.com"}
    assert by_address == ["Żaneta"]
    assert gone["customer"] == {"name": "Żaneta", "email": None}
    assert await found(northside, "zaneta") == ["Żaneta"]
    assert await found(northside, "ana@") == await found(northside, "ana") == []


async def test_a_name_cannot_be_taken_away(northside: Studio) -> None:
    ana = {"customer": northside.ids.customers["Ana"]}

    for change in ({"name": None}, {"name": " "}, {"email": "ana"}):
        refused = await northside.codes("updateCustomer", {**ana, **change}, as_="staff")
        assert refused == ["INVALID_INPUT"], change
    assert await found(northside, "ana") == ["Ana"]


# What customers see of themselves


MINE = """query ($from: DateTime, $until: DateTime, $first: Int, $after: String) { me {
  bookings(from: $from, until: $until, first: $first, after: $after) {
    edges { node { session { startsAt } } } pageInfo { endCursor } } } }"""


async def starts(studio: Studio, **narrowed: object) -> list[str]:
    """Give the starts of the sessions that Ana sees among her bookings."""
    answer: Any = await studio.query(MINE, as_="Ana", **narrowed)
    edges = answer["me"]["bookings"]["edges"]
    return [edge["node"]["session"]["startsAt"][5:10] for edge in edges]


async def test_a_customer_sees_their_bookings_of_a_span_of_time(northside: Studio) -> None:
    third = "2027-01-25T18:30:00Z"

    assert await starts(northside) == ["01-11", "01-18", "01-25", "02-01", "02-08", "02-15"]
    assert await starts(northside, **{"from": third}) == ["01-25", "02-01", "02-08", "02-15"]
    assert await starts(northside, until=third) == ["01-11", "01-18"]
    assert await starts(northside, **{"from": third, "until": third}) == []
    narrowed = {"from": third, "first": 2}
    page = await northside.query(MINE, as_="Ana", **narrowed)
    after = page["me"]["bookings"]["pageInfo"]["endCursor"]
    assert await starts(northside, **narrowed, after=after) == ["02-08", "02-15"]


async def test_a_customer_sees_the_courses_that_they_booked(northside: Studio) -> None:
    """G4: also one that the business cancelled since."""
    northside.clock.set("2027-01-05T12:00")
    assert codes_of(await northside.book_course("Ana", "SAT")) == []
    asked = {
        "courseBooking": await northside.course_booking("Ana"),
        "refund": {"none": True},
    }
    await northside.do("cancelCourseBooking", asked, as_="staff")

    document = """query ($first: Int) { me { courseBookings(first: $first) {
      edges { node { status bookedAt course { title } } } pageInfo { hasNextPage } } } }"""
    seen = (await northside.query(document, as_="Ana"))["me"]["courseBookings"]
    first = (await northside.query(document, as_="Ana", first=1))["me"]["courseBookings"]

    assert [edge["node"] for edge in seen["edges"]] == [
        {
            "status": "CANCELLED",
            "bookedAt": "2027-01-04T12:00:00Z",
            "course": {"title": "Beginners, Mondays"},
        },
        {
            "status": "BOOKED",
            "bookedAt": "2027-01-05T12:00:00Z",
            "course": {"title": "Beginners, Saturdays"},
        },
    ]
    assert first == {"edges": seen["edges"][:1], "pageInfo": {"hasNextPage": True}}
