"""What we do for Hy more quickly answers as Hy's own does: words, places, and trees that are shared."""

from __future__ import annotations

from pathlib import Path

import hy
import pytest
from hy.models import Sequence
from hy.reader.hy_reader import HyReader
from hypothesis import given
from hypothesis import strategies as st

from project_o.lisp import quicker, reading

ROOT = Path(__file__).resolve().parents[2]
TEXTS = sorted([*ROOT.glob("tests/**/*.hy"), *ROOT.glob("kernel/**/*.hy")])
ODD = """
#^ int x '(a ~b ~@c) `(d #* e #** f) :key 0x10 1e3 1_000 -inf Inf NaN in_f j 2j + - ... .a.b a.b (.strip " x ")
#{1 2} #(3) {"a" [1 {"b" #[[text]]}]} f"x {y !r:>10} {(+ 1 2)}" b"z" r"\\d" #_ gone (fn [[a 1] #^ (get list int) b] a)
"""


class _Hys(HyReader):
    """Hy's reader, with Hy's own ``fill_pos``."""


def places(model, path=()):
    """Each part of a form with what it is and where it stands."""
    found = [(path, type(model), [getattr(model, name, None) for name in model.properties])]
    if isinstance(model, Sequence):
        for k, part in enumerate(model):
            found += places(part, (*path, k))
    return found


def hys_own(text):
    """The forms as Hy reads them without us."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("hy.reader.hy_reader.as_identifier", quicker.hys_identifier)
        return list(hy.read_many(text, reader=_Hys(use_current_readers=False)))


@pytest.mark.parametrize("text", [ODD, *(path.read_text() for path in TEXTS)], ids=["odd", *(p.stem for p in TEXTS)])
def test_forms_and_places_are_those_of_hys_reader(text):
    ours, hys = reading.read(text, "<cell>"), hys_own(text)

    assert [hy.repr(form) for form in hys] == [hy.repr(form) for form in ours]  # a NaN is not equal to itself
    assert [places(form) for form in hys] == [places(form) for form in ours]


def answer(function, word):
    """What a function says to a word: a model and its kind, or the error."""
    try:
        found = function(word)
    except (ValueError, hy.errors.HyLanguageError) as error:
        return type(error), str(error)
    return type(found), repr(found)


LIKE_NUMBERS = st.text(alphabet="infaINFAtyjJeE_,+-.0123459xbo", min_size=1, max_size=9)


@given(st.one_of(LIKE_NUMBERS, st.text(alphabet="abz_?!*<>=/%&$+-.:#\"';~\u017f\u212aé 1", max_size=8)))
def test_a_word_is_what_hy_says_it_is(word):
    assert answer(quicker.hys_identifier, word) == answer(quicker.identifier, word)


def test_a_form_that_was_read_is_shared_and_one_that_was_made_is_copied():
    [form] = reading.read("(f [x {1 2}] (g #(a)))", "<cell>")
    made = hy.models.Expression([hy.models.Symbol("f"), form])

    assert hy.as_model(form) is form
    copied = hy.as_model(made)
    assert copied == made
    assert copied is not made
    assert copied[1] is form


def test_a_form_with_an_unread_part_is_copied_in_full():
    [form] = reading.read('(f f"{x}")', "<cell>")

    assert hy.as_model(form) == form
    assert hy.as_model(form) is not form
