"""What a reader cannot see is not in a text that was cleaned, and what writes a language stays."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from project_o import hidden

VISIBLE_FORMATS = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
"""Signs that are written in front of a number: formats by their category, and to be seen."""


def cleaned(text):
    return hidden.replace(text, lambda _: "?")


@pytest.mark.parametrize(
    "text",
    [
        "plain\ttext\nin two lines",
        "äß漢字 Ελληνικά עברית العربية",
        "\u0645\u06cc\u200c\u0631\u0648\u0645",
        "\u0915\u094d\u200d\u0937",
        "\U0001f469\u200d\U0001f4bb \u2764\ufe0f 1\ufe0f\u20e3 \U0001f1e9\U0001f1ea",
        VISIBLE_FORMATS,
    ],
)
def test_what_writes_a_language_stays(text):
    assert cleaned(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;http://x\x1b\\click\x1b]8;;\x07", "click"),
        ("\x1b]0;never ended", ""),
        ("\x1b\x1b[31m[31mred", "[31m[31mred"),
        ("end\x1b", "end"),
        ("rejected\raccepted\b", "rejected?accepted?"),
        ("\x9b31m", "?31m"),
        ("acc\u200dept", "acc?ept"),
        ("\u00e9\u200d\u200d\u00e9", "\u00e9??\u00e9"),
        ("a\ufe0f\ufe0f\ufe0f", "a???"),
        ("❤\ufe0f\ufe0f\ufe0f", "❤\ufe0f??"),
        ("\u3164\u115f\u034f", "???"),
        ("\U000e0041\U000e0100", "??"),
        ("\ud800", "?"),
    ],
)
def test_what_is_hidden_is_replaced(text, expected):
    assert cleaned(text) == expected


def test_no_character_of_a_hiding_category_is_left():
    hiding = [c for c in map(chr, range(0x110000)) if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    assert {c for c in hiding if cleaned(c) == c} == {"\t", "\n", *VISIBLE_FORMATS}


@given(st.text(alphabet=st.sampled_from("\x1b[]0;m\x07\\a\u200d\ufe0fé\u202e")))
def test_cleaning_twice_is_cleaning_once(text):
    once = hidden.replace(text, lambda _: "\ufffd")
    assert hidden.replace(once, lambda _: "\ufffd") == once
    assert "\x1b" not in once


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\ufe01b\ufe0fc\ufe0e", "a?b?c?"),
        ("é\ufe05", "é?"),
        ("1\ufe0f\u20e3 #\ufe0f\u20e3 ©\ufe0f ❤\ufe0f", "1\ufe0f\u20e3 #\ufe0f\u20e3 ©\ufe0f ❤\ufe0f"),
        ("\u2269\ufe00 \u845b\ufe00", "\u2269\ufe00 \u845b\ufe00"),
        ("e" + "\u0301" * 8, "e" + "\u0301" * 8),
        ("e" + "\u0301" * 11, "e" + "\u0301" * 8 + "???"),
    ],
)
def test_nothing_hangs_on_letters_but_what_belongs_there(text, shown):
    """Four bits on each, which nobody sees, or marks that cover the lines above; signs and accents stay."""
    assert cleaned(text) == shown
