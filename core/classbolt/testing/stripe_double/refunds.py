"""Refunds: what is given back of a charge, and what becomes of it at the customer's bank.

A refund counts against its charge from the moment it is made. One that fails or is cancelled
later puts its amount back, which can be days after it was said to have succeeded.
"""

from __future__ import annotations

from typing import Final

from classbolt.testing.stripe_double.amounts import positive
from classbolt.testing.stripe_double.books import Books, Params
from classbolt.testing.stripe_double.cards import BY_LAST4
from classbolt.testing.stripe_double.errors import invalid, malformed
from classbolt.testing.stripe_double.events import emit
from classbolt.testing.stripe_double.metadata import merge
from classbolt.testing.stripe_double.store import Object, Store

SETTLES_AFTER_SECONDS: Final = 60
"""When a refund to one of the cards that take their time becomes what it becomes."""
STEPS: Final = {
    "pending": {"succeeded", "failed", "requires_action", "canceled"},
    "requires_action": {"pending", "succeeded", "failed", "canceled"},
    "succeeded": {"failed", "pending"},
}
GIVES_BACK: Final = ("failed", "canceled")
LATER = "INSERT INTO promises (refund, status, due) VALUES (:refund, :status, :due)"
DUE = "SELECT refund, status FROM promises WHERE due <= :now ORDER BY due"
KEPT = "DELETE FROM promises WHERE refund = :refund"
CLOSED: Final = ("won", "warning_closed")


def create(books: Books, params: Params) -> Object:
    """Give back what is left of a charge, or a part of it."""
    paid = _charge_to_refund(books, params)
    if _is_disputed(books, paid):
        raise invalid(
            f"Charge {paid['id']} has been charged back; cannot issue a refund.",
            code="charge_disputed",
        )
    left = paid["amount"] - paid["amount_refunded"]
    if not left:
        raise invalid(
            f"Charge {paid['id']} has already been refunded.", code="charge_already_refunded"
        )
    amount = params.get("amount", left)
    positive(amount, "amount")
    if amount > left:
        raise invalid(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
            param="amount",
        )
    card = BY_LAST4[paid["payment_method_details"]["card"]["last4"]]
    refund = give_back(
        books,
        paid,
        amount,
        status=card.refund,
        reason=params.get("reason"),
        metadata=merge({}, params.get("metadata", {})),
    )
    if card.refund_later:
        due = books.now + SETTLES_AFTER_SECONDS
        books.store.run(LATER, refund=refund["id"], status=card.refund_later, due=due)
    return refund


def give_back(
    books: Books,
    paid: Object,
    amount: int,
    *,
    status: str = "succeeded",
    reason: str | None = None,
    metadata: dict[str, str] | None = None,
) -> Object:
    """Write a refund down, whoever asked for it."""
    refund = books.new(
        "refund",
        "re",
        amount=amount,
        balance_transaction=None,
        charge=paid["id"],
        currency=paid["currency"],
        destination_details={"type": "card", "card": {"type": "refund"}},
        metadata=metadata or {},
        payment_intent=paid["payment_intent"],
        reason=reason,
        receipt_number=None,
        source_transfer_reversal=None,
        status=status,
        transfer_reversal=None,
        **({"pending_reason": "processing"} if status == "pending" else {}),
    )
    emit(books, "refund.created", refund)
    refunded = paid["amount_refunded"] + amount
    changes = {"amount_refunded": refunded, "refunded": refunded == paid["amount"]}
    emit(books, "charge.refunded", books.put({**paid, **changes}), before=paid)
    return refund


def update(books: Books, params: Params, id_: str) -> Object:
    """Change what a refund says of itself."""
    refund = books.get("refund", id_)
    changed = {**refund, "metadata": merge(refund["metadata"], params.get("metadata", {}))}
    emit(books, "refund.updated", books.put(changed), before=refund)
    return changed


def page(books: Books, params: Params) -> tuple[list[Object], bool]:
    """List refunds, the newest first."""

    def matches(each: Object) -> bool:
        return all(
            params.get(name, each[name]) == each[name] for name in ("payment_intent", "charge")
        )

    return books.page("refund", params, matches=matches)


def move(books: Books, id_: str, to: str, *, failure_reason: str | None = None) -> Object:
    """Let a refund become something else at the customer's bank.

    Args:
        books: Whose it is.
        id_: Which one.
        to: Its new status.
        failure_reason: Why it failed, in Stripe's words, if it fails.

    Raises:
        Refused: Nothing that it is now can become that.
    """
    refund = books.get("refund", id_)
    if to not in STEPS.get(refund["status"], ()):
        raise invalid(f"A refund that is {refund['status']} cannot become {to}.")
    moved = {**refund, "status": to, "pending_reason": None}
    if to == "pending":
        moved["pending_reason"] = "processing"
    if to == "failed":
        moved["failure_reason"] = failure_reason or "unknown"
    books.put(moved)
    if to in GIVES_BACK:
        paid = books.get("charge", refund["charge"])
        left = paid["amount_refunded"] - refund["amount"]
        books.put({**paid, "amount_refunded": left, "refunded": False})
    emit(books, "refund.updated", moved, before=refund)
    if to == "failed":
        emit(books, "refund.failed", moved)
    return moved


def due(store: Store, *, now: int) -> list[tuple[str, str]]:
    """List the refunds that are to become something by now, with what that is."""
    return [(row["refund"], row["status"]) for row in store.run(DUE, now=now)]


def keep_promise(books: Books, id_: str, status: str) -> None:
    """Let a refund become what it was to become, unless it is something else by now."""
    books.store.run(KEPT, refund=id_)
    if status in STEPS.get(books.get("refund", id_)["status"], ()):
        move(books, id_, status)


def _charge_to_refund(books: Books, params: Params) -> Object:
    if "charge" in params:
        paid = books.get("charge", params["charge"], param="charge")
    elif "payment_intent" in params:
        intent = books.get("payment_intent", params["payment_intent"], param="payment_intent")
        if intent["status"] != "succeeded":
            raise invalid(
                f"This PaymentIntent ({intent['id']}) does not have a successful charge to "
                "refund.",
                code="payment_intent_unexpected_state",
            )
        paid = books.get("charge", intent["latest_charge"])
    else:
        raise malformed(
            "One of the following params should be provided for this request: "
            "payment_intent or charge.",
            code="parameter_missing",
        )
    if not paid["captured"]:
        raise invalid(
            f"Charge {paid['id']} was not captured; there is nothing to refund.",
            code="charge_not_refundable",
        )
    return paid


def _is_disputed(books: Books, paid: Object) -> bool:
    if not paid["disputed"]:
        return False
    found, _ = books.page(
        "dispute", {"limit": 1}, matches=lambda each: bool(each["charge"] == paid["id"])
    )
    return found[0]["status"] not in CLOSED
