"""Register the bolt-ons that are installed, and look up who answers what for an account.

pluggy holds the registry and validates hook names and arguments against `BoltOn`; what it lets
pass in silence (a misspelt hook, a plain function where a coroutine is due) is refused here,
with the name of the culprit. A bolt-on whose package is gone is left out
and reported; one that is broken stops the start.
"""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pluggy
import structlog
from sqlalchemy import MetaData

from classbolt.dispatch import EnabledBoltOns, Implementation
from classbolt.hooks import API, EXCLUSIVE, PROJECT, STARTUP, BoltOn, BoltOnInfo

__all__ = ["ENTRY_POINTS", "BadBoltOn", "BoltOn", "BoltOnInfo", "BoltOns", "find_bolt_ons"]

log = structlog.get_logger(__name__)

ENTRY_POINTS = "classbolt.bolt_ons"
HOOKS = frozenset(
    name
    for name in vars(BoltOn)
    if not name.startswith("_") and callable(getattr(BoltOn, name))
)
ACCOUNT_HOOKS = HOOKS - STARTUP


class BadBoltOn(Exception):
    """A bolt-on breaks the rules of `BoltOn`; the message says which and how to mend it."""


class _Manager(pluggy.PluginManager):
    """pluggy, taught that overriding a method of `BoltOn` implements the hook of that name."""

    def parse_hookimpl_opts(self, plugin: object, name: str) -> Any:
        """Take each overridden hook.

        Everything else of the class is the bolt-on's own business.
        """
        if name in HOOKS and getattr(type(plugin), name) is not getattr(BoltOn, name):
            return {}
        return None


class BoltOns:
    """The bolt-ons of this installation."""

    def __init__(self, bolt_ons: Iterable[BoltOn] = ()) -> None:
        self._manager = _Manager(PROJECT)
        self._manager.add_hookspecs(BoltOn)
        self._installed: dict[str, BoltOn] = {}
        found = list(bolt_ons)
        for bolt_on in found:
            _check(bolt_on)
        for bolt_on in sorted(found, key=lambda each: each.info.code):
            self._register(bolt_on)
        self.enabled = lru_cache(maxsize=256)(self._enabled)

    @classmethod
    def discover(cls) -> BoltOns:
        """Register every bolt-on that an installed distribution offers."""
        return cls(find_bolt_ons())

    @property
    def installed(self) -> Mapping[str, BoltOn]:
        """Give the registered bolt-ons by code, in the order in which they are asked."""
        return self._installed

    def _enabled(self, codes: frozenset[str]) -> EnabledBoltOns:
        """Compile the implementations of a set of bolt-ons.

        Codes that are no longer installed are passed over.
        """
        return EnabledBoltOns(
            {hook: tuple(self._implementations(hook, codes)) for hook in ACCOUNT_HOOKS}
        )

    def _implementations(self, hook: str, codes: frozenset[str]) -> Iterable[Implementation]:
        found = {
            each.plugin_name: each for each in getattr(self._manager.hook, hook).get_hookimpls()
        }
        for code in self._installed:
            if code in codes and code in found:
                yield Implementation(code, hook, found[code].function, found[code].argnames)

    def answering(self, hook: str) -> list[str]:
        """List the installed bolt-ons that answer a hook, whether an account has them on."""
        every = frozenset(self._installed)
        return [each.bolt_on for each in self._implementations(hook, every)]

    def rivals(self, code: str, enabled: frozenset[str]) -> list[str]:
        """List the enabled bolt-ons that answer an exclusive hook which this one answers."""
        return sorted(
            {
                rival.bolt_on
                for hook in EXCLUSIVE
                if any(self._implementations(hook, frozenset({code})))
                for rival in self._implementations(hook, enabled - {code})
            }
        )

    def _register(self, bolt_on: BoltOn) -> None:
        code = bolt_on.info.code
        if code in self._installed:
            raise BadBoltOn(
                f"two bolt-ons are called {code!r}:"
                f" {type(bolt_on)} and {type(self._installed[code])}"
            )
        try:
            self._manager.register(bolt_on, name=code)
        except pluggy.PluginValidationError as wrong:
            raise BadBoltOn(" ".join(str(wrong).split())) from wrong
        self._manager.check_pending()
        self._installed[code] = bolt_on


def find_bolt_ons() -> Iterable[BoltOn]:
    """Load the bolt-ons that installed distributions offer.

    Report and pass over the ones that cannot be loaded.
    """
    for entry in entry_points(group=ENTRY_POINTS):
        if bolt_on := _load(entry):
            yield bolt_on


def _load(entry: EntryPoint) -> BoltOn | None:
    try:
        bolt_on: BoltOn = entry.load()()
    except ModuleNotFoundError as missing:
        # Only if the bolt-on itself is gone while its distribution still names it. One that is
        # there but broken stops the start: serving on without it would cost customers refunds.
        if missing.name is None or entry.module.split(".")[0] != missing.name.split(".")[0]:
            raise
        log.warning("bolt_on_not_loaded", bolt_on=entry.name, missing=missing.name)
        return None
    return bolt_on


def _check(bolt_on: BoltOn) -> None:
    """Refuse what pluggy would accept in silence.

    Raises:
        BadBoltOn: The bolt-on breaks a rule.
    """
    kind = type(bolt_on)
    if not isinstance(getattr(kind, "info", None), BoltOnInfo) or not issubclass(kind, BoltOn):
        raise BadBoltOn(f"{kind} is not a BoltOn with an info: BoltOnInfo")
    info = bolt_on.info
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,39}", info.code):
        raise BadBoltOn(
            f"{kind}: the code {info.code!r} is not lower snake case of 2 to 40 characters"
        )
    version = re.fullmatch(r"(\d+)\.(\d+)", info.api)
    if version is None or int(version[1]) != API[0] or int(version[2]) > API[1]:
        raise BadBoltOn(
            f"{info.code} is written for hooks {info.api}, and here are {API[0]}.{API[1]}"
        )
    for name in dir(kind):
        if not name.startswith("_") and callable(getattr(kind, name)):
            _check_method(info.code, kind, name)
    _check_tables(info.code, bolt_on.tables())


def _check_method(code: str, kind: type[BoltOn], name: str) -> None:
    if name not in HOOKS:
        near = difflib.get_close_matches(name, HOOKS, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise BadBoltOn(
            f"{code}.{name} is not a hook{hint} (a helper's name begins with an underscore)"
        )
    if name in ACCOUNT_HOOKS and not inspect.iscoroutinefunction(getattr(kind, name)):
        raise BadBoltOn(f"{code}.{name} must be 'async def'")
    if name in STARTUP and inspect.iscoroutinefunction(getattr(kind, name)):
        raise BadBoltOn(f"{code}.{name} must be a plain 'def'")


def _check_tables(code: str, metadata: MetaData | None) -> None:
    for table in metadata.tables.values() if metadata is not None else ():
        if not table.name.startswith(f"{code}_"):
            raise BadBoltOn(f"{code}: the table {table.name} must be named {code}_{table.name}")
        if (
            not table.primary_key.columns
            or next(iter(table.primary_key.columns)).name != "account_id"
        ):
            raise BadBoltOn(
                f"{code}: the primary key of {table.name} must begin with account_id"
            )
