"""Settings from the environment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr, ValidationError

from classbolt.config import Settings, SettingsError, load_settings

STRIPE = {"STRIPE_API_KEY": "sk_test_51Own", "STRIPE_PUBLISHABLE_KEY": "pk_test_51Own"}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    for name in [*os.environ]:
        if name.startswith(("CLASSBOLT_", "STRIPE_")) or name == "DATABASE_URL":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return monkeypatch


def refused(**overrides: object) -> str:
    with pytest.raises(SettingsError) as refusal:
        load_settings(**overrides)
    return str(refusal.value)


def test_without_any_setting_a_developer_can_start(tmp_path: Path) -> None:
    settings = load_settings()

    assert settings.env == "development"
    assert not settings.is_production
    assert settings.data == tmp_path / "data"
    assert settings.database_url == f"sqlite+aiosqlite:///{tmp_path}/data/classbolt.db"
    assert (settings.issuer, settings.jwks_file, settings.log) == (None, None, None)
    assert settings.cors_origins == ()


def test_the_database_lies_in_the_data_folder_unless_it_is_told_otherwise(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("CLASSBOLT_DATA", "/var/lib/classbolt")

    assert load_settings().database_url == "sqlite+aiosqlite:////var/lib/classbolt/classbolt.db"


@pytest.mark.parametrize(
    ("written", "served"),
    [
        ("postgresql://u:p@db/x", "postgresql+asyncpg://u:p@db/x"),
        ("postgres://u:p@db/x", "postgresql+asyncpg://u:p@db/x"),
        ("postgresql+asyncpg://u:p@db/x", "postgresql+asyncpg://u:p@db/x"),
        ("sqlite:///x.db", "sqlite+aiosqlite:///x.db"),
        ("sqlite+aiosqlite:///x.db", "sqlite+aiosqlite:///x.db"),
    ],
)
def test_the_database_address_may_be_written_without_a_driver(
    environment: pytest.MonkeyPatch, written: str, served: str
) -> None:
    environment.setenv("DATABASE_URL", written)

    assert load_settings().database_url == served
    assert load_settings(database_url=written).database_url == served


@pytest.mark.parametrize("url", ["mysql://u:secret@db/x", "/var/lib/secret.db"])
def test_another_database_is_refused_without_showing_its_password(
    environment: pytest.MonkeyPatch, url: str
) -> None:
    environment.setenv("DATABASE_URL", url)

    message = refused()

    assert message == "DATABASE_URL: must begin with sqlite:// or postgresql://"


def test_an_empty_variable_is_none(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("DATABASE_URL", "")
    environment.setenv("CLASSBOLT_ISSUER", "")

    assert load_settings() == load_settings(data=Path("data"))


def test_printed_settings_do_not_show_the_database_password() -> None:
    assert "hunter2" not in repr(load_settings(database_url="postgresql://u:hunter2@db/x"))


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        load_settings().env = "production"


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [
        ("CLASSBOLT_ISUER", "CLASSBOLT_ISSUER"),
        ("CLASSBOLT_CORS_ORIGIN", "CLASSBOLT_CORS_ORIGINS"),
        ("CLASSBOLT_DATABASE_URL", "DATABASE_URL"),
        ("CLASSBOLT_STRIPE_API_KEY", "STRIPE_API_KEY"),
        ("CLASSBOLT_STRIPE_WEBHOOK_SECRET", "STRIPE_WEBHOOK_SECRET"),
        ("CLASSBOLT_SECRET_KEYS", "CLASSBOLT_SECRET_KEY"),
    ],
)
def test_a_misspelt_variable_stops_the_start_and_names_the_right_one(
    environment: pytest.MonkeyPatch, misspelt: str, meant: str
) -> None:
    environment.setenv(misspelt, "x")

    assert refused() == f"{misspelt} is not a setting of Classbolt; did you mean {meant}?"


def test_a_variable_like_no_setting_stops_the_start(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CLASSBOLT_Q", "x")

    assert refused() == "CLASSBOLT_Q is not a setting of Classbolt"


def test_a_value_that_cannot_be_used_is_refused_by_the_name_of_its_variable(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("CLASSBOLT_ENV", "staging")
    environment.setenv("CLASSBOLT_LOG", "xml")

    message = refused()

    assert "CLASSBOLT_ENV: Input should be 'development' or 'production'" in message
    assert "CLASSBOLT_LOG: Input should be 'json' or 'console'" in message
    assert "DATABASE_URL" not in message


def test_production_needs_a_token_issuer_and_its_keys(tmp_path: Path) -> None:
    keys = tmp_path / "jwks.json"
    keys.touch()

    assert "CLASSBOLT_ISSUER and CLASSBOLT_JWKS_FILE must name" in refused(env="production")
    assert "together" in refused(env="production", issuer="https://id.example")
    assert "together" in refused(env="production", jwks_file=keys)
    assert load_settings(
        env="production", issuer="https://id.example", jwks_file=keys
    ).is_production


def test_a_key_file_that_is_not_there_is_refused() -> None:
    assert "CLASSBOLT_JWKS_FILE" in refused(issuer="https://id.example", jwks_file="no.json")


def test_origins_are_a_list_with_commas(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CLASSBOLT_CORS_ORIGINS", "https://a.example, http://b.example:8080,")

    assert load_settings().cors_origins == ("https://a.example", "http://b.example:8080")


@pytest.mark.parametrize("origin", ["a.example", "https://a.example/", "https://a.example/app"])
def test_an_origin_that_no_browser_would_send_is_refused(
    environment: pytest.MonkeyPatch, origin: str
) -> None:
    environment.setenv("CLASSBOLT_CORS_ORIGINS", origin)

    assert "CLASSBOLT_CORS_ORIGINS" in refused()


def test_a_setting_that_does_not_exist_cannot_be_given() -> None:
    with pytest.raises(SettingsError):
        load_settings(debug=True)


def test_settings_made_by_hand_follow_the_same_rules() -> None:
    with pytest.raises(ValidationError):
        Settings(env="production")


# Stripe, and what is secret


def given(environment: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        environment.setenv(name, value)


def test_without_settings_about_it_there_is_no_stripe_and_nothing_to_seal_with() -> None:
    settings = load_settings()

    assert (settings.stripe_api_key, settings.stripe_publishable_key) == (None, None)
    assert (settings.stripe_webhook_secrets, settings.secret_keys) == ((), ())
    assert settings.stripe_url is None


def test_stripes_keys_come_from_variables_of_their_own_names(
    environment: pytest.MonkeyPatch,
) -> None:
    given(environment, **STRIPE, STRIPE_WEBHOOK_SECRET="whsec_New, whsec_Old,")
    given(environment, CLASSBOLT_STRIPE_URL="http://127.0.0.1:8420")

    settings = load_settings()

    assert settings.stripe_api_key == SecretStr("sk_test_51Own")
    assert settings.stripe_publishable_key == "pk_test_51Own"
    assert settings.stripe_webhook_secrets == (SecretStr("whsec_New"), SecretStr("whsec_Old"))
    assert settings.stripe_url == "http://127.0.0.1:8420"


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("STRIPE_API_KEY", "pk_test_51Secret", "must be a secret or restricted key"),
        ("STRIPE_API_KEY", "sk_test_51 Secret", "must be a secret or restricted key"),
        ("STRIPE_PUBLISHABLE_KEY", "sk_test_51Secret", "must be a publishable key"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_Old,Secret", "each must be the signing secret"),
        ("CLASSBOLT_STRIPE_URL", "127.0.0.1:8420/Secret", "is written like http://127.0.0.1"),
        ("CLASSBOLT_STRIPE_URL", "http://127.0.0.1:8420/", "is written like http://127.0.0.1"),
        ("CLASSBOLT_SECRET_KEY", "Secret", "each key is made with: python -c"),
    ],
)
def test_what_is_no_key_is_refused_by_the_name_of_its_variable_and_not_shown(
    environment: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    given(environment, **{**STRIPE, variable: value})

    message = refused()

    assert message.startswith(f"{variable}: {said}")
    assert "Secret" not in message
    with pytest.raises(ValidationError) as by_hand:
        Settings()
    assert "Secret" not in str(by_hand.value)


@pytest.mark.parametrize("missing", STRIPE)
def test_stripes_two_keys_are_given_together(
    environment: pytest.MonkeyPatch, missing: str
) -> None:
    given(environment, **{**STRIPE, missing: ""})

    assert refused() == "STRIPE_API_KEY and STRIPE_PUBLISHABLE_KEY must be given together"


@pytest.mark.parametrize("live", STRIPE)
def test_test_keys_and_live_keys_do_not_go_together(
    environment: pytest.MonkeyPatch, live: str
) -> None:
    given(environment, **{**STRIPE, live: STRIPE[live].replace("test", "live")})

    assert refused().endswith("must both be for tests, or neither")


def test_a_double_of_stripe_is_for_development(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "jwks.json").touch()
    given(environment, **STRIPE, CLASSBOLT_ENV="production", CLASSBOLT_ISSUER="https://id.ex")
    given(environment, CLASSBOLT_JWKS_FILE=str(tmp_path / "jwks.json"))
    assert load_settings().is_production

    given(environment, CLASSBOLT_STRIPE_URL="http://127.0.0.1:8420")

    assert refused() == "CLASSBOLT_STRIPE_URL is for development; it names a double"


def test_secret_keys_are_a_list_so_that_one_can_be_replaced(
    environment: pytest.MonkeyPatch,
) -> None:
    new, old = (Fernet.generate_key().decode() for _ in range(2))
    given(environment, CLASSBOLT_SECRET_KEY=f"{new},{old}")

    assert load_settings().secret_keys == (SecretStr(new), SecretStr(old))


def test_printed_settings_do_not_show_what_is_secret(environment: pytest.MonkeyPatch) -> None:
    key = Fernet.generate_key().decode()
    given(environment, **STRIPE, STRIPE_WEBHOOK_SECRET="whsec_Own", CLASSBOLT_SECRET_KEY=key)

    shown = f"{load_settings()!r} {load_settings()} {load_settings().model_dump()}"

    for secret in (STRIPE["STRIPE_API_KEY"], "whsec_Own", key):
        assert secret not in shown
