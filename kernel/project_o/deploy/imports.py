"""Programs that import others by name: their texts come along, stay fixed while the importer evolves, and are renewed
when what is imported changes.

The text of an imported program NAME is a file of the importer, ``imports/NAME/NAME.zig``, so that it is part of what
the importer is: of its digest, of the key of its build, of what a candidate is compiled with.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace

from ..errors import CompileError, ProjectOError
from ..languages.imports import Import, imports
from ..values import Diagnostic, Program
from .registry import Registry

FOLDER = "imports/"
NEEDED = ("link:", "dep:")
"""The options of an imported program that its importer needs, too: what it links."""
SUFFIXES = {"zig": ".zig", "rust": ".rs"}

Find = Callable[[str], Program | None]
"""The program that serves a name; None where there is none."""


def own(program: Program) -> Program:
    """The program without the texts that it imports."""
    return replace(program, files=tuple(item for item in program.files if not item[0].startswith(FOLDER)))


def with_imports(program: Program, find: Find) -> Program:
    """The program with the texts that it imports, and those that they import, each behind what it needs itself.

    Raises CompileError where there is no such program, or one imports itself.
    """
    if program.language not in SUFFIXES:
        return program
    program = own(program)
    files: dict[str, str] = {}
    options = dict.fromkeys(program.options)
    for item in imports(program.language, program.source):
        try:
            _gather(item.name, program.language, (program.name,), find, files, options)
        except _Refused as refused:
            raise _at(item, program, str(refused)) from None
    return replace(program, files=(*program.files, *files.items()), options=tuple(options)) if files else program


class _Refused(Exception):  # noqa: N818 - it becomes a CompileError at the place of the import
    """Why a program cannot be imported."""


def _gather(
    name: str, language: str, chain: tuple[str, ...], find: Find, files: dict[str, str], options: dict[str, None]
) -> None:
    found = find(name)
    if language == "rust" and (found is None or found.language not in SUFFIXES):
        return  # something of its own, or of a crate: the compiler knows
    if name in chain:
        around = ", which imports ".join((*chain[chain.index(name) + 1 :], name))
        raise _Refused(f"{name} imports {around}: a program cannot import itself")
    if found is None:
        raise _Refused(f"there is no cell {name}: run `%%{language} {name}` before, or import a file as {name}.zig")
    if found.language != language:
        raise _Refused(f"{name} is a {found.language} program: a {language} cell imports {language}")
    path = f"{FOLDER}{name}/{name}{SUFFIXES[language]}"
    if path not in files:
        for item in imports(language, found.source):
            _gather(item.name, language, (*chain, name), find, files, options)
        files[path] = found.source
        options |= dict.fromkeys(item for item in found.options if item.startswith(NEEDED))


def _at(item: Import, program: Program, why: str) -> CompileError:
    shown = program.source.split("\n")[item.line - 1]
    remark = Diagnostic("error", why, item.line, item.column, shown, len(item.name))
    return CompileError(f"line {item.line}, column {item.column}: {why}", (remark,), program.language)


def renew(registry: Registry, name: str) -> None:
    """Build what imports ``name`` again with the text that serves it now.

    What evolved, and what does not compile with the new text, serves on as it is, marked, and a warning says so.
    """
    for importer in [deployment.name for deployment in registry.serving() if deployment.name != name]:
        release = registry.releases(importer)[-1]
        files = dict(release.program.files)
        if not any(path.startswith(f"{FOLDER}{name}/") for path in files):
            continue
        why = "it evolved with the earlier one"
        try:
            program = with_imports(release.program, registry.program)
            if program.files == release.program.files:
                continue
            if release.origin == "cell":
                slot, _ = registry.serve_cell(program)
                slot.note = f"built again with the new text of {name}"
                continue
        except ProjectOError as error:
            why = str(error)
        registry.slot(importer).note = f"built with an earlier text of {name}: run its cell again"
        # At the cell, whose line it is not, either: a line of ours would tell nobody anything.
        said = f"{importer} goes on with the earlier text of {name}: {why}"
        warnings.warn_explicit(said, UserWarning, "cell", 1)
