"""Refusals: what every "no" has in common."""

from __future__ import annotations

import re
from datetime import datetime

import pytest

from classbolt import errors
from classbolt.errors import (
    ALL,
    InvalidInput,
    NotFound,
    PaymentOptionNotAllowed,
    Refusal,
    Refusals,
    SessionFull,
    SessionStarted,
    refuse_if,
)


def in_capitals(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper()


@pytest.mark.parametrize("refusal", ALL, ids=lambda refusal: refusal.__name__)
def test_a_code_is_the_name_of_its_class_in_capitals(refusal: type[Refusal]) -> None:
    assert refusal.code == in_capitals(refusal.__name__)


@pytest.mark.parametrize("refusal", ALL, ids=lambda refusal: refusal.__name__)
def test_a_refusal_says_in_a_sentence_what_it_means(refusal: type[Refusal]) -> None:
    assert refusal.__doc__ is not None
    assert refusal.__doc__ != Refusal.__doc__
    assert refusal.__doc__.splitlines()[0].endswith(".")


@pytest.mark.parametrize("refusal", ALL, ids=lambda refusal: refusal.__name__)
def test_facts_have_types_that_clients_can_be_shown(refusal: type[Refusal]) -> None:
    assert set(refusal.facts.values()) <= {str, int, bool, list, datetime}


def test_codes_are_unique() -> None:
    codes = [refusal.code for refusal in ALL]

    assert len(set(codes)) == len(codes)


def test_every_refusal_of_core_is_listed() -> None:
    declared = {
        each
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, Refusal) and each is not Refusal
    }

    assert set(ALL) == declared


def test_a_refusal_is_its_own_only_reason() -> None:
    no = SessionFull()

    assert no.reasons == (no,)
    assert str(no) == no.message


def test_a_refusal_can_say_where_in_the_input_it_lies() -> None:
    assert NotFound().at("sessions", 2, "tag").path == ("sessions", 2, "tag")
    assert InvalidInput("No.", "name").path == ("name",)
    assert SessionFull().path == ()


def test_several_refusals_are_said_at_once_in_their_order() -> None:
    with pytest.raises(Refusals, match=r"taken\.; .*started\.") as raised:
        refuse_if(each for each in (SessionFull(), SessionStarted()))

    assert [each.code for each in raised.value.reasons] == ["SESSION_FULL", "SESSION_STARTED"]


def test_no_reason_is_no_refusal() -> None:
    refuse_if([])


def test_what_is_accepted_is_listed_once_and_in_order() -> None:
    assert PaymentOptionNotAllowed(["offline", "credit", "credit"]).allowed == [
        "credit",
        "offline",
    ]
    assert PaymentOptionNotAllowed([]).message.endswith("Accepted: none.")


def test_a_refusal_survives_a_with_block_and_can_be_raised_again() -> None:
    no = SessionFull()
    for _ in range(2):
        with pytest.raises(SessionFull) as raised:
            raise no
        assert raised.value is no
