"""How an answer is held, on the sandboxed side: what its caller notices only when it writes into it, or asks its class.

Two values with equal elements are not the same answer where the rows of one are a single list, where nobody may write
into it, or where it is an object that the function keeps and will hand out again.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from typing import Any

ONE_OBJECT = "an answer in which one object stands in two places: who changes one changes the other"
KEPT = "an answer that it keeps: what its caller changes in it is changed for the next call"
READ_ONLY = "an array that nobody may write into"
ONE_PLACE = "an array of which several elements lie in one place"
_MUTABLE = (list, dict, set, bytearray)
_HOLDING = (list, tuple, dict, set, frozenset)
_BYTES_THAT_CHANGE = (bytearray, memoryview)
"""They cross as bytes do, and are none: no key of a dict, and one of them is what somebody else may write to."""
_LEAVES = {int, float, str, bytes, bool, complex, type(None)}


def marks(held: list[Any]) -> list[str]:
    """What is to be said of the only item of ``held``, which must be the last reference to it but for the function's.

    What the function's own frames still hold by a cycle is not kept: it is collected before that is said.
    """
    found = _marks(held)
    if KEPT in found:
        gc.collect()
        found = _marks(held)
    return sorted(found)


def _marks(held: list[Any]) -> set[str]:
    ndarray = getattr(sys.modules.get("numpy"), "ndarray", None)
    found: set[str] = set()
    times: dict[int, int] = {}
    objects: list[Any] = []
    waiting: list[Any] = [held]
    while waiting:
        for item, inner in _children(waiting.pop(), ndarray):
            is_array = ndarray is not None and isinstance(item, ndarray)
            if not is_array and not isinstance(item, (*_HOLDING, bytearray)):
                if inner and type(item) not in _LEAVES:
                    found.update(_of_class(item))
                continue
            known = times.get(id(item), 0)
            times[id(item)] = known + 1
            if known:
                if inner and (is_array or isinstance(item, _MUTABLE)):
                    found.add(ONE_OBJECT)
                continue
            objects.append(item)
            waiting.append(item)
            if inner:
                found.update(_of_array(item, ndarray) if is_array else _of_class(item))
    item = None  # the last one is referred to no more
    mutable = _MUTABLE if ndarray is None else (*_MUTABLE, ndarray)
    if any(count > times[where] for where, count in _references(objects, mutable)):
        found.add(KEPT)
    return found


def _references(objects: list[Any], mutable: tuple[type, ...]) -> Iterator[tuple[int, int]]:
    """Of each mutable object its id, and how many others hold it beside this list."""
    for item in objects:
        if isinstance(item, mutable):
            yield id(item), sys.getrefcount(item) - _LOOKING


def _looking() -> int:
    """How many references to an object come from looking at it as above: it differs between versions of Python."""
    objects: list[Any] = [[]]
    for item in objects:
        if isinstance(item, _MUTABLE):
            return sys.getrefcount(item)
    raise AssertionError


_LOOKING = _looking()


def _children(item: Any, ndarray: Any) -> Iterator[tuple[Any, bool]]:
    """What an object holds, and whether it is a part of the answer: the memory that an array lies in is none."""
    if isinstance(item, dict):
        yield from ((part, True) for part in dict.values(item))
        yield from ((part, True) for part in dict.keys(item) if type(part) not in _LEAVES)
    elif isinstance(item, (list, tuple)):
        kind: Callable[[Any], Iterator[Any]] = list.__iter__ if isinstance(item, list) else tuple.__iter__
        if not _LEAVES.issuperset(map(type, kind(item))):
            yield from ((part, True) for part in kind(item))
    elif isinstance(item, (set, frozenset)):
        yield from ((part, True) for part in item if type(part) not in _LEAVES)
    elif ndarray is not None and isinstance(item, ndarray) and isinstance(item.base, ndarray):
        yield item.base, False


def _of_class(item: Any) -> Iterator[str]:
    """A class of the candidate's own; those of the library are what they are called, but for bytes that may change."""
    kind = type(item)
    if kind.__module__ == "candidate":
        yield f"a value of its own class {kind.__name__}"
    if kind in _BYTES_THAT_CHANGE:
        yield f"a value of the class {kind.__name__}"


def _of_array(array: Any, ndarray: Any) -> Iterator[str]:
    if type(array) is not ndarray:
        yield f"an array of the class {type(array).__name__}"
    if not array.flags.writeable:
        yield READ_ONLY
    if array.size > 1:
        spread = sum((extent - 1) * abs(step) for extent, step in zip(array.shape, array.strides, strict=True))
        if spread + array.itemsize < array.nbytes:
            yield ONE_PLACE
