"""Stripe, as far as we need it: the one place that speaks with it.

What comes out are small values of our own, and two kinds of failure: Stripe says no, or we do
not know what it did. Every call that changes something there carries a key made of the id of a
row of ours, so that asking again does it once. Nothing here may be called while a transaction
is open: Stripe takes as long as it likes.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

import stripe
from pydantic import BaseModel, ValidationError
from stripe import StripeClient, V1Services

from classbolt.config import Settings
from classbolt.sealed import CannotOpen, Seal
from classbolt.stripe_facts import (
    ACCOUNT,
    PAYMENT,
    REFUND,
    BadWebhook,
    Intent,
    Span,
    StripeDispute,
    StripeEvent,
    StripeInUse,
    StripeKeyRefused,
    StripeRefund,
    StripeRefused,
    StripeUnclear,
)
from classbolt.stripe_links import LinkKind, StripeLink
from classbolt.values import Money, PaymentId, RefundId

API_VERSION: Final = "2026-10-28.endive"
"""What answers look like. A webhook endpoint at Stripe must be made with the same one."""
SECONDS: Final = 15
SIGNED_AT_MOST_AGO: Final = timedelta(minutes=5)
SAYS_NO: Final = (stripe.InvalidRequestError, stripe.CardError, stripe.IdempotencyError)
REFUSES_KEY: Final = (stripe.AuthenticationError, stripe.PermissionError)
NO_KEY: Final = "sk_no_key_of_the_installation"


def _http_client() -> stripe.HTTPXClient:
    return stripe.HTTPXClient(timeout=SECONDS)


class StripeGateway:
    """Speaks with Stripe for all accounts, over one pool of connections."""

    def __init__(
        self,
        *,
        seal: Seal,
        api_key: str | None = None,
        publishable_key: str | None = None,
        base_url: str | None = None,
        make_http: Callable[[], stripe.HTTPXClient] = _http_client,
    ) -> None:
        self._seal = seal
        self._api_key = api_key
        self._publishable_key = publishable_key
        self._base_url = base_url
        self._make_http = make_http

    @cached_property
    def _http(self) -> stripe.HTTPXClient:
        # Not before it is needed: it loads the certificates of the world.
        return self._make_http()

    @cached_property
    def _v1(self) -> V1Services:
        return StripeClient(
            self._api_key or NO_KEY,
            stripe_version=API_VERSION,
            base_addresses={"api": self._base_url} if self._base_url else {},
            http_client=self._http,
            max_network_retries=1,
        ).v1

    @classmethod
    def of(cls, settings: Settings, seal: Seal) -> StripeGateway:
        """Make the gateway that the settings describe."""
        key = settings.stripe_api_key
        return cls(
            seal=seal,
            api_key=key.get_secret_value() if key else None,
            publishable_key=settings.stripe_publishable_key,
            base_url=settings.stripe_url,
        )

    async def close(self) -> None:
        """Close all connections."""
        if "_http" in vars(self):
            await self._http.close_async()  # type: ignore[no-untyped-call]

    def publishable_key(self, link: StripeLink) -> str | None:
        """Give the key that a frontend shows Stripe.js."""
        return link.publishable_key or self._publishable_key

    async def try_key(self, sealed_key: str) -> None:
        """See whether Stripe takes a key, by the cheapest read that every link needs.

        Raises:
            StripeKeyRefused: It is none, or may not read payments.
            StripeUnclear: Stripe does not answer.
        """
        key: Any = {"api_key": self._seal.open(sealed_key)}
        async with _answers():
            await self._v1.payment_intents.list_async({"limit": 1}, key)

    # Payments

    async def create_intent(
        self, link: StripeLink, account: str, payment_id: PaymentId, amount: Money
    ) -> Intent:
        """Make the PaymentIntent of a payment, or find the one that was made before.

        Only cards and wallets: their payments succeed or fail at once.

        Raises:
            StripeRefused: It cannot be made.
            StripeUnclear: Nobody knows whether it was.
        """
        async with _answers():
            made = await self._v1.payment_intents.create_async(
                {
                    "amount": amount.amount_minor,
                    "currency": amount.currency.lower(),
                    "allowed_payment_method_types": ["card"],
                    "metadata": {ACCOUNT: account, PAYMENT: str(payment_id)},
                },
                self._options(link, f"payment:{payment_id}"),
            )
        return _intent(made)

    async def find_intent(self, link: StripeLink, intent_id: str) -> Intent:
        """Ask how a payment stands.

        Raises:
            StripeRefused: There is none of this id.
            StripeUnclear: Stripe does not answer.
        """
        async with _answers():
            return _intent(
                await self._v1.payment_intents.retrieve_async(
                    intent_id, options=self._options(link)
                )
            )

    async def cancel_intent(self, link: StripeLink, intent_id: str) -> Intent:
        """See to it that a payment is not made any more, and say how it stands: it may be paid.

        Raises:
            StripeRefused: There is none of this id.
            StripeUnclear: Nobody knows whether it can still be paid.
        """
        try:
            async with _answers():
                done = await self._v1.payment_intents.cancel_async(
                    intent_id,
                    {"cancellation_reason": "abandoned"},
                    self._options(link),
                )
            return _intent(done)
        except StripeRefused as no:
            if no.code != "payment_intent_unexpected_state":
                raise
        return await self.find_intent(link, intent_id)

    async def intents_begun(self, link: StripeLink, span: Span) -> AsyncIterator[Intent]:
        """List the payments that were begun in a span of time, the latest first.

        Raises:
            StripeRefused: The account cannot be read.
            StripeUnclear: Stripe does not answer.
        """
        async with _answers():
            page = await self._v1.payment_intents.list_async(_in(span), self._options(link))
            async for each in page.auto_paging_iter():
                yield _intent(each)

    # Refunds

    async def refund(
        self, link: StripeLink, refund_id: RefundId, intent_id: str, amount_minor: int
    ) -> StripeRefund:
        """Give money back.

        Stripe remembers the key for a day: what is asked again later must be looked up first.

        Raises:
            StripeRefused: It cannot be given back.
            StripeUnclear: Nobody knows whether it was.
        """
        async with _answers():
            made = await self._v1.refunds.create_async(
                {
                    "payment_intent": intent_id,
                    "amount": amount_minor,
                    "metadata": {REFUND: str(refund_id)},
                },
                self._options(link, f"refund:{refund_id}"),
            )
        return _refund(made)

    async def refunds_of(self, link: StripeLink, intent_id: str) -> list[StripeRefund]:
        """List what was given back of a payment, by us or by others.

        Raises:
            StripeRefused: The account cannot be read.
            StripeUnclear: Stripe does not answer.
        """
        async with _answers():
            page = await self._v1.refunds.list_async(
                {"limit": 100, "payment_intent": intent_id}, self._options(link)
            )
            return [_refund(each) async for each in page.auto_paging_iter()]

    async def disputes_of(self, link: StripeLink, intent_id: str) -> list[StripeDispute]:
        """List the disputes about a payment.

        Raises:
            StripeRefused: The account cannot be read.
            StripeUnclear: Stripe does not answer.
        """
        async with _answers():
            page = await self._v1.disputes.list_async(
                {"limit": 100, "payment_intent": intent_id}, self._options(link)
            )
            return [_dispute(each) async for each in page.auto_paging_iter()]

    async def refunds_made(self, link: StripeLink, span: Span) -> list[StripeRefund]:
        """List the refunds that were made in a span of time, the latest first.

        Raises:
            StripeRefused: The account cannot be read.
            StripeUnclear: Stripe does not answer.
        """
        async with _answers():
            page = await self._v1.refunds.list_async(_in(span), self._options(link))
            return [_refund(each) async for each in page.auto_paging_iter()]

    async def disputes_opened(self, link: StripeLink, span: Span) -> list[StripeDispute]:
        """List the disputes that were opened in a span of time, the latest first.

        Raises:
            StripeRefused: The account cannot be read.
            StripeUnclear: Stripe does not answer.
        """
        async with _answers():
            page = await self._v1.disputes.list_async(_in(span), self._options(link))
            return [_dispute(each) async for each in page.auto_paging_iter()]

    def _options(self, link: StripeLink, key: str | None = None) -> Any:
        """Say in whose name a call is made, and under which key.

        Raises:
            StripeUnclear: This installation has no key to call with.
        """
        options: dict[str, Any] = {"idempotency_key": key} if key else {}
        if link.kind is LinkKind.KEY:
            assert link.sealed_key is not None
            try:
                return {**options, "api_key": self._seal.open(link.sealed_key)}
            except CannotOpen as no:
                raise StripeUnclear(str(no)) from None
        if self._api_key is None:
            raise StripeUnclear("this installation has no key of Stripe")
        if link.kind is LinkKind.CONNECTED:
            options["stripe_account"] = link.stripe_account
        return options


@asynccontextmanager
async def _answers() -> AsyncIterator[None]:
    """Tell what Stripe refuses from what nobody knows; its texts, which name people, stay."""
    try:
        yield
    except stripe.StripeError as no:
        # Somebody else asks the same under the same key in this very moment.
        if no.http_status == 409:  # noqa: PLR2004 as HTTP says
            raise StripeInUse("in use") from None
        if isinstance(no, SAYS_NO):
            raise StripeRefused(no.code or type(no).__name__) from None
        if isinstance(no, REFUSES_KEY):
            raise StripeKeyRefused(type(no).__name__) from None
        raise StripeUnclear(type(no).__name__) from None


def _in(span: Span) -> Any:
    created = {"gte": int(span.since.timestamp())}
    if span.until is not None:
        created["lte"] = int(span.until.timestamp())
    return {"limit": 100, "created": created}


def _intent(found: stripe.PaymentIntent) -> Intent:
    return Intent(
        id=found.id,
        status=found.status,
        captured_minor=found.amount_received,
        client_secret=found.client_secret or "",
        metadata=found.metadata.to_dict(),
    )


def _refund(found: stripe.Refund) -> StripeRefund:
    metadata = found.metadata.to_dict() if found.metadata else {}
    return StripeRefund(
        id=found.id,
        intent_id=_name(found.payment_intent),
        status=found.status or "pending",
        amount_minor=found.amount,
        failure=getattr(found, "failure_reason", None),
        ours=metadata.get(REFUND),
    )


def _dispute(found: stripe.Dispute) -> StripeDispute:
    return StripeDispute(
        id=found.id,
        intent_id=_name(found.payment_intent),
        status=found.status,
        reason=found.reason,
        amount_minor=found.amount,
    )


def _name(found: str | stripe.PaymentIntent | None) -> str | None:
    assert not isinstance(found, stripe.PaymentIntent), "we never ask for it to be expanded"
    return found


# Webhooks


class _Object(BaseModel):
    id: str | None = None
    object: str
    payment_intent: str | None = None
    metadata: dict[str, str] | None = None


class _Data(BaseModel):
    object: _Object


class _Event(BaseModel):
    id: str
    type: str
    account: str | None = None
    data: _Data


def read_event(
    body: bytes, signature: str, secrets: Sequence[str], now: datetime
) -> StripeEvent:
    """Read what a webhook tells, if one of the secrets signed it, and not long ago.

    Raises:
        BadWebhook: It was signed by nobody we trust, long ago, or says nothing readable.
    """
    if not any(_is_signed(body, signature, secret) for secret in secrets):
        raise BadWebhook("the signature is not Stripe's")
    signed_at = next(int(part[2:]) for part in signature.split(",") if part[:2] == "t=")
    if abs(now.timestamp() - signed_at) > SIGNED_AT_MOST_AGO.total_seconds():
        raise BadWebhook("it was signed long ago")
    try:
        event = _Event.model_validate(json.loads(body))
    except (ValidationError, ValueError) as unreadable:
        raise BadWebhook("it cannot be read") from unreadable
    about = event.data.object
    metadata = about.metadata or {}
    is_intent = about.object == "payment_intent"
    return StripeEvent(
        id=event.id,
        kind=event.type,
        stripe_account=event.account,
        intent_id=about.id if is_intent else about.payment_intent,
        account=metadata.get(ACCOUNT),
        payment=metadata.get(PAYMENT) if is_intent else None,
    )


def _is_signed(body: bytes, signature: str, secret: str) -> bool:
    # The SDK would compare the time with the machine's clock; ours is given.
    try:
        stripe.WebhookSignature.verify_header(body, signature, secret, tolerance=None)
    except (stripe.SignatureVerificationError, TypeError, ValueError):  # whatever it contains
        return False
    return True
