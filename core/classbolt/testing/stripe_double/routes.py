"""Which request is answered by which function, with parameters of which type."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from classbolt.testing.stripe_double import (
    accounts,
    charges,
    disputes,
    events,
    refunds,
    webhooks,
)
from classbolt.testing.stripe_double import payment_intents as intents
from classbolt.testing.stripe_double.books import Books, Params
from classbolt.testing.stripe_double.errors import invalid
from classbolt.testing.stripe_double.store import Object

EXPANDABLE: Final = {
    "charge": "charge",
    "latest_charge": "charge",
    "payment_intent": "payment_intent",
    "payment_method": "payment_method",
}
"""What names another object, and what that is."""


@dataclass(frozen=True, slots=True)
class Route:
    """One of Stripe's endpoints.

    Attributes:
        handler: Called with the books, the parameters, and the ids in the path.
        params: The SDK's type of what it takes.
        is_list: Whether it gives a page.
        is_for_browsers: Whether a publishable key may ask, if it has the client secret.
    """

    method: str
    path: re.Pattern[str]
    handler: Callable[..., Any]
    params: str
    is_list: bool = False
    is_for_browsers: bool = False

    def answer(self, books: Books, params: Params, ids: tuple[str, ...], path: str) -> Object:
        """Do what is asked for, and give what is answered."""
        expand = params.get("expand", [])
        if self.is_list:
            data, has_more = self.handler(books, params, *ids)
            inner = [_inside_data(each) for each in expand]
            data = [_expanded(books, each, inner) for each in data]
            return {"object": "list", "data": data, "has_more": has_more, "url": path}
        return _expanded(books, self.handler(books, params, *ids), expand)


def find_route(method: str, path: str) -> tuple[Route, tuple[str, ...]]:
    """Give the endpoint, and the ids in the path.

    Raises:
        Refused: There is none, or the double does not know it.
    """
    for route in ROUTES:
        if route.method == method and (match := route.path.fullmatch(path)):
            return route, match.groups()
    raise invalid(
        f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or "
        "we can help at https://support.stripe.com/.",
        status=404,
    )


def _getting(object_: str) -> Callable[[Books, Params, str], Object]:
    def get(books: Books, params: Params, id_: str) -> Object:
        del params
        return books.get(object_, id_)

    return get


def _route(asked: str, handler: Callable[..., Any], params: str, **more: bool) -> Route:
    method, path = asked.split()
    pattern = re.compile(f"/v1/{path}".replace("*", r"([\w-]+)"))
    return Route(method, pattern, handler, f"{params}Params", **more)


ROUTES: Final = (
    _route("POST payment_intents", intents.create, "PaymentIntentCreate"),
    _route("GET payment_intents", intents.page, "PaymentIntentList", is_list=True),
    _route(
        "GET payment_intents/*",
        _getting("payment_intent"),
        "PaymentIntentRetrieve",
        is_for_browsers=True,
    ),
    _route("POST payment_intents/*", intents.update, "PaymentIntentUpdate"),
    _route(
        "POST payment_intents/*/confirm",
        intents.confirm,
        "PaymentIntentConfirm",
        is_for_browsers=True,
    ),
    _route("POST payment_intents/*/capture", intents.capture, "PaymentIntentCapture"),
    _route("POST payment_intents/*/cancel", intents.cancel, "PaymentIntentCancel"),
    _route("GET charges", charges.page, "ChargeList", is_list=True),
    _route("GET charges/*", _getting("charge"), "ChargeRetrieve"),
    _route("POST refunds", refunds.create, "RefundCreate"),
    _route("GET refunds", refunds.page, "RefundList", is_list=True),
    _route("GET refunds/*", _getting("refund"), "RefundRetrieve"),
    _route("POST refunds/*", refunds.update, "RefundUpdate"),
    _route("GET disputes", disputes.page, "DisputeList", is_list=True),
    _route("GET disputes/*", _getting("dispute"), "DisputeRetrieve"),
    _route("GET account", accounts.retrieve, "AccountRetrieveCurrent"),
    _route("GET accounts/*", accounts.retrieve, "AccountRetrieve"),
    _route("GET events", events.page, "EventList", is_list=True),
    _route("GET events/*", _getting("event"), "EventRetrieve"),
    _route("POST webhook_endpoints", webhooks.create, "WebhookEndpointCreate"),
    _route("GET webhook_endpoints", webhooks.page, "WebhookEndpointList", is_list=True),
    _route("DELETE webhook_endpoints/*", webhooks.delete, "WebhookEndpointDelete"),
)


def _inside_data(path: str) -> str:
    inner = path.removeprefix("data.")
    if inner == path:
        raise _cannot_expand(path)
    return inner


def _expanded(books: Books, object_: Object, paths: list[str]) -> Object:
    for path in paths:
        name, _, rest = path.partition(".")
        if name not in EXPANDABLE or name not in object_:
            raise _cannot_expand(path)
        value = object_[name]
        if isinstance(value, str):
            value = books.get(EXPANDABLE[name], value)
        if value is not None and rest:
            value = _expanded(books, value, [rest])
        object_ = {**object_, name: value}
    return object_


def _cannot_expand(path: str) -> Exception:
    return invalid(f"This property cannot be expanded ({path}).", param="expand")
