"""Every option changes what a user sees, whichever of its sources sets it; and evolution can be switched off."""

from __future__ import annotations

import secrets

import pytest

from project_o.config import OPTIONS

CELL = """%%zig kernels
const lanes = 1; // o: 1 4 8 16
pub fn total(a: []const f32) f32 {
    var sums: @Vector(lanes, f32) = @splat(0);
    var i: usize = 0;
    while (i + lanes <= a.len) : (i += lanes) sums += a[i..][0..lanes].*;
    var sum = @reduce(.Add, sums);
    for (a[i..]) |x| sum += x;
    return sum;
}
"""
CASES = {
    "history": ("off", "the store"),
    "history_quota_mb": ("7", "how much room large outputs have in the history"),
    "trial": ("off", "where the first call of a new build is made"),
    "quick": ("off", "whether a build that is not optimised serves first"),
    "mode": ("fast", "whether a sum that overflows is a panic"),
    "dispatcher": ("off", "which way a native function is called"),
    "workers": ("1", "how many threads try candidates"),
    "seed": ("7", "what is proposed"),
    "resume": ("on", "whether a candidate that was evaluated before is evaluated again"),
    "evolution": ("off", "whether a run may begin"),
    "guard_regression": ("5%", "by how much a metric that nobody named may become worse"),
    "serve_unsandboxed": ("on", "whether a new text serves that was judged where the sandbox does not hold"),
    "modules": ("own", "where load(NAME) finds a module of the user's own"),
    "widgets": ("on", "whether a panel is shown to whoever does not say that it shows panels"),
    "model": ("local:tiny", "which model is asked"),
    "model_url": ("http://127.0.0.1:9", "where it is asked"),
    "model_calls": ("written", "whether a model is told to write its calls"),
    "agent_hosts": ("127.0.0.1:9", "which hosts an agent's fetch may ask"),
    "model_tape": ("said.jsonl", "whether what a model said is kept in a file"),
    "model_tape_mode": ("replay", "whether a model is asked for what is not on the tape"),
}
"""Option -> the value that these tests set, and what it changes. The functions ``see_...`` below look at it."""


def see_history(kernel):
    return "True" in kernel.run("import pathlib; print(pathlib.Path('.o').exists())").text


def see_history_quota_mb(kernel):
    return kernel.value("get_ipython().run_line_magic('o', 'where')['large_outputs_quota']")


def see_trial(kernel):
    """A fault in a trial says that it happened apart; one in this process says that it was caught here."""
    kernel.run("%%zig\npub fn poke(at: usize) u8 {\n    return @as(*allowzero volatile u8, @ptrFromInt(at)).*;\n}")
    return "process of its own" in kernel.run("poke(8)").error


def see_quick(kernel):
    """Whether of some edits one serves by a build that is not optimised; the first ones may come before a server."""
    for _ in range(15):
        number = secrets.randbelow(1 << 62)  # a text that no cache has
        kernel.run(f"%%zig edited\npub fn number() i64 {{\n    return {number};\n}}")
        if "quick" in kernel.value("edited.slot.version.tier"):
            return True
    return False


def see_mode(kernel):
    kernel.run("%%zig\npub fn next(a: u8) u8 {\n    return a + 1;\n}")
    return kernel.run("next(255)").status


def see_dispatcher(kernel):
    """One that the dispatcher calls has an entry; the other way is the same class without one."""
    kernel.run("%%zig\npub fn next(a: u8) u8 {\n    return a + 1;\n}")
    kernel.run("from project_o.toolchain import dispatcher; made = dispatcher.wait(60).made")
    assert kernel.value("next(1), next(2), next(3)") == "(2, 3, 4)"
    return kernel.value("made")


def see_workers(kernel):
    """The threads that try candidates, counted from inside an evaluator, which runs beside them."""
    kernel.run("import threading; seen = set()")
    kernel.run(CELL)
    ran = kernel.run(
        "%%evolve kernels --trials 4\n"
        "def evaluate(program):\n"
        "    import time; time.sleep(0.05)\n"
        "    seen.update(t.name for t in threading.enumerate() if t.name.startswith('project-o-trial'))\n"
        "    return {'score': 1.0}"
    )
    assert ran.status == "ok", ran.text
    return kernel.value("len(seen)")


def see_seed(kernel):
    kernel.run(CELL)
    ran = kernel.run("%%evolve kernels --trials 4\ndef evaluate(program):\n    return {'score': 1.0}")
    assert ran.status == "ok", ran.text
    return kernel.value("_.seed")


