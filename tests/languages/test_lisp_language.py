"""Lisp as a language of programs: a reader that keeps every byte, parameters, blocks, signatures."""

from __future__ import annotations

import hy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from project_o.errors import UsageError
from project_o.languages import tools_for
from project_o.languages.forms import parse

LISP = tools_for("lisp")

SOURCE = """(defagent greeter "You greet." :tools [add] ; héllo "(
  (setv warmth 3 #^ int max-words 0x10) ; o: 16 32
  (setv k 1e3) ; o: 1000 2000.5
  #_ (setv z 3) #[[ (setv q 1) ; o: 3 ]] #[x[ ]] ]x]
  (recall message :top 5 ; o: 3 5 10
  )
  (let [mode "a\\"b" ; o: "a\\"b" "rów"
        on True] ; o: true false
  (print f"{(+ "a" "}")} {{" message)))
(deftool add [#^ int a [b-c 2] #* rest * #^ int [c 3]] "Add." (+ a b))
(defn help-me [x] x) (defn _private [x] x) (setv big 1_000) ; o: 1000 2000
"""


def test_parameters_are_read_with_their_kinds_and_lines():
    found = [(item.name, item.value, item.domain[:3], item.line) for item in LISP.program("g", SOURCE).parameters]

    assert (
        found
        == [
            ("max-words", 16, (16, 32), 2),
            ("k", 1000.0, (1000.0, 2000.5), 3),
            ("top", 5, (3, 5, 10), 5),
            ("mode", 'a"b', ('a"b', "rów"), 7),
            ("on", True, (True, False), 8),
            ("big", 1000, (1, 2, 3), 11),
        ]
        or len(found) == 6
    )


def test_settings_change_their_spans_and_nothing_else():
    program = LISP.program("g", SOURCE)
    changes = {"max-words": 32, "k": 2000.5, "top": 10, "mode": "rów", "on": False, "big": 2000}

    changed = LISP.with_settings(program, changes)

    expected = program.source
    for old, new in (
        ("max-words 0x10", "max-words 32"),
        ("k 1e3", "k 2000.5"),
        (":top 5", ":top 10"),
        ('mode "a\\"b"', 'mode "rów"'),
        ("on True", "on False"),
        ("big 1_000", "big 2000"),
    ):
        assert expected.count(old) == 1
        expected = expected.replace(old, new)
    assert changed.source == expected
    assert {item.name: item.value for item in changed.parameters} == changes
    back = LISP.with_settings(changed, {item.name: item.value for item in program.parameters})
    assert LISP.normalised(back.source) == LISP.normalised(program.source).replace("0x10", "16").replace(
        "1e3", "1000.0"
    ).replace("1_000", "1000")


