"""What is asked again under its key is done once, and answered as it was."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from graphql import GraphQLInputObjectType, GraphQLSchema
from sqlalchemy import func, select
from strawberry import ID

from classbolt import once
from classbolt.bolt_ons import BoltOns
from classbolt.db import Database
from classbolt.tables import customer_bundles, idempotency_keys
from classbolt.worker import Worker
from classbolt_schema.compose.once import fingerprint
from classbolt_schema.mutations.cancelling import CancelBookingInput, RefundChoice
from studio import Studio, codes_of, serving

if TYPE_CHECKING:
    from tests.schema.api.conftest import Dump

    from examples import Examples

KEY = "5f0c9a52-6c1e-4d5b-9f8a-3a3c7f1f2b11"

FINGERPRINT = "1a40a2161d5de197d9202b47502a1d4e32c6ff80520b9ad1815c2fa39e2640d2"
ANSWERS: Mapping[str, str] = {
    "bookCourse": "courseBooking { id status }",
    "bookSession": "booking { id status way }",
    "swapBooking": "booking { id status } cancellation { cancelledAt refund { outcome } }",
    "cancelBooking": "booking { id status } cancellation { cancelledAt } alreadyCancelled",
    "cancelCourseBooking": "courseBooking { id status } cancellations { cancelledAt }"
    " alreadyCancelled",
    "callOffSession": "session { id calledOffAt } cancellations { cancelledAt }",
    "callOffCourse": "sessions { id calledOffAt } cancellations { cancelledAt }",
    "giveBundle": "customerBundle { id balance }",
    "buyBundle": "payment { id state customerBundle { id balance } }",
    "refundPayment": "payment { id refunds { amount { amountMinor } } }",
    "revokeCredits": "customerBundles { id balance }",
    "revokeBundle": "customerBundle { id balance }",
    "markPaid": "payment { id paidAt }",
    "markRefunded": "cancellation { refundedAt } refund { id refundedAt refundNote }",
    "extendBundle": "customerBundle { id expiresAt }",
    "mergeCustomers": "customer { id name }",
    "eraseCustomer": "customer { id name erasedAt }",
}
"""What moves seats, credits or money, and what its answer says."""
FOLLOW_STRIPE: Mapping[str, str] = {
    "refreshPayment": "payment { id state }",
    "abandonPayment": "payment { id state }",
}
"""What needs no key: it brings a payment to where Stripe says that it is, however often."""


def keyed(schema: GraphQLSchema) -> set[str]:
    """Find the mutations that take a key."""
    assert schema.mutation_type is not None
    found = set()
    for name, field in schema.mutation_type.fields.items():
        (argument,) = field.args.values()
        input_: Any = argument.type
        assert isinstance(input_.of_type, GraphQLInputObjectType)
        if "idempotencyKey" in input_.of_type.fields:
            found.add(name)
    return found


async def bundles_of(studio: Studio) -> int:
    """Count what all customers hold."""
    counting = select(func.count()).select_from(customer_bundles)
    async with studio.database.look() as connection:
        return int((await connection.execute(counting)).scalar_one())


def gift(studio: Studio, **more: Any) -> dict[str, Any]:
    """Say what to give to Ana."""
    asked = {"customer": studio.ids.customers["Ana"], "bundle": studio.ids.bundles["TEN"]}
    return {**asked, "idempotencyKey": KEY, **more}


async def test_what_follows_stripe_can_be_asked_again_without_a_key(
    schema: GraphQLSchema, examples: Examples, northside: Studio, dump: Dump
) -> None:
    assert not keyed(schema) & FOLLOW_STRIPE.keys()
    for mutation, fields in FOLLOW_STRIPE.items():
        first = await northside.do(mutation, examples[mutation][0], fields, as_="owner")
        before = await dump()

        again = await northside.do(mutation, examples[mutation][0], fields, as_="owner")

        assert (again, await dump()) == (first, before)


async def give(studio: Studio, as_: str = "owner", **more: Any) -> dict[str, Any]:
    fields = ANSWERS["giveBundle"]
    return await studio.mutate("giveBundle", gift(studio, **more), fields, as_=as_)


async def test_whatever_moves_seats_credits_or_money_can_be_asked_again(
    schema: GraphQLSchema, examples: Examples, northside: Studio, dump: Dump
) -> None:
    assert keyed(schema) == ANSWERS.keys()
    for mutation in filter(ANSWERS.__contains__, examples):
        fields = ANSWERS[mutation]
        for number, example in enumerate(examples[mutation]):
            asked = {**example, "idempotencyKey": f"{mutation} {number}"}
            first = await northside.do(mutation, asked, fields, as_="owner")
            before = await dump()

            again = await northside.do(mutation, asked, fields, as_="owner")

            assert again == first, mutation
            assert await dump() == before, mutation


async def test_something_else_under_the_same_key_is_refused_and_changes_nothing(
    northside: Studio, dump: Dump
) -> None:
    await give(northside)
    before = await dump()

    for other in (
        {"bundle": northside.ids.bundles["RB-BEG"]},
        {"customer": northside.ids.customers["Ben"]},
        {"note": "For luck"},
    ):
        refused = await give(northside, **other)
        assert [(each["code"], each["path"]) for each in refused["userErrors"]] == [
            ("IDEMPOTENCY_KEY_REUSED", ["input", "idempotencyKey"])
        ]
    owed = await northside.codes(
        "markPaid", {"payment": "x", "idempotencyKey": KEY}, as_="owner"
    )

    assert owed == ["IDEMPOTENCY_KEY_REUSED"]
    assert await dump() == before


async def test_what_bolt_ons_add_to_an_input_is_part_of_what_is_asked(
    northside: Studio,
) -> None:
    northside.clock.set("2027-01-22T09:00")
    one, other = [await northside.give("Ana", "TEN") for _ in range(2)]

    async def book(held: str) -> dict[str, Any]:
        asked = {
            "session": northside.session("THU", 3),
            "payWith": {"credit": {"customerBundle": held}},
            "idempotencyKey": KEY,
        }
        return await northside.mutate("bookSession", asked, "booking { id }", as_="Ana")

    first = await book(one)

    assert codes_of(first) == []
    assert await book(one) == first
    assert codes_of(await book(other)) == ["IDEMPOTENCY_KEY_REUSED"]


async def test_everybody_has_keys_of_their_own(northside: Studio) -> None:
    wednesdays = {"course": northside.ids.courses["WED"], "payWith": {"offline": True}}
    fields = ANSWERS["bookCourse"]
    asked = {**wednesdays, "idempotencyKey": KEY}

    bens = await northside.do("bookCourse", asked, fields, as_="Ben")
    hals = await northside.do("bookCourse", asked, fields, as_="Hal")

    assert bens["courseBooking"]["id"] != hals["courseBooking"]["id"]
    assert await northside.do("bookCourse", asked, fields, as_="Ben") == bens


async def test_whoever_was_merged_is_answered_as_before(northside: Studio) -> None:
    """The place is the kept customer's by then, and so is the key."""
    await northside.add_customer("Ida")
    await northside.admit("Ida")
    asked = {
        "course": northside.ids.courses["WED"],
        "payWith": {"offline": True},
        "idempotencyKey": KEY,
    }
    first = await northside.do("bookCourse", asked, "courseBooking { id }", as_="Ida")
    merged = {"from": northside.ids.customers["Ida"], "into": northside.ids.customers["Hal"]}
    await northside.do("mergeCustomers", merged, as_="owner")

    again = await northside.do("bookCourse", asked, "courseBooking { id }", as_="Ida")

    assert again == first


