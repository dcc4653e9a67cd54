"""Cells that import other cells by name: they follow them, and keep them fixed while they evolve."""

from __future__ import annotations

import numpy as np
import pytest

from project_o.errors import CompileError, NativePanic, ToolchainMissing
from project_o.flow import Flow
from project_o.toolchain import locate_rust

STATS = {
    "zig": """
pub fn square(x: f64) f64 {
    return x * x;
}
""",
    "rust": """
pub fn square(x: f64) -> f64 {
    x * x
}
""",
}
SCORES = {
    "zig": """
const stats = @import("stats");
pub fn total(a: []const f64) f64 {
    var sum: f64 = 0;
    for (a) |x| sum += stats.square(x);
    return sum;
}
""",
    "rust": """
use stats::square;
pub fn total(a: &[f64]) -> f64 {
    a.iter().map(|&x| square(x)).sum()
}
""",
}
TOP = {
    "zig": 'const scores = @import("scores");\npub fn more(a: []const f64) f64 { return scores.total(a) + 1; }\n',
    "rust": "use scores;\npub fn more(a: &[f64]) -> f64 { scores::total(a) + 1.0 }\n",
}


@pytest.fixture(params=["zig", "rust"])
def language(request, lacking):
    if request.param == "rust":
        try:
            locate_rust()
        except ToolchainMissing as missing:
            lacking("rust", str(missing))
    return request.param


@pytest.fixture
def flow(language):
    """A flow in which three cells import one another."""
    made = Flow()
    for name, texts in (("stats", STATS), ("scores", SCORES), ("top", TOP)):
        made.cell(texts[language], language, name, trial=False)
    return made


def run(flow, language, name, *changes, texts=None):
    text = (texts or {"stats": STATS, "scores": SCORES, "top": TOP}[name])[language]
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return flow.cell(text, language, name, trial=False)


def call(flow, name):
    return flow.registry.slot(name).version.call({"scores": "total", "top": "more"}[name], ([1.0, 2.0],))


def test_a_cell_uses_what_it_imports_through_others_too(flow):
    assert (call(flow, "scores"), call(flow, "top")) == (5.0, 6.0)


def test_a_change_of_what_is_imported_reaches_those_who_import_it(flow, language):
    run(flow, language, "stats", ("x * x", "x * x * x"))

    assert (call(flow, "scores"), call(flow, "top")) == (9.0, 10.0)
    assert flow.registry.slot("top").note == "built again with the new text of stats"
    run(flow, language, "stats", ("x * x", "x * x * x"))
    assert (call(flow, "scores"), call(flow, "top")) == (9.0, 10.0)


def test_what_does_not_fit_any_more_goes_on_with_the_earlier_text_and_says_so(flow, language):
    with pytest.warns(UserWarning, match=r"goes on with the earlier text of stats: .*square") as told:
        run(flow, language, "stats", ("square", "cube"))

    assert len(told) == 2
    assert (call(flow, "scores"), call(flow, "top")) == (5.0, 6.0)
    assert flow.registry.slot("scores").note == "built with an earlier text of stats: run its cell again"


def test_the_key_of_a_build_covers_what_is_imported(flow, language):
    before = flow.registry.slot("top").version.artifact
    run(flow, language, "stats", ("x * x", "x * x * x"))
    after = flow.registry.slot("top").version.artifact

    assert before.key != after.key
    assert before.program.digest != after.program.digest
    assert [path.split("/")[1] for path, _ in after.program.files[1:]] == ["stats", "scores"], "needed ones first"


def test_a_circle_is_one_clear_error(flow, language):
    with pytest.raises(
        CompileError,
        match="stats imports top, which imports scores, which imports stats: a program cannot import itself",
    ) as told:
        run(
            flow,
            language,
            "stats",
            texts={"zig": '\nconst t = @import("top");\npub fn f() void {}', "rust": "\nuse top;\npub fn f() {}"},
        )
    assert told.value.diagnostics[0].line == 2

    assert call(flow, "top") == 6.0