def see_resume(kernel):
    """How often a run that is made again asks the evaluator, of how often it asked at first."""
    kernel.run(CELL)
    cell = "%%evolve kernels --trials 4\ndef evaluate(program):\n    asked.append(1)\n    return {'score': 1.0}"
    counts = []
    for _ in range(2):
        kernel.run("asked = []")
        ran = kernel.run(cell)
        assert ran.status == "ok", ran.text
        counts.append(int(kernel.value("len(asked)")))
    return counts[1] < counts[0]


def see_evolution(kernel):
    kernel.run(CELL)
    return kernel.run("import numpy as np\nrun = %evolve kernels --trials 2 --inputs (np.ones(999, 'f4'),)").error


def see_guard_regression(kernel):
    """A gain in the score, at a cost that is a tenth larger."""
    kernel.run("def scaled(x):\n    n = 1  # o: 1 2\n    return n * x\n")
    ran = kernel.run(
        "%%evolve scaled --trials 2\ndef evaluate(program):\n    got = program(2)\n"
        "    return {'score': got, 'cost': 1.0 + 0.1 * (got > 2)}"
    )
    assert ran.status == "ok", ran.text
    return kernel.value("_.verdict.accepted")


def see_serve_unsandboxed(kernel):
    """A verdict of a machine where no sandbox holds, made from one of this machine."""
    kernel.run(CELL)
    kernel.run("run = %evolve kernels --trials 1 --inputs (__import__('numpy').ones(99, 'f4'),)")
    kernel.run(
        "from dataclasses import replace\n"
        "new = run.best.with_source(run.best.source.replace('sum += x', 'sum = sum + x'), run.best.parameters)\n"
        "low = replace(run, best=new, verdict=replace(run.verdict, accepted=True, level='L0'))"
    )
    return "serve_unsandboxed" in kernel.run("low.accept()").error


def see_modules(kernel):
    kernel.run(
        "import json, pathlib\n"
        "folder = pathlib.Path('own/sample'); folder.mkdir(parents=True)\n"
        "facts = {'name': 'sample', 'version': '1.0.0', 'description': 'A sample.', 'zig': '0.17', 'exports': ['f']}\n"
        "(folder / 'module.json').write_text(json.dumps(facts))\n"
        "(folder / 'sample.zig').write_text('pub fn f() u8 { return 7; }')"
    )
    return kernel.run("from project_o import load; load('sample').f()").text


def see_widgets(kernel):
    kernel.run(CELL)
    ran = kernel.run("%%evolve kernels --trials 2\ndef evaluate(program):\n    return {'score': 1.0}")
    assert ran.status == "ok", ran.text
    return any("application/vnd.jupyter.widget-view+json" in c.get("data", {}) for _, c in ran.outputs)


def see_model(kernel):
    kernel.run('%%agent\n(defagent parrot "You repeat what is said.")')
    return kernel.run("%%agent parrot\nhello").error


see_model_url = see_model


def see_model_tape(kernel):
    see_model(kernel)
    return kernel.value("__import__('pathlib').Path('said.jsonl').exists()")


see_model_tape_mode = see_model


def see_model_calls(kernel):
    kernel.run(
        "from project_o import Agent\nfrom project_o.models import ScriptedModel\nmodel = ScriptedModel(['hi'])\n"
        "def add(a: int):\n    return a\n"
    )
    kernel.run("Agent('a', tools=[add], model=model)('go')")
    return kernel.value("len(model.asked[0].tools)")


def see_agent_hosts(kernel):
    kernel.run('%%agent\n(defagent reader "You read." :tools [fetch] (use "fetch" :url message))')
    return kernel.run("%agent reader http://127.0.0.1:9/").error


def test_every_option_is_tried_here():
    assert {option.name for option in OPTIONS} == set(CASES), (
        "a new option needs its row in CASES and its see_ function"
    )


@pytest.mark.parametrize("name", CASES)
def test_an_option_changes_what_happens(name, start_kernel, tmp_path):
    """One kernel without it, one with it in the environment: what is seen differs."""
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    after.mkdir()
    common = {
        "model_url": {"PROJECT_O_MODEL": "local:tiny"},
        "model_tape": {"PROJECT_O_MODEL": "scripted:hello"},
        "model_tape_mode": {"PROJECT_O_MODEL": "scripted:hello", "PROJECT_O_MODEL_TAPE": "said.jsonl"},
    }.get(name, {})
    plain = start_kernel(before, environment=common)
    with_it = start_kernel(after, environment={**common, f"PROJECT_O_{name.upper()}": CASES[name][0]})
    see = globals()[f"see_{name}"]
    assert see(plain) != see(with_it), f"{name} changes nothing: it is meant to change {CASES[name][1]}"


