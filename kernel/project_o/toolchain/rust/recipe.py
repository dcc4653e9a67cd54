"""What exactly is compiled, and the key that names the result."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ...values import Program
from ..dispatcher_source import ABI_NUMBER
from ..sources import (
    COUNT_LINES,
    LINE_OFFSET_FLAG,
    LOCKED_FLAG,
    Module,
    checked_files,
    imported,
    libraries,
    machine_facts,
    write_file,
)
from . import crates, shim, source
from .places import HOST_FILES, Rust, known, template

CELL_PATH = "cell/cell.rs"
SHIM_PATH = "cell/o_shim"
OUTPUT = "library.so"
INCREMENTAL = "incremental"
CRATE = "libo.rlib"

_INCLUDED = "const _: () = ::core::include!(::core::stringify!(o_shim));\n"
"""The line behind the cell's last one: the shim is one expression of the cell's own module, so that it sees all that is
private there, and the cell stays the root of its crate, with lines of its own. Without a quotation mark, which would
end a string that the cell has left open, and so hide where it begins."""

_STATEFUL = "pub struct State { count: u64 } pub fn f(state: &mut State) {}"
_COMMON = ("--edition", "2024", "--error-format=json", "--cap-lints=allow")
# Frame pointers and line tables tell the line of a fault. `debug_assert!` works in the modes that check, but the
# compiler's own checks of pointers do not: they abort the process where the fault itself would be caught.
_CODE = ("-Cdebuginfo=line-tables-only", "-Cforce-frame-pointers=yes", "-Ctarget-cpu=native", "-Cpanic=unwind")
_CHECKED = ("-Coverflow-checks=on", "-Cdebug-assertions=off", "--cfg=debug_assertions")
_COUNTING = "-Cinstrument-coverage"
MODES = {
    "safe": ("-Copt-level=3", *_CHECKED),
    "fast": ("-Copt-level=3", "-Coverflow-checks=off"),
    "debug": ("-Copt-level=0", *_CHECKED),
}
QUICK = "quick-"
"""Before a mode: as it, and not optimised, for what serves until the optimised build is there."""
MODES |= {f"{QUICK}{mode}": ("-Copt-level=0", *flags[1:]) for mode, flags in MODES.items()}
# A library that has put its hook in front of others', or has made thread-local values, can never be unmapped.
_LINK = ("-Clink-arg=-Wl,-z,nodelete", "-Clink-arg=-Wl,-rpath,$ORIGIN")


@dataclass(frozen=True, slots=False)
class RustRecipe:
    """One cell for one compiler. ``files`` are by their path in the build folder, the cell first.

    ``locked`` is how the text is built, not what is built of it: such builds have keys of their own.
    """

    rust: Rust
    name: str
    mode: str
    files: tuple[tuple[str, str], ...]
    libraries: tuple[str, ...]
    line_offset: int
    module: Module | None = None
    crates: tuple[str, ...] = ()
    locked: bool = False
    counted: bool = False

    @property
    def toolchain(self) -> str:
        """The compiler in two words."""
        return f"rustc {self.rust.release}"

    @cached_property
    def key(self) -> str:
        """SHA-256 over everything that the result depends on, as 64 hexadecimal digits."""
        body = [ABI_NUMBER, crate_key(self.rust), _LINK, _INCLUDED, self.files, self.shown_flags]
        body += [_shim_version(self.module), *crates.identity(self.crates)]
        return hashlib.sha256(json.dumps(body, ensure_ascii=False).encode()).hexdigest()

    @property
    def shown_flags(self) -> tuple[str, ...]:
        """The flags as an Artifact carries them; the last one says how many lines stand before the cell's text."""
        how = (LOCKED_FLAG,) if self.locked else ()
        return (
            *_CODE,
            *self.counting,
            *MODES[self.mode],
            *self.libraries,
            *how,
            f"{LINE_OFFSET_FLAG}{self.line_offset}",
        )

    @property
    def counting(self) -> tuple[str, ...]:
        """The flag of a build that counts its lines."""
        return (_COUNTING,) if self.counted else ()

    @cached_property
    def facts(self) -> source.Facts:
        """What the shim is made from."""
        return source.read(self.files[0][1])

    def around(self, dropped: Mapping[str, str]) -> shim.Shim:
        """The code around the cell, without what is ``dropped``."""
        return shim.write(self.facts, dropped, self.module)

    def assembly_arguments(self, output: str, found: tuple[str, ...], *, intel: bool) -> tuple[str, ...]:
        """The command line that writes the assembly instead of a library."""
        return (
            self.rust.path, *_COMMON, "--crate-type=cdylib", "--crate-name=cell", *_CODE, *MODES[self.mode],
            *(("-Cllvm-args=-x86-asm-syntax=intel",) if intel else ()), "-Ccodegen-units=1", "--emit=asm",
            *self.externs, *found, CELL_PATH, "-o", output,
        )  # fmt: skip

    def arguments(self, linker: str, found: tuple[str, ...] = ()) -> tuple[str, ...]:
        """The compiler's command line; ``found`` are the crates.

        Incremental also where there is nothing to go on from: it divides the cell in another way, and so makes other
        code. Two builds of one text must not differ because one was made afresh.
        """
        return (
            self.rust.path, *_COMMON, "--crate-type=cdylib", "--crate-name=cell", *_CODE, *MODES[self.mode],
            *self.counting, *(("-Cprefer-dynamic", *_LINK) if self.rust.runtime else ("-Clink-arg=-Wl,-z,nodelete",)),
            *((f"-Clinker={linker}",) if linker else ()),
            f"-Cincremental={INCREMENTAL}",
            *self.libraries, *self.externs, *found, CELL_PATH, "-o", OUTPUT,
        )  # fmt: skip

    @property
    def externs(self) -> tuple[str, ...]:
        """The crates that lie in the build folder: ``o``, and the programs that came along."""
        return _crates("o", *(name for name, _ in imported(self.files)))

    def import_arguments(self, name: str, path: str, found: tuple[str, ...]) -> tuple[str, ...]:
        """The command line for a program that came along, a crate of its own, after those that it needs."""
        names = [other for other, _ in imported(self.files)]
        return (
            self.rust.path, *_COMMON, "--crate-type=rlib", f"--crate-name={name}", *_CODE, *MODES[self.mode],
            "-Ccodegen-units=1", *_crates("o", *names[: names.index(name)]), *found, path, "-o", f"lib{name}.rlib",
        )  # fmt: skip

    def import_key(self, name: str) -> str:
        """What such a crate is made from: its texts, and those of the crates before it."""
        names = [other for other, _ in imported(self.files)]
        folders = tuple(f"cell/imports/{other}/" for other in names[: names.index(name) + 1])
        there = [item for item in self.files if item[0].startswith(folders)]
        body = ["import", crate_key(self.rust), self.mode, MODES[self.mode], there, *crates.identity(self.crates)]
        body += [LOCKED_FLAG] * self.locked
        return hashlib.sha256(json.dumps(body, ensure_ascii=False).encode()).hexdigest()

    def test_arguments(self, linker: str, output: str, found: tuple[str, ...]) -> tuple[str, ...]:
        """The command line for the cell's tests, an ordinary program."""
        return (
            self.rust.path, *_COMMON, "--test", "--crate-name=cell", *_CODE, *MODES["debug"],
            *(("-Cprefer-dynamic",) if self.rust.runtime else ()),
            *((f"-Clinker={linker}",) if linker else ()),
            *self.libraries, *self.externs, *found, CELL_PATH, "-o", output,
        )  # fmt: skip

    def write(self, folder: Path, around: shim.Shim | None) -> None:
        """Put all files into the build folder; without a shim, the cell alone."""
        (path, text), *others = self.files
        write_file(folder / path, f"{text}\n{_INCLUDED}" if around else text)
        if around:
            write_file(folder / SHIM_PATH, around.text)
        for path, text in others:
            write_file(folder / path, text)


