"""Tokens: who somebody is stands in them, whether they belong here stands in our own tables."""

from __future__ import annotations

from datetime import timedelta

import httpx
from sqlalchemy import delete, update

from classbolt.db import Caller, Tx
from classbolt.tables import memberships, staff
from classbolt.values import CustomerId
from classbolt_schema.ids import decode
from classbolt_schema.server.keys import DEVELOPMENT_ISSUER, issue_token
from studio import SOLD_ON, Studio

ME = "{ account { slug } me { name } }"


async def send(studio: Studio, authorization: str, document: str = ME) -> httpx.Response:
    return await studio.client.post(
        f"/graphql/{studio.slug}",
        json={"query": document},
        headers={"Authorization": authorization},
    )


async def refused(studio: Studio, authorization: str) -> bool:
    """Say whether a caller was turned away as one whom nobody knows, whatever they ask."""
    answers = [
        await send(studio, authorization),
        await send(studio, authorization, "{ __typename }"),
        await send(
            studio,
            authorization,
            'mutation { createTag(input: {name: "A"}) { userErrors { code } } }',
        ),
    ]
    return all(
        answer.status_code == 401
        and answer.headers["www-authenticate"] == "Bearer"
        and answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        and "data" not in answer.json()
        for answer in answers
    )


async def test_a_token_counts_until_it_expires(studio: Studio) -> None:
    await studio.token("owner")
    short = issue_token(studio.settings, "northside", "owner", SOLD_ON, timedelta(hours=1))

    studio.clock.set("2027-01-04T12:59:59")
    in_time = await send(studio, f"Bearer {short}")
    studio.clock.set("2027-01-04T13:00:31")  # half a minute is forgiven to clocks that differ

    assert in_time.json()["data"]["account"] == {"slug": "northside"}
    assert await refused(studio, f"Bearer {short}")


async def test_a_token_is_for_one_account(northside: Studio, southside: Studio) -> None:
    """J6."""
    norths, souths = await northside.token("owner"), await southside.token("owner")

    assert await refused(southside, f"Bearer {norths}")
    assert await refused(northside, f"Bearer {souths}")
    assert (await send(northside, f"Bearer {norths}")).status_code == 200
    assert (await send(southside, f"Bearer {souths}")).status_code == 200


async def test_whoever_is_not_a_member_is_refused_though_the_issuer_knows_them(
    studio: Studio,
) -> None:
    stranger = issue_token(studio.settings, "northside", "eve", SOLD_ON, timedelta(hours=1))

    assert await refused(studio, f"Bearer {stranger}")


async def test_a_membership_that_is_taken_away_counts_from_the_next_request_on(
    studio: Studio,
) -> None:
    await studio.add_customer("Ana")
    token = f"Bearer {await studio.token('Ana')}"
    assert (await send(studio, token)).json()["data"]["me"] == {"name": "Ana"}

    async def revoke(tx: Tx) -> None:
        ana = CustomerId(decode("Customer", studio.ids.customers["Ana"]))
        await tx.execute(delete(memberships).where(memberships.c.customer_id == ana))

    await studio.database.write(Caller("northside"), revoke)

    assert await refused(studio, token)


async def test_a_role_that_changes_counts_from_the_next_request_on(studio: Studio) -> None:
    assert await studio.codes("createTag", {"name": "One"}, as_="manager") == []

    async def demote(tx: Tx) -> None:
        await tx.execute(update(staff).where(staff.c.name == "manager").values(role="STAFF"))

    await studio.database.write(Caller("northside"), demote)

    assert await studio.codes("createTag", {"name": "Two"}, as_="manager") == ["FORBIDDEN"]


async def test_what_is_no_bearer_token_is_refused_and_never_taken_for_a_visitor(
    studio: Studio,
) -> None:
    token = await studio.token("owner")

    for given in (
        "Bearer",
        f"Basic {token}",
        token,
        f"Bearer {token}x",
        "Bearer null",
    ):
        assert await refused(studio, given), given
    assert DEVELOPMENT_ISSUER not in (await send(studio, "Bearer x")).text


async def test_an_account_that_does_not_exist_is_not_found(studio: Studio) -> None:
    for slug in ("eastside", "NORTHSIDE", "%00", "a" * 500, "northside%20", "ö"):
        answer = await studio.client.post(f"/graphql/{slug}", json={"query": ME})
        assert answer.status_code == 404, slug
        assert answer.json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"
