"""The pieces under the views: cleaning, numbers, carets, diffs, lineage, charts."""

from __future__ import annotations

import html as html_module
import math
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from project_o import errors, limits, view
from project_o.values import (
    Diagnostic,
    Interface,
    NativeFunction,
    NativeType,
    Program,
    Progress,
    Proposal,
    Record,
    Verdict,
)
from project_o.view import chart, lineage, markup, numbers, progress, source, text

any_text = st.text(max_size=200)
hostile_text = st.text(alphabet=st.sampled_from("<>&\"'\x1b[31m\x07\u202e\ud800\t\n\r ab/;:=on"), max_size=120)


@given(any_text | hostile_text)
def test_cleaned_text_is_printable_and_stays_clean(raw):
    once = text.clean(raw)

    once.encode("utf-8")
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", once)
    assert text.clean(once) == once


def test_colours_of_a_compiler_are_dropped_and_a_bell_is_spelled_out():
    assert text.clean("\x1b[1;31merror\x1b[0m \x1b]0;title\x07ok\x07") == "error ok\\x07"
    assert text.clean("a\r\nb\rc") == "a\nb\\x0dc"


@given(any_text | hostile_text)
def test_markup_gives_back_the_text_it_was_given(raw):
    made = markup.tag("p", raw)

    assert html_module.unescape(made.removeprefix("<p>").removesuffix("</p>")) == text.clean(raw)
    assert "<" not in made.removeprefix("<p>").removesuffix("</p>")


@given(any_text | hostile_text)
def test_attributes_cannot_be_left(raw):
    made = markup.tag("p", aria_label=raw)

    assert re.fullmatch(r'<p aria-label="[^"<>]*"></p>', made)


@pytest.mark.parametrize(("name", "attribute"), [("script", "style"), ("a", "style"), ("p", "onclick"), ("p", "href")])
def test_markup_knows_no_way_to_act(name, attribute):
    with pytest.raises(AssertionError):
        markup.tag(name, **{attribute: "x"})


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (numbers.interval(1.834, 1.7919, 1.8801), "1.83x [1.79, 1.88]"),
        (numbers.interval(1.0184, 0.9941, 1.0432), "1.018x [0.994, 1.043]"),
        (numbers.ratio(12.34), "12.3x"),
        (numbers.ratio(None), "-"),
        (numbers.ratio(math.inf), "∞x"),
        (numbers.ratio(math.nan), "-"),
        (numbers.seconds(0.0123), "12.3 ms"),
        (numbers.seconds(0.12), "0.12 s"),
        (numbers.seconds(7.8e-7), "780 ns"),
        (numbers.seconds(0.0009999), "1.00 ms"),
        (numbers.seconds(59.97), "1 min 00 s"),
        (numbers.seconds(200), "3 min 20 s"),
        (numbers.seconds(7500), "2 h 05 min"),
        (numbers.seconds(0), "0 s"),
        (numbers.seconds(math.nan), "-"),
        (numbers.size(412), "412 B"),
        (numbers.size(7_612), "7.6 kB"),
        (numbers.size(4_100_000), "4.1 MB"),
        (numbers.size(999_990), "1.0 MB"),
        (numbers.share(0.1), "10 %"),
        (numbers.share(0.975), "97.5 %"),
        (numbers.number(1797), "1,797"),
        (numbers.number(0.97885), "0.979"),
        (numbers.number(9.996), "10.0"),
        (numbers.short("c0ffee" * 7), "c0ffeec0ff"),
        (numbers.when(0), "1970-01-01 00:00:00"),
        (numbers.when(1e30), "-"),
    ],
)
def test_numbers_are_written_one_way(shown, expected):
    assert expected == shown


@given(st.floats())
def test_every_float_can_be_written(value):
    for write in (numbers.number, numbers.ratio, numbers.seconds, numbers.share, numbers.scalar):
        assert write(value)
    if math.isfinite(value):
        assert numbers.size(value)
        assert numbers.when(value)


@given(st.floats(1e-12, 1e12))
def test_numbers_keep_three_digits(value):
    written = float(numbers.number(value).replace(",", ""))

    assert written == pytest.approx(value, rel=0.0051)


