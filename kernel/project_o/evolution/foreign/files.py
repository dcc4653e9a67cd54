"""From paths to a task: a program, its evaluator, what lies beside it, and its config.yaml."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ... import limits
from ...errors import UsageError
from ...languages import several, tools_for
from ...values import Program
from .settings import Settings

LANGUAGES = {".py": "python", ".rs": "rust", ".zig": "zig", ".hy": "lisp"}
"""By the end of a file's name; every other is a text with EVOLVE blocks."""
CONFIGS = ("config.yaml", "config.yml")
PROGRAMS = "initial_program"
EVALUATOR = "evaluator.py"
_SKIPPED = re.compile(r"^(?:\..*|__pycache__|.*\.pyc|openevolve_output|node_modules|.*(?:secret|credential).*)$", re.I)
"""What an evaluator is not given: outputs, and what may hold secrets."""
_KEYS = re.compile(
    rb"""(?im)^(?P<key>[ \t"']*[\w-]*(?:key|token|secret|password)["']?[ \t]*[:=][ \t]*)"""
    rb"""(?![ \t]*(?:null|~)?[ \t]*$).+$"""
)
_SETTINGS = (".yaml", ".yml", ".toml", ".ini", ".cfg")
"""Files of settings are given without the values of such keys."""
_COMMON = ("initial_program", "program", "initial", "main")
Target = Path | Sequence[Path]
"""A file, or a folder, or several files of which the first is run."""


@dataclass(frozen=True)
class ForeignTask:
    """A task in OpenEvolve's form. ``files`` lie beside the evaluator, whose text is ``evaluator``, by their names.

    ``left_out`` names what lies there too and was too much to give; ``places`` are the files that say what is right.
    """

    program: Program
    path: Path
    evaluator: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)
    left_out: tuple[str, ...] = ()
    places: frozenset[Path] = frozenset()


def is_task(target: Any) -> bool:
    """Whether this means a program's file, or its files, or the folder of a task, and not a name that serves."""
    if isinstance(target, (list, tuple)):
        return bool(target) and all(isinstance(item, (str, Path)) for item in target)
    if isinstance(target, Path):
        return True
    if not isinstance(target, str):
        return False
    # What can only be a path is one, also where there is no such file: then that is what has to be said.
    return "/" in target or target.endswith(".py") or (bool(Path(target).suffix) and Path(target).exists())


def read_program(target: Target, *, whole: bool = False) -> tuple[Program, Path]:
    """The program of a file, or of several of which the first is run, or of a folder, and the path of what is run.

    A folder holds ``initial_program.*``, or has a folder of that name, whose files are the program; ``whole`` says that
    the folder itself has no evaluator in it, so that all its files are the program. Raises UsageError.
    """
    path, *others = _paths(target, whole=whole)
    name = program_folder(path).resolve().name if path.stem in _COMMON else path.stem
    name = re.sub(r"\W+", "_", name).strip("_") or "program"
    if others:
        return _read_several(name, path, others), path.resolve()
    source = _text(path, "program")
    language = LANGUAGES.get(path.suffix.lower(), "text")
    try:
        program = tools_for(language).program(name, source)
    except UsageError as error:
        if language in ("python", "text"):
            raise UsageError(f"{path}: {error}") from error
        program = tools_for("text").program(name, source)  # our grammar is not its compiler's own
    return replace(program, files=((path.name, source),)), path.resolve()


def read_task(target: Target, evaluator: Path | None = None, config: Path | None = None) -> ForeignTask:
    """The task of a program and an evaluator, or of a folder that holds both. Raises UsageError."""
    folder = target if isinstance(target, Path) and target.is_dir() else None
    elsewhere = (
        folder is not None and evaluator is not None and not evaluator.resolve().is_relative_to(folder.resolve())
    )
    whole = elsewhere and folder is not None and not (folder / EVALUATOR).exists()
    program, path = read_program(target, whole=whole)
    beside = evaluator.parent if evaluator else folder or program_folder(path)
    evaluator = evaluator or beside / EVALUATOR
    text = _text(evaluator, "evaluator")
    settings = Settings()
    named = config or next((place for name in CONFIGS if (place := beside / name).is_file()), None)
    if named is not None:
        settings = Settings.read(_text(named, "settings"), str(named))
    own = frozenset(paths_of(program, path).values()) if len(program.files) > 1 else frozenset()
    if evaluator.resolve() in own:
        raise UsageError(f"{evaluator} is the evaluator, and cannot be a file of the program as well: name each once")
    files, left_out = _beside(evaluator, own)
    if twice := [name for name, _ in program.files if len(program.files) > 1 and name in files]:
        raise UsageError(f"{twice[0]} is a file of the program, and another one lies beside the evaluator: rename one")
    places = frozenset((evaluator.parent / name).resolve() for name in (evaluator.name, *_named(text, files)))
    return ForeignTask(program, path, text, files, settings, left_out, places - {path})


