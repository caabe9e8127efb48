"""`classbolt stripe`: link accounts through the installation's own key, and show the links."""

from __future__ import annotations

import pytest

from installation import Installation

OF_STUDIO = ("--account", "studio")
KEYS = {"STRIPE_API_KEY": "sk_test_51Own", "STRIPE_PUBLISHABLE_KEY": "pk_test_51Own"}


@pytest.fixture
def linking(opened: Installation) -> Installation:
    """The same, with keys of Stripe and no link."""
    installation = Installation(opened.folder, KEYS)
    installation.does("stripe", "unlink", *OF_STUDIO)
    return installation


def test_an_account_is_linked_shown_and_unlinked(linking: Installation) -> None:
    assert linking.does("stripe", "show", *OF_STUDIO) == "studio is not linked with Stripe."

    linked = linking.does("stripe", "link", *OF_STUDIO, "--connected", "acct_1Studio")
    shown = linking.does("stripe", "show", *OF_STUDIO)

    assert shown == linked
    whose, since, holds, webhooks = shown.splitlines()
    assert whose == "studio is linked with acct_1Studio, which is connected with ours."
    assert since.startswith("since     20")
    assert holds == "holds     15 minutes"
    assert webhooks == "webhooks  /webhooks/stripe"
    assert linking.does("stripe", "unlink", *OF_STUDIO) == (
        "studio is no longer linked with Stripe."
    )
    assert linking.does("stripe", "unlink", *OF_STUDIO) == "studio is not linked with Stripe."


def test_a_link_takes_the_place_of_the_one_before(linking: Installation) -> None:
    linking.does("stripe", "link", *OF_STUDIO, "--connected", "acct_1Studio")

    linking.does("stripe", "link", *OF_STUDIO, "--own", "--hold-minutes", "30")

    whose, _, holds, _ = linking.does("stripe", "show", *OF_STUDIO).splitlines()
    assert whose == "studio is linked with the Stripe account of this installation."
    assert holds == "holds     30 minutes"


def test_what_cannot_be_linked_is_refused(linking: Installation) -> None:
    link = ("stripe", "link", *OF_STUDIO)

    assert linking.refuses(*link, "--connected", "Studio").startswith(
        "This is not an account at Stripe"
    )
    assert linking.refuses(*link, "--own", "--hold-minutes", "4") == (
        "Seats are held for 5 to 120 minutes."
    )
    assert linking.refuses("stripe", "link", "--account", "nowhere", "--own") == (
        "There is no such account."
    )
    for arguments in ([], ["--own", "--connected", "acct_1Studio"]):
        done = linking.run(*link, *arguments)
        assert done.code == 2
        assert "Say either --own or --connected." in done.err
    assert linking.does("stripe", "show", *OF_STUDIO) == "studio is not linked with Stripe."


def test_without_keys_of_stripe_there_is_nothing_to_link_with(opened: Installation) -> None:
    said = opened.refuses("stripe", "link", *OF_STUDIO, "--own")

    assert said == "STRIPE_API_KEY must be set: such a link is used with its key"
