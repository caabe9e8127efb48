"""Control over HTTP, for tests whose double is another process: what `Double` can do, in JSON.

    POST /_double/pay                {"payment_intent": "pi_…"}
    POST /_double/fail_next          {"status": 503, "path_prefix": "/v1/refunds"}
    POST /_double/objects            {"kind": "payment_intent"}
    POST /_double/take_deliveries    {}

Nobody is asked who they are, so whoever serves the double must bind it to the loopback address.
It is for tests and development only.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

import httpx
from pydantic import ValidationError, validate_call

from classbolt.testing.stripe_double.api import Request, Response
from classbolt.testing.stripe_double.double import Double
from classbolt.testing.stripe_double.errors import Refused, invalid
from classbolt.testing.stripe_double.webhooks import Delivery

PREFIX: Final = "/_double/"
DELIVERY_SECONDS: Final = 20
DEEDS: Final[dict[str, Callable[..., Any]]] = {
    each.__name__: each
    for each in (
        Double.add_account,
        Double.appeal_dispute,
        Double.authenticate,
        Double.close_dispute,
        Double.deauthorize,
        Double.fail_next,
        Double.finish_processing,
        Double.listen,
        Double.move_refund,
        Double.objects,
        Double.open_dispute,
        Double.pay,
        Double.set_charges_enabled,
        Double.set_offset,
        Double.start_processing,
        Double.take_deliveries,
    )
}


async def control(double: Double, request: Request) -> Response:
    """Do to the double what the path names, with the arguments of the body."""
    name = request.path.removeprefix(PREFIX)
    try:
        if request.method != "POST":
            raise invalid("Control is by POST.", status=405)
        arguments = _arguments(request.body)
        if name == "deliver_due":
            async with httpx.AsyncClient(timeout=DELIVERY_SECONDS) as client:
                return Response(200, await double.deliver_due(client))
        if name not in DEEDS:
            raise invalid(f"The double knows no {name}.", status=404)
        return Response(200, _plain(double, validate_call(DEEDS[name])(double, **arguments)))
    except (ValidationError, UnicodeError) as error:
        return Response(400, invalid(str(error)).body)
    except Refused as refused:
        return Response(refused.status, refused.body)


def _arguments(body: bytes) -> dict[str, Any]:
    try:
        arguments = json.loads(body or b"{}", parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise invalid("The body is not JSON.") from error
    if not isinstance(arguments, dict):
        raise invalid("The body is not a JSON object.")
    return arguments


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def _plain(double: Double, result: Any) -> Any:
    if isinstance(result, list):
        return [_plain(double, each) for each in result]
    if isinstance(result, Delivery):
        headers = result.headers(at=double.now)
        return {**asdict(result), "body": result.body.decode(), "headers": headers}
    return result
