"""What a Python function finds around it: its globals, sorted into what is sent, how, and what is refused and why.

The rules are written down for users in ``docs/python-functions.md``. Nothing is pickled: what is sent is data, source
text, or the name of something that is imported on the other side.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import json
import linecache
import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import limits
from ..errors import UsageError
from ..sandbox import Snapshot, wire
from ..sandbox.arena import aligned
from ..sandbox.zygote import NUMPY_MODULES, STANDARD_MODULES
from .python_refusals import plain_fault, refusal
from .python_source import Text, helper_text

ALWAYS_THERE = frozenset((*STANDARD_MODULES.split(), *NUMPY_MODULES, *sys.builtin_module_names, "os", "posixpath"))
ADDED_BY_IPYTHON = frozenset({"display", "get_ipython"})
"""Builtins of a notebook's that Python itself has not."""
FRONT_ENDS = frozenset({"IPython", "ipykernel", "ipywidgets", "project_o", "__main__"})
FORMAT = 1


@dataclass(frozen=True)
class Along:
    """What goes with a function that is more than a function: the body of an agent.

    ``names`` are functions that ``texts`` and the function's own define, ``values`` are sent as globals are;
    ``modules`` of ours may be used, ``needs`` are loaded before a candidate exists. ``facts`` stand in the description.
    """

    names: tuple[str, ...] = ()
    texts: tuple[Text, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    modules: frozenset[str] = frozenset()
    needs: tuple[str, ...] = ()
    is_secret: Callable[[str, Any], bool] = lambda _name, _value: False
    facts: dict[str, Any] | None = None


class Surroundings:
    """The globals of one function, collected. ``text`` is their description as JSON, ``snapshot`` their data.

    Raises UsageError naming every global that cannot be sent.
    """

    def __init__(self, function: types.FunctionType, source: Text, along: Along | None = None) -> None:
        self._function = function
        self._namespace = function.__globals__
        self._home = self._namespace.get("__name__", "__main__")
        self._name = source.name
        self._modules: dict[str, str] = {}
        self._names: dict[str, tuple[str, str]] = {}
        self._values: dict[str, Any] = {}
        self._sources: list[tuple[str, str, str, int]] = []
        self._aliases: list[tuple[str, str]] = []
        self._along = along = along or Along()
        self._preload: set[str] = set(along.needs)
        self._seen: dict[int, str] = {}
        self._done: set[str] = {source.name, *along.names}
        self._undefined: set[str] = set()
        self._refused: list[str] = []
        for text in (source, *along.texts):
            self._take_all(text)
        for name, value in along.values.items():
            self._take(name, value)
        if self._refused:
            raise UsageError(f"{source.name} uses what cannot be sent into the sandbox: " + "; ".join(self._refused))
        self.snapshot, where = self._snapshot()
        self.text = self._described(source, where)

    # ------------------------------------------------------------------ sorting

    def _take_all(self, source: Text) -> None:
        for name in source.names:
            if name not in self._done:
                self._done.add(name)
                if name in self._namespace and not _is_ipythons_own(name, self._namespace[name]):
                    self._take(name, self._namespace[name])
                elif not hasattr(builtins, name):
                    self._undefined.add(name)
        tree = ast.parse(source.text)
        self._take_submodules(tree)
        self._take_imports(tree)

    def _take(self, name: str, value: Any) -> None:
        if id(value) in self._seen and not plain_type(value):
            self._aliases.append((name, self._seen[id(value)]))
            return
        self._seen[id(value)] = name
        if self._along.is_secret(name, value):
            self._refused.append(f"{name} holds what looks like a secret, and secrets do not go into the sandbox")
        elif isinstance(value, types.ModuleType):
            self._take_module(name, value)
        elif (fault := plain_fault(value)) is None:
            self._values[name] = value
        elif not (self._take_served(name, value) or self._take_imported(name, value) or self._take_source(name, value)):
            self._refused.append(refusal(name, value, fault))

    def _take_module(self, name: str, module: types.ModuleType) -> None:
        if self._is_ours(module.__name__) or sys.modules.get(module.__name__) is not module:
            self._refused.append(f"{name} is the module {module.__name__}, which is not in the sandbox")
            return
        self._modules[name] = module.__name__
        self._need(module.__name__)

    def _is_ours(self, module: str) -> bool:
        return module.split(".")[0] in FRONT_ENDS and module not in self._along.modules

    def _need(self, module: str) -> None:
        if module not in ALWAYS_THERE and module.split(".")[0] != "numpy":
            self._preload.add(module)

    def _take_submodules(self, tree: ast.AST) -> None:
        """``scipy.optimize.minimize``: a submodule that was imported here must be imported there too."""
        for node in ast.walk(tree):
            path = _dotted(node)
            if len(path) > 1 and path[0] in self._modules:
                module = self._modules[path[0]]
                for part in path[1:]:
                    module += "." + part
                    if module not in sys.modules:
                        break
                    self._need(module)

    def _take_imports(self, tree: ast.AST) -> None:
        """What a text imports when it is called must be loaded there before: no candidate can read a file."""
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for item in node.names:
                    self._load(item.name, ())
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                self._load(node.module, tuple(item.name for item in node.names))

    def _load(self, module: str, parts: tuple[str, ...]) -> None:
        if module.split(".")[0] in (*FRONT_ENDS, "__future__"):
            return
        try:
            found = importlib.import_module(module)
        except ImportError:
            return  # it may do without: where it cannot, the candidate says so at its line
        except Exception as error:  # noqa: BLE001 - a module runs any code; what it raises is told
            self._refused.append(f"the module {module} fails to import ({type(error).__name__}: {error})")
            return
        self._need(module)
        for part in parts:
            inner = getattr(found, part, None)
            if isinstance(inner, types.ModuleType) and sys.modules.get(inner.__name__) is inner:
                self._need(inner.__name__)

    def _take_imported(self, name: str, value: Any) -> bool:
        """Something that a module offers under its own name: imported on the other side."""
        for module, path in _origins(value):
            if not module or module == self._home or self._is_ours(module):
                continue
            found: Any = sys.modules.get(module)
            for part in path.split("."):
                found = getattr(found, part, None)
            if found is value or (found is not None and type(found) is types.BuiltinMethodType and found == value):
                self._names[name] = (module, path)
                self._need(module)
                return True
        return False

    def _take_served(self, name: str, value: Any) -> bool:
        """A function of which a better version serves: the text that serves."""
        held = getattr(type(value), "held_text", None)
        if held is None:
            return False
        self._add_source(name, held(value))
        return True

    def _take_source(self, name: str, value: Any) -> bool:
        """A function or class of the notebook, by its text."""
        home = _home(value)
        if home in FRONT_ENDS - {"__main__"}:
            self._refused.append(f"{name} belongs to {home}, which is not in the sandbox")
            return True
        try:
            found = helper_text(value, self._files())
        except UsageError as error:
            self._refused.append(str(error))
            return True
        if found is not None:
            self._add_source(name, found)
        return found is not None

    def _files(self) -> list[str]:
        """Where a class may be defined that has no method to tell: the function's own cell, then the newest one."""
        own = self._function.__code__.co_filename
        cells = [file for file in reversed(linecache.cache) if not Path(file).exists()]
        return [own, *(cells if self._home == "__main__" else [])]

    def _add_source(self, name: str, found: Text) -> None:
        self._take_all(found)  # first: a default value or a base class is needed when the text is run
        self._sources.append((name, found.name, found.text, found.first_line))

    # ------------------------------------------------------------------ sending

    def _snapshot(self) -> tuple[Snapshot, list[int]]:
        """All data in one piece of memory: large arrays where they can be looked at, the rest as JSON behind them."""
        import numpy as np

        buffers: list[Any] = []
        places: dict[int, int] = {}
        end = 0

        def store(array: Any) -> int:
            nonlocal end
            if id(array) not in places:
                places[id(array)] = end
                buffers.append(array.reshape(-1).view(np.uint8))
                end = aligned(end + array.nbytes)
                kept.append(array)
            return places[id(array)]

        kept: list[Any] = []  # an id means this array only while it lives
        coded = {name: wire.encode_exactly(value, store) for name, value in self._values.items()}
        body = json.dumps(coded, allow_nan=False).encode("ascii") if coded else b""
        snapshot = Snapshot([*buffers, body])
        return snapshot, [snapshot.offsets[-1], len(body)]

    def _described(self, source: Text, where: list[int]) -> str:
        body = {
            "format": FORMAT,
            "name": source.name,
            "first_line": source.first_line,
            "lines": source.text.count("\n"),
            "modules": sorted(self._modules.items()),
            "names": sorted([name, *origin] for name, origin in self._names.items()),
            "sources": self._sources,
            "aliases": self._aliases,
            "values": where,
            "holds": {name: _kind(value) for name, value in sorted(self._values.items())},
            "undefined": sorted(self._undefined),
            "preload": sorted(self._preload),
            "snapshot": self.snapshot.digest,
            **({"agent": self._along.facts} if self._along.facts else {}),
        }
        text = json.dumps(body, indent=1, ensure_ascii=False)
        if len(text) > limits.SOURCE_BYTES_MAX:
            raise UsageError(f"{self._name} uses {len(text):,} characters of other source: leave some of it out")
        return text


def known_names(body: dict[str, Any]) -> set[str]:
    """The names that a function with this description finds around it."""
    listed = [item[0] for key in ("modules", "names", "sources", "aliases") for item in body[key]]
    functions = (name for names, _, _ in body.get("agent", {"pieces": ()})["pieces"] for name in names)
    return {*listed, *body["holds"], *body["undefined"], body["name"], *functions, *dir(builtins)}


def plain_type(value: Any) -> bool:
    """Whether two names of one such object may as well have one each."""
    return value is None or type(value) in (bool, int, float, complex, str, bytes)


def _home(value: Any) -> str:
    """The package that a function or class comes from; "" for anything else."""
    known = isinstance(value, (types.FunctionType, type))
    return str(getattr(value, "__module__", "")).split(".")[0] if known else ""


def _is_ipythons_own(name: str, value: Any) -> bool:
    """Whether a notebook's builtin is IPython's: its ``open`` refuses three descriptors, and is else the same."""
    if not hasattr(builtins, name) or name in ADDED_BY_IPYTHON:
        return False
    made_in = str(getattr(value, "__globals__", {}).get("__name__", ""))
    return made_in.split(".")[0] == "IPython"


def _origins(value: Any) -> list[tuple[str, str]]:
    """Where something may have been imported from: (module, path in it)."""
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    if not isinstance(name, str) or "<" in name:
        return []
    short = getattr(value, "__name__", name)
    module = getattr(value, "__module__", None)
    found = [(module, name)] if isinstance(module, str) else []
    if type(value).__module__ == "numpy" or type(value).__name__ == "ufunc":
        found.append(("numpy", short))
    owner = getattr(value, "__self__", None)  # random.random is a method of an object that the module hides
    if owner is not None and not isinstance(owner, types.ModuleType):
        found.append((type(owner).__module__, short))
    return found


def _dotted(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        path = _dotted(node.value)
        return [*path, node.attr] if path else []
    return []


def _kind(value: Any) -> str:
    shape = getattr(value, "shape", None)
    return f"{value.dtype} {list(shape)}" if shape is not None else type(value).__name__
