"""Seal what accounts entrust to us, so that a copy of the database alone tells nobody of it.

The keys lie in the installation's settings and never in the database. The first of them seals
and all of them open: a new one is put first, and the old one is kept as long as there is
something that it sealed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr

from classbolt.config import Settings
from classbolt.errors import CannotKeepSecrets


class CannotOpen(Exception):
    """None of the installation's keys opens this: another one sealed it, or it was changed."""

    def __init__(self) -> None:
        super().__init__("no key in CLASSBOLT_SECRET_KEY opens what was sealed")


@dataclass(frozen=True, slots=True)
class Seal:
    """Seals texts, and opens them again, with the keys of the installation."""

    keys: tuple[SecretStr, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Make the seal that the settings describe."""
        return cls(settings.secret_keys)

    def seal(self, text: str) -> str:
        """Seal a text. It looks different each time.

        Raises:
            CannotKeepSecrets: The installation has no key to seal with.
        """
        if not self.keys:
            raise CannotKeepSecrets
        return self._fernet().encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """Open what was sealed with one of the keys.

        Raises:
            CannotOpen: It was sealed with none of them.
        """
        if not self.keys:
            raise CannotOpen
        try:
            return self._fernet().decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise CannotOpen from None

    def _fernet(self) -> MultiFernet:
        return MultiFernet([Fernet(key.get_secret_value()) for key in self.keys])
