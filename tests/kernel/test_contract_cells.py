"""The surface as somebody uses it who has read the design and nothing else."""

import re
import subprocess
import sys

import pytest

POINTS = """%%zig points
pub const Point = struct {{ x: f64, y: f64 }};
pub fn mirrored(p: Point) Point {{ return .{{ .x = -p.x, .y = {y} }}; }}
"""


@pytest.fixture(scope="module")
def ready(kernel):
    for cell in (POINTS.format(y=1), '%%agent\n(defagent echo :doc "x" (+ "said " message))'):
        assert kernel.run(cell).status == "ok"
    return kernel


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("%evolve --help", ["evolve [NAME]", "--budget BUDGET", "how long, as 60s or 2m"]),
        ("%evolve points -h", ["--tests NAME"]),
        ("%%zig --help\npub fn f( {", ["--mode safe|fast|debug", "run every call in a worker process"]),
        ("%%zig --help", ["--mode safe|fast|debug"]),
        ("%%evolve points -h\n\n", ["--tests NAME"]),
        ("%%rust -h\nx", ["--dep CRATE"]),
        ("%agent --help", ["Define agents in Lisp", "--no-stream"]),
        ("%%agent -h\n(this is not Lisp", ["--no-stream"]),
        ("%o restore --help", ["%o restore STATE", "--to TO", "a commit id"]),
        ("%o canary points -h", ["--share SHARE", "--shadow"]),
        ("%o -h", ["%o publish", "%o metrics"]),
    ],
)
def test_help_is_a_value_and_does_nothing(ready, cell, words):
    ran = ready.run(cell)

    assert ran.status == "ok", ran.text
    for word in words:
        assert word in ran.text
    assert "text/html" in str(ran.outputs)


def test_a_message_may_speak_of_help(ready):
    assert ready.run("%agent echo what does -h do, or --help").text.splitlines()[-1] == (
        "said what does -h do, or --help"
    )


def test_a_saved_state_is_found_by_the_words_it_was_saved_with(ready):
    assert ready.run('%o save "Vor dem großen Lauf"').status == "ok"
    shown = ready.run('%o show "Vor dem großen Lauf"')
    name = re.search(r"^\s*saved +(\S+)", shown.text, re.MULTILINE)[1]

    assert shown.status == "ok", shown.text
    assert "Vor dem großen Lauf" in shown.text
    for words in (name, '"vor dem GROSSEN lauf"'.replace("GROSSEN", "gro en"), "'Vor dem großen Lauf'"):
        assert ready.run(f"%o diff {words}").status == "ok"
    refused = ready.run('%o show "was never saved"')
    assert "HistoryError: 'was never saved' is no state" in refused.text


def test_a_state_that_cannot_be_saved_is_no_success(start_kernel, tmp_path):
    quiet = start_kernel(tmp_path)
    quiet.run("%o off")
    refused = quiet.run("%o save why")

    assert "HistoryError: nothing was saved: recording is off, and `%o on` begins it again" in refused.text
    quiet.run("%o on")
    assert quiet.run("%o save why").status == "ok"
    quiet.run("%o clean")
    assert "HistoryError: nothing was saved" in quiet.run("%o save why").text


def test_what_a_verb_returns_is_used_as_the_facts_that_it_shows(ready):
    assert ready.run("told = %o where").status == "ok"
    asked = (
        "'store' in told, 'nosuch' in told, told['kind'], dict(told) == told.value, sorted(told) == sorted(told.value)"
    )
    assert ready.value(asked) == "(True, False, 'folder', True, True)"
    assert ready.run("states = %o history --limit 2").status == "ok"
    assert ready.value("len(states), states[0].kind, [one.id[:0] for one in states]") == "(2, 'run', ['', ''])"
    assert ready.run("cell = %o show").status == "ok"
    assert ready.value("cell.kind, len(cell.id), bool(cell)") == "('run', 40, True)"


def test_a_name_without_states_is_told_by_its_name(ready):
    found = ready.run("%o history nosuch")

    assert found.status == "ok"
    assert "nothing is recorded of a cell or a program nosuch" in found.text
    assert "UsageError: --limit is 0" in ready.run("%o history --limit 0").text


def test_an_edited_cell_with_structs_gives_its_answer_and_no_warning(ready):
    for y in (2, 3):
        ran = ready.run(POINTS.format(y=y))
        assert ran.status == "ok"
        ran = ready.run("import time\npoints.mirrored((1, 2)), points.mirrored(points.Point(1, 2))")
        assert ran.text == f"(Point(x=-1.0, y={y}.0), Point(x=-1.0, y={y}.0))"
        waited = ready.run(
            "until = time.monotonic() + 60\n"
            "while 'optimised one' in points.slot.version.tier and time.monotonic() < until: time.sleep(0.05)\n"
            "print(points.slot.version.tier)"
        )
        assert waited.text.strip() == "optimised", waited.text


def test_an_agent_whose_body_is_a_lambda_is_shown(ready):
    made = ready.run("from project_o import Agent\nshort = Agent('short', body=lambda message: message[:3])\nshort")
    assert made.status == "ok", made.text
    for line in ("%agent show short", "%agent show short --python"):
        shown = ready.run(line)
        assert shown.status == "ok", shown.text
        assert "return message[:3]" in shown.text


