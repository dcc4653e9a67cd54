"""What IPython shows of a function at Shift-Tab: its own signature and documentation, nothing that contradicts them."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import numpy as np
import pytest
from IPython.core.oinspect import Inspector

from project_o.deploy import NativeModule, Slot
from project_o.toolchain import Version
from project_o.values import Artifact

ZIG = """
/// Adds *two* numbers.
pub fn add(first: []const f64, second: f64) f64 { return first[0] + second; }
"""
RUST = """
/// Adds *two* numbers.
pub fn add(first: &[f64], second: f64) -> f64 { first[0] + second }
"""


@pytest.mark.parametrize("language", ["zig", "rust"])
def test_a_functions_tooltip(language: str, made: object, request: pytest.FixtureRequest) -> None:
    compiled = request.getfixturevalue("compiled" if language == "zig" else "compiled_rust")
    names = {"add": (("first", "second"), "Adds *two* numbers.", 2)}
    artifact = compiled(ZIG if language == "zig" else RUST, names=names)
    module = NativeModule(Slot("m", Version(artifact)))
    add = module.add

    newer = "theme_name" in inspect.signature(Inspector).parameters
    shown = (Inspector(theme_name="nocolor") if newer else Inspector()).info(add, oname="m.add")

    assert shown["definition"] == "m.add(first: 'float64 array', second: 'float') -> 'float'"
    assert shown["docstring"] == "Adds *two* numbers."
    assert shown["call_def"] is None
    assert shown["call_docstring"] is None
    assert add([1.0], 2.0) == add.__call__([1.0], second=2.0) == 3.0


def test_a_text_may_be_bytes_or_an_image_too(compiled: Callable[..., Artifact], made: object) -> None:
    head = "pub fn count(data: []const u8, name: [:0]const u8, more: ?[]const u8) []const u8"
    text = head + " { _ = name; _ = more; return data; }"
    count = NativeModule(Slot("m", Version(compiled(text, names={"count": (("data", "name", "more"), "", 1)})))).count

    words = "data: str | bytes | uint8 array, name: str | bytes, more: str | bytes | uint8 array | None"
    assert repr(count) == f"<zig function count({words}) -> str>"
    assert [item.annotation for item in inspect.signature(count).parameters.values()] == [
        word.split(": ")[1] for word in words.split(", ")
    ]
    image = np.full((2, 2), 65, np.uint8)
    assert count("AAAA", "n", None) == count(b"AAAA", b"n", b"") == count(image, "n", "x") == "AAAA"
