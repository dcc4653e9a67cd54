"""One compilation of a cell, and what it needs around it: the crate ``o``, a linker, the shared standard library."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from ... import limits
from ...errors import CompileError, ToolchainError
from ...values import Diagnostic
from .. import cache
from ..compiler import Finished, Job, Runner, build_folder, run
from ..sources import imported, write_file
from . import crates, diagnostics, memory, shim
from .linker import find_linker
from .places import HOST_FILES, Rust, locate, template
from .recipe import CRATE, OUTPUT, RustRecipe, crate_arguments, crate_key
from .source import STATE

_WORKPLACES = 4
_CRATE_ENTRY = "crate:"


def compile_cell(wanted: RustRecipe, runner: Runner) -> tuple[bytes, float]:
    """The library's bytes, and how long it took in seconds.

    What the compiler refuses in our own code is left out, with a note that says why, and the rest compiled again: a
    function behind a ``cfg``, a struct whose fields cannot be moved out.
    Raises CompileError, ToolchainMissing, ToolchainError.
    """
    _require(wanted.rust)
    crate = crate_bytes(wanted.rust)
    dropped: dict[str, str] = {}
    seconds = 0.0
    found = crates.compiled(wanted.rust, wanted.crates, online=runner is run)
    with _workplace(wanted) as folder, _going_on(wanted) as (place, copies):
        if wanted.locked:
            found = found.copied(folder)
        linker = find_linker(locked=wanted.locked)
        (folder / CRATE).write_bytes(crate)
        seconds += add_imports(wanted, folder, found.flags, runner)
        for _ in range(limits.SHIM_ATTEMPTS_MAX):
            (folder / OUTPUT).unlink(missing_ok=True)
            around = wanted.around(dropped)
            wanted.write(folder, around)
            command = wanted.arguments(linker.name, found.flags)
            needed: dict[str, Any] = {"copies": {**linker.copies, **copies}, "programs": linker.programs}
            finished = runner(Job(command, folder, linker.environment, outputs=(OUTPUT,), place=place, **needed))
            seconds += finished.seconds
            if finished.code == 0:
                return (folder / OUTPUT).read_bytes(), seconds
            refused = _refused(finished, wanted, around)
            if wanted.module is not None and STATE in refused:
                raise CompileError(f"{STATE} cannot be the state of a module: {refused[STATE]}", (), "rust")
            if not refused.keys() - dropped.keys():
                break
            dropped.update(refused)
    raise ToolchainError(f"our own code around the cell does not compile: {diagnostics.words(finished.errors)}")


def add_imports(wanted: RustRecipe, folder: Path, crates_: tuple[str, ...], runner: Runner) -> float:
    """Put the programs that came along into the build folder, each as a crate, compiled once for its text; how long it
    took in seconds. Raises CompileError, ToolchainError.
    """
    seconds = 0.0
    for name, path in imported(wanted.files):
        entry = cache.find(key := wanted.import_key(name))
        if entry is None:
            data, took = _compile_import(wanted, folder, (name, path), crates_, runner)
            entry = cache.publish(key, data, {"crate": True})
            seconds += took
        (folder / f"lib{name}.rlib").write_bytes(entry.library.read_bytes())
    return seconds


def _compile_import(
    wanted: RustRecipe, folder: Path, program: tuple[str, str], crates_: tuple[str, ...], runner: Runner
) -> tuple[bytes, float]:
    name, path = program
    text = dict(wanted.files)[path]
    for beside, words in wanted.files:
        if beside.startswith(path.rpartition("/")[0] + "/"):
            write_file(folder / beside, words)
    command = wanted.import_arguments(name, path, crates_)
    finished = runner(Job(command, folder, outputs=(f"lib{name}.rlib",)))
    if finished.code == 0:
        return (folder / f"lib{name}.rlib").read_bytes(), finished.seconds
    found = diagnostics.read(finished.errors, {path: text}, {}).cell
    if not found:
        raise failure(finished)
    told = tuple(Diagnostic("error", f"{name}, line {item.line}: {item.message}") for item in found)
    raise CompileError(headline(told), told, "rust")


def failed_cell(finished: Finished, wanted: RustRecipe, around: shim.Shim) -> Exception:
    """What the end of a compilation means where nothing is to be left out of it."""
    found = diagnostics.read(finished.errors, dict(wanted.files), around.owners)
    return CompileError(headline(found.cell), found.cell, "rust") if found.cell else failure(finished)


def _going_on(wanted: RustRecipe) -> AbstractContextManager[tuple[str, dict[str, Path]]]:
    return memory.going_on(wanted, _whole_job) if wanted.locked else nullcontext(("", {}))


def _whole_job(wanted: RustRecipe, folder: Path) -> Job:
    """Everything that a build with the user's rights needs, in this folder."""
    linker = find_linker()
    (folder / CRATE).write_bytes(crate_bytes(wanted.rust))
    found = crates.compiled(wanted.rust, wanted.crates, online=True).copied(folder).flags
    add_imports(wanted, folder, found, run)
    wanted.write(folder, wanted.around({}))
    return Job(wanted.arguments(linker.name, found), folder, linker.environment)


