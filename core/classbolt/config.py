"""Settings: read from the environment once, checked as a whole, frozen afterwards.

A setting that is misspelt would silently leave its default in force, so that every unknown
`CLASSBOLT_…` variable stops the start. No message repeats a value: the database address holds a
password.
"""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, FilePath, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "CLASSBOLT_"
DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}
"""What people write before `://`, and the driver we serve it with."""


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

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split(cls, origins: object) -> object:
        if isinstance(origins, str):
            return tuple(origin.strip() for origin in origins.split(",") if origin.strip())
        return origins

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        # Browsers send an origin without path or slash. One that is written with it would never
        # match.
        if not all(re.fullmatch(r"https?://[^/\s]+", origin) for origin in origins):
            raise ValueError(
                "each origin is written like https://book.example.com, without a path"
            )
        return origins

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
            "; ".join(_explain(each["loc"], each["msg"]) for each in error.errors())
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
    return "DATABASE_URL" if name == "database_url" else PREFIX + name.upper()


def _explain(where: tuple[int | str, ...], message: str) -> str:
    message = message.removeprefix("Value error, ")
    if not where:
        return message
    return f"{_variable(str(where[0]).lower())}: {message}"
