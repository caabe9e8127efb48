"""The doctor looks whether the keys are there that links with Stripe go by."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import Executable, update

import healthy as h
from classbolt.bolt_ons import BoltOns
from classbolt.doctor import Example, Finding, Keys, examine
from classbolt.sealed import Seal
from classbolt.tables import stripe_links
from classbolt_schema.server.context import utc_now
from healthy import do

pytestmark = pytest.mark.unmeasured  # they come by nothing new, but often

OURS, ANOTHER = (SecretStr(Fernet.generate_key().decode()) for _ in range(2))
GIVEN = "rk_test_51HiddenKey"
SOUTHS = h.key()


CONNECT = update(stripe_links).values(kind="CONNECTED", stripe_account="acct_1North")


def with_key(sealed_under: SecretStr) -> Executable:
    """Link the other account with a key of its own."""
    return stripe_links.insert().values(
        account_id=h.SOUTH,
        id=SOUTHS,
        kind="KEY",
        publishable_key="pk_test_51South",
        sealed_key=Seal((sealed_under,)).seal(GIVEN),
        linked_at=h.BEFORE,
    )


async def findings(url: str, bolt_ons: BoltOns, keys: Keys) -> dict[str, Finding]:
    """Give what is found with these keys, by code; each of it is a problem."""
    report = await examine(url, bolt_ons, clock=utc_now, keys=keys)
    found = {each.check.code: each.finding for each in report.results if each.finding}
    assert report.is_healthy == (not found)
    return found


@pytest.mark.parametrize("is_connected", [False, True])
async def test_the_key_that_links_of_the_installation_go_by_must_be_set(
    *, is_connected: bool, url: str, bolt_ons: BoltOns
) -> None:
    if is_connected:
        await do(url, CONNECT)

    found = await findings(url, bolt_ons, Keys(has_stripe_key=False, seal=Seal((OURS,))))

    says = (
        "Links that go by STRIPE_API_KEY, which is not set: 1. Set it again, with"
        " STRIPE_PUBLISHABLE_KEY, or unlink these accounts."
    )
    where = (Example("stripe_links", h.NORTH, str(h.LINK)),)
    assert found == {"STRIPE_KEY_MISSING": Finding(says, 1, where)}


async def test_a_key_that_an_account_gave_must_open(url: str, bolt_ons: BoltOns) -> None:
    """Its text is told to nobody, sealed or not."""
    await do(url, with_key(ANOTHER))

    for seal in (Seal(), Seal((OURS,))):
        found = await findings(url, bolt_ons, Keys(has_stripe_key=True, seal=seal))

        says = (
            "Links with a key that none in CLASSBOLT_SECRET_KEY opens: 1. Add the one that"
            " sealed it, or have the owners give theirs again: updateStripeLink."
        )
        where = (Example("stripe_links", h.SOUTH, str(SOUTHS)),)
        assert found == {"STRIPE_KEY_NOT_OPENED": Finding(says, 1, where)}


async def test_a_key_may_have_been_sealed_under_one_that_only_opens_by_now(
    url: str, bolt_ons: BoltOns
) -> None:
    await do(url, with_key(ANOTHER))

    keys = Keys(has_stripe_key=True, seal=Seal((OURS, ANOTHER)))

    assert await findings(url, bolt_ons, keys) == {}


async def test_a_link_that_has_ended_may_lack_its_key(url: str, bolt_ons: BoltOns) -> None:
    await do(url, with_key(ANOTHER), update(stripe_links).values(unlinked_at=h.NOW))

    keys = Keys(has_stripe_key=False, seal=Seal((OURS,)))

    assert await findings(url, bolt_ons, keys) == {}
