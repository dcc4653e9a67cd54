"""One call of a native function that does next to nothing: what is left is the price of calling it.

A visit makes CALLS calls in one loop and gives the time of one of them, the loop's own turn included: it is the same
for all of them. Every engine is called as its users call it.
"""

from __future__ import annotations

import ctypes
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import machinery, util
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np

from ..harness import Sample, UnavailableError, Visit, expect
from .compilers import shared_library

CALLS = 20_000
ISOLATED_CALLS = 2_000
LENGTH = 384
ZIG = """pub fn add(a: f64, b: f64) f64 {
    return a + b;
}
pub fn ends(a: []const f32, b: []const f32) f32 {
    return a[0] + b[b.len - 1];
}
"""
C = """double add(double a, double b) { return a + b; }
float ends(const float *a, long n, const float *b, long m) { (void)n; return a[0] + b[m - 1]; }
"""
C_DECLARATIONS = "double add(double, double); float ends(float *, long, float *, long);"
CYTHON = """# cython: language_level=3
cpdef double add(double a, double b):
    return a + b
cpdef float ends(const float[::1] a, const float[::1] b):
    return a[0] + b[b.shape[0] - 1]
"""
Way = Literal["module.function", "function", "cffi", "past the guard"]


def _arguments(arrays: bool) -> tuple[tuple[Any, Any], float]:
    if not arrays:
        return (1.5, 2.25), 3.75
    return (np.arange(LENGTH, dtype=np.float32), np.arange(LENGTH, dtype=np.float32)), LENGTH - 1.0


