"""Calls in a model's text: only registered names and types, and nothing is ever evaluated."""

from __future__ import annotations

import builtins
import json
import random
import re
from typing import Literal

import hy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from project_o.errors import UsageError
from project_o.lisp.calls import written_calls
from project_o.lisp.functions import tool_of
from project_o.lisp.grammar import gbnf, json_schema

CARRIED_OUT = []


def add(a: int, b: int = 0):
    """Add."""
    CARRIED_OUT.append((a, b))
    return a + b


def find_all(text: str, exact: bool = False, weights: list = (), options: dict = None, scale: float = 1.0):  # noqa: RUF013
    """Find."""


def look(thing=None):
    """Look."""


def paint(colour: Literal["red", "äöü"], coats: Literal[1, 2] | None = None):
    """Paint."""


TOOLS = [tool_of(add), tool_of(find_all, name="find-all"), tool_of(look), tool_of(paint)]

GOOD = {
    "(add a: 1 b: 2)": [("add", {"a": 1, "b": 2})],
    " (add a:-3)\n": [("add", {"a": -3})],
    "(add a: 1, b: 2)": [("add", {"a": 1, "b": 2})],
    '(find-all text: "a \\"b\\" (c)" exact: true)': [("find-all", {"text": 'a "b" (c)', "exact": True})],
    '(find_all text: "x" weights: [1 2.5, -1e3] options: {"k": [null, {}]} scale: 2)': [
        ("find-all", {"text": "x", "weights": [1, 2.5, -1000.0], "options": {"k": [None, {}]}, "scale": 2})
    ],
    "(look)": [("look", {})],
    '(paint colour: "äöü" coats: 2)': [("paint", {"colour": "äöü", "coats": 2})],
    '(paint colour: "red" coats: null)': [("paint", {"colour": "red", "coats": None})],
    "(look thing: null)\n(add a: 1)": [("look", {"thing": None}), ("add", {"a": 1})],
}


@pytest.mark.parametrize("text", GOOD)
def test_a_call_is_read(text):
    assert [(call.name, call.arguments) for call in written_calls(text, TOOLS)] == GOOD[text]


@pytest.mark.parametrize(
    "text",
    [
        "", "It is 42.", "(see above)", "(a: 1)", "()", "( )", "((add a: 1))", '"(add a: 1)"', "x (add a: 1)",
        "(add 1 2)", '(eval "1")', '(__import__ "os")', "(print (add 1))", ":)", "(1 2)", "(add . a)", "`(add a: 1)`",
    ],
)  # fmt: skip
def test_what_is_no_call_is_text(text):
    assert written_calls(text, TOOLS) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("(remove a: 1)", "there is no tool remove: there are add, find-all, look"),
        ("(eval code: \"1\")", "there is no tool eval"),
        ("(add a: 1 c: 2)", "add has no parameter c: it has a, b"),
        ("(add a: 1 a: 2)", "a is given twice"),
        ("(add b: 2)", "add needs a"),
        ('(add a: "1")', 'add: a must be integer, not "1"'),
        ("(add a: 1.5)", "must be integer"),
        ("(add a: true)", "must be integer"),
        ("(add a: null)", "must be integer"),
        ("(add a: (add a: 1))", "where a value must stand"),
        ("(add a: __import__)", "where a value must stand"),
        ("(add a: 1+1)", "where 'name: value' or ')' must stand"),
        ("(add a: 0x10)", "where a value must stand"),
        ("(add a: 1", "the text ends where 'name: value'"),
        ("(add a: ", "the text ends where a value"),
        ("(add a: 1) and then", "write calls only"),
        ('(find-all text: f"{1}")', "where a value must stand"),
        ("(find-all text: 'x')", "where a value must stand"),
        ('(find-all text: "a\nb")', "where a value must stand"),
        ("(look thing: " + "[" * 200, "nested deeper"),
        ("(look) " * 20, "write calls only"),
    ],
)  # fmt: skip
def test_a_bad_call_is_told(text, problem):
    (call,) = written_calls(text, TOOLS)

    assert problem in call.problem
    assert call.arguments == {}


parts = st.sampled_from(
    ["(", ")", "[", "]", "{", "}", '"', ":", " ", "\n", ",", "add", "find-all", "look", "a:", "b: ", "text: ", "1",
     "-2.5", "true", "null", '"x"', "eval", "__import__('os').system('x')", "#[[", "~@", "`", "'",
     "\\u0028", "hy.eval", ";", "\x00"]
)  # fmt: skip


