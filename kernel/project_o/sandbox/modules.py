"""Modules of a candidate that are texts and nowhere on a disk: what ``import`` finds of a program of several files."""

from __future__ import annotations

import linecache
import sys
import types
from collections.abc import Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import PurePosixPath


def names_of(files: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """(file, text) of the Python files by the names of their modules; a folder without ``__init__.py`` is an empty
    one."""
    found: dict[str, tuple[str, str]] = {}
    for file, text in files.items():
        path = PurePosixPath(file)
        if path.suffix != ".py":
            continue
        *folders, last = path.with_suffix("").parts
        for depth in range(1, len(folders) + 1):
            found.setdefault(".".join(folders[:depth]), ("", ""))
        found[".".join(folders if last == "__init__" and folders else (*folders, last))] = (file, text)
    return found


class Texts(MetaPathFinder, Loader):
    """Finds modules among texts before anything else; in the sandboxed process."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._found = names_of(files)
        self._folders = {name.rpartition(".")[0] for name in self._found}
        self._folders |= {name for name, (file, _) in self._found.items() if file.endswith("__init__.py")}

    def install(self) -> None:
        """From now on ``import`` asks here first; what is loaded already under such a name is forgotten."""
        for name in self._found:
            sys.modules.pop(name, None)
        sys.meta_path.insert(0, self)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module of this name, where there is a text of it."""
        if name not in self._found:
            return None
        file = self._found[name][0] or name
        return ModuleSpec(name, self, origin=f"<{file}>", is_package=name in self._folders)

    def exec_module(self, module: types.ModuleType) -> None:
        """Run its text."""
        file, text = self._found[module.__name__]
        shown = f"<{file}>"
        linecache.cache[shown] = (len(text), None, text.splitlines(keepends=True), shown)
        exec(compile(text, shown, "exec", dont_inherit=True), vars(module))
