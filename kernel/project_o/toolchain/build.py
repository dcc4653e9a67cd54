"""Program -> Artifact."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .. import abi, limits
from ..errors import CompileError, ToolchainError
from ..values import Artifact, Diagnostic, Interface, NativeFunction, Program
from . import cache, diagnostics, elf, underway
from .bare import bare, lacks
from .compiler import Finished, Job, Runner, build_folder, run
from .halves import apart, compile_halves
from .libc import told
from .locked import check_output, runner_in, zig_cache
from .places import ZIG_VERSION, locate
from .recipe import Recipe, recipe
from .rust import memory
from .rust.build import compile_cell, shared_runtime
from .rust.recipe import QUICK, RustRecipe
from .rust.recipe import recipe as rust_recipe

if TYPE_CHECKING:
    from ..sandbox import Sandbox

Names = Mapping[str, tuple[Sequence[str], str, int]]
"""Function -> its parameters' names (without allocators), its documentation, its line in the source."""

_NAMES = "names"
"""Among what is kept of a build: the text need not be read again to know them."""
TOOLCHAIN = f"zig {ZIG_VERSION}"
_OUTPUT = "library.so"
_NO_ROOM = re.compile(r"unable to \w+ .*: (?P<why>NoSpaceLeft|DiskQuota|ReadOnlyFileSystem|InputOutput)$")
"""How Zig says it of its own files, which stand at no line of the cell's."""
_LAST_WORDS_CHARACTERS = 2000


def build(
    program: Program,
    *,
    line_offset: int = 0,
    names: Names | None = None,
    runner: Runner | None = None,
    box: Sandbox | None = None,
    halves: Future[Any] | None = None,
    lines: bool = True,
) -> Artifact:
    """Compile a Zig or Rust program, or find it in the cache.

    ``line_offset`` blank lines stand before the text, so that every line the compiler, a panic or a function reports
    is the notebook cell's own (1 where the magic takes the first line). ``names`` are merged into the interface.
    ``runner`` runs the compiler's command. With a ``box`` the text is built locked, as one that nobody has read: the
    compiler runs there and sees the text alone, and the build has a key of its own. ``halves`` says that it keeps
    nothing between its calls, and may be compiled as two objects where that is quicker: the second when this is done.
    Without ``lines`` debug information may be left for later (see ``lines_later``), as nothing may that is compared.

    Raises CompileError with the diagnostics, also where no function can be offered; ToolchainMissing without a
    compiler; ToolchainError at the deadline or if the compiler fails; UsageError for options that cannot be meant;
    SandboxError where a locked build is not possible.
    """
    wanted = recipe_of(program, line_offset, locked=box is not None, lines=lines)
    if isinstance(wanted, Recipe) and halves is not None:
        wanted = apart(wanted)
    if isinstance(wanted, RustRecipe) and box is None:
        memory.remember(wanted)
    entry, cached = published(wanted, names or {}, runner or runner_in(box, program.language), halves)
    return _artifact(program, wanted, names or {}, entry, cached=cached)


def recipe_of(
    program: Program, line_offset: int = 0, *, locked: bool = False, lines: bool = True
) -> Recipe | RustRecipe:
    """How ``build`` compiles a program whole. Raises UsageError and CompileError for what no compiler should see."""
    if program.language == "rust":
        return rust_recipe(program, line_offset, locked=locked)
    wanted = recipe(program, line_offset, locked=locked)
    return wanted if lines else wanted.without_lines()


def found(program: Program, names: Callable[[], Names]) -> Artifact | None:
    """What ``build`` would find in the cache, without a ``box``; None where it would compile. ``names`` is asked where
    the build was kept without them.
    """
    for wanted in _ways(program):
        entry = cache.find(wanted.key)
        if entry is not None:
            return _artifact(program, wanted, entry.facts.get(_NAMES) or names(), entry, cached=True)
    return None


def _ways(program: Program) -> Iterator[Recipe | RustRecipe]:
    """How a cell's own text may have been built: by itself, or for a run that measured it."""
    wanted = recipe_of(program, lines=False)
    yield wanted
    if isinstance(wanted, Recipe):
        if (other := apart(wanted)).apart:
            yield other
        if not wanted.lines:
            yield replace(wanted, lines=True)


