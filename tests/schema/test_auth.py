"""Who may say who they are."""

from __future__ import annotations

import asyncio
import json
import random
import stat
import sys
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, Key, KeySet, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from starlette.datastructures import Headers

from classbolt.config import Settings, SettingsError
from classbolt.db import Caller
from classbolt.errors import Unauthenticated
from classbolt_schema.server.auth import LEEWAY_SECONDS, TokenVerifier, caller_of
from classbolt_schema.server.keys import (
    DEVELOPMENT_ISSUER,
    DEVELOPMENT_KEY_FILE,
    DevelopmentIssuerRefused,
    development_key,
    issue_token,
    trusted_issuer,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EXPIRY = int((NOW + timedelta(minutes=10)).timestamp())
CLAIMS = {"iss": "https://id.example", "aud": "studio", "sub": "anna", "exp": EXPIRY}
KEY = ECKey.generate_key("P-256", {"kid": "ours"})
VERIFIER = TokenVerifier("https://id.example", KeySet([KEY]))


def a_token(
    key: Key = KEY, alg: str = "ES256", header: dict[str, Any] | None = None, **claims: Any
) -> str:
    given = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
    headers = {"alg": alg, "typ": "at+jwt", "kid": "ours", **(header or {})}
    registry = JWSRegistry(algorithms=[alg], strict_check_header=False)
    return jwt.encode(headers, given, key, registry=registry)


def part(value: object) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def verify(token: str, audience: str = "studio", now: datetime = NOW) -> str:
    return VERIFIER.verify(token, audience, now)


def refuse(token: str, audience: str = "studio", now: datetime = NOW) -> None:
    with pytest.raises(Unauthenticated):
        verify(token, audience, now)


def development(folder: Path) -> Settings:
    return Settings(env="development", data=folder)


def production(folder: Path, key_set: object) -> Settings:
    file = folder / "jwks.json"
    file.write_text(json.dumps(key_set))
    return Settings(env="production", data=folder, issuer="https://id.example", jwks_file=file)


def test_a_good_token_names_its_subject() -> None:
    assert verify(a_token()) == "anna"


@pytest.mark.parametrize(
    ("key", "alg"),
    [
        (RSAKey.generate_key(2048, {"kid": "ours"}), "RS256"),
        (OKPKey.generate_key("Ed25519", {"kid": "ours"}), "Ed25519"),
        (OKPKey.generate_key("Ed25519", {"kid": "ours"}), "EdDSA"),
    ],
)
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_issuers_may_sign_with_other_public_keys(key: Key, alg: str) -> None:
    verifier = TokenVerifier("https://id.example", KeySet([key]))

    assert verifier.verify(a_token(key, alg), "studio", NOW) == "anna"


def test_a_token_without_signature_is_refused() -> None:
    refuse(f"{part({'alg': 'none', 'kid': 'ours'})}.{part(CLAIMS)}.")


def test_the_public_key_is_no_shared_secret() -> None:
    public = OctKey.import_key(json.dumps(KEY.as_dict(private=False)).encode())

    refuse(a_token(public, "HS256"))


def test_a_token_of_a_foreign_key_is_refused() -> None:
    refuse(a_token(ECKey.generate_key("P-256")))
    refuse(a_token(RSAKey.generate_key(2048), "RS256"))


def test_a_key_that_we_do_not_know_is_refused() -> None:
    refuse(a_token(header={"kid": "theirs"}))


def test_a_key_that_the_token_brings_along_is_not_taken() -> None:
    stranger = ECKey.generate_key("P-256")

    refuse(a_token(stranger, header={"jwk": stranger.as_dict(private=False)}))
    refuse(a_token(stranger, header={"jku": "https://stranger.example/keys"}))


def test_a_token_that_was_altered_is_refused() -> None:
    head, _, signature = a_token().split(".")

    refuse(f"{head}.{part({**CLAIMS, 'sub': 'otto'})}.{signature}")


def test_a_token_of_another_account_is_refused() -> None:
    refuse(a_token(aud="gym"))
    refuse(a_token(aud=["gym", "pool"]))
    refuse(a_token(), audience="gym")


def test_a_token_may_be_meant_for_several_accounts() -> None:
    assert verify(a_token(aud=["gym", "studio"])) == "anna"


def test_a_token_of_another_issuer_is_refused() -> None:
    refuse(a_token(iss="https://stranger.example"))
    refuse(a_token(iss=DEVELOPMENT_ISSUER))


@pytest.mark.parametrize("claim", ["iss", "aud", "sub", "exp"])
def test_a_token_must_say_all_that_we_decide_by(claim: str) -> None:
    nothings: list[object] = [None, "", {}]
    for said in nothings:
        claims: dict[str, Any] = {claim: said}

        refuse(a_token(**claims))


def test_a_token_ends_at_the_second_its_leeway_ends() -> None:
    end = datetime.fromtimestamp(EXPIRY + LEEWAY_SECONDS, UTC)

    assert verify(a_token(), now=end - timedelta(microseconds=1)) == "anna"
    refuse(a_token(), now=end)


def test_a_token_begins_at_the_second_its_leeway_begins() -> None:
    start = int(NOW.timestamp()) + LEEWAY_SECONDS

    assert verify(a_token(nbf=start)) == "anna"
    refuse(a_token(nbf=start + 1))


def test_a_token_that_is_meant_for_something_else_is_refused() -> None:
    assert verify(a_token(header={"typ": "JWT"})) == "anna"
    refuse(a_token(header={"typ": "logout+jwt"}))


def test_a_header_that_we_do_not_know_is_passed_over() -> None:
    assert verify(a_token(header={"nonce": "5"})) == "anna"


def test_a_token_longer_than_any_honest_one_is_refused() -> None:
    refuse(a_token(name="x" * 4096))


def test_no_text_breaks_the_verifier() -> None:
    draw = random.Random(11)
    good = a_token()
    headers: list[object] = [
        [],
        {"alg": None},
        {"alg": []},
        {"alg": "ES256", "kid": []},
        {"alg": "ES256", "kid": {}},
        {"alg": "ES256", "typ": 5},
        {"alg": "ES256", "crit": 5},
        {"alg": "ES256", "crit": [5]},
        {"alg": "ES256", "crit": ["b64"], "b64": False},
        {"alg": "RS256", "kid": "ours"},
    ]
    texts = ["", ".", "..", "....", "a.b.c", "\x00", "é.é.é", f"{good}="]
    texts.append(urlsafe_b64encode(b"[" * 2000).decode() + ".e30.e30")
    texts.extend(f"{part(header)}.{part(CLAIMS)}.AAAA" for header in headers)
    for _ in range(2000):
        place = draw.randrange(len(good))
        texts.append(good[:place] + chr(draw.randrange(1, 0x250)) + good[place + 1 :])

    for text in texts:
        try:
            assert verify(text) == "anna"  # the last character has bits that say nothing
        except Unauthenticated:
            continue


def test_a_caller_without_a_header_is_anonymous() -> None:
    assert caller_of(Headers(), "studio", VERIFIER, NOW) == Caller("studio")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_caller_is_known_by_the_bearer_token(scheme: str) -> None:
    headers = Headers({"authorization": f"{scheme} {a_token()}"})

    caller = caller_of(headers, "studio", VERIFIER, NOW)

    assert caller == Caller("studio", issuer="https://id.example", subject="anna")


@pytest.mark.parametrize(
    "value", ["", "Bearer", "Bearer ", "Basic YTpi", a_token(), f"Bearer {a_token()} more"]
)
def test_a_header_that_is_no_bearer_token_is_refused(value: str) -> None:
    with pytest.raises(Unauthenticated):
        caller_of(Headers({"authorization": value}), "studio", VERIFIER, NOW)


def test_two_authorizations_are_none() -> None:
    header = (b"authorization", f"Bearer {a_token()}".encode())

    with pytest.raises(Unauthenticated):
        caller_of(Headers(raw=[header, header]), "studio", VERIFIER, NOW)


def test_a_development_token_is_verified_like_any_other(tmp_path: Path) -> None:
    settings = development(tmp_path)

    token = issue_token(settings, "studio", "anna", NOW, timedelta(hours=1))

    verifier = TokenVerifier(*trusted_issuer(settings))
    assert verifier.issuer == DEVELOPMENT_ISSUER
    assert verifier.verify(token, "studio", NOW + timedelta(minutes=59)) == "anna"
    with pytest.raises(Unauthenticated):
        verifier.verify(token, "gym", NOW)
    with pytest.raises(Unauthenticated):
        verifier.verify(token, "studio", NOW + timedelta(hours=2))


def test_the_development_key_is_its_owners_alone_and_kept(tmp_path: Path) -> None:
    settings = development(tmp_path / "not" / "there")

    key = development_key(settings)

    file = settings.data / DEVELOPMENT_KEY_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in settings.data.iterdir()] == [DEVELOPMENT_KEY_FILE]
    assert development_key(settings) == key


