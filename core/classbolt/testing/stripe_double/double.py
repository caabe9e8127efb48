"""The double itself: what it knows, and what happens in the world while nobody asks it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx

from classbolt.testing.stripe_double import (
    accounts,
    disputes,
    payment_intents,
    refunds,
    taking,
    webhooks,
)
from classbolt.testing.stripe_double.accounts import PLATFORM
from classbolt.testing.stripe_double.books import FOREVER, Books, new_id
from classbolt.testing.stripe_double.errors import invalid, missing
from classbolt.testing.stripe_double.faults import Fault
from classbolt.testing.stripe_double.params import API_VERSION
from classbolt.testing.stripe_double.store import Object, Store
from classbolt.testing.stripe_double.webhooks import Delivery

FARTHEST: Final = 100 * 365 * 24 * 60 * 60
FAILURES: Final = range(400, 600)

OFFSET = "SELECT value FROM settings WHERE name = 'offset'"
SET_OFFSET = "INSERT OR REPLACE INTO settings (name, value) VALUES ('offset', :seconds)"
ALL_OF = """
SELECT body FROM objects WHERE account = :account AND object = :object ORDER BY position
"""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Double:
    """A Stripe of our own, for tests and development only.

    What its accounts can do, they do over HTTP. What happens on its own in the world, such as
    a customer who authenticates or a bank that decides, are its methods.

    Attributes:
        platform: The id of the account that its first key belongs to.
        faults: What will go wrong, the first first.
        in_flight: The idempotency keys of requests that are being answered.
    """

    def __init__(
        self,
        platform_key: str = "sk_test_double",
        *,
        publishable_key: str = "pk_test_double",
        clock: Callable[[], datetime] = _utc_now,
        keep_in: Path | None = None,
        api_version: str = API_VERSION,
    ) -> None:
        """Open the double.

        Args:
            platform_key: The secret key of the platform's account.
            publishable_key: The key that browsers use with it.
            clock: Gives the time.
            keep_in: A file that keeps everything, so that it can be stopped or killed.
            api_version: What the shape of its events is called.
        """
        self.store = Store(keep_in)
        self.platform = PLATFORM
        self.faults: list[Fault] = []
        self.in_flight: set[tuple[str, str]] = set()
        self._clock = clock
        self._api_version = api_version
        self.add_account(PLATFORM, keys=[platform_key, publishable_key])

    def close(self) -> None:
        """Let go of the file."""
        self.store.close()

    def books(self, account: str, *, idempotency_key: str | None = None) -> Books:
        """Open the books of an account for one request."""
        return Books(
            self.store,
            account,
            is_connected=accounts.is_connected(self.store, account),
            now=self.now,
            api_version=self._api_version,
            request={"id": new_id("req"), "idempotency_key": idempotency_key},
        )

    def objects(self, kind: str, account: str = PLATFORM) -> list[Object]:
        """List what the account has of a kind, such as `payment_intent`, the oldest first."""
        rows = self.store.run(ALL_OF, account=account, object=kind)
        return [json.loads(row["body"]) for row in rows]

    # Time

    @property
    def now(self) -> int:
        """Say what time it is, in seconds."""
        found = self.store.run(OFFSET).fetchone()
        return int(self._clock().timestamp()) + (found["value"] if found else 0)

    def set_offset(self, seconds: int) -> None:
        """Let its clock differ from the one it was given.

        Raises:
            Refused: That is farther away than anybody can mean.
        """
        if abs(seconds) > FARTHEST:
            raise invalid(f"The clock can differ by up to {FARTHEST} seconds.")
        with self.store.transaction():
            self.store.run(SET_OFFSET, seconds=seconds)

    def catch_up(self) -> None:
        """Let happen what was to happen by now: refunds that settle, or fail, with time."""
        for refund, status in refunds.due(self.store, now=self.now):
            with self._books_with("refund", refund) as books:
                refunds.keep_promise(books, refund, status)

    # Accounts

    def add_account(
        self, account: str | None = None, *, keys: Sequence[str] = (), connected: bool = False
    ) -> str:
        """Open an account, or hand out more keys to one, and give its id.

        Args:
            account: Which one; without it, a new one.
            keys: Keys of its own, secret and publishable.
            connected: Whether the platform may act for it.
        """
        account = account or new_id("acct")
        with self.store.transaction():
            accounts.open_(self.books(account), keys=keys)
            if connected:
                accounts.connect(self.store, account)
        return account

    def deauthorize(self, account: str) -> None:
        """Let a connected account take back what the platform may do."""
        with self.store.transaction():
            accounts.deauthorize(self.books(account))

    def set_charges_enabled(self, account: str, *, enabled: bool) -> Object:
        """Let Stripe allow an account to be paid, or no longer."""
        with self.store.transaction():
            return accounts.set_charges_enabled(self.books(account), enabled=enabled)

    # Customers and their banks

    def pay(self, payment_intent: str, payment_method: str = "pm_card_visa") -> Object:
        """Let the customer pay in their browser.

        Raises:
            Refused: The card was declined, or there is nothing to pay.
        """
        paying = {"payment_method": payment_method, "use_stripe_sdk": True}
        with self._books_with("payment_intent", payment_intent) as books:
            return payment_intents.confirm(books, paying, payment_intent)

    def authenticate(self, payment_intent: str, *, succeeds: bool = True) -> Object:
        """Let the customer authenticate with their bank, or fail to."""
        with self._books_with("payment_intent", payment_intent) as books:
            return taking.authenticate(books, payment_intent, succeeds=succeeds)

    def start_processing(self, payment_intent: str) -> Object:
        """Let the customer pay in a way that takes its time."""
        with self._books_with("payment_intent", payment_intent) as books:
            return taking.start_processing(books, payment_intent)

    def finish_processing(self, payment_intent: str, *, succeeds: bool = True) -> Object:
        """Let a payment that took its time be made, or fail."""
        with self._books_with("payment_intent", payment_intent) as books:
            return taking.finish_processing(books, payment_intent, succeeds=succeeds)

    def move_refund(self, refund: str, to: str, *, failure_reason: str | None = None) -> Object:
        """Let a refund become pending, requires_action, succeeded, failed or canceled."""
        with self._books_with("refund", refund) as books:
            return refunds.move(books, refund, to, failure_reason=failure_reason)

    def open_dispute(self, charge: str, *, reason: str = "fraudulent") -> Object:
        """Let the customer dispute a charge."""
        with self._books_with("charge", charge) as books:
            return disputes.open_(books, charge, reason=reason)

    def close_dispute(self, dispute: str, *, won: bool) -> Object:
        """Let the bank decide about a dispute."""
        with self._books_with("dispute", dispute) as books:
            return disputes.close(books, dispute, won=won)

    def appeal_dispute(self, dispute: str) -> Object:
        """Let a dispute go on that the bank has decided."""
        with self._books_with("dispute", dispute) as books:
            return disputes.appeal(books, dispute)

    # What goes wrong

    def fail_next(
        self,
        status: int | None = None,
        n: int = 1,
        *,
        is_lost: bool = False,
        delay: float = 0,
        after_effect: bool = False,
        path_prefix: str = "/v1/",
        method: str | None = None,
    ) -> None:
        """Let something go wrong with the next requests.

        Args:
            status: What they are answered with, instead of what is true.
            n: How many of them.
            is_lost: Whether their connections are closed without an answer.
            delay: How many seconds they wait first.
            after_effect: Whether they have done what they asked for by then.
            path_prefix: Which of them.
            method: Which of those, if not all.

        Raises:
            Refused: The status is no failure, or the number is none.
        """
        if n < 1 or (status is not None and status not in FAILURES):
            raise invalid("A failure has a status from 400 to 599, and happens at least once.")
        self.faults.append(
            Fault(status, is_lost, delay, after_effect, path_prefix, method, left=n)
        )

    # Webhooks

    def listen(
        self,
        url: str,
        *,
        secret: str | None = None,
        connect: bool = False,
        account: str = PLATFORM,
    ) -> str:
        """Let an endpoint listen to everything, and give its secret.

        One that listens already goes on; a host can say it at every start.

        Args:
            url: Where it is.
            secret: A secret that is known already; without it, a new one.
            connect: Whether it listens to connected accounts, and not to the platform.
            account: Whose it is.
        """
        with self.store.transaction():
            return webhooks.listen(self.books(account), url, secret=secret, connect=connect)

    def take_deliveries(self) -> list[Delivery]:
        """Take all that is on its way to endpoints, to deliver it, or not, by hand."""
        self.catch_up()
        with self.store.transaction():
            taken = webhooks.waiting(self.store, until=FOREVER)
            for delivery in taken:
                webhooks.settle(self.store, delivery, is_done=True, now=self.now)
        return taken

    async def deliver_due(self, client: httpx.AsyncClient) -> int:
        """Deliver what is due, and give the number of those that were answered well.

        Whoever runs the double calls this again and again; one that fails is due later.
        """
        self.catch_up()
        delivered = 0
        for delivery in webhooks.waiting(self.store, until=self.now):
            is_done = await webhooks.post(client, delivery, at=self.now)
            with self.store.transaction():
                webhooks.settle(self.store, delivery, is_done=is_done, now=self.now)
            delivered += is_done
        return delivered

    @contextmanager
    def _books_with(self, object_: str, id_: str) -> Iterator[Books]:
        with self.store.transaction():
            account, found = self.store.find(id_) or ("", {})
            if found.get("object") != object_:
                raise missing(object_, id_)
            yield self.books(account)
