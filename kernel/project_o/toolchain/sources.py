"""The texts of a program as they are compiled, the options that every language has, and the machine a build is for."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

from .. import limits
from ..errors import CompileError, UsageError
from ..values import Diagnostic, Program

CELL_FOLDER = "cell"
HOST_FOLDER = "host"
IMPORTS_FOLDER = "imports"
LINE_OFFSET_FLAG = "line-offset="
LOCKED_FLAG = "locked"
TIMEOUT_PREFIX = "timeout:"
"""In the options of a program, before the seconds that one call may take."""
LINK_PREFIX = "link:"
COUNT_LINES = "count-lines"
"""The option of a program whose build counts how often its lines are run; for Rust alone."""
ISOLATE = "isolate"
"""The option of a program whose calls are made in a process of its own, for good."""
NOGIL = "nogil"
"""The option of a program whose every call lets other threads of Python run."""
_LINE_OFFSET_MAX = 1000
# As Zig, LLVM's linker and GNU's say it.
_NO_LIBRARY = re.compile(
    r'unable to find dynamic system library "(?P<zig>[^"]+)"|unable to find library -l(?P<lld>\S+)'
    r"|cannot find -l(?P<ld>[^\s:]+)"
)


def line_offset_of(flags: Iterable[str]) -> int:
    """How many lines stood before a cell's text where it was compiled, by the flags of its build."""
    return next((int(flag.removeprefix(LINE_OFFSET_FLAG)) for flag in flags if flag.startswith(LINE_OFFSET_FLAG)), 0)


@dataclass(frozen=True, slots=True)
class Module:
    """What a library module says of itself, beyond its text."""

    name: str
    version: str
    git_hash: str
    hot_reload: bool


def module_text(module: Module) -> tuple[str, str]:
    """The file by which a Zig library knows that it is this module, in place of that of a cell."""
    facts = [
        "pub const is_module = true;",
        f'pub const prefix = "o_{module.name}_";',
        f'pub const name: ?[:0]const u8 = "{module.name}";',
        f'pub const version: ?[:0]const u8 = "{module.version}";',
        f'pub const git_hash: [:0]const u8 = "{module.git_hash}";',
        f"pub const hot_reload = {'true' if module.hot_reload else 'false'};",
    ]
    return f"{HOST_FOLDER}/module.zig", "\n".join(facts) + "\n"


def checked_files(program: Program, main: str, line_offset: int) -> tuple[tuple[str, str], ...]:
    """The program's files by their path in the build folder, the cell first, under the name ``main``.

    Raises UsageError and CompileError for what no compiler should see.
    """
    if not 0 <= line_offset <= _LINE_OFFSET_MAX:
        raise UsageError(
            f"a line offset of {line_offset} cannot be meant: it is the number of lines before the cell's text"
        )
    files = [(f"{CELL_FOLDER}/{main}", _checked(program.source, "the cell", line_offset, program.language))]
    for name, text in program.files[1:]:
        files.append((_other_path(name, main), _checked(text, name, 0, program.language)))
    return tuple(files)


def imported(files: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """(name, path) of the programs among the files that others import by their name, in their order.

    Each is in a folder of its own below ``imports``, in a file that has its name, after those that it imports itself.
    """
    found = []
    for path, _ in files:
        parts = PurePosixPath(path).parts
        if len(parts) == 4 and parts[:2] == (CELL_FOLDER, IMPORTS_FOLDER) and parts[3].split(".")[0] == parts[2]:
            found.append((parts[2], path))
    return tuple(found)


def libraries(program: Program) -> tuple[str, ...]:
    """``-lNAME`` for each library that the program names. Raises UsageError."""
    return tuple(flag for option in program.options for flag in _library(option))


def without_library(said: str) -> str:
    """What a linker's words mean that looked for a library in vain; "" for any others."""
    match = _NO_LIBRARY.search(said)
    if match is None:
        return ""
    name = match["zig"] or match["lld"] or match["ld"]
    return (
        f"--link {name}: there is no library {name} here (lib{name}.so): look at its name, or install its development "
        "package"
    )


def write_file(path: Path, text: str) -> None:
    """Write a text as it is, in a folder that may not be there yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8"))


def _library(option: str) -> tuple[str, ...]:
    name = option.removeprefix(LINK_PREFIX) if option.startswith(LINK_PREFIX) else option.removeprefix("-l")
    if name == option:
        return ()  # an option of another stage, such as isolate
    if not name or name.startswith("-") or any(c.isspace() or c == "\0" for c in name):
        raise UsageError(f"{option!r} names no library: write it as `--link m`, without prefix and suffix")
    return (f"-l{name}",)


def _other_path(name: str, main: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in name or path.as_posix() == main:
        raise UsageError(f"{name!r} cannot be the name of a program's file: it must be relative, without `..`")
    return f"{CELL_FOLDER}/{path.as_posix()}"


_NO_TEXT = re.compile("[\0\ud800-\udfff]")


def _checked(text: str, what: str, line_offset: int, language: str) -> str:
    """The text as it is compiled. Compilers refuse these characters too, but not in words that help."""
    text = "\n" * line_offset + text.replace("\r\n", "\n")
    if len(text) > limits.SOURCE_BYTES_MAX:
        raise UsageError(
            f"{what} has more than {limits.SOURCE_BYTES_MAX} bytes: read large data from a file or pass it"
        )
    found = _NO_TEXT.search(text)
    if found is not None:
        start = text.rfind("\n", 0, found.start()) + 1
        number, column = text.count("\n", 0, start) + 1, found.start() - start + 1
        bad = "a zero byte" if found[0] == "\0" else "a character that is not Unicode text"
        message = f"{what} contains {bad} in line {number}, column {column}: remove it"
        shown = _NO_TEXT.sub("\ufffd", text[start:].split("\n", 1)[0])
        raise CompileError(message, (Diagnostic("error", f"{bad} in the source", number, column, shown),), language)
    if len(text.encode("utf-8")) > limits.SOURCE_BYTES_MAX:
        raise UsageError(
            f"{what} has more than {limits.SOURCE_BYTES_MAX} bytes: read large data from a file or pass it"
        )
    return text


def timeout_seconds(program: Program) -> float:
    """How long one call may take; 0 where that is not bounded."""
    found = [option for option in program.options if option.startswith(TIMEOUT_PREFIX)]
    return float(found[-1].removeprefix(TIMEOUT_PREFIX)) if found else 0.0


def machine_facts() -> tuple[str, str]:
    """The processor and the C library that a build is for."""
    return _processor(), _c_library()


@lru_cache(maxsize=1)
def _processor() -> str:
    """What the compiler's "native" resolves from, so that a cache shared by two machines never mixes them."""
    wanted: tuple[str, ...] = ("vendor_id", "cpu family", "model", "model name", "stepping", "flags")
    wanted += ("Features", "CPU implementer", "CPU architecture", "CPU variant", "CPU part")
    try:
        first = Path("/proc/cpuinfo").read_text("utf-8", "replace").split("\n\n", 1)[0]
    except OSError:
        first = ""
    lines = [line for line in first.splitlines() if line.split(":", 1)[0].strip() in wanted]
    return "\n".join([platform.machine(), *lines])


@lru_cache(maxsize=1)
def _c_library() -> str:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or "unknown"
    except (OSError, ValueError):
        return "unknown"
