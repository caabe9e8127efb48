"""Settings: read from the environment once, checked as a whole, frozen afterwards.

A setting that is misspelt would silently leave its default in force, so that every unknown
`CLASSBOLT_…` variable stops the start. No message repeats a value: the database address holds a
password, and some settings are secrets.
"""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from cryptography.fernet import Fernet
from pydantic import (
    Field,
    FilePath,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from classbolt.stripe_keys import (
    PUBLISHABLE_KEY,
    SECRET_KEY,
    WEBHOOK_SECRET,
    are_of_one_mode,
)

PREFIX = "CLASSBOLT_"
DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}
"""What people write before `://`, and the driver we serve it with."""

ORIGIN = re.compile(r"https?://[^/\s]+")


MAKE_A_KEY = (
    'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
)


class SettingsError(Exception):
    """The environment does not say how to run; the message says what to change."""


class Settings(BaseSettings):
    """How this installation runs.

    Attributes:
        env: Development has its own token issuer and GraphiQL; production has neither.
        data: The folder for what the installation keeps in files.
        database_url: The database's address, with the driver. Its variable is `DATABASE_URL`.
        issuer: The token issuer whose word we take, as its tokens name it.
        jwks_file: The issuer's public keys.
        cors_origins: Where frontends are served from; comma-separated in the environment.
        worker: Whether servers also do what was promised after commits; switch it off where
            `classbolt worker` does it.
        log: How log lines look. Without it: for people on a terminal, JSON elsewhere.
        stripe_api_key: The installation's own key at Stripe. Its variable is `STRIPE_API_KEY`.
        stripe_publishable_key: What frontends show Stripe, from `STRIPE_PUBLISHABLE_KEY`.
        stripe_webhook_secrets: What Stripe signs its webhooks with, comma-separated in
            `STRIPE_WEBHOOK_SECRET`: there are two while one is replaced.
        stripe_url: Where Stripe's API is, instead of at Stripe: a double, for development.
        secret_keys: Seal what accounts entrust to us, comma-separated in
            `CLASSBOLT_SECRET_KEY`. The first one seals, all of them open.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        frozen=True,
        hide_input_in_errors=True,
        populate_by_name=True,
    )

    env: Literal["development", "production"] = "development"
    data: Path = Field(default=Path("data"), validate_default=True)
    database_url: str = Field(
        default_factory=lambda given: f"sqlite+aiosqlite:///{given['data'] / 'classbolt.db'}",
        validation_alias="DATABASE_URL",
        repr=False,
    )
    issuer: str | None = None
    jwks_file: FilePath | None = None
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    worker: bool = True
    log: Literal["json", "console"] | None = None
    stripe_api_key: SecretStr | None = Field(default=None, validation_alias="STRIPE_API_KEY")
    stripe_publishable_key: str | None = Field(
        default=None, validation_alias="STRIPE_PUBLISHABLE_KEY"
    )
    stripe_webhook_secrets: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(), validation_alias="STRIPE_WEBHOOK_SECRET"
    )
    stripe_url: str | None = None
    secret_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(), validation_alias="CLASSBOLT_SECRET_KEY"
    )

    @property
    def is_production(self) -> bool:
        """Say whether real people's money is at stake."""
        return self.env == "production"

    @field_validator("data")
    @classmethod
    def _anchor(cls, data: Path) -> Path:
        """Make the folder independent of where a later process happens to stand."""
        return data.expanduser().absolute()

    @field_validator("database_url")
    @classmethod
    def _name_driver(cls, url: str) -> str:
        scheme, separator, rest = url.partition("://")
        if not separator or scheme not in DRIVERS:
            raise ValueError("must begin with sqlite:// or postgresql://")
        return f"{DRIVERS[scheme]}://{rest}"

    @field_validator("cors_origins", "stripe_webhook_secrets", "secret_keys", mode="before")
    @classmethod
    def _split(cls, listed: object) -> object:
        if isinstance(listed, str):
            return tuple(each.strip() for each in listed.split(",") if each.strip())
        return listed

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        # Browsers send an origin without path or slash. One that is written with it would never
        # match.
        if not all(ORIGIN.fullmatch(origin) for origin in origins):
            raise ValueError(
                "each origin is written like https://book.example.com, without a path"
            )
        return origins

    @field_validator("stripe_api_key")
    @classmethod
    def _check_api_key(cls, key: SecretStr | None) -> SecretStr | None:
        if key and not SECRET_KEY.fullmatch(key.get_secret_value()):
            raise ValueError("must be a secret or restricted key: sk_test_…, rk_live_…")
        return key

    @field_validator("stripe_publishable_key")
    @classmethod
    def _check_publishable_key(cls, key: str | None) -> str | None:
        if key and not PUBLISHABLE_KEY.fullmatch(key):
            raise ValueError("must be a publishable key: pk_test_… or pk_live_…")
        return key

    @field_validator("stripe_webhook_secrets")
    @classmethod
    def _check_webhook_secrets(cls, secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if not all(WEBHOOK_SECRET.fullmatch(each.get_secret_value()) for each in secrets):
            raise ValueError("each must be the signing secret of a webhook endpoint: whsec_…")
        return secrets

    @field_validator("stripe_url")
    @classmethod
    def _check_stripe_url(cls, url: str | None) -> str | None:
        if url and not ORIGIN.fullmatch(url):
            raise ValueError("is written like http://127.0.0.1:8420, without a path")
        return url

    @field_validator("secret_keys")
    @classmethod
    def _check_secret_keys(cls, keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        try:
            for key in keys:
                Fernet(key.get_secret_value())
        except ValueError:
            # What is wrong with a key is not for the log either.
            raise ValueError(f"each key is made with: {MAKE_A_KEY}") from None
        return keys

    @model_validator(mode="after")
    def _check_issuer(self) -> Self:
        if (self.issuer is None) != (self.jwks_file is None):
            raise ValueError(f"{PREFIX}ISSUER and {PREFIX}JWKS_FILE must be given together")
        if self.is_production and self.issuer is None:
            raise ValueError(
                f"in production {PREFIX}ISSUER and {PREFIX}JWKS_FILE must name the token "
                "issuer; the built-in one is for development"
            )
        return self

    @model_validator(mode="after")
    def _check_stripe(self) -> Self:
        if (self.stripe_api_key is None) != (self.stripe_publishable_key is None):
            raise ValueError("STRIPE_API_KEY and STRIPE_PUBLISHABLE_KEY must be given together")
        if (
            self.stripe_api_key
            and self.stripe_publishable_key
            and not are_of_one_mode(
                self.stripe_api_key.get_secret_value(), self.stripe_publishable_key
            )
        ):
            raise ValueError(
                "STRIPE_API_KEY and STRIPE_PUBLISHABLE_KEY must both be for tests, or neither"
            )
        if self.is_production and self.stripe_url is not None:
            raise ValueError(f"{PREFIX}STRIPE_URL is for development; it names a double")
        return self


def load_settings(**overrides: Any) -> Settings:
    """Read the settings from the environment; what is given here goes before it.

    Raises:
        SettingsError: Something is missing, unknown, or cannot be used.
    """
    _refuse_unknown_variables()
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise SettingsError(
            "; ".join(
                _explain(each["loc"], each["msg"])
                for each in error.errors()
                if each["type"] != "default_factory_not_called"  # for want of another setting
            )
        ) from None


def _refuse_unknown_variables() -> None:
    known = {name: _variable(name) for name in Settings.model_fields}
    for variable in sorted(os.environ):
        if variable.startswith(PREFIX) and variable not in known.values():
            name = variable.removeprefix(PREFIX).lower()
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {known[near[0]]}?" if near else ""
            raise SettingsError(f"{variable} is not a setting of Classbolt{hint}")


def _variable(name: str) -> str:
    setting = Settings.model_fields.get(name)
    own = setting and setting.validation_alias
    return own if isinstance(own, str) else PREFIX + name.upper()


def _explain(where: tuple[int | str, ...], message: str) -> str:
    message = message.removeprefix("Value error, ")
    if not where:
        return message
    name = str(where[0])
    is_variable = name in map(_variable, Settings.model_fields)
    return f"{name if is_variable else _variable(name.lower())}: {message}"
