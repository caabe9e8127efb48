"""Stripe accounts: the platform, those connected to it, and those that are on their own.

A key belongs to one account. The platform's may act for a connected account, which then sees
and keeps its own objects; nobody else's may.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from classbolt.testing.stripe_double.books import Books, Params
from classbolt.testing.stripe_double.errors import Refused, unauthorized
from classbolt.testing.stripe_double.events import emit
from classbolt.testing.stripe_double.store import Object, Store

PLATFORM: Final = "acct_platform"
APPLICATION: Final = "ca_classbolt"
SHOWN_OF_KEYS: Final = 8

KNOWN = "SELECT account FROM keys WHERE key = :key"
ADD_KEY = "INSERT OR REPLACE INTO keys (key, account) VALUES (:key, :account)"
IS_CONNECTED = "SELECT 1 FROM connections WHERE account = :account"
CONNECT = "INSERT OR IGNORE INTO connections (account) VALUES (:account)"
DISCONNECT = "DELETE FROM connections WHERE account = :account"


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks.

    Attributes:
        account: In whose books.
        is_browser: Whether it is a publishable key, which may do little.
    """

    account: str
    is_browser: bool


def who_asks(store: Store, headers: Mapping[str, str], params: Mapping[str, Any]) -> Asker:
    """Say who asks, by the key and the account that the request names.

    Stripe.js names both in the form, with other words.

    Raises:
        Refused: The key is unknown, or may not act for the account.
    """
    key = _key(headers) or str(params.get("key", ""))
    if not key:
        raise unauthorized(
            "You did not provide an API key. You need to provide your API key in the "
            "Authorization header, using Bearer auth (e.g. 'Authorization: Bearer "
            "YOUR_SECRET_KEY')."
        )
    known = store.run(KNOWN, key=key).fetchone()
    if known is None:
        raise unauthorized(f"Invalid API Key provided: {_masked(key)}")
    own = known["account"]
    account = headers.get("stripe-account") or str(params.get("_stripe_account", "")) or own
    if account != own and not (own == PLATFORM and is_connected(store, account)):
        raise _no_access(key, account)
    return Asker(account, is_browser=key.startswith("pk_"))


def _no_access(key: str, account: str) -> Refused:
    """Make the refusal to show somebody else's account."""
    return unauthorized(
        f"The provided key '{_masked(key)}' does not have access to account '{account}' (or "
        "that account does not exist). Application access may have been revoked.",
        status=403,
        code="account_invalid",
    )


def is_connected(store: Store, account: str) -> bool:
    """Say whether the platform may act for the account."""
    return store.run(IS_CONNECTED, account=account).fetchone() is not None


def open_(books: Books, *, keys: Iterable[str]) -> None:
    """Open the account that the books are of, or hand out more keys to it."""
    for key in keys:
        books.store.run(ADD_KEY, key=key, account=books.account)
    if books.store.find(books.account) is None:
        books.put(
            {
                "id": books.account,
                "object": "account",
                "business_profile": {"name": None, "url": None},
                "business_type": "company",
                "capabilities": {"card_payments": "active", "transfers": "active"},
                "charges_enabled": True,
                "country": "GB",
                "created": books.now,
                "default_currency": "gbp",
                "details_submitted": True,
                "email": None,
                "metadata": {},
                "payouts_enabled": True,
                "type": "standard",
            }
        )


def connect(store: Store, account: str) -> None:
    """Let the platform act for the account."""
    store.run(CONNECT, account=account)


def deauthorize(books: Books) -> None:
    """Take that away from the platform, which is told."""
    application = {"id": APPLICATION, "object": "application", "name": "Platform"}
    emit(books, "account.application.deauthorized", application)
    books.store.run(DISCONNECT, account=books.account)


def set_charges_enabled(books: Books, *, enabled: bool) -> Object:
    """Let Stripe allow the account to be paid, or no longer."""
    before = books.get("account", books.account)
    after = books.put({**before, "charges_enabled": enabled})
    emit(books, "account.updated", after, before=before)
    return after


def retrieve(books: Books, params: Params, id_: str | None = None) -> Object:
    """Give the account that asks, or one that is connected to it.

    Raises:
        Refused: It is somebody else's.
    """
    del params
    wanted = id_ or books.account
    is_ours = books.account == PLATFORM and is_connected(books.store, wanted)
    if wanted != books.account and not is_ours:
        raise _no_access("", wanted)
    return replace(books, account=wanted).get("account", wanted)


def _key(headers: Mapping[str, str]) -> str:
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return given.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(given, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""


def _masked(key: str) -> str:
    return key[:SHOWN_OF_KEYS] + "*" * max(len(key) - SHOWN_OF_KEYS, 0)
