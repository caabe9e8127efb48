"""Stripe as it is played to servers under test, and what customers pay there by card."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from classbolt.bolt_ons import BoltOns
from classbolt.duties import duties
from classbolt.paying import Till
from classbolt.sealed import Seal
from classbolt.stripe_facts import PAYMENT
from classbolt.stripe_gateway import StripeGateway
from classbolt.testing.stripe_double import Double, async_client
from classbolt.worker import Worker
from classbolt_schema.ids import decode
from served import SECRET_KEY
from studio import Studio

STRIPE_KEYS: Final = {
    "restrictedKey": "rk_test_51Studio",
    "publishableKey": "pk_test_51Studio",
    "webhookSecret": "whsec_Studio",
}
"""What owners link their account with; the double knows them."""
AT_STRIPE: Final = "acct_of_studios"


def double(*, keep_in: Path | None = None) -> Double:
    """Open a double of Stripe that knows the keys which owners give."""
    opened = Double(keep_in=keep_in)
    opened.add_account(
        AT_STRIPE, keys=[STRIPE_KEYS["restrictedKey"], STRIPE_KEYS["publishableKey"]]
    )
    return opened


def gateway(played: Double) -> StripeGateway:
    """Make the way to a double."""
    return StripeGateway(
        seal=Seal((SECRET_KEY,)),
        base_url="http://stripe.invalid",
        make_http=partial(async_client, played),
    )


async def stripe_link(studio: Studio) -> str:
    """Link a studio with Stripe, and give the link's id."""
    fields = "account { stripe { id } }"
    made = await studio.do("linkStripe", STRIPE_KEYS, fields, as_="owner")
    return str(made["account"]["stripe"]["id"])


@dataclass(frozen=True)
class CardReader:
    """Where a studio's customers pay by card."""

    studio: Studio
    double: Double
    bolt_ons: BoltOns

    async def hold(self, mutation: str, asked: dict[str, Any], name: str) -> str:
        """Let a customer book or buy something by card, and give the payment's id."""
        of = {"bookCourse": "courseBooking", "bookSession": "booking"}.get(mutation)
        fields = f"{of} {{ payment {{ id }} }}" if of else "payment { id }"
        wanted = {**asked, "payWith": {"card": True}}
        booked = await self.studio.do(mutation, wanted, fields, as_=name)
        return str((booked[of] if of else booked)["payment"]["id"])

    async def pay(self, payment: str) -> None:
        """Let the customer pay in their browser, and come back."""
        self.double.pay(self._intent_of(payment))
        await self.refresh(payment)

    async def refresh(self, payment: str) -> None:
        """Ask Stripe how it stands."""
        await self.studio.do("refreshPayment", {"payment": payment}, as_="owner")

    async def refund(self, payment: str, amount: int, *, fails: bool = False) -> str:
        """Give some of it back; it reaches the card, or it does not. Give the refund's id."""
        asked = {"payment": payment, "amountMinor": amount, "note": "With apologies"}
        fields = "payment { refunds { id } }"
        given = await self.studio.do("refundPayment", asked, fields, as_="owner")
        await self._work()
        if fails:
            newest = self.double.objects("refund", AT_STRIPE)[-1]
            self.double.move_refund(newest["id"], "failed", failure_reason="declined")
            await self.refresh(payment)
        return str(given["payment"]["refunds"][-1]["id"])

    async def dispute(self, payment: str) -> None:
        """Let the bank want the money back, and not get it."""
        charges, intent = self.double.objects("charge", AT_STRIPE), self._intent_of(payment)
        (charge,) = [each for each in charges if each["payment_intent"] == intent]
        opened = self.double.open_dispute(charge["id"])
        self.double.close_dispute(opened["id"], won=True)
        await self.refresh(payment)

    def _intent_of(self, payment: str) -> str:
        intents = self.double.objects("payment_intent", AT_STRIPE)
        ours = str(decode("Payment", payment))
        return next(str(each["id"]) for each in intents if each["metadata"][PAYMENT] == ours)

    async def _work(self) -> None:
        database = self.studio.database
        own = duties(Till(database, gateway(self.double)))
        worker = Worker(database, self.bolt_ons, lambda: self.studio.clock.now, own)
        while await worker.work():
            pass


async def payments_by_card(card: CardReader) -> dict[str, list[dict[str, Any]]]:
    """Give examples of what is done about payments by card; three wait for it."""
    studio = card.studio
    ten = {"bundle": studio.ids.bundles["TEN"], "paymentMethods": ["card", "offline"]}
    await studio.do("updateBundle", ten, as_="owner")
    saturdays = {"course": studio.ids.courses["SAT"]}
    await studio.change_course("SAT", paymentMethods=["card", "offline"])
    held = []
    for name in ("Xia", "Yan", "Zoe"):
        await studio.add_customer(name)
        held.append(await card.hold("bookCourse", saturdays, name))
    paid, pending, left = held
    await card.pay(paid)
    note = {"note": "With apologies"}
    return {
        "refreshPayment": [{"payment": pending}],
        "abandonPayment": [{"payment": left}],
        "refundPayment": [{"payment": paid, "amountMinor": 100, **note}],
        "revokeCredits": [{"payment": paid, **note}],
    }
