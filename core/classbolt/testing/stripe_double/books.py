"""The books of one Stripe account, as one request finds and changes them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from classbolt.testing.stripe_double.errors import malformed, missing
from classbolt.testing.stripe_double.store import Object, Store

Params = Mapping[str, Any]

DEFAULT_LIMIT: Final = 10
MOST: Final = 100
FOREVER: Final = 2**62

NEWER = """
SELECT body FROM objects
WHERE account = :account AND object = :object AND position > :position
AND created BETWEEN :earliest AND :latest ORDER BY position
"""
OLDER = """
SELECT body FROM objects
WHERE account = :account AND object = :object AND position < :position
AND created BETWEEN :earliest AND :latest ORDER BY position DESC
"""


@dataclass(frozen=True, slots=True)
class Books:
    """One account's objects.

    Attributes:
        account: Whose they are.
        is_connected: Whether the platform acts for this account.
        now: What time it is, in seconds.
        request: What the events of this request say that it was.
    """

    store: Store
    account: str
    is_connected: bool
    now: int
    api_version: str
    request: Mapping[str, str | None]

    def new(self, object_: str, prefix: str, **fields: Any) -> Object:
        """Write something new into the books."""
        return self.put(
            {"id": new_id(prefix), "object": object_, "created": self.now, **fields}
        )

    def put(self, object_: Object) -> Object:
        """Write what has become of something into the books."""
        self.store.put(self.account, object_)
        return object_

    def get(self, object_: str, id_: str, *, param: str | None = None) -> Object:
        """Look something up.

        Args:
            object_: What it has to be.
            id_: Which one.
            param: The parameter that names it, unless the path does.

        Raises:
            Refused: There is no such thing in these books.
        """
        account, found = self.store.find(id_) or (None, None)
        if account != self.account or found is None or found["object"] != object_:
            raise missing(object_, id_, param=param)
        return found

    def page(
        self, object_: str, params: Params, *, matches: Callable[[Object], bool]
    ) -> tuple[list[Object], bool]:
        """List what matches, the newest first, and say whether there is more of it.

        Raises:
            Refused: The limit is none, or the cursor is not in these books.
        """
        limit = params.get("limit", DEFAULT_LIMIT)
        if not 1 <= limit <= MOST:
            raise malformed(f"Invalid limit: must be between 1 and {MOST}", param="limit")
        goes_back = "ending_before" in params
        asked = {
            "account": self.account,
            "object": object_,
            "position": self._position(object_, params),
            **_created(params.get("created")),
        }
        rows = self.store.run(NEWER if goes_back else OLDER, **asked)
        found = (each for row in rows if matches(each := json.loads(row["body"])))
        wanted = list(islice(found, limit + 1))
        page = wanted[:limit]
        return (page[::-1] if goes_back else page), len(wanted) > limit

    def _position(self, object_: str, params: Params) -> int:
        for cursor in ("starting_after", "ending_before"):
            if cursor in params:
                self.get(object_, params[cursor], param=cursor)
                where = "SELECT position FROM objects WHERE id = :id"
                return int(self.store.run(where, id=params[cursor]).fetchone()["position"])
        return FOREVER


def new_id(prefix: str) -> str:
    """Make up an id that nothing else has."""
    return f"{prefix}_{secrets.token_hex(12)}"


def _created(asked: int | Mapping[str, int] | None) -> dict[str, int]:
    if asked is None:
        return {"earliest": -FOREVER, "latest": FOREVER}
    if isinstance(asked, int):
        return {"earliest": asked, "latest": asked}
    return {
        "earliest": max(asked.get("gte", -FOREVER), asked.get("gt", -FOREVER) + 1),
        "latest": min(asked.get("lte", FOREVER), asked.get("lt", FOREVER) - 1),
    }
