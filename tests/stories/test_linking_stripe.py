"""Owners link their account with Stripe; what they give for that is never shown again."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from functools import partial
from traceback import format_exception
from typing import Any

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection
from strawberry import ID
from structlog.testing import capture_logs

from classbolt import stripe_links
from classbolt.db import Caller
from classbolt.sealed import CannotOpen, Seal
from classbolt.stripe_gateway import StripeGateway
from classbolt.stripe_links import NewLink
from classbolt.tables import stripe_links as rows_of_links
from classbolt.testing.stripe_double import Double
from classbolt.values import SYSTEM
from classbolt_schema.mutations.stripe import LinkStripeInput, UpdateStripeLinkInput
from played import gateway as gateway_to
from studio import SECRET_KEY, Studio, codes_of

KEYS = {
    "restrictedKey": "rk_test_51HiddenKey",
    "publishableKey": "pk_test_51North",
    "webhookSecret": "whsec_HiddenSecret",
}
HIDDEN = ("HiddenKey", "HiddenSecret", "Hidden")
LINK = "id kind linkedAt unlinkedAt publishableKey holdMinutes hasWebhookSecret webhookPath"
ACCOUNT = f"account {{ takesCards stripe {{ {LINK} }} }}"


@pytest.fixture
def gateway() -> Iterator[StripeGateway]:
    """The way to a Stripe that takes these keys."""
    double = Double()
    double.add_account(keys=[KEYS["restrictedKey"], KEYS["publishableKey"]])
    yield gateway_to(double)
    double.close()


async def link(studio: Studio, **changes: Any) -> Any:
    """Link the account as its owner, and give the link as the answer shows it."""
    made = await studio.do("linkStripe", {**KEYS, **changes}, ACCOUNT, as_="owner")
    assert made["account"]["takesCards"]
    return made["account"]["stripe"]


async def read(studio: Studio) -> Any:
    return (await studio.query(f"{{ {ACCOUNT} }}", as_="owner"))["account"]


async def test_an_owner_links_changes_and_ends_the_link(studio: Studio) -> None:
    assert await read(studio) == {"takesCards": False, "stripe": None}

    made = await link(studio, webhookSecret=None)
    assert made == {
        "id": made["id"],
        "kind": "KEY",
        "linkedAt": "2027-01-04T12:00:00Z",
        "unlinkedAt": None,
        "publishableKey": "pk_test_51North",
        "holdMinutes": 15,
        "hasWebhookSecret": False,
        "webhookPath": "/webhooks/stripe/northside",
    }

    changes = {"link": made["id"], "webhookSecret": "whsec_HiddenLater", "holdMinutes": 30}
    changed = await studio.do("updateStripeLink", changes, ACCOUNT, as_="owner")
    expected = {**made, "hasWebhookSecret": True, "holdMinutes": 30}
    assert changed["account"] == {"takesCards": True, "stripe": expected}
    assert await read(studio) == changed["account"]

    for _ in range(2):
        ended = await studio.do("unlinkStripe", {"link": made["id"]}, ACCOUNT, as_="owner")
        assert ended["account"] == {"takesCards": False, "stripe": None}
    assert await read(studio) == {"takesCards": False, "stripe": None}


async def test_a_link_that_has_ended_is_still_found_and_changed(studio: Studio) -> None:
    first = await link(studio)
    second = await link(studio, holdMinutes=60)
    changes = {"link": first["id"], "holdMinutes": 5}

    await studio.do("updateStripeLink", changes, as_="owner")

    fields = f"query ($id: ID!) {{ node(id: $id) {{ ... on StripeLink {{ {LINK} }} }} }}"
    found = await studio.query(fields, id=first["id"], as_="owner")
    ended = {"unlinkedAt": second["linkedAt"], "holdMinutes": 5}
    assert found["node"] == {**first, **ended}
    assert (await read(studio))["stripe"] == second


async def test_a_link_of_the_installation_is_shown_and_ended_but_not_made_by_owners(
    studio: Studio,
) -> None:
    """Whoever owns an account could otherwise name anybody's."""
    caller = Caller(studio.slug)
    new = NewLink(stripe_account="acct_1North")
    now = studio.clock.now
    await studio.database.write(caller, lambda tx: stripe_links.link(tx, SYSTEM, new, now=now))

    shown = (await read(studio))["stripe"]

    assert (shown["kind"], shown["publishableKey"]) == ("CONNECTED", None)
    assert (shown["hasWebhookSecret"], shown["webhookPath"]) == (False, "/webhooks/stripe")
    for own in ({"webhookSecret": "whsec_HiddenLater"}, {"restrictedKey": "rk_test_Hidden"}):
        changes = {"link": shown["id"], **own}
        assert await studio.codes("updateStripeLink", changes, as_="owner") == ["INVALID_INPUT"]
    await studio.do("unlinkStripe", {"link": shown["id"]}, as_="owner")
    assert await read(studio) == {"takesCards": False, "stripe": None}


async def test_everybody_is_told_whether_cards_are_taken_and_only_owners_how(
    northside: Studio,
) -> None:
    await link(northside)

    for who in (None, "Ana", "staff", "manager"):
        told = await northside.query("{ account { takesCards } }", as_=who)
        answer = await northside.ask(f"{{ {ACCOUNT} }}", as_=who)

        assert told == {"account": {"takesCards": True}}
        assert answer.error_codes == ["FORBIDDEN" if who else "UNAUTHENTICATED"]
        assert answer.body["data"] == {"account": {"takesCards": True, "stripe": None}}


