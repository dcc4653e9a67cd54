"""Canary, promotion and rollback in a real kernel, with real builds: what is decided, said, and found again later."""

import subprocess

import pytest

FAST = """\
%%zig work
/// Add up.
pub fn total(xs: []const f64) f64 {
    var sum: f64 = 0;
    for (xs) |x| sum += x;
    return sum;
}"""
SLOW = FAST.replace("    return sum;", "    for (0..4) |_| { for (xs) |x| sum += x * 0.0; }\n    return sum;")
FIVE_TIMES = FAST.replace(
    "    return sum;",
    "    for (0..4) |_| {\n        std.mem.doNotOptimizeAway(sum);\n        sum = 0;\n"
    "        for (xs) |x| sum += x;\n    }\n"
    "    return sum;",
).replace("/// Add", 'const std = @import("std");\n/// Add')
CRASHES = FAST.replace("    return sum;", '    if (xs[0] == 7.0) @panic("seven");\n    return sum;')
CALLS = "xs = np.ones(4_000)\nfor _ in range({count}):\n    assert work.total(xs) == 4_000.0"


def say(verb):
    """A verb as an expression."""
    return f"get_ipython().run_line_magic('o', {verb!r})"


def state_of(kernel):
    """The state of the cell that was run just now."""
    return kernel.value(f"{say('history')}[0].id[:12]").strip("'")


@pytest.fixture
def served(tmp_path, start_kernel):
    """A kernel in which a slow version serves, and the state at which a fast one did."""
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    kernel = start_kernel(tmp_path)
    kernel.run("import numpy as np")
    assert kernel.run(FAST).status == "ok"
    fast = state_of(kernel)
    assert kernel.run(SLOW).status == "ok"
    kernel.run(CALLS.format(count=5))
    return kernel, fast, tmp_path


@pytest.mark.measured
def test_a_faster_version_is_promoted_and_a_slower_one_taken_back(served):
    kernel, fast, folder = served
    slow = state_of(kernel)
    begun = kernel.run(f"running = %o canary work {fast} --share 20%\nrunning")
    assert begun.status == "ok", begun.text
    assert "20%" in begun.text
    assert "canary" in kernel.run("%o serving").text

    during = kernel.run(CALLS.format(count=1_500))

    assert during.status == "ok", during.text
    assert "serves every call from now on" in during.text
    assert "faster" in during.text
    assert kernel.value(f"[(s.share, s.version, s.origin) for s in {say('serving')}]") == "[(1.0, '1.0.0', 'canary')]"

    kernel.run(f"%o canary work {slow}")
    during = kernel.run(CALLS.format(count=300))
    assert "was taken back" in during.text, "within 300 calls at 10 %"
    assert "slower" in during.text
    assert kernel.value(f"[s.version for s in {say('serving work')}]") == "['1.0.0']"
    again = kernel.run(f"%o canary work {slow}")
    assert again.status == "error"
    assert "taken back before" in again.error

    kinds = f"[s.kind for s in {say('history work')}][::-1]"
    assert kernel.value(kinds) == "['run', 'run', 'canary', 'promote', 'canary', 'rollback']"
    life = kernel.run("%o history work").text
    assert "1.0.0" in life
    assert "times as fast" in life
    written = kernel.run("%o changelog work --to CHANGES.md")
    assert written.status == "ok", written.text
    text = (folder / "CHANGES.md").read_text()
    assert "## work 1.0.0 - " in text
    assert "rolled back" in text
    assert "metrics: time" in text
    store = folder / ".git" / "o"
    tag = subprocess.run(
        ["git", "cat-file", "-t", "o/work/v1.0.0"], cwd=store, capture_output=True, text=True, check=True
    )
    assert tag.stdout.strip() == "tag"
    assert kernel.run("%o show work/v1.0.0").status == "ok"
    subprocess.run(["git", "fsck", "--strict"], cwd=store, check=True, capture_output=True)


