"""``evolve(f, to="zig")``: a Python function's name is served by a compiled module, with the function behind it."""

import numpy as np
import pytest

from project_o import limits
from project_o.errors import CompileError, EvolutionError, UsageError
from project_o.evolution.search import Remembering
from project_o.flow import Flow
from project_o.languages import tools_for
from project_o.values import Proposal

CELL = """
import numpy as np
def spread(xs, ys, k, limit):
    "Squares of what lies further apart than the limit."
    s = 0.0
    for i in range(len(xs)):
        d = xs[i] - ys[i]
        if abs(d) > limit:
            s += d * d * k
    return s / len(xs)
"""
ZIG = """
fn far(x: f64, y: f64, limit: f64) bool {
    return @abs(x - y) > limit;
}
pub fn spread(xs: []const f64, ys: []const f64, k: i64, limit: f64) error{ ZeroDivisionError, IndexError }!f64 {
    if (xs.len > ys.len) return error.IndexError;
    if (xs.len == 0) return error.ZeroDivisionError;
    var s: f64 = 0;
    for (xs, ys[0..xs.len]) |x, y| {
        if (far(x, y, limit)) s += (x - y) * (x - y) * @as(f64, @floatFromInt(k));
    }
    return s / @as(f64, @floatFromInt(xs.len));
}
"""
WRONG = {
    "the last one is left out": ("for (xs, ys[0..xs.len])", "for (xs[0 .. xs.len - 1], ys[0 .. xs.len - 1])"),
    "the first one is left out": ("for (xs, ys[0..xs.len])", "for (xs[1..], ys[1..xs.len])"),
    "the limit squared": ("> limit", "> limit * limit"),
    "no absolute value": ("@abs(x - y)", "(x - y)"),
    "the other way round": ("> limit", "< limit"),
    "no limit": ("if (far(x, y, limit)) s", "if (limit == limit) s"),
    "a sum in place of a difference": ("(x - y) * (x - y)", "(x + y) * (x - y)"),
    "no square": ("(x - y) * (x - y)", "@abs(x - y)"),
    "single precision": ("return s /", "return @as(f64, @as(f32, @floatCast(s))) /"),
    "begins with one": ("var s: f64 = 0", "var s: f64 = 1"),
    "overwritten": ("s += (x", "s = (x"),
    "subtracted": ("s += (x", "s -= (x"),
    "divided by one more": ("@floatFromInt(xs.len))", "@floatFromInt(xs.len + 1))"),
    "not divided": ("return s / @as(f64, @floatFromInt(xs.len))", "return s"),
    "the factor is forgotten": (" * @as(f64, @floatFromInt(k))", " * @as(f64, @floatFromInt(@min(k, 1)))"),
    "wrong for long inputs": ("return s /", "if (xs.len > 5000) return 0;\n    return s /"),
    "a constant": ("return s / @as(f64, @floatFromInt(xs.len))", "return if (s < 0) s else 3.0"),
    "infinity is overlooked": ("if (far(x, y, limit)) s", "if (far(x, y, limit) and x - y < 1e300) s"),
    "it does not compile": ("var s: f64 = 0", "var s: f64 = nothing"),
    "another name": ("pub fn spread", "pub fn spreads"),
}
LATE = {
    "an answer for nothing": ("return error.ZeroDivisionError", "return 0"),
    "an answer for arrays of two lengths": (
        "if (xs.len > ys.len) return error.IndexError",
        "if (xs.len > ys.len) return 0",
    ),
    "wrong after many calls": (
        "pub fn spread(",
        "var calls: usize = 0;\npub fn spread(",
        "var s: f64 = 0",
        "calls += 1;\n    if (calls > 5000) return 0;\n    var s: f64 = 0",
    ),
}
"""What only the one that is to win is asked."""


class Planted(Remembering):
    """Proposes these texts in Zig, one after the other."""

    def __init__(self, name, texts):
        super().__init__()
        self.name, self.texts = name, list(texts)

    def _next(self, index, told):
        if index > len(self.texts):
            return None
        program = tools_for("zig").program(self.name, self.texts[index - 1], mode="debug")
        return Proposal(index, program, (), "search", "planted")


def arrays(count=400):
    rng = np.random.default_rng(3)
    return rng.normal(size=count), rng.normal(size=count)


@pytest.fixture
def flow():
    return Flow()


