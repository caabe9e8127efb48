"""What a search for customers compares: texts without what people leave out when they type."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classbolt.customers import folded


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("Zoë", "zoe"),
        ("ZOE\u0308", "zoë"),
        ("Ångström", "angstrom"),
        ("Straße", "STRASSE"),
        ("İpek", "ipek"),
        ("ﬁona", "fiona"),
        ("Ana\u00a0\u2003 María", "ana maria"),
        ("\uff34\uff4f\uff4b\uff59\uff4f", "tokyo"),
        ("Łukasz", "lukasz"),
        ("Søren Æbelø", "soren aebelo"),
        ("Ça\u011fr\u0131", "cagri"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("Trần Thị Hồng", "tran thi hong"),
    ],
)
def test_texts_that_people_take_for_the_same_are_the_same(written: str, typed: str) -> None:
    assert folded(written) == folded(typed)


def test_letters_that_differ_by_more_than_accents_stay_different() -> None:
    assert folded("ana") != folded("anna")


@given(st.text(max_size=40))
def test_what_is_folded_stays_as_it_is_however_it_was_written(text: str) -> None:
    once = folded(text)

    assert folded(once) == once
    assert folded(unicodedata.normalize("NFC", text)) == once
    assert folded(unicodedata.normalize("NFD", text)) == once
    assert folded(f"  {text}\t") == once
