"""What becomes of a payment once a card is tried: it asks, it is taken, held, or declined.

What a customer and their bank do afterwards, on their own time, is here too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from classbolt.testing.stripe_double import disputes
from classbolt.testing.stripe_double.books import Books, Params
from classbolt.testing.stripe_double.cards import card_of, payment_method
from classbolt.testing.stripe_double.charges import charge
from classbolt.testing.stripe_double.errors import Refused, invalid
from classbolt.testing.stripe_double.events import emit
from classbolt.testing.stripe_double.store import Object

CONFIRMABLE: Final = ("requires_payment_method", "requires_confirmation", "requires_action")
NOT_AUTHENTICATED: Final = {
    "code": "payment_intent_authentication_failure",
    "type": "invalid_request_error",
    "message": "The provided PaymentMethod has failed authentication. You can provide "
    "payment_method_data or a new PaymentMethod to attempt to fulfill this PaymentIntent "
    "again.",
}
NOT_PROCESSED: Final = {
    "code": "payment_intent_payment_attempt_failed",
    "type": "card_error",
    "message": "The payment failed.",
}


def attempt(books: Books, intent: Object, params: Params) -> Object:
    """Try the payment's card.

    Args:
        books: Whose it is.
        intent: The payment, with a payment method.
        params: What it was confirmed with.

    Raises:
        Refused: The card was declined.
    """
    method = books.get("payment_method", intent["payment_method"])
    if card_of(method).asks:
        return _ask(books, intent, params)
    return _take(books, intent, method)


def succeed(books: Books, intent: Object, amount: int) -> Object:
    """Write down that the payment is made."""
    done = {"status": "succeeded", "amount_received": amount, "amount_capturable": 0}
    succeeded = books.put({**intent, **done})
    emit(books, "payment_intent.succeeded", succeeded)
    return succeeded


def authenticate(books: Books, id_: str, *, succeeds: bool) -> Object:
    """Let the customer authenticate with their bank, or fail to."""
    intent = in_state(books, id_, ("requires_action",), "authenticated")
    method = books.get("payment_method", intent["payment_method"])
    intent["next_action"] = None
    if succeeds:
        return _take(books, intent, method)
    return _fail(books, intent, {**NOT_AUTHENTICATED, "payment_method": method})


def start_processing(books: Books, id_: str) -> Object:
    """Let a payment take its time, as one from a bank account does."""
    intent = in_state(books, id_, CONFIRMABLE, "confirmed")
    method = payment_method(books, intent["payment_method"] or "pm_card_visa")
    intent |= {"payment_method": method["id"], "next_action": None, "status": "processing"}
    pending = charge(books, intent, method, status="pending")
    emit(books, "charge.pending", pending)
    intent["latest_charge"] = pending["id"]
    emit(books, "payment_intent.processing", books.put(intent))
    return intent


def finish_processing(books: Books, id_: str, *, succeeds: bool) -> Object:
    """Let a payment that took its time be made, or fail."""
    intent = in_state(books, id_, ("processing",), "finished")
    pending = books.get("charge", intent["latest_charge"])
    if not succeeds:
        emit(books, "charge.failed", books.put({**pending, "status": "failed"}))
        return _fail(books, intent, NOT_PROCESSED)
    amount = pending["amount"]
    done = {"status": "succeeded", "paid": True, "captured": True, "amount_captured": amount}
    emit(books, "charge.succeeded", books.put({**pending, **done}))
    return succeed(books, intent, amount)


def in_state(books: Books, id_: str, states: tuple[str, ...], done: str) -> Object:
    """Look a payment up that something is to be done to.

    Args:
        books: Whose it is.
        id_: Which one.
        states: Those in which that can be done.
        done: What is to be done, as a participle.

    Raises:
        Refused: It is in another state.
    """
    intent = books.get("payment_intent", id_)
    if intent["status"] not in states:
        raise invalid(
            f"This PaymentIntent could not be {done} because it has a status of "
            f"{intent['status']}. Only a PaymentIntent with one of the following statuses may "
            f"be {done}: {', '.join(states)}.",
            code="payment_intent_unexpected_state",
            payment_intent=intent,
        )
    return intent


def _ask(books: Books, intent: Object, params: Params) -> Object:
    if params.get("error_on_requires_action"):
        message = "Your card was declined. This transaction requires authentication."
        raise _declined(books, intent, code="authentication_required", message=message)
    if params.get("return_url") and not params.get("use_stripe_sdk"):
        url = f"https://hooks.stripe.com/redirect/authenticate/{intent['id']}"
        redirect = {"return_url": params["return_url"], "url": url}
        action = {"type": "redirect_to_url", "redirect_to_url": redirect}
    else:
        action = {
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {"type": "stripe_3ds2_fingerprint"},
        }
    asking = books.put({**intent, "status": "requires_action", "next_action": action})
    emit(books, "payment_intent.requires_action", asking)
    return asking


def _take(books: Books, intent: Object, method: Object) -> Object:
    card = card_of(method)
    if card.code:
        failed = charge(books, intent, method, status="failed")
        emit(books, "charge.failed", failed)
        raise _declined(
            books,
            {**intent, "latest_charge": failed["id"]},
            code=card.code,
            message=card.message,
            charge=failed["id"],
            decline_code=card.decline_code,
            payment_method=method,
        )
    paid = charge(books, intent, method, status="succeeded")
    emit(books, "charge.succeeded", paid)
    intent = {**intent, "latest_charge": paid["id"]}
    if not paid["captured"]:
        held = {"status": "requires_capture", "amount_capturable": intent["amount"]}
        emit(books, "payment_intent.amount_capturable_updated", books.put(intent | held))
        return intent | held
    succeeded = succeed(books, intent, intent["amount"])
    if card.is_disputed:
        disputes.open_(books, paid["id"], reason="fraudulent")
    return succeeded


def _declined(books: Books, intent: Object, *, code: str, message: str, **more: Any) -> Refused:
    """Write a declined card down, and make the answer about it."""
    why = {"type": "card_error", "code": code, "message": message, **more}
    failed = _fail(books, intent, why)
    return Refused(402, "card_error", message, code=code, payment_intent=failed, **more)


def _fail(books: Books, intent: Object, error: Mapping[str, Any]) -> Object:
    failed = {
        **intent,
        "status": "requires_payment_method",
        "payment_method": None,
        "last_payment_error": dict(error),
    }
    emit(books, "payment_intent.payment_failed", books.put(failed))
    return failed
