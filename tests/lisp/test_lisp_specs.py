"""Specs: what Lisp and Python both build."""

from __future__ import annotations

from typing import Annotated, Literal, Optional

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from project_o.errors import AgentError, UsageError
from project_o.lisp import AgentSpec, MemorySpec, Specs, ToolParameter, ToolSpec
from project_o.lisp.arguments import read_literal, written_arguments
from project_o.lisp.embedding import HashEmbedding, rank
from project_o.lisp.functions import tool_of


def weigh(item: Annotated[str, "what to weigh"], times: int = 2, *, exact: bool = False) -> float:
    """Weigh something."""
    return len(item) * times + exact


def test_a_python_function_is_a_tool_of_the_same_kind():
    tool = tool_of(weigh, source="text")

    assert (tool.name, tool.doc, tool.language) == ("weigh", "Weigh something.", "python")
    assert tool("ab") == 4
    assert tool.schema()["properties"] == {
        "item": {"type": "string", "description": "what to weigh"},
        "times": {"type": "integer", "default": 2},
        "exact": {"type": "boolean", "default": False},
    }
    assert tool.schema()["required"] == ["item"]


def choosy(
    mode: Literal["fast", "slow"],
    count: int | None = None,
    level: Optional[Literal[1, 2]] = 1,  # noqa: UP045 - as many write it
    either: int | str = 0,
    mixed: Literal["a", 1] = "a",
    needed: int | None = None,
):
    """Chooses."""


def test_optional_hints_and_choices_are_in_the_schema():
    found = {item.name: (item.type, item.choices) for item in tool_of(choosy).parameters}

    assert found == {
        "mode": ("string", ("fast", "slow")),
        "count": ("integer", ()),
        "level": ("integer", (1, 2)),
        "either": ("any", ()),
        "mixed": ("any", ()),
        "needed": ("integer", ()),
    }
    assert tool_of(choosy).schema()["properties"]["mode"] == {"type": "string", "enum": ["fast", "slow"]}


def test_lisp_and_python_tools_with_equal_parameters_have_equal_schemas(notebook):
    def add(a: int, b: int = 2) -> int:
        """Add."""
        return a + b

    assert notebook('(deftool add [#^ int a #^ int [b 2]] "Add." (+ a b))').schema() == tool_of(add).schema()


def test_a_memory_may_have_nothing_but_what_it_is_for(notebook):
    assert notebook('(defmemory notes "What was said.")').digest == MemorySpec("notes", doc="What was said.").digest


@pytest.mark.parametrize("function", [lambda *a: a, lambda **a: a, eval("lambda a, /: a")])
def test_arguments_without_a_name_are_refused(function):
    with pytest.raises(UsageError, match="cannot be given by name"):
        tool_of(function, name="t")


@pytest.mark.parametrize("name", ["", "a b", "1a", 5, None, "a.b", "("])
def test_names_must_be_names(name):
    for make in (lambda: AgentSpec(name), lambda: MemorySpec(name), lambda: ToolSpec(name, "", (), len)):
        with pytest.raises(UsageError, match="cannot be the name"):
            make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: ToolParameter("a", "int"),
        lambda: ToolSpec("t", "", (ToolParameter("a-b"), ToolParameter("a_b")), len),
        lambda: AgentSpec("a", tools=("my-tool", "my_tool")),
        lambda: MemorySpec("m", capacity=0),
        lambda: MemorySpec("m", top=2.5),
        lambda: MemorySpec("m", weight=1.5),
        lambda: MemorySpec("m", embedding="x"),
    ],
)
def test_values_that_cannot_be_meant_are_refused(make):
    with pytest.raises(UsageError):
        make()


def test_tools_have_names_that_models_take():
    assert AgentSpec("ready?").name == "ready?"
    for name in ("ready?", "<lambda>"):
        with pytest.raises(UsageError, match="cannot be the name of a tool"):
            tool_of(weigh, name=name)


def test_the_registry_finds_by_either_spelling_and_names_what_there_is():
    specs = Specs()
    tool = specs.define(ToolSpec("my-tool", "", (), len))
    specs.define(MemorySpec("notes"))

    assert specs.tool("my_tool") is specs.tool("my-tool") is tool
    assert specs.names() == ("my-tool", "notes")
    assert len(specs) == len(list(specs)) == 2
    with pytest.raises(AgentError, match=r"no tool is called other: there is my-tool"):
        specs.tool("other")
    with pytest.raises(AgentError, match=r"no agent is called a: no agent is defined yet"):
        specs.agent("a")


def test_digests_are_of_what_counts():
    base = AgentSpec("a", "doc", ("t",), source="s", line=1)

    assert base.digest == AgentSpec("a", "doc", ("t",), source="s", line=9, body=print).digest
    assert len({base.digest, AgentSpec("b", "doc", ("t",), source="s").digest, AgentSpec("a", "x", ("t",)).digest}) == 3
    assert MemorySpec("m", weight=1).digest == MemorySpec("m", weight=1.0, source="x").digest


# ------------------------------------------------------------------------------- arguments in messages


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("add a: 2, b=3.", {"a": 2, "b": 3}),
        ("note: \"two words\" kind='x y'", {"note": "two words", "kind": "x y"}),
        ("my-name: Ann! loud: true none: null", {"my_name": "Ann", "loud": True, "none": None}),
        ("list: [1, 2] map={'a': 1} ratio: -1.5e3", {"list": [1, 2], "map": {"a": 1}, "ratio": -1500.0}),
        ("see http://a.b/c?d at 12:30, if a == b", {}),
        ("", {}),
    ],
)
def test_named_arguments_are_found_in_messages(message, expected):
    assert written_arguments(message) == expected


@settings(deadline=None)
@given(st.text())
def test_any_message_can_be_searched(message):
    assert isinstance(written_arguments(message), dict)


@settings(deadline=None)
@given(st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none()))
def test_literals_are_read_back(value):
    assert read_literal(repr(value)) == value


# ------------------------------------------------------------------------------- embedding


def test_the_embedding_ranks_by_words_and_their_parts():
    texts = ["The cat sat on the mat", "Stock prices fell today", "My dog likes bones", "Evolution of programs"]

    assert rank("dogs and a bone", texts, 1)[0][0] == 2
    assert rank("the price of a stock", texts, 1)[0][0] == 1
    assert rank("programms evolve", texts, 1)[0][0] == 3
    assert rank("anything", [], 3) == []
    assert all(score == 0 for _, score in rank("", texts, 4))


def test_rare_words_count_more():
    texts = [*(f"note number {k} of the day" for k in range(30)), "note on zebras"]

    assert rank("note on the zebras of the day", texts, 1)[0][0] == 30


@settings(deadline=None)
@given(st.text(), st.text())
def test_vectors_are_normed_and_reproducible(first, second):
    embedding = HashEmbedding()
    embedding.learn([first])

    vector = embedding.embed(second)

    assert vector.shape == (512,)
    assert str(vector.dtype) == "float32"
    length = float((vector**2).sum())
    assert length == 0 or abs(length - 1) < 1e-5
    assert (vector == embedding.embed(second)).all()
