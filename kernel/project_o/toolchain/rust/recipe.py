"""What exactly is compiled, and the key that names the result."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ...values import Program
from ..sources import ABI_NUMBER, LINE_OFFSET_FLAG, checked_files, libraries, machine_facts, write_file
from . import shim, source
from .places import HOST_FILES, Rust, known, template

CELL_PATH = "cell/cell.rs"
SHIM_PATH = "cell/o_shim"
OUTPUT = "library.so"
CRATE = "libo.rlib"

_INCLUDED = "const _: () = ::core::include!(::core::stringify!(o_shim));\n"
"""The line behind the cell's last one: the shim is one expression of the cell's own module, so that it sees all that is
private there, and the cell stays the root of its crate, with lines of its own. Without a quotation mark, which would
end a string that the cell has left open, and so hide where it begins."""

_COMMON = ("--edition", "2024", "--error-format=json", "--cap-lints=allow")
# Frame pointers and line tables tell the line of a fault. `debug_assert!` works in the modes that check, but the
# compiler's own checks of pointers do not: they abort the process where the fault itself would be caught.
_CODE = ("-Cdebuginfo=line-tables-only", "-Cforce-frame-pointers=yes", "-Ctarget-cpu=native", "-Cpanic=unwind")
_CHECKED = ("-Coverflow-checks=on", "-Cdebug-assertions=off", "--cfg=debug_assertions")
MODES = {
    "safe": ("-Copt-level=3", *_CHECKED),
    "fast": ("-Copt-level=3", "-Coverflow-checks=off"),
    "debug": ("-Copt-level=0", *_CHECKED),
}
# A library that has put its hook in front of others', or has made thread-local values, can never be unmapped.
_LINK = ("-Clink-arg=-Wl,-z,nodelete", "-Clink-arg=-Wl,-rpath,$ORIGIN")


@dataclass(frozen=True, slots=False)
class RustRecipe:
    """One cell for one compiler. ``files`` are by their path in the build folder, the cell first."""

    rust: Rust
    name: str
    mode: str
    files: tuple[tuple[str, str], ...]
    libraries: tuple[str, ...]
    line_offset: int

    @property
    def toolchain(self) -> str:
        """The compiler in two words."""
        return f"rustc {self.rust.release}"

    @cached_property
    def key(self) -> str:
        """SHA-256 over everything that the result depends on, as 64 hexadecimal digits."""
        body = [ABI_NUMBER, crate_key(self.rust), _LINK, _INCLUDED, self.files, self.shown_flags, _shim_version()]
        return hashlib.sha256(json.dumps(body, ensure_ascii=False).encode()).hexdigest()

    @property
    def shown_flags(self) -> tuple[str, ...]:
        """The flags as an Artifact carries them; the last one says how many lines stand before the cell's text."""
        return (*_CODE, *MODES[self.mode], *self.libraries, f"{LINE_OFFSET_FLAG}{self.line_offset}")

    @cached_property
    def facts(self) -> source.Facts:
        """What the shim is made from."""
        return source.read(self.files[0][1])

    def arguments(self, linker: str, incremental: str) -> tuple[str, ...]:
        """The compiler's command line. ``incremental`` is a folder, "" to start afresh."""
        return (
            self.rust.path, *_COMMON, "--crate-type=cdylib", "--crate-name=cell", *_CODE, *MODES[self.mode],
            *(("-Cprefer-dynamic", *_LINK) if self.rust.runtime else ("-Clink-arg=-Wl,-z,nodelete",)),
            *((f"-Clinker={linker}",) if linker else ()),
            *((f"-Cincremental={incremental}",) if incremental else ("-Ccodegen-units=1",)),
            *self.libraries, "--extern", f"o={CRATE}", CELL_PATH, "-o", OUTPUT,
        )  # fmt: skip

    def test_arguments(self, linker: str, output: str) -> tuple[str, ...]:
        """The command line for the cell's tests, an ordinary program."""
        return (
            self.rust.path, *_COMMON, "--test", "--crate-name=cell", *_CODE, *MODES["debug"],
            *(("-Cprefer-dynamic",) if self.rust.runtime else ()),
            *((f"-Clinker={linker}",) if linker else ()),
            *self.libraries, "--extern", f"o={CRATE}", CELL_PATH, "-o", output,
        )  # fmt: skip

    def write(self, folder: Path, around: shim.Shim | None) -> None:
        """Put all files into the build folder; without a shim, the cell alone."""
        (path, text), *others = self.files
        write_file(folder / path, f"{text}\n{_INCLUDED}" if around else text)
        if around:
            write_file(folder / SHIM_PATH, around.text)
        for path, text in others:
            write_file(folder / path, text)


def recipe(program: Program, line_offset: int = 0) -> RustRecipe:
    """What to compile for a program. Raises UsageError, CompileError, ToolchainMissing."""
    return RustRecipe(
        rust=known(),
        name=program.name,
        mode=program.mode,
        files=checked_files(program, "cell.rs", line_offset),
        libraries=libraries(program),
        line_offset=line_offset,
    )


def crate_key(rust: Rust) -> str:
    """What the crate ``o`` is made from: its own text, the compiler, the machine."""
    texts = [(name, template(name)) for name in HOST_FILES]
    body = [texts, rust.version, bool(rust.runtime), _COMMON, _CODE, machine_facts()]
    return hashlib.sha256(json.dumps(body, ensure_ascii=False).encode()).hexdigest()


def crate_arguments(rust: Rust) -> tuple[str, ...]:
    """The command line for the crate ``o``."""
    return (
        rust.path, *_COMMON, "--crate-type=rlib", "--crate-name=o", *_CODE, "-Copt-level=3", "-Coverflow-checks=off",
        "host/lib.rs", "-o", CRATE,
    )  # fmt: skip


def _shim_version() -> str:
    """The shim is made by our own code, which changes with it: a cell with one of everything shows whether it did."""
    sample = source.read(
        "pub const O_NAME: &str = \"a\"; pub struct P<'a> { x: &'a [f32] } pub struct Q(i32); pub struct R { x: i32 }\n"
        "pub enum E { A, B } pub fn f(p: P, q: Q, r: R, e: E) {}"
    )
    return shim.write(sample, {}).text
