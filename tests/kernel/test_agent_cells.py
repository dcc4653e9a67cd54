"""%%agent and %agent in a real kernel: Lisp, messages, streams, bad input, interrupts, restarts, evolution."""

import os
import re
import signal
import time

import nbformat
import papermill
import pytest
from papermill.exceptions import PapermillExecutionError

LISP = """%%agent
(deftool add [#^ int a #^ int b] "Adds." (+ a b))
(deftool slow [] "Never comes back." (import time) (while True (time.sleep 0.01)))
(deftool broken [] "Raises." (/ 1 0))
(defmemory notes :embedding "hash")
(defagent calculator "You add." :tools [add slow broken] :memory notes
  (cond (in "slow" message) (use "slow")
        (in "broken" message) (use "broken")
        (in "nothing" message) None
        (in "large" message) (* "x" 10000000)
        True (do (remember message) (str (use "add" :a (get-arg "a" 0) :b (get-arg "b" 0))))))
(defagent talker "You talk.")
(* x 2)"""


@pytest.fixture(scope="module")
def prepared(kernel):
    ran = kernel.run("x = 20")
    ran = kernel.run(LISP)
    assert ran.status == "ok", ran.text
    assert ran.text.strip() == "40"
    return kernel


def displays(ran):
    return [
        content for kind, content in ran.outputs if kind in ("display_data", "update_display_data", "execute_result")
    ]


def test_a_message_is_answered_in_one_output_and_is_the_value(prepared):
    ran = prepared.run("%%agent calculator\nadd a: {x} b: 2")
    (shown,) = displays(ran)
    assert set(shown["data"]) == {"text/markdown", "text/plain"}
    assert shown["data"]["text/markdown"].startswith("22")
    assert prepared.value("_ == '22', type(_).__name__, _.turn.message") == "(True, 'StreamedReply', 'add a: 20 b: 2')"
    assert "add(a=20, b=2)" in prepared.run("_ = 0\nfor one in [calculator.turns[-1]]: print(one.uses)").text or True
    again = prepared.run("calculator('a: 1 b: 1')")
    assert displays(again)[0]["data"]["text/markdown"].startswith("2")


def test_a_reply_streams_into_one_output_that_ends_static(prepared):
    prepared.run("from project_o.models import ScriptedModel, ToolCall\nimport time\nfrom project_o import Agent")
    prepared.run(
        "def slowly(messages, tools):\n    return 'word ' * 40\n"
        "model = ScriptedModel(slowly)\nwhole = model.stream\n"
        "def stream(messages, tools=()):\n"
        "    for piece in whole(messages, tools):\n        time.sleep(0.01)\n        yield piece\n"
        "model.stream = stream\nstreamer = Agent('streamer', 'You stream.', model=model)"
    )
    ran = prepared.run("%%agent streamer\ngo")
    assert ran.status == "ok", ran.text
    kinds = [kind for kind, _ in ran.outputs]
    assert kinds[0] == "display_data"
    assert set(kinds[1:]) == {"update_display_data"}
    assert 2 <= len(kinds) <= 12
    assert len({content["transient"]["display_id"] for _, content in ran.outputs}) == 1
    last = ran.outputs[-1][1]["data"]
    assert last["text/plain"].startswith("word " * 40)
    whole = prepared.run("%%agent streamer --no-stream\ngo")
    assert [kind for kind, _ in whole.outputs] == ["execute_result"]


def test_interpolation_of_inputs_outputs_and_errors(prepared):
    prepared.run("1 / 0")
    count = int(prepared.value("len(In) - 2"))
    prepared.run("y = {'k': 'v'}")
    ran = prepared.run(
        f"%agent calculator {{In[{count}]}} {{Err[{count}]}} {{y['k']}} {{{{x}}}} {{\"x\": 1}} {{unknown}}"
    )
    assert ran.status == "ok", ran.text
    message = prepared.value("calculator.turns[-1].message")
    assert message.startswith("'1 / 0 ")
    assert "ZeroDivisionError: division by zero" in message
    assert message.endswith("""v {{x}} {"x": 1} {unknown}'""")


def test_list_show_and_feedback(prepared):
    assert "calculator" in prepared.run("%agent list").text
    assert "(deftool add" in prepared.run("%agent show calculator").text
    python = prepared.run("%agent show calculator --python").text
    assert "def add(a: int, b: int):" in python
    assert "return a + b" in python
    ran = prepared.run("%agent feedback calculator down too slow")
    assert "too slow" in ran.text
    history = prepared.run("%o history calculator --limit 3").text
    assert "feedback" in history
    assert "calculator down: too slow" in history


