"""The text of a restored notebook is the text that nbformat would write."""

import json

import nbformat
from hypothesis import given, settings
from hypothesis import strategies as st

from project_o.history.pretty import indented, pretty

TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
DATA = st.dictionaries(
    st.sampled_from(["text/plain", "text/html", "image/svg+xml", "image/png", "application/javascript"]), TEXT
)
OUTPUTS = st.one_of(
    TEXT.map(lambda text: {"output_type": "stream", "name": "stdout", "text": text}),
    DATA.map(
        lambda data: {"output_type": "display_data", "data": data | {"application/json": {"a": [1]}}, "metadata": {}}
    ),
    TEXT.map(lambda text: {"output_type": "error", "ename": text, "evalue": text, "traceback": [text]}),
)
CODE = st.fixed_dictionaries(
    {
        "cell_type": st.just("code"),
        "source": TEXT,
        "metadata": st.just({}),
        "outputs": st.lists(OUTPUTS, max_size=3),
        "execution_count": st.none() | st.integers(0, 9),
    }
)
MARKDOWN = st.fixed_dictionaries(
    {"cell_type": st.just("markdown"), "source": TEXT, "metadata": st.just({})},
    optional={"attachments": st.dictionaries(TEXT, DATA, max_size=2)},
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(CODE, MARKDOWN), max_size=4))
def test_as_nbformat_writes_it(cells):
    cells = [{"id": f"c{number}", **cell} for number, cell in enumerate(cells)]
    body = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"b": 1, "a": {}}, "cells": cells}

    expected = nbformat.v4.nbjson.JSONWriter().writes(nbformat.from_dict(json.loads(json.dumps(body))))
    assert pretty(body) == expected + "\n"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(VALUES)
def test_indented_as_json_writes_it(value):
    expected = json.dumps(value, ensure_ascii=False, indent=1)
    assert indented(value) == expected
