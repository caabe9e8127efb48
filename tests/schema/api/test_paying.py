"""How to pay is one choice of what is there; all else is refused and changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from studio import Studio

if TYPE_CHECKING:
    from tests.schema.api.conftest import Ask, Dump

    from examples import Examples, Input

PAID = ("bookCourse", "bookSession", "swapBooking")


def with_each(examples: Examples, choices: list[Any]) -> list[tuple[str, Input]]:
    """Give every mutation that takes money each of these choices."""
    return [
        (mutation, {**examples[mutation][0], "payWith": choice})
        for mutation in PAID
        for choice in choices
    ]


async def test_exactly_one_way_to_pay_is_chosen(
    examples: Examples, ask: Ask, dump: Dump
) -> None:
    unclear = [{}, {"offline": True, "free": True}, {"offline": True, "credit": {}}]
    unclear += [{"offline": None}, {"credit": None}, {"offline": True, "free": None}]
    before = await dump()

    for mutation, asked in with_each(examples, unclear):
        answer = await ask(mutation, asked)
        assert (answer.status, set(answer.body)) == (200, {"errors"}), asked
        assert set(answer.error_codes) == {"BAD_USER_INPUT"}

    assert await dump() == before


async def test_a_way_to_pay_is_not_chosen_by_denying_it(
    examples: Examples, ask: Ask, dump: Dump
) -> None:
    before = await dump()

    for mutation, asked in with_each(examples, [{"offline": False}, {"free": False}]):
        (payload,) = (await ask(mutation, asked)).data.values()
        (method,) = asked["payWith"]
        (refusal,) = payload["userErrors"]
        assert refusal["code"] == "INVALID_INPUT"
        assert refusal["path"] == ["input", "payWith", method]

    assert await dump() == before


async def test_nobody_pays_with_what_another_customer_holds(
    northside: Studio, examples: Examples, ask: Ask, dump: Dump
) -> None:
    bens = await northside.give("Ben", "TEN")
    before = await dump()

    for mutation in ("bookSession", "swapBooking"):
        asked = {**examples[mutation][0], "payWith": {"credit": {"customerBundle": bens}}}
        (payload,) = (await ask(mutation, asked)).data.values()
        (refusal,) = payload["userErrors"]
        assert refusal["code"] == "NOT_FOUND"
        assert refusal["path"][:2] == ["input", "payWith"]

    assert await dump() == before


async def test_a_way_to_pay_that_is_not_accepted_is_refused_with_those_that_are(
    northside: Studio, examples: Examples, dump: Dump
) -> None:
    wanted = "mutation ($input: BookSessionInput!) { bookSession(input: $input) {"
    wanted += " userErrors { code path ... on PaymentOptionNotAllowedError { allowed } } } }"
    asked = {
        **examples["bookSession"][0],
        "session": northside.session("THU", 1),
        "payWith": {"offline": True},
    }
    before = await dump()

    answer = await northside.query(wanted, as_="owner", input=asked)

    assert answer["bookSession"]["userErrors"] == [
        {
            "code": "PAYMENT_OPTION_NOT_ALLOWED",
            "path": ["input", "payWith"],
            "allowed": ["credit", "free"],
        }
    ]
    assert await dump() == before


async def test_staff_say_for_whom_they_book(examples: Examples, ask: Ask, dump: Dump) -> None:
    before = await dump()

    for mutation in ("bookCourse", "bookSession"):
        asked = {**examples[mutation][0], "customer": None}
        (payload,) = (await ask(mutation, asked)).data.values()
        (refusal,) = payload["userErrors"]
        assert (refusal["code"], refusal["path"]) == ("INVALID_INPUT", ["input", "customer"])

    assert await dump() == before
