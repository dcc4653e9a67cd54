"""Python functions as a notebook has them."""

import itertools
import linecache

import pytest

_numbers = itertools.count()


@pytest.fixture
def python_function():
    """(source of a cell, name) -> the function of that name in it."""

    def make(source, name):
        file = f"<llm {next(_numbers)}>"
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        names = {"__name__": "__main__"}
        exec(compile(source, file, "exec"), names)
        return names[name]

    return make
