"""Digests of Python values, for the seal: of a function what it does, of data what it holds.

A function is its byte code, its constants and its defaults; what it reads (closures, globals, modules of the user's) is
found beside it, each under a name that a person understands. What cannot be pickled holds no data that could be
compared: a module of an installed package, a live connection, a library module. A native function is its text.
"""

from __future__ import annotations

import dis
import hashlib
import pickle
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass
from functools import partial
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

_INSTALLED = tuple({sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")})
_OURS = __package__.partition(".")[0]

Find = Callable[[], Any]
Named = tuple[str, Any, Find]
"""What a person calls it, the thing, and how it is looked up."""


@dataclass(frozen=True, slots=True)
class Part:
    """Something to be sealed: what a person calls it, its kind ("code" or "data"), the thing, and how it is looked up.

    ``find`` gives it anew: a name may mean another thing by then.
    """

    name: str
    kind: str
    find: Find


def code_digest(code: CodeType) -> bytes:
    """SHA-256 of what a code object does: of its lines and names of files nothing."""
    told = hashlib.sha256()
    constants = [code_digest(item) if isinstance(item, CodeType) else repr(item) for item in code.co_consts]
    for item in (code.co_code, code.co_names, code.co_varnames, code.co_freevars, constants, code.co_exceptiontable):
        told.update(repr(item).encode("utf-8", "surrogatepass") + b"\0")
    return told.digest()


def data_digest(value: Any) -> bytes:
    """SHA-256 of what a value holds; empty where it cannot be had. Arrays are not copied."""
    told = hashlib.sha256()
    try:
        told.update(pickle.dumps(value, protocol=5, buffer_callback=lambda part: told.update(part.raw())))
    except Exception:  # noqa: BLE001 - whatever a value's own pickling raises, it holds nothing to compare
        return b""
    return told.digest()


def parts_of(name: str, value: Any) -> Iterator[Part]:
    """A value, and everything of the user's that its code reads, each once."""
    seen: set[int] = set()
    waiting: list[Named] = [(name, value, lambda: value)]
    while waiting:
        told, thing, find = waiting.pop()
        if id(thing) in seen or isinstance(thing, (ModuleType, BuiltinFunctionType)):
            continue
        seen.add(id(thing))
        if isinstance(thing, FunctionType):
            if not _is_foreign(thing):
                yield Part(told, "code", find)
            waiting += _read_by(thing)
        elif (inside := _inside(told, thing, find)) is not None:
            waiting += inside
        elif data_digest(thing):
            yield Part(told, "data", find)
            waiting += _class_of(told, thing, find)
        else:  # it holds something live: what else it holds can be compared all the same
            waiting += _held(told, thing, find)
            waiting += _class_of(told, thing, find)


def _held(told: str, thing: Any, find: Find) -> list[Named]:
    """The attributes of an object of the user's, or of ours, that are data; of an installed package's none."""
    if _is_installed(sys.modules.get(type(thing).__module__)):
        return []
    names = [one.name for one in fields(thing)] if is_dataclass(thing) else list(getattr(thing, "__dict__", {}))
    found = [(name, getattr(thing, name, None)) for name in names]
    return [(f"{name} of {told}", item, _at(find, name)) for name, item in found if data_digest(item)]


def _inside(told: str, thing: Any, find: Find) -> list[Named] | None:
    """What a thing that is no data consists of; None where it is data."""
    match thing:
        case MethodType():
            names = {told: "__func__", f"the object of {told}": "__self__"}
        case partial():
            names = {told: "func", f"the arguments of {told}": "args", f"the named arguments of {told}": "keywords"}
        case type():
            own = {} if _is_foreign(thing) else vars(thing)
            methods = {key: item for key, item in own.items() if isinstance(item, FunctionType)}
            return [(f"{told}.{key}", item, _at(find, "__dict__", key)) for key, item in methods.items()]
        case list() | tuple() if any(map(callable, thing)):
            return [(f"{told}[{place}]", item, _at(find, "", place)) for place, item in enumerate(thing)]
        case dict() if any(map(callable, thing.values())):
            return [(f"{told}[{key!r}]", item, _at(find, "", key)) for key, item in thing.items()]
        case _:
            return None
    return [(name, getattr(thing, attribute), _at(find, attribute)) for name, attribute in names.items()]


def _at(find: Find, attribute: str, *keys: Any) -> Find:
    """How an attribute, and what stands in it under keys, is looked up."""

    def found() -> Any:
        value = getattr(find(), attribute) if attribute else find()
        for key in keys:
            value = value[key]
        return value

    return found


def _class_of(told: str, thing: Any, find: Find) -> list[Named]:
    return [(f"the class of {told}", type(thing), _at(find, "__class__"))]


def _read_by(function: FunctionType) -> Iterator[Named]:
    """The closures, defaults and globals of a function, with how each is looked up; of ours no globals."""
    own, code = function.__qualname__, function.__code__
    finds: dict[str, Find] = {}
    for place, name in enumerate(code.co_freevars):
        finds[name] = _at(partial(_itself, function.__closure__[place]), "cell_contents")  # type: ignore[index]
    for attribute in ("__defaults__", "__kwdefaults__"):
        if getattr(function, attribute):
            finds[f"{attribute.strip('_')}"] = _at(partial(_itself, function), attribute)
    if not _is_foreign(function):
        space = function.__globals__
        read, named = _names(code)
        for name in sorted(read & set(space)):
            find = _at(partial(_itself, space), "", name)
            if not isinstance(space[name], ModuleType):
                finds[name] = find
            elif not _is_foreign(space[name]):
                finds |= {f"{name}.{key}": _at(find, key) for key in sorted(named & set(vars(space[name])))}
    for name, find in finds.items():
        with suppress(ValueError):  # a closure that is not assigned yet
            yield f"{name}, which {own} reads", find(), find


def _itself(thing: Any) -> Any:
    return thing


def _names(code: CodeType) -> tuple[set[str], set[str]]:
    """The globals that code reads and never assigns (those are its own bookkeeping), and all names in it."""
    read, stored, named, waiting = set[str](), set[str](), set[str](), [code]
    while waiting:
        one = waiting.pop()
        named |= set(one.co_names)
        for item in dis.get_instructions(one):
            if item.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                read.add(str(item.argval))
            elif item.opname in ("STORE_GLOBAL", "DELETE_GLOBAL"):
                stored.add(str(item.argval))
        waiting += [item for item in one.co_consts if isinstance(item, CodeType)]
    return read - stored, named


def _is_foreign(thing: Any) -> bool:
    """Whether it is of an installed package, built in, or ours: what it does is not the user's to change by name."""
    module = thing if isinstance(thing, ModuleType) else sys.modules.get(str(thing.__module__))
    return _is_installed(module) or (module is not None and module.__name__.partition(".")[0] == _OURS)


def _is_installed(module: ModuleType | None) -> bool:
    if module is None or module.__name__ == "__main__":
        return False
    file = getattr(module, "__file__", None)
    return installed(str(file)) if file else module.__spec__ is not None  # built in; else it was made here


def installed(file: str) -> bool:
    """Whether a file belongs to an installed package, or is no file."""
    return not file or file.startswith("<") or any(Path(file).is_relative_to(place) for place in _INSTALLED)
