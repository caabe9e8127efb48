"""Where token keys come from: the real issuer's file, or an issuer of our own in development.

The development issuer signs whatever it is asked to. It therefore refuses to exist in
production, and its tokens go through the same verification as everybody's, so that development
tries what production does.
"""

from __future__ import annotations

import json
import os
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from classbolt.config import Settings, SettingsError

DEVELOPMENT_ISSUER: Final = "classbolt:development"
DEVELOPMENT_KEY_FILE: Final = "dev-issuer.json"


class DevelopmentIssuerRefused(SettingsError):
    """The development issuer vouches for anybody, so production does without it."""

    def __init__(self) -> None:
        super().__init__(
            "the development issuer does not exist in production; "
            "take tokens from the issuer that CLASSBOLT_ISSUER names"
        )


def trusted_issuer(settings: Settings) -> tuple[str, KeySet]:
    """Give the issuer whose tokens we take and its public keys.

    Raises:
        SettingsError: The key file does not hold keys.
    """
    if settings.issuer is None or settings.jwks_file is None:
        return DEVELOPMENT_ISSUER, KeySet([_public(development_key(settings))])
    try:
        keys = KeySet.import_key_set(json.loads(settings.jwks_file.read_bytes()))
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise SettingsError("CLASSBOLT_JWKS_FILE does not hold a JSON Web Key Set") from error
    return settings.issuer, keys


def issue_token(
    settings: Settings, account_slug: str, subject: str, now: datetime, lifetime: timedelta
) -> str:
    """Sign a token of the development issuer: the bearer is this subject, in this account only.

    Raises:
        DevelopmentIssuerRefused: This is production.
    """
    key = development_key(settings)
    header = {"alg": "ES256", "typ": "at+jwt", "kid": key.kid}
    claims = {
        "iss": DEVELOPMENT_ISSUER,
        "aud": account_slug,
        "sub": subject,
        "iat": int(now.timestamp()),
        "exp": int((now + lifetime).timestamp()),
    }
    return jwt.encode(header, claims, key)


def development_key(settings: Settings) -> ECKey:
    """Give the development issuer's key, made on first use.

    Raises:
        DevelopmentIssuerRefused: This is production.
    """
    if settings.is_production:
        raise DevelopmentIssuerRefused
    path = settings.data / DEVELOPMENT_KEY_FILE
    if not path.exists():
        _make_key(path)
    return ECKey.import_key(json.loads(path.read_bytes()))


def _make_key(path: Path) -> None:
    """Write a new key, unless another process is there first.

    Opening the file itself with O_EXCL would let the other process read it half written. So the
    key is written under a name of its own (mkstemp: O_EXCL and mode 0600) and linked to its
    place; of two links one fails, and both processes then read the same whole file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    key = ECKey.generate_key("P-256", auto_kid=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(key.as_dict(private=True), file)
        Path(path).hardlink_to(name)
    except FileExistsError:
        pass  # the other process was first: its key it is
    finally:
        Path(name).unlink()


def _public(key: ECKey) -> ECKey:
    return ECKey.import_key(key.as_dict(private=False))