async def test_a_bolt_on_that_is_off_by_now_does_not_unsay_what_was_done(
    northside: Studio,
) -> None:
    northside.clock.set("2027-01-22T09:00")
    await northside.give("Ana", "TEN")
    asked = {
        "session": northside.session("THU", 3),
        "payWith": {"credit": {}},
        "idempotencyKey": KEY,
    }
    first = await northside.do("bookSession", asked, "booking { id }", as_="Ana")
    await northside.switch("drop_in", on=False)

    assert await northside.do("bookSession", asked, "booking { id }", as_="Ana") == first


def test_a_request_is_summed_up_as_it_was_in_the_last_release() -> None:
    """Else who asks again across an update would be told to make a new key."""
    asked = CancelBookingInput(booking=ID("B"), refund=RefundChoice.GOODWILL, reason="Ill")

    assert fingerprint("cancelBooking", asked) == fingerprint(
        "cancelBooking",
        CancelBookingInput(
            booking=ID("B"),
            refund=RefundChoice.GOODWILL,
            reason="Ill",
            bundle=None,
            idempotency_key=KEY,
        ),
    )
    assert fingerprint("cancelBooking", asked) == FINGERPRINT


async def test_what_was_refused_is_not_remembered(northside: Studio) -> None:
    northside.clock.set("2027-01-22T09:00")
    asked = {
        "session": northside.session("THU", 3),
        "payWith": {"credit": {}},
        "idempotencyKey": KEY,
    }

    refused = await northside.codes("bookSession", asked, as_="Ana")
    await northside.give("Ana", "TEN")
    done = await northside.mutate("bookSession", asked, "booking { id }", as_="Ana")

    assert refused != []
    assert codes_of(done) == []


async def test_a_key_is_good_for_three_days(northside: Studio, bolt_ons: BoltOns) -> None:
    worker = Worker(northside.database, bolt_ons, lambda: northside.clock.now)
    first = await give(northside)

    northside.clock.now += once.KEPT - timedelta(microseconds=1)
    await worker.tidy()
    assert await give(northside) == first
    northside.clock.now += timedelta(microseconds=1)
    second = await give(northside)
    third = await give(northside)

    assert second["customerBundle"]["id"] != first["customerBundle"]["id"]
    assert third == second


async def test_old_keys_are_forgotten(northside: Studio, bolt_ons: BoltOns) -> None:
    worker = Worker(northside.database, bolt_ons, lambda: northside.clock.now)
    await give(northside)
    northside.clock.now += once.KEPT

    await worker.tidy()

    async with northside.database.look() as connection:
        assert (await connection.execute(select(idempotency_keys))).all() == []


@pytest.mark.parametrize("key", [None, KEY])
async def test_of_fifty_twins_at_once_one_is_done_if_they_have_a_key(
    northside: Studio, bolt_ons: BoltOns, tmp_path: Path, key: str | None
) -> None:
    """The twin of the race has no key: then each of them is done."""
    before = await bundles_of(northside)
    await northside.token("owner")
    database = Database(northside.database.url, bolt_ons)
    async with serving(database, tmp_path, bolt_ons, northside.clock) as (client, settings):
        another = Studio(
            northside.slug, client, northside.clock, settings, database, northside.ids
        )
        another.admitted = northside.admitted
        twins = [
            give(each, idempotencyKey=key) for each in (northside, another) for _ in range(25)
        ]
        answers = await asyncio.gather(*twins)
    ids = {each["customerBundle"]["id"] for each in answers if each["customerBundle"]}
    assert {code for each in answers for code in codes_of(each)} <= {"TRY_AGAIN"}

    assert await bundles_of(northside) - before == len(ids)
    assert (len(ids) == 1) == (key is not None)
    if key:  # and also whoever asks a server that was started since
        last = await give(northside)
        assert last["customerBundle"]["id"] in ids
