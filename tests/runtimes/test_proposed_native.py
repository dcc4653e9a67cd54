"""A text that the user did not write, from its first build to what serves after a restart: always compiled locked."""

import os
from pathlib import Path

import numpy as np
import pytest

import project_o.sandbox
from project_o.errors import CompileError, DeployError, SandboxError, ToolchainMissing, UsageError
from project_o.evolving import Wishes
from project_o.flow import Flow
from project_o.languages import tools_for
from project_o.sandbox import Sandbox
from project_o.values import Proposal

CELLS = {
    "zig": """const step = 1; // o: 1 2
pub fn ones(a: []const u64) u64 {
    var found: u64 = 0;
    for (a) |x| {
        var left = x;
        while (left != 0) : (left >>= step) found += left & ((1 << step) - 1) & 1;
    }
    return found;
}
""",
    "rust": """const STEP: u32 = 1; // o: 1 2
pub fn ones(a: &[u64]) -> u64 {
    let mut found = 0;
    for x in a {
        let mut left = *x;
        while left != 0 { found += left & 1; left >>= STEP; }
    }
    found
}
""",
}
BETTER = {
    "zig": """const step = 1; // o: 1 2
pub fn ones(a: []const u64) u64 {
    var found: u64 = 0;
    for (a) |x| found += @popCount(x) * step;
    return found;
}
""",
    "rust": """const STEP: u32 = 1; // o: 1 2
pub fn ones(a: &[u64]) -> u64 {
    let mut found = 0;
    for x in a { found += u64::from(x.count_ones() * STEP); }
    found
}
""",
}
MORE = {
    "zig": BETTER["zig"].replace("return found;", "return found + 1;"),
    "rust": BETTER["rust"].replace("    found\n}", "    found + 1\n}"),
}
PARAMETER = {"zig": "step", "rust": "STEP"}
VALUES = np.arange(3000, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
RIGHT = sum(bin(int(x)).count("1") for x in VALUES)


class Given:
    """A proposer of these texts."""

    def __init__(self, program, *sources):
        self.program, self.sources = program, sources

    def ask(self, index, told):
        if index > len(self.sources):
            return None
        program = tools_for(self.program.language).with_source(self.program, self.sources[index - 1])
        return Proposal(index, program, (self.program.digest,), "llm", "given")


@pytest.fixture(scope="module", autouse=True)
def own_builds(tmp_path_factory, own_cache):
    before = os.environ.get("PROJECT_O_CACHE")
    os.environ["PROJECT_O_CACHE"] = own_cache(tmp_path_factory.mktemp("cache"))
    yield
    del os.environ["PROJECT_O_CACHE"]
    if before is not None:
        os.environ["PROJECT_O_CACHE"] = before


@pytest.fixture(params=["zig", "rust"])
def language(request, lacking):
    if request.param == "rust":
        from project_o import toolchain

        try:
            toolchain.locate_rust()
        except ToolchainMissing as missing:
            lacking("rust", str(missing))
    return request.param


@pytest.fixture
def flow():
    return Flow()


@pytest.fixture
def low(monkeypatch):
    """A machine on which nothing can be locked well enough for a compiler."""
    with Sandbox(deny=("landlock", "namespaces")) as box:
        monkeypatch.setattr(project_o.sandbox, "shared_builder", lambda: box)
        yield box


def served(flow):
    """The program of the cell, which serves."""
    return flow.registry.releases("counter")[-1].program


def is_locked(flow):
    return "locked" in flow.registry.slot("counter").version.artifact.flags


def evolved(flow, language, *sources):
    """A run in which the faster text is better."""
    module = flow.cell(CELLS[language], language, "counter")
    proposer = Given(served(flow), *sources)
    return module, flow.evolve(module, inputs=(VALUES,), proposer=proposer, trials=1 + len(sources))


def scored(flow, language, *sources):
    """A run in which the text that counts more is better: it takes no time."""
    module = flow.cell(CELLS[language], language, "counter")
    proposer = Given(served(flow), *sources)
    run = flow.evolve(
        module, lambda program: {"score": float(program.ones(VALUES))}, objective="score", proposer=proposer,
        trials=1 + len(sources),
    )  # fmt: skip
    return module, run


def test_an_honest_text_is_judged_served_taken_back_and_served_again_in_a_cold_kernel(
    flow, language, monkeypatch, tmp_path, own_cache
):
    for _ in range(3):  # a measurement: a neighbour may spoil one of them
        module, run = evolved(flow, language, BETTER[language])
        if run.verdict.accepted:
            break
    assert run.verdict.accepted, run.verdict.reasons
    assert not is_locked(flow)

    run.accept()
    assert is_locked(flow)
    assert module.ones(VALUES) == RIGHT
    flow.rollback("counter")
    assert not is_locked(flow)
    assert module.ones(VALUES) == RIGHT
    flow.rollback("counter")
    assert is_locked(flow)

    monkeypatch.setenv("PROJECT_O_CACHE", own_cache(tmp_path / "cold"))
    later = Flow()
    later.registry.remember(flow.registry.ledger()["deployments.json"])
    again = later.cell(CELLS[language], language, "counter")
    assert served(later).source == BETTER[language]
    assert is_locked(later)
    assert again.ones(VALUES) == RIGHT

    restored = Flow()
    restored.registry.remember(flow.registry.ledger()["deployments.json"])
    restored.registry.put(restored.registry.remembered()["counter"], "restored")
    assert is_locked(restored), "also where the cell was not run in this kernel"


def test_only_the_users_own_text_with_other_values_is_built_with_the_users_rights(flow, language):
    flow.cell(CELLS[language], language, "counter")
    task = flow._task("counter", None, Wishes())
    own, tools = served(flow), tools_for(language)
    other = tools.with_settings(own, {PARAMETER[language]: 2})
    new = tools.with_source(own, BETTER[language])

    def locked(program):
        return "locked" in task.build(program).flags

    assert [locked(own), locked(other), locked(new)] == [False, False, True]
    assert locked(tools.with_settings(new, {PARAMETER[language]: 2})), "the values of a text that is not the user's"
    assert locked(tools.with_source(own, own.source + "// read this\n")), "what looks like a comment to us"

    flow.registry.accept(new, level="L3")
    after = flow._task("counter", None, Wishes())
    assert "locked" in after.build(new).flags, "what serves is the text of a proposer"
    assert "locked" not in after.build(other).flags
    assert not after.own(new)


TWICE = {
    "zig": 'const counter = @import("counter");\n'
    "pub fn twice(a: []const u64) u64 {\n    return 2 * counter.ones(a);\n}\n\ntest {}\n",
    "rust": "use counter::ones;\npub fn twice(a: &[u64]) -> u64 {\n    2 * ones(a)\n}\n",
}


def test_a_cell_that_imports_what_was_proposed_is_built_locked_too(flow, language):
    flow.cell(CELLS[language], language, "counter")
    assert flow.cell(TWICE[language], language, "doubler").twice(VALUES) == 2 * RIGHT
    assert "locked" not in flow.registry.slot("doubler").version.artifact.flags

    flow.registry.accept(tools_for(language).with_source(served(flow), BETTER[language]), level="L3")
    again = flow.cell(TWICE[language] + "// once more\n", language, "doubler")
    assert again.twice(VALUES) == 2 * RIGHT
    assert "locked" in flow.registry.slot("doubler").version.artifact.flags
    with pytest.raises(UsageError, match="doubler imports a text that was proposed: its tests would run with your"):
        flow.cell(TWICE[language] + "// tested\n", language, "doubler", tests=True)

    other = tools_for(language).with_settings(flow.registry.cell("counter"), {PARAMETER[language]: 2})
    flow.registry.accept(other, level="L0")
    flow.cell(TWICE[language] + "// and again\n", language, "doubler")
    assert "locked" not in flow.registry.slot("doubler").version.artifact.flags, "the user's own text, other values"


def test_a_persons_own_version_is_built_locked_unless_it_is_trusted(flow, lacking, tmp_path):
    data = tmp_path / "table.txt"
    data.write_text("0123456789")
    reads = MORE["rust"] + f'pub const TABLE: &str = include_str!("{data}");\n'
    _, run = scored(flow, "rust")

    assert run.propose(MORE["rust"]).accepted
    with pytest.raises(CompileError, match="couldn't read"):
        run.propose(reads)
    assert run.propose(reads, trusted=True).accepted


def test_a_text_that_keeps_its_compiler_busy_costs_itself_only(flow, monkeypatch):
    loop = MORE["zig"] + (
        "comptime {\n    @setEvalBranchQuota(4294967295);\n    var x: u64 = 0;\n    while (true) x +%= 1;\n}\n"
    )
    with Sandbox(wall_seconds=30, cpu_seconds=2) as box:
        monkeypatch.setattr(project_o.sandbox, "shared_builder", lambda: box)
        _, run = scored(flow, "zig", loop, MORE["zig"])

    assert [record.status for record in run.trials] == ["baseline", "failed", "better"]
    assert run.trials[1].finding.stage == "build"
    assert "2 s of processor time: is there a loop at compile time?" in run.trials[1].reason
    assert run.verdict.accepted


# ------------------------------------------------------------------------------- where nothing can be locked


def test_a_proposed_text_is_refused_in_one_sentence(flow, low):
    module, run = scored(flow, "zig", MORE["zig"])

    assert run.trials[1].status == "failed"
    assert run.trials[1].finding.stage == "build"
    for words in ("is compiled in the sandbox alone", "only level L1 holds here", "serve_unsandboxed = True"):
        assert words in run.trials[1].reason
    with pytest.raises(SandboxError, match="compiled in the sandbox alone"):
        run.propose(MORE["zig"])
    assert module.ones(VALUES) == RIGHT, "the user's own text needs no sandbox"


def test_it_is_built_all_the_same_where_the_user_takes_the_risk_by_name(flow, low):
    flow.unsandboxed = lambda: True
    _, run = scored(flow, "zig", MORE["zig"])

    assert run.verdict.accepted, run.verdict.reasons
    run.accept()
    assert not is_locked(flow)


def test_what_was_accepted_elsewhere_does_not_serve_and_says_why(flow, monkeypatch):
    flow.cell(CELLS["zig"], "zig", "counter")
    flow.registry.accept(tools_for("zig").with_source(served(flow), BETTER["zig"]), level="L3")
    later = Flow()
    later.registry.remember(flow.registry.ledger()["deployments.json"])

    with Sandbox(deny=("landlock", "namespaces")) as box:
        monkeypatch.setattr(project_o.sandbox, "shared_builder", lambda: box)
        module = later.cell(CELLS["zig"], "zig", "counter")
        assert served(later).source == CELLS["zig"]
        assert "compiled in the sandbox alone" in later.registry.slot("counter").note
        assert module.ones(VALUES) == RIGHT
        with pytest.raises(DeployError, match="compiled in the sandbox alone"):
            flow.registry.put(flow.registry.releases("counter")[-1], "restored")


def test_nothing_is_left_below_the_folder_of_temporary_files(flow, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    program = tools_for("zig").program("counter", BETTER["zig"] + "// once more\n")

    flow.build(program, proposed=True)

    assert [path.name for path in Path(tmp_path).iterdir() if not path.name.startswith("o-box-")] == []