def test_what_is_not_there_is_named_at_its_place(language):
    sources = {"zig": 'pub fn f() void { _ = @import("nothing"); }', "rust": "use nothing::x;\npub fn f() { x() }"}
    with pytest.raises(CompileError, match="nothing") as told:
        Flow().cell(sources[language], language, "f")
    first = told.value.diagnostics[0]

    assert (first.line, first.width, first.source_line) == (1, 7, sources[language].split("\n")[0])
    assert language == "rust" or first.message.startswith("there is no cell nothing: run `%%zig nothing` before")


def test_a_cell_of_another_language_cannot_be_imported(flow, language):
    other = {"zig": "rust", "rust": "zig"}[language]
    if other == "rust":
        return  # a machine may be without Rust; the other way round is tried
    with pytest.raises(CompileError, match="stats is a rust program: a zig cell imports zig"):
        flow.cell('pub fn g() void { _ = @import("stats"); }', "zig", "g")


def test_a_panic_in_what_is_imported_has_the_line_that_called_it(flow, language):
    text = {
        "zig": "\npub fn at(a: []const f64, i: usize) f64 {\n    return a[i];\n}\n",
        "rust": "\npub fn at(a: &[f64], i: usize) -> f64 { a[i] }\n",
    }
    flow.cell(text[language], language, "access", trial=False)
    user = {
        "zig": '\nconst b = @import("access");\n\npub fn third(a: []const f64) f64 {\n    return b.at(a, 2);\n}\n',
        "rust": "\nuse access::at;\n\npub fn third(a: &[f64]) -> f64 {\n    at(a, 2)\n}\n",
    }
    module = flow.cell(user[language], language, "third", trial=False)
    with pytest.raises(NativePanic, match="third, line 5: index out of bounds"):
        module.third([1.0])


def test_its_tests_may_use_what_it_imports(flow, language):
    test = {
        "zig": '\ntest "sum" { try @import("std").testing.expectEqual(5.0, total(&.{ 1, 2 })); }',
        "rust": "\n#[test] fn sum() { assert_eq!(total(&[1.0, 2.0]), 5.0); }",
    }
    flow.cell(SCORES[language] + test[language], language, "scores", tests=True, trial=False)
    with pytest.raises(CompileError, match="sum"):
        flow.cell(SCORES[language] + test[language].replace("5.0", "6.0"), language, "scores", tests=True, trial=False)


@pytest.mark.parametrize("language", ["zig"])
def test_a_cell_that_imports_evolves_with_the_imported_text_fixed(language):
    flow = Flow()
    flow.cell(STATS["zig"], "zig", "stats", trial=False)
    source = """
const stats = @import("stats");
const lanes = 1; // o: 1 4 8 16
pub fn total(a: []const f64) f64 {
    var sums: @Vector(lanes, f64) = @splat(stats.square(0));
    var i: usize = 0;
    while (i + lanes <= a.len) : (i += lanes) sums += @as(@Vector(lanes, f64), a[i..][0..lanes].*);
    var sum = @reduce(.Add, sums);
    for (a[i..]) |x| sum += x;
    return sum;
}
"""
    cell = flow.cell(source, "zig", "scores", trial=False)
    run_ = flow.evolve("scores", trials=4, seed=1, inputs=(np.ones(20_000),))
    assert len([record for record in run_.trials if record.status != "failed"]) >= 3, [r.reason for r in run_.trials]
    assert all(record.proposal.program.files[1:] == run_.program.files[1:] for record in run_.trials)
    proposed = run_.propose(source.replace("sum += x", "sum += stats.square(1) * x"))
    assert any("answers as the incumbent does" in reason for reason in proposed.reasons), proposed.reasons
    accepted = run_.accept()
    assert accepted.origin == "accepted"
    with pytest.warns(
        UserWarning, match="scores goes on with the earlier text of stats: it evolved with the earlier one"
    ):
        run(flow, "zig", "stats", ("x * x", "x * x * x"))
    assert cell.total(np.ones(7)) == 7.0
