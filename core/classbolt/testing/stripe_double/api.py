"""How a request to Stripe's API is answered: who asks, for what, and whether again.

A request that has an idempotency key is in flight from its first moment until it is answered.
What it does and the answer that its key remembers are one transaction. What is injected to go
wrong goes wrong before that, or after it.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from classbolt.testing.stripe_double import idempotency
from classbolt.testing.stripe_double.accounts import Asker, who_asks
from classbolt.testing.stripe_double.books import new_id
from classbolt.testing.stripe_double.double import Double
from classbolt.testing.stripe_double.errors import Refused, invalid, malformed, unauthorized
from classbolt.testing.stripe_double.faults import Fault, take_fault
from classbolt.testing.stripe_double.params import check, read
from classbolt.testing.stripe_double.payment_intents import seen_in_browsers
from classbolt.testing.stripe_double.routes import Route, find_route
from classbolt.testing.stripe_double.store import Object

Answer = idempotency.Answer

ENDPOINTS_OWN_FAILURE: Final = 500
SENT_BY_BROWSERS: Final = ("key", "client_secret", "_stripe_account", "_stripe_version")


@dataclass(frozen=True, slots=True)
class Request:
    """What came over HTTP."""

    method: str
    path: str
    headers: Mapping[str, str]
    query: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that was understood.

    Attributes:
        params: What it sent, with numbers and claims understood.
        key: The idempotency key, if there is one.
        words: What a request under the same key is compared with.
    """

    asker: Asker
    route: Route
    ids: tuple[str, ...]
    path: str
    params: Mapping[str, Any]
    key: str | None
    words: str


async def answer(double: Double, request: Request) -> Response:
    """Answer a request as Stripe does.

    Raises:
        ConnectionLost: It is to have no answer.
    """
    double.catch_up()
    try:
        asked = _understand(double, request)
        (status, body), is_replay = await _answer(double, asked, request)
    except Refused as refused:
        status, body, is_replay = refused.status, refused.body, False
    headers = {"request-id": new_id("req")}
    key = request.headers.get("idempotency-key")
    if key and request.method == "POST":
        headers["idempotency-key"] = key
        if is_replay:
            headers["idempotent-replayed"] = "true"
        if status == ENDPOINTS_OWN_FAILURE:
            headers["stripe-should-retry"] = "false"
    return Response(status, body, headers)


def _understand(double: Double, request: Request) -> _Asked:
    sent = read(request.body if request.method == "POST" else request.query)
    asker = who_asks(double.store, request.headers, sent)
    route, ids = find_route(request.method, request.path)
    if asker.is_browser:
        _check_browser(double, asker, route, ids, sent)
        sent = {name: value for name, value in sent.items() if name not in SENT_BY_BROWSERS}
    return _Asked(
        asker,
        route,
        ids,
        request.path,
        params=check(route.params, sent),
        key=request.headers.get("idempotency-key") if request.method == "POST" else None,
        words=idempotency.fingerprint(
            request.method, request.path, {**sent, "is_browser": asker.is_browser}
        ),
    )


async def _answer(double: Double, asked: _Asked, request: Request) -> tuple[Answer, bool]:
    fault = take_fault(double.faults, request.method, request.path)
    if asked.key is None:
        return await _go_through(double, asked, fault)
    in_flight = asked.asker.account, asked.key
    if in_flight in double.in_flight:
        raise idempotency.in_use(asked.key)
    double.in_flight.add(in_flight)
    try:
        return await _go_through(double, asked, fault)
    finally:
        double.in_flight.discard(in_flight)


async def _go_through(
    double: Double, asked: _Asked, fault: Fault | None
) -> tuple[Answer, bool]:
    """Give the answer, and say whether it was given before."""
    recalled = _recall(double, asked)
    if fault and (recalled or not fault.after_effect):
        try:
            await fault.strike()
        except Refused as refused:
            if not recalled and refused.is_saved:
                _remember(double, asked, (refused.status, refused.body))
            raise
    if recalled:
        return recalled, True
    given = _execute(double, asked, fault)
    if fault and fault.after_effect:
        await fault.strike()
    return given, False


def _execute(double: Double, asked: _Asked, fault: Fault | None) -> Answer:
    """Do what is asked for, and remember the answer; both or neither."""
    books = double.books(asked.asker.account, idempotency_key=asked.key)
    with double.store.transaction():
        is_saved = True
        try:
            with double.store.attempt():
                told = asked.route.answer(books, asked.params, asked.ids, asked.path)
            given: Answer = 200, told
        except Refused as refused:
            given, is_saved = (refused.status, refused.body), refused.is_saved
        if asked.asker.is_browser:
            given = given[0], _for_browsers(given[1])
        remembered = given
        if fault and fault.after_effect and fault.status == ENDPOINTS_OWN_FAILURE:
            failed = fault.refusal()
            remembered = failed.status, failed.body
        if is_saved:
            _remember(double, asked, remembered)
    return given


def _recall(double: Double, asked: _Asked) -> Answer | None:
    if asked.key is None:
        return None
    with double.store.transaction():
        return idempotency.recall(
            double.store, asked.asker.account, asked.key, asked.words, now=double.now
        )


def _remember(double: Double, asked: _Asked, given: Answer) -> None:
    if asked.key is None:
        return
    with double.store.transaction():
        idempotency.remember(
            double.store, asked.asker.account, asked.key, asked.words, given, now=double.now
        )


def _check_browser(
    double: Double, asker: Asker, route: Route, ids: tuple[str, ...], sent: Mapping[str, Any]
) -> None:
    """See that whoever has only a publishable key may do this, by a payment's client secret."""
    if not route.is_for_browsers:
        raise unauthorized(
            "This API call cannot be made with a publishable API key. Please use a secret API "
            "key. You can find a list of your API keys at "
            "https://dashboard.stripe.com/account/apikeys.",
            status=403,
            code="secret_key_required",
        )
    if not sent.get("client_secret"):
        raise malformed(
            "Missing required param: client_secret.",
            code="parameter_missing",
            param="client_secret",
        )
    intent = double.books(asker.account).get("payment_intent", ids[0])
    given = str(sent["client_secret"]).encode()
    if not hmac.compare_digest(given, intent["client_secret"].encode()):
        raise invalid(
            "The client_secret provided does not match the client_secret associated with the "
            "PaymentIntent.",
            param="client_secret",
        )


def _for_browsers(body: Object) -> Object:
    if "error" not in body:
        return seen_in_browsers(body)
    error = body["error"]
    if "payment_intent" in error:
        error = {**error, "payment_intent": seen_in_browsers(error["payment_intent"])}
    return {"error": error}
