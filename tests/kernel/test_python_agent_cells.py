"""Agents made in Python in a real kernel: %evolve, accept, rollback, a restart, and what a bad one says."""

import os
import signal
import time

IMPORTS = (
    "from project_o import Agent\nfrom project_o.agent import get_arg, recall, remember, use\nimport numpy as np\n"
)
MADE = IMPORTS + "weights = np.arange(4.0)\nhelper = Agent('helper', 'Answers.', memory=True)\n"
TOOL = """STEP = 1  # o: 1 2

@helper.tool
def add(a: int, b: int = 0) -> int:
    "Adds."
    bonus = 0  # o: 0 10
    return a + b + bonus
"""
BODY = """@helper.body
def answer(message, arguments):
    k = 1  # o: 1 3 5

    remember(message)
    if message == "fail":
        return str(1 / 0)
    return str(use("add", a=k, b=get_arg("b", 0)) + int(weights[1]))
"""
CELLS = (MADE, TOOL, BODY)
EVOLVE = "%%evolve helper --trials 6\ndef evaluate(program):\n    return {'score': float(program('go', b=2))}"
SHOWN = "get_ipython().run_line_magic('agent', 'show helper --python').value"


def defined(kernel, cells=CELLS):
    for cell in cells:
        ran = kernel.run(cell)
        assert ran.status == "ok", ran.text
        assert "no accepted version" not in ran.text, ran.text


def test_it_evolves_serves_goes_back_and_survives_a_kill(start_kernel, tmp_path):
    kernel = start_kernel(tmp_path)
    defined(kernel)
    assert kernel.value("str(helper('one', b=2))") == "'4'"
    ran = kernel.run(EVOLVE)
    assert ran.status == "ok", ran.text
    assert kernel.value("_.verdict.accepted, _.best.language, [p.name for p in _.best.parameters]") == (
        "(True, 'python', ['k', 'bonus'])"
    )
    ran = kernel.run("run = _\nfirst = helper\nrun.accept()")
    assert ran.status == "ok", ran.text
    assert kernel.value("str(helper('two', b=2)), helper is first, len(helper.turns)") == "('18', True, 2)"
    assert kernel.value("[block.text for block in helper.memory]") == "['one', 'two']"
    assert kernel.value(f"'k = 5  # o: 1 3 5' in {SHOWN}, 'bonus = 10' in {SHOWN}") == "(True, True)"
    assert kernel.value("add(1), answer.__name__") == "(1, 'answer')"  # the notebook's own stay as they are
    assert "helper" in kernel.run("%o serving").text
    assert kernel.run("weights[1] = 100.0").status == "ok"
    assert kernel.value("str(helper('three', b=2))") == "'117'"
    kernel.run("weights[1] = 1.0")

    assert kernel.run("%o rollback helper").status == "ok"
    assert kernel.value("str(helper('four', b=2)), helper.spec.body.__wrapped__ is answer") == "('4', True)"
    assert kernel.run("run.accept()").status == "ok"
    assert "accepted" in kernel.run("%o history helper").text
    assert kernel.run("%agent helper five").status == "ok"
    os.kill(kernel.manager.provisioner.pid, signal.SIGKILL)
    time.sleep(0.5)

    kernel = start_kernel(tmp_path)
    assert "helper" in kernel.run("%o serving").text
    defined(kernel)
    assert kernel.value("str(helper('six', b=2))") == "'18'"
    assert kernel.value("[block.text for block in helper.memory]") == "['one', 'two', 'three', 'four', 'five', 'six']"
    assert kernel.run("%o rollback helper").status == "ok"
    assert kernel.value("str(helper('seven', b=2))") == "'4'"


def test_the_same_cells_again_serve_what_was_accepted_and_others_do_not(start_kernel, tmp_path):
    kernel = start_kernel(tmp_path)
    defined(kernel)
    assert kernel.run(EVOLVE).status == "ok"
    assert kernel.run("run = _\nrun.accept()").status == "ok"
    defined(kernel)
    assert kernel.value("str(helper('go', b=2))") == "'18'"
    assert kernel.run("%o rollback helper").status == "ok"
    assert kernel.value("str(helper('go', b=2))") == "'4'"
    assert kernel.run("run.accept()").status == "ok"

    defined(kernel, (MADE, TOOL, BODY.replace("a=k", "a=2 * k")))
    assert kernel.value("str(helper('go', b=2))") == "'5'"
    ran = kernel.run("run.accept()")
    assert ran.error.startswith("DeployError"), ran.text
    assert "run %evolve helper again" in ran.error
    assert kernel.run("%%evolve helper --trials 1\ndef evaluate(p):\n    return {'score': 1.0}").status == "ok"
    assert kernel.value("str(helper('go', b=2))") == "'5'"
    assert kernel.run("%o rollback helper").status == "ok"
    assert kernel.value("str(helper('go', b=2))") == "'18'"


def test_what_a_bad_one_says_and_nothing_is_lost(start_kernel, tmp_path):
    kernel = start_kernel(tmp_path)
    defined(kernel)
    ran = kernel.run("%%evolve helper --trials 2\ndef evaluate(program):\n    return {'score': float(program('fail'))}")
    assert ran.error.startswith("EvolutionError")
    assert "ZeroDivisionError: division by zero (line 7)" in ran.error

    kernel.run("import threading\nguard = threading.Lock()\nmy_password = 'correcthorse'\nbad = Agent('bad', 'x')")
    ran = kernel.run("%evolve bad --trials 2")
    assert "bad has no body, so there is nothing to search" in ran.error
    kernel.run("@bad.body\ndef reply(message):\n    k = 1  # o: 1 2\n    return [guard, my_password, helper, k]")
    ran = kernel.run("%evolve bad --trials 2")
    assert "guard is a lock" in ran.error
    assert "my_password holds what looks like a secret" in ran.error
    assert "helper is an Agent" in ran.error
    kernel.run("@bad.body\ndef reply(message):\n    return 'x'")
    ran = kernel.run("%%evolve bad --trials 2\ndef evaluate(p):\n    return {'score': 1.0}")
    assert ran.error.startswith("EvolutionError"), ran.text
    assert "bad" in ran.error
    kernel.run('%%agent\n(deftool scale [#^ int x] "Scales." (* 2 x))')
    kernel.run("mixed = Agent('mixed', 'x', tools=['scale'], body=reply)")
    ran = kernel.run("%evolve mixed --trials 2")
    assert "its tool scale was written in Lisp" in ran.error
    assert "Traceback" not in ran.text
    assert kernel.value("helper.state, str(helper('go')), str(mixed('go'))") == "('idle', '2', 'x')"