@pytest.mark.measured
def test_the_compiled_module_serves_the_name_and_is_taken_back(flow, notebook):
    names = notebook.run(CELL)
    own, (xs, ys) = names["spread"], arrays(2000)

    run = flow.evolve(own, inputs=[(xs, ys, 2, 0.5), (xs, ys, 3, 1.0)], to="zig", trials=2)
    assert run.verdict.accepted, run.verdict.reasons
    assert (run.best.language, run.best.name) == ("zig", "spread")
    assert f"0 differences from the Python function on {limits.FUZZ_INPUTS:,} random inputs" in str(run.verdict.reasons)
    assert run.verdict.confirmation.low > limits.RATIO_ACCEPTED_LOW
    assert run.verdict.level in limits.SERVING_LEVELS

    run.accept()
    handle = names["spread"]
    assert flow.serving("spread")[0].language == "zig"
    assert handle.__doc__ == own.__doc__
    assert handle(xs, ys, 2, 0.5) == pytest.approx(own(xs, ys, 2, 0.5), rel=1e-12)
    assert handle(xs, ys, limit=0.5, k=2) == handle(xs, ys, 2, 0.5)
    assert type(handle(xs, ys, 2, 0.5)) is type(own(xs, ys, 2, 0.5))
    for args in ((list(xs), list(ys), 2, 0.5), (xs[::2], ys[::2], 2, 0.5), (xs, ys, 2**70, 0.5), (xs, ys, 2, 1)):
        assert handle(*args) == own(*args), "what was not translated is Python's"
    with pytest.raises(ZeroDivisionError):
        handle(xs[:0], ys[:0], 2, 0.5)
    with pytest.raises(IndexError, match="index 5 is out of bounds"):
        handle(xs, ys[:5], 2, 0.0)

    with pytest.raises(UsageError, match="rollback spread goes back"):
        flow.evolve(names["spread"], inputs=[(xs, ys, 2, 0.5)], to="zig", trials=2)
    flow.rollback("spread")
    assert names["spread"].function is own


def test_wrong_variants_are_all_refused(flow, notebook):
    names, (xs, ys) = notebook.run(CELL), arrays()
    texts = [ZIG.replace(*change) for change in WRONG.values()]
    assert len(texts) >= 20
    assert ZIG not in texts

    run = flow.evolve(
        names["spread"], inputs=[(xs, ys, 2, 0.5)], to="zig", trials=len(texts) + 1, proposer=Planted("spread", texts)
    )
    found = dict(zip(WRONG, run.trials[1:], strict=True))

    assert not run.verdict.accepted
    assert {name: record.reason for name, record in found.items() if record.status != "failed"} == {}
    assert flow.serving("spread")[0].language == "python"


@pytest.mark.parametrize("name", LATE)
def test_what_is_wrong_seldom_is_seen_before_it_serves(flow, notebook, name):
    names, (xs, ys) = notebook.run(CELL), arrays()
    text = ZIG
    for old, new in zip(LATE[name][::2], LATE[name][1::2], strict=True):
        text = text.replace(old, new)
    assert text != ZIG

    run = flow.evolve(
        names["spread"], inputs=[(xs, ys, 2, 0.5)], to="zig", trials=2, proposer=Planted("spread", [text])
    )
    assert not run.verdict.accepted


def test_generic_loops_that_nobody_made_from_it_are_refused(flow, notebook):
    names, (xs, ys) = notebook.run(CELL), arrays(100)

    run = flow.evolve(names["spread"], inputs=[(xs, ys, 2, 0.5)], to="zig", trials=4, proposer="templates")
    assert not run.verdict.accepted
    assert {record.status for record in run.trials[1:]} == {"failed"}


def test_what_has_no_translation_is_said_with_the_line_of_the_cell(flow, notebook):
    names = notebook.run("""
    import numpy as np

    def f(xs):
        return np.convolve(xs, xs)
    """)
    with pytest.raises(EvolutionError, match=r"line 4: np\.convolve.*--proposer templates"):
        flow.evolve(names["f"], inputs=(np.ones(9),), to="zig", trials=2)


@pytest.mark.parametrize(
    ("how", "error", "told"),
    [
        ({"to": "cobol"}, UsageError, "there is zig"),
        ({"to": "zig", "evaluator": lambda program: {"score": 1.0}}, UsageError, "leave the evaluator"),
        ({"to": "zig", "inputs": ([1.0],)}, UsageError, "xs is a list"),
        ({"to": "zig", "inputs": (np.ones(2), 1)}, UsageError, "was shown 2 arguments"),
        ({"to": "zig"}, UsageError, "annotate it"),
    ],
)
def test_what_cannot_be_meant_is_said(flow, notebook, how, error, told):
    names = notebook.run("def f(xs):\n    return xs[0]\n")

    with pytest.raises(error, match=told):
        flow.evolve(names["f"], how.pop("evaluator", None), trials=2, **how)


def test_annotations_are_a_specification(flow, notebook):
    from project_o.evolving.crossing import annotated

    names = notebook.run("""
    import numpy as np
    from numpy.typing import NDArray
    def f(xs: NDArray[np.float32], ys: NDArray[np.int64], k: int, r: float, flag: bool):
        return k
    """)
    _, subject = flow._subject(names["f"])
    ((xs, ys, k, r, flag),) = annotated(subject.program, "f")

    assert (xs.dtype, ys.dtype, type(k), type(r), type(flag)) == (np.float32, np.int64, int, float, bool)


def test_a_text_that_does_not_compile_is_a_candidate_that_failed(flow):
    with pytest.raises(CompileError):
        flow.cell(ZIG.replace("var s: f64 = 0", "var s: f64 = nothing"), "zig", "spread_wrong")
