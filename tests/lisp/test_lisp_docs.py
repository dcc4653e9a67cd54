"""docs/lisp.md: every example is run, and gives the value that it shows behind ``;=>``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from project_o.errors import LispError
from project_o.lisp import words

PAGE = Path(__file__).parents[2] / "docs" / "lisp.md"
BLOCK = re.compile(r"^```(python|hylang)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHOWN = re.compile(r";=> (.*)")


def test_every_example_gives_what_it_shows(notebook):
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    shown = 0

    for language, text in blocks:
        if language == "python":
            exec(text, vars(notebook.names))
            continue
        value = notebook(text)
        if found := SHOWN.search(text):
            assert value == eval(found[1]), text
            shown += 1

    assert (len(blocks), shown) == (11, 7)
    assert notebook.names.job.loaded.ok
    assert notebook.specs.agent("reminder").memory == "notes"


def test_every_form_and_function_has_its_place():
    page = PAGE.read_text(encoding="utf-8")
    for name in ("deftool", "defmemory", "defagent", "when->"):
        assert f"### {name}\n" in page
    for name in words.FUNCTIONS:
        assert f"({name}" in page or f"`{name.replace('-', '_')}`" in page, name


@pytest.mark.parametrize(
    "cell",
    [
        "(defn f [x]",
        "\n\n(b [c)",
        "(defagent a\n  :tool [add])",
        "\n(/ 1 0)",
        "(defmacro m [x] `(m ~x))\n\n(m 1)",
    ],
)
def test_errors_are_quoted_as_they_are_said(notebook, cell):
    with pytest.raises(LispError) as found:
        notebook(cell, offset=1)

    assert f"    LispError: {found.value}\n" in PAGE.read_text(encoding="utf-8")
