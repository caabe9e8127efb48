"""Events: what Stripe says has happened, as it was at that moment, and who is to be told.

An event is written in the transaction that it tells of, together with a delivery for each
webhook endpoint that listens to it. Those of a connected account go to the endpoints that the
platform made for connected accounts, and to the account's own.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from classbolt.testing.stripe_double.books import Books, Params
from classbolt.testing.stripe_double.store import Object

KEPT_SECONDS = 30 * 24 * 60 * 60
"""How long Stripe lists events and gives them out."""

LISTENING = """
SELECT endpoints.id, json_extract(objects.body, '$.enabled_events') AS enabled
FROM endpoints JOIN objects ON objects.id = endpoints.id
WHERE (endpoints.account = :account AND NOT endpoints.connect)
OR (:is_connected AND endpoints.connect)
"""
DELIVER = "INSERT INTO deliveries (event, endpoint, due) VALUES (:event, :endpoint, :now)"


def emit(books: Books, type_: str, about: Object, *, before: Object | None = None) -> None:
    """Say that something has happened.

    Args:
        books: Whose it is.
        type_: What has happened.
        about: What it happened to, as it is now.
        before: As it was, if that is part of what is told.
    """
    data: dict[str, Any] = {"object": about}
    if before is not None:
        data["previous_attributes"] = {
            name: value for name, value in before.items() if about.get(name) != value
        }
    endpoints = _listening(books, type_)
    event = books.new(
        "event",
        "evt",
        type=type_,
        api_version=books.api_version,
        livemode=False,
        pending_webhooks=len(endpoints),
        request=dict(books.request),
        data=data,
        **({"account": books.account} if books.is_connected else {}),
    )
    for endpoint in endpoints:
        books.store.run(DELIVER, event=event["id"], endpoint=endpoint, now=books.now)


def page(books: Books, params: Params) -> tuple[list[Object], bool]:
    """List events of the last 30 days, the newest first."""
    wanted = params.get("types") or [params.get("type", "*")]

    def matches(event: Object) -> bool:
        is_delivered = event["pending_webhooks"] == 0
        return (
            any(fnmatchcase(event["type"], each) for each in wanted)
            and event["created"] > books.now - KEPT_SECONDS
            and params.get("delivery_success", is_delivered) == is_delivered
        )

    return books.page("event", params, matches=matches)


def _listening(books: Books, type_: str) -> list[str]:
    rows = books.store.run(
        LISTENING, account=books.account, is_connected=books.is_connected
    ).fetchall()
    return [
        row["id"] for row in rows if "*" in row["enabled"] or f'"{type_}"' in row["enabled"]
    ]
