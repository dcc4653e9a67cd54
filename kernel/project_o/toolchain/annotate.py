"""The assembly of a native program, function by function, each instruction with the line of the source it comes from.

The compiler writes it, with the lines of its debug information in between; no other tool is needed.
"""

from __future__ import annotations

import platform
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .. import limits
from ..errors import ToolchainError
from ..values import Program
from .build import failed
from .compiler import Finished, Job, build_folder
from .locked import runner_in, zig_cache
from .places import locate
from .recipe import CELL_PATH, Recipe, recipe
from .rust import crates
from .rust.build import add_imports, crate_bytes, failed_cell
from .rust.recipe import CELL_PATH as RUST_CELL_PATH
from .rust.recipe import CRATE, RustRecipe
from .rust.recipe import recipe as rust_recipe
from .sources import CELL_FOLDER, HOST_FOLDER

if TYPE_CHECKING:
    from ..sandbox import Sandbox

Row = tuple[int, str, tuple[str, ...]]
"""The line of the cell (0: none), where else the code is from ("" for the cell), instructions and labels."""
Listing = tuple[str, tuple[Row, ...]]
"""A function and its rows, in the order of the machine code."""

AROUND = "arguments and result"
"""Said of what our own code does before and after the function, and of what it calls for that."""
LIBRARY = "standard library"

_OUTPUT = "cell.s"
_SYMBOL_CHARACTERS_MAX = 60
_FILE = re.compile(r'^\s*\.file\s+(?P<number>\d+)\s+"(?P<first>[^"]*)"(?:\s+"(?P<second>[^"]*)")?')
_PLACE = re.compile(r"^\s*\.loc\s+(?P<file>\d+)\s+(?P<line>\d+)")
_FUNCTION = re.compile(r"^\s*\.type\s+(?P<name>.+),\s*[@%]function")
_LABEL = re.compile(r"^(?P<name>\.L\w+):")
_TARGET = re.compile(r"\.L\w+")
_SHIM = re.compile(r'Shim(?:Of)?\((?:[^",]+,)?\\?"(?P<name>[^"\\]+)|^o_cell_(?P<other>\w+)$')
_OLD_RUST = re.compile(r"_ZN(?P<path>\d[\w$.]*?)17h[0-9a-f]{16}E(?!\w)")
_NEW_RUST = re.compile(r"^_R.*?(?P<length>\d+)_?(?P<rest>[A-Za-z_]\w*)$")


def annotate(program: Program, *, box: Sandbox | None = None) -> tuple[Listing, ...]:
    """The functions of a Zig or Rust program that have code of its own. With a ``box`` it is compiled locked.

    Raises CompileError, ToolchainMissing, ToolchainError, SandboxError.
    """
    folder = build_folder()
    try:
        written = _rust if program.language == "rust" else _zig
        return _listings(written(program, folder, box))
    except OSError as error:
        raise ToolchainError(f"the build cannot write below {folder.parent} ({error}): free some space there") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _zig(program: Program, folder: Path, box: Sandbox | None) -> str:
    wanted: Recipe = recipe(program, locked=box is not None)
    wanted.write(folder)
    kept, copies = zig_cache(wanted, compiler_rt=False)
    command = wanted.arguments(locate(), _OUTPUT, compiler_rt=False, global_cache=kept)
    words = (*(word for word in command if not word.startswith("-femit-bin")), f"-femit-asm={_OUTPUT}")
    job = Job((*words, "-fno-emit-bin", "-fllvm"), folder, outputs=(_OUTPUT,), copies=copies)
    finished = runner_in(box, "zig")(job)
    if finished.code != 0:
        raise failed(finished, wanted, {})
    return _written(folder, finished)


def _rust(program: Program, folder: Path, box: Sandbox | None) -> str:
    wanted: RustRecipe = rust_recipe(program, locked=box is not None)
    runner = runner_in(box, "rust")
    (folder / CRATE).write_bytes(crate_bytes(wanted.rust))
    found = crates.compiled(wanted.rust, wanted.crates, online=box is None)
    found = found.copied(folder) if wanted.locked else found
    add_imports(wanted, folder, found.flags, runner)
    around = wanted.around({})
    wanted.write(folder, around)
    command = wanted.assembly_arguments(_OUTPUT, found.flags, intel=platform.machine() == "x86_64")
    finished = runner(Job(command, folder, outputs=(_OUTPUT,)))
    if finished.code != 0:
        raise failed_cell(finished, wanted, around)
    return _written(folder, finished)


def _written(folder: Path, finished: Finished) -> str:
    path = folder / _OUTPUT
    if not path.exists():
        raise ToolchainError(
            f"the compiler wrote no assembly: {finished.errors.strip()[-500:] or 'it does not say why'}"
        )
    return path.read_text("utf-8", "replace")


