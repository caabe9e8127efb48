"""What Stripe's keys and ids look like, so that a wrong one is refused before it is kept.

Those of the test mode and those that move real money are told apart by their second word.
"""

from __future__ import annotations

import re

SECRET_KEY = re.compile(r"[sr]k_(?:test|live)_\w{1,240}", re.ASCII)
PUBLISHABLE_KEY = re.compile(r"pk_(?:test|live)_\w{1,240}", re.ASCII)
WEBHOOK_SECRET = re.compile(r"whsec_[\w+/=-]{1,240}", re.ASCII)
STRIPE_ACCOUNT = re.compile(r"acct_\w{1,59}", re.ASCII)


def are_of_one_mode(secret_key: str, publishable_key: str) -> bool:
    """Say whether both keys are for tests, or neither is."""
    return secret_key.split("_")[1] == publishable_key.split("_")[1]