@given(
    st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=60).map(lambda s: s + "x"),
    st.integers(0, 80),
    st.integers(0, 80),
)
def test_carets_stand_under_the_marked_range(line, column, width):
    error = errors.CompileError("no", (Diagnostic("error", "m", 3, column, line, width),))

    shown = view.show_compile_error(error).plain

    assert "cell:3:" in shown
    if column:
        assert "^" in shown


def test_a_caret_behind_tabs_and_wide_characters():
    line = "\tlet 漢 = bad;"
    error = errors.CompileError("no", (Diagnostic("error", "m", 12, line.index("bad") + 1, line, 3),))

    *_, marked, caret = view.show_compile_error(error).plain.split("\n")

    assert text.columns(marked[: marked.index("bad")]) == caret.index("^^^")
    assert "<u " in view.show_compile_error(error).html


def test_a_message_is_not_told_twice():
    error = errors.CompileError("expected ';'", (Diagnostic("error", "expected ';'", 1, 2, "ab", 1),))

    assert view.show_compile_error(error).plain.count("expected ';'") == 1


def test_a_compile_error_without_places_shows_its_message():
    shown = view.show_compile_error(errors.CompileError("the compiler ended\nwith signal 9"))

    assert "with signal 9" in shown.plain
    assert "with signal 9" in shown.html


@given(st.lists(st.sampled_from(["-- x", "++ y", "a", "", "@@ z", "\\ n"]), max_size=12), st.integers(0, 99))
def test_diff_lines_are_told_apart_by_the_hunk_counts(lines, seed):
    changed = [line for k, line in enumerate(lines) if (seed >> (k % 7)) & 1] + ["end"]
    shown = view.show_diff("\n".join(lines), "\n".join(changed))
    if "no difference" in shown.plain:
        return
    kinds = source._line_kinds(shown.plain.split("\n")[:-1])

    assert kinds[:2] == ["head", "head"]
    assert kinds.count("head") == 2
    for kind, mark in (("+", "<ins"), ("-", "<del")):
        assert kinds.count(kind) == shown.html.count(mark)


def test_no_difference_is_said():
    assert "no difference" in view.show_diff("a", "a").plain
    assert "no difference" in view.show_changes([]).plain


def test_long_sources_and_diffs_are_cut():
    long = "\n".join(f"line {k}" for k in range(5_000))

    assert (
        f"and {5_000 - limits.SOURCE_LINES_MAX:,} more"
        in view.show_program(Program("p", "python", (("a.py", long),))).plain
    )
    shown = view.show_diff("", long)
    assert "more" in shown.plain
    assert "+5,000 lines" in shown.plain
    assert len(shown.plain.split("\n")) < limits.DIFF_LINES_MAX + 10


def run_under_way(**changes) -> Progress:
    fields = {
        "name": "p", "done": 6, "planned": 60, "elapsed_seconds": 6.0, "budget_seconds": None, "best_ratio": 1.5,
        "history": ((0, 1.0), (4, 1.5)),
    }  # fmt: skip
    return Progress(**{**fields, **changes})


def test_time_left_is_the_smaller_of_budget_and_trials():
    assert progress.seconds_left(run_under_way()) == pytest.approx(54)
    assert progress.seconds_left(run_under_way(budget_seconds=10.0)) == pytest.approx(4)
    assert progress.seconds_left(run_under_way(planned=None)) is None
    assert progress.seconds_left(run_under_way(finished=True)) is None
    assert progress.seconds_left(run_under_way(done=0)) is None


def test_progress_says_mean_accepted_and_rejected_by_reason():
    counts = (("baseline", 1), ("better", 2), ("duplicate", 1), ("failed", 4), ("no better", 3))
    rejected = (("build", 1), ("tests", 2), ("performance", 4))
    text = view.show_progress(
        run_under_way(done=11, counts=counts, rejected=rejected, mean_ratio=0.97, spent="m: 3 requests")
    ).plain

    assert "mean 0.97x; accepted 2; rejected 8: 3 no better, 1 build, 2 tests, 1 not measured, 1 duplicate" in text
    assert "m: 3 requests" in text
    assert "left" in text


def test_progress_says_when_nothing_is_better():
    assert "nothing better" in view.show_progress(run_under_way(best_ratio=1.0, history=())).plain


ratios = st.none() | st.floats(allow_nan=True, allow_infinity=True) | st.floats(0.01, 100)