def _visits(
    call: Callable[[Any, Any], Any], arrays: bool, loop: Callable[..., None] | None = None, calls: int = CALLS
) -> Iterator[Visit]:
    (a, b), answer = _arguments(arrays)
    for _ in range(calls // 10):  # whatever looks at first calls has looked
        call(a, b)

    def turns(count: int) -> None:
        for _ in range(count):
            call(a, b)

    timed = loop or turns

    def visit() -> Sample:
        began = time.perf_counter()
        timed(calls)
        took = time.perf_counter() - began
        expect("the sum", answer, float(call(a, b)))
        return {"wall": took / calls}

    yield visit


@contextmanager
def zig_call(arrays: bool, way: Way = "module.function") -> Iterator[Visit]:
    """A native cell's function, through the slot that lets its version be swapped; checks and guard included."""
    from project_o import zig
    from project_o.toolchain import dispatcher

    made = dispatcher.wait(120)
    if not made.made:
        raise UnavailableError(f"no dispatcher: {made.how}")
    (a, b), _ = _arguments(arrays)
    kernels = zig(ZIG, "calls")
    if way == "cffi":
        version, name = kernels.slot.version, "ends" if arrays else "add"
        yield from _visits(lambda x, y: version.call(name, (x, y)), arrays)
        return
    if way == "past the guard":
        kernels = _past_the_guard(kernels)

    def with_arrays(count: int) -> None:
        for _ in range(count):
            kernels.ends(a, b)

    def with_numbers(count: int) -> None:
        for _ in range(count):
            kernels.add(a, b)

    function = kernels.ends if arrays else kernels.add
    yield from _visits(function, arrays, None if way == "function" else with_arrays if arrays else with_numbers)


def _past_the_guard(kernels: Any) -> Any:
    """The same functions, called by the dispatcher without the guard: what that costs is the difference."""
    from project_o import abi, toolchain
    from project_o.deploy import NativeModule, Slot
    from project_o.toolchain.host import host

    library = toolchain.load(kernels.slot.version.artifact)
    module, loaded = abi.dispatch.made(), library._loaded
    # SAFETY: as ``load._code``, with no guard; the two functions cannot fault.
    code = module.Code(loaded, 0, host().address_of(loaded.free), *loaded.text)

    class Bare:
        artifact, call = library.artifact, library.call

        def entry(self, name: str) -> Any:
            plan = abi.plan(self.artifact.interface.function(name))
            assert plan is not None
            where = host().address_of(loaded.functions[name])
            parts = (plan.parameters, plan.results, plan.make, plan.handle_cell, False, plan.arrays)
            return module.Entry(code, name, where, *parts)

    return NativeModule(Slot("bare", Bare()))


@contextmanager
def isolated_call(arrays: bool) -> Iterator[Visit]:
    """The same function in a process of its own for good, as ``--isolate`` has it."""
    from project_o import zig

    kernels = zig(ZIG, "isolated", isolate=True)
    yield from _visits(kernels.ends if arrays else kernels.add, arrays, calls=ISOLATED_CALLS)


def _serve(pipe: Any) -> None:
    functions = {"add": lambda a, b: a + b, "ends": lambda a, b: float(a[0] + b[-1])}
    while (asked := pipe.recv()) is not None:
        name, args = asked
        pipe.send(functions[name](*args))


@contextmanager
def process_call(arrays: bool) -> Iterator[Visit]:
    """A function of Python in a process that waits for it at the other end of a pipe, by ``multiprocessing``."""
    import multiprocessing

    context = multiprocessing.get_context("spawn")
    pipe, other = context.Pipe()
    process = context.Process(target=_serve, args=(other,), daemon=True)
    process.start()

    def call(a: Any, b: Any) -> Any:
        pipe.send(("ends" if arrays else "add", (a, b)))
        return pipe.recv()

    try:
        yield from _visits(call, arrays, calls=ISOLATED_CALLS)
    finally:
        pipe.send(None)
        process.join()


@contextmanager
def python_call(arrays: bool) -> Iterator[Visit]:
    """A Python function: what a call costs before anything native begins."""

    def add(a: float, b: float) -> float:
        return a + b

    def ends(a: Any, b: Any) -> float:
        return float(a[0] + b[-1])

    yield from _visits(ends if arrays else add, arrays)


@contextmanager
def numba_call(arrays: bool) -> Iterator[Visit]:
    """``@njit``, compiled at the first call for its arguments."""
    try:
        from numba import njit
    except ImportError:
        raise UnavailableError("numba is not installed") from None
    add, ends = njit(lambda a, b: a + b), njit(lambda a, b: a[0] + b[-1])
    yield from _visits(ends if arrays else add, arrays)


@contextmanager
def cython_call(arrays: bool) -> Iterator[Visit]:
    """``cpdef`` functions with typed arguments, compiled by gcc."""
    try:
        from Cython.Compiler.Main import CompilationOptions, compile_single, default_options
    except ImportError:
        raise UnavailableError("Cython is not installed") from None
    with tempfile.TemporaryDirectory(prefix="o-benchmark-cython-") as folder:
        source = Path(folder) / "o_cython.pyx"
        source.write_text(CYTHON, "utf-8")
        options = CompilationOptions(default_options, output_file=str(source.with_suffix(".c")))
        compiled = compile_single(str(source), options, "o_cython")
        path = shared_library(
            Path(compiled.c_file).read_text("utf-8"),
            Path(folder) / "built.so",
            f"-I{sysconfig.get_path('include')}",
            f"-I{np.get_include()}",
        )
        # SAFETY: just compiled, for this interpreter.
        loader = machinery.ExtensionFileLoader("o_cython", str(path))
        spec = util.spec_from_file_location("o_cython", str(path), loader=loader)
        assert spec is not None
        module = util.module_from_spec(spec)
        loader.exec_module(module)
        yield from _visits(module.ends if arrays else module.add, arrays)


@contextmanager
def cffi_call(arrays: bool) -> Iterator[Visit]:
    """cffi in ABI mode; arrays by ``from_buffer``, which checks that they are contiguous and not what they hold."""
    from cffi import FFI

    with tempfile.TemporaryDirectory(prefix="o-benchmark-cffi-") as folder:
        ffi = FFI()
        ffi.cdef(C_DECLARATIONS)
        # SAFETY: compiled from C, whose prototypes these are.
        library: Any = ffi.dlopen(str(shared_library(C, Path(folder) / "calls.so")))
        ends, kind, view = library.ends, ffi.typeof("float[]"), ffi.from_buffer

        def call(a: Any, b: Any) -> Any:
            return ends(view(kind, a), len(a), view(kind, b), len(b))

        yield from _visits(call if arrays else library.add, arrays)


@contextmanager
def ctypes_call(arrays: bool) -> Iterator[Visit]:
    """ctypes with argument types; arrays by their address, which checks nothing."""
    with tempfile.TemporaryDirectory(prefix="o-benchmark-ctypes-") as folder:
        # SAFETY: compiled from C, whose prototypes follow.
        library = ctypes.CDLL(str(shared_library(C, Path(folder) / "calls.so")))
        library.add.argtypes, library.add.restype = [ctypes.c_double] * 2, ctypes.c_double
        library.ends.argtypes = [ctypes.c_void_p, ctypes.c_long] * 2
        library.ends.restype = ctypes.c_float
        functions = SimpleNamespace(add=library.add, ends=library.ends)

        def call(a: Any, b: Any) -> Any:
            return functions.ends(a.ctypes.data, len(a), b.ctypes.data, len(b))

        yield from _visits(call if arrays else functions.add, arrays)
