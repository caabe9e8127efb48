"""Quotes: what a preview promised, to be held to when the customer says yes.

A quote is opaque to clients. It says what would be given and until when it would be valid, not
when it was asked for: the same outcome a minute later keeps the promise.
"""

from __future__ import annotations

import base64
from datetime import datetime

from pydantic import AwareDatetime, TypeAdapter

from classbolt.errors import InvalidInput, QuoteChanged
from classbolt.facts import CreditBack, IssueBundle, PayBack, Terms

Promise = tuple[str | None, datetime | None]
PROMISE: TypeAdapter[Promise] = TypeAdapter(tuple[str | None, AwareDatetime | None])


def quote_of(terms: Terms) -> str:
    """Write down what terms give back."""
    return base64.urlsafe_b64encode(PROMISE.dump_json(_promise(terms))).decode()


def hold_to(quote: str, terms: Terms) -> None:
    """Refuse terms that give something else than was promised, or that expires earlier.

    Raises:
        InvalidInput: This is no quote.
        QuoteChanged: They do.
    """
    given, expires_at = _promise(terms)
    wanted, until = _read(quote)
    if given != wanted or (until and expires_at and expires_at < until):
        raise QuoteChanged().at("expected")


def _promise(terms: Terms) -> Promise:
    match terms.give_back:
        case IssueBundle(bundle_id, expires_at):
            return f"issue {bundle_id}", expires_at
        case CreditBack(customer_bundle_id, expires_at):
            return f"credit back {customer_bundle_id}", expires_at
        case PayBack(amount_minor):
            return f"pay back {amount_minor}", None
    return None, None


def _read(quote: str) -> Promise:
    try:
        return PROMISE.validate_json(base64.urlsafe_b64decode(quote.encode()))
    except ValueError as error:
        raise InvalidInput("This is not a quote of a preview.", "expected") from error