@st.composite
def lineages(draw):
    """Records whose parents are earlier ones, unknown ones, or themselves."""
    made = []
    for k in range(draw(st.integers(0, 25))):
        program = Program("p", "python", (("p.py", str(draw(st.integers(0, 30)))),))
        known = [one.proposal.program.digest for one in made] + [str(j) for j in range(k)] + ["unknown", program.digest]
        parents = tuple(draw(st.lists(st.sampled_from(known), max_size=3)))
        status = draw(st.sampled_from(["baseline", "better", "no better", "duplicate", "failed"]))
        made.append(Record(Proposal(k, program, parents, "search", "op"), status, "why", 1.0, draw(ratios)))
    return made


@given(lineages(), st.none() | st.integers(0, 30))
def test_any_lineage_can_be_drawn(records, best):
    shown = view.show_run("p", records, Verdict(False, (), "L0"), best=best)

    drawn = re.sub(r"<(?!/)[^>]*aria-label[^>]*>", "", shown.html)
    assert not re.search(r"\b(nan|inf)\b", drawn)
    assert len(lineage.nodes(records, best)) == len(records)
    view.show_trials(records, best=best)


def test_ancestors_of_the_best_are_marked():
    programs = [Program("p", "python", (("p.py", str(k)),)) for k in range(4)]
    parents = [(), (0,), (0,), (2,)]
    records = [
        Record(
            Proposal(k, one, tuple(programs[p].digest for p in parents[k]), "search", "op"), "better", "", 1.0, 1.0 + k
        )
        for k, one in enumerate(programs)
    ]

    shown = view.show_lineage(records, best=3).plain

    assert "#0 1.00x → #2 3.00x → #3 4.00x" in shown
    assert [one.on_path for one in lineage.nodes(records, 3)] == [True, False, True, True]
    assert "* #3" in shown
    assert "* #1" not in shown


@given(st.floats(0.001, 1000), st.floats(0.001, 1000))
def test_ticks_are_round_and_inside(one, other):
    low, high = sorted((one, other))
    for value in chart.ticks(low, high):
        assert low <= value * (1 + 1e-6) + 1e-9
        assert value <= high * (1 + 1e-6) + 1e-9
    assert len(chart.ticks(low, high)) <= 16


@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=20))
def test_every_mark_is_inside_the_picture(values):
    frame = chart.ratio_frame(list(range(len(values))), values)
    for k, value in enumerate(values):
        assert chart.LEFT - 0.01 <= frame.x(k) <= chart.WIDTH - chart.RIGHT + 0.01
        assert chart.TOP - 0.01 <= frame.y(value) <= frame.bottom + 0.01


@pytest.mark.parametrize("values", [[1.0], [1.0, 4.0], [1.0, 33.5], [0.1, 1.0]])
def test_the_name_of_the_axis_stands_above_every_tick(values):
    frame = chart.ratio_frame(list(range(len(values))), values)
    drawn = ElementTree.fromstring(f"<svg>{chart.axes(frame, 'trial', 'best ratio')}</svg>")
    heights = {item.text: float(item.get("y")) for item in drawn.iter("text") if item.text != "trial"}
    name = heights.pop("best ratio")
    assert min(heights.values()) - name >= chart.FONT, heights


def test_broken_core_and_mere_limits_differ():
    from project_o.values import Check

    shown = view.show_checks([Check("zig", False, "none", "install it"), Check("level", False, "L2", core=False)])

    assert "1 problem" in shown.plain
    assert "limited" in shown.plain
    assert "zig: install it" in shown.plain
    assert "the core works" in view.show_checks([Check("level", False, "L2", core=False)]).plain


def test_result_arrays_are_not_called_writable():
    from project_o.values import NativeFunction, NativeType
    from project_o.view import native

    array = NativeType("slice", child=NativeType("float", bits=32))
    function = NativeFunction("f", (("out", array),), NativeType("error_union", child=array))

    assert native.signature(function) == "f(out: writable float32 array) -> float32 array, or raises"


def test_a_module_of_one_function_says_what_it_is_for():
    function = NativeFunction("total", (), NativeType("void"), "The sum.\n\nAnd more.")
    alone = view.show_module("kernels", Interface((function,)))

    assert "The sum." in alone.plain
    assert "And more." not in alone.plain
    assert view.show_function(function).plain.count("The sum.") == 1
