"""What `classbolt serve` and `classbolt worker` say in the log when they start."""

from __future__ import annotations

import asyncio
import json
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from classbolt import stripe_links
from classbolt.bolt_ons import BoltOns
from classbolt.db import Caller, Database
from classbolt.sealed import Seal
from classbolt.stripe_links import NewLink, StripeKeys
from classbolt.values import SYSTEM
from classbolt_schema.server.context import utc_now
from installation import START_SECONDS, Installation

SECRET_KEY = Fernet.generate_key().decode()
NOWHERE = {"CLASSBOLT_STRIPE_URL": "http://127.0.0.1:1"}
STRIPE = {
    "STRIPE_API_KEY": "sk_test_51Own",
    "STRIPE_PUBLISHABLE_KEY": "pk_test_51Own",
    **NOWHERE,
}
ALL_KEYS = {**STRIPE, "CLASSBOLT_SECRET_KEY": SECRET_KEY}
GIVEN = StripeKeys("rk_test_51HiddenKey", "pk_test_51South")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with three accounts: two linked in either way, one not at all.

    Nothing of it is changed by what starts there.
    """
    folder = tmp_path_factory.mktemp("starting")
    installation = Installation(folder, ALL_KEYS)
    installation.does("migrate")
    for slug in ("north", "south", "west"):
        installation.does("account", "create", slug, "--name", slug)
    installation.does("stripe", "link", "--account", "north", "--own")
    asyncio.run(link_with_key(folder, "south"))
    return folder


async def link_with_key(folder: Path, account: str) -> None:
    database = Database(f"sqlite+aiosqlite:///{folder / 'data' / 'classbolt.db'}", BoltOns())
    seal = Seal((SecretStr(SECRET_KEY),))
    link = partial(
        stripe_links.link, actor=SYSTEM, new=NewLink(keys=GIVEN), seal=seal, now=utc_now()
    )
    try:
        await database.write(Caller(account), link)
    finally:
        await database.close()


def lines(log: Path) -> list[dict[str, Any]]:
    """Read the log of a process, as machines do."""
    return [json.loads(line) for line in log.read_text().splitlines()]


def warnings(log: Path) -> list[dict[str, Any]]:
    """Give what is warned of for want of keys, and not what else fails because of it."""
    told = ("level", "count", "accounts", "reasons")
    return [
        {name: line[name] for name in told}
        for line in lines(log)
        if line["event"] == "stripe_links_unusable"
    ]


def start_worker(installation: Installation) -> Path:
    """Let a worker start and end, and give its log."""
    log = installation.folder / "log"
    with installation.running("worker"):
        deadline = time.monotonic() + START_SECONDS
        while "worker_started" not in log.read_text() and time.monotonic() < deadline:
            time.sleep(0.05)
    return log


def test_a_server_warns_once_of_links_whose_keys_are_missing(folder: Path) -> None:
    with Installation(folder, NOWHERE).serving("--workers", "2") as server:
        log = server.log

    assert warnings(log) == [
        {
            "level": "warning",
            "count": 2,
            "accounts": ["north", "south"],
            "reasons": ["STRIPE_KEY_MISSING", "STRIPE_KEY_NOT_OPENED"],
        }
    ]


def test_a_worker_warns_of_links_whose_keys_are_missing(folder: Path) -> None:
    log = start_worker(Installation(folder, STRIPE))

    assert warnings(log) == [
        {
            "level": "warning",
            "count": 1,
            "accounts": ["south"],
            "reasons": ["STRIPE_KEY_NOT_OPENED"],
        }
    ]


def test_a_worker_that_has_all_keys_says_only_that_it_has_begun(folder: Path) -> None:
    log = start_worker(Installation(folder, ALL_KEYS))

    assert lines(log)[0]["event"] == "worker_started"
    assert warnings(log) == []
