"""The same edit by tools that bring native code to Python: numba, Cython, rustimport, import-zig.

The last two need another Zig than ours, or fetch crates, so they live in a Python of their own:
``PROJECT_O_PEERS=/path/to/python`` names one where ``pip install numpy rustimport import-zig`` was run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import machinery, util
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..harness import Sample, UnavailableError, Visit, expect, timed
from ..texts import rows, text
from .compilers import fresh_numbers, shared_library

RUSTIMPORT = """
import importlib, pathlib, rustimport, sys
sys.path.insert(0, ".")
def built(source, number):
    name = f"dot{number}"
    pathlib.Path(name + ".rs").write_text(source)
    return rustimport.imp(name).dot
"""
IMPORT_ZIG = """
from import_zig import import_zig
def built(source, number):
    return import_zig(source_code=source).dot
"""
WORKER = """
import json, time
a = [float(k % 7) for k in range(384)]
b = [float(k % 5) for k in range(384)]
import os, sys
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what compilers say is no answer
for line in sys.stdin:
    order = json.loads(line)
    began = time.perf_counter()
    answer = built(order["source"], order["number"])(a, b)
    print(json.dumps([time.perf_counter() - began, answer]), file=answers, flush=True)
"""


def _visits(built: Callable[[int], Callable[..., Any]]) -> Iterator[Visit]:
    a, b, product = rows()
    numbers = fresh_numbers()

    def visit() -> Sample:
        number = next(numbers)
        sample: dict[str, float] = {}
        with timed(sample):
            answer = built(number)(a, b)
        expect("dot", float(product + number), float(answer))
        return sample

    yield visit


@contextmanager
def numba_edit() -> Iterator[Visit]:
    """``@njit``; the function that is called is compiled for its arguments, no other."""
    try:
        import numba
    except ImportError:
        raise UnavailableError("numba is not installed") from None
    assert numba is not None

    def built(number: int) -> Callable[..., Any]:
        names: dict[str, Any] = {}
        exec(compile(text("kernel_numba.py", number), f"<edit {number}>", "exec"), names)
        dot: Callable[..., Any] = names["dot"]
        return dot

    yield from _visits(built)


@contextmanager
def cython_edit() -> Iterator[Visit]:
    """Cython in this process, then ``gcc -O3``, then the import, each under a new name."""
    try:
        from Cython.Compiler.Main import CompilationOptions, compile_single, default_options
    except ImportError:
        raise UnavailableError("Cython is not installed") from None
    with tempfile.TemporaryDirectory(prefix="o-benchmark-cython-") as folder:

        def built(number: int) -> Callable[..., Any]:
            name = f"o_cython{number}"
            source = Path(folder) / f"{name}.pyx"
            source.write_text(text("kernel.pyx", number), "utf-8")
            options = CompilationOptions(default_options, output_file=str(source.with_suffix(".c")))
            code = Path(compile_single(str(source), options, name).c_file).read_text("utf-8")
            includes = (f"-I{sysconfig.get_path('include')}", f"-I{np.get_include()}")
            path = shared_library(code, Path(folder) / f"{name}.so", *includes)
            # SAFETY: just compiled, for this interpreter.
            loader = machinery.ExtensionFileLoader(name, str(path))
            spec = util.spec_from_file_location(name, str(path), loader=loader)
            assert spec is not None
            module = util.module_from_spec(spec)
            loader.exec_module(module)
            dot: Callable[..., Any] = module.dot
            return dot

        yield from _visits(built)


@contextmanager
def peer_edit(peer: Literal["rustimport", "import_zig"]) -> Iterator[Visit]:
    """In a process of the Python that ``PROJECT_O_PEERS`` names, which times itself; rows as lists, which both take."""
    python = os.environ.get("PROJECT_O_PEERS", "")
    if not python or subprocess.run([python, "-c", f"import {peer}"], capture_output=True, check=False).returncode:
        raise UnavailableError(f"PROJECT_O_PEERS names no Python with {peer}")
    head, file = (RUSTIMPORT, "kernel_pyo3.rs") if peer == "rustimport" else (IMPORT_ZIG, "kernel.zig")
    product = rows()[2]
    numbers = fresh_numbers()
    with (
        tempfile.TemporaryDirectory(prefix="o-benchmark-peer-", ignore_cleanup_errors=True) as folder,
        subprocess.Popen(
            [python, "-c", head + WORKER],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        order, answers = process.stdin, process.stdout

        def visit() -> Sample:
            number = next(numbers)
            print(json.dumps({"source": text(file, number), "number": number}), file=order, flush=True)
            line = answers.readline()
            expect("an answer", True, bool(line))
            seconds, answer = json.loads(line)
            expect("dot", float(product + number), answer)
            return {"wall": seconds}

        yield visit
        order.close()
