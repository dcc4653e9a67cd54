"""Run the ``#[test]`` functions of a cell: ``rustc --test``, then the program in a process of its own."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from ... import limits
from ...errors import CompileError, ToolchainError
from ...values import Diagnostic, Program
from ..compiler import Finished, Job, Runner, build_folder, run
from . import crates, diagnostics
from .build import add_imports, crate_bytes, failure, headline
from .linker import find_linker
from .places import locate
from .recipe import CELL_PATH, CRATE, RustRecipe, recipe

FAILS = "fails its own tests"
"""What a title says of a cell whose tests ran, in place of that it does not compile."""
_PROGRAM = "tests"
_RESULT = re.compile(r"^test (?P<name>\S+)(?: - should panic)? \.\.\. (?P<how>\w+)?", re.MULTILINE)
_SUMMARY = re.compile(r"^test result: \w+\. (?P<passed>\d+) passed", re.MULTILINE)
_SECTION = re.compile(r"(?ms)^---- (?P<name>\S+) stdout ----\n(?P<text>.*?)(?=^---- |^failures:|\Z)")
_PLACE = re.compile(
    rf"panicked at {re.escape(CELL_PATH)}:(?P<line>\d+):(?P<column>\d+):\n"
    r"(?P<text>.*(?:\n +(?:left|right): .*)*)"
)


def run_tests(program: Program, *, line_offset: int = 0, runner: Runner | None = None) -> int:
    """Compile and run the cell's tests; how many passed.

    Raises CompileError, with one diagnostic for each test that failed or where the source does not compile;
    ToolchainMissing, ToolchainError.
    """
    rust = locate()
    wanted = recipe(program, line_offset)
    folder = build_folder()
    try:
        linker = find_linker()
        (folder / CRATE).write_bytes(crate_bytes(rust))
        found = crates.compiled(rust, wanted.crates, online=runner is None).flags
        add_imports(wanted, folder, found, runner or run)
        wanted.write(folder, None)
        arguments = wanted.test_arguments(linker.name, _PROGRAM, found)
        finished = (runner or run)(Job(arguments, folder, linker.environment))
        if finished.code != 0:
            raise _does_not_compile(finished, wanted)
        # What the program prints goes where the compiler's words go, because that is what is read.
        command = f"exec ./{_PROGRAM} --color=never --test-threads=1 1>&2"
        where = {"LD_LIBRARY_PATH": str(Path(rust.runtime).parent)} if rust.runtime else {}
        most = limits.TESTS_WALL_SECONDS
        ran = (runner or run)(Job(("/bin/sh", "-c", command), folder, where, wall_seconds=most, told_until_limit=True))
    except OSError as error:
        raise ToolchainError(f"the tests cannot be built in {folder} ({error}): free some space there") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if ran.code != 0:
        raise _failed(ran, wanted)
    match = _SUMMARY.search(ran.errors)
    return int(match["passed"]) if match else 0


def _does_not_compile(finished: Finished, wanted: RustRecipe) -> Exception:
    found = diagnostics.read(finished.errors, dict(wanted.files), {}).cell
    return CompileError(headline(found), found, "rust") if found else failure(finished)


def _failed(ran: Finished, wanted: RustRecipe) -> Exception:
    text = wanted.files[0][1].split("\n")
    found = []
    for section in _SECTION.finditer(ran.errors):
        place = _PLACE.search(section["text"])
        line, column = (int(place["line"]), int(place["column"])) if place else (0, 0)
        why = ", ".join(map(str.strip, place["text"].split("\n"))) if place else section["text"].strip() or "it failed"
        shown = text[line - 1] if 0 < line <= len(text) else ""
        found.append(Diagnostic("error", f"test {section['name']!r} failed: {why}", line, column, shown))
    if not found:
        unfinished = [match["name"] for match in _RESULT.finditer(ran.errors) if match["how"] is None]
        how = f"signal {-ran.code}" if ran.code < 0 else f"code {ran.code}"
        if not unfinished:
            return ToolchainError(f"the tests ended with {how}: {ran.errors.strip()[-2000:]}")
        stopped = ran.code < 0 and ran.seconds >= limits.TESTS_WALL_SECONDS
        why = "it did not end" if stopped else f"it ended its process by {how}"
        found.append(Diagnostic("error", f"test {unfinished[-1]!r} failed: {why}"))
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return CompileError(found[0].message + more, tuple(found), "rust", FAILS)