async def test_what_cannot_be_used_says_where_it_lies(studio: Studio) -> None:
    made = await link(studio)

    for member, value in (
        ("restrictedKey", "pk_test_51HiddenKey"),
        ("publishableKey", "pk_live_51North"),
        ("webhookSecret", "HiddenSecret"),
        ("holdMinutes", 121),
    ):
        refused = await studio.mutate("linkStripe", {**KEYS, member: value}, as_="owner")
        assert codes_of(refused) == ["INVALID_INPUT"]
        assert refused["userErrors"][0]["path"] == ["input", member]
    for member in ("webhookSecret", "holdMinutes"):
        nothing = {"link": made["id"], member: None}
        assert await studio.codes("updateStripeLink", nothing, as_="owner") == ["INVALID_INPUT"]
    assert (await read(studio))["stripe"] == made


# What is secret


async def sealed_rows(studio: Studio) -> list[Any]:
    columns = (rows_of_links.c.sealed_key, rows_of_links.c.sealed_webhook_secret)
    async with studio.database.look() as connection:
        found = await connection.execute(select(*columns))
    return list(found.all())


async def test_the_installations_key_opens_what_was_given_and_no_other_does(
    studio: Studio,
) -> None:
    await link(studio)

    (row,) = await sealed_rows(studio)

    ours, others = Seal((SECRET_KEY,)), Seal((SecretStr(Fernet.generate_key().decode()),))
    assert [ours.open(each) for each in row] == [KEYS["restrictedKey"], KEYS["webhookSecret"]]
    for each in row:
        with pytest.raises(CannotOpen):
            others.open(each)


def written(lines: list[Any], caplog: pytest.LogCaptureFixture) -> str:
    """Put all that was logged into one text, tracebacks and all."""
    tracebacks = [
        "".join(format_exception(line["exc_info"]))
        for line in lines
        if isinstance(line.get("exc_info"), BaseException)
    ]
    return "\n".join([*map(repr, lines), *tracebacks, caplog.text])


async def test_no_answer_and_no_line_of_the_log_shows_a_secret(
    unwatched: Studio, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither when all goes well, nor when it is refused, nor when the database fails."""
    caplog.set_level(logging.INFO)  # as the server does
    studio, told = unwatched, []

    async def ask(mutation: str, asked: Mapping[str, Any], as_: str | None = "owner") -> Any:
        kind = mutation[0].upper() + mutation[1:]
        document = (
            f"mutation ($input: {kind}Input!) {{ {mutation}(input: $input) {{ {ACCOUNT}"
            " userErrors { __typename code message path hint } } }"
        )
        answer = await studio.ask(document, {"input": asked}, as_=as_)
        told.append(repr(answer))
        return answer

    with capture_logs() as lines:
        made = (await ask("linkStripe", KEYS)).data["linkStripe"]["account"]["stripe"]
        secret = {"link": made["id"], "webhookSecret": KEYS["webhookSecret"]}
        await ask("updateStripeLink", secret)
        for as_ in (None, "Ana", "manager"):
            await ask("linkStripe", KEYS, as_)
            await ask("updateStripeLink", secret, as_)
        for member in ("restrictedKey", "publishableKey", "webhookSecret"):
            for value in (
                f"51Hidden {member}",
                "rk_live_Hidden",
                "rk_test_HiddenFromStripe",
                "Hidden" * 99,
            ):
                await ask("linkStripe", {**KEYS, member: value})
        await ask("updateStripeLink", {**secret, "link": "Hidden"})
        sealed = [each for row in await sealed_rows(studio) for each in row]
        for column in ("sealed_key", "sealed_webhook_secret"):
            change = text(f"ALTER TABLE stripe_links RENAME COLUMN {column} TO lost_{column}")
            await studio.database.run(partial(AsyncConnection.execute, statement=change))
        failed = [await ask("linkStripe", KEYS), await ask("updateStripeLink", secret)]

    assert [each.error_codes for each in failed] == [["INTERNAL"], ["INTERNAL"]]
    seen = "\n".join([*told, written(lines, caplog)])
    assert "request_failed" in seen
    for each in (*HIDDEN, *sealed):
        assert each not in seen


async def test_what_is_no_input_at_all_is_refused_without_being_repeated(
    studio: Studio,
) -> None:
    asking = "linkStripe(input: %s) { userErrors { code } }"
    by_variable = "mutation ($input: LinkStripeInput!) { " + asking % "$input" + " }"
    key = KEYS["restrictedKey"]

    answers = [
        await studio.ask(by_variable, {"input": asked}, as_="owner")
        for asked in (
            {"restrictedKey": key},
            {**KEYS, "restrictedKey": [key]},
            {**KEYS, "webhookSecret": {"is": KEYS["webhookSecret"]}},
            {**KEYS, "holdMinutes": key},
            {**KEYS, "another": key},
            [KEYS],
            key,
        )
    ]
    answers += [
        await studio.ask("mutation { " + asking % asked + " }", as_="owner")
        for asked in (
            f'{{restrictedKey: "{key}"}}',
            f'{{restrictedKey: ["{key}"], publishableKey: "x"}}',
            f'{{restrictedKey: "x", publishableKey: "x", holdMinutes: "{key}"}}',
            f'"{key}"',
        )
    ]

    for answer in answers:
        assert set(answer.error_codes) <= {"BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"}
        assert answer.error_codes != []
        assert "Hidden" not in repr(answer)


def test_an_input_with_secrets_does_not_print_them() -> None:
    asked = LinkStripeInput(
        restricted_key=KEYS["restrictedKey"],
        publishable_key=KEYS["publishableKey"],
        webhook_secret=KEYS["webhookSecret"],
    )
    changes = UpdateStripeLinkInput(link=ID("x"), webhook_secret=KEYS["webhookSecret"])

    assert "Hidden" not in f"{asked!r} {asked} {changes!r} {changes}"