def test_a_panic_of_the_new_version_costs_no_call(served):
    kernel, _, _ = served
    kernel.run(CRASHES.replace("%%zig work", "%%zig work --no-trial"))
    crashes = state_of(kernel)
    kernel.run(SLOW)
    kernel.run(f"%o canary work {crashes} --share 50%")

    during = kernel.run("sevens = np.full(10, 7.0)\nfor _ in range(40):\n    assert work.total(sevens) == 70.0")

    assert during.status == "ok", during.text
    assert "seven" in during.text
    assert "was taken back" in during.text


def test_by_hand_and_in_the_shadow(served):
    kernel, fast, _ = served
    kernel.run(f"%o canary work {fast} --shadow --share 50%")
    assert kernel.run("%o canary work").text.count("on copies") == 1, "said again it shows how it stands"
    kernel.run(CALLS.format(count=20))
    promoted = kernel.run("%o promote work")
    assert promoted.status == "ok", promoted.text
    assert kernel.value(f"[s.version for s in {say('serving work')}]") == "['1.0.0']"
    back = kernel.run("%o rollback work")
    assert back.status == "ok", back.text
    assert kernel.value(f"{say('serving work')}[0].version") == "''", "the text of the cell has none"
    for line, why in [
        ("%o canary nothing", "nothing serves"),
        ("%o canary work --share 0", "share"),
        ("%o canary work --for soon", "duration"),
        ("%o canary work", "no accepted version"),
        ("%o promote work", "no accepted version"),
    ]:
        refused = kernel.run(line)
        assert refused.status == "error", line
        assert why in refused.error, refused.error


def test_a_metric_of_the_users_takes_a_faster_version_back(served):
    kernel, _, _ = served
    kernel.run(FAST.replace("return sum;", "return sum + xs[0];"))
    wrong = state_of(kernel)
    kernel.run(SLOW)
    refused = kernel.run(f"%o canary work {wrong} --metric closeness")
    assert refused.status == "error"
    assert "define closeness(answer, *arguments) first" in refused.error
    kernel.run("def closeness(answer, xs):\n    return 10 - 2 * abs(answer - xs.sum())")
    begun = kernel.run(f"%o canary work {wrong} --share 50% --metric closeness")
    assert begun.status == "ok", begun.text

    during = kernel.run("xs = np.ones(4_000)\nfor _ in range(600):\n    work.total(xs)")

    assert "was taken back" in during.text, during.text
    assert "closeness" in during.text


def test_a_canary_goes_on_in_the_next_kernel(served, start_kernel):
    kernel, fast, folder = served
    kernel.run(f"%o canary work {fast} --share 20%")
    kernel.run(CALLS.format(count=60))
    before = int(kernel.value(f"{say('canary work')}.canary.evidence.calls"))
    kernel.close()

    again = start_kernel(folder)
    again.run("import numpy as np")
    ran = again.run(SLOW)
    assert ran.status == "ok", ran.text
    after = int(again.value(f"{say('canary work')}.canary.evidence.calls"))
    assert after == before
    during = again.run(CALLS.format(count=1_500))
    assert "serves every call from now on" in during.text


def test_where_evolution_is_off_no_canary_promotes_itself_and_none_goes_on(served, start_kernel):
    kernel, fast, folder = served
    kernel.run(f"%o canary work {fast} --share 20%")
    off = kernel.run("%o evolution off\n" + CALLS.format(count=1_500))
    assert off.status == "ok", off.text
    assert "was taken back: evolution was switched off" in off.text
    origins = f"[(s.share, s.origin) for s in {say('serving work')}]"
    assert kernel.value(origins) == "[(1.0, 'cell')]"

    kernel.run("%o evolution on")
    assert kernel.run(f"%o canary work {fast} --share 20%").status == "ok"
    assert kernel.value(f"[s.origin for s in {say('serving')}]") == "['cell', 'canary']"
    kernel.close()
    again = start_kernel(folder, environment={"PROJECT_O_EVOLUTION": "off"})
    again.run("import numpy as np")
    assert again.run(SLOW).status == "ok"
    assert again.run(CALLS.format(count=1_500)).status == "ok"
    assert again.value(origins) == "[(1.0, 'cell')]"
    assert again.run("%o evolution on").status == "ok"
    assert again.run(SLOW).status == "ok"
    assert again.value(f"[s.origin for s in {say('serving')}]") == "['cell', 'canary']"
    assert again.run("%config ProjectO.evolution = False").status == "ok"
    assert again.value(origins) == "[(1.0, 'cell')]"