def _refused(finished: Finished, wanted: RustRecipe, around: shim.Shim) -> dict[str, str]:
    """What of the shim does not compile, and why. Raises CompileError where it is the cell that does not."""
    found = diagnostics.read(finished.errors, dict(wanted.files), around.owners)
    if found.cell:
        raise CompileError(headline(found.cell), found.cell, "rust")
    if found.refused:
        return found.refused
    raise failure(finished)


def headline(found: tuple[Diagnostic, ...]) -> str:
    """The first error in one line, and how many more there are."""
    first = found[0]
    where = f"line {first.line}, column {first.column}: " if first.line else ""
    more = len(found) - 1
    return f"{where}{first.message}" + (f" (and {more} more error{'s' if more > 1 else ''})" if more else "")


def failure(finished: Finished) -> ToolchainError:
    """For a compiler that failed without an error in the source."""
    how = f"was ended by signal {-finished.code}" if finished.code < 0 else f"failed with code {finished.code}"
    return ToolchainError(f"rustc {how}, which is not the cell's fault: {diagnostics.words(finished.errors)}")


def _require(rust: Rust) -> None:
    if not rust.path:
        locate()  # says what to install


# ------------------------------------------------------------------------------- the place


@contextmanager
def _workplace(wanted: RustRecipe) -> Iterator[Path]:
    """A folder to build in, with the compiler's own memory of the last build there.

    That memory holds for one folder and one set of flags, and one build at a time; so there are a few such places, each
    behind a lock. Where all are taken, or none can be made, and always where the build is locked, it starts afresh in
    a folder of its own.
    """
    kept = cache.compiler_cache("rust")
    first = int.from_bytes(hashlib.sha256(wanted.name.encode("utf-8", "surrogatepass")).digest()[:4], "big")
    for k in range(0 if wanted.locked else _WORKPLACES):
        folder = kept / f"{wanted.mode}-{(first + k) % _WORKPLACES}"
        lock = _locked(folder)
        if lock < 0:
            continue
        try:
            with _told(folder):
                shutil.rmtree(folder / "cell", ignore_errors=True)
                yield folder
        finally:
            os.close(lock)
        return
    folder = build_folder()
    try:
        with _told(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _locked(folder: Path) -> int:
    """The descriptor that holds the folder's lock, or -1."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return -1
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return -1
    return lock


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Tell a full disk in words."""
    try:
        yield
    except OSError as error:
        raise ToolchainError(f"the build cannot write below {folder.parent} ({error}): free some space there") from None


# ------------------------------------------------------------------------------- what a build needs


def crate_bytes(rust: Rust) -> bytes:
    """The compiled crate ``o``, made once for a compiler and kept in the cache. Raises ToolchainError."""
    key = hashlib.sha256((_CRATE_ENTRY + crate_key(rust)).encode()).hexdigest()
    entry = cache.find(key)
    if entry is None:
        entry = cache.publish(key, _compile_crate(rust), {"crate": True})
    return entry.library.read_bytes()


def _compile_crate(rust: Rust) -> bytes:
    folder = build_folder()
    try:
        (folder / "host").mkdir()
        for name in HOST_FILES:
            (folder / "host" / name).write_text(template(name), "utf-8")
        finished = run(Job(crate_arguments(rust), folder))
        if finished.code != 0:
            raise ToolchainError(f"the crate around Rust cells does not compile: {diagnostics.words(finished.errors)}")
        return (folder / CRATE).read_bytes()
    except OSError as error:
        raise ToolchainError(f"the build cannot write below {folder.parent} ({error}): free some space there") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _is_copy(copy: Path, original: Path) -> bool:
    """Whether it is there and whole, as far as its size tells: a power cut leaves an empty file."""
    return copy.is_file() and (not original.exists() or copy.stat().st_size == original.stat().st_size)


def shared_runtime(rust: Rust) -> tuple[Path, ...]:
    """Our copy of the shared standard library, which builds need to be loaded; nothing where they contain it.

    A copy, so that what is built goes on working after Rust was updated or removed.
    """
    if not rust.runtime:
        return ()
    original = Path(rust.runtime)
    copy = cache.compiler_cache("rust") / original.name  # its name holds a hash of its content
    try:
        if not _is_copy(copy, original):
            fresh = copy.with_name(f"{copy.name}.{os.getpid()}")
            shutil.copyfile(original, fresh)
            fresh.replace(copy)
    except OSError as error:
        raise ToolchainError(f"{original.name} cannot be copied to {copy.parent} ({error}): free some space") from None
    return (copy,)
