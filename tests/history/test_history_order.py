"""The notebook's code cells in order: from an open page, from the history, from the file."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from project_o.history import History, open_history
from project_o.history.order import CodeCell, code_cells
from project_o.history.redact import MARK


@pytest.fixture
def book(tmp_path: Path) -> Path:
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [
        nbformat.v4.new_markdown_cell("# words"),
        nbformat.v4.new_code_cell("one = 1", id="a"),
        nbformat.v4.new_code_cell("two = 2", id="b"),
    ]
    path = tmp_path / "book.ipynb"
    nbformat.write(notebook, path)
    return path


def opened(tmp_path: Path, notebook: Path | None = None, *, enabled: bool = True) -> History:
    return open_history(tmp_path, notebook, "k", enabled=enabled)


def test_nothing_is_known_where_there_is_nothing(tmp_path: Path) -> None:
    assert code_cells(opened(tmp_path)) == []
    assert code_cells(opened(tmp_path, tmp_path / "gone.ipynb")) == []


@pytest.mark.parametrize("enabled", [True, False])
def test_a_file_gives_the_order_before_anything_was_run(tmp_path: Path, book: Path, enabled: bool) -> None:
    assert code_cells(opened(tmp_path, book, enabled=enabled)) == [CodeCell(2, "one = 1"), CodeCell(3, "two = 2")]


def test_what_was_run_is_as_it_was_run(tmp_path: Path, book: Path, cell) -> None:
    history = opened(tmp_path, book)
    history.record(cell("a", "one = 11"))
    history.flush()

    assert code_cells(history) == [CodeCell(2, "one = 11"), CodeCell(3, "two = 2")]
    history.close()


def test_an_open_page_knows_best(tmp_path: Path, book: Path, cell) -> None:
    history = opened(tmp_path, book)
    history.record(cell("a", "one = 11"))
    secret = "sk-" + "a" * 30
    shown = [("b", "code", "two = 22"), ("m", "markdown", "# more"), ("a", "code", f"key = '{secret}'")]
    history.show({"cells": [{"id": name, "type": kind, "source": text, "metadata": {}} for name, kind, text in shown],
                  "metadata": {}})  # fmt: skip

    first, second = code_cells(history)
    assert first == CodeCell(1, "two = 22")
    assert second.place == 3
    assert MARK.search(second.source)
    assert secret not in second.source
    history.close()