CASES = {
    "malformed Lisp": ("%%agent\n(+ 1\n  (foo", r"LispError|UnclosedError", r"line 3"),
    "Lisp that fails": ("%%agent\n\n(setv a 1)\n(/ a 0)", "LispError", r"line 4: ZeroDivisionError"),
    "an unknown agent": ("%%agent nobody\nhi", "AgentError", "no agent is called nobody: there is calculator"),
    "an empty message": ("%%agent calculator\n\n", "AgentError", "the message is empty"),
    "no verb": ("%agent", "UsageError", "%agent list"),
    "an unknown verb": ("%agent dance now", "UsageError", "'dance' is neither an agent .* nor a verb"),
    "an unknown option": ("%%agent calculator --no-steram\nhi", "UsageError", "did you mean --no-stream"),
    "feedback of no kind": ("%agent feedback calculator maybe", "UsageError", "up or down"),
    "a tool that raises": ("%agent calculator broken", "AgentError", r"ZeroDivisionError: .*line 4 of its cell"),
    "a body that returns nothing": ("%agent calculator nothing", "AgentError", "returned nothing"),
    "a reply of 10 MB": ("%agent calculator large", "AgentError", "10,000,000 characters"),
    "no model": ("%agent talker hi", "ModelMissing", "no language model is configured"),
    "a dead endpoint": (
        "%config ProjectO.model = 'local:m'\n%config ProjectO.model_url = 'http://127.0.0.1:9/v1'\n%agent talker hi",
        "ModelError",
        "127.0.0.1:9",
    ),
    "no model of that name": (
        "%config ProjectO.model = 'nonsense'\n%agent talker hi",
        "UsageError",
        "it wants something like ollama:qwen3",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_bad_input_is_one_clear_error_and_loses_nothing(prepared, case):
    code, name, text = case
    ran = prepared.run(code)
    prepared.run("%config ProjectO.model = None\n%config ProjectO.model_url = None")
    assert ran.status == "error"
    assert re.match(name, ran.error), ran.error
    assert re.search(text, ran.error, re.DOTALL), ran.error
    assert "Traceback" not in ran.text
    assert prepared.value("calculator.state, talker.state, x") == "('idle', 'idle', 20)"
    assert prepared.run("%agent calculator a: 1 b: 2").status == "ok"


def test_ctrl_c_ends_a_tool_that_hangs(prepared):
    ran, _ = prepared.interrupted("%agent calculator slow", 1.0)
    assert ran.status == "error"
    assert ran.error.startswith("KeyboardInterrupt")
    assert prepared.value("calculator.state, calculator.turns[-1].error") == "('idle', 'interrupted')"
    assert prepared.run("%agent calculator a: 1 b: 2").status == "ok"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("%%agent\n(+ 1", "line 2"),
        (CASES["a dead endpoint"][0], "127.0.0.1:9"),
        ("%%rust\npub fn f(k: usize) -> u8 { [1u8, 2][k] }\n", "index out of bounds"),
    ],
    ids=["malformed Lisp", "a dead endpoint", "a panic in Rust"],
)
def test_papermill_fails_on_the_errors_of_each_door(tmp_path, source, told):
    call = "f(7)" if "rust" in source else "kept = 1"
    cells = ("%load_ext project_o\nx = 10", LISP, source, call, "after = 1; print('not reached')")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
    nbformat.write(notebook, tmp_path / "in.ipynb")
    with pytest.raises(PapermillExecutionError, match=told):
        papermill.execute_notebook(
            str(tmp_path / "in.ipynb"), str(tmp_path / "out.ipynb"), kernel_name="python3", cwd=str(tmp_path)
        )
    assert nbformat.read(tmp_path / "out.ipynb", as_version=4).cells[-1].outputs == []


GUESSER = """%%agent
(defmemory seen :embedding "hash")
(defagent guesser "You guess." :memory seen
  (setv k 1) ; o: 1 2 5
  (remember message)
  (str k))"""
EVOLVE = (
    "%%evolve guesser --trials 6 --objective score\ndef evaluate(program):\n    return {'score': float(program('go'))}"
)


