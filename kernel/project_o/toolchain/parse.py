"""Whether the compiler's own parser can read a program: some milliseconds, nothing is built, nothing is resolved.

``zig ast-check`` reads one file and follows no import. ``rustc -Zparse-crate-root-only`` expands no macro and opens
no other file; it is asked with the variable that lets a stable compiler take such an option.
"""

from __future__ import annotations

import shutil

from ..errors import ToolchainError
from ..values import Diagnostic, Program
from . import diagnostics
from .compiler import Job, Runner, build_folder, run
from .places import locate
from .rust import diagnostics as rust_diagnostics
from .rust.places import locate as locate_rust
from .sources import checked_files, write_file

PARSE_WALL_SECONDS = 10.0
_RUST = ("--edition", "2024", "--error-format=json", "--crate-type=lib", "-Zparse-crate-root-only")


def syntax_errors(program: Program, *, runner: Runner | None = None) -> tuple[Diagnostic, ...]:
    """The errors that the parser of Zig or Rust finds, at the cell's own lines; empty where it can read everything.

    Raises CompileError and UsageError for a text that no compiler should see, ToolchainMissing without a compiler,
    ToolchainError where the parser fails for another reason than the text.
    """
    zig = program.language == "zig"
    files = dict(checked_files(program, f"cell.{'zig' if zig else 'rs'}", 0))
    folder = build_folder()
    try:
        for path, text in files.items():
            write_file(folder / path, text)
        for path in files:
            command = (str(locate()), "ast-check", "--color", "off", path) if zig else _rust_command(path)
            environment = {} if zig else {"RUSTC_BOOTSTRAP": "1"}
            finished = (runner or run)(Job(command, folder, environment, PARSE_WALL_SECONDS))
            if finished.code == 0:
                continue
            ordered = {path: files[path], **files}
            found = (
                diagnostics.read(finished.errors, ordered, {})
                if zig
                else rust_diagnostics.read(finished.errors, ordered, {}).cell
            )
            if any(item.line for item in found):
                return found
            raise ToolchainError(f"the parser failed with code {finished.code}: {finished.errors.strip()[-500:]}")
    except OSError as error:
        raise ToolchainError(f"nothing can be written below {folder.parent} ({error}): free some space there") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return ()


def _rust_command(path: str) -> tuple[str, ...]:
    return (locate_rust().path, *_RUST, path)
