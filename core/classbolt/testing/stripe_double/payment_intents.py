"""PaymentIntents: one payment from the moment it is asked for until it is made or given up.

    requires_payment_method -> requires_confirmation -> requires_action -> processing
        -> requires_capture -> succeeded | canceled

A declined card leads back to the beginning; the steps in the middle are left out where nothing
asks for them.
"""

from __future__ import annotations

from typing import Any, Final

from classbolt.testing.stripe_double import refunds
from classbolt.testing.stripe_double.amounts import check_amount, currency_of, positive
from classbolt.testing.stripe_double.books import Books, Params, new_id
from classbolt.testing.stripe_double.cards import payment_method
from classbolt.testing.stripe_double.errors import invalid, malformed
from classbolt.testing.stripe_double.events import emit
from classbolt.testing.stripe_double.metadata import merge
from classbolt.testing.stripe_double.store import Object
from classbolt.testing.stripe_double.taking import CONFIRMABLE, attempt, in_state, succeed

CANCELABLE: Final = (*CONFIRMABLE, "requires_capture")
PLAIN: Final = (
    "application_fee_amount",
    "customer",
    "description",
    "receipt_email",
    "setup_future_usage",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
)
"""What is kept as it was sent."""
CONFIRMED_WITH: Final = ("return_url", "use_stripe_sdk", "error_on_requires_action")
"""What is asked for together with a payment, and is about its confirmation."""
SEEN_IN_BROWSERS: Final = (
    "id",
    "object",
    "amount",
    "automatic_payment_methods",
    "canceled_at",
    "cancellation_reason",
    "capture_method",
    "client_secret",
    "confirmation_method",
    "created",
    "currency",
    "description",
    "last_payment_error",
    "livemode",
    "next_action",
    "payment_method",
    "payment_method_types",
    "processing",
    "receipt_email",
    "setup_future_usage",
    "shipping",
    "status",
)
"""What a publishable key is shown."""


def create(books: Books, params: Params) -> Object:
    """Ask for a payment, and confirm it at once if that is wanted."""
    currency = currency_of(params["currency"])
    check_amount(params["amount"], currency)
    _check_fee(books, params, params["amount"])
    intent = {**_draft(books, params), "currency": currency}
    if "payment_method" in params:
        intent |= _with_method(payment_method(books, params["payment_method"]))
    emit(books, "payment_intent.created", books.put(intent))
    if not params.get("confirm"):
        return intent
    given = {name: params[name] for name in CONFIRMED_WITH if name in params}
    return confirm(books, given, intent["id"])


def update(books: Books, params: Params, id_: str) -> Object:
    """Change what a payment says of itself, and how much it is while nothing was taken."""
    intent = books.get("payment_intent", id_)
    changes: dict[str, Any] = {name: params[name] for name in PLAIN if name in params}
    if "metadata" in params:
        changes["metadata"] = merge(intent["metadata"], params["metadata"])
    if "currency" in params:
        changes["currency"] = currency_of(params["currency"])
    if "amount" in params:
        changes["amount"] = params["amount"]
    if {"amount", "currency", "payment_method"} & params.keys():
        in_state(books, id_, CONFIRMABLE, "updated")
        changed = {**intent, **changes}
        check_amount(changed["amount"], changed["currency"])
    if "payment_method" in params:
        changes |= _with_method(payment_method(books, params["payment_method"]))
    changed = {**intent, **changes}
    _check_fee(books, params, changed["amount"])
    return books.put(changed)


def confirm(books: Books, params: Params, id_: str) -> Object:
    """Try to make the payment, as the customer's browser does.

    Raises:
        Refused: The card was declined, or the payment is not in a state to be made.
    """
    intent = in_state(books, id_, CONFIRMABLE, "confirmed")
    if "payment_method" in params:
        intent |= _with_method(payment_method(books, params["payment_method"]))
    if intent["payment_method"] is None:
        raise invalid(
            "You cannot confirm this PaymentIntent because it's missing a payment method. "
            "You can either update the PaymentIntent with a payment method and then confirm it "
            "again, or confirm it again directly with a payment method or ConfirmationToken.",
            code="payment_intent_unexpected_state",
            payment_intent=intent,
        )
    _check_return(intent, params)
    if "receipt_email" in params:
        intent["receipt_email"] = params["receipt_email"]
    return attempt(books, intent | {"last_payment_error": None, "next_action": None}, params)


