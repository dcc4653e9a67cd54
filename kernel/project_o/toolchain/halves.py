"""A cell that uses much of the standard library, compiled as two objects side by side and linked to one library.

What takes its time is LLVM at work, in one thread, on what the text instantiates. Functions that share nothing but
the library can be given to two compilers: together they do a tenth more, and it takes two thirds of the time. Which
function is where is a guess from what each one uses; what follows from a wrong one is time alone.

Only where nothing is kept between calls: each object has its own copy of what is declared outside of functions. What is
measured for a verdict is built whole, as what it is compared with is.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from .. import limits
from .compiler import Finished, Job, Runner, build_folder
from .places import template
from .recipe import Recipe
from .sources import HOST_FOLDER, write_file

_OBJECTS = ("first", "second")
_FUNCTION = re.compile(r"^(?P<public>pub )?(?:inline |noinline )?fn (?P<name>\w+)", re.MULTILINE)
_WORD = re.compile(r"\w+")
_COMMENT = re.compile(r"//.*")
# What LLVM has to do for it, in hundredths of a second: formatting, sorting and hash maps as measured on texts of one
# function each, the others as they compare with those.
_WEIGHTS = (
    (re.compile(r"\bstd\.json\b"), 60),
    (re.compile(r"\bstd\.fmt\.(?:buf|alloc)Print|\.print\(|\bstd\.fmt\.format"), 25),
    (re.compile(r"\bstd\.fmt\.parseFloat\b"), 20),
    (re.compile(r"\bstd\.(?:crypto|compress|http)\b"), 20),
    (re.compile(r"\bstd\.(?:sort|mem\.sort)\b"), 12),
    (re.compile(r"HashMap"), 10),
    (re.compile(r"\bstd\.\w"), 2),
)

_LATER = 8
"""By how much the second object begins later."""


def apart(wanted: Recipe) -> Recipe:
    """The same recipe, in two halves where that is worth it; as it was where it is not, or one processor is there."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    if processors < 2 or wanted.locked or wanted.libraries or len(wanted.files) > 1 or "debug" in wanted.flags:
        return wanted
    return replace(wanted, apart=second_half(wanted.files[0][1]))


@lru_cache(maxsize=64)
def second_half(text: str) -> tuple[str, ...]:
    """The public functions for the second object, in their order; none where one object is as good."""
    if text.count("std.") < 2:
        return ()
    groups = _groups(text)
    sides: tuple[list[str], list[str]] = ([], [])
    sums = [0, _LATER]
    for weight, names in sorted(groups, key=lambda group: -group[0]):
        lighter = int(sums[1] < sums[0])
        sides[lighter].extend(names)
        sums[lighter] += weight
    if min(sums[0], sums[1] - _LATER) < limits.HALF_WEIGHT_MIN:
        return ()
    chosen = set(sides[1])
    return tuple(found["name"] for found in _FUNCTION.finditer(text) if found["public"] and found["name"] in chosen)


def _groups(text: str) -> list[tuple[int, list[str]]]:
    """The functions at the text's outermost level, those that name one another together, with their weights."""
    starts = list(_FUNCTION.finditer(text))
    ends = [found.start() for found in starts[1:]] + [len(text)] * bool(starts)
    bodies = {
        found["name"]: _COMMENT.sub("", text[found.start() : end]) for found, end in zip(starts, ends, strict=True)
    }
    leader = {name: name for name in bodies}

    def of(name: str) -> str:
        while leader[name] != name:
            name = leader[name]
        return name

    for name, body in bodies.items():
        for other in set(_WORD.findall(body)) & bodies.keys():
            leader[of(other)] = of(name)
    groups: dict[str, tuple[int, list[str]]] = {}
    for name, body in bodies.items():
        weight, names = groups.get(of(name), (0, []))
        own = sum(points for pattern, points in _WEIGHTS if pattern.search(body))
        groups[of(name)] = weight + own, [*names, name]
    return list(groups.values())


def compile_halves(
    wanted: Recipe,
    zig: Path,
    output: str,
    global_cache: Path,
    places: tuple[str, ...],
    runner: Runner,
    first: Future[Any],
) -> tuple[bytes, float] | None:
    """The library's bytes, and how long it took. None where a compiler has something to say: it may be that only the
    whole text tells what. The second compiler begins when ``first`` is done: three of them on two processors would
    hold up the quick one, for which somebody waits.

    Raises ToolchainError as ``runner`` does, OSError.
    """
    folder = build_folder()
    try:
        wanted.write(folder, tuple(map(_half_of, _OBJECTS)))
        for name in _OBJECTS:
            write_file(folder / _half_of(name) / "half.zig", _told(wanted.apart, second=name == _OBJECTS[1]))
        finished = _both(wanted, zig, folder, global_cache, places, runner, first)
        if any(one.code for one in finished):
            return None
        # fmt: off
        linking = (
            str(zig), "build-lib", "-dynamic", "--name", "cell", f"-femit-bin={output}", "--color", "off", "-lc",
            "-fno-compiler-rt", *places, "--cache-dir", "cache", "--global-cache-dir", str(global_cache),
            *wanted.all_flags, *(f"{name}.o" for name in _OBJECTS),
        )
        # fmt: on
        linked = runner(Job(linking, folder, outputs=(output,)))
        if linked.code:
            return None
        return (folder / output).read_bytes(), max(one.seconds for one in finished) + linked.seconds
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _both(
    wanted: Recipe,
    zig: Path,
    folder: Path,
    global_cache: Path,
    places: tuple[str, ...],
    runner: Runner,
    first: Future[Any],
) -> list[Finished]:
    """Both objects, each by a compiler of its own."""

    def one(name: str) -> Finished:
        if name == _OBJECTS[1]:
            wait({first})
            time.sleep(limits.HALF_PAUSE_SECONDS)
        command = wanted.object_arguments(zig, name, _half_of(name), global_cache=global_cache, places=places)
        return runner(Job(command, folder, outputs=(f"{name}.o",)))

    with ThreadPoolExecutor(len(_OBJECTS), thread_name_prefix="project-o-halves") as threads:
        return list(threads.map(one, _OBJECTS))


def _half_of(name: str) -> str:
    """The folder with the files around the cell, for that object."""
    return f"{HOST_FOLDER}-{name}"


def _told(names: tuple[str, ...], *, second: bool) -> str:
    """The file that tells an object which half it is."""
    listed = ", ".join(f'"{name}"' for name in names)
    text = template("half.zig")
    text = text.replace("is_second = false", f"is_second = {'true' if second else 'false'}")
    return text.replace("u8 = &.{}", f"u8 = &.{{ {listed} }}")
