"""Whoever gives an id of others learns no more from it than from an id that nobody has (J6).

The schema says where ids go, so a new argument or member is probed from its first day on.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from graphql import GraphQLSchema
from sqlalchemy import bindparam, select
from structlog.testing import capture_logs

from classbolt import cancel
from classbolt.tables import bookings
from classbolt.testing.databases import Kind
from classbolt.values import Actor
from classbolt_schema.ids import decode_any, encode
from neighbours import NOBODYS, Answer, Neighbours, Person
from probing import ANY, Document, Slot, nodes, slots

pytestmark = pytest.mark.unmeasured  # they come by nothing new, but often

FOR_WHOM = ("customer",)
"""What staff must say and customers may: without it, a document of staff hangs on nothing."""

WITH_THE_OWNERS_EYES = ("staff", "manager")
"""Who is not tried with what is no id at all: in this they are no different from the owner."""

HANG_ON_NOTHING = {
    "bookCourse(input.payWith.credit.customerBundle)": "no course can be paid with a credit",
    "buyBundle(input.payWith.credit.customerBundle)": "no bundle can be paid with a credit",
}
"""Places whose id is never looked at, and why."""


def each_kind(slot: Slot, schema: GraphQLSchema) -> list[str]:
    """Say of which types the ids are that go to a place."""
    return nodes(schema) if slot.kind == ANY else [slot.kind]


def ids_of_others(kind: str, both: Neighbours, person: Person) -> Iterator[tuple[str, str]]:
    """Give ids that the person may not use for an object of a type, each with what it is."""
    yield "another account's", both.bens_in_south[kind]
    yield "another account's too", both.kims_in_south[kind]
    if person.name == "Ben" and both.kims[kind] != both.bens[kind]:
        yield "another customer's", both.kims[kind]


def no_ids(kind: str, slot: Slot, both: Neighbours) -> Iterator[tuple[str, str]]:
    """Give what is no id of an object of a type, each with what it is."""
    yield "empty", ""
    yield "a word", "northside"
    yield "in another spelling", f"{both.bens[kind]}=="
    other = "Tag" if kind == "Course" else "Course"
    _, key = decode_any(both.bens[other]) or ("", NOBODYS)
    yield "with the key of another type", encode(kind, key)
    yield "of a type without ids", encode("Account", key)
    if slot.kind != ANY:
        yield "of another type", both.bens[other]


async def ask_with(
    both: Neighbours,
    schema: GraphQLSchema,
    person: Person,
    slot: Slot,
    kind: str,
    *ids: str,
    keep: bool = True,
) -> Answer:
    """Ask in one document with each id in one place; all other ids are Ben's."""
    own = {**both.bens, ANY: both.bens[kind]}
    document = Document(schema, own, also=() if person.name == "Ben" else FOR_WHOM)
    for each in ids:
        document.add(slot.way, depth=1, path=slot.path, put=each)
    return await both.ask(person, document.text(), document.variables, keep=keep)


async def told_apart(
    both: Neighbours,
    schema: GraphQLSchema,
    slot: Slot,
    person: Person,
    *,
    with_no_ids: bool = False,
) -> dict[str, object]:
    """Give the ids that a person can tell from one that nobody has, with both answers."""
    found: dict[str, object] = {}
    for kind in each_kind(slot, schema):
        unknown = encode(kind, NOBODYS)
        tried = dict(ids_of_others(kind, both, person))
        if with_no_ids and person.name not in WITH_THE_OWNERS_EYES:
            tried |= dict(no_ids(kind, slot, both))
        asking = (both, schema, person, slot, kind)
        nothing = await ask_with(*asking, *[unknown] * len(tried))
        if await ask_with(*asking, *tried.values()) == nothing:
            continue
        expected = await ask_with(*asking, unknown)
        for what, id_ in tried.items():
            if (answer := await ask_with(*asking, id_)) != expected:
                found[f"{slot} as {person}: {kind}, {what}"] = (answer, expected)
    return found


async def test_there_is_an_object_of_every_type_to_be_found(
    both: Neighbours, schema: GraphQLSchema
) -> None:
    for ids in (both.bens, both.kims, both.bens_in_south, both.kims_in_south):
        assert set(nodes(schema)) <= ids.keys(), "let furnished.py make what is missing"


async def test_an_id_of_others_is_answered_like_one_that_nobody_has(
    both: Neighbours, schema: GraphQLSchema, kind: Kind
) -> None:
    """J6: no answer tells, and no row changes, whoever asks and whatever stands there."""
    with_no_ids = kind == "sqlite"  # they are read at the edge, where no database is seen
    leaks: dict[str, object] = {}
    before = await both.digests()
    for slot in slots(schema):
        for person in both.people():
            leaks |= await told_apart(both, schema, slot, person, with_no_ids=with_no_ids)
        after = await both.digests()
        if changed := [account for account in after if after[account] != before.get(account)]:
            leaks[str(slot)] = f"rows changed of {changed}"
            before = after

    assert leaks == {}


@pytest.mark.parametrize("kind", ["sqlite"])  # it is about the documents
async def test_every_document_hangs_on_the_id_that_is_probed(
    both: Neighbours, schema: GraphQLSchema
) -> None:
    """With an id of one's own something else is said, or the probe would prove nothing."""
    idle = set()
    for slot in slots(schema):
        for kind in each_kind(slot, schema):
            for person in both.people():
                own = both.bens.get(slot.place, both.bens[kind])
                said = {
                    await ask_with(both, schema, person, slot, kind, each, keep=False)
                    for each in (own, encode(kind, NOBODYS))
                }
                if len(said) > 1:
                    break
            else:
                idle.add(str(slot))

    hint = "give its document better values, in probing.py, or better ids, in furnished.py"
    assert idle == HANG_ON_NOTHING.keys(), hint


def slot_of(schema: GraphQLSchema, name: str) -> Slot:
    """Find a place by what it is called."""
    return next(slot for slot in slots(schema) if str(slot) == name)


async def test_the_probe_sees_a_statement_that_forgets_the_account(
    both: Neighbours, schema: GraphQLSchema, monkeypatch: pytest.MonkeyPatch
) -> None:
    careless = select(bookings.c.session_id, bookings.c.customer_id).where(
        bookings.c.id == bindparam("booking_id")
    )
    slot, staff = slot_of(schema, "cancellationPreview(booking)"), Person("staff", both.north)
    assert await told_apart(both, schema, slot, staff) == {}

    monkeypatch.setattr(cancel, "PLACE_OF", careless)

    with capture_logs():  # it trips over what it should never have found
        assert await told_apart(both, schema, slot, staff) != {}


async def test_the_probe_sees_a_rule_that_forgets_the_customer(
    both: Neighbours, schema: GraphQLSchema, monkeypatch: pytest.MonkeyPatch
) -> None:
    slot, ben = slot_of(schema, "cancelBooking(input.booking)"), Person("Ben", both.north)

    monkeypatch.setattr(Actor, "sees", lambda *_: True)

    assert set(await told_apart(both, schema, slot, ben)) == {
        "cancelBooking(input.booking) as Ben of north: Booking, another customer's"
    }


async def test_a_digest_changes_with_any_row_of_its_account_and_no_other(
    both: Neighbours,
) -> None:
    before = await both.digests()

    await both.south.do("createTag", {"name": "Improvers"}, as_="owner")

    after = await both.digests()
    assert [after[account] == before[account] for account in (1, 2)] == [True, False]
