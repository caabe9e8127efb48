"""What accounts entrust to an installation is sealed with its keys, and only they open it."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from classbolt.config import Settings
from classbolt.errors import CannotKeepSecrets
from classbolt.sealed import CannotOpen, Seal

SECRET = "rk_test_51Secret"
OLD, NEW, OTHER = (SecretStr(Fernet.generate_key().decode()) for _ in range(3))


def test_what_was_sealed_is_opened_again() -> None:
    seal = Seal((OLD,))

    sealed = seal.seal(SECRET)

    assert SECRET not in sealed
    assert seal.open(sealed) == SECRET


def test_the_same_text_looks_different_each_time() -> None:
    seal = Seal((OLD,))

    assert seal.seal(SECRET) != seal.seal(SECRET)


def test_a_key_is_replaced_by_putting_the_new_one_first() -> None:
    before, meanwhile, after = Seal((OLD,)), Seal((NEW, OLD)), Seal((NEW,))
    sealed_before = before.seal(SECRET)

    sealed_meanwhile = meanwhile.seal(SECRET)

    assert meanwhile.open(sealed_before) == after.open(sealed_meanwhile) == SECRET
    with pytest.raises(CannotOpen):
        after.open(sealed_before)
    with pytest.raises(CannotOpen):
        before.open(sealed_meanwhile)


def test_what_another_key_sealed_or_somebody_changed_is_not_opened() -> None:
    sealed = Seal((OLD,)).seal(SECRET)

    for seal, found in (
        (Seal((OTHER,)), sealed),
        (Seal(), sealed),
        (Seal((OLD,)), sealed[:-4] + "AAA="),
        (Seal((OLD,)), SECRET),
        (Seal((OLD,)), ""),
        (Seal((OLD,)), "é"),
    ):
        with pytest.raises(CannotOpen) as no:
            seal.open(found)
        assert no.value.__cause__ is None
        assert str(no.value) == "no key in CLASSBOLT_SECRET_KEY opens what was sealed"


def test_without_a_key_nothing_secret_is_kept() -> None:
    with pytest.raises(CannotKeepSecrets):
        Seal().seal(SECRET)


def test_a_seal_shows_no_key() -> None:
    seal = Seal((OLD, NEW))

    shown = f"{seal} {seal!r} {seal.keys}"

    assert OLD.get_secret_value() not in shown
    assert NEW.get_secret_value() not in shown


def test_the_settings_make_the_seal() -> None:
    seal = Seal.of(Settings(secret_keys=(NEW, OLD)))

    assert seal == Seal((NEW, OLD))
    assert seal.open(Seal((OLD,)).seal(SECRET)) == SECRET