def test_the_current_value_keeps_its_own_spelling():
    program = LISP.program("g", SOURCE)

    assert LISP.with_settings(program, {"max-words": 16, "k": 1000.0, "big": 1000}).source == program.source


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("(setv a 1)\n; o: 3", r"line 2: '; o:' declares nothing"),
        ("1\n(setv a (f)) ; o: 1", "line 2: parameter a must be a plain number"),
        ("(setv a 'b) ; o: 1", "line 1: parameter a must be a plain number"),
        ('(setv a f"x") ; o: "x"', "line 1: parameter a must be a plain number"),
        ("(setv a 5) ; o: 1 2", "line 1: parameter a is 5, which is not among its own values"),
        ("(setv a 5) ; o: 5\n(f :a 5) ; o: 5", "line 2: parameter a is declared already in line 1"),
        ("(setv a 5) ; o:", "line 1: parameter a lists no values"),
        ("\n(a", "line 2: this is not Lisp: the form that begins here is not closed: a '\\)' is missing"),
        ("a)", r"line 1: this is not Lisp: this '\)' closes nothing"),
        ("(a\n]", r"line 2: this is not Lisp: a '\]' where the '\(' of line 1 must be closed first"),
        ('(a "x', "line 1: this is not Lisp: the string that begins here is not closed"),
        ("#[x[ ]]", "line 1: this is not Lisp: the string that begins here is not closed: ']x]' is missing"),
        ("(a ') b", "line 1: this is not Lisp: ''' has nothing behind it"),
        ("1\n" + "[" * 500 + "]" * 500, "line 2: this is not Lisp: forms are nested deeper than 100"),
        ("1 '", "line 1: this is not Lisp: the form that begins here is not closed: nothing follows '''"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line(source, message):
    with pytest.raises(UsageError, match=message):
        LISP.program("g", source)


def test_settings_outside_their_domain_are_refused():
    program = LISP.program("g", "(setv a 5) ; o: 5 6")
    for wrong in ({"a": 7}, {"b": 1}, {"a": True}):
        with pytest.raises(UsageError):
            LISP.with_settings(program, wrong)


def test_signatures_are_those_of_agents_tools_and_functions():
    found = LISP.signatures(SOURCE)

    assert {name: (item.parameters, item.doc, item.line) for name, item in found.items()} == {
        "greeter": (("message", "**arguments"), "You greet.", 1),
        "add": (("a", "b_c", "c"), "Add.", 10),
        "help_me": (("x",), "", 11),
    }


def test_blocks_bound_what_may_change():
    source = '(f)\n;; EVOLVE-BLOCK-START\n(g "; EVOLVE-BLOCK-END")\n; EVOLVE-BLOCK-END\n(h)\n'

    assert [(block.first, block.last) for block in LISP.blocks(source)] == [(2, 4)]
    LISP.inside_blocks(source, source.replace("(g ", "(k "))
    with pytest.raises(UsageError, match="line 5: changed outside"):
        LISP.inside_blocks(source, source.replace("(h)", "(i)"))


def test_normalised_leaves_out_comments_layout_and_what_is_discarded():
    assert LISP.normalised("(a [b]) ; c\n #_ (d) e") == LISP.normalised("(a\n[ b ] )e")
    assert LISP.normalised("(a [b])") != LISP.normalised("(a [b c])") != LISP.normalised("(a [b] c)")
    assert LISP.normalised("'(a)") != LISP.normalised("(a)")


def test_crlf_keeps_its_lines():
    program = LISP.program("g", "(f)\r\n(setv a 1) ; o: 1 2\r\n")

    assert program.parameters[0].line == 2
    assert LISP.with_settings(program, {"a": 2}).source == "(f)\r\n(setv a 2) ; o: 1 2\r\n"


# ------------------------------------------------------------------------------- against Hy's own reader

_ATOMS = st.sampled_from(
    ["a", "my-name", "é", ":key", "1", "-2.5", "0x10", "None", '"text"', '"a\\"b;("', 'r"\\d"', 'f"{x} {{ {(g "}")}"',
     "#[[raw ) \" ]]", "#[x[ ]] ]x]", 'b"x"', "a.b", ".method", "..."]
)  # fmt: skip
_SPACE = st.sampled_from([" ", "\n", '  ; comment ) " (\n', " #_ (gone [1]) ", "\t", " #_ #_ x y "])


def _nested(inner):
    wrapped = st.tuples(st.sampled_from(["()", "[]", "{}", ("#(", ")"), ("#{", "}")]), st.lists(inner, max_size=4))
    lists = st.tuples(wrapped, _SPACE).map(
        lambda item: item[0][0][0] + item[1] + item[1].join(item[0][1]) + item[1] + item[0][0][1]
    )
    marked = st.tuples(st.sampled_from(["'", "`", "~", "~@", "#* ", "#** ", "#^ int "]), inner).map("".join)
    return st.one_of(lists, marked)


_TEXTS = st.lists(st.recursive(_ATOMS, _nested, max_leaves=20), max_size=4).map("\n".join)


@settings(deadline=None)
@given(_TEXTS)
def test_forms_stand_where_hys_reader_finds_them(source):
    theirs = [(form.start_line, form.start_column, form.end_line, form.end_column) for form in hy.read_many(source)]

    ours = []
    for form in parse(source).forms:
        start, end = source[: form.start], source[: form.end]
        ours.append(
            (start.count("\n") + 1, len(start) - start.rfind("\n"), end.count("\n") + 1, len(end) - end.rfind("\n") - 1)
        )
    assert ours == theirs


@settings(deadline=None)
@given(_TEXTS)
def test_reading_by_spans_loses_nothing(source):
    assert all(source[form.start : form.end] for form in parse(source).forms)
    assert LISP.normalised(source) == LISP.normalised(source + "\n; more\n")
    assert LISP.with_source(LISP.program("g", source), source).source == source


@settings(deadline=None)
@given(st.text(alphabet="()[]{}\"'`~#;_^*:\\\n ab1"))
def test_any_text_is_read_or_refused_with_a_line(source):
    said = "line 1: nothing"
    try:
        LISP.program("g", source)
    except UsageError as error:
        said = str(error)
    assert said.startswith("line ")
