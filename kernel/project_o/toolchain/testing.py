"""Run the tests of a cell: the ``test`` blocks of Zig, the ``#[test]`` functions of Rust."""

from __future__ import annotations

import re
import shutil

from .. import limits
from ..errors import CompileError, ToolchainError
from ..values import Diagnostic, Program
from . import cache, diagnostics
from .compiler import Finished, Job, Runner, build_folder, run
from .places import locate
from .recipe import CELL_PATH, Recipe, recipe
from .rust.testing import FAILS
from .rust.testing import run_tests as run_rust_tests
from .sources import HOST_FOLDER

# The test runner's output, fixed for the pinned version.
_RESULT = re.compile(r"^\d+/\d+ (?:\w+\.)*?test[._](?P<name>.*?)\.\.\.(?P<how>.*)$")
_PLACE = re.compile(rf"(?:^|/){re.escape(CELL_PATH)}:(?P<line>\d+):(?P<column>\d+): 0x")
_PANIC = re.compile(r"^(?:.*\.\.\.)?(?:thread \d+ )?panic: (?P<message>.*)$")
_SUMMARY = re.compile(r"^(?:All )?(?P<passed>\d+)(?: of \d+)? (?:tests? )?passed", re.MULTILINE)


def run_tests(program: Program, *, line_offset: int = 0, runner: Runner | None = None) -> int:
    """Compile and run the cell's tests in a process of their own; how many passed.

    Raises CompileError, with one diagnostic for each test that failed or where the source does not compile;
    ToolchainMissing, ToolchainError.
    """
    if program.language == "rust":
        return run_rust_tests(program, line_offset=line_offset, runner=runner)
    wanted = recipe(program, line_offset)
    folder = build_folder()
    try:
        wanted.write(folder)
        most = limits.TESTS_WALL_SECONDS
        job = Job(_command(wanted), folder, {"NO_COLOR": "1"}, wall_seconds=most, told_until_limit=True)
        finished = (runner or run)(job)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if finished.code != 0:
        raise _failure(finished, wanted)
    match = _SUMMARY.search(finished.errors)
    return int(match["passed"]) if match else 0


def _command(wanted: Recipe) -> tuple[str, ...]:
    # Debug mode: its own backend makes the standard library's stack traces, which name the line, quickly.
    # fmt: off
    return (
        str(locate()), "test", "--color", "off", "-lc", *wanted.libraries,
        "--cache-dir", "cache", "--global-cache-dir", str(cache.compiler_cache()),
        "-O", "debug", *wanted.needs(), f"-Mroot={CELL_PATH}", "-O", "debug", f"-Mo={HOST_FOLDER}/o.zig",
        *wanted.imports(("-O", "debug")),
    )
    # fmt: on


def _failure(finished: Finished, wanted: Recipe) -> Exception:
    sources = dict(wanted.files)
    failed = _failed_tests(finished.errors, sources[CELL_PATH].split("\n"))
    if failed:
        more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        return CompileError(failed[0].message + more, tuple(failed), what=FAILS)
    found = diagnostics.read(finished.errors, sources, {})
    if found:
        return CompileError(f"line {found[0].line}, column {found[0].column}: {found[0].message}", found)
    if finished.code < 0 and finished.seconds >= limits.TESTS_WALL_SECONDS:
        return ToolchainError(f"the tests were stopped at their limit of {limits.TESTS_WALL_SECONDS:.0f} s")
    return ToolchainError(f"the tests ended with code {finished.code}: {finished.errors.strip()[-2000:]}")


def _failed_tests(output: str, source: list[str]) -> list[Diagnostic]:
    failed: list[Diagnostic] = []
    name, how, place = "", "OK", (0, 0)

    def finish() -> None:
        if name and not how.startswith(("OK", "SKIP")):
            line, column = place
            why = how.removeprefix("FAIL").strip(" ()") or "it did not end"
            shown = source[line - 1] if 0 < line <= len(source) else ""
            failed.append(Diagnostic("error", f"test {name!r} failed: {why}", line, column, shown))

    for text in output.splitlines():
        if match := _RESULT.match(text):
            finish()
            name, how, place = match["name"], match["how"], (0, 0)
            if died := _PANIC.match(text):
                how = died["message"]
        elif match := _PLACE.search(text):
            place = place if place[0] else (int(match["line"]), int(match["column"]))
        elif name and (match := _PANIC.match(text)):
            how = match["message"]
    finish()
    return failed
