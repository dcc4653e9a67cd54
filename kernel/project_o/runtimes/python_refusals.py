"""Which values are plain data, and in words why another cannot be sent and what to do instead."""

from __future__ import annotations

import types
from typing import Any

from .. import limits
from ..errors import a_kind

_SCALARS = (type(None), bool, int, float, complex, str, bytes)
_DEPTH_MAX = 50
_HINTS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("TextIOWrapper", "BufferedReader", "BufferedWriter", "BufferedRandom", "FileIO"),
     "an open file: read it before, and use what it held"),
    (("lock", "RLock", "Lock", "Semaphore", "Condition", "Event", "Thread"),
     "part of this process: one thread alone calls the function in the sandbox, so leave it out"),
    (("generator", "coroutine", "async_generator"), "used up by whoever reads it first: make it a list"),
    (("socket", "SSLSocket", "Connection", "Cursor", "Session", "Client"),
     "a connection, and there is no network in the sandbox: fetch the data before, and use that"),
    (("NativeFunction", "NativeModule"),
     "native code, which has a sandbox of its own: pass what it returns, or evolve it by its own name"),
    (("DataFrame", "Series", "Index"), "no plain data: use .to_numpy()"),
    (("MaskedArray",), "an array with a mask: use .filled(...), or .data and .mask"),
    (("matrix", "recarray"), "a special array: use np.asarray(...)"),
    (("Agent",), "an agent: a body takes its `turn`, as in `def answer(message, turn)`, and uses that"),
    (("Memory",), "an agent's memory: use remember and recall of project_o.agent"),
    (("Generator", "RandomState"), "a source of random numbers: make it inside the function, from a seed"),
)  # fmt: skip
_OTHERWISE = (
    "neither plain data, nor a numpy array, function, class or module: pass what is needed of it as plain data, or "
    "make it inside the function"
)


def plain_fault(value: Any) -> str | None:
    """Why a value is no plain data, as words that follow its path; None if it is."""
    count = 0
    stack: list[tuple[Any, str, int]] = [(value, "", 0)]
    while stack:
        item, path, depth = stack.pop()
        count += 1
        if count > limits.GLOBAL_ITEMS_MAX:
            return f" holds more than {limits.GLOBAL_ITEMS_MAX:,} items: make it a numpy array"
        if depth > _DEPTH_MAX:
            return f" is nested more than {_DEPTH_MAX} deep: make it flatter"
        kind = type(item)
        if kind in (list, tuple, set, frozenset):
            stack.extend((part, f"{path}[{k}]", depth + 1) for k, part in enumerate(item))
        elif kind is dict:
            for key, part in item.items():
                stack.append((key, f"{path}, in its key {key!r:.40}", depth + 1))
                stack.append((part, f"{path}[{key!r:.40}]", depth + 1))
        elif kind not in _SCALARS and (fault := _array_fault(item)) is not None:
            return f"{path} is {fault}"
    return None


def _array_fault(value: Any) -> str | None:
    """Why this is no array or numpy number that can be sent; None if it is one."""
    from ..sandbox import wire

    base = next((kind for kind in type(value).__mro__ if kind.__module__ == "numpy"), None)
    if (base is not None and type(value).__name__ in ("ndarray", "memmap")) or _is_number(value):
        if wire.array_type(value.dtype) is not None:
            return None
        return f"an array of {value.dtype}: use numbers, bool, text or times, a plain array for each field"
    return _told(value)


def _is_number(value: Any) -> bool:
    return any(kind.__name__ == "generic" and kind.__module__ == "numpy" for kind in type(value).__mro__)


def _told(value: Any) -> str:
    kind = type(value).__name__
    article = "an" if kind[:1].lower() in "aeiou" else "a"
    hint = next((text for names, text in _HINTS if kind in names), _OTHERWISE)
    if isinstance(value, (types.FunctionType, types.BuiltinFunctionType, types.ModuleType, type)):
        hint = "and inside of lists and dicts only data can be sent: use it by a name of its own"
    return f"{article} {kind}, {hint}"


def refusal(name: str, value: Any, fault: str) -> str:
    """The sentence about one global that is refused."""
    if isinstance(value, (types.FunctionType, types.BuiltinFunctionType, type)) or hasattr(value, "__wrapped__"):
        if isinstance(value, type) and hasattr(value, "_field_defaults"):
            fields = "; ".join(f"{item}: Any" for item in value.__dict__["_fields"])
            return f"the class {name} has no source of its own: write `class {name}(NamedTuple)` with fields {fields}"
        what = "class" if isinstance(value, type) else "function"
        return (
            f"the {what} {name} has no source here, and no module offers it by that name: define it in a cell or file"
        )
    if isinstance(value, types.MethodType):
        return f"{name} is a method of {a_kind(value.__self__)}: write a function that takes the data it needs"
    return f"{name}{fault}"
