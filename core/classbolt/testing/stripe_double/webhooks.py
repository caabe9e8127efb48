"""Webhooks: the endpoints that listen, how what they are told is signed, and when it is told.

Deliveries wait in the store. Whoever runs the double either lets `deliver_due` bring them
round, again and again until they are answered well, as Stripe does; or takes them, and delivers
them twice, late, in another order, not at all, or with a wrong signature.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from sqlite3 import Row
from typing import Any, Final

import httpx

from classbolt.testing.stripe_double.accounts import APPLICATION, PLATFORM
from classbolt.testing.stripe_double.books import Books, Params
from classbolt.testing.stripe_double.errors import invalid, malformed
from classbolt.testing.stripe_double.metadata import merge
from classbolt.testing.stripe_double.store import Object, Store

DELAYS: Final = (5, 60, 300, 1800, 7200, 18_000, 36_000, *(43_200,) * 4)
"""How many seconds after each failure it is tried again: three days altogether."""

ADD = """
INSERT INTO endpoints (id, account, connect, secret)
VALUES (:id, :account, :connect, :secret)
"""
REMOVE = (
    "DELETE FROM endpoints WHERE id = :id",
    "DELETE FROM deliveries WHERE endpoint = :id",
    "DELETE FROM objects WHERE id = :id",
)
REPLACE = "UPDATE endpoints SET secret = :secret WHERE id = :id"
AT_ADDRESS = """
SELECT endpoints.id, endpoints.secret FROM endpoints JOIN objects ON objects.id = endpoints.id
WHERE endpoints.account = :account AND endpoints.connect = :connect
AND json_extract(objects.body, '$.url') = :url
"""
WAITING = """
SELECT deliveries.id, deliveries.attempts, endpoints.secret, endpoints.connect,
  events.body AS event, endpoint.body AS endpoint
FROM deliveries JOIN endpoints ON endpoints.id = deliveries.endpoint
JOIN objects AS events ON events.id = deliveries.event
JOIN objects AS endpoint ON endpoint.id = deliveries.endpoint
WHERE deliveries.due <= :until ORDER BY deliveries.id
"""
DONE = "DELETE FROM deliveries WHERE id = :id"
LATER = "UPDATE deliveries SET attempts = attempts + 1, due = :due WHERE id = :id"


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event on its way to one endpoint.

    Attributes:
        event: What the body says.
        body: The bytes that are signed; deliver exactly these.
        secret: What they are signed with.
    """

    id: int
    attempts: int
    url: str
    event: Object
    body: bytes
    secret: str

    def headers(self, *, at: float, secret: str | None = None) -> dict[str, str]:
        """Give the headers that it is delivered with.

        Args:
            at: When it is signed, in seconds.
            secret: Another secret than the endpoint's.
        """
        return {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": sign(self.body, secret or self.secret, at=at),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }


def sign(body: bytes, secret: str, *, at: float) -> str:
    """Sign a body as Stripe does, for the header `Stripe-Signature`."""
    signed = b"%d.%b" % (int(at), body)
    return f"t={int(at)},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def create(books: Books, params: Params) -> Object:
    """Let an endpoint listen; its secret is told this once.

    Raises:
        Refused: It has no address, or listens to what is not the account's business.
    """
    if not params["url"].startswith(("http://", "https://")):
        raise malformed(
            "Invalid URL: An explicit scheme (such as https) must be provided.", param="url"
        )
    connect = params.get("connect", False)
    if connect and books.account != PLATFORM:
        raise invalid("Only Stripe Connect platforms can work with other accounts.")
    endpoint = books.new(
        "webhook_endpoint",
        "we",
        api_version=params.get("api_version"),
        application=APPLICATION if connect else None,
        description=params.get("description"),
        enabled_events=params["enabled_events"],
        livemode=False,
        metadata=merge({}, params.get("metadata", {})),
        status="enabled",
        url=params["url"],
    )
    told = {"secret": f"whsec_{secrets.token_hex(16)}"}
    books.store.run(ADD, id=endpoint["id"], account=books.account, connect=connect, **told)
    return {**endpoint, **told}


def listen(books: Books, url: str, *, secret: str | None, connect: bool) -> str:
    """Let an endpoint listen to everything, unless it does already, and give its secret."""
    found = books.store.run(
        AT_ADDRESS, account=books.account, url=url, connect=connect
    ).fetchone()
    asked = {"url": url, "enabled_events": ["*"], "connect": connect}
    endpoint = found or create(books, asked)
    if secret:
        books.store.run(REPLACE, id=endpoint["id"], secret=secret)
    return secret or str(endpoint["secret"])


def delete(books: Books, params: Params, id_: str) -> dict[str, Any]:
    """Let an endpoint no longer listen; what was under way to it is dropped."""
    del params
    books.get("webhook_endpoint", id_)
    for statement in REMOVE:
        books.store.run(statement, id=id_)
    return {"id": id_, "object": "webhook_endpoint", "deleted": True}


def page(books: Books, params: Params) -> tuple[list[Object], bool]:
    """List endpoints, the newest first."""
    return books.page("webhook_endpoint", params, matches=lambda _: True)


def waiting(store: Store, *, until: int) -> list[Delivery]:
    """List the deliveries that are due, in the order of their events."""
    return [_delivery(row) for row in store.run(WAITING, until=until)]


def settle(store: Store, delivery: Delivery, *, is_done: bool, now: int) -> None:
    """Write down how a delivery went; one that failed too often is given up."""
    if is_done:
        store.run(DONE, id=delivery.id)
        account, event = store.find(delivery.event["id"]) or ("", {})
        if event:
            left = max(event["pending_webhooks"] - 1, 0)
            store.put(account, {**event, "pending_webhooks": left})
    elif delivery.attempts < len(DELAYS):
        store.run(LATER, id=delivery.id, due=now + DELAYS[delivery.attempts])
    else:
        store.run(DONE, id=delivery.id)


async def post(client: httpx.AsyncClient, delivery: Delivery, *, at: float) -> bool:
    """Deliver it, and say whether it was answered well."""
    try:
        answer = await client.post(
            delivery.url, content=delivery.body, headers=delivery.headers(at=at)
        )
    except httpx.HTTPError:
        return False
    return answer.is_success


def _delivery(row: Row) -> Delivery:
    endpoint = json.loads(row["endpoint"])
    event = json.loads(row["event"])
    # The shape of an event follows its endpoint, and an account is not told its own name.
    event["api_version"] = endpoint["api_version"] or event["api_version"]
    if not row["connect"]:
        event.pop("account", None)
    body = json.dumps(event, indent=2).encode()
    return Delivery(
        row["id"], row["attempts"], endpoint["url"], event, body, secret=row["secret"]
    )
