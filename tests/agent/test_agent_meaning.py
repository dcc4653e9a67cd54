"""One model, two surfaces: a definition in Lisp and one in Python that mean the same have one digest."""

import linecache

import pytest

from project_o.agent import Agent, MemorySpec
from project_o.agent.tools import python_tool

TOOLS = {
    "add": (
        '(deftool add [#^ int a #^ int b] "Adds." (+ a b))',
        'def add(a: int, b: int):\n    """Adds."""\n    return a + b',
    ),
    "no doc": ("(deftool twice [x] (* x 2))", "def twice(x):\n    return x * 2"),
    "a default": ("(deftool shift [x [by 3]] (+ x by))", "def shift(x, by=3):\n    return x + by"),
    "a dash": ("(deftool to-upper [#^ str text] (.upper text))", "def to_upper(text: str):\n    return text.upper()"),
    "a choice": ("(deftool sign [x] (if (< x 0) -1 1))", "def sign(x):\n    return -1 if x < 0 else 1"),
    "steps": ("(deftool f [x] (setv y (+ x 1)) (* y y))", "def f(x):\n    y = x + 1\n    return y * y"),
    "a comprehension": ("(deftool g [xs] (lfor x xs (* x x)))", "def g(xs):\n    return [x * x for x in xs]"),
    "a string": ('(deftool h [a] (.join ", " a))', "def h(a):\n    return ', '.join(a)"),
    "an index": ("(deftool first [xs] (get xs 0))", "def first(xs):\n    return xs[0]"),
    "a comment": (";; why\n(deftool k [] ; none\n  5)", "# why\ndef k():\n    # none\n    return 5"),
}
DIFFERENT = {
    "another body": ("(deftool add [a b] (- a b))", "def add(a, b):\n    return a + b"),
    "another type": ("(deftool add [#^ int a] a)", "def add(a: str):\n    return a"),
    "another default": ("(deftool add [[a 1]] a)", "def add(a=2):\n    return a"),
    "another doc": ('(deftool add [a] "One." a)', 'def add(a):\n    """Two."""\n    return a'),
    "another name": ("(deftool add [a] a)", "def sub(a):\n    return a"),
}


def function(source):
    """The function that a text defines; its text is known, as that of a cell is."""
    file = f"<{abs(hash(source))}>"
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    space = {}
    exec(compile(source, file, "exec"), space)
    return next(value for name, value in space.items() if callable(value))


@pytest.mark.parametrize("pair", TOOLS.values(), ids=TOOLS)
def test_tools_that_mean_the_same_have_one_digest(lisp, pair):
    written, python = lisp(pair[0]), python_tool(function(pair[1]))
    assert written.digest == python.digest
    assert written.schema() == python.schema()


@pytest.mark.parametrize("pair", DIFFERENT.values(), ids=DIFFERENT)
def test_tools_that_differ_have_two(lisp, pair):
    assert lisp(pair[0]).digest != python_tool(function(pair[1])).digest


def answer(message):
    return message + "!"


def asking():
    from project_o.agent import llm_respond

    return llm_respond("hi")


AGENTS = {
    "a prompt": ('(defagent a "You add.")', lambda: Agent("a", "You add.")),
    "tools": (
        '(deftool add [#^ int a #^ int b] "Adds." (+ a b)) (defagent a "You add." :tools [add])',
        lambda: Agent("a", "You add.", tools=[function(TOOLS["add"][1])]),
    ),
    "a model": ('(defagent a "x" :model "local:m")', lambda: Agent("a", "x", model="local:m")),
    "a memory": (
        '(defmemory notes :capacity 10 :embedding "hash") (defagent a "x" :memory notes)',
        lambda: Agent("a", "x", memory=MemorySpec("notes", capacity=10, embedding="hash")),
    ),
    "a body": ('(defagent a "x" (+ message "!"))', lambda: Agent("a", "x", body=answer)),
    "a dash": ('(defagent my-agent "x")', lambda: Agent("my_agent", "x")),
}


@pytest.mark.parametrize("pair", AGENTS.values(), ids=AGENTS)
def test_agents_that_mean_the_same_have_one_digest(lisp, pair):
    written = lisp(pair[0])
    digest = written.digest
    assert pair[1]().digest == digest


def test_agents_that_differ_have_two(lisp):
    digests = {lisp(source).digest for source, _ in AGENTS.values()}
    assert len(digests) == len(AGENTS)


def test_an_agent_in_lisp_can_be_read_as_python_that_defines_the_same(lisp, house):
    from project_o.agent.python import source_of

    written = lisp(
        '(deftool add [#^ int a #^ int b] "Adds." (+ a b))\n'
        '(defagent calculator "You add." :tools [add] (if (has-tool? "add") (str (use add :a 1 :b 2)) "no"))'
    )
    digest, reply = written.digest, written("go")
    text, language = source_of(written, python=True)
    assert language == "python"
    file = "<shown>"
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    space = {}
    exec(compile(text, file, "exec"), space)
    assert space["calculator"].tools["add"].digest == written.tools["add"].digest
    assert space["calculator"]("go") == reply
    assert (space["calculator"].digest, house.agent("calculator")) == (digest, space["calculator"])
    assert source_of(written)[0].startswith("(deftool add")


LAMBDAS = {
    "a lambda": 'a = Agent("said", "x", body=lambda message: "said " + message)',
    "a lambda of its own": 'body = lambda message: "said " + message\na = Agent("said", "x", body=body)',
    "one of two": 'a = Agent("said", "x", body=(lambda m: None, lambda message: "said " + message)[1])',
}


@pytest.mark.parametrize("text", LAMBDAS.values(), ids=LAMBDAS)
def test_a_body_that_is_a_lambda_is_shown_as_the_function_that_it_is(house, text):
    from project_o.agent.python import source_of

    space = {"Agent": Agent}
    linecache.cache["<lambda>"] = (len(text), None, text.splitlines(True), "<lambda>")
    exec(compile(text, "<lambda>", "exec"), space)
    shown, language = source_of(space["a"])

    assert language == "python"
    if "[1]" in text:
        assert "whose text Python does not know" in shown, "which of them it is cannot be told"
        return
    exec(compile(shown, "<shown>", "exec"), again := {})
    assert again["said"]("hi") == space["a"]("hi") == "said hi"