def _read_several(name: str, path: Path, others: Sequence[Path]) -> Program:
    """The program of a file that is run, and of others below its folder. Raises UsageError, for links too."""
    root = path.parent.resolve()
    found = []
    for item in (path, *others):
        place = item.parent.resolve() / item.name
        if not place.is_relative_to(root):
            raise UsageError(
                f"{item} lies outside of {path.parent}: the files of a program lie below that of {path.name}"
            )
        if any(_SKIPPED.match(part) for part in place.relative_to(root).parts):
            raise UsageError(f"{item} is hidden, or may hold secrets by its name: an evaluator is not given that")
        if place.is_symlink():
            raise _is_link(item)
        found.append((place.relative_to(root).as_posix(), _text(item, "program's file")))
    return several.program(name, found)


def _is_link(path: Path) -> UsageError:
    return UsageError(f"{path} is a link, and a program's files are none: put the file itself there")


def paths_of(program: Program, path: Path) -> dict[str, Path]:
    """Where each file of a program lies, by its name; ``path`` is that of what is run."""
    return {name: path.parent / name for name, _ in program.files}


def _named(text: str, files: Mapping[str, bytes]) -> Iterator[str]:
    """The files whose names, or whose folder's, the evaluator's text has: a log that grows beside it, or the notebook
    that is being saved, says nothing of what is right.
    """
    for name in files:
        path = Path(name)
        words = (path.stem if path.suffix == ".py" else path.name, *path.parts[:-1][:1])
        if any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) for word in words):
            yield name


def _paths(target: Target, *, whole: bool) -> list[Path]:
    """The files that are meant, that which is run first."""
    if not isinstance(target, Path):
        return [Path(path) for path in target]
    if not target.is_dir():
        return [target]
    inner = target / PROGRAMS
    if not whole and not inner.is_dir():
        return [_first_in(target, (PROGRAMS,))]
    folder = target if whole else inner
    first = _first_in(folder, _COMMON)
    for place, below, names in os.walk(folder):
        below[:] = [name for name in below if not _SKIPPED.match(name)]
        if links := [name for name in (*below, *names) if not _SKIPPED.match(name) and Path(place, name).is_symlink()]:
            raise _is_link(Path(place, links[0]))
        if len(Path(place).relative_to(folder).parts) >= limits.FOREIGN_DEPTH_MAX and names:
            raise UsageError(f"{place} lies deeper than {limits.FOREIGN_DEPTH_MAX} folders: name the program's files")
    return [first, *(path for path in found_in(folder) if path != first)]


def program_folder(path: Path) -> Path:
    """The folder that a program is of by the path of what is run: the task's, where one holds the program's own."""
    return path.parent.parent if path.parent.name == PROGRAMS else path.parent


def _first_in(folder: Path, stems: Iterable[str]) -> Path:
    for stem in stems:
        found = sorted(path for path in folder.glob(f"{stem}.*") if path.is_file())
        if len(found) > 1:
            raise UsageError(f"{folder} holds more than one file {stem}.*: name the program's file and the evaluator's")
        if found:
            return found[0]
    words = " or ".join(f"{stem}.*" for stem in stems)
    raise UsageError(f"{folder} holds no file {words}: name the program's file and the evaluator's")


def _text(path: Path, what: str) -> str:
    try:
        if path.stat().st_size > limits.SOURCE_BYTES_MAX:
            raise UsageError(f"the {what} {path} has more than {limits.SOURCE_BYTES_MAX:,} bytes")
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise UsageError(f"the {what} {path} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise UsageError(f"the {what} {path} is no text in UTF-8") from None


def _beside(evaluator: Path, but: frozenset[Path]) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """What lies in the evaluator's folder, the nearest first, as much as may be given; and the names of the rest.

    The files of a program of several are left out (``but``): an evaluator that imported those in the place of the
    candidate's would judge what is not there.
    """
    files: dict[str, bytes] = {}
    left_out: list[str] = []
    room = limits.FOREIGN_FILES_BYTES_MAX
    for path in found_in(evaluator.parent):
        name = path.relative_to(evaluator.parent).as_posix()
        if name == evaluator.name or (but and path.resolve() in but):
            continue
        try:
            size = path.stat().st_size
            if size > room or len(files) >= limits.FOREIGN_FILES_MAX:
                left_out.append(name)
                continue
            content = path.read_bytes()
            files[name] = _KEYS.sub(rb'\g<key>"redacted"', content) if path.suffix in _SETTINGS else content
            room -= size
        except OSError:
            left_out.append(name)
    return files, tuple(left_out)


def found_in(folder: Path) -> Iterator[Path]:
    """Files by depth and name; links are not followed, and not every depth is looked into."""
    level = [folder]
    for _ in range(limits.FOREIGN_DEPTH_MAX):
        below: list[Path] = []
        for place in level:
            try:
                entries = sorted(place.iterdir())
            except OSError:
                continue
            entries = [path for path in entries if not _SKIPPED.match(path.name) and not path.is_symlink()]
            yield from (path for path in entries if path.is_file())
            below += [path for path in entries if path.is_dir()]
        level = below[: limits.FOREIGN_FILES_MAX]
