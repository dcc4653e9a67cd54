"""Edit to first result: a native function gets another constant, is built, called on two arrays, and checked.

The texts are ``benchmarks/texts``: about 60 lines, of which a peer that compiles only what is called compiles less.
"""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from project_o.errors import CompileError, ToolchainMissing
from project_o.values import Mode

from ..harness import Sample, UnavailableError, Visit, expect, timed
from ..kernels import Kernel
from ..texts import LENGTH, rows, text
from .compilers import fresh_numbers, gcc, shared_library

OPTIMISED_SECONDS = 120.0
LOOK_SECONDS = 0.001
IMPORTS = f"""import numpy as np
a = np.arange({LENGTH}, dtype=np.float32) % 7
b = np.arange({LENGTH}, dtype=np.float32) % 5
"""
BY_HAND = """
import ctypes, subprocess
open("dot{number}.c", "w").write({source!r})
subprocess.run(["gcc", "{level}", "-shared", "-fPIC", "-o", "./dot{number}.so", "dot{number}.c", "-lm"], check=True)
edited = ctypes.CDLL("./dot{number}.so").dot
edited.restype = ctypes.c_float
edited.argtypes = [np.ctypeslib.ndpointer(np.float32), np.ctypeslib.ndpointer(np.float32), ctypes.c_long]
"""
ZIG_ROOT = """const cell = @import("cell.zig");
export fn dot(a: [*]const f32, b: [*]const f32, n: usize) f32 {
    return cell.dot(a[0..n], b[0..n]);
}
comptime {
    for (@typeInfo(cell).@"struct".decl_names) |name| _ = &@field(cell, name);
}
"""


@contextmanager
def native_edit(file: str, mode: Mode = "safe", trial: bool = True, optimised: bool = True) -> Iterator[Visit]:
    """``project_o.zig`` or ``project_o.rust``: interface, guard, first call tried in the sandbox.

    ``optimised`` is the time until the optimised build has taken the quick one's place; where it is not waited for,
    that build is ended, so that nobody else is measured beside it.
    """
    from project_o import rust, toolchain, zig

    language = rust if file.endswith(".rs") else zig
    if language is rust:
        try:
            toolchain.locate_rust()
        except ToolchainMissing as missing:
            raise UnavailableError(str(missing)) from None
    a, b, product = rows()
    numbers = fresh_numbers()
    name = f"edited_{mode}_{trial}_{file.partition('.')[0]}"

    def visit() -> Sample:
        number = next(numbers)
        sample: dict[str, float] = {}
        source, began = text(file, number), time.perf_counter()
        with timed(sample):
            module = language(source, name, mode=mode, trial=trial)
            answer = module.dot(a, b)
        expect("dot", float(product + number), answer)
        if optimised:
            wait_until_optimised(module)
            sample["optimised"] = time.perf_counter() - began
            expect("dot, optimised", float(product + number), module.dot(a, b))
        else:
            # In another mode, so by another server: this one is asked for edits of one text, as a user's is.
            another: Mode = "fast" if mode == "safe" else "safe"
            wait_until_optimised(language(f"pub fn nothing() void {{}}\n// {number}\n", name, mode=another))
        return sample

    yield visit


def wait_until_optimised(module: object) -> None:
    """Return once the optimised build of this native module serves. Raises WrongAnswerError where it never will."""
    from project_o import api

    name, deadline = module.slot.name, time.monotonic() + OPTIMISED_SECONDS  # type: ignore[attr-defined]
    while (build := api.current().serving(name)[0].build) != "optimised":
        expect("a build on its way", True, time.monotonic() < deadline and build.startswith("quick, "))
        time.sleep(LOOK_SECONDS)


@contextmanager
def native_error() -> Iterator[Visit]:
    """An edit that does not compile, until the errors are there as text and as HTML."""
    from project_o import zig
    from project_o.view.compiler import show_compile_error

    numbers = fresh_numbers()
    zig(text("kernel.zig", next(numbers)), "wrong")

    def visit() -> Sample:
        source = text("kernel.zig", next(numbers)).replace("return best;", "return bets;")
        sample: dict[str, float] = {}
        with timed(sample):
            try:
                zig(source, "wrong")
                shown = ""
            except CompileError as error:
                page = show_compile_error(error)
                shown = page.plain if "bets" in page.html else ""
        expect("the error is shown", True, "undeclared identifier 'bets'" in shown)
        return sample

    yield visit


