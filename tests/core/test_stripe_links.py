"""How accounts are linked with Stripe: by whom, with what, and one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import select

from accounts_of import database_with
from classbolt import stripe_links
from classbolt.db import Caller, Database
from classbolt.errors import (
    CannotKeepSecrets,
    Forbidden,
    InvalidInput,
    NotFound,
    Refusal,
    Unauthenticated,
)
from classbolt.sealed import Seal
from classbolt.stripe_links import LinkChanges, LinkKind, NewLink, StripeKeys, StripeLink
from classbolt.tables import stripe_links as rows_of_links
from classbolt.values import (
    ANONYMOUS,
    SYSTEM,
    Actor,
    CustomerId,
    Role,
    StaffId,
    StripeLinkId,
    new_id,
)
from studio import at

NOW = at("2027-01-20T10:00")
STUDIO = Caller("northside")
OWNER = Actor(staff_id=StaffId(new_id()), role=Role.OWNER)
SEAL = Seal((SecretStr(Fernet.generate_key().decode()),))
KEYS = StripeKeys("rk_test_51North", "pk_test_51North", "whsec_North")
OWN, CONNECTED, KEY = NewLink(), NewLink(stripe_account="acct_1North"), NewLink(keys=KEYS)
ROUNDS = 10


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with database_with(database_url, "northside", "southside") as database:
        yield database


async def link(
    database: Database,
    new: NewLink = KEY,
    *,
    actor: Actor = SYSTEM,
    caller: Caller = STUDIO,
    **more: Any,
) -> StripeLink:
    """Link an account in a transaction of its own."""
    more = {"seal": SEAL, "now": NOW, **more}
    return await database.write(caller, lambda tx: stripe_links.link(tx, actor, new, **more))


async def unlink(
    database: Database, found: StripeLink, *, actor: Actor = OWNER, caller: Caller = STUDIO
) -> StripeLink:
    later = NOW + timedelta(hours=1)
    return await database.write(
        caller, lambda tx: stripe_links.unlink(tx, actor, found.id, now=later)
    )


async def update(
    database: Database,
    found: StripeLink,
    *,
    actor: Actor = OWNER,
    caller: Caller = STUDIO,
    seal: Seal = SEAL,
    **changes: Any,
) -> StripeLink:
    asked: LinkChanges = {**changes}  # type: ignore[typeddict-item]
    return await database.write(
        caller, lambda tx: stripe_links.update_link(tx, actor, found.id, asked, seal=seal)
    )


async def in_force(database: Database, account: str = "northside") -> StripeLink | None:
    async with database.read(Caller(account)) as tx:
        found = await stripe_links.link_in_force(tx)
        assert tx.account.takes_cards == (found is not None)
        return found


async def all_links(database: Database) -> list[Any]:
    async with database.look() as connection:
        found = await connection.execute(select(rows_of_links))
    return list(found.all())


async def refused(doing: Awaitable[Any]) -> Refusal:
    with pytest.raises(Refusal) as no:
        await doing
    return no.value


async def test_an_account_begins_without_a_link(database: Database) -> None:
    assert await in_force(database) is None


async def test_a_link_says_whose_account_is_paid(database: Database) -> None:
    for new, kind, stripe_account, publishable_key in (
        (OWN, LinkKind.OWN, None, None),
        (CONNECTED, LinkKind.CONNECTED, "acct_1North", None),
        (KEY, LinkKind.KEY, None, "pk_test_51North"),
    ):
        made = await link(database, new)

        assert await in_force(database) == made
        assert (made.kind, made.stripe_account) == (kind, stripe_account)
        assert made.publishable_key == publishable_key
        assert (made.hold, made.linked_at) == (timedelta(minutes=15), NOW)
        assert made.unlinked_at is None


async def test_a_link_counts_at_once_and_for_one_account_only(database: Database) -> None:
    """J6."""

    async def work(tx: Any) -> tuple[bool, bool]:
        made = await stripe_links.link(tx, SYSTEM, OWN, now=NOW)
        linked = tx.account.takes_cards
        await stripe_links.unlink(tx, SYSTEM, made.id, now=NOW)
        return linked, tx.account.takes_cards

    assert await database.write(STUDIO, work) == (True, False)
    made = await link(database)

    assert await in_force(database, "southside") is None
    south = Caller("southside")
    assert (await refused(unlink(database, made, caller=south))).code == "NOT_FOUND"
    assert (await refused(update(database, made, caller=south))).code == "NOT_FOUND"
    async with database.read(south) as tx:
        assert await stripe_links.find_link(tx, made.id) is None
        assert await stripe_links.links_with_secrets(tx) == []


async def test_keys_are_kept_sealed(database: Database) -> None:
    made = await link(database)

    (row,) = await all_links(database)
    kept = repr(row)
    assert KEYS.key not in kept
    assert KEYS.webhook_secret is not None
    assert KEYS.webhook_secret not in kept
    assert made.sealed_key is not None
    assert made.sealed_webhook_secret is not None
    assert SEAL.open(made.sealed_key) == KEYS.key
    assert SEAL.open(made.sealed_webhook_secret) == KEYS.webhook_secret


async def test_nothing_secret_is_in_what_values_print(database: Database) -> None:
    made = await link(database)

    shown = f"{KEYS!r} {KEY!r} {made!r} {made}"

    for secret in (KEYS.key, KEYS.webhook_secret, made.sealed_key, made.sealed_webhook_secret):
        assert secret is not None
        assert secret not in shown


async def test_a_new_link_takes_the_place_of_the_one_before_which_stays(
    database: Database,
) -> None:
    later = NOW + timedelta(days=1)
    first = await link(database)

    second = await link(database, OWN, now=later)

    assert await in_force(database) == second
    async with database.read(STUDIO) as tx:
        assert await stripe_links.find_link(tx, first.id) == replace(first, unlinked_at=later)
        assert await stripe_links.find_link(tx, second.id) == second


async def test_a_link_ends_once(database: Database) -> None:
    made = await link(database)

    ended = await unlink(database, made)
    again = await unlink(database, made, actor=SYSTEM)

    assert again == ended == replace(made, unlinked_at=NOW + timedelta(hours=1))
    assert await in_force(database) is None


async def test_who_ends_a_link_does_not_end_the_one_that_has_taken_its_place(
    database: Database,
) -> None:
    first = await link(database)
    second = await link(database)

    await unlink(database, first)

    assert await in_force(database) == second


async def test_links_with_a_secret_of_their_own_are_found_also_when_they_have_ended(
    database: Database,
) -> None:
    first = await link(database)
    await link(database, NewLink(keys=replace(KEYS, webhook_secret=None)))
    await link(database, OWN)
    last = await link(database, now=NOW + timedelta(days=1))

    async with database.read(STUDIO) as tx:
        found = await stripe_links.links_with_secrets(tx)

    assert [each.id for each in found] == [last.id, first.id]


async def test_of_links_that_are_made_at_once_one_is_in_force(database: Database) -> None:
    many = [
        link(database, new, now=NOW + timedelta(seconds=number))
        for number in range(ROUNDS)
        for new in (OWN, KEY)
    ]

    made = await asyncio.gather(*many)

    ended = [each.unlinked_at for each in await all_links(database)]
    assert len(ended) == 2 * ROUNDS
    assert ended.count(None) == 1
    assert await in_force(database) in made


async def test_a_link_that_is_ended_and_replaced_at_once_leaves_the_new_one_in_force(
    database: Database,
) -> None:
    for _ in range(ROUNDS):
        old = await link(database)

        ended, new = await asyncio.gather(unlink(database, old), link(database, OWN))

        assert ended.unlinked_at is not None
        assert await in_force(database) == new


async def test_the_time_to_hold_seats_is_five_minutes_to_two_hours(database: Database) -> None:
    made = await link(database)

    for minutes in (5, 120):
        held = await link(database, replace(KEY, hold_minutes=minutes))
        changed = await update(database, made, hold_minutes=minutes)
        assert held.hold == changed.hold == timedelta(minutes=minutes)
    for minutes in (4, 121, 0, -1, 2**31 - 1):
        for doing in (
            link(database, replace(KEY, hold_minutes=minutes)),
            update(database, made, hold_minutes=minutes),
        ):
            no = await refused(doing)
            assert (no.code, no.path) == ("INVALID_INPUT", ("holdMinutes",))


async def test_a_secret_can_be_given_later_also_to_a_link_that_has_ended(
    database: Database,
) -> None:
    made = await link(database, NewLink(keys=replace(KEYS, webhook_secret=None)))
    assert made.sealed_webhook_secret is None
    await unlink(database, made)

    changed = await update(database, made, webhook_secret=" whsec_Later\n")
    same = await update(database, made)

    assert changed == same
    assert changed.sealed_webhook_secret is not None
    assert SEAL.open(changed.sealed_webhook_secret) == "whsec_Later"
    assert changed.sealed_key == made.sealed_key


async def test_only_a_link_with_keys_of_its_own_has_a_secret_of_its_own(
    database: Database,
) -> None:
    made = await link(database, CONNECTED)

    no = await refused(update(database, made, webhook_secret="whsec_North"))

    assert (no.code, no.path) == ("INVALID_INPUT", ("webhookSecret",))


BAD: Any = {
    "restrictedKey": {"key": ["", "51North", "pk_test_51North", "rk_test_", "rk_test_5 1"]},
    "publishableKey": {"publishable_key": ["", "rk_test_51North", "pk_live_51North", "pk_1"]},
    "webhookSecret": {"webhook_secret": ["", "North", "rk_test_51North", "whsec_é"]},
}


async def test_what_is_no_key_is_refused_without_being_repeated(database: Database) -> None:
    await link(database)
    before = await all_links(database)

    for path, changes in BAD.items():
        ((name, values),) = changes.items()
        for value in [*values, values[1] + "x" * 255]:
            keys = replace(KEYS, **{name: value})
            no = await refused(link(database, NewLink(keys=keys), actor=OWNER))
            assert isinstance(no, InvalidInput)
            assert no.path == (path,), value
            assert not value or value not in no.message
    for account in ("", "North", "acct_", "acct_1 North", "acct_" + "x" * 60):
        no = await refused(link(database, NewLink(stripe_account=account)))
        assert no.path == ("stripeAccount",)

    assert await all_links(database) == before


async def test_test_keys_and_live_keys_do_not_go_together(database: Database) -> None:
    live = StripeKeys("sk_live_51North", "pk_live_51North")
    assert (await link(database, NewLink(keys=live))).kind is LinkKind.KEY

    for keys in (
        replace(KEYS, publishable_key=live.publishable_key),
        replace(live, publishable_key=KEYS.publishable_key),
    ):
        no = await refused(link(database, NewLink(keys=keys)))
        assert (no.code, no.path) == ("INVALID_INPUT", ("publishableKey",))


async def test_where_nothing_can_be_sealed_keys_are_not_taken(database: Database) -> None:
    no = await refused(link(database, seal=Seal(), actor=OWNER))

    assert isinstance(no, CannotKeepSecrets)
    assert await all_links(database) == []
    assert (await link(database, OWN, seal=Seal())).kind is LinkKind.OWN
    made = await link(database, NewLink(keys=replace(KEYS, webhook_secret=None)))
    later = update(database, made, webhook_secret="whsec_North", seal=Seal())
    assert isinstance(await refused(later), CannotKeepSecrets)


async def test_only_owners_link_and_only_with_keys_of_their_own(database: Database) -> None:
    made = await link(database, actor=OWNER)

    for new in (OWN, CONNECTED):
        assert isinstance(await refused(link(database, new, actor=OWNER)), Forbidden)
    for actor, refusal in (
        (Actor(staff_id=StaffId(new_id()), role=Role.MANAGER), Forbidden),
        (Actor(staff_id=StaffId(new_id()), role=Role.STAFF), Forbidden),
        (Actor(customer_id=CustomerId(new_id())), Forbidden),
        (ANONYMOUS, Unauthenticated),
    ):
        for new in (OWN, CONNECTED, KEY, NewLink(keys=StripeKeys("", ""))):
            assert type(await refused(link(database, new, actor=actor))) is refusal
        assert type(await refused(unlink(database, made, actor=actor))) is refusal
        assert type(await refused(update(database, made, actor=actor))) is refusal

    assert await in_force(database) == made


async def test_a_link_that_is_not_there_is_not_found(database: Database) -> None:
    made = await link(database)
    nobodys = replace(made, id=StripeLinkId(new_id()))

    for doing in (unlink(database, nobodys), update(database, nobodys)):
        no = await refused(doing)
        assert isinstance(no, NotFound)
        assert no.path == ("link",)
