"""What a bolt-on may not answer: core acts only on what it was asked about."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from classbolt.answers import objection
from classbolt.facts import (
    BookingFacts,
    CreditBack,
    Free,
    HeldBundle,
    IssueBundle,
    PaymentOption,
    RecordOffline,
    SessionFacts,
    SpendCredit,
    TakeCard,
    Terms,
    WayToBook,
)
from classbolt.values import (
    BookingId,
    BundleId,
    CourseId,
    CustomerBundleId,
    CustomerId,
    Money,
    SessionId,
    new_id,
)
from studio import at

NOW = at("2027-01-22T09:00")
LATER = NOW + timedelta(days=30)
PAYER = HeldBundle(
    CustomerBundleId(new_id()),
    CustomerId(new_id()),
    BundleId(new_id()),
    0,
    NOW,
    LATER,
    frozenset(),
)
SESSION = SessionFacts(SessionId(new_id()), CourseId(new_id()), LATER, LATER, 10, 1, None, None)
PAID_BY_CREDIT = BookingFacts(
    id=BookingId(new_id()),
    session=SESSION,
    customer_id=PAYER.customer_id,
    course_booking_id=None,
    way="drop_in",
    method="credit",
    amount_minor=0,
    is_settled=True,
    customer_bundle=PAYER,
    by_business=False,
)
PAID_BY_MONEY = replace(
    PAID_BY_CREDIT, method="offline", amount_minor=1200, customer_bundle=None
)
EUROS = Money(1200, "EUR")
OTHER = CustomerBundleId(new_id())


def says(answer: object, asked: object = None) -> str | None:
    return objection(answer, asked, currency="GBP", now=NOW)


def test_a_credit_goes_back_only_to_the_bundle_that_paid() -> None:
    assert says(Terms(give_back=CreditBack(PAYER.id)), PAID_BY_CREDIT) is None

    assert says(Terms(give_back=CreditBack(OTHER)), PAID_BY_CREDIT)
    assert says(Terms(give_back=CreditBack(PAYER.id)), PAID_BY_MONEY)


@pytest.mark.parametrize("expires_at", [NOW, NOW - timedelta(days=1), datetime(2030, 1, 1)])  # noqa: DTZ001
def test_a_bundle_is_issued_only_with_a_validity_ahead(expires_at: datetime) -> None:
    assert says(Terms(give_back=IssueBundle(PAYER.bundle_id, LATER)), PAID_BY_MONEY) is None

    assert says(Terms(give_back=IssueBundle(PAYER.bundle_id, expires_at)), PAID_BY_MONEY)


def test_money_is_in_the_currency_of_the_account() -> None:
    """X29."""
    assert says(WayToBook("drop_in", Money(1200, "GBP"))) is None

    assert says(WayToBook("drop_in", EUROS))
    assert says(PaymentOption("offline", action=RecordOffline(EUROS)))
    assert says(PaymentOption("card", action=TakeCard(EUROS)))


def test_the_way_of_a_courses_place_is_cores_own() -> None:
    assert says(WayToBook("course", Money(0, "GBP")))


@pytest.mark.parametrize(
    "option",
    [
        {"method": "free", "action": RecordOffline(Money(1200, "GBP"))},
        {"method": "offline", "action": Free()},
        {"method": "credit", "source": OTHER, "action": SpendCredit(PAYER.id)},
        {"method": "credit"},
    ],
)
def test_a_payment_option_does_what_its_method_says(option: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="pa"):
        PaymentOption(**option)


def test_a_way_has_a_code_that_can_be_stored() -> None:
    for code in ("", "Drop In", "x" * 41):
        with pytest.raises(ValueError, match="code"):
            WayToBook(code, Money(0, "GBP"))


@pytest.mark.parametrize("amount", [-1, 2**31])
def test_money_is_never_negative_nor_more_than_can_be_stored(amount: int) -> None:
    with pytest.raises(ValueError, match="no amount"):
        Money(amount, "GBP")


def test_a_policy_that_cannot_be_kept_fails_where_it_is_made() -> None:
    with pytest.raises(TypeError):
        Terms(give_back=CreditBack(PAYER.id), policy={"at": NOW})
