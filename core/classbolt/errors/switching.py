"""Bolt-ons that are off, that fail, or that cannot be on together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from classbolt.errors.base import Refusal


class BoltOnDisabled(Refusal):
    """The bolt-on that this part of the API belongs to is switched off for the account."""

    code = "BOLT_ON_DISABLED"
    facts: ClassVar[Mapping[str, type]] = {"bolt_on": str}

    def __init__(self, bolt_on: str) -> None:
        self.bolt_on = bolt_on
        super().__init__(f"The bolt-on {bolt_on} is switched off for this account.")


class BoltOnFailed(Refusal):
    """A bolt-on failed while it was asked; nothing was changed."""

    code = "BOLT_ON_FAILED"
    facts: ClassVar[Mapping[str, type]] = {"bolt_on": str}

    def __init__(self, bolt_on: str) -> None:
        self.bolt_on = bolt_on
        super().__init__(f"The bolt-on {bolt_on} failed. Nothing was changed.")


class BoltOnConflict(Refusal):
    """The bolt-on cannot be on together with another one."""

    code = "BOLT_ON_CONFLICT"
    facts: ClassVar[Mapping[str, type]] = {"bolt_on": str}

    def __init__(self, bolt_on: str, message: str) -> None:
        self.bolt_on = bolt_on
        super().__init__(message)