def quick_rust(program: Program, names: Names, runner: Runner) -> Artifact:
    """A Rust program compiled as its mode says, but for the optimisation. Raises as ``build``."""
    wanted = rust_recipe(program)
    wanted = replace(wanted, mode=f"{QUICK}{wanted.mode}")
    entry, cached = published(wanted, names, runner)
    return _artifact(program, wanted, names, entry, cached=cached)


def _artifact(
    program: Program, wanted: Recipe | RustRecipe, names: Names, entry: cache.Entry, *, cached: bool
) -> Artifact:
    facts, path = entry.facts, str(entry.library)
    with suppress(KeyError, OSError):  # an older entry does not say it, or it is just being cleared away
        elf.know_digest(path, os.stat(path).st_mtime_ns, facts["digest"])  # noqa: PTH116
    return Artifact(
        program=program,
        key=entry.key,
        path=path,
        interface=named(_interface(entry), names, wanted.line_offset),
        toolchain=facts["toolchain"],
        flags=wanted.shown_flags,
        size_bytes=facts["bytes"],
        seconds=0.0 if cached else facts["seconds"],
        cached=cached,
    )


_interfaces: dict[str, Interface] = {}
"""By the entries' keys: a cell that was not changed finds its own again."""


def _interface(entry: cache.Entry) -> Interface:
    found = _interfaces.get(entry.key)
    if found is None:
        if len(_interfaces) >= limits.INTERFACES_KEPT_MAX:
            _interfaces.clear()
        found = _interfaces[entry.key] = abi.interface_from_json(entry.facts["interface"])
    return found


def published(
    wanted: Recipe | RustRecipe, names: Names, runner: Runner | None = None, halves: Future[Any] | None = None
) -> tuple[cache.Entry, bool]:
    """The entry in the cache, and whether it was there. Raises as ``build``."""
    entry = cache.find(wanted.key)
    if entry is None and underway.wait_for(wanted.key):
        entry = cache.find(wanted.key)
    if entry is not None:
        return entry, True
    with underway.making(wanted.key):
        return _published(wanted, names, runner or run, halves), False


def _published(wanted: Recipe | RustRecipe, names: Names, runner: Runner, halves: Future[Any] | None) -> cache.Entry:
    if isinstance(wanted, RustRecipe):
        data, seconds = compile_cell(wanted, runner)
        library = elf.Library(data)
        description = described(library, wanted, names, "rust")
        if wanted.locked:
            check_output(data, library, description, wanted.libraries)
        facts = {
            "interface": description,
            "seconds": seconds,
            "toolchain": wanted.toolchain,
            "digest": library.digest(),
            _NAMES: names,
        }
        return cache.publish(wanted.key, data, facts, shared_runtime(wanted.rust))
    return cache.publish(wanted.key, *_compile(wanted, names, runner, halves))


def _compile(wanted: Recipe, names: Names, runner: Runner, halves: Future[Any] | None) -> tuple[bytes, dict[str, Any]]:
    """The library's bytes, and what is kept of them."""
    zig = locate()
    if wanted.apart and halves is not None:
        kept, _ = zig_cache(wanted, compiler_rt=False)
        made = compile_halves(wanted, zig, _OUTPUT, kept, told(), runner, halves)
        if made is not None and not elf.missing_helpers(library := elf.Library(made[0])):
            return made[0], _facts(library, wanted, names, made[1])
    folder = build_folder()
    seconds = 0.0
    try:
        wanted.write(folder)
        # A locked build sees the system as its sandbox has it.
        less = () if wanted.locked else bare((text for _, text in wanted.files), wanted.flags)
        compiler_rt = False
        while True:
            kept, copies = zig_cache(wanted, compiler_rt=compiler_rt)
            places = () if wanted.locked else (*told(), *less)
            command = wanted.arguments(zig, _OUTPUT, compiler_rt=compiler_rt, global_cache=kept, places=places)
            finished = runner(Job(command, folder, outputs=(_OUTPUT,), copies=copies))
            seconds += finished.seconds
            if finished.code != 0 and less and lacks(finished.errors):
                less = ()
                continue
            if finished.code != 0:
                raise failed(finished, wanted, names)
            data = (folder / _OUTPUT).read_bytes()
            library = elf.Library(data)
            if compiler_rt or not elf.missing_helpers(library):
                break
            less, compiler_rt = (), True
    except OSError as error:
        raise ToolchainError(f"the build cannot write below {folder.parent} ({error}): free some space there") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    facts = _facts(library, wanted, names, seconds)
    if wanted.locked:
        check_output(data, library, facts["interface"], wanted.libraries)
    return data, facts