def capture(books: Books, params: Params, id_: str) -> Object:
    """Take what was authorised, or a part of it; the rest is given back."""
    intent = in_state(books, id_, ("requires_capture",), "captured")
    amount = params.get("amount_to_capture", intent["amount_capturable"])
    positive(amount, "amount_to_capture")
    if amount > intent["amount_capturable"]:
        raise malformed(
            f"The requested capture amount is greater than the amount you can capture for this "
            f"PaymentIntent ({intent['amount_capturable']}).",
            code="amount_too_large",
            param="amount_to_capture",
        )
    paid = books.get("charge", intent["latest_charge"])
    paid = books.put({**paid, "captured": True, "amount_captured": amount})
    emit(books, "charge.captured", paid)
    if amount < paid["amount"]:
        refunds.give_back(books, paid, paid["amount"] - amount)
    return succeed(books, intent, amount)


def cancel(books: Books, params: Params, id_: str) -> Object:
    """Give a payment up; what was authorised is released."""
    intent = in_state(books, id_, CANCELABLE, "canceled")
    if intent["status"] == "requires_capture":
        held = books.get("charge", intent["latest_charge"])
        refunds.give_back(books, held, held["amount"])
    canceled = {
        **intent,
        "status": "canceled",
        "amount_capturable": 0,
        "canceled_at": books.now,
        "cancellation_reason": params.get("cancellation_reason"),
        "next_action": None,
    }
    emit(books, "payment_intent.canceled", books.put(canceled))
    return canceled


def page(books: Books, params: Params) -> tuple[list[Object], bool]:
    """List payments, the newest first."""
    customer = params.get("customer")
    return books.page(
        "payment_intent",
        params,
        matches=lambda each: customer is None or each["customer"] == customer,
    )


def seen_in_browsers(intent: Object) -> Object:
    """Give what a publishable key is shown of a payment."""
    return {name: intent[name] for name in SEEN_IN_BROWSERS}


# The rules


def _draft(books: Books, params: Params) -> Object:
    id_ = new_id("pi")
    types = params.get("payment_method_types")
    automatic = params.get("automatic_payment_methods", None if types else {"enabled": True})
    if automatic and automatic["enabled"]:
        automatic = {"allow_redirects": "always", **automatic}
    return {
        "id": id_,
        "object": "payment_intent",
        "created": books.now,
        **{name: params.get(name) for name in PLAIN},
        "allowed_payment_method_types": params.get("allowed_payment_method_types"),
        "amount": params["amount"],
        "amount_capturable": 0,
        "amount_received": 0,
        "application": None,
        "automatic_payment_methods": automatic,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": params.get("capture_method", "automatic_async"),
        "client_secret": new_id(f"{id_}_secret"),
        "confirmation_method": params.get("confirmation_method", "automatic"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": merge({}, params.get("metadata", {})),
        "next_action": None,
        "on_behalf_of": params.get("on_behalf_of"),
        "payment_method": None,
        "payment_method_options": params.get("payment_method_options", {}),
        "payment_method_types": types or ["card"],
        "processing": None,
        "review": None,
        "source": None,
        "status": "requires_payment_method",
        "transfer_data": params.get("transfer_data"),
    }


def _with_method(method: Object) -> dict[str, Any]:
    return {"payment_method": method["id"], "status": "requires_confirmation"}


def _check_fee(books: Books, params: Params, amount: int) -> None:
    fee = params.get("application_fee_amount")
    if fee is None:
        return
    if not books.is_connected and "transfer_data" not in params:
        raise invalid(
            "Can only apply an application_fee_amount when the PaymentIntent is attempting a "
            "direct payment (using an OAuth key or Stripe-Account header) or destination "
            "payment (using `transfer_data[destination]`).",
            param="application_fee_amount",
        )
    if not 0 <= fee <= amount:
        raise malformed(
            f"The application fee must be between 0 and the amount, {amount}.",
            param="application_fee_amount",
        )


def _check_return(intent: Object, params: Params) -> None:
    automatic = intent["automatic_payment_methods"] or {}
    if automatic.get("allow_redirects") != "always" or intent["allowed_payment_method_types"]:
        return
    if not params.get("return_url") and not params.get("use_stripe_sdk"):
        raise invalid(
            "This PaymentIntent is configured to accept payment methods enabled in your "
            "Dashboard. Because some of these payment methods might redirect your customer off "
            "of your page, you must provide a `return_url`. If you don't want to accept "
            "redirect-based payment methods, set `automatic_payment_methods[enabled]` to "
            "`true` and `automatic_payment_methods[allow_redirects]` to `never` when creating "
            "Setup Intents and Payment Intents.",
            param="return_url",
        )