CLOSENESS = "def closeness(answer, xs):\n    return 10 - 2 * abs(answer - xs.sum())"


def test_a_metric_is_looked_up_again_in_the_next_kernel_and_waited_for(served, start_kernel):
    kernel, _, folder = served
    kernel.run(FAST.replace("return sum;", "return sum + xs[0];"))
    wrong = state_of(kernel)
    kernel.run(SLOW)
    kernel.run(CLOSENESS)
    begun = kernel.run(f"%o canary work {wrong} --share 50% --metric closeness")
    assert begun.status == "ok", begun.text
    kernel.run("xs = np.ones(4_000)\nfor _ in range(10):\n    work.total(xs)")
    calls = f"{say('canary work')}.canary.evidence.calls"
    before = int(kernel.value(calls))
    kernel.close()

    again = start_kernel(folder)
    again.run("import numpy as np")
    ran = again.run(SLOW)
    assert "goes on once this kernel has closeness" in ran.text, ran.text
    assert again.run(CALLS.format(count=200)).status == "ok", "the version before answers every call"
    assert int(again.value(calls)) == before, "nothing is compared without the metric"
    assert "closeness: define it in this kernel" in again.run("%o canary work").text
    again.run(CLOSENESS)
    during = again.run("for _ in range(600):\n    work.total(xs)")
    assert "was taken back" in during.text, during.text
    assert "closeness is worse" in during.text


def test_what_a_person_proposes_is_a_state_that_a_canary_finds(served):
    kernel, _, folder = served
    assert kernel.run(FIVE_TIMES).status == "ok"
    kernel.run("xs = np.ones(4_000)")
    ran = kernel.run("run = %evolve work --trials 1 --inputs (xs,)")
    assert ran.status == "ok", ran.text
    text = 'const std = @import("std");\n' + FAST.partition("\n")[2]
    tried = "for _ in range(3):\n    good = run.propose({})\n    if good.accepted:\n        break"
    assert kernel.run(tried.format(repr(text))).status == "ok", "a neighbour's load may hide once that it is faster"
    assert kernel.run(f"wrong = run.propose({text.replace('return sum', 'return sum + 1')!r})").status == "ok"
    assert kernel.value("good.accepted, wrong.accepted") == "(True, False)", kernel.value("good.reasons, wrong.reasons")

    found = kernel.value(f"[(s.kind, s.id in (good.state, wrong.state)) for s in {say('history work')}][:3]")
    assert found == "[('propose', True), ('propose', True), ('evolve', False)]"
    refused = kernel.run("%o canary work $wrong.state")
    assert refused.status == "error"
    assert "did not accept" in refused.error
    begun = kernel.run("running = %o canary work $good.state")
    assert begun.status == "ok", begun.text
    assert kernel.value("running.release.program.source") == repr(text)
    assert kernel.run("%o rollback work").status == "ok"
    assert kernel.run("%o promote work").status == "ok", "without a state it is the newest accepted one"
    assert kernel.value(f"{say('serving work')}[0].version") == "'1.0.0'"
    change = kernel.value(f"[(one.type, one.by, bool(one.metrics)) for one in {say('changelog work')}][0]")
    assert change == "('promoted', 'human', True)"
    subprocess.run(["git", "fsck", "--strict"], cwd=folder / ".git" / "o", check=True, capture_output=True)
