"""One build of a changed native text: with the user's rights, and locked, as a text that nobody has read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import numpy as np

from project_o.errors import ToolchainMissing
from project_o.values import Program

from ..harness import Sample, UnavailableError, Visit, expect, timed
from .compilers import fresh_numbers

TEXTS = {
    "zig": "pub fn total(a: []const f64) f64 {{\n    var sum: f64 = {number};\n    for (a) |x| sum += x;\n"
    "    return sum;\n}}\n",
    "rust": "pub fn total(a: &[f64]) -> f64 {{\n    let mut sum = {number}.0;\n    for x in a {{ sum += x; }}\n"
    "    sum\n}}\n",
}
SORTS = {
    "zig": 'const std = @import("std");\npub fn sorted(a: []f64) void {{\n'
    "    std.sort.pdq(f64, a, {{}}, std.sort.asc(f64));\n}}\n",
    "rust": "pub fn sorted(a: &mut [f64]) {{\n    a.sort_unstable_by(f64::total_cmp);\n}}\n",
}


@contextmanager
def native_build(language: Literal["zig", "rust"], locked: bool, sorts: bool = False) -> Iterator[Visit]:
    """``toolchain.build``; with ``sorts`` the text instantiates the standard library's sort as well."""
    from project_o import toolchain
    from project_o.sandbox import shared_builder

    if language == "rust":
        try:
            toolchain.locate_rust()
        except ToolchainMissing as missing:
            raise UnavailableError(str(missing)) from None
    numbers = fresh_numbers()
    values = np.arange(10.0)

    def program(number: int) -> Program:
        text = (TEXTS[language] + (SORTS[language] if sorts else "")).format(number=number)
        file = f"cell.{'zig' if language == 'zig' else 'rs'}"
        return Program("proposed" if locked else "own", language, ((file, text),))

    if locked:  # the user's own text, from which the proposed ones are made
        toolchain.build(program(next(numbers)))

    def visit() -> Sample:
        number = next(numbers)
        sample: dict[str, float] = {}
        with timed(sample):
            artifact = toolchain.build(program(number), box=shared_builder() if locked else None)
        expect("total", values.sum() + number, toolchain.load(artifact).call("total", [values]))
        expect("cached", False, artifact.cached)
        return sample

    yield visit
