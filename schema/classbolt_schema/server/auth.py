"""Who is calling: verify a bearer token and say whom it names.

A token proves who somebody is, never what they may do: that stands in our own memberships, read
in each transaction. Whatever is wrong with a token is answered alike, so that nobody can learn
from the answer how to make a better one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from starlette.datastructures import Headers

from classbolt.db import Caller
from classbolt.errors import Unauthenticated

ALGORITHMS: Final = ("ES256", "RS256", "EdDSA", "Ed25519")
"""Asymmetric only: with a shared secret, whoever can verify could also sign."""

TOKEN_TYPES: Final = frozenset({"at+jwt", "application/at+jwt", "jwt"})
LEEWAY_SECONDS: Final = 30
MAX_TOKEN_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class TokenVerifier:
    """The one issuer whose word we take, and its keys."""

    issuer: str
    key_set: KeySet

    def verify(self, token: str, audience: str, now: datetime) -> str:
        """Give the subject whom the token names.

        Raises:
            Unauthenticated: The token is not one of this issuer, for this audience, at this
            moment.
        """
        if len(token) > MAX_TOKEN_BYTES:
            raise Unauthenticated
        claims = jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": audience},
            sub={"essential": True},
            exp={"essential": True},
        )
        # Headers that we do not know are none of our business (RFC 7515, 4), unless they are
        # marked critical.
        headers = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        try:
            decoded = jwt.decode(token, self.key_set, registry=headers)
            claims.validate(decoded.claims)
        except (JoseError, ValueError, TypeError) as error:
            raise Unauthenticated from error
        # An issuer also signs tokens that are no access tokens (logout, events) with the same
        # keys.
        if str(decoded.header.get("typ", "jwt")).lower() not in TOKEN_TYPES:
            raise Unauthenticated
        return str(decoded.claims["sub"])


def caller_of(
    headers: Headers, account_slug: str, verifier: TokenVerifier, now: datetime
) -> Caller:
    """Say who calls. Without an Authorization header it is an anonymous visitor.

    Raises:
        Unauthenticated: There is a header, and anything is wrong with it.
    """
    given = headers.getlist("authorization")
    if not given:
        return Caller(account_slug)
    scheme, _, token = given[0].partition(" ")
    if len(given) > 1 or scheme.lower() != "bearer" or not token:
        raise Unauthenticated
    subject = verifier.verify(token.strip(" "), account_slug, now)
    return Caller(account_slug, issuer=verifier.issuer, subject=subject)