def _facts(library: elf.Library, wanted: Recipe, names: Names, seconds: float) -> dict[str, Any]:
    """What is kept of a build beside its bytes."""
    return {
        "interface": described(library, wanted, names, "zig"),
        "seconds": seconds,
        "toolchain": TOOLCHAIN,
        "digest": library.digest(),
        _NAMES: names,
    }


def failed(finished: Finished, wanted: Recipe, names: Names) -> Exception:
    """What a compiler's end means: CompileError with its diagnostics, ToolchainError if it says nothing of the cell."""
    lines = {name: line + wanted.line_offset for name, (_, _, line) in names.items()}
    found = diagnostics.read(finished.errors, dict(wanted.files), lines)
    if found and not found[0].line and (match := _NO_ROOM.search(found[0].message)):
        return ToolchainError(
            f"the compiler cannot write in the build cache ({match['why']}): free some space, or see `%o cache`"
        )
    if found:
        return CompileError(headline(found), found)
    words = finished.errors.strip()[-_LAST_WORDS_CHARACTERS:] or "it said nothing"
    how = f"was ended by signal {-finished.code}" if finished.code < 0 else f"failed with code {finished.code}"
    return ToolchainError(f"the compiler {how}, which is not the cell's fault: {words}")


def headline(found: Sequence[Diagnostic]) -> str:
    """The first error in one line, and how many more there are."""
    first = found[0]
    where = f"line {first.line}, column {first.column}: " if first.line else ""
    more = len(found) - 1
    return f"{where}{first.message}" + (f" (and {more} more error{'s' if more > 1 else ''})" if more else "")


def described(library: elf.Library, wanted: Recipe | RustRecipe, names: Names, language: str) -> dict[str, Any]:
    """The interface, read from the file: nothing of a build that was never tried runs in this process."""
    try:
        body: dict[str, Any] = json.loads(library.text("o_description"))
    except (KeyError, ValueError):
        raise ToolchainError(
            "the build does not describe itself: clear the cache with `project-o cache --clear`"
        ) from None
    if not body["functions"]:
        raise _nothing_left(body["skipped"], wanted, names, language)
    return body


def _nothing_left(
    skipped: Sequence[Sequence[str]], wanted: Recipe | RustRecipe, names: Names, language: str
) -> CompileError:
    text = wanted.files[0][1].split("\n")
    if not skipped:
        return CompileError(
            "the cell has no public function: write `pub fn` before what Python shall call",
            (Diagnostic("error", "no `pub fn` here", 0, 0),),
            language,
        )
    remarks = []
    for name, reason in skipped:
        line = names[name][2] + wanted.line_offset if name in names else 0
        shown = text[line - 1] if 0 < line <= len(text) else ""
        column = shown.find(name) + 1
        remarks.append(Diagnostic("error", f"{name}: {reason}", line, column, shown, len(name) if column else 1))
    listed = "; ".join(f"{name} ({reason})" for name, reason in skipped)
    return CompileError(f"no function of the cell can be called from Python: {listed}", tuple(remarks), language)


def named(interface: Interface, names: Names, line_offset: int) -> Interface:
    """The interface with what only the text tells: parameters' names, documentation, lines."""
    return replace(
        interface, functions=tuple(_named_function(item, names, line_offset) for item in interface.functions)
    )


def _named_function(function: NativeFunction, names: Names, line_offset: int) -> NativeFunction:
    if function.name not in names:
        return function
    parameters, doc, line = names[function.name]
    named_parameters = function.parameters
    if len(parameters) == len(named_parameters):
        types = (kind for _, kind in named_parameters)
        named_parameters = tuple(zip(parameters, types, strict=True))
    return replace(function, parameters=named_parameters, doc=doc, line=line + line_offset if line else 0)
