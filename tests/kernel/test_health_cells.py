"""What serves is watched in a real kernel: a version that turns out to be bad is taken back, and remembered."""

import pytest

CELL = """\
%%zig work
pub fn total(xs: []const f64) f64 {
    var sum: f64 = 0;
    for (xs) |x| sum += x;
    return sum;
}"""
FAULTS = CELL.replace(
    "    return sum;", "    if (sum == 70.0) @as(*volatile u8, @ptrFromInt(16)).* = 1;\n    return sum;"
).replace("%%zig work", "%%zig work --no-trial --mode fast")
PANICS = CELL.replace("    return sum;", '    if (sum == 70.0) @panic("seventy");\n    return sum;').replace(
    "%%zig work", "%%zig work --no-trial"
)


def say(verb):
    return f"get_ipython().run_line_magic('o', {verb!r})"


def promoted(kernel, text):
    """The kernel serves ``text``, promoted over the cell."""
    kernel.run("import numpy as np\nsevens = np.full(10, 7.0)\nones = np.ones(10)")
    assert kernel.run(text).status == "ok"
    state = kernel.value(f"{say('history')}[0].id[:12]").strip("'")
    assert kernel.run(CELL).status == "ok"
    done = kernel.run(f"%o promote work {state}")
    assert done.status == "ok", done.text
    assert kernel.run("assert work.total(ones) == 10.0").status == "ok"


@pytest.fixture
def started(tmp_path, start_kernel):
    return start_kernel(tmp_path)


def test_a_fault_of_a_promoted_version_takes_it_back_and_it_is_not_tried_again(started):
    kernel = started
    promoted(kernel, FAULTS)

    crashed = kernel.run("work.total(sevens)")

    assert crashed.status == "error"
    assert "was taken back" in crashed.text
    assert "SIGSEGV" in crashed.text
    assert kernel.run("assert work.total(sevens) == 70.0").status == "ok", "the version before it serves"
    life = kernel.value(f"[(s.kind, dict(s.facts).get('by')) for s in {say('history work')}][:2]")
    assert life.startswith("[('rollback', 'health'), ('promote', 'human')")
    facts = kernel.value(f"dict({say('history work')}[0].facts)['reason']")
    assert "ended a call" in facts
    kernel.run(f"bad = [s for s in {say('history work')} if s.kind == 'promote'][0].id[:12]")
    again = kernel.run("get_ipython().run_line_magic('o', f'canary work {bad}')")
    assert again.status == "error"
    assert "not tried again" in again.error


def test_a_panic_is_looked_into_beside_the_version_before(started):
    kernel = started
    promoted(kernel, PANICS)

    failed = kernel.run("work.total(sevens)")

    assert failed.status == "error"
    assert "looked into" in failed.text
    during = kernel.run("for _ in range(40):\n    assert work.total(sevens) == 70.0")
    assert during.status == "ok", "from now on the version before it answers what this one cannot"
    assert "was taken back" in during.text


def test_metrics_are_sampled_and_there_in_the_next_kernel(started, start_kernel, tmp_path):
    kernel = started
    kernel.run("import numpy as np\nones = np.ones(1_000)")
    kernel.run(CELL)
    kernel.run("for _ in range(50): work.total(ones)")
    kernel.run("for _ in range(50): work.total(ones)")
    sampled = kernel.value(f"[(m.name, m.function, m.calls) for m in {say('metrics work')}]")
    assert sampled.startswith("[('work', 'total', ")
    assert int(sampled.rpartition(" ")[2].strip(")]")) <= 60, "a sample, not every call"
    assert "median" in kernel.run("%o metrics").text
    kernel.close()
    again = start_kernel(tmp_path)
    assert again.value(f"[(m.name, m.function) for m in {say('metrics')}]") == "[('work', 'total')]"
    assert (tmp_path / ".o" / "store.git" / "metrics.sqlite").exists()
