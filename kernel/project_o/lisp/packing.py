"""What of a notebook an agent takes with it: its own text, its tools, and what both name.

What is sent: the text of Lisp functions, macros and imports that are named; plain values (numbers, text, lists and
the like) as they are now; Python functions and tools whose text is all that they need beside modules and plain
values. A tool that needs more is refused, since the agent calls it by name; any other name that cannot be sent is
left out, and a candidate that uses it is told why it is not there. This module loads Hy.
"""

from __future__ import annotations

import ast
import builtins
import dis
import inspect
import json
import math
import re
import textwrap
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import hy

from .. import limits
from ..errors import UsageError, a_kind
from ..values import DATA
from .expansion import symbols_of
from .reading import read
from .specs import AgentSpec, MemorySpec, ToolSpec, canonical
from .words import FUNCTIONS

CELL = "cell.hy"
_PLAIN = (type(None), bool, int, str, bytes)
_BEFORE_USE = ("(defmacro", "(require")
"""What must stand in front of the text that uses it; everything else is looked up when the agent runs."""
_DECLARES = re.compile(r";\s*o:|^\(defparam\s")
_CONTAINERS = (list, tuple, set, frozenset)


@dataclass
class _Load:
    """What has been found so far. ``values`` holds literals, ``absent`` why a name is not sent."""

    is_secret: Callable[[str, Any], bool]
    texts: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)
    python: dict[str, str] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)


def pack(
    spec: AgentSpec,
    tools: Mapping[str, ToolSpec],
    memory: MemorySpec | None,
    helpers: Mapping[str, str],
    namespace: Mapping[str, Any],
    is_secret: Callable[[str, Any], bool] = lambda _name, _value: False,
) -> tuple[tuple[str, str], ...]:
    """The files of an agent's program. The first is Lisp: the agent's own text, its memory, its tools, what these use.

    ``tools`` are all that its names can mean, by name; ``helpers`` and ``namespace`` what the notebook defines.
    A value that ``is_secret`` by its name is not sent. Raises UsageError for a tool that cannot be sent.
    """
    load = _Load(is_secret)
    known = {canonical(name): tool for name, tool in tools.items()}
    own = [canonical(name) for name in spec.tools]
    used: dict[str, ToolSpec] = {}
    waiting = [*_names(spec.source), *own]
    seen = {canonical(spec.name), canonical(spec.memory)}
    while waiting:
        name = waiting.pop(0)
        if name in seen:
            continue
        seen.add(name)
        if name in known:
            used[name] = tool = known[name]
            waiting += _names(tool.source) if tool.language == "lisp" else []
        elif name in own:
            raise UsageError(f"agent {spec.name} names the tool {name}, which is not defined: define it first")
        else:
            waiting += _take(name, helpers, namespace, load)
    return _files(spec, memory, helpers, load, used)


def _take(name: str, helpers: Mapping[str, str], namespace: Mapping[str, Any], load: _Load) -> list[str]:
    """Send what ``name`` means in the notebook; the names that it needs in turn."""
    value = namespace.get(name)
    if load.is_secret(name, value):
        load.absent[name] = f"{name} looks like a secret, and secrets do not go into the sandbox"
    elif name in namespace and is_plain(value) and not _DECLARES.search(helpers.get(name, "")):
        load.values[name] = _literal(value)
    elif name in helpers:
        load.texts[name] = helpers[name]
        return _names(helpers[name])
    elif isinstance(value, types.ModuleType):
        load.imports[name] = value.__name__
    elif isinstance(value, types.FunctionType) and not _is_word(value):
        try:
            load.python[name] = python_text(value, name, load)
        except UsageError as error:
            load.absent[name] = str(error)
    elif name in namespace and not name.startswith("__") and not _is_word(value):
        load.absent[name] = f"{name} is {a_kind(value)} of the notebook: only plain values are sent"
    return []


def _is_word(value: Any) -> bool:
    """Whether it is a function that the language gives to every agent. By identity: an array answers ``==`` itself."""
    return any(value is function for function in FUNCTIONS.values())


