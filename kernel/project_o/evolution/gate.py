"""The gate as it is on the disk and in this process: the files of this package, and what has been loaded of them.

The files' hashes are those of the first run of a process, since its sandboxes and workers read these files; a file
whose inode, size and times are as they were is not read again (the change time is the kernel's own). What is loaded
is held by identity: code objects cannot change, and a held one's place is taken by no other.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from operator import attrgetter, is_
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from .stamps import Stamps

PACKAGE = Path(__file__).resolve().parents[1]
_ROOMS = ("abi", "evolution", "evolving", "languages", "lisp", "observe", "runtimes", "sandbox", "toolchain")
_FILES = ("config.py", "errors.py", "flow.py", "limits.py", "values.py")
"""What builds, tries, measures and decides; the other rooms ask for that, or show it."""
_JUDGING = ("evolution", "limits", "observe", "sandbox", "values")
"""Of these what is loaded is looked at as well: what is measured, and what follows from it."""
_METHODS = (FunctionType, property, classmethod, staticmethod)
_code = attrgetter("__code__")


class Files:
    """The hashes of some files, as they were when this was made."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._stamps = Stamps(map(str, paths))
        self._hashes = {path: _hash(path) for path in self._stamps.paths}
        self._known = self._stamps.now()

    def changed(self) -> str:
        """A file that is not as it was, or ""."""
        now = self._stamps.now()
        if now != self._known:
            for path, known, found in zip(self._stamps.paths, self._known, now, strict=True):
                if known != found and _hash(path) != self._hashes[path]:
                    return path
            self._known = now
        return ""

    @property
    def names(self) -> tuple[str, ...]:
        """Their paths."""
        return tuple(self._hashes)

    @property
    def digest(self) -> str:
        """SHA-256 of all of them."""
        return hashlib.sha256(repr(sorted(self._hashes.items())).encode()).hexdigest()


class Loaded:
    """The functions, classes and constants of the gate's modules in this process."""

    def __init__(self) -> None:
        self._spaces: list[tuple[str, Mapping[str, Any], list[str], list[Any]]] = []
        for module in _modules():
            held = {name: value for name, value in vars(module).items() if _is_gate(name, value)}
            self._hold(module.__name__, vars(module), held)
            for name, value in held.items():
                if isinstance(value, type) and value.__module__ == module.__name__:
                    methods = {key: item for key, item in vars(value).items() if isinstance(item, _METHODS)}
                    self._hold(f"{module.__name__}.{name}", vars(value), methods)
        self._functions = [value for *_, values in self._spaces for value in values if hasattr(value, "__code__")]
        self._codes = [function.__code__ for function in self._functions]

    def _hold(self, where: str, space: Mapping[str, Any], held: dict[str, Any]) -> None:
        self._spaces.append((where, space, list(held), list(held.values())))

    def changed(self) -> str:
        """A name that does not mean what it meant, or ""."""
        for where, space, names, values in self._spaces:
            if not all(map(is_, map(space.get, names), values)):  # thousands before each trial: no loop of ours
                return f"{where}.{next(n for n, v in zip(names, values, strict=True) if space.get(n) is not v)}"
        if not all(map(is_, map(_code, self._functions), self._codes)):
            pairs = zip(self._functions, self._codes, strict=True)
            changed = next(function for function, code in pairs if function.__code__ is not code)
            return f"{changed.__module__}.{changed.__qualname__}"
        return ""


@lru_cache(maxsize=1)
def package_files() -> Files:
    """The gate's files as they were when this process first asked."""
    return Files(_sources())


def is_gate(path: Path) -> bool:
    """Whether a file is, or would be, one of the gate's: no agent may write there."""
    place = path.resolve()
    return place.is_relative_to(PACKAGE) and place.relative_to(PACKAGE).parts[0] in (*_ROOMS, *_FILES)


def _sources() -> Iterator[Path]:
    """Not what is compiled from them: that is looked up by their hash, or written anew."""
    for room in _ROOMS:
        yield from (path for path in sorted((PACKAGE / room).rglob("*")) if path.is_file() and path.suffix != ".pyc")
    yield from (PACKAGE / name for name in _FILES)


def _modules() -> list[ModuleType]:
    names = {f"{PACKAGE.name}.{name}" for name in _JUDGING}
    found = [(name, module) for name, module in list(sys.modules.items()) if ".".join(name.split(".")[:2]) in names]
    return [module for _, module in sorted(found, key=lambda item: item[0]) if isinstance(module, ModuleType)]


def _is_gate(name: str, value: Any) -> bool:
    constant = name.isupper() and isinstance(value, (bool, int, float, str, tuple, frozenset))
    return constant or isinstance(value, FunctionType) or (isinstance(value, type) and _is_ours(value))


def _is_ours(value: type) -> bool:
    return value.__module__.partition(".")[0] == PACKAGE.name


def _hash(path: str) -> str:
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return "not there"
