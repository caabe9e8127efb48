"""Inputs that are well formed and make no sense: a typed refusal each, and nothing changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from studio import Studio

if TYPE_CHECKING:
    from tests.schema.api.conftest import Ask, Dump

    from examples import Input

A_DAY = {"value": 1, "unit": "DAYS"}
COURSE = {"title": "Yoga", "priceMinor": 6000}
SESSION = {"startsAt": "2027-03-01T18:30:00Z", "capacity": 5}
OFFER = {"priceMinor": 1200, "opensBefore": A_DAY}


@pytest.fixture
async def small(studio: Studio) -> Studio:
    """An account with both bolt-ons on, a course, and bundles of one and of five credits."""
    for code in ("auto_refund", "drop_in"):
        await studio.do("enableBoltOn", {"boltOn": code}, as_="owner")
    for name, credits in (("ONE", 1), ("FIVE", 5)):
        asked = {"name": name, "credits": credits, "validity": A_DAY}
        made = await studio.do("createBundle", asked, "bundle { id }", as_="owner")
        studio.ids.bundles[name] = made["bundle"]["id"]
    asked = {**COURSE, "sessions": [SESSION]}
    fields = "course { id sessions { edges { node { id } } } }"
    made = (await studio.do("createCourse", asked, fields, as_="owner"))["course"]
    studio.ids.courses["YOGA"] = made["id"]
    studio.ids.sessions["YOGA"] = [edge["node"]["id"] for edge in made["sessions"]["edges"]]
    return studio


async def refusals(ask: Ask, mutation: str, *inputs: object) -> list[list[tuple[str, str]]]:
    """Run a mutation and give, for each input, the codes of its refusals and where they lie."""
    return [
        [(each["code"], ".".join(each["path"] or ())) for each in payload["userErrors"]]
        for payload in (await ask(mutation, *inputs)).data.values()
    ]


# Texts


async def test_half_a_character_is_no_text_in_json_or_in_a_document(
    studio: Studio, ask: Ask, dump: Dump
) -> None:
    before = await dump()

    in_json = await ask("createTag", {"name": "Ana\ud83d"})
    in_document = await studio.ask(
        r'mutation { createTag(input: {name: "Ana\ud83d"}) { userErrors { code } } }',
        as_="owner",
    )

    assert (in_json.status, in_json.error_codes) == (400, ["BAD_REQUEST"])
    assert (in_document.status, in_document.error_codes) == (200, ["GRAPHQL_PARSE_FAILED"])
    assert await dump() == before


SCRIPTS = ["👩🏽‍🦽 💃🏿 🇬🇧", "🫨", "مرحبا (Ana) ١٢", "עברית", "日本語", "Zoë", "e\u0301", "İi"]
SCRIPTS += ["'; DROP TABLE x; --", "<b>", "a\nb", "${x}", "%s"]


WRITTEN = [
    ("createCustomer", "customer", "name", {}),
    ("createTag", "tag", "name", {}),
    ("createBundle", "bundle", "name", {"credits": 1, "validity": A_DAY}),
    ("createCourse", "course", "title", COURSE),
    ("createCourse", "course", "description", COURSE),
]


async def test_text_of_every_script_is_kept_as_it_was_given(studio: Studio) -> None:
    for mutation, made, name, more in WRITTEN:
        kept = [
            (
                await studio.do(
                    mutation, more | {name: text}, f"{made} {{ {name} }}", as_="owner"
                )
            )
            for text in SCRIPTS
        ]
        assert [each[made][name] for each in kept] == SCRIPTS


async def test_the_longest_texts_are_kept_whole(studio: Studio, ask: Ask) -> None:
    longest = {"title": "💃" * 200, "description": "💃" * 10_000, "priceMinor": 0}
    fields = "course { title description }"

    made = await studio.do("createCourse", longest, fields, as_="owner")

    assert made["course"] == {"title": "💃" * 200, "description": "💃" * 10_000}
    assert await refusals(
        ask,
        "createCourse",
        {**COURSE, "title": "é" * 201},
        {**COURSE, "description": "é" * 10_001},
    ) == [[("INVALID_INPUT", "input.title")], [("INVALID_INPUT", "input.description")]]


async def test_what_is_no_address_is_refused(ask: Ask, dump: Dump) -> None:
    addresses = ["ana", "@", "ana@", "@example.com", "a@b@c", "ana @example.com", "a@b\0"]
    before = await dump()

    found = await refusals(
        ask, "createCustomer", *({"name": "Ana", "email": each} for each in addresses)
    )

    assert found == [[("INVALID_INPUT", "input.email")]] * len(addresses)
    assert await dump() == before


# Refund policies


def rule(option: str, bundle: str | None, method: str = "NEW_BUNDLE") -> Input:
    return {"option": option, "method": method, "bundle": bundle}


async def test_a_policy_that_could_not_be_followed_is_refused_when_it_is_set(
    small: Studio, ask: Ask, dump: Dump
) -> None:
    one, five = small.ids.bundles["ONE"], small.ids.bundles["FIVE"]
    invalid = {
        "a bundle of five credits": [rule("COURSE", five)],
        "one further down": [rule("COURSE", one), rule("DROP_IN_OFFLINE", five)],
        "one to fall back on": [rule("DROP_IN_CREDIT", five, "ORIGINAL")],
    }
    impossible = {
        "no refunds": [],
        "a kind of booking twice": [rule("COURSE", one), rule("COURSE", one)],
        "an unknown kind of booking": [rule("DROP_IN_CASH", one)],
        "one in lower case": [rule("course", one)],
        "a credit back to who paid money": [rule("COURSE", None, "ORIGINAL")],
        "the same with a bundle": [rule("COURSE", one, "ORIGINAL")],
        "no bundle to issue": [rule("COURSE", None)],
    }
    policies = [
        {"autoRefund": {"notice": A_DAY, "refunds": refunds}}
        for refunds in (invalid | impossible).values()
    ]
    before = await dump()

    created = await refusals(ask, "createCourse", *(COURSE | each for each in policies))
    course = {"course": small.ids.courses["YOGA"]}
    updated = await refusals(ask, "updateCourse", *(course | each for each in policies))

    place = "input.autoRefund.refunds"
    expected = [[("REFUND_BUNDLE_INVALID", place)]] * len(invalid)
    expected += [[("INVALID_INPUT", place)]] * len(impossible)
    assert created == updated == expected
    assert await dump() == before


async def test_money_goes_back_only_to_who_may_have_paid_by_card(
    small: Studio, ask: Ask, dump: Dump
) -> None:
    one, back = small.ids.bundles["ONE"], "ORIGINAL_PAYMENT"
    policies = [
        {"autoRefund": {"notice": A_DAY, "refunds": [rule(option, bundle, back)]}}
        for option in ("DROP_IN_CREDIT", "DROP_IN_OFFLINE")
        for bundle in (None, one)
    ]
    before = await dump()

    refused = await refusals(ask, "createCourse", *(COURSE | each for each in policies))

    assert refused == [[("INVALID_INPUT", "input.autoRefund.refunds")]] * len(policies)
    assert await dump() == before


@pytest.mark.usefixtures("small")
async def test_a_policy_says_what_it_refunds(ask: Ask, dump: Dump) -> None:
    before = await dump()

    answer = await ask("createCourse", {**COURSE, "autoRefund": {"notice": A_DAY}})

    assert answer.error_codes == ["BAD_USER_INPUT"]
    assert await dump() == before


# Offers, methods, numbers


async def test_an_offer_has_a_price(small: Studio, ask: Ask, dump: Dump) -> None:
    before = await dump()
    session = {"session": small.session("YOGA", 1)}

    for price in ({}, {"priceMinor": None}):
        offer = {"opensBefore": A_DAY, **price}
        answer = await ask("updateSession", {**session, "dropIn": offer})
        assert (answer.status, answer.error_codes) == (200, ["BAD_USER_INPUT"])

    assert await dump() == before


async def test_a_payment_method_is_one_that_is_accepted_here(
    small: Studio, ask: Ask, dump: Dump
) -> None:
    unknown: list[list[str]] = [[], ["cash"], ["offline", "cash"], ["OFFLINE"], ["free"]]
    session = {"session": small.session("YOGA", 1)}
    before = await dump()

    of_course = await refusals(
        ask, "createCourse", *({**COURSE, "paymentMethods": each} for each in unknown)
    )
    of_offer = await refusals(
        ask,
        "updateSession",
        *({**session, "dropIn": {**OFFER, "paymentMethods": each}} for each in unknown),
    )

    assert of_course == [[("INVALID_INPUT", "input.paymentMethods")]] * len(unknown)
    assert of_offer == [[("INVALID_INPUT", "input.dropIn.paymentMethods")]] * len(unknown)
    assert await dump() == before


@pytest.mark.usefixtures("small")
async def test_the_refusal_of_one_of_many_sessions_says_which(ask: Ask) -> None:
    free = {**SESSION, "dropIn": {**OFFER, "priceMinor": -1}}
    past = {**SESSION, "startsAt": "2027-01-04T12:00:00Z"}

    found = await refusals(
        ask,
        "createCourse",
        {**COURSE, "sessions": [SESSION, SESSION, past]},
        {**COURSE, "sessions": [SESSION, free]},
    )

    assert found == [
        [("INVALID_INPUT", "input.sessions.2.startsAt")],
        [("INVALID_INPUT", "input.sessions.1.dropIn.priceMinor")],
    ]


async def test_a_course_has_at_most_two_hundred_sessions(
    small: Studio, ask: Ask, dump: Dump
) -> None:
    course = {"course": small.ids.courses["YOGA"]}
    before = await dump()

    found = [
        *await refusals(ask, "addSessions", {**course, "sessions": []}),
        *await refusals(ask, "addSessions", {**course, "sessions": [SESSION] * 200}),
    ]

    assert found == [[("INVALID_INPUT", "input.sessions")]] * 2
    assert await dump() == before


async def test_a_bundle_has_at_most_a_hundred_tags(small: Studio, ask: Ask, dump: Dump) -> None:
    tags: list[str] = []
    while len(tags) < 100:
        fields = " ".join(
            f't{each}: createTag(input: {{name: "T{each}"}}) {{ tag {{ id }} }}'
            for each in range(len(tags), len(tags) + 10)
        )
        made = await small.query(f"mutation {{ {fields} }}", as_="owner")
        tags += [each["tag"]["id"] for each in made.values()]
    bundle = {"bundle": small.ids.bundles["ONE"]}

    assert await refusals(ask, "updateBundle", {**bundle, "tags": tags * 2}) == [[]]
    before = await dump()
    assert await refusals(ask, "createTag", {"name": "One more"}) == [
        [("INVALID_INPUT", "input.name")]
    ]
    assert await dump() == before


async def test_null_is_not_how_a_value_is_left_out(small: Studio, ask: Ask, dump: Dump) -> None:
    never_null = {
        "updateBundle": (
            "bundle",
            small.ids.bundles["ONE"],
            ["name", "validity", "onSale", "tags"],
        ),
        "updateCourse": (
            "course",
            small.ids.courses["YOGA"],
            ["title", "description", "priceMinor", "paymentMethods"],
        ),
        "updateSession": (
            "session",
            small.session("YOGA", 1),
            ["startsAt", "minutes", "capacity"],
        ),
        "updateSessions": ("course", small.ids.courses["YOGA"], ["minutes", "capacity"]),
    }
    before = await dump()

    for mutation, (what, key, names) in never_null.items():
        found = await refusals(ask, mutation, *({what: key, name: None} for name in names))
        assert found == [[("INVALID_INPUT", f"input.{name}")] for name in names]
        assert await refusals(ask, mutation, {what: key}) == [[]]  # what is left out stays

    assert await dump() == before


async def test_what_is_written_into_the_document_is_checked_like_variables(
    studio: Studio, dump: Dump
) -> None:
    bad = [
        "priceMinor: 2147483648",
        "priceMinor: 1.5",
        'priceMinor: 1, sessions: [{startsAt: "2027-03-01", capacity: 5}]',
        'priceMinor: 1, sessions: [{startsAt: "2027-03-01T18:30:00", capacity: 5}]',
        "priceMinor: 1, tag: 1.5",
        "priceMinor: 1, colour: 5",
        'priceMinor: 1, title: "Pilates"',
        "",
    ]
    before = await dump()

    for values in bad:
        answer = await studio.ask(
            f'mutation {{ createCourse(input: {{title: "Yoga", {values}}})'
            " { userErrors { code } } }",
            as_="owner",
        )
        assert (answer.status, set(answer.body)) == (200, {"errors"}), values
        assert set(answer.error_codes) == {"GRAPHQL_VALIDATION_FAILED"}, values

    assert await dump() == before