def _files(
    spec: AgentSpec, memory: MemorySpec | None, helpers: Mapping[str, str], load: _Load, used: Mapping[str, ToolSpec]
) -> tuple[tuple[str, str], ...]:
    defined = list(dict.fromkeys(helpers[name] for name in helpers if name in load.texts))
    early = [text for text in defined if text.startswith(_BEFORE_USE)]
    texts = [*early, spec.source, *(text for text in defined if text not in early)]
    if spec.memory:
        texts.append(_memory_text(spec, memory))
    files = []
    for name, tool in used.items():
        if tool.language == "lisp":
            texts.append(tool.source)
            continue
        try:
            files.append((f"tools/{name}.py", python_text(tool.run, tool.name, load)))
        except UsageError as error:
            raise UsageError(
                f"agent {spec.name} cannot go into the sandbox with its tool {tool.name}: {error}; write it as "
                f"(deftool {tool.name} ...), or with imports and values of its own"
            ) from None
    files += [(f"functions/{name}.py", load.python[name]) for name in sorted(load.python)]
    about = {"values": load.values, "imports": load.imports, "absent": load.absent}
    return ((CELL, "\n".join(texts) + "\n"), *sorted(files), (DATA, json.dumps(about, indent=1, sort_keys=True)))


def _memory_text(spec: AgentSpec, memory: MemorySpec | None) -> str:
    if memory is None:
        raise UsageError(f"agent {spec.name} names the memory {spec.memory}, which is not defined: define it first")
    if memory.source and memory.language == "lisp":
        return memory.source
    values = f':capacity {memory.capacity} :embedding "{memory.embedding}" :weight {memory.weight} :top {memory.top}'
    how = f':block {memory.block} :overlap {memory.overlap} :ranking "{memory.ranking}"'
    return f"(defmemory {memory.name} {values} {how})"


def _names(source: str) -> list[str]:
    """The names in a text, as Python spells them, in order."""
    symbols = [symbol for form in read(source, "<agent>") for symbol in symbols_of(form)]
    return list(dict.fromkeys(str(hy.mangle(symbol)) for symbol in symbols if str(symbol).strip(".")))


# ------------------------------------------------------------------------------- values and Python


def is_plain(value: Any) -> bool:
    """Whether a value can be written as a Python literal and read back, within ``limits.SOURCE_BYTES_MAX``."""
    return _plain(value) and len(repr(value)) <= limits.SOURCE_BYTES_MAX


def _plain(value: Any) -> bool:
    kind = type(value)
    if kind in _PLAIN:
        return True
    if kind is float:
        return math.isfinite(value)
    if kind in (set, frozenset) and (not value or kind is frozenset):
        return False  # neither has a literal
    if kind in _CONTAINERS:
        return len(value) <= limits.SOURCE_BYTES_MAX and all(map(_plain, value))
    return kind is dict and all(_plain(key) and _plain(item) for key, item in value.items())


def _literal(value: Any) -> str:
    """A plain value as Python writes it, and sets in order: theirs differs by kernel, and digests must not."""
    kind = type(value)
    if kind is dict:
        return f"{{{', '.join(f'{_literal(key)}: {_literal(item)}' for key, item in value.items())}}}"
    if kind not in _CONTAINERS:
        return repr(value)
    parts = sorted(map(_literal, value)) if kind is set else [_literal(item) for item in value]
    inside = ", ".join(parts) + ("," if kind is tuple and len(parts) == 1 else "")
    return f"[{inside}]" if kind is list else f"({inside})" if kind is tuple else f"{{{inside}}}"


def python_text(function: Callable[..., Any], name: str, load: _Load) -> str:
    """The text of a Python function without its decorators; the modules and values it needs go to ``load``.

    Raises UsageError where that is not all it needs.
    """
    function = inspect.unwrap(function)
    code = getattr(function, "__code__", None)
    if not isinstance(code, types.CodeType):
        raise UsageError(f"{name} is no Python function")
    if code.co_freevars:
        raise UsageError(f"{name} uses {', '.join(code.co_freevars)} of the function around it")
    surroundings = getattr(function, "__globals__", {})
    for used in sorted(set(_globals_of(code))):
        value = surroundings.get(used)
        if used == function.__name__ or (used not in surroundings and hasattr(builtins, used)):
            continue
        if isinstance(value, types.ModuleType):
            load.imports[used] = value.__name__
        elif load.is_secret(used, value):
            raise UsageError(f"{name} uses {used}, which looks like a secret")
        elif used in surroundings and is_plain(value):
            load.values[used] = _literal(value)
        else:
            raise UsageError(f"{name} uses {used}, which is neither a module nor a plain value")
    try:
        text = textwrap.dedent(inspect.getsource(function))
        node = ast.parse(text).body[0]
    except (OSError, TypeError, SyntaxError):
        raise UsageError(f"the text of {name} cannot be found") from None
    if not isinstance(node, ast.FunctionDef):
        raise UsageError(f"{name} is not written with def")
    return "\n".join(text.split("\n")[node.lineno - 1 : node.end_lineno]) + "\n"


def _globals_of(code: types.CodeType) -> Iterator[str]:
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield str(step.argval)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _globals_of(constant)