def test_the_cell_that_is_to_be_fixed_is_told_as_it_was_written(ready):
    assert ready.run("%%zig bad\npub fn f() i32 { return true; }").status == "error"
    told = ready.run("%agent fix echo")

    assert told.status == "ok", told.text
    assert "%%zig bad\npub fn f() i32 { return true; }" in told.text
    assert "run_cell_magic" not in told.text.partition("The error:")[0]


def test_a_program_may_be_named_by_its_path(ready):
    prepare = """
text = '# EVOLVE-BLOCK-START\\ndef f():\\n    return 3\\n# EVOLVE-BLOCK-END\\n'
open('initial.py', 'w').write(text)
open('evaluator.py', 'w').write("def evaluate(path):\\n    return {'combined_score': float(len(open(path).read()))}\\n")
None"""
    assert ready.run(prepare).status == "ok"
    ran = ready.run("run = %evolve initial.py --evaluator evaluator.py --trials 3\nrun.lineage.digest")
    same = ready.run("run = %evolve --program initial.py --evaluator evaluator.py --trials 3\nrun.lineage.digest")

    assert ran.status == "ok", ran.text
    assert ran.text.splitlines()[-1] == same.text.splitlines()[-1]
    assert "cannot be read" in ready.run("%evolve nosuch.py --trials 3").error


def test_an_evaluator_calls_the_function_that_was_named(ready):
    cell = "%%zig both\nconst n = 4; // o: 2 4 8\npub fn f(x: i32) i32 { return x * n; }\npub fn g() i32 { return n; }"
    assert ready.run(cell).status == "ok"
    judge = "def evaluate(program):\n    return {'score': float(program(3))}"
    named = ready.run(f"%%evolve both --function f --trials 4\n{judge}")

    assert named.status == "ok", named.text
    assert ready.value("_.verdict.accepted, _.best.parameters[0].value") == "(True, 8)"
    assert "the program has 2 functions: call one of f, g" in ready.run(f"%%evolve both --trials 4\n{judge}").text


def test_the_braces_of_an_expression_are_pythons_and_those_of_a_name_the_notebooks(ready):
    cell = "def total(xs):\n    n = 4  # o: 2 4 8\n    return sum(xs) * n // n\nname, option = 'total', 'trials'"
    assert ready.run(cell).status == "ok"
    for line in ("total --trials 1", "{name} --{option} 1", "$name --$option 1"):
        ran = ready.run(f"run = %evolve {line} --seed 5 --inputs [({{3}},), ({{1: 2}},), ({{1, 2}},)]\nrun.seed")
        assert (ran.status, ran.text.splitlines()[-1:]) == ("ok", ["5"]), ran.text
    inside = "def go(which):\n    return get_ipython().run_line_magic('evolve', '{which} --trials 1 --inputs ({3},)')"
    assert ready.run(f"{inside}\ngo('total').trials[0].status").text.splitlines()[-1] == "'baseline'"
    kinds = "def kind(x):\n    n = 4  # o: 2 4 8\n    assert type(x) is set, x\n    return len(x) * n // n"
    assert ready.run(kinds).status == "ok"
    ran = ready.run("%evolve kind --trials 1 --inputs ({1, 2},)")
    assert ran.status == "ok", ran.text


def test_an_agent_of_pythons_is_evolved_by_its_name(ready):
    cell = (
        "from project_o import Agent\nvariable = Agent('by-name')\n@variable.body\ndef answers(message):\n"
        "    n = 4  # o: 2 4 8\n    return str(n * len(message))"
    )
    assert ready.run(cell).status == "ok"
    ran = ready.run("%%evolve by-name --trials 4\ndef evaluate(program):\n    return {'score': float(program('hi'))}")

    assert ran.status == "ok", ran.text
    assert ready.value("_.verdict.accepted") == "True"


TERMINAL = """
%load_ext project_o
get_ipython().run_cell_magic("zig", "k", "pub fn seven() i32 { return 7; }")
print("answers", k.seven())
print(get_ipython().run_cell_magic("agent", "", '(defagent echo :doc "x" (+ "said " message))'))
r = %agent echo hi
saved = %o save "from a terminal"
print(saved)
%o dance
print("not reached")
"""


def test_a_terminals_ipython_has_it_all(tmp_path):
    (tmp_path / "cells.ipy").write_text(TERMINAL)
    command = [sys.executable, "-m", "IPython", "--no-banner", "--colors=NoColor", "cells.ipy"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False)
    said = done.stdout + done.stderr

    assert done.returncode == 1, said
    for words in ("answers 7", "said hi", "from-a-terminal", "UsageError: 'dance' is no verb of %o"):
        assert words in said
    assert "not reached" not in said
    command = [*command[:-1], "--ext", "project_o", "-c", "%o show from-a-terminal"]
    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False)
    assert (again.returncode, "from a terminal" in again.stdout) == (0, True), again.stdout + again.stderr


def test_a_warning_names_the_cell_and_no_line_of_ours(ready):
    assert ready.run("taken = 1").status == "ok"
    ran = ready.run("%%zig\npub fn taken() i32 { return 1; }")

    assert "cell:1: UserWarning: taken was int and is now native: give the cell a NAME to keep it" in ran.text
    assert "native.py" not in ran.text
    assert "Warning" not in ready.run("%%zig\npub fn taken() i32 { return 2; }").text
