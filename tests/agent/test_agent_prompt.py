"""What of the notebook goes into a message, and what stays out of it."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from project_o import limits
from project_o.agent.prompt import filled
from project_o.errors import AgentError


class Broken:
    def __str__(self):
        raise ValueError("no")


SPACE = {
    "x": 20,
    "name": "O",
    "row": [1, 2, {"deep": "down"}],
    "In": ["", "a = 1", "b = 2"],
    "Out": {2: 3.5},
    "Err": {2: "ValueError: wrong"},
    "api_key": "value-of-a-variable",
    "broken": Broken(),
    "_": None,
}


def plain(text):
    return text


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("{x} and {name}", "20 and O"),
        ("{In[1]} gave {Out[2]} or {Err[2]}", "a = 1 gave 3.5 or ValueError: wrong"),
        ("{row[2]['deep']} {row[-1]} {name.__class__}", "down {'deep': 'down'} {name.__class__}"),
        ("{unknown} {Out[9]} {x.nothing} {row[99]}", "{unknown} {Out[9]} {x.nothing} {row[99]}"),
        ("{{x}} {{ {x} }}", "{{x}} {{ 20 }}"),
        ('{"x": 1, "y": {"x": [1]}}', '{"x": 1, "y": {"x": [1]}}'),
        ("{ x } {x:>5} {x!r} {1} {}", "{ x } {x:>5} {x!r} {1} {}"),
        ("{__import__('os')} {x + 1}", "{__import__('os')} {x + 1}"),
        ("{broken}", "[a Broken that cannot be shown: ValueError]"),
    ],
)
def test_names_are_filled_in_and_everything_else_is_left_alone(message, expected):
    assert filled(message, SPACE, plain) == expected


@settings(max_examples=40, deadline=None)
@given(st.recursive(st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner) | st.lists(inner)))
def test_json_survives_unless_it_holds_a_field(value):
    text = "see " + json.dumps(value)
    assert filled(text, {}, plain) == text


@pytest.mark.parametrize("message", ["", "  \n\t "])
def test_an_empty_message_is_refused(message):
    with pytest.raises(AgentError, match="the message is empty"):
        filled(message, SPACE, plain)


def test_a_large_value_is_cut_and_a_large_message_refused():
    text = filled("{big}", {"big": "y" * 1_000_000}, plain)
    assert len(text) < limits.INTERPOLATION_CHARACTERS_MAX + 100
    assert "980,000 of 1,000,000 characters left out" in text
    with pytest.raises(AgentError, match="at most 200,000 are sent"):
        filled("z" * 200_001, {}, plain)


def test_what_looks_like_a_secret_is_not_sent(house, monkeypatch):
    monkeypatch.setenv("MY_TOKEN", "a-long-secret-value")
    space = {**SPACE, "env": {"OPENAI_KEY": "q" * 12}, "text": "sk-" + "a" * 24}
    message = "{api_key} {text} {env['OPENAI_KEY']} a-long-secret-value"
    sent = filled(message, space, house.redact)
    for secret in ("value-of-a-variable", "sk-aaa", "qqqq", "a-long-secret"):
        assert secret not in sent
    assert sent.count("[redacted ") == 4