# ------------------------------------------------------------------------------- reading it


def _listings(text: str) -> tuple[Listing, ...]:
    files: dict[str, str] = {}
    found: list[Listing] = []
    left = limits.ASSEMBLY_LINES_MAX
    for symbol, lines in _functions(text, files):
        rows = _rows(lines, files)
        count = sum(len(row[2]) for row in rows)
        own = any(line for line, _, _ in rows) or _SHIM.search(symbol.strip('"')) is not None
        if own and count <= left:
            left -= count
            found.append((_plain(symbol), rows))
    return tuple(sorted(found, key=lambda item: min((line for line, _, _ in item[1] if line), default=0)))


def _functions(text: str, files: dict[str, str]) -> Iterator[tuple[str, list[str]]]:
    """The lines of each function; ``files`` are filled in on the way."""
    symbol, waiting = "", ""
    body: list[str] = []
    for line in text.splitlines():
        if match := _FILE.match(line):
            files[match["number"]] = match["second"] or match["first"]
        elif match := _FUNCTION.match(line):
            waiting = match["name"]
        elif waiting and line == f"{waiting}:":
            symbol, body, waiting = waiting, [], ""
        elif symbol and line.startswith((".Lfunc_end", "\t.size", "\t.cfi_endproc")):
            yield symbol, body
            symbol = ""
        elif symbol:
            body.append(line)


def _rows(lines: list[str], files: dict[str, str]) -> tuple[Row, ...]:
    """Instructions one after the other, those of the same place together."""
    targets = {
        name for line in lines if line.startswith("\t") and not line.startswith("\t.") for name in _TARGET.findall(line)
    }
    rows: list[tuple[int, str, list[str]]] = []
    here: tuple[int, str] = (0, AROUND)
    for line in lines:
        if match := _PLACE.match(line):
            # Line 0: the compiler's own, for the place that came before.
            here = _place(files.get(match["file"], ""), int(match["line"])) if int(match["line"]) else here
            continue
        words = _instruction(line, targets)
        if not words:
            continue
        if not rows or rows[-1][:2] != here:
            rows.append((*here, []))
        rows[-1][2].append(words)
    return _joined(rows)


def _joined(rows: list[tuple[int, str, list[str]]]) -> tuple[Row, ...]:
    """What the standard library does before the cell's first line and after its last one belongs to what is around."""
    own = [k for k, (line, _, _) in enumerate(rows) if line]
    found: list[tuple[int, str, list[str]]] = []
    for k, (line, where, said) in enumerate(rows):
        outside = not own or k < own[0] or k > own[-1]
        place = (line, AROUND if where == LIBRARY and outside else where)
        if found and found[-1][:2] == place:
            found[-1][2].extend(said)
        else:
            found.append((*place, list(said)))
    return tuple((line, where, tuple(said)) for line, where, said in found)


def _instruction(line: str, targets: set[str]) -> str:
    """An instruction, or a label that something jumps to; "" for anything else."""
    if match := _LABEL.match(line):
        return f"{match['name']}:" if match["name"] in targets else ""
    if not line.startswith("\t") or line.startswith(("\t.", "\t#", "\t//")):
        return ""
    name, _, operands = line.strip().partition("\t")
    return f"{name:<7} {_OLD_RUST.sub(_path, operands.strip())}".rstrip()


def _place(path: str, line: int) -> tuple[int, str]:
    if path.endswith((CELL_PATH, RUST_CELL_PATH)):
        return line, ""
    parts = Path(path).parts
    if HOST_FOLDER in parts or path.endswith("o_shim"):
        return 0, AROUND
    if CELL_FOLDER in parts[:-1]:  # another file of the program's own
        return 0, "/".join(parts[parts.index(CELL_FOLDER) + 1 :])
    return 0, LIBRARY


def _plain(symbol: str) -> str:
    """A function's name as its author knows it."""
    symbol = symbol.strip('"')
    if match := _SHIM.search(symbol):
        return match["name"] or match["other"]
    if match := _OLD_RUST.fullmatch(symbol):
        return _path(match).rpartition("::")[2]
    if match := _NEW_RUST.match(symbol):
        return match["rest"][: int(match["length"])]
    return symbol.rpartition(".")[2]


def _path(match: re.Match[str]) -> str:
    """``cell::sum`` for ``_ZN4cell3sum17h...E``; only the last word of a long one."""
    rest, words = match["path"], []
    while part := re.match(r"\d+", rest):
        start, length = len(part[0]), int(part[0])
        words.append(rest[start : start + length])
        rest = rest[start + length :]
    whole = "::".join(words)
    return whole if len(whole) <= _SYMBOL_CHARACTERS_MAX else words[-1]
