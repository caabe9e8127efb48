"""Metadata: what an account writes onto Stripe's objects for itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from classbolt.testing.stripe_double.errors import malformed

MOST_KEYS: Final = 50
LONGEST_KEY: Final = 40
LONGEST_VALUE: Final = 500


def merge(now: Mapping[str, str], given: Mapping[str, str] | None) -> dict[str, str]:
    """Give what metadata becomes: an empty value takes a key away, and nothing takes all.

    Raises:
        Refused: It is more than an object can carry.
    """
    if given is None:
        return {}
    for key, value in given.items():
        if len(key) > LONGEST_KEY:
            raise malformed(
                f"Metadata keys can have up to {LONGEST_KEY} characters.", param="metadata"
            )
        if len(value) > LONGEST_VALUE:
            raise malformed(
                f"Metadata values can have up to {LONGEST_VALUE} characters, but you passed in "
                f"a value that is {len(value)} characters.",
                param=f"metadata[{key}]",
            )
    merged = {key: value for key, value in {**now, **given}.items() if value}
    if len(merged) > MOST_KEYS:
        raise malformed(f"Metadata can have up to {MOST_KEYS} keys.", param="metadata")
    return merged
