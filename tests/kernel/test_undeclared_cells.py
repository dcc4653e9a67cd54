"""%evolve of cells that declare nothing, in a real kernel: their texts are edited, in each language."""

import pytest

AGENT = """%%agent
(defagent clerk "You add."
  ; how much is added
  (+ (int message) 1))"""
JUDGE = """%%evolve clerk --trials 8 --seed 1
def evaluate(program):
    return {"score": -abs(int(str(program("5"))) - 7)}"""
NATIVE = {
    "zig": """%%zig sums --mode fast
/// The sum of the products.
pub fn product(a: []const f32, b: []const f32) f32 {
    var sum: f32 = 0;
    for (a, b) |x, y| sum += x * y; // in order
    return sum;
}""",
    "rust": """%%rust sums --mode fast --optional
/// The sum of the products.
pub fn product(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>() // in order
}""",
}


def test_an_agent_that_declares_nothing_is_edited(kernel):
    assert kernel.run(AGENT).status == "ok"
    ran = kernel.run(JUDGE)
    assert ran.status == "ok", ran.text
    assert kernel.run("run = _").status == "ok"
    diff = kernel.run("print(run.diff())").text
    assert kernel.value("run.verdict.accepted") == "True", ran.text
    assert "+  (+ (int message) 2))" in diff
    assert "; how much is added" in diff


@pytest.mark.measured
@pytest.mark.parametrize("language", NATIVE)
def test_a_naive_sum_is_put_into_lanes(kernel, language):
    assert kernel.run(NATIVE[language]).status == "ok"
    if kernel.value("sums is None") == "True":
        assert language == "rust", "Zig comes with the package"
        return
    kernel.run("import numpy as np\na = np.random.default_rng(1).integers(0, 16, (2, 50_000)).astype(np.float32)")
    ran = kernel.run("run = %evolve sums --trials 2 --seed 1 --inputs (a[0], a[1])\nrun")
    assert ran.status == "ok", ran.text
    assert kernel.value("run.verdict.accepted, run.trials[1].proposal.operator") == "(True, 'vectors')", ran.text
    assert "// in order" in kernel.run("print(run.diff())").text