@contextmanager
def gcc_error(level: str) -> Iterator[Visit]:
    """The same by hand: what gcc says."""
    numbers = fresh_numbers()
    with tempfile.TemporaryDirectory(prefix="o-benchmark-gcc-") as folder:
        code = Path(folder) / "wrong.c"
        command = [gcc(), level, "-shared", "-fPIC", "-o", str(code.with_suffix(".so")), str(code)]

        def visit() -> Sample:
            source = text("kernel.c", next(numbers)).replace("return best;", "return bets;")
            sample: dict[str, float] = {}
            with timed(sample):
                code.write_text(source, "utf-8")
                said = subprocess.run(command, capture_output=True, text=True, check=False).stderr
            expect("the error is shown", True, "bets" in said)
            return sample

        yield visit


def _by_hand(folder: str, build: Callable[[int, Path], Path]) -> Visit:
    a, b, product = rows()
    numbers = fresh_numbers()

    def visit() -> Sample:
        number = next(numbers)
        sample: dict[str, float] = {}
        with timed(sample):
            library = build(number, Path(folder) / f"dot{number}.so")
            # SAFETY: dot reads LENGTH floats from either row, and both rows have that many and outlive the call.
            dot = ctypes.CDLL(str(library)).dot
            dot.restype = ctypes.c_float
            dot.argtypes = [np.ctypeslib.ndpointer(np.float32), np.ctypeslib.ndpointer(np.float32), ctypes.c_long]
            answer = dot(a, b, LENGTH)
        expect("dot", float(product + number), answer)
        return sample

    return visit


@contextmanager
def gcc_edit(level: str) -> Iterator[Visit]:
    """gcc, ``ctypes.CDLL``, argument types by hand; no checks, no guard, no trial."""
    gcc()
    with tempfile.TemporaryDirectory(prefix="o-benchmark-gcc-") as folder:
        yield _by_hand(folder, lambda number, path: shared_library(text("kernel.c", number), path, level, "-lm"))


@contextmanager
def zig_by_hand(file: str) -> Iterator[Visit]:
    """``zig build-lib -dynamic`` in Debug, its caches kept, ``ctypes.CDLL``."""
    from project_o import toolchain

    zig = str(toolchain.locate())
    with tempfile.TemporaryDirectory(prefix="o-benchmark-zig-", ignore_cleanup_errors=True) as folder:
        (Path(folder) / "root.zig").write_text(ZIG_ROOT, "utf-8")

        def build(number: int, path: Path) -> Path:
            (Path(folder) / "cell.zig").write_text(text(file, number), "utf-8")
            command = [zig, "build-lib", "-dynamic", "-lc", "--name", "dot", f"-femit-bin={path}", "root.zig"]
            caches = ["--cache-dir", "cache", "--global-cache-dir", "global"]
            subprocess.run([*command, *caches], cwd=folder, check=True, stdin=subprocess.DEVNULL)
            return path

        yield _by_hand(folder, build)


@contextmanager
def zig_cell() -> Iterator[Visit]:
    """Two cells in a project-o kernel that records its history: ``%%zig``, and the call."""
    yield from _in_kernel(
        "project_o.kernel", lambda number: "%%zig edited\n" + text("kernel.zig", number), "edited.dot(a, b)"
    )


@contextmanager
def gcc_cell(level: str) -> Iterator[Visit]:
    """Two cells in a plain kernel: gcc and ctypes, and the call."""
    gcc()
    yield from _in_kernel(
        "ipykernel_launcher",
        lambda number: BY_HAND.format(number=number, source=text("kernel.c", number), level=level),
        f"edited(a, b, {LENGTH})",
    )


def _in_kernel(module: str, edit: Callable[[int], str], call: str) -> Iterator[Visit]:
    product = rows()[2]
    numbers = fresh_numbers()
    with Kernel(module) as kernel:
        kernel.run(IMPORTS, "rows")
        ours = module == "project_o.kernel"

        def visit() -> Sample:
            number = next(numbers)
            built = kernel.run(edit(number), "edit")
            called = kernel.run(call, "call")
            expect("dot", float(product + number), float(called.text))
            while ours and kernel.run("edited.slot.version.tier", "tier").text != "'optimised'":
                time.sleep(LOOK_SECONDS)  # or the next one is measured beside that build
            return {"wall": built.seconds + called.seconds}

        yield visit