@settings(max_examples=600, deadline=None)
@given(st.one_of(st.text(max_size=200), st.lists(parts, max_size=30).map("".join)))
def test_arbitrary_text_is_never_evaluated(text):
    """Whatever the text: nothing runs while it is read, and what is read is a typed call of a registered tool."""
    CARRIED_OUT.clear()
    refuse = {name: lambda *a, **k: pytest.fail("evaluated") for name in ("eval", "exec", "compile", "__import__")}
    kept = {name: getattr(builtins, name) for name in refuse}
    hy_eval = hy.eval
    try:
        vars(builtins).update(refuse)
        hy.eval = refuse["eval"]
        calls = written_calls(text, TOOLS)
    finally:
        vars(builtins).update(kept)
        hy.eval = hy_eval

    assert CARRIED_OUT == []
    assert len([call for call in calls if call.problem]) in (0, len(calls))
    for call in calls:
        if not call.problem:
            tool = next(tool for tool in TOOLS if tool.name == call.name)
            assert set(call.arguments) <= {item.name for item in tool.parameters}
            assert json.loads(json.dumps(call.arguments)) == call.arguments


# ------------------------------------------------------------------------------- the grammar


class Grammar:
    """Random texts of a GBNF grammar: alternatives, sequences, groups, ? and *, classes, bounds."""

    TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\]|\{\d+,\d+\}|[()|?*]|[\w-]+')

    def __init__(self, text: str) -> None:
        self.rules = dict(re.findall(r"^([\w-]+) ::= (.*)$", text, re.MULTILINE))

    def say(self, rule: str, chance: random.Random, depth: int = 0) -> str:
        return self._choice(self.TOKEN.findall(self.rules[rule]), chance, depth)

    def _choice(self, tokens, chance, depth):
        """One alternative of several, drawn before it is said."""
        options, open_brackets = [[]], 0
        for token in tokens:
            open_brackets += (token == "(") - (token == ")")
            if token == "|" and not open_brackets:
                options.append([])
            else:
                options[-1].append(token)
        said, rest = "", chance.choice(options)
        while rest:
            item, rest = self._item(rest, chance, depth)
            said += item
        return said

    def _item(self, tokens, chance, depth):
        end = 1
        if tokens[0] == "(":
            open_brackets = 1
            while open_brackets:
                open_brackets += (tokens[end] == "(") - (tokens[end] == ")")
                end += 1
        item, rest = tokens[:end], tokens[end:]
        sign = rest[0] if rest else ""
        counts = {"?": (0, 1), "*": (0, 2)}.get(sign, (1, 1))
        if sign.startswith("{"):
            low, high = map(int, sign[1:-1].split(","))
            counts = (low, min(high, low + 3))
        repeated = sign in ("?", "*") or sign.startswith("{")
        times = chance.randint(*counts)
        one = (
            (lambda: self._choice(item[1:-1], chance, depth))
            if end > 1
            else (lambda: self._one(item[0], chance, depth))
        )
        return "".join(one() for _ in range(times)), rest[1:] if repeated else rest

    def _one(self, token, chance, depth):
        if token.startswith('"'):
            return json.loads(token)
        if token.startswith("["):
            known = {"[0-9]": "0123456789", "[1-9]": "123456789", "[0-9a-fA-F]": "09afAF", '["\\\\/bfnrt]': '"\\/bfnrt'}
            return chance.choice(known.get(token, "ab ():,é"))
        if depth > 4 and token in ("any", "array", "object"):
            return {"any": "null", "array": "[]", "object": "{}"}[token]
        return self.say(token, chance, depth + 1)


def test_every_text_of_the_grammar_is_a_call_that_can_be_carried_out():
    grammar, chance = Grammar(gbnf(TOOLS)), random.Random(7)
    texts = {grammar.say("root", chance) for _ in range(1500)}
    bad = [(text, call.problem) for text in texts for call in written_calls(text, TOOLS) if call.problem]

    assert len(texts) > 500
    assert not bad, bad[:3]
    assert all(len(written_calls(text, TOOLS)) == 1 for text in texts)


def test_the_schema_says_the_same():
    schema = json_schema(TOOLS)

    assert [one["properties"]["tool"]["const"] for one in schema["anyOf"]] == ["add", "find_all", "look", "paint"]
    assert schema["anyOf"][0]["properties"]["arguments"]["required"] == ["a"]
    assert schema["anyOf"][3]["properties"]["arguments"]["properties"]["colour"]["enum"] == ["red", "äöü"]
    with pytest.raises(UsageError, match="no tools"):
        json_schema([])
    with pytest.raises(UsageError, match="no tools"):
        gbnf([])
