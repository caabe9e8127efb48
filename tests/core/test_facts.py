"""The values that bolt-ons answer with hold each of them to an answer."""

from __future__ import annotations

import dataclasses

import pytest

from classbolt.errors import SessionFull
from classbolt.facts import CreditBack, Free, PaymentOption, SessionFacts, Terms
from classbolt.given import Given
from classbolt.values import CourseId, CustomerBundleId, SessionId, new_id
from studio import at

BACK = CreditBack(CustomerBundleId(new_id()))


def session(*, capacity: int, seats_taken: int) -> SessionFacts:
    return SessionFacts(
        id=SessionId(new_id()),
        course_id=CourseId(new_id()),
        starts_at=at("2027-01-25T18:30"),
        ends_at=at("2027-01-25T19:30"),
        capacity=capacity,
        seats_taken=seats_taken,
        tag_id=None,
        called_off_at=None,
    )


def test_terms_give_something_back_or_say_why_not() -> None:
    assert Terms(give_back=BACK).refusal is None
    assert Terms(refusal=SessionFull()).give_back is None


def test_terms_that_do_neither_or_both_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="one of the two"):
        Terms(option="COURSE")
    with pytest.raises(ValueError, match="one of the two"):
        Terms(give_back=BACK, refusal=SessionFull())


def test_a_payment_option_says_what_core_does_or_why_it_cannot_be_taken() -> None:
    assert PaymentOption("free", action=Free()).refusals == ()
    assert PaymentOption("credit", refusals=(SessionFull(),)).action is None

    with pytest.raises(ValueError, match="needs a refusal"):
        PaymentOption("credit")


@pytest.mark.parametrize("seats_taken", [10, 12])
def test_a_session_is_full_when_every_seat_is_taken_or_more(seats_taken: int) -> None:
    assert session(capacity=10, seats_taken=seats_taken).is_full


@pytest.mark.parametrize("seats_taken", [0, 9])
def test_a_session_with_a_free_seat_is_not_full(seats_taken: int) -> None:
    assert not session(capacity=10, seats_taken=seats_taken).is_full


def test_facts_cannot_be_changed_by_whoever_is_shown_them() -> None:
    facts = session(capacity=10, seats_taken=0)

    with pytest.raises(dataclasses.FrozenInstanceError):
        facts.capacity = 20  # type: ignore[misc]


def test_a_field_that_was_not_mentioned_differs_from_one_that_was_given_as_null() -> None:
    given = Given({"mentioned": None})

    assert given.get("mentioned", "absent") is None
    assert given.get("other", "absent") == "absent"
    assert Given().get("mentioned", "absent") == "absent"