def _crates(*names: str) -> tuple[str, ...]:
    """How to name crates in the build folder; what they need themselves is found there, too."""
    return ("-Ldependency=.", *(word for name in names for word in ("--extern", f"{name}=lib{name}.rlib")))


def recipe(program: Program, line_offset: int = 0, *, locked: bool = False) -> RustRecipe:
    """What to compile for a program. Raises UsageError, CompileError, ToolchainMissing."""
    return RustRecipe(
        rust=known(),
        name=program.name,
        mode=program.mode,
        files=checked_files(program, "cell.rs", line_offset),
        libraries=libraries(program),
        crates=crates.wanted(program.options),
        line_offset=line_offset,
        locked=locked,
        counted=COUNT_LINES in program.options,
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


def _shim_version(module: Module | None) -> str:
    """The shim is made by our own code, which changes with it: a cell with one of everything shows whether it did."""
    sample = source.read(
        "pub const O_NAME: &str = \"a\"; pub struct P<'a> { x: &'a [f32] } pub struct Q(i32); pub struct R { x: i32 }\n"
        "pub enum E { A, B } pub fn f(p: P, q: Q, r: R, e: E) {}"
    )
    return shim.write(sample, {}, module).text + (shim.write(source.read(_STATEFUL), {}, module).text if module else "")
