"""Where Stripe tells what happened: the raw body, its signature, and a short answer.

Stripe tells again until it hears a 2xx, for days. It hears one once the news has been acted on,
or if it is none of ours. What is forged, old or about somebody else's payment is refused with
400 and changes nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from classbolt.db import Caller
from classbolt.errors import BoltOnFailed, NotFound, TryAgain
from classbolt.paying import Till
from classbolt.sealed import CannotOpen
from classbolt.stripe_events import Source, hear
from classbolt.stripe_facts import BadWebhook, StripeRefused, StripeUnclear
from classbolt.stripe_gateway import read_event
from classbolt.stripe_links import links_with_secrets
from classbolt_schema.server.context import Application

MAX_BODY_BYTES = 500_000

log = structlog.get_logger(__name__)

Endpoint = Callable[[Request], Awaitable[Response]]


def stripe_webhook(app: Application) -> Endpoint:
    """Make the endpoint for the installation's own Stripe account and those connected to it."""
    secrets = [each.get_secret_value() for each in app.settings.stripe_webhook_secrets]

    async def webhook(request: Request) -> Response:
        return await _answer(app, request, secrets, Source())

    return webhook


def stripe_webhook_of_account(app: Application) -> Endpoint:
    """Make the endpoint for accounts that have given keys of their own."""

    async def webhook(request: Request) -> Response:
        account = request.path_params["account"]
        secrets = await _secrets_of(app, account)
        return await _answer(app, request, secrets, Source(account))

    return webhook


async def _secrets_of(app: Application, account: str) -> list[str]:
    """Open the signing secrets of an account, also of links that are no longer in force."""
    if not account.isprintable():
        return []
    try:
        async with app.database.read(Caller(account)) as tx:
            links = await links_with_secrets(tx)
    except NotFound:
        return []
    secrets = []
    for link in links:
        if link.sealed_webhook_secret is not None:
            try:
                secrets.append(app.seal.open(link.sealed_webhook_secret))
            except CannotOpen as no:  # of an old link, it must not silence the others
                log.warning("webhook_secret_not_opened", account=account, reason=str(no))
    return secrets


async def _answer(
    app: Application, request: Request, secrets: list[str], source: Source
) -> Response:
    now = app.clock()
    try:
        body = await _read_body(request)
        if body is None:
            return _say(413, "too large")
        signature = request.headers.get("stripe-signature", "")
        event = read_event(body, signature, secrets, now)
        is_ours = await hear(Till(app.database, app.gateway), event, source, now=now)
    except ClientDisconnect:
        return _say(400, "incomplete")
    except BadWebhook as bad:
        log.warning("webhook_refused", reason=str(bad))
        return _say(400, "refused")
    except (StripeRefused, StripeUnclear, TryAgain, BoltOnFailed) as no:
        log.warning("webhook_not_acted_on", reason=str(no) or type(no).__name__)
        return _say(503, "try again")
    return _say(200, "heard" if is_ours else "ignored")


async def _read_body(request: Request) -> bytes | None:
    """Read the raw body, for the signature is over its bytes; None if it is too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            return None
    return bytes(body)


def _say(status: int, word: str) -> Response:
    return JSONResponse({"status": word}, status)
