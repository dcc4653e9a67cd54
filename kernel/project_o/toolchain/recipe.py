"""What exactly is compiled, and the key that names the result."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

from .. import limits
from ..errors import CompileError, UsageError
from ..values import Diagnostic, Program
from .diagnostics import CELL_FOLDER, HOST_FOLDER
from .places import ZIG_VERSION, template

ABI_NUMBER = 1
"""Raised whenever the cells of a call or the description change their meaning."""

HOST_FILES = ("root.zig", "interface.zig", "panics.zig", "arena.zig", "o.zig")
CELL_PATH = f"{CELL_FOLDER}/cell.zig"
LINK_PREFIX = "link:"
LINE_OFFSET_FLAG = "line-offset="
_OPTIMIZE = {"safe": "safe", "fast": "fast", "debug": "debug"}


@dataclass(frozen=True, slots=True)
class Recipe:
    """Files by their path in the build folder, the flags of each module, the libraries, and the lines put in front."""

    files: tuple[tuple[str, str], ...]
    flags: tuple[str, ...]
    libraries: tuple[str, ...]
    line_offset: int

    @property
    def key(self) -> str:
        """SHA-256 over everything that the result depends on, as 64 hexadecimal digits."""
        host = [(name, template(name)) for name in HOST_FILES]
        body = [ABI_NUMBER, ZIG_VERSION, host, self.files, self.flags, self.libraries, machine_facts()]
        return hashlib.sha256(json.dumps(body, ensure_ascii=False).encode()).hexdigest()

    @property
    def shown_flags(self) -> tuple[str, ...]:
        """The flags as an Artifact carries them; the last one says how many lines stand before the cell's text."""
        return (*self.flags, *self.libraries, f"{LINE_OFFSET_FLAG}{self.line_offset}")

    def arguments(self, zig: Path, output: str, *, compiler_rt: bool, global_cache: Path) -> tuple[str, ...]:
        """The compiler's command line; flags come before each module because they are the module's own."""
        # fmt: off
        return (
            str(zig), "build-lib", "-dynamic", "--name", "cell", f"-femit-bin={output}", "--color", "off",
            "-lc", "-fcompiler-rt" if compiler_rt else "-fno-compiler-rt", *self.libraries,
            "--cache-dir", "cache", "--global-cache-dir", str(global_cache),
            *self.flags, "--dep", "cell", f"-Mroot={HOST_FOLDER}/root.zig",
            *self.flags, "--dep", "o", f"-Mcell={CELL_PATH}",
            *self.flags, f"-Mo={HOST_FOLDER}/o.zig",
        )
        # fmt: on

    def write(self, folder: Path) -> None:
        """Put all files into the build folder."""
        for name in HOST_FILES:
            _write(folder / HOST_FOLDER / name, template(name))
        for path, text in self.files:
            _write(folder / path, text)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8"))


def recipe(program: Program, line_offset: int = 0) -> Recipe:
    """What to compile for a program. Raises UsageError and CompileError for what no compiler should see."""
    if program.language != "zig":
        raise UsageError(f"{program.name} is a {program.language} program: only zig can be compiled here")
    if not 0 <= line_offset <= 1000:
        raise UsageError(
            f"a line offset of {line_offset} cannot be meant: it is the number of lines before the cell's text"
        )
    files = [(CELL_PATH, _checked(program.source, "the cell", line_offset))]
    for name, text in program.files[1:]:
        files.append((_other_path(name), _checked(text, name, 0)))
    return Recipe(
        files=tuple(files),
        flags=("-O", _OPTIMIZE[program.mode], "-fno-omit-frame-pointer"),
        libraries=tuple(flag for option in program.options for flag in _library(option)),
        line_offset=line_offset,
    )


def _library(option: str) -> tuple[str, ...]:
    name = option.removeprefix(LINK_PREFIX) if option.startswith(LINK_PREFIX) else option.removeprefix("-l")
    if name == option:
        return ()  # an option of another stage, such as isolate
    if not name or name.startswith("-") or any(c.isspace() or c == "\0" for c in name):
        raise UsageError(f"{option!r} names no library: write it as `--link m`, without prefix and suffix")
    return (f"-l{name}",)


def _other_path(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in name or path.as_posix() == "cell.zig":
        raise UsageError(f"{name!r} cannot be the name of a program's file: it must be relative, without `..`")
    return f"{CELL_FOLDER}/{path.as_posix()}"


def _checked(text: str, what: str, line_offset: int) -> str:
    """The text as it is compiled. Zig refuses these characters too, but not in words that help."""
    text = "\n" * line_offset + text.replace("\r\n", "\n")
    if len(text) > limits.SOURCE_BYTES_MAX:
        raise UsageError(
            f"{what} has more than {limits.SOURCE_BYTES_MAX} bytes: read large data from a file or pass it"
        )
    for number, line in enumerate(text.split("\n"), 1):
        for column, character in enumerate(line, 1):
            if character == "\0" or "\ud800" <= character <= "\udfff":
                bad = "a zero byte" if character == "\0" else "a character that is not Unicode text"
                message = f"{what} contains {bad} in line {number}, column {column}: remove it"
                shown = "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in line)
                raise CompileError(message, (Diagnostic("error", f"{bad} in the source", number, column, shown),))
    if len(text.encode("utf-8")) > limits.SOURCE_BYTES_MAX:
        raise UsageError(
            f"{what} has more than {limits.SOURCE_BYTES_MAX} bytes: read large data from a file or pass it"
        )
    return text


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