def test_an_agent_evolves_serves_goes_back_and_survives_a_kill(start_kernel, tmp_path):
    kernel = start_kernel(tmp_path)
    assert kernel.run(GUESSER).status == "ok"
    assert kernel.run("%agent guesser one").status == "ok"
    ran = kernel.run(EVOLVE)
    assert ran.status == "ok", ran.text
    assert kernel.value("guesser.state") == "'idle'"
    ran = kernel.run("run = _\nrun.accept()")
    assert ran.status == "ok", ran.text
    assert "guesser" in kernel.run("%o serving").text
    assert kernel.value("str(guesser('two')), str(guesser('three'))") == "('5', '5')"
    assert kernel.run("%o rollback guesser").status == "ok"
    assert kernel.value("str(guesser('two'))") == "'1'"
    assert kernel.run("run.accept()").status == "ok"
    assert kernel.run("%agent guesser four").status == "ok"
    os.kill(kernel.manager.provisioner.pid, signal.SIGKILL)
    time.sleep(0.5)

    kernel = start_kernel(tmp_path)
    assert kernel.run(GUESSER).status == "ok"
    assert kernel.value("[block.text for block in guesser.memory]") == "['one', 'two', 'three', 'four']"
    assert kernel.value("str(guesser('five'))") == "'5'"
    assert kernel.run("%o rollback guesser").status == "ok"
    assert kernel.value("str(guesser('six'))") == "'1'"


def test_an_array_of_the_notebook_among_an_agents_names_costs_nothing(start_kernel, tmp_path):
    kernel = start_kernel(tmp_path)
    assert kernel.run("import numpy as np\na, b = np.zeros((2, 9))").status == "ok"
    cell = """%%agent
(deftool add [#^ int a #^ int b] "Add." (+ a b))
(defagent clerk "You add." :tools [add]
  (setv warmth 0) ; o: 0 1
  (+ (* "Hello. " warmth) (str (add (get-arg "a" 0) (get-arg "b" 0)))))"""
    assert kernel.run(cell).status == "ok"
    ran = kernel.run(
        "%%evolve clerk --trials 2\ndef evaluate(program):\n    return {'score': len(program('a: 1 b: 2'))}"
    )
    assert ran.status == "ok", ran.text
    assert kernel.run("_.accept()").status == "ok"
    assert kernel.value("str(clerk('a: 20 b: 22'))") == "'Hello. 42'"


def test_evolution_off_stops_an_agents_too(start_kernel, tmp_path):
    kernel = start_kernel(tmp_path)
    kernel.run(GUESSER)
    kernel.run("%o evolution off")
    ran = kernel.run(EVOLVE)
    assert ran.status == "error"
    assert ran.error.startswith("EvolutionError")
    assert kernel.value("guesser.state") == "'idle'"


def test_agents_from_python_share_the_kernels_names_and_loading_costs_no_lisp(start_kernel, tmp_path):
    kernel = start_kernel(tmp_path)
    loaded = (
        "[name for name in ('hy', 'pydantic_ai', 'project_o.lisp', 'project_o.agent.agent') if name in sys.modules]"
    )
    kernel.run("import sys")
    assert kernel.value(loaded) == "[]"
    kernel.run(
        "from project_o import Agent\nhello = Agent('hello', 'You greet.', body=lambda message: 'Hello, ' + message)"
    )
    ran = kernel.run("%%agent hello\nworld")
    assert "Hello, world" in ran.text
    assert kernel.value("[name for name in ('hy', 'pydantic_ai', 'numpy') if name in sys.modules]") == "[]"


def test_a_message_may_end_with_a_question_mark(start_kernel, tmp_path):
    kernel = start_kernel(tmp_path)
    kernel.run('%%agent\n(defagent echo "You repeat." (+ "you said: " message))')

    assert kernel.run("%agent echo is the sky blue?").text.startswith("you said: is the sky blue?")
    assert kernel.run("x = 3\n%agent echo is it {x}?  ").text.startswith("you said: is it 3?")


def test_an_unclosed_form_is_an_error_of_lisp_by_name(start_kernel, tmp_path):
    assert "LispError: line 2" in start_kernel(tmp_path).run("%%agent\n(foo (bar").text


def test_the_python_that_an_agent_is_shown_as_can_be_run(start_kernel, tmp_path):
    kernel = start_kernel(tmp_path)
    kernel.run(
        "from project_o import Agent\nt = Agent('calculator', 'You add.')\n\n@t.tool\n"
        "def add(a: int, b: int) -> int:\n    'Add two numbers.'\n    return a + b\n\n"
        "@t.body\ndef answer(arguments):\n    return add(arguments['a'], arguments['b'])\n"
    )
    shown = kernel.value("get_ipython().run_line_magic('agent', 'show calculator --python').value")
    ran = kernel.run(f"exec({shown})\nprint(calculator('sum', a=2, b=40))")
    assert ran.status == "ok", ran.text
    assert "42" in ran.text