def test_the_three_sources_are_one_view(start_kernel, tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.project-o]\nseed = 3\nworkers = 1\n")
    kernel = start_kernel(tmp_path, environment={"PROJECT_O_SEED": "4"})
    shown = kernel.run("%o config").text
    assert "PROJECT_O_SEED" in shown
    assert "pyproject.toml" in shown
    assert kernel.run("%config ProjectO.seed = 5").status == "ok"
    assert kernel.value("get_ipython().run_line_magic('o', 'config')['seed'].source") == "'%config ProjectO'"
    see = kernel.run(CELL)
    assert see.status == "ok", see.text
    kernel.run("%%evolve kernels --trials 2\ndef evaluate(program):\n    return {'score': 1.0}")
    assert kernel.value("_.seed") == "5"


def test_a_value_that_cannot_be_meant_names_its_source_and_loses_nothing(start_kernel, tmp_path):
    kernel = start_kernel(tmp_path)
    kernel.run("x = 1")
    assert kernel.run("%config ProjectO.mode = 'fa' + 'st'").status == "ok"
    said = kernel.run("%config ProjectO.mode = 'quick'")
    assert said.status == "error", "papermill stops there"
    assert said.error == "UsageError: mode is 'quick' (from %config ProjectO.mode): it wants safe or fast or debug"
    assert kernel.value("get_ipython().run_line_magic('o', 'config')['mode'].value") == "'fast'"
    said = kernel.run("%config ProjectO.sead = 7")
    assert said.error == "UsageError: sead is no option of ProjectO: did you mean seed?"
    assert "ProjectO.seed" in kernel.run("%config ProjectO").text
    assert kernel.run("%config InlineBackend.figure_format = 'svg'\n%config IPCompleter.greedy = True").status == "ok"
    assert kernel.value("get_ipython().Completer.greedy") == "True"
    assert kernel.value("x") == "1"


def test_a_configuration_of_jupyters_that_cannot_be_meant_fails_what_would_use_it(start_kernel, tmp_path):
    kernel = start_kernel(tmp_path)
    kernel.run("x = 1\nfrom traitlets.config import Config")
    said = kernel.run(
        "get_ipython()._project_o_extension.session.configurable.update_config(Config(ProjectO={'mode': 'quick'}))"
    )
    assert said.text.count("mode is 'quick' (from %config ProjectO): it wants safe or fast or debug") == 1
    refused = kernel.run("%o config")
    assert refused.status == "error"
    assert "mode is 'quick' (from %config ProjectO)" in refused.error
    assert refused.error.endswith("%config ProjectO.mode = None takes it back"), refused.error
    assert kernel.run("%config ProjectO.mode = None").status == "ok"
    assert kernel.run("%o config").status == "ok"
    assert kernel.value("x") == "1"


@pytest.mark.measured
def test_evolution_off_stops_all_that_changes_itself_and_on_allows_it_again(start_kernel, tmp_path):
    kernel = start_kernel(tmp_path)
    kernel.run("import numpy as np; a = np.ones(99_999, 'f4')")
    kernel.run(CELL)
    found = kernel.run("run = %evolve kernels --trials 4 --seed 1 --inputs (a,)")
    assert found.status == "ok", found.text
    assert kernel.run("%o evolution off").status == "ok"
    for code in (
        "run.accept()",
        "%evolve kernels --trials 2 --inputs (a,)",
        "from project_o import evolve; evolve(kernels, trials=2, inputs=(a,))",
    ):
        refused = kernel.run(code)
        assert refused.status == "error", code
        assert "evolution is off (set by %config ProjectO)" in refused.error
    assert kernel.value("kernels.total(a)") == "99999.0"
    assert kernel.run("%o evolution on").status == "ok"
    assert kernel.value("run.verdict.accepted") == "True"
    assert kernel.run("run.accept()").status == "ok"


def test_evolution_off_stops_a_run_under_way(start_kernel, tmp_path):
    kernel = start_kernel(tmp_path)
    kernel.run(CELL)
    kernel.run(
        "import threading, time\nfrom project_o import evolve\nfound, begun = [], threading.Event()\n"
        "def score(program):\n    begun.set()\n    time.sleep(1.5)\n    return {'score': 1.0}\n"
        "thread = threading.Thread(target=lambda: found.append(evolve(kernels, score, budget=60)))\n"
        "thread.start(); begun.wait(100)"
    )
    shown = kernel.run("%o evolution off")
    assert "runs that were stopped" in shown.text
    kernel.run("thread.join(20)")
    assert kernel.value("len(found), bool(found and found[0].stopped)") == "(1, True)"