def test_verifying_development_tokens_does_not_take_the_private_key(tmp_path: Path) -> None:
    _, keys = trusted_issuer(development(tmp_path))

    assert not any(key.is_private for key in keys)


@pytest.mark.unmeasured  # each process is measured elsewhere
async def test_processes_that_start_at_once_agree_on_the_development_key(
    tmp_path: Path,
) -> None:
    script = (
        "import sys; from pathlib import Path; from classbolt.config import Settings;"
        "from classbolt_schema.server.keys import development_key;"
        "sys.stdin.read(); settings = Settings(data=Path(sys.argv[1]));"
        "print(development_key(settings).kid)"
    )
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", script, str(tmp_path), stdin=-1, stdout=-1
        )
        for _ in range(4)
    ]

    answers = await asyncio.gather(*(process.communicate(b"") for process in processes))

    kids = {out for out, _ in answers}
    assert len(kids) == 1
    assert kids != {b""}


def test_the_development_issuer_does_not_exist_in_production(tmp_path: Path) -> None:
    settings = production(tmp_path, KeySet([KEY]).as_dict())

    with pytest.raises(DevelopmentIssuerRefused):
        issue_token(settings, "studio", "anna", NOW, timedelta(hours=1))
    with pytest.raises(DevelopmentIssuerRefused):
        development_key(settings)
    assert not (tmp_path / DEVELOPMENT_KEY_FILE).exists()


def test_production_takes_the_tokens_of_its_own_issuer_alone(tmp_path: Path) -> None:
    token = issue_token(development(tmp_path), "studio", "anna", NOW, timedelta(hours=1))

    verifier = TokenVerifier(*trusted_issuer(production(tmp_path, KeySet([KEY]).as_dict())))

    assert verifier.verify(a_token(), "studio", NOW) == "anna"
    with pytest.raises(Unauthenticated):
        verifier.verify(token, "studio", NOW)


@pytest.mark.parametrize("content", [5, [], {}, {"keys": []}, {"keys": [5]}, {"keys": 5}])
def test_a_key_file_that_holds_no_keys_stops_the_start(tmp_path: Path, content: object) -> None:
    with pytest.raises(SettingsError, match="CLASSBOLT_JWKS_FILE"):
        trusted_issuer(production(tmp_path, content))
