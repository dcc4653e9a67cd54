"""From paths to a task: a program, its evaluator, what lies beside it, and its config.yaml."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ... import limits
from ...errors import UsageError
from ...languages import tools_for
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
    """Whether this means a program's file, or the folder of a task, and not a name that serves."""
    if isinstance(target, Path):
        return True
    return isinstance(target, str) and ("/" in target or bool(Path(target).suffix)) and Path(target).exists()


def read_program(target: Path) -> tuple[Program, Path]:
    """The program of a file, or of a folder that holds ``initial_program.*``. Raises UsageError."""
    path = _program_in(target) if target.is_dir() else target
    source = _text(path, "program")
    name = path.parent.resolve().name if path.stem in _COMMON else path.stem
    name = re.sub(r"\W+", "_", name).strip("_") or "program"
    language = LANGUAGES.get(path.suffix.lower(), "text")
    try:
        program = tools_for(language).program(name, source)
    except UsageError as error:
        if language in ("python", "text"):
            raise UsageError(f"{path}: {error}") from error
        program = tools_for("text").program(name, source)  # our grammar is not its compiler's own
    return replace(program, files=((path.name, source),)), path.resolve()


def read_task(target: Path, evaluator: Path | None = None, config: Path | None = None) -> ForeignTask:
    """The task of a program and an evaluator, or of a folder that holds both. Raises UsageError."""
    program, path = read_program(target)
    beside = (evaluator or path).parent
    evaluator = evaluator or beside / EVALUATOR
    text = _text(evaluator, "evaluator")
    settings = Settings()
    named = config or next((place for name in CONFIGS if (place := beside / name).is_file()), None)
    if named is not None:
        settings = Settings.read(_text(named, "settings"), str(named))
    files, left_out = _beside(evaluator)
    places = frozenset((evaluator.parent / name).resolve() for name in (evaluator.name, *_named(text, files)))
    return ForeignTask(program, path, text, files, settings, left_out, places - {path})


def _named(text: str, files: Mapping[str, bytes]) -> Iterator[str]:
    """The files whose names, or whose folder's, the evaluator's text has: a log that grows beside it, or the notebook
    that is being saved, says nothing of what is right.
    """
    for name in files:
        path = Path(name)
        words = (path.stem if path.suffix == ".py" else path.name, *path.parts[:-1][:1])
        if any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) for word in words):
            yield name


def _program_in(folder: Path) -> Path:
    found = sorted(path for path in folder.glob(f"{PROGRAMS}.*") if path.is_file())
    if len(found) == 1:
        return found[0]
    what = "no" if not found else "more than one"
    raise UsageError(f"{folder} holds {what} file {PROGRAMS}.*: name the program's file and the evaluator's")


def _text(path: Path, what: str) -> str:
    try:
        if path.stat().st_size > limits.SOURCE_BYTES_MAX:
            raise UsageError(f"the {what} {path} has more than {limits.SOURCE_BYTES_MAX:,} bytes")
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise UsageError(f"the {what} {path} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise UsageError(f"the {what} {path} is no text in UTF-8") from None


def _beside(evaluator: Path) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """What lies in the evaluator's folder, the nearest first, as much as may be given; and the names of the rest."""
    files: dict[str, bytes] = {}
    left_out: list[str] = []
    room = limits.FOREIGN_FILES_BYTES_MAX
    for path in _found(evaluator.parent):
        name = path.relative_to(evaluator.parent).as_posix()
        if name == evaluator.name:
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


def _found(folder: Path) -> Iterator[Path]:
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
