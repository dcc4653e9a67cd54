"""Semantic versions by the specification's rules, and the changelog."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from project_o.errors import HistoryError
from project_o.history.changelog import entries, markdown
from project_o.history.versions import Version, canary_of, following
from project_o.values import State

# The order that the specification itself gives in its eleventh rule, and more of its kind.
ORDERED = [
    "0.9.9",
    "1.0.0-0",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "2.0.0",
    "2.1.0",
    "2.1.1",
    "2.1.10",
]


def test_versions_are_ordered_as_the_specification_says():
    for (i, a), (j, b) in itertools.product(enumerate(ORDERED), repeat=2):
        assert (Version.parse(a) < Version.parse(b)) == (i < j), (a, b)
        assert (Version.parse(a) == Version.parse(b)) == (i == j), (a, b)


def test_build_metadata_is_kept_and_counts_for_nothing():
    a, b = Version.parse("1.0.0+20130313144700"), Version.parse("1.0.0+exp.sha.5114f85")
    assert a == b
    assert hash(a) == hash(b)
    assert str(b) == "1.0.0+exp.sha.5114f85"


@pytest.mark.parametrize("text", ["1.0.0-alpha-a.b-c+build.1-rc", "0.0.4", "10.20.30", "1.0.0-0A.is.legal", "1.0.0--x"])
def test_what_is_valid_is_read_and_written_back(text):
    assert str(Version.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    ["1", "1.2", "1.2.3.4", "01.1.1", "1.01.1", "1.1.1-", "1.1.1-01", "1.1.1-a..b", "1.1.1+", "v1.1.1", " 1.1.1"],
)
def test_what_is_no_version_is_refused(text):
    with pytest.raises(HistoryError, match="semantic version"):
        Version.parse(text)


NUMBERS = st.integers(0, 99).map(str)
WORDS = st.from_regex(r"[0-9]{0,2}[A-Za-z-][0-9A-Za-z-]{0,3}", fullmatch=True)
IDENTIFIER = NUMBERS | WORDS
VERSIONS = st.builds(
    Version, st.integers(0, 3), st.integers(0, 3), st.integers(0, 3), st.lists(IDENTIFIER, max_size=3).map(tuple)
)


@given(VERSIONS, VERSIONS, VERSIONS)
def test_the_order_is_one(a, b, c):
    assert Version.parse(str(a)) == a
    assert (a < b) + (b < a) + (a == b) == 1
    if a < b and b < c:
        assert a < c


ADD, MUL, WIDER = "add(a: int) -> int", "mul(a: int) -> int", "add(a: int, b: int) -> int"


@pytest.mark.parametrize(
    ("known", "before", "after", "better", "expected"),
    [
        ([], [ADD], [ADD], True, "1.0.0"),
        (["1.0.0"], [ADD], [WIDER], True, "2.0.0"),
        (["1.0.0"], [ADD, MUL], [ADD], True, "2.0.0"),
        (["1.0.0"], [ADD], [ADD, MUL], False, "1.1.0"),
        (["1.0.0"], [ADD], [ADD], True, "1.1.0"),
        (["1.0.0"], [ADD], [ADD], False, "1.0.1"),
        (["1.0.0", "1.2.3", "1.1.0"], [ADD], [ADD], False, "1.2.4"),
        (["1.0.0", "1.1.0-canary.3+ab"], [ADD], [ADD], True, "1.1.0"),
    ],
)
def test_the_number_says_what_a_promotion_changed(known, before, after, better, expected):
    version, why = following(known, before, after, better=better)
    assert str(version) == expected
    assert why
    assert all(version > Version.parse(one) for one in known)


def test_a_canary_stands_below_what_it_may_become():
    version = Version.parse("1.3.0")
    first, second = canary_of(version, 1, "ab12cd34ef56"), canary_of(version, 2, "ab12cd34ef56")
    assert str(first) == "1.3.0-canary.1+ab12cd34ef"
    assert first < second < version


def test_the_changelog_tells_each_release_and_nothing_of_it_is_markup():
    facts = (
        ("scope", "dot"), ("version", "1.1.0"), ("by", "agent: search"), ("program", "ab12"), ("reason", "faster"),
        ("metric", "time 12 -> 6 us"),
    )  # fmt: skip
    promoted = State("c" * 40, 3, "l", "promote", "2.0 times *as* <fast>", 1_700_000_000.0, facts=facts)
    back = State("d" * 40, 4, "l", "rollback", "1.0.0 serves again", 1_700_000_100.0, facts=(("scope", "dot"),))
    other = State("e" * 40, 5, "l", "run", "x = 1", 1_700_000_200.0)

    text = markdown(entries([back, promoted, other]))

    for part in (
        "## dot 1.1.0 - 2023-11-14",
        "agent: search",
        "time 12 -\\> 6 us",
        "c" * 40,
        "22:13:20 UTC",
        "promoted",
    ):
        assert part in text
    assert r"2.0 times \*as\* \<fast\>" in text
    assert text.index("rolled back") < text.index("1.1.0")
    assert "x = 1" not in text
    assert entries([back, promoted], "other") == []
